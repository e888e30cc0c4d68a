package qredo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// fixture is one file of testdata: an operation, the request it must send, and the service's answer.
type fixture struct {
	Operation string          `json:"operation"`
	Path      string          `json:"path"`
	Query     string          `json:"query"` // encoded, without the question mark
	Request   json.RawMessage `json:"request"`
	Status    int             `json:"status"`
	Response  json.RawMessage `json:"response"`
}

func loadFixture(t testing.TB, name string) fixture {
	t.Helper()
	var f fixture
	decoder := json.NewDecoder(bytes.NewReader(readTestdata(t, name+".json")))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&f))
	return f
}

func (f fixture) method() string { return strings.Fields(f.Operation)[0] }

func (f fixture) url() string {
	if f.Query == "" {
		return testBase + f.Path
	}
	return testBase + f.Path + "?" + f.Query
}

// body is the exact body that the request must have: the fixture's, without its white space.
func (f fixture) body(t testing.TB) string {
	t.Helper()
	if f.Request == nil {
		return ""
	}
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, f.Request))
	return compact.String()
}

// serveFixture returns a client for one call. When the test ends, it asserts that exactly the
// fixture's request was sent, once.
func serveFixture(t *testing.T, name string) *qredo.Client {
	t.Helper()
	return newClient(t, fixtureTransport(t, name, checkRequest))
}

// fixtureTransport gives a fixture's answer to its request, and has that checked when the test ends.
func fixtureTransport(t *testing.T, name string, check func(*testing.T, fixture, *http.Request, string)) http.RoundTripper {
	t.Helper()
	f := loadFixture(t, name)
	var sent []*http.Request
	var bodies []string
	transport := httpmock.NewMockTransport()
	transport.RegisterResponder(f.method(), f.url(), func(req *http.Request) (*http.Response, error) {
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

func checkRequest(t *testing.T, f fixture, req *http.Request, body string) {
	t.Helper()
	checkSent(t, f, req, body)
	stamp := fmt.Sprint(testNow.Unix())
	signature := req.Header.Get("x-sign")
	assert.Equal(t, http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json"},
		"User-Agent":   {"qredo-go/" + qredo.Version},
		"X-Api-Key":    {apiKey},
		"X-Timestamp":  {stamp},
		"X-Sign":       {signature},
	}, req.Header, "no header is missing and none is there beside these")
	verifySignature(t, signature, stamp, f.url(), []byte(body))
}

func checkSent(t *testing.T, f fixture, req *http.Request, body string) {
	t.Helper()
	assert.Equal(t, f.method(), req.Method)
	assert.Equal(t, f.url(), req.URL.String())
	assert.Equal(t, f.body(t), body)
	assert.Equal(t, int64(len(body)), req.ContentLength)
}
