package qredo

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
)

// LedgerEntry is one movement of a fund: incoming, outgoing, or pending. Amounts are never negative: Type gives the direction.
type LedgerEntry struct {
	TxID             TxID      `json:"TxID"` // empty for deposits
	Type             EntryType `json:"type"`
	Status           TxStatus  `json:"status"` // empty for deposits, which are complete as soon as they appear
	Asset            AssetCode `json:"asset"`
	Amount           Amount    `json:"amount"`    // base units; net amount plus fees
	NetAmount        Amount    `json:"netAmount"` // what the other side gets; for an incoming entry, what arrived
	Fees             Amount    `json:"fees"`      // 0 for an incoming entry: the sender pays
	FundID           FundID    `json:"fundID"`
	WalletID         WalletID  `json:"walletID,omitzero"`
	Address          string    `json:"address"`        // empty for transfers; for a deposit, the wallet's own
	CounterpartyID   string    `json:"counterpartyID"` // the other side's company
	CounterpartyName string    `json:"counterpartyName"`
	Reference        string    `json:"reference"`
	BenefitOf        string    `json:"benefitOf"`
	AccountNo        string    `json:"accountNo"`
	ChainTxID        string    `json:"chainTxID"` // on Qredo's own chain, once completed: not in block explorers; ignore case
	Time             Time      `json:"timestamp"` // when it ended or, while it is pending, when it was created
	Expires          Time      `json:"expireTime"`
}

// IsDeposit reports whether an entry came in over the asset's chain, and not by a transfer from another wallet on the network.
func (e LedgerEntry) IsDeposit() bool { return e.Type == EntryDeposit }

// IsIncoming reports whether an entry comes into its wallet.
func (e LedgerEntry) IsIncoming() bool {
	return e.Type == EntryDeposit || e.Type == EntryTransferIn || e.Type == EntrySwapIn
}

// Moved reports whether an entry is completed, so that the wallet's balance includes it. Entries that are pending, were
// rejected or have expired are not.
func (e LedgerEntry) Moved() bool { return e.Status.Done() || e.Status == "" && e.IsDeposit() }

// Signed returns the change of the wallet's balance by an entry that has [LedgerEntry.Moved], in base units: positive for what
// came in, negative, including fees, for what left. For an entry that has not moved, it is what the change would be. It is 0
// for a type whose direction is unknown.
func (e LedgerEntry) Signed() Amount {
	switch e.Type {
	case EntryDeposit, EntryTransferIn, EntrySwapIn:
		return e.Amount - e.Fees
	case EntryWithdraw, EntryTransferOut, EntrySwapOut:
		return -e.Amount
	case EntryNone, EntrySwap:
	}
	return 0
}

// Key identifies the movement that an entry describes. It is the same in a fund's ledger, a wallet's history and the wallets
// feed, and does not change when the entry does. For an outgoing movement it consists of the wallet's ID and the transaction's.
// For an incoming one, which a history identifies by nothing else, it consists of the wallet's ID, the ID on Qredo's chain (in
// lower case if it is hexadecimal) and the amount.
//
// One transaction on the asset's chain may pay the same amount to the same wallet twice: these are two movements with one key,
// and must be counted. Package inbox does that. If a ledger leaves out the wallets of its entries, as the service's schema
// does, the key has the fund's ID in place of the wallet's, and so differs from a history's. The key is empty if an entry names
// no transaction.
func (e LedgerEntry) Key() string {
	return movementKey(cmp.Or(string(e.WalletID), string(e.FundID)), e.IsIncoming(), e.TxID, e.ChainTxID, e.Signed())
}

// movementKey identifies what moved in a wallet.
func movementKey(wallet string, in bool, tx TxID, chain string, amount Amount) string {
	chain = chainID(chain)
	switch {
	case tx == "" && chain == "":
		return ""
	case in:
		return fmt.Sprintf("in:%s:%s:%d", wallet, cmp.Or(chain, string(tx)), amount)
	}
	return "out:" + wallet + ":" + cmp.Or(string(tx), chain)
}

