package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// holding lets ledger requests pass until one that begins at an offset, which it holds for ever.
type holding struct {
	next  http.Handler
	at    atomic.Int64 // the offset to hold; none if negative
	held  chan struct{}
	asked atomic.Int64 // ledger requests so far
	first atomic.Int64 // the smallest offset that was asked for since it was set to a large one
}

func newHolding(next http.Handler) *holding {
	h := &holding{next: next, held: make(chan struct{}, 1)}
	h.at.Store(-1)
	return h
}

func (h *holding) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/ledger") {
		h.asked.Add(1)
		offset, _ := strconv.ParseInt(r.URL.Query().Get("offset"), 10, 64) // 0 where it is not given
		if offset < h.first.Load() {
			h.first.Store(offset)
		}
		if offset == h.at.Load() {
			h.held <- struct{}{}
			<-r.Context().Done()
			return
		}
	}
	h.next.ServeHTTP(w, r)
}

// TestExportKilled kills an export with kill -9 again and again, at pages of its way, and lets it go on: the
// file is that of an export made in one go, and pages that are in it are not asked for again.
func TestExportKilled(t *testing.T) {
	const page, entries = 7, 150
	for _, format := range []string{"csv", "jsonl"} {
		t.Run(format, func(t *testing.T) {
			var hold *holding
			s := serve(t, func(next http.Handler) http.Handler {
				hold = newHolding(next)
				return hold
			})
			address := treasuryAddress(t, s)
			require.NoError(t, s.sandbox.Approve("alice@example.com", string(s.PendingTransfer)))
			require.NoError(t, s.sandbox.Approve("alice@example.com", string(s.PendingWithdrawal)))
			require.NoError(t, s.sandbox.Approve("bob@example.com", string(s.PendingWithdrawal)))
			for n := range entries {
				_, err := s.sandbox.Deposit(address, amount(n+1))
				require.NoError(t, err)
			}
			dir := t.TempDir()
			out, whole := filepath.Join(dir, "out."+format), filepath.Join(dir, "whole."+format)
			export := func(file string) []string {
				return []string{"ledger", "export", string(s.Fund), "--out", file, "--page", strconv.Itoa(page)}
			}

			kills := 0
			for _, at := range []int64{0, page, 3 * page, 10 * page, 20 * page} {
				hold.at.Store(at)
				cmd := qredoCommand(t, s.environ(), export(out)...)
				require.NoError(t, cmd.Start())
				<-hold.held
				require.NoError(t, cmd.Process.Kill())
				require.Error(t, cmd.Wait(), "it was killed")
				require.NoFileExists(t, out, "the file is there when it is complete, not before")
				kills++
				tear(t, out+".part")
			}
			hold.at.Store(-1)
			hold.first.Store(1 << 40)
			hold.asked.Store(0)
			said, err := qredoCommand(t, s.environ(), export(out)...).CombinedOutput()
			require.NoError(t, err, string(said))
			assert.Contains(t, string(said), "going on after 140 entries")
			assert.GreaterOrEqual(t, hold.first.Load(), int64(19*page), "all but the last page is in the file already")
			assert.LessOrEqual(t, hold.asked.Load(), int64(5))

			require.NoError(t, qredoCommand(t, s.environ(), export(whole)...).Run())
			assert.Equal(t, read(t, whole), read(t, out))
			printed, err := qredoCommand(t, s.environ(), "ledger", "export", string(s.Fund), "--format", format).Output()
			require.NoError(t, err)
			assert.Equal(t, string(printed), read(t, out))
			assert.Equal(t, entries, strings.Count(read(t, out), "deposit")-3, "the demo has three more")
			assert.Equal(t, 5, kills)
			leftOver, err := filepath.Glob(filepath.Join(dir, "*.part*"))
			require.NoError(t, err)
			assert.Empty(t, leftOver)
		})
	}
}

// TestExportChanged lets the ledger change between a kill and the next run: what was waiting is read again, and
// where what is in the file is not what the ledger has, it begins anew.
func TestExportChanged(t *testing.T) {
	var hold *holding
	s := serve(t, func(next http.Handler) http.Handler {
		hold = newHolding(next)
		return hold
	})
	address := treasuryAddress(t, s)
	for n := range 20 {
		_, err := s.sandbox.Deposit(address, amount(n+1))
		require.NoError(t, err)
	}
	dir := t.TempDir()
	out, whole := filepath.Join(dir, "out.csv"), filepath.Join(dir, "whole.csv")
	start := func(at int64) {
		hold.at.Store(at)
		cmd := qredoCommand(t, s.environ(), "ledger", "export", string(s.Fund), "--out", out, "--page", "4")
		require.NoError(t, cmd.Start())
		<-hold.held
		require.NoError(t, cmd.Process.Kill())
		require.Error(t, cmd.Wait())
		hold.at.Store(-1)
	}
	finish := func() string {
		said, err := qredoCommand(t, s.environ(), "ledger", "export", string(s.Fund), "--out", out, "--page", "4", "--force").CombinedOutput()
		require.NoError(t, err, string(said))
		require.NoError(t, qredoCommand(t, s.environ(), "ledger", "export", string(s.Fund), "--out", whole, "--force").Run())
		assert.Equal(t, read(t, whole), read(t, out))
		return string(said)
	}

	start(16)
	require.NoError(t, s.sandbox.Approve("alice@example.com", string(s.PendingTransfer)))
	assert.Contains(t, finish(), "going on after 6 entries", "the seventh was waiting")
	assert.Contains(t, read(t, out), string(s.PendingTransfer)+",transferOut,approved")

	require.NoError(t, os.Remove(out))
	start(16)
	part := out + ".part"
	text := read(t, part)
	require.NoError(t, os.WriteFile(part, []byte(strings.Replace(text, "demo: rejected", "demo: REJECTED", 1)), 0o600))
	assert.Contains(t, finish(), "beginning anew")
}

// TestExportFromAServerThatGivesLess lets a server give less at a time than is asked for: an export goes on all
// the same where it was, and does not begin anew.
func TestExportFromAServerThatGivesLess(t *testing.T) {
	var hold *holding
	s := serve(t, func(next http.Handler) http.Handler {
		hold = newHolding(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if query := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/ledger") && query.Get("limit") != "" {
				query.Set("limit", "3")
				r = r.Clone(r.Context())
				r.URL.RawQuery = query.Encode()
			}
			next.ServeHTTP(w, r)
		}))
		return hold
	}, sandbox.WithUnsigned()) // the query that is signed is another
	address := treasuryAddress(t, s)
	for n := range 30 {
		_, err := s.sandbox.Deposit(address, amount(n+1))
		require.NoError(t, err)
	}
	out := filepath.Join(t.TempDir(), "out.csv")
	export := []string{"ledger", "export", string(s.Fund), "--direction", "in", "--out", out, "--page", "10"}
	hold.at.Store(24)
	cmd := qredoCommand(t, s.environ(), export...)
	require.NoError(t, cmd.Start())
	<-hold.held
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait(), "it was killed")
	hold.at.Store(-1)
	said, err := qredoCommand(t, s.environ(), export...).CombinedOutput()
	require.NoError(t, err, string(said))
	assert.Contains(t, string(said), "going on after 20 entries")
	assert.NotContains(t, string(said), "beginning anew")
}

// tear adds to a file what a crash may leave at its end.
func tear(t *testing.T, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = file.WriteString(strings.Repeat("half an entry\n", 5000) + "half an ent")
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
