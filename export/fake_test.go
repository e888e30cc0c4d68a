package export_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
)

// ledger is a ledger that moves on command.
type ledger struct {
	entries     []qredo.LedgerEntry // oldest first
	oldestFirst bool
	most        int  // entries a page at most; no bound if 0
	noTotal     bool // the service leaves it out
	pageTotal   bool // the service counts those of the page
	stays       bool // an entry that ends stays where it is

	made   int
	clock  int64
	asked  int
	before func() // called before each answer
}

func (l *ledger) ListLedger(ctx context.Context, _ qredo.CompanyID, _ qredo.FundID, o qredo.LedgerOptions, _ ...qredo.CallOption) (*qredo.LedgerPage, error) {
	l.asked++
	if l.before != nil {
		l.before()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	list := slices.Clone(l.entries)
	if !l.oldestFirst {
		slices.Reverse(list)
	}
	from := min(o.Offset, len(list))
	limit := cmp.Or(o.Limit, 100)
	if l.most > 0 {
		limit = min(limit, l.most)
	}
	page := &qredo.LedgerPage{Entries: list[from:min(from+limit, len(list))], Total: len(list)}
	switch {
	case l.noTotal:
		page.Total = 0
	case l.pageTotal:
		page.Total = len(page.Entries)
	}
	return page, nil
}

func (l *ledger) List(context.Context, ...qredo.CallOption) ([]qredo.Asset, error) {
	return []qredo.Asset{{Code: "BTC", Scale: 100_000_000}, {Code: "ODD", Scale: 3}}, nil
}

// tick moves the clock, often not at all.
func (l *ledger) tick(r *rand.Rand) { l.clock += int64(r.IntN(3)) * int64(r.IntN(3)) }

func (l *ledger) deposit(late int64) {
	l.made++
	e := qredo.LedgerEntry{
		Type: qredo.EntryDeposit, Asset: "BTC", Amount: qredo.Amount(l.made), NetAmount: qredo.Amount(l.made), ChainTxID: fmt.Sprint("chain", l.made/2),
		Time: qredo.Unix(1_600_000_000 + l.clock - late),
	}
	l.insert(e)
}

func (l *ledger) send() {
	l.made++
	l.insert(qredo.LedgerEntry{
		TxID: qredo.TxID(fmt.Sprint("tx", l.made)), Type: qredo.EntryTransferOut, Status: qredo.TxPending, Asset: "BTC", Amount: 11, NetAmount: 10, Fees: 1,
		Time: qredo.Unix(1_600_000_000 + l.clock),
	})
}

// insert puts an entry behind those that are as old.
func (l *ledger) insert(e qredo.LedgerEntry) {
	at, _ := slices.BinarySearchFunc(l.entries, e, func(a, b qredo.LedgerEntry) int { return cmp.Or(a.Time.Compare(b.Time.Time), -1) })
	l.entries = slices.Insert(l.entries, at, e)
}

// end ends one of those that wait.
func (l *ledger) end(r *rand.Rand) {
	var waiting []int
	for i, e := range l.entries {
		if e.Status == qredo.TxPending {
			waiting = append(waiting, i)
		}
	}
	if len(waiting) == 0 {
		return
	}
	at := waiting[r.IntN(len(waiting))]
	e := l.entries[at]
	e.Status = []qredo.TxStatus{qredo.TxApproved, qredo.TxExpired}[r.IntN(2)]
	if l.stays {
		l.entries[at] = e
		return
	}
	l.entries = slices.Delete(l.entries, at, at+1)
	e.Time = qredo.Unix(1_600_000_000 + l.clock)
	l.insert(e)
}

// live does something or nothing.
func (l *ledger) live(r *rand.Rand) {
	l.tick(r)
	switch r.IntN(12) {
	case 0, 1, 2:
		l.deposit(0)
	case 3:
		l.send()
	case 4:
		l.end(r)
	case 5:
		if r.IntN(4) == 0 {
			l.deposit(int64(r.IntN(20)))
		}
	}
}

var selection = export.Selection{Server: "test", Company: "c", Fund: "f"}

func newExport(t *testing.T, l *ledger, opts ...export.Option) *export.Ledger {
	t.Helper()
	x, err := export.New(l, l, selection, opts...)
	require.NoError(t, err)
	return x
}