// chainID normalises an ID on the chain for comparison.
func chainID(id string) string {
	if isHexID(id) {
		return strings.ToLower(id)
	}
	return id
}

// isHexID distinguishes an ID of 32 bytes in hexadecimal, where capitals do not matter, from one in base58, where they
// do.
func isHexID(id string) bool {
	raw, err := hex.DecodeString(id)
	return err == nil && len(raw) == 32
}

// ledgerKey distinguishes entries. A transfer within a fund is two entries; one transaction on the chain may be several
// deposits.
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

// waits reports whether an entry, and with it its place in the ledger, may still change.
func (e LedgerEntry) waits() bool {
	return e.Status == TxPending || e.Status == TxPendingInitiate || e.Status == TxTakerPending
}

func (e LedgerEntry) key() (key ledgerKey, known bool) {
	key = ledgerKey{tx: e.TxID, kind: e.Type, wallet: e.WalletID}
	if e.TxID == "" { // an entry with an ID may get the chain's ID later, and is still the same entry
		key.chain, key.deposit.asset, key.deposit.address, key.deposit.amount = e.ChainTxID, e.Asset, e.Address, e.Amount
	}
	return key, e.TxID != "" || e.ChainTxID != ""
}

// EntryType is the type of a ledger entry. The service may return other values.
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
	Total   int           `json:"Total"` // entries on all pages, with the same filter; 0 if the service leaves it out
}

// Direction selects the entries of one side of a ledger.
type Direction string

// The directions of ledger entries.
const (
	DirectionAll Direction = "all"
	DirectionIn  Direction = "in"
	DirectionOut Direction = "out"
)

