package recon

import (
	"cmp"
	"fmt"
	"iter"

	"github.com/qredo-go/qredo"
)

// Report is what a reconciliation has found. Written as JSON it can be kept, and its balances are the opening ones of the next
// ([WithEarlier]). All amounts are base units.
type Report struct {
	Company      qredo.CompanyID `json:"company_id"`
	Time         qredo.Time      `json:"timestamp"`              // when it was made
	SentPositive bool            `json:"sent_positive,omitzero"` // the service's histories count what was sent as positive: their signs are turned round
	Funds        []Fund          `json:"funds"`
}

// Fund is the result for one fund.
type Fund struct {
	ID       qredo.FundID `json:"fund_id"`
	Name     string       `json:"name"`
	Wallets  []Wallet     `json:"wallets"`
	Totals   []Total      `json:"totals"`             // of all wallets, by asset
	Findings []Finding    `json:"findings,omitempty"` // those of no one wallet
}

// Total adds up the wallets of a fund that hold one asset.
type Total struct {
	Asset      qredo.AssetCode `json:"asset"`
	Wallets    int             `json:"wallets"`
	Opening    qredo.Amount    `json:"opening"`
	Moved      qredo.Amount    `json:"moved"`
	Fees       qredo.Amount    `json:"fees"`
	Expected   qredo.Amount    `json:"expected"`
	Balance    qredo.Amount    `json:"balance"`
	Difference qredo.Amount    `json:"difference"`
}

// Status tells whether a wallet's balance is proved.
type Status string

// The states of a wallet.
const (
	StatusOK     Status = "ok"
	StatusFault  Status = "fault"  // something does not add up: see the findings
	StatusMoving Status = "moving" // it kept changing while it was read: try again
)

// Wallet is the result for one wallet.
type Wallet struct {
	FundID     qredo.FundID    `json:"fund_id"`
	WalletID   qredo.WalletID  `json:"wallet_id"`
	Name       string          `json:"name"`
	Asset      qredo.AssetCode `json:"asset"`
	From       qredo.Time      `json:"from"` // earlier movements are in the opening balance; zero: all are counted
	Opening    qredo.Amount    `json:"opening"`
	Entries    int             `json:"entries"` // of its history
	Moved      qredo.Amount    `json:"moved"`   // their sum; negative if more went out than came in
	Fees       qredo.Amount    `json:"fees"`    // what the service took of that, as a positive figure
	Kinds      []Kind          `json:"kinds"`   // the same by the kinds of the ledger's entries
	Expected   qredo.Amount    `json:"expected"`
	Balance    qredo.Amount    `json:"balance"`
	Difference qredo.Amount    `json:"difference"` // balance less what was expected
	// Pending amounts may still be in the balance, or not yet: they are not part of the proof. At most Balance -
	// WaitingOut can be sent.
	WaitingOut qredo.Amount `json:"waiting_out"` // held for what may leave, with its fees
	WaitingIn  qredo.Amount `json:"waiting_in"`
	Status     Status       `json:"status"`
	Findings   []Finding    `json:"findings,omitempty"`
	Closing    Closing      `json:"closing"`
}

// Kind is what entries of one type have moved.
type Kind struct {
	Type    qredo.EntryType `json:"type"`
	Entries int             `json:"entries"`
	Moved   qredo.Amount    `json:"moved"` // negative for what left, with its fees
	Fees    qredo.Amount    `json:"fees"`
}

// Closing is where the next report goes on, so that nothing between two reports is missed or counted twice: not what was done in
// the same second, nor what a history shows up to five minutes late. It is zero where more than 10,000 entries were done in
// these minutes: then the next report begins at the beginning.
type Closing struct {
	From   qredo.Time     `json:"from"`             // what was done before is in the balance
	Recent map[string]int `json:"recent,omitempty"` // how many of what was done then and later are, by their keys
}

// FindingKind is what is wrong.
type FindingKind string

