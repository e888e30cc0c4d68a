package scenario_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// If there was no space, and the service cannot be reached when it is asked again, that is the error: it is not asked
// again without end.
func TestHistoryAllWithoutRoomAndService(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100 << 10, Max: before.Max}))
	t.Cleanup(func() { assert.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) })
	var asked []string
	whole, calls := historyOf(30_000, true, &asked), 0
	client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		if calls++; calls == 1 {
			return whole(req)
		}
		if calls > 10 {
			panic("it is asked again and again")
		}
		return clienttest.Answer(req, 404, `{"code":404,"msg":"Not Found"}`), nil
	}), qredo.WithMaxResponse(1<<20))
	var failed error
	for _, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}) {
		failed = err
	}
	require.ErrorIs(t, failed, qredo.ErrNotFound)
}

// A temporary file without space is like one that cannot be created: the whole history is read without it.
func TestHistoryAllWithoutRoom(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var before syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before))
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100 << 10, Max: before.Max}))
	t.Cleanup(func() { assert.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before)) })
	require.Greater(t, len(wholeHistory(t)), 3)
}

// A file that there cannot be at first and can be later makes nothing come twice, though the service gives the very second that is asked for again.
func TestHistoryAllWithAFileLater(t *testing.T) {
	const entries = 30_000
	folder := t.TempDir()
	t.Setenv("TMPDIR", filepath.Join(folder, "none"))
	var asked []string
	whole := historyOf(entries, true, &asked)
	client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		if len(asked) == 1 {
			t.Setenv("TMPDIR", folder)
		}
		return whole(req)
	}), qredo.WithMaxResponse(1<<20))
	seen := map[string]bool{}
	for e, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}) {
		require.NoError(t, err)
		require.False(t, seen[e.ChainTxID])
		seen[e.ChainTxID] = true
	}
	require.Len(t, seen, entries)
	require.Greater(t, len(asked), 1)
}

// What is not part of a short history is not part of a long one either.
func TestOtherListsBesideALongHistory(t *testing.T) {
	list := `[` + strings.Repeat(`{"wallet_id":"w","amount":1,"net_amount":1,"timestamp":1600000000},`, 3000) + `{"wallet_id":"w"}]`
	for body, want := range map[string]struct {
		entries int
		problem string
	}{
		`{"history":[],"pending":` + list + `}`:           {0, ""},
		`{"pending":` + list + `,"history":[]}`:           {0, ""},
		`{"History":` + list + `}`:                        {3001, ""},
		`{"history":` + list + `,"history":` + list + `}`: {0, "history: duplicate key"},
	} {
		client := clienttest.NewQuickClient(t, clienttest.AnswerWith(200, body), qredo.WithMaxResponse(100_000))
		got, problem := 0, ""
		for _, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}) {
			if err != nil {
				problem = err.Error()
				break
			}
			got++
		}
		assert.Equal(t, want.entries, got, body[:30])
		assert.Contains(t, problem, want.problem, body[:30])
		assert.Equal(t, want.problem == "", problem == "", problem)
	}
}

// A caller who asks for the response gets its body, however long the history is.
func TestResponseOfALongHistory(t *testing.T) {
	const entries = 100_000 // some 10 MB
	var asked []string
	client := clienttest.NewQuickClient(t, historyOf(entries, true, &asked))
	var response qredo.Response
	got := 0
	for _, err := range client.Wallets.HistoryAll(t.Context(), "w", qredo.HistoryOptions{}, qredo.WithResponse(&response)) {
		require.NoError(t, err)
		got++
	}
	require.Equal(t, entries, got)
	require.Greater(t, len(response.Body), 8<<20)
}