// LedgerOptions selects ledger entries. Empty fields do not filter.
type LedgerOptions struct {
	Asset     AssetCode `url:"asset,omitempty"`
	WalletID  WalletID  `url:"wallet_id,omitempty"`
	Direction Direction `url:"direction,omitempty"`
	Offset    int       `url:"offset,omitempty"` // number of entries to skip
	Limit     int       `url:"limit,omitempty"`  // entries per page; default: the service decides
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

// ErrLedgerMoved ends an iteration of [FundsService.LedgerAll] during which transactions ended in such a way that entries were
// missed. Iterate again.
var ErrLedgerMoved = errors.New("the ledger moved while it was read")

// LedgerAll iterates over a fund's ledger from options.Offset to its end, reading options.Limit entries per page (default:
// 1,000). It yields each entry that existed at the start once, newest first as the service lists them. Entries that arrive
// during the iteration are not yielded, except for some that ended meanwhile, which come last.
//
// A ledger shifts while it is read: new entries push the others to later pages, and a transaction that ends moves to the front.
// Entries read twice are yielded once, as long as no more than 8,192 new ones come between two pages. Entries that moved past
// the reader are fetched at the end; if that is not possible, the iteration ends with [ErrLedgerMoved]. While entries arrive,
// one of two completely identical deposits may be missed. The first error is yielded and ends the iteration.
//
// API: GET /company/{company_id}/fund/{fund_id}/ledger
func (s *FundsService) LedgerAll(ctx context.Context, companyID CompanyID, fundID FundID, options LedgerOptions, opts ...CallOption) iter.Seq2[LedgerEntry, error] {
	return func(yield func(LedgerEntry, error) bool) {
		if options.Limit == 0 {
			options.Limit = 1000
		}
		w := ledgerWalk{
			options: options, yield: yield, total: -1, waited: map[ledgerKey]bool{},
			seen: feed.Recent[ledgerKey]{Most: max(feed.RecentKeys, 2*options.Limit)},
			page: func(offset int) (*LedgerPage, error) {
				page := options
				page.Offset = offset
				return s.ListLedger(ctx, companyID, fundID, page, opts...)
			},
		}
		err := w.pages()
		if err == nil {
			err = w.overtaken()
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(LedgerEntry{}, err)
		}
	}
}

// errEnough says that the consumer has stopped ranging over the ledger.
var errEnough = errors.New("enough")

// ledgerWalk is one walk through a ledger.
type ledgerWalk struct {
	options LedgerOptions
	page    func(offset int) (*LedgerPage, error)
	yield   func(LedgerEntry, error) bool

	total    int // at the start
	given    int
	repeated bool // an entry came again
	order    int  // positive if the newest come first, negative if the oldest do, 0 until a page shows which
	pushed   int  // entries that appeared where the walk had already been, which happens if the oldest come first
	seen     feed.Recent[ledgerKey]
	waited   map[ledgerKey]bool // entries that were yielded while pending: they may move
	anchor   *ledgerKey         // the first entry that was yielded and cannot move
}

// give yields an entry to the consumer.
func (w *ledgerWalk) give(e LedgerEntry) error {
	key, known := e.key()
	switch {
	case e.waits():
		w.waited[key] = true
	case known && w.anchor == nil:
		w.anchor = &key
	}
	w.given++
	if !w.yield(e, nil) {
		return errEnough
	}
	return nil
}

// pages walks from the offset to the end.
func (w *ledgerWalk) pages() error {
	var last []LedgerEntry
	for offset := w.options.Offset; ; {
		got, err := w.page(offset)
		if err != nil {
			return err
		}
		// Only an empty page certainly is the end: a server may return shorter pages than were asked for. If it
		// returned the same page for every offset, only its total would end the walk.
		beyond := offset+len(got.Entries) >= got.Total
		if w.total < 0 {
			w.total = got.Total
		}
		moved := got.Total != w.total || offset >= got.Total
		if len(got.Entries) == 0 || moved && beyond && slices.Equal(got.Entries, last) {
			return nil
		}
		if w.order == 0 {
			w.order = got.Entries[0].Time.Compare(got.Entries[len(got.Entries)-1].Time.Time)
		}
		// A deposit that comes again is a second, identical deposit, unless the ledger has moved: then the page before
		// has changed too.
		if !moved && slices.ContainsFunc(got.Entries, func(e LedgerEntry) bool { key, known := e.key(); return known && e.TxID == "" && w.seen.Has(key) }) {
			before, err := w.page(offset - len(last))
			if err != nil {
				return err
			}
			moved = len(before.Entries) < len(last) || !slices.Equal(before.Entries[:len(last)], last)
		}
		fresh := 0
		for _, entry := range got.Entries {
			key, known := entry.key()
			if known && (moved || entry.TxID != "") && w.seen.Has(key) {
				w.repeated = true
				if w.order <= 0 && w.waited[key] && !entry.waits() { // it moved to the end, and everything after it moved up by one
					w.pushed++
				}
				continue
			}
			fresh++
			if err := w.give(entry); err != nil {
				return err
			}
		}
		for _, entry := range got.Entries { // only now: identical entries within a page are different entries
			if key, known := entry.key(); known {
				w.seen.Add(key)
			}
		}
		offset += len(got.Entries)
		if fresh == 0 && beyond {
			return nil
		}
		last = got.Entries
	}
}

// overtaken yields entries that were pending beyond the walk's position and moved to the front when they ended: they
// are before the first entry that cannot move. If nothing came twice, nothing has moved there.
func (w *ledgerWalk) overtaken() error {
	for offset, more := 0, w.repeated && w.options.Offset == 0; more; {
		got, err := w.page(offset)
		if err != nil {
			return err
		}
		offset += len(got.Entries)
		more = len(got.Entries) > 0 && offset < got.Total
		for _, entry := range got.Entries {
			key, known := entry.key()
			if known && w.anchor != nil && key == *w.anchor {
				more = false
				break
			}
			if entry.TxID == "" || entry.waits() || w.waited[key] || w.seen.Has(key) {
				continue
			}
			w.seen.Add(key)
			if err := w.give(entry); err != nil {
				return err
			}
		}
	}
	// Entries do not vanish.
	if lost := max(w.pushed, w.total-w.options.Offset-w.given); w.repeated && lost > 0 {
		return fmt.Errorf("qredo: %w, %d entries were missed: walk again", ErrLedgerMoved, lost)
	}
	return nil
}
