package spec

import (
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// What is named by an ID that nothing has is answered with a failure that the document lists for it.
func TestSpecUnknownIDs(t *testing.T) {
	checker := Partner.New()
	r := newRun(t, checker)
	for _, op := range Partner.Operations() {
		path := placeholder.ReplaceAllString(op.Path, "nobody")
		if path == op.Path {
			continue
		}
		operation := Partner.document().Paths.Value(op.Path).GetOperation(op.Method)
		var body any
		if operation.RequestBody != nil {
			body = struct{}{}
		}
		err := r.client.Do(t.Context(), op.Method, path, body, nil)
		var failure *qredo.Error
		require.ErrorAs(t, err, &failure, op)
		assert.Contains(t, []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound}, failure.StatusCode, op)
		if operation.Responses.Status(http.StatusNotFound) != nil {
			assert.NotNil(t, operation.Responses.Status(failure.StatusCode), "%s answered %d", op, failure.StatusCode)
		}
	}
	assert.Empty(t, checker.Violations())
	assert.Empty(t, checker.Called())
}

// Unknown callers get no answer.
func TestSpecUnauthenticated(t *testing.T) {
	checker := Partner.New()
	r := newRun(t, checker)
	for _, op := range Partner.Operations() {
		url := r.srv.BaseURL() + placeholder.ReplaceAllString(op.Path, "nobody")
		req, err := http.NewRequestWithContext(t.Context(), op.Method, url, nil)
		require.NoError(t, err)
		resp, err := r.http.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, op)
	}
	assert.Empty(t, checker.Violations())
	assert.Empty(t, checker.Called())
}
