package world

import (
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

// Time is when a transaction ended and, while one that leaves waits, when it was made.
func (e Entry) Time() time.Time { return e.Tx.time() }

// EntryRef names an entry: by the number of its transaction, and whether it is the recipient's, which comes after what was sent.
type EntryRef uint32

func refOf(tx *Transaction, in bool) EntryRef {
	if in {
		return EntryRef(tx.number<<1 | 1)
	}
	return EntryRef(tx.number << 1)
}

// Entry returns the entry that is meant.
func (st *state) Entry(ref EntryRef) Entry { return Entry{st.tx(uint32(ref >> 1)), ref&1 == 1} }

// Entries are entries in their order, oldest first, so that a page of them is a slice and not a search.
type Entries []EntryRef

// Page is a part of a ledger, in the order of ledgers.
func (v *View) Page(l Entries, offset, limit int) []Entry {
	offset = min(offset, len(l))
	limit = min(limit, len(l)-offset)
	if v.Choices.OldestFirst {
		return v.All(l[offset : offset+limit])
	}
	end := len(l) - offset
	page := v.All(l[end-limit : end])
	slices.Reverse(page)
	return page
}

// All are all entries of a list.
func (st *state) All(l Entries) []Entry {
	all := make([]Entry, len(l))
	for i, ref := range l {
		all[i] = st.Entry(ref)
	}
	return all
}

// entryIndex holds entries for each direction.
type entryIndex struct{ all, in, out Entries }

func (x *entryIndex) of(in bool) []*Entries {
	if in {
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
func (w *Wallet) lists(in bool) []*Entries {
	f := w.Fund
	if f.byAsset[w.Asset] == nil {
		f.byAsset[w.Asset] = &entryIndex{}
	}
	return slices.Concat(f.entries.of(in), w.entries.of(in), f.byAsset[w.Asset].of(in))
}

// list puts an entry where ledgers are read from.
func (st *state) list(tx *Transaction, in bool) {
	ref := refOf(tx, in)
	for _, l := range (Entry{tx, in}).Wallet().lists(in) {
		at := len(*l)
		if at > 0 && st.txs.compare((*l)[at-1], ref) > 0 { // else it is the newest, as nearly always
			at, _ = slices.BinarySearchFunc(*l, ref, st.txs.compare)
		}
		*l = slices.Insert(*l, at, ref)
	}
}

// unlist takes it out again, before it gets another time.
func (st *state) unlist(tx *Transaction, in bool) {
	ref := refOf(tx, in)
	for _, l := range (Entry{tx, in}).Wallet().lists(in) {
		if at, found := slices.BinarySearchFunc(*l, ref, st.txs.compare); found {
			*l = slices.Delete(*l, at, at+1)
		}
	}
}

func (st *state) isOpenWithdrawal(ref EntryRef) bool {
	tx := st.txs.open[uint32(ref>>1)]
	return tx != nil && tx.Kind == KindWithdrawal
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
		// The amount comes from the other side of the swap, the ID is the one by which this side knows it.
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

// move notes that a transaction moves something now: the order is that of histories.
func (st *state) move(tx *Transaction) {
	st.txs.moved++
	tx.moved = st.txs.moved
}

// record puts an entry into its wallet's history, with the balance after it.
func (e Entry) record() *Wallet {
	w := e.Wallet()
	w.moved(refOf(e.Tx, e.In), e.Moved().Amount)
	return w
}

// moved puts an entry into its wallet's history, and tells of it whom a dedicated wallet is connected to.
func (st *state) moved(e Entry) {
	w := e.record()
	if w.Type != qredo.WalletDedicated {
		return
	}
	for _, c := range w.Connections {
		if c.Status() == qredo.ConnectionConnected {
			log := st.log(st.coreClients[c.CoreClientID].Account)
			log.Moves = append(log.Moves, refOf(e.Tx, e.In))
		}
	}
}
