package inbox

import (
	"cmp"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Movement is an amount that came into a wallet or left it.
type Movement struct {
	// Key identifies the movement: store it, or make it unique, where you book. It is the same across restarts, programs and
	// sources, and is [qredo.LedgerEntry.Key]. If one on-chain transaction makes several identical payments, the second has
	// "#2" appended, and so on. A movement that takes another back has that one's key with "!" appended; see Reversal.
	Key    string         `json:"key"`
	Kind   Kind           `json:"kind"`
	Status qredo.TxStatus `json:"status"` // (taker_)approved; with [WithChanges] also others
	Moved  bool           `json:"moved"`  // the balance includes it; false only for what [WithChanges] adds

	// Reversal is true if the service's chain has refused a transaction that was approved and handed over. It takes back the
	// movement whose key is this one without the final "!", and Amount has the opposite sign.
	Reversal bool `json:"reversal,omitzero"`

	Company qredo.CompanyID `json:"company_id,omitzero"` // the fund's; empty, like the next, without a fund
	Fund    qredo.FundID    `json:"fund_id,omitzero"`
	Wallet  qredo.WalletID  `json:"wallet_id,omitzero"` // empty if the service omits it and the fund has no such address
	Asset   qredo.AssetCode `json:"asset"`

	Amount qredo.Amount `json:"amount"` // base units: change of the balance; what came in is positive, what left negative, with fees
	Fees   qredo.Amount `json:"fees"`   // base units, never negative: the fees in what left; 0 for the recipient

	TxID             qredo.TxID `json:"tx_id,omitzero"` // empty for deposits in a fund
	ChainTxID        string     `json:"chain_tx_id,omitzero"`
	Address          string     `json:"address,omitzero"` // the wallet's own for a deposit, the recipient's for a withdrawal
	CounterpartyID   string     `json:"counterparty_id,omitzero"`
	CounterpartyName string     `json:"counterparty_name,omitzero"` // chosen by the other side
	Reference        string     `json:"reference,omitzero"`
	BenefitOf        string     `json:"benefit_of,omitzero"`
	AccountNo        string     `json:"account_no,omitzero"`

	Time time.Time `json:"time"` // when it ended, by the service's clock, in whole seconds; while it is pending, when it was created
}

// Kind says what a movement is. Other values are possible: a ledger's type that is none of these is passed on.
type Kind string

// The kinds of movements.
const (
	KindDeposit     Kind = "deposit"     // over the asset's chain
	KindWithdrawal  Kind = "withdrawal"  // over the asset's chain
	KindTransferIn  Kind = "transferIn"  // from a wallet on the network, of the same fund or another's
	KindTransferOut Kind = "transferOut" // to a wallet on the network; includes sweeps, which a ledger does not distinguish
	KindSwapIn      Kind = "swapIn"
	KindSwapOut     Kind = "swapOut"
	KindIn          Kind = "in"  // for a wallet without a fund, whose history does not say what it was
	KindOut         Kind = "out" // the same
)

var kinds = map[qredo.EntryType]Kind{
	qredo.EntryDeposit: KindDeposit, qredo.EntryWithdraw: KindWithdrawal, qredo.EntryTransferIn: KindTransferIn,
	qredo.EntryTransferOut: KindTransferOut, qredo.EntrySwapIn: KindSwapIn, qredo.EntrySwapOut: KindSwapOut,
}

// ofLedger returns the movement of a ledger entry.
func ofLedger(company qredo.CompanyID, fund qredo.FundID, e qredo.LedgerEntry) Movement {
	e.FundID = fund // the wallets it was read for
	for _, text := range []*string{&e.Address, &e.CounterpartyID, &e.CounterpartyName, &e.Reference, &e.BenefitOf, &e.AccountNo} {
		*text = strings.ReplaceAll(*text, "\x00", "\uFFFD") // no database can keep it, and whoever pays can choose some of the texts
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

// ofHistory returns the movement of an entry in a wallet's history.
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

// reversed is the movement that takes another back.
func (m Movement) reversed(now Movement) Movement {
	m.Key, m.Reversal, m.Amount, m.Status, m.Time = m.Key+"!", true, -m.Amount, now.Status, now.Time
	return m
}

// within clamps a time to those that stores can keep: one in milliseconds, or before the service existed, becomes the
// nearest possible.
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
