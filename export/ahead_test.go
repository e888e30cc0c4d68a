package export_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
)

// TestPagesAreReadAhead has the export wait, after each page that it writes, until the next one is requested: without
// reading ahead it hangs, which ends the bubble.
func TestPagesAreReadAhead(t *testing.T) {
	l := deposits(40)
	path := filepath.Join(t.TempDir(), "out.csv")
	synctest.Test(t, func(t *testing.T) {
		asked, seen := make(chan struct{}, 100), 0
		l.before = func() { asked <- struct{}{} }
		wait := func(p export.Progress) {
			pages := (p.Entries - 1) / 10
			for ; seen < 2+pages+1; seen++ { // two of them find out the order
				<-asked
			}
		}
		x, err := export.New(l, l, selection, export.WithPage(11), export.WithProgress(wait))
		require.NoError(t, err)
		done, err := x.ToFile(t.Context(), path)
		require.NoError(t, err)
		require.Equal(t, 41, done.Entries)
	})
}

// hanging answers the first requests, and from then on blocks until it is told to end.
type hanging struct {
	*ledger
	answers int
}

func (h *hanging) ListLedger(ctx context.Context, company qredo.CompanyID, fund qredo.FundID, o qredo.LedgerOptions, opts ...qredo.CallOption) (*qredo.LedgerPage, error) {
	if h.answers--; h.answers < 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return h.ledger.ListLedger(ctx, company, fund, o, opts...)
}

// TestWhatIsReadAheadEndsWithTheExport has a checkpoint fail, since its folder is gone, while the next page does not come. Nothing may be left of
// it, which the bubble sees to.
func TestWhatIsReadAheadEndsWithTheExport(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.Mkdir(folder, 0o700))
	synctest.Test(t, func(t *testing.T) {
		h := &hanging{deposits(40), 4} // two find out the order
		x, err := export.New(h, h, selection, export.WithPage(11), export.WithCheckpoints(0), export.WithProgress(func(export.Progress) { _ = os.RemoveAll(folder) }))
		require.NoError(t, err)
		_, err = x.ToFile(t.Context(), filepath.Join(folder, "out.csv"))
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.Negative(t, h.answers, "the third page was asked for")
	})
}
