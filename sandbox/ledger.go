package sandbox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/qredo-go/qredo"
)

// The ledger of the APIs is a list of a fund's transactions, each as one of its wallets sees it. What the money
// itself is counted by is the package internal/ledger.

// defaultPage is how many ledger entries come when no limit is asked for.
const defaultPage = 100

func listLedger(r *request, f *fund) (any, error) {
	entries, err := r.selectEntries(f)
	if err != nil {
		return nil, err
	}
	offset, err := r.number("offset")
	if err != nil {
		return nil, err
	}
	limit, err := r.number("limit")
	if err != nil {
		return nil, err
	}
	page := qredo.LedgerPage{Entries: []qredo.LedgerEntry{}, Total: len(entries)}
	for _, e := range entries.page(r.choices.order, offset, cmp.Or(limit, defaultPage)) {
		page.Entries = append(page.Entries, wireEntry(e))
	}
	return page, nil
}

// selectEntries returns the part of a fund's ledger that the query asks for.
func (r *request) selectEntries(f *fund) (entryList, error) {
	direction := qredo.Direction(r.query.Get("direction"))
	switch direction {
	case "", qredo.DirectionAll, qredo.DirectionIn, qredo.DirectionOut:
	default:
		return nil, badRequest("direction must be all, in or out")
	}
	asset := qredo.AssetCode(r.query.Get("asset"))
	if id := r.query.Get("wallet_id"); id != "" {
		w, err := r.walletOf(qredo.WalletID(id))
		switch {
		case err != nil:
			return nil, err
		case w.fund != f && r.choices.strict:
			return nil, notFound("wallet in this fund")
		case w.fund != f:
			return nil, nil
		case asset != "" && asset != w.Asset:
			return nil, nil
		}
		return w.entries.direction(direction), nil
	}
	if asset != "" {
		if index := f.byAsset[asset]; index != nil {
			return index.direction(direction), nil
		}
		return nil, nil
	}
	return f.entries.direction(direction), nil
}

// layerOne is what a transaction is on the asset's own chain: only what came over it or left over it is there.
func (tx *transaction) layerOne() []string {
	if tx.chainTxID == "" || tx.Kind != kindDeposit && tx.Kind != kindWithdrawal {
		return []string{}
	}
	id := sha256.Sum256([]byte("layer 1 " + tx.chainTxID))
	return []string{hex.EncodeToString(id[:])}
}

// number returns a number in the query, 0 if it is not there.
func (r *request) number(name string) (int, error) {
	text := r.query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest("%s must be a whole number that is not negative", name)
	}
	return n, nil
}

func wireEntry(e entry) qredo.LedgerEntry {
	tx, w := e.tx, e.wallet()
	out := qredo.LedgerEntry{
		TxID: tx.ID, Asset: tx.Asset, Amount: qredo.Amount(tx.Amount), Fees: qredo.Amount(tx.Fee),
		NetAmount: qredo.Amount(tx.Amount - tx.Fee), FundID: w.fund.ID, WalletID: w.ID, Address: tx.Address,
		Reference: tx.Reference, BenefitOf: tx.BenefitOf, AccountNo: tx.AccountNo, ChainTxID: tx.chainTxID,
		Status: tx.status, Time: wireTime(e.time()), Expires: wireTime(tx.Expires),
	}
	other := tx.to
	switch {
	case tx.Kind == kindDeposit:
		// As the service's example has it: no ID, no status, no expiry.
		out.Type, out.TxID, out.Status, out.Expires, other = qredo.EntryDeposit, "", "", qredo.Time{}, nil
	case e.in && tx.swap != nil:
		// What the other side of the swap sent, under the ID that this side knows the swap by.
		out.Type, out.TxID, out.Status = qredo.EntrySwapIn, tx.swap.ID, tx.swap.status
		out.Amount, out.Fees, other = out.NetAmount, 0, tx.from
	case e.in:
		// The other side has paid the fee: what came is the net amount.
		out.Type, out.Amount, out.Fees, other = qredo.EntryTransferIn, out.NetAmount, 0, tx.from
	case tx.Kind == kindWithdrawal:
		out.Type = qredo.EntryWithdraw
	case tx.Kind == kindSwapMake, tx.Kind == kindSwapTake:
		out.Type = qredo.EntrySwapOut
	default:
		out.Type = qredo.EntryTransferOut
	}
	if other != nil {
		out.CounterpartyID, out.CounterpartyName = string(other.fund.company.ID), other.fund.company.Company.Name
	}
	return out
}
