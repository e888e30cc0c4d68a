package inbox

import (
	"cmp"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Movement is what came into a wallet or left it.
type Movement struct {
	// Key names the movement: store it, or make it unique, where you book. It stays the same across restarts, programs
	// and sources, and is [qredo.LedgerEntry.Key]. Of alike payments by one transaction of the chain the second has "#2"
	// behind it, and so on. One that takes another back has that one's key and "!"; see Reversal.
	Key    string         `json:"key"`
	Kind   Kind           `json:"kind"`
	Status qredo.TxStatus `json:"status"` // approved, or taker_approved of swaps; with [WithChanges] also what it was before, or that it came to nothing
	Moved  bool           `json:"moved"`  // it is in the balance. False only for what [WithChanges] tells of besides

	// Reversal is true where the service's chain has refused a transaction that was approved and handed over: it takes
	// back what the movement did whose key is this one without the "!" at its end, and Amount has the opposite sign.
	Reversal bool `json:"reversal,omitzero"`

	Company qredo.CompanyID `json:"company_id,omitzero"` // whose fund it is; empty of wallets that are followed without a fund, as the next is
	Fund    qredo.FundID    `json:"fund_id,omitzero"`
	Wallet  qredo.WalletID  `json:"wallet_id,omitzero"` // empty where the service leaves it out, and the address is none of the fund's
	Asset   qredo.AssetCode `json:"asset"`

	Amount qredo.Amount `json:"amount"` // base units: by how much the balance has changed. What came is positive, what left negative, with its fees
	Fees   qredo.Amount `json:"fees"`   // base units, never negative: the part of what left that the recipient did not get. Who receives pays none

	TxID             qredo.TxID `json:"tx_id,omitzero"` // empty of deposits in a fund
	ChainTxID        string     `json:"chain_tx_id,omitzero"`
	Address          string     `json:"address,omitzero"` // of a deposit the wallet's own, of a withdrawal the recipient's
	CounterpartyID   string     `json:"counterparty_id,omitzero"`
	CounterpartyName string     `json:"counterparty_name,omitzero"` // the other side chooses it
	Reference        string     `json:"reference,omitzero"`
	BenefitOf        string     `json:"benefit_of,omitzero"`
	AccountNo        string     `json:"account_no,omitzero"`

	Time time.Time `json:"time"` // when it ended, by the service's clock, in whole seconds; of one that waits, when it was made
}

// Kind tells what a movement is. Other values than these may come: what a ledger's type says that is none of them.
type Kind string

// The kinds of movements.
const (
	KindDeposit     Kind = "deposit"     // over the asset's chain
	KindWithdrawal  Kind = "withdrawal"  // over the asset's chain
	KindTransferIn  Kind = "transferIn"  // from a wallet on the network, of the same fund or another's
	KindTransferOut Kind = "transferOut" // to one; a sweep too, which a ledger does not tell apart
	KindSwapIn      Kind = "swapIn"
	KindSwapOut     Kind = "swapOut"
	KindIn          Kind = "in"  // of a wallet without a fund, whose history does not tell what it was
	KindOut         Kind = "out" // the same
)

var kinds = map[qredo.EntryType]Kind{
	qredo.EntryDeposit: KindDeposit, qredo.EntryWithdraw: KindWithdrawal, qredo.EntryTransferIn: KindTransferIn,
	qredo.EntryTransferOut: KindTransferOut, qredo.EntrySwapIn: KindSwapIn, qredo.EntrySwapOut: KindSwapOut,
}

// ofLedger returns the movement that a ledger's entry tells of.
func ofLedger(company qredo.CompanyID, fund qredo.FundID, e qredo.LedgerEntry) Movement {
	e.FundID = fund // of whom it was asked
	for _, text := range []*string{&e.Address, &e.CounterpartyID, &e.CounterpartyName, &e.Reference, &e.BenefitOf, &e.AccountNo} {
		*text = strings.ReplaceAll(*text, "\x00", "\uFFFD") // no database keeps it, and whoever pays can choose some of them
	}
	m := Movement{
		Key: e.Key(), Kind: cmp.Or(kinds[e.Type], Kind(e.Type)), Status: e.Status, Moved: e.Moved(), Company: company, Fund: fund, Wallet: e.WalletID,
		Asset: e.Asset, Amount: e.Signed(), TxID: e.TxID, ChainTxID: e.ChainTxID, Address: e.Address, CounterpartyID: e.CounterpartyID,
		CounterpartyName: e.CounterpartyName, Reference: e.Reference, BenefitOf: e.BenefitOf, AccountNo: e.AccountNo, Time: within(e.Time),
	}
	if e.IsDeposit() {
		m.Status = cmp.Or(m.Status, qredo.TxApproved)
	}
	if !e.IsIncoming() {
		m.Fees = e.Fees
	}
	return m
}

// ofHistory returns the movement that a wallet's history tells of.
func ofHistory(e qredo.HistoryEntry) Movement {
	m := Movement{
		Key: e.Key(), Kind: KindIn, Status: qredo.TxApproved, Moved: true, Wallet: e.WalletID, Asset: e.Asset, Amount: e.Amount,
		TxID: e.TxID, ChainTxID: e.ChainTxID, Time: within(e.Time),
	}
	if e.Amount < 0 || e.Fees < 0 {
		m.Kind, m.Fees = KindOut, max(e.Fees, -e.Fees)
	}
	return m
}

// reversed is what takes a movement back.
func (m Movement) reversed(now Movement) Movement {
	m.Key, m.Reversal, m.Amount, m.Status, m.Time = m.Key+"!", true, -m.Amount, now.Status, now.Time
	return m
}

// within is a time as stores can keep it: one that is in milliseconds, or before the service was, is moved to the nearest that can be.
func within(t qredo.Time) time.Time {
	first, last := time.Unix(0, 0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	switch {
	case t.Before(first):
		return first.UTC()
	case t.After(last):
		return last
	}
	return t.UTC()
}
