package cli

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
)

// signed is what an entry of a ledger moved in its wallet: nothing while it waits, and if it came to nothing.
func signed(e qredo.LedgerEntry) (amount qredo.Amount, known bool) {
	switch e.Type {
	case qredo.EntryDeposit, qredo.EntryTransferIn, qredo.EntrySwapIn:
		amount = e.Amount
	case qredo.EntryWithdraw, qredo.EntryTransferOut, qredo.EntrySwapOut:
		amount = -e.Amount
	default:
		return 0, false
	}
	switch {
	case e.Type == qredo.EntryDeposit && e.Status == "", e.Status.Done():
		return amount, true
	case e.Status.Failed(), waiting(e.Status):
		return 0, true
	}
	return 0, false
}

func waiting(s qredo.TxStatus) bool {
	return slices.Contains([]qredo.TxStatus{qredo.TxPendingInitiate, qredo.TxPending, qredo.TxTakerPending}, s)
}

// movementKey tells movements apart in both books. Deposits have no transaction in the ledger; the ID on the chain
// comes in small letters and in capitals.
type movementKey struct {
	tx     qredo.TxID
	chain  string
	amount qredo.Amount
}

// unmatched are the entries of a history that have no counterpart in the ledger yet.
type unmatched struct {
	history []qredo.HistoryEntry
	matched []bool
	byKey   map[movementKey][]int // an entry can be found by its transaction and by that on the chain
}

func newUnmatched(history []qredo.HistoryEntry) *unmatched {
	u := &unmatched{history: history, matched: make([]bool, len(history)), byKey: map[movementKey][]int{}}
	for i, h := range history {
		u.matched[i] = h.Amount == 0 // it moved nothing
		for _, key := range []movementKey{{h.TxID, "", h.Amount}, {"", strings.ToLower(h.ChainTxID), h.Amount}} {
			u.byKey[key] = append(u.byKey[key], i)
		}
	}
	return u
}

// take matches one entry with a key, and reports whether there was one.
func (u *unmatched) take(key movementKey) bool {
	for len(u.byKey[key]) > 0 {
		i := u.byKey[key][0]
		u.byKey[key] = u.byKey[key][1:]
		if !u.matched[i] {
			u.matched[i] = true
			return true
		}
	}
	return false
}

// compareLedger holds the ledger's entries for a wallet against its history, entry for entry both ways, and
// in total: moved is what the history makes.
func (r *reconciliation) compareLedger(ctx context.Context, fund qredo.FundID, w *qredo.Wallet, history []qredo.HistoryEntry, moved qredo.Amount, problem func(string, ...any)) error {
	open := newUnmatched(history)
	total := sum{}
	for e, err := range r.Funds.LedgerAll(ctx, r.company, fund, qredo.LedgerOptions{WalletID: w.ID}) {
		if err != nil {
			return err
		}
		amount, known := signed(e)
		switch {
		case !known:
			problem("ledger entry %s has type %q and status %q: whether it moved anything is not known", e.TxID, e.Type, e.Status)
			continue
		case amount == 0:
			continue
		case e.Asset != w.Asset:
			problem("ledger entry %s is of %s", e.TxID, e.Asset)
		case e.Amount != e.NetAmount+e.Fees:
			problem("ledger entry %s: amount %d is not net amount %d and fees %d", e.TxID, e.Amount, e.NetAmount, e.Fees)
		}
		total.add(amount)
		key := movementKey{e.TxID, "", amount}
		if e.Type == qredo.EntryDeposit {
			key = movementKey{"", strings.ToLower(e.ChainTxID), amount}
		}
		if !open.take(key) {
			problem("ledger entry %s %s of %d has no counterpart in the wallet's history", e.Type, cmp.Or(string(e.TxID), e.ChainTxID), amount)
		}
	}
	for i, h := range history {
		if !open.matched[i] {
			problem("history entry %s of %d has no counterpart in the fund's ledger", cmp.Or(string(h.TxID), h.ChainTxID), h.Amount)
		}
	}
	if total.overflow {
		problem("the ledger's entries are beyond 64 bits")
	}
	if total.total != moved {
		problem("the ledger's entries make %d, the history %d: %+d", total.total, moved, total.total-moved)
	}
	return nil
}
