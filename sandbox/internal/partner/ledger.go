package partner

import (
	"cmp"
	"sort"
	"strconv"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// defaultPage is how many ledger entries come when no limit is asked for, and maxPage how many at most.
const (
	defaultPage = 100
	maxPage     = 1000
)

func listLedger(r *serve.Request, v *world.View, f *world.Fund) (any, error) {
	entries, err := v.LedgerPart(f, world.LedgerPart{
		Direction: qredo.Direction(r.Query.Get("direction")), Asset: qredo.AssetCode(r.Query.Get("asset")), Wallet: r.Query.Get("wallet_id"),
	})
	if err != nil {
		return nil, err
	}
	offset, err := number(r, "offset")
	if err != nil {
		return nil, err
	}
	limit, err := number(r, "limit")
	if err != nil {
		return nil, err
	}
	page := qredo.LedgerPage{Entries: []qredo.LedgerEntry{}, Total: len(entries)}
	for _, e := range v.Page(entries, offset, min(cmp.Or(limit, defaultPage), maxPage)) {
		page.Entries = append(page.Entries, wireEntry(e))
	}
	return page, nil
}

// number returns a number in the query, 0 if it is not there.
func number(r *serve.Request, name string) (int, error) {
	text := r.Query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, serve.BadRequest("%s must be a whole number that is not negative", name)
	}
	return n, nil
}

func wireEntry(e world.Entry) qredo.LedgerEntry {
	tx, w, m := e.Tx, e.Wallet(), e.Movement()
	out := qredo.LedgerEntry{
		TxID: m.ID, Type: entryType(e), Asset: tx.Asset, Amount: m.Amount, Fees: m.Fee, NetAmount: m.Net,
		FundID: w.Fund.ID, WalletID: w.ID, Address: tx.Address,
		Reference: tx.Reference, BenefitOf: tx.BenefitOf, AccountNo: tx.AccountNo, ChainTxID: tx.Hash,
		Status: m.Status, Time: forms.Time(e.Time()), Expires: forms.Time(tx.Expires),
	}
	if tx.Kind == world.KindDeposit {
		// As the service's example has it: no ID, no status, no expiry.
		out.TxID, out.Status, out.Expires = "", "", qredo.Time{}
	}
	if m.Other != nil {
		other := m.Other.Fund.Company
		out.CounterpartyID, out.CounterpartyName = string(other.ID), other.Profile.Name
	}
	return out
}

func entryType(e world.Entry) qredo.EntryType {
	switch kind := e.Tx.Kind; {
	case kind == world.KindDeposit:
		return qredo.EntryDeposit
	case e.In && e.Tx.OtherSide != nil:
		return qredo.EntrySwapIn
	case e.In:
		return qredo.EntryTransferIn
	case kind == world.KindWithdrawal:
		return qredo.EntryWithdraw
	case kind == world.KindSwapMake, kind == world.KindSwapTake:
		return qredo.EntrySwapOut
	default:
		return qredo.EntryTransferOut
	}
}

func listHistory(r *serve.Request, v *world.View, w *world.Wallet) (any, error) {
	moves := w.History
	if text := r.Query.Get("since"); text != "" {
		var since qredo.Time
		if err := since.UnmarshalText([]byte(text)); err != nil {
			return nil, serve.BadRequest("since: %v", err)
		}
		first := sort.Search(len(moves), func(i int) bool { return v.Entry(moves[i]).Time().Unix() > since.Unix() })
		moves = moves[first:]
	}
	history := make([]qredo.HistoryEntry, len(moves))
	for i, ref := range moves {
		history[i] = wireHistory(v.Entry(ref))
	}
	return map[string]any{"history": history}, nil
}

// wireHistory is a movement as its wallet's history has it.
func wireHistory(e world.Entry) qredo.HistoryEntry {
	m := e.Moved()
	return qredo.HistoryEntry{
		WalletID: e.Wallet().ID, TxID: m.ID, ChainTxID: e.Tx.Hash, Asset: e.Tx.Asset,
		Amount: m.Amount, Fees: m.Fee, NetAmount: m.Net, Time: forms.Time(e.Tx.Ended),
	}
}
