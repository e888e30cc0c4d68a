package sandbox_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// timed notes how much is written between two deadlines.
type timed struct {
	*httptest.ResponseRecorder
	parts []int
}

func (w *timed) SetWriteDeadline(time.Time) error {
	w.parts = append(w.parts, 0)
	return nil
}

func (w *timed) Write(p []byte) (int, error) {
	w.parts[len(w.parts)-1] += len(p)
	return w.ResponseRecorder.Write(p)
}

// TestLongAnswersHaveTimeForEachPart has an answer such as the history of a million movements, which nobody reads in the time that a part has.
func TestLongAnswersHaveTimeForEachPart(t *testing.T) {
	for _, size := range []int{0, 1, 256 << 10, 256<<10 + 1, 5 << 20} {
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		text := strings.Repeat("x", size)
		n, err := sandbox.LimitAnswer(w, time.Second).Write([]byte(text))
		require.NoError(t, err)
		require.Equal(t, size, n)
		require.Equal(t, text, w.Body.String())
		require.Len(t, w.parts, max(1, (size+256<<10-1)/(256<<10)))
		for _, part := range w.parts {
			require.LessOrEqual(t, part, 256<<10)
		}
	}
}