// The kinds of findings.
const (
	FoundDifference   FindingKind = "difference"    // opening balance and history do not add up to the balance; Amount is how much more the balance has
	FoundBooksDiffer  FindingKind = "books_differ"  // the sums of ledger and history differ; Amount is how much more the ledger has
	FoundLedgerOnly   FindingKind = "ledger_only"   // a ledger entry without a counterpart in the history
	FoundHistoryOnly  FindingKind = "history_only"  // a history entry without a counterpart in the ledger
	FoundWrongFigures FindingKind = "wrong_figures" // an entry whose amount is not its net amount plus fees, or a negative ledger entry
	FoundForeignAsset FindingKind = "foreign_asset" // an entry in another asset than the wallet's: it is not counted
	FoundUnknown      FindingKind = "unknown_entry" // an entry whose type and status do not tell whether it moved anything, or in which direction: it is not counted
	FoundOverflow     FindingKind = "overflow"      // a sum is beyond 64 bits, and is shown as 0
	FoundMoving       FindingKind = "moving"        // it changed while it was read
	FoundUncounted    FindingKind = "uncounted"     // the fund's ledger has entries that belong to none of its wallets; Amount is how many
	FoundWalletGone   FindingKind = "wallet_gone"   // a wallet of the earlier report is no longer in the fund; Amount is its earlier balance
)

// Finding is one thing that does not add up.
type Finding struct {
	Kind     FindingKind         `json:"kind"`
	WalletID qredo.WalletID      `json:"wallet_id,omitempty"`
	Amount   qredo.Amount        `json:"amount,omitzero"`
	Ledger   *qredo.LedgerEntry  `json:"ledger,omitempty"`  // the entry that is meant, if it is one of the ledger
	History  *qredo.HistoryEntry `json:"history,omitempty"` // the entry that is meant, if it is one of the history
}

// String says what is wrong, in English. It holds texts of the service: escape them before they go to a terminal.
func (f Finding) String() string {
	entry := ""
	switch {
	case f.Ledger != nil:
		entry = fmt.Sprintf("ledger entry %s %s of %d", f.Ledger.Type, cmp.Or(string(f.Ledger.TxID), f.Ledger.ChainTxID), f.Ledger.Amount)
	case f.History != nil:
		entry = fmt.Sprintf("history entry %s of %d", cmp.Or(string(f.History.TxID), f.History.ChainTxID), f.History.Amount)
	}
	switch f.Kind {
	case FoundDifference:
		return fmt.Sprintf("opening balance and history do not add up to the balance: it has %+d", f.Amount)
	case FoundBooksDiffer:
		return fmt.Sprintf("the sums of the ledger's entries and of the history differ: the ledger has %+d", f.Amount)
	case FoundLedgerOnly:
		return entry + " has no counterpart in the wallet's history"
	case FoundHistoryOnly:
		return entry + " has no counterpart in the fund's ledger"
	case FoundWrongFigures:
		return entry + " has inconsistent figures: " + f.figures()
	case FoundForeignAsset:
		return entry + " is in another asset, " + f.asset()
	case FoundUnknown:
		return fmt.Sprintf("%s has type %q and status %q: whether it moved anything is unknown", entry, f.Ledger.Type, f.Ledger.Status)
	case FoundOverflow:
		return "a sum is beyond 64 bits"
	case FoundMoving:
		return "it changed while it was read: try again"
	case FoundUncounted:
		return fmt.Sprintf("%d entries of the fund's ledger belong to no wallet of the fund", f.Amount)
	case FoundWalletGone:
		return fmt.Sprintf("it is no longer in the fund; it had %d", f.Amount)
	}
	return string(f.Kind)
}

func (f Finding) figures() string {
	amount, net, fees := qredo.Amount(0), qredo.Amount(0), qredo.Amount(0)
	if f.Ledger != nil {
		amount, net, fees = f.Ledger.Amount, f.Ledger.NetAmount, f.Ledger.Fees
	} else if f.History != nil {
		amount, net, fees = f.History.Amount, f.History.NetAmount, f.History.Fees
	}
	return fmt.Sprintf("amount %d is not net amount %d and fees %d", amount, net, fees)
}

func (f Finding) asset() string {
	if f.Ledger != nil {
		return string(f.Ledger.Asset)
	}
	return string(f.History.Asset)
}

// Wallets ranges over the wallets of all funds.
func (r *Report) Wallets() iter.Seq[*Wallet] {
	return func(yield func(*Wallet) bool) {
		for f := range r.Funds {
			for w := range r.Funds[f].Wallets {
				if !yield(&r.Funds[f].Wallets[w]) {
					return
				}
			}
		}
	}
}

// Findings returns all that does not add up, of wallets and funds.
func (r *Report) Findings() (all []Finding) {
	for w := range r.Wallets() {
		all = append(all, w.Findings...)
	}
	for _, f := range r.Funds {
		all = append(all, f.Findings...)
	}
	return all
}

// OK reports whether there is something, and all of it adds up.
func (r *Report) OK() bool { return len(r.Funds) > 0 && len(r.Findings()) == 0 }
