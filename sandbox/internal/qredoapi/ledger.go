package qredoapi

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// figures writes amounts as ledgers and histories have them.
type figures struct{ wholeUnits bool }

func (f figures) of(v *world.View, code qredo.AssetCode, amount qredo.Amount) qapi.Figure {
	if asset, err := v.Asset(code); err == nil && f.wholeUnits {
		return qapi.Figure(asset.Format(amount))
	}
	return qapi.Figure(strconv.FormatInt(int64(amount), 10))
}

func (f figures) getFundLedger(_ *serve.Request, v *world.View, fund *world.Fund) (any, error) {
	answer := qapi.Ledger{Entries: []qapi.LedgerEntry{}, Wallets: []qapi.LedgerWallet{}}
	named := map[qredo.WalletID]bool{}
	ledger := fund.Ledger()
	for _, e := range v.Page(ledger, 0, len(ledger)) {
		if e.Tx.Kind != world.KindDeposit && !e.Tx.Status.Done() {
			continue // an entry has no status, so that it tells of what is done
		}
		answer.Entries = append(answer.Entries, f.entry(v, e))
		if w := e.Wallet(); !named[w.ID] {
			named[w.ID] = true
			answer.Wallets = append(answer.Wallets, qapi.LedgerWallet{WalletID: w.ID, FundName: fund.Name, WalletName: w.Name, Type: w.Type})
		}
	}
	answer.Total = len(answer.Entries)
	return answer, nil
}

// entryTypes are what the ledger calls the kinds of transactions: each becomes a number.
var entryTypes = map[world.Kind]qapi.EntryType{
	world.KindDeposit:    qapi.EntryDeposit,
	world.KindTransfer:   qapi.EntryTransfer,
	world.KindWithdrawal: qapi.EntryWithdraw,
	world.KindSweep:      qapi.EntrySweep,
	world.KindSwapMake:   qapi.EntrySwap,
	world.KindSwapTake:   qapi.EntrySwap,
}

func (f figures) entry(v *world.View, e world.Entry) qapi.LedgerEntry {
	tx, w, m := e.Tx, e.Wallet(), e.Movement()
	out := qapi.LedgerEntry{
		TxID: m.ID, Type: entryTypes[tx.Kind], Asset: tx.Asset, Amount: f.of(v, tx.Asset, m.Amount),
		Fees: f.of(v, tx.Asset, m.Fee), NetAmount: f.of(v, tx.Asset, m.Net),
		FundID: w.Fund.ID, WalletID: w.ID, Address: tx.Address, Reference: tx.Reference, BenefitOf: tx.BenefitOf, AccountNo: tx.AccountNo,
		ChainTxID: tx.Hash, LayerOneTxIDs: layerOne(tx), Time: forms.Time(e.Time()),
	}
	if tx.Kind == world.KindDeposit {
		out.TxID = "" // as the service's example has it
	}
	if m.Other != nil {
		other := m.Other.Fund.Company
		out.CounterpartyID, out.CounterpartyName = string(other.ID), other.Profile.Name
		entity := described(v, forms.Company(other))
		out.CounterpartyEntity = &entity
	}
	return out
}

// layerOne is what a transaction is on the asset's own chain: only what came over it or left over it is there.
func layerOne(tx *world.Transaction) []string {
	if tx.Hash == "" || tx.Kind != world.KindDeposit && tx.Kind != world.KindWithdrawal {
		return []string{}
	}
	id := sha256.Sum256([]byte("layer 1 " + tx.Hash))
	return []string{hex.EncodeToString(id[:])}
}

func (f figures) getWalletHistory(_ *serve.Request, v *world.View, w *world.Wallet) (any, error) {
	history := make([]qapi.HistoryEntry, len(w.History))
	for i, ref := range w.History {
		e := v.Entry(ref)
		m, asset := e.Moved(), e.Tx.Asset
		history[i] = qapi.HistoryEntry{
			TxID: m.ID, ChainTxID: e.Tx.Hash, WalletID: w.ID, Asset: asset, Amount: f.of(v, asset, m.Amount),
			Fees: f.of(v, asset, m.Fee), NetAmount: f.of(v, asset, m.Net), Status: qredo.TxApproved, Time: forms.Time(e.Tx.Ended),
		}
	}
	return map[string]any{"history": history}, nil
}
