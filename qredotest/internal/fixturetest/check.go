// Package fixturetest holds fixtures against the client and the service's description.
package fixturetest

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/spec"
	"github.com/qredo-go/qredo/qredotest"
)

// Base is where the clients of these tests find the service, but for its base path.
const Base = "https://any.example"

// Check has a client make the call of a fixture: it sends exactly the fixture's request, returns its value, and both are as
// the service's description has them.
func Check(t *testing.T, api *spec.API, basePath string, f qredotest.Fixture, call func(http.RoundTripper) (any, error)) {
	t.Helper()
	checker := api.New()
	var sent []string
	got, err := call(checker.Transport(qredotest.Answer(func(req *http.Request) (*http.Response, error) {
		var body []byte
		if req.Body != nil {
			var err error
			if body, err = io.ReadAll(req.Body); err != nil {
				return nil, err
			}
		}
		sent = append(sent, req.Method+" "+req.URL.String()+" "+string(body))
		return f.Answer().RoundTrip(req)
	})))
	require.NoError(t, err)
	url := Base + basePath + f.Path
	if f.Query != "" {
		url += "?" + f.Query
	}
	assert.Equal(t, []string{f.Method + " " + url + " " + string(f.Request)}, sent)
	assert.Equal(t, f.Value, got)
	assert.Empty(t, checker.Violations())
	for op := range checker.Called() {
		assert.Equal(t, f.Operation, op.String())
	}
	assert.Len(t, checker.Called(), 1)
}
