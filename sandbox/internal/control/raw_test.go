package control_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/control"
)

var copyOut = control.Raw[*diary]{Method: http.MethodPost, Path: "/copies/{of}", Do: func(_ *diary, at map[string]string, w http.ResponseWriter, r *http.Request) error {
	if at["of"] == "nothing" {
		return &control.Refusal{Status: http.StatusNotFound, Reason: "no such thing"}
	}
	_, err := io.Copy(w, r.Body)
	return err
}}

func init() { calls = append(calls, copyOut) }

func TestRawCallsReadAndWriteThemselves(t *testing.T) {
	c := (&diary{}).serve(t)
	answer, err := copyOut.Open(t.Context(), c, "?x=1", strings.NewReader("as it is"), "a/b")
	require.NoError(t, err)
	defer answer.Close()
	got, err := io.ReadAll(answer)
	require.NoError(t, err)
	assert.Equal(t, "as it is", string(got))
	_, err = copyOut.Open(t.Context(), c, "", nil, "nothing")
	assert.Equal(t, refusal{"POST " + c.Base + "/copies/nothing", "no such thing", http.StatusNotFound}, err)
}
