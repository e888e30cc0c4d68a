package serve_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

func TestWriteFault(t *testing.T) {
	for name, test := range map[string]struct {
		err    error
		status int
		body   string
	}{
		"invalid":        {&world.Error{Kind: world.Invalid, Reason: "r"}, 400, `{"code":400,"msg":"Bad Request","detail":{"reason":"r"}}`},
		"not found":      {&world.Error{Kind: world.NotFound, Reason: "r"}, 404, `{"code":404,"msg":"Not Found","detail":{"reason":"r"}}`},
		"conflict":       {&world.Error{Kind: world.Conflict, Reason: "r"}, 409, `{"code":409,"msg":"Conflict","detail":{"reason":"r"}}`},
		"forbidden":      {&world.Error{Kind: world.Forbidden, Reason: "r"}, 403, `{"code":403,"msg":"Forbidden","detail":{"reason":"r"}}`},
		"wrapped":        {fmt.Errorf("so: %w", &world.Error{Kind: world.Conflict, Reason: "r"}), 409, `{"code":409,"msg":"Conflict","detail":{"reason":"r"}}`},
		"no credentials": {&access.Refusal{Kind: access.NoCredentials, Reason: "r"}, 401, `{"code":401,"msg":"Unauthorized","detail":{"reason":"r"}}`},
		"not proved":     {&access.Refusal{Kind: access.NotProved, Reason: "r"}, 401, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"r"}}`},
		"not allowed":    {&access.Refusal{Kind: access.NotAllowed, Reason: "r"}, 403, `{"code":403,"msg":"Forbidden","detail":{"reason":"r"}}`},
		"its own words":  {&serve.Fault{Status: 400, Msg: "m", Reason: "r"}, 400, `{"code":400,"msg":"m","detail":{"reason":"r"}}`},
		"broken":         {errors.New("r"), 500, `{"code":500,"msg":"Internal Server Error","detail":{"reason":"r"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			serve.WriteFault(w, test.err)
			assert.Equal(t, test.status, w.Code)
			assert.Equal(t, test.body, w.Body.String())
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		})
	}
}

func TestAsFault(t *testing.T) {
	err := serve.AsFault(&world.Error{Kind: world.NotFound, Reason: "no such user"})
	require.EqualError(t, err, "sandbox: 404 Not Found: no such user")
	require.ErrorIs(t, err, qredo.ErrNotFound)
	require.NotErrorIs(t, err, qredo.ErrConflict)
	broken := errors.New("the disk is full")
	assert.Equal(t, broken, serve.AsFault(broken))
	assert.NoError(t, serve.AsFault(nil))
}

// What cannot be written is 500, and not half an answer.
func TestWriteJSON(t *testing.T) {
	w := httptest.NewRecorder()
	serve.WriteJSON(w, http.StatusOK, func() {})
	assert.Equal(t, 500, w.Code)
	assert.Equal(t, `{"code":500,"msg":"Internal Server Error"}`, w.Body.String())
}
