package export_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
)

// forms are services of many kinds.
var forms = map[string]ledger{
	"newest first":                              {},
	"oldest first":                              {oldestFirst: true},
	"newest first, few a page":                  {most: 3},
	"oldest first, one a page":                  {oldestFirst: true, most: 1},
	"newest first, one a page":                  {most: 1},
	"newest first, no total":                    {noTotal: true},
	"oldest first, no total":                    {oldestFirst: true, noTotal: true},
	"newest first, the page's total":            {pageTotal: true, most: 4},
	"oldest first, the page's total":            {oldestFirst: true, pageTotal: true},
	"newest first, what ends stays":             {stays: true},
	"oldest first, what ends stays, few a page": {oldestFirst: true, stays: true, most: 5},
}

// TestExportsOfLivingLedgers exports a ledger that keeps changing, in runs that end anywhere, with garbage after what
// they have written. In the end the file equals that of an export in one go: each entry once, oldest first.
func TestExportsOfLivingLedgers(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(8) {
				livingLedger(t, form, seed)
			}
		})
	}
}

func livingLedger(t *testing.T, form ledger, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	l := &form
	for range 10 + r.IntN(60) {
		l.live(r)
	}
	format := []export.Format{export.CSV, export.JSONLines}[r.IntN(2)]
	path := filepath.Join(t.TempDir(), "ledger")
	var moments [][]qredo.LedgerEntry
	for runs := 0; ; runs++ {
		moments = moments[:0]
		ctx, cancel := context.WithCancel(t.Context())
		l.asked = 0
		left, quiet := 3+r.IntN(30), runs > 8
		l.before = func() {
			if l.asked > left && !quiet {
				cancel()
			}
			if l.asked < 40 && !quiet {
				l.live(r)
			}
			moments = append(moments, slices.Clone(l.entries))
		}
		_, err := newExport(t, l, export.WithFormat(format), export.WithPage(2+r.IntN(8)), export.WithCheckpoints(0)).ToFile(ctx, path)
		cancel()
		if err == nil {
			break
		}
		require.True(t, errors.Is(err, context.Canceled) || errors.Is(err, export.ErrMoves), "seed %d: %v", seed, err)
		require.NoFileExists(t, path)
		if info, err := os.Stat(path + ".part"); err == nil && r.IntN(2) == 0 {
			tear(t, path+".part", info.Size())
		}
		for range r.IntN(8) { // between runs
			l.live(r)
		}
		require.Less(t, runs, 20)
	}
	made, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoFileExists(t, path+".part")
	require.NoFileExists(t, path+".part.json")

	// The file is the ledger at one moment of the last run.
	for i := len(moments) - 1; ; i-- {
		require.GreaterOrEqual(t, i, 0, "seed %d: the ledger was never what the file is:\n%s", seed, made)
		if string(made) == oneGo(t, moments[i], format) {
			break
		}
	}
}

// oneGo is an export of entries that do not move.
func oneGo(t *testing.T, entries []qredo.LedgerEntry, format export.Format) string {
	t.Helper()
	var whole bytes.Buffer
	_, err := newExport(t, &ledger{entries: entries}, export.WithFormat(format)).To(t.Context(), &whole)
	require.NoError(t, err)
	require.Equal(t, len(entries), strings.Count(whole.String(), "\n")-strings.Count(whole.String(), "TxID,type"))
	return whole.String()
}

// tear adds what a crash may leave at the end of a file.
func tear(t *testing.T, path string, size int64) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = file.WriteAt(bytes.Repeat([]byte{0}, 300), size)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
