package sandbox_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// The tests of this package speak the wire themselves, as a client in another language would: they know
// paths and JSON keys from the contract and use no type of this module for requests and answers.

const basePath = "/api/v1/p"

// startOfTime is what every clock of these tests starts from.
var startOfTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: startOfTime} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Two RSA keys for all tests, because making one takes long.
var (
	ownKey   = sync.OnceValue(newRSAKey)
	otherKey = sync.OnceValue(newRSAKey)
)

func newRSAKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// answer is what a sandbox said.
type answer struct {
	t      testing.TB
	Status int
	Header http.Header
	Body   []byte
	value  any // of the body, if it is JSON
}

func readAnswer(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	a := answer{t: t, Status: resp.StatusCode, Header: resp.Header, Body: body}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&a.value) != nil {
		a.value = nil
	}
	return a
}

// find returns what stands at a path of keys and indexes: "list.0.name".
func (a answer) find(path string) (any, bool) {
	a.t.Helper()
	require.NotNil(a.t, a.value, "not JSON: %q", a.Body)
	v := a.value
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			inner, found := at[key]
			if !found {
				return nil, false
			}
			v = inner
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// at returns the text, or the number as text, at a path that must be there.
func (a answer) at(path string) string {
	a.t.Helper()
	v, found := a.find(path)
	require.True(a.t, found, "%s in %s", path, a.Body)
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	require.Failf(a.t, "not one value", "%s in %s", path, a.Body)
	return ""
}

// number returns the whole number at a path. A number written as text is not one.
func (a answer) number(path string) int64 {
	a.t.Helper()
	v, found := a.find(path)
	require.True(a.t, found, "%s in %s", path, a.Body)
	require.IsType(a.t, json.Number(""), v, path)
	n, err := v.(json.Number).Int64()
	require.NoError(a.t, err)
	return n
}

// count returns the length of the list at a path.
func (a answer) count(path string) int {
	a.t.Helper()
	v, found := a.find(path)
	require.True(a.t, found, "%s in %s", path, a.Body)
	require.IsType(a.t, []any{}, v, "%s must be a list, never null", path)
	return len(v.([]any))
}

// column returns the values at a key of each element of a list.
func (a answer) column(list, key string) []string {
	a.t.Helper()
	values := make([]string, a.count(list))
	for i := range values {
		values[i] = a.at(list + "." + strconv.Itoa(i) + "." + key)
	}
	return values
}

// ok demands success.
func (a answer) ok() answer {
	a.t.Helper()
	require.Equal(a.t, http.StatusOK, a.Status, "%s", a.Body)
	assert.Equal(a.t, "application/json", a.Header.Get("Content-Type"))
	return a
}

// refused demands an error in the service's shape, whose reason contains a text.
func (a answer) refused(status int, reason string) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.Status, "%s", a.Body)
	assert.Equal(a.t, "application/json", a.Header.Get("Content-Type"))
	assert.EqualValues(a.t, status, a.number("code"))
	assert.NotEmpty(a.t, a.at("msg"))
	assert.Contains(a.t, a.at("detail.reason"), reason)
	return a
}

// service is a sandbox in this process that takes unsigned requests, with the key they are made with.
type service struct {
	t testing.TB
	*sandbox.Sandbox
	clock  *clock
	apiKey string
}

func newService(t testing.TB, opts ...sandbox.Option) service {
	t.Helper()
	c := newClock()
	all := append([]sandbox.Option{
		sandbox.WithUnsigned(), sandbox.WithClock(c.Now), sandbox.WithSeed(1),
		sandbox.WithKey("own", &ownKey().PublicKey),
		sandbox.WithKey("second", &otherKey().PublicKey),
		sandbox.WithAccountKey("stranger", "strange", &otherKey().PublicKey),
	}, opts...)
	s, err := sandbox.New(all...)
	require.NoError(t, err)
	return service{t, s, c, "own"}
}

// as is the same service asked with another key.
func (s service) as(apiKey string) service {
	s.apiKey = apiKey
	return s
}

// call sends a request. A body that is text is sent as it is, anything else as JSON.
func (s service) call(method, path string, body any) answer {
	s.t.Helper()
	return s.send(httptest.NewRequest(method, "http://sandbox.example"+basePath+path, s.reader(body)))
}

func (s service) reader(body any) io.Reader {
	s.t.Helper()
	switch body := body.(type) {
	case nil:
		return http.NoBody
	case string:
		return strings.NewReader(body)
	default:
		data, err := json.Marshal(body)
		require.NoError(s.t, err)
		return bytes.NewReader(data)
	}
}

func (s service) send(req *http.Request) answer {
	s.t.Helper()
	req.Header.Set("X-Api-Key", s.apiKey)
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	return readAnswer(s.t, rec.Result())
}

func (s service) get(path string) answer            { s.t.Helper(); return s.call("GET", path, nil) }
func (s service) post(path string, body any) answer { s.t.Helper(); return s.call("POST", path, body) }

// object is a JSON object.
type object = map[string]any
