package transport

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/wire"
)

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// A list that is too long for a response, and truncated, cannot be shortened: it is requested again.
func TestALongListThatIsCut(t *testing.T) {
	keep := func([]byte) bool { return false }
	shorten := func(r io.Reader, most int64) ([]byte, error) { return wire.Shorten(r, most, keep) }
	list := `{"actions":[` + strings.Repeat(`1,`, 500) + `1]`
	reset := errors.New("connection reset")
	for name, end := range map[string]io.Reader{"reset": failing{reset}, "cut": failing{io.ErrUnexpectedEOF}, "ended": strings.NewReader("")} {
		body := io.NopCloser(io.MultiReader(strings.NewReader(list), end))
		got, err := httpLink{maxAnswer: 100}.read(&http.Response{StatusCode: 200, Body: body}, Shorten{Do: shorten})
		require.ErrorIs(t, err, errCut, name)
		assert.Len(t, got, 100, name)
	}
	whole := io.NopCloser(strings.NewReader(list + "}"))
	got, err := httpLink{maxAnswer: 100}.read(&http.Response{StatusCode: 200, Body: whole}, Shorten{Do: shorten})
	require.NoError(t, err)
	assert.JSONEq(t, `{"actions":[]}`, string(got))
}
