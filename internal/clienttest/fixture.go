package clienttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// Fixture is one file of qredotest/fixtures: an operation, the request it must send, and the service's answer.
type Fixture struct {
	Operation string          `json:"operation"`
	Path      string          `json:"path"`
	Query     string          `json:"query"` // encoded, without the question mark
	Request   json.RawMessage `json:"request"`
	Status    int             `json:"status"`
	Response  json.RawMessage `json:"response"`
}

// LoadFixture reads qredotest/fixtures/name.json.
func LoadFixture(t testing.TB, name string) Fixture {
	t.Helper()
	var f Fixture
	data, err := os.ReadFile(inModule("qredotest", "fixtures", name+".json"))
	require.NoError(t, err)
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&f))
	return f
}

// Method is the method of the request.
func (f Fixture) Method() string { return strings.Fields(f.Operation)[0] }

// URL is where the request goes, by BaseURL.
func (f Fixture) URL() string {
	if f.Query == "" {
		return BaseURL + f.Path
	}
	return BaseURL + f.Path + "?" + f.Query
}

// Body is the exact body that the request must have: the fixture's, without its white space.
func (f Fixture) Body(t testing.TB) string {
	t.Helper()
	if f.Request == nil {
		return ""
	}
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, f.Request))
	return compact.String()
}

// ServeFixture returns a client for one call. When the test ends, it asserts that exactly the
// fixture's request was sent, once.
func ServeFixture(t *testing.T, name string) *qredo.Client {
	t.Helper()
	return NewClient(t, FixtureTransport(t, name, checkRequest))
}

// FixtureTransport gives a fixture's answer to its request, and has that checked when the test ends.
func FixtureTransport(t *testing.T, name string, check func(*testing.T, Fixture, *http.Request, string)) http.RoundTripper {
	t.Helper()
	f := LoadFixture(t, name)
	var sent []*http.Request
	var bodies []string
	transport := httpmock.NewMockTransport()
	transport.RegisterResponder(f.Method(), f.URL(), func(req *http.Request) (*http.Response, error) {
		body := []byte{}
		if req.Body != nil {
			var err error
			if body, err = io.ReadAll(req.Body); err != nil {
				return nil, err
			}
		}
		sent, bodies = append(sent, req), append(bodies, string(body))
		return httpmock.NewBytesResponse(f.Status, f.Response), nil
	})
	t.Cleanup(func() {
		require.Len(t, sent, 1, "requests sent")
		check(t, f, sent[0], bodies[0])
	})
	return transport
}

func checkRequest(t *testing.T, f Fixture, req *http.Request, body string) {
	t.Helper()
	CheckSent(t, f, req, body)
	stamp := fmt.Sprint(Now.Unix())
	signature := req.Header.Get("x-sign")
	assert.Equal(t, http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json"},
		"User-Agent":   {"qredo-go/" + qredo.Version},
		"X-Api-Key":    {APIKey},
		"X-Timestamp":  {stamp},
		"X-Sign":       {signature},
	}, req.Header, "no header is missing and none is there beside these")
	VerifySignature(t, signature, stamp, f.URL(), []byte(body))
}

// CheckSent asserts that a request is the fixture's.
func CheckSent(t *testing.T, f Fixture, req *http.Request, body string) {
	t.Helper()
	assert.Equal(t, f.Method(), req.Method)
	assert.Equal(t, f.URL(), req.URL.String())
	assert.Equal(t, f.Body(t), body)
	assert.Equal(t, int64(len(body)), req.ContentLength)
}
