package qredo

import "time"

// LedgerEntry is one movement of a fund: what came in, went out, or is waiting to. No figure is negative: Type
// tells the direction.
type LedgerEntry struct {
	TxID             TxID      `json:"TxID"` // empty for deposits
	Type             EntryType `json:"type"`
	Status           TxStatus  `json:"status"` // empty for deposits, which are done when they are seen
	Asset            AssetCode `json:"asset"`
	Amount           Amount    `json:"amount"`    // base units; net amount and fees together
	NetAmount        Amount    `json:"netAmount"` // what the other side gets; of an incoming one, what came
	Fees             Amount    `json:"fees"`      // 0 for an incoming one: who sends pays
	FundID           FundID    `json:"fundID"`
	WalletID         WalletID  `json:"walletID,omitzero"`
	Address          string    `json:"address"`        // empty for transfers; of a deposit, the wallet's own
	CounterpartyID   string    `json:"counterpartyID"` // the other side's company
	CounterpartyName string    `json:"counterpartyName"`
	Reference        string    `json:"reference"`
	BenefitOf        string    `json:"benefitOf"`
	AccountNo        string    `json:"accountNo"`
	ChainTxID        string    `json:"chainTxID"` // on Qredo's own chain, once it is done: no block explorer knows it; compare without regard to case
	Time             Time      `json:"timestamp"` // when it ended or, while it waits, when it was made
	Expires          Time      `json:"expireTime"`
}

// ledgerKey tells entries apart. A transfer within a fund is two entries; one transaction on the chain may
// be several deposits.
type ledgerKey struct {
	tx      TxID
	chain   string
	kind    EntryType
	wallet  WalletID
	deposit struct {
		asset   AssetCode
		address string
		amount  Amount
	}
}

// waits reports whether an entry may still change, and with it its place in the ledger.
func (e LedgerEntry) waits() bool {
	return e.Status == TxPending || e.Status == TxPendingInitiate || e.Status == TxTakerPending
}

func (e LedgerEntry) key() (key ledgerKey, known bool) {
	key = ledgerKey{tx: e.TxID, kind: e.Type, wallet: e.WalletID}
	if e.TxID == "" { // with an ID, the chain's may come later, when it is the same entry still
		key.chain, key.deposit.asset, key.deposit.address, key.deposit.amount = e.ChainTxID, e.Asset, e.Address, e.Amount
	}
	return key, e.TxID != "" || e.ChainTxID != ""
}

// EntryType tells what a ledger entry is. Other values than these may come.
type EntryType string

// The kinds of ledger entries.
const (
	EntryNone        EntryType = "none"
	EntryDeposit     EntryType = "deposit"
	EntryWithdraw    EntryType = "withdraw"
	EntryTransferIn  EntryType = "transferIn"
	EntryTransferOut EntryType = "transferOut"
	EntrySwap        EntryType = "swap"
	EntrySwapIn      EntryType = "swapIn"
	EntrySwapOut     EntryType = "swapOut"
)

// LedgerPage is a part of a fund's ledger, newest first.
type LedgerPage struct {
	Entries []LedgerEntry `json:"List"`
	Total   int           `json:"Total"` // of all pages, with the same filter; 0 where the service leaves it out
}

// Direction selects the entries of one side of a ledger.
type Direction string

// The directions of ledger entries.
const (
	DirectionAll Direction = "all"
	DirectionIn  Direction = "in"
	DirectionOut Direction = "out"
)

// LedgerOptions selects ledger entries. Empty fields do not narrow the selection.
type LedgerOptions struct {
	Asset     AssetCode `url:"asset,omitempty"`
	WalletID  WalletID  `url:"wallet_id,omitempty"`
	Direction Direction `url:"direction,omitempty"`
	Offset    int       `url:"offset,omitempty"` // entries to pass over
	Limit     int       `url:"limit,omitempty"`  // entries a page; the service decides if zero
}

func (o LedgerOptions) validate(time.Time) error {
	switch {
	case o.Offset < 0:
		return invalid("offset", "must not be negative, is %d", o.Offset)
	case o.Limit < 0:
		return invalid("limit", "must not be negative, is %d", o.Limit)
	}
	return checkOneOf("direction", o.Direction, "", DirectionAll, DirectionIn, DirectionOut)
}
