package world

import (
	"cmp"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
)

// Entry is a transaction as one of its wallets sees it.
type Entry struct {
	Tx *Transaction
	In bool // as its recipient
}

// Wallet is whose entry it is.
func (e Entry) Wallet() *Wallet {
	if e.In {
		return e.Tx.Recipient
	}
	return e.Tx.Sender
}

func (e Entry) isOpenWithdrawal() bool { return e.Tx.Kind == KindWithdrawal && e.Tx.IsOpen() }

// Time is when a transaction ended and, while one that leaves waits, when it was made.
func (e Entry) Time() time.Time {
	if e.Tx.Ended.IsZero() {
		return e.Tx.Created
	}
	return e.Tx.Ended
}

// compare orders entries by their times, and what happened at the same moment by its ID.
func (e Entry) compare(other Entry) int {
	if by := cmp.Or(e.Time().Compare(other.Time()), cmp.Compare(e.Tx.ID, other.Tx.ID)); by != 0 || e.In == other.In {
		return by
	}
	if e.In {
		return 1 // what arrives comes after what was sent
	}
	return -1
}

// Entries are entries in their order, oldest first, so that a page of them is a slice and not a search.
type Entries []Entry

func (l *Entries) add(e Entry) {
	i, _ := slices.BinarySearchFunc(*l, e, Entry.compare)
	*l = slices.Insert(*l, i, e) // nearly always at the end
}

func (l *Entries) remove(e Entry) {
	if i, found := slices.BinarySearchFunc(*l, e, Entry.compare); found {
		*l = slices.Delete(*l, i, i+1)
	}
}

// Page is a part of a ledger, in the order of ledgers.
func (v *View) Page(l Entries, offset, limit int) []Entry {
	offset = min(offset, len(l))
	limit = min(limit, len(l)-offset)
	if v.Choices.OldestFirst {
		return l[offset : offset+limit]
	}
	end := len(l) - offset
	page := slices.Clone(l[end-limit : end])
	slices.Reverse(page)
	return page
}

// entryIndex holds entries for each direction.
type entryIndex struct{ all, in, out Entries }

func (x *entryIndex) of(e Entry) []*Entries {
	if e.In {
		return []*Entries{&x.all, &x.in}
	}
	return []*Entries{&x.all, &x.out}
}

func (x *entryIndex) direction(d qredo.Direction) Entries {
	switch d {
	case qredo.DirectionIn:
		return x.in
	case qredo.DirectionOut:
		return x.out
	case qredo.DirectionAll:
	}
	return x.all
}

// lists are all that a wallet's entry stands in.
func (e Entry) lists() []*Entries {
	w := e.Wallet()
	f := w.Fund
	if f.byAsset[w.Asset] == nil {
		f.byAsset[w.Asset] = &entryIndex{}
	}
	return slices.Concat(f.entries.of(e), w.entries.of(e), f.byAsset[w.Asset].of(e))
}

// list puts an entry where ledgers are read from.
func (e Entry) list() {
	for _, l := range e.lists() {
		l.add(e)
	}
}

// unlist takes it out again, before it gets another time.
func (e Entry) unlist() {
	for _, l := range e.lists() {
		l.remove(e)
	}
}

// Movement is what an entry says to its wallet.
type Movement struct {
	ID               qredo.TxID // as this side of it is known by
	Amount, Fee, Net qredo.Amount
	Status           qredo.TxStatus
	Other            *Wallet // the wallet on the other side, where there is one
}

// Movement tells what moves, as the entry's wallet sees it: who receives has paid no fee.
func (e Entry) Movement() Movement {
	tx := e.Tx
	m := Movement{
		ID: tx.ID, Amount: qredo.Amount(tx.Amount), Fee: qredo.Amount(tx.Fee), Net: tx.Net(), Status: tx.Status, Other: tx.Recipient,
	}
	switch {
	case tx.Kind == KindDeposit:
		m.Other = nil
	case e.In:
		m.Amount, m.Fee, m.Other = m.Net, 0, tx.Sender
	}
	if e.In && tx.OtherSide != nil {
		// What the other side of the swap sent, under the ID that this side knows the swap by.
		m.ID, m.Status = tx.OtherSide.ID, tx.OtherSide.Status
	}
	return m
}

// Moved is the movement as its wallet's history has it: what leaves is negative.
func (e Entry) Moved() Movement {
	m := e.Movement()
	if !e.In {
		m.Amount, m.Fee, m.Net = -m.Amount, -m.Fee, -m.Net
	}
	return m
}

// Ledger is all that stands in the fund's ledger.
func (f *Fund) Ledger() Entries { return f.entries.all }

// LedgerPart says which part of a fund's ledger is meant. What is empty says nothing.
type LedgerPart struct {
	Direction qredo.Direction
	Asset     qredo.AssetCode
	Wallet    string // its ID or short code
}

// LedgerPart returns a part of a fund's ledger.
func (v *View) LedgerPart(f *Fund, part LedgerPart) (Entries, error) {
	switch part.Direction {
	case "", qredo.DirectionAll, qredo.DirectionIn, qredo.DirectionOut:
	default:
		return nil, invalid("direction must be all, in or out")
	}
	if part.Wallet != "" {
		w, err := v.Wallet(f.Company.Account, part.Wallet)
		switch {
		case err != nil:
			return nil, err
		case w.Fund != f && v.Choices.Strict:
			return nil, notFound("wallet in this fund")
		case w.Fund != f:
			return nil, nil
		case part.Asset != "" && part.Asset != w.Asset:
			return nil, nil
		}
		return w.entries.direction(part.Direction), nil
	}
	if part.Asset != "" {
		if index := f.byAsset[part.Asset]; index != nil {
			return index.direction(part.Direction), nil
		}
		return nil, nil
	}
	return f.entries.direction(part.Direction), nil
}

// moved puts an entry into its wallet's history, and tells of it whom a dedicated wallet is connected to.
func (st *state) moved(e Entry) {
	w := e.Wallet()
	w.History = append(w.History, e)
	if w.Type != qredo.WalletDedicated {
		return
	}
	for _, c := range w.Connections {
		if c.Status() == qredo.ConnectionConnected {
			log := st.log(st.coreClients[c.CoreClientID].Account)
			log.Moves = append(log.Moves, e)
		}
	}
}
