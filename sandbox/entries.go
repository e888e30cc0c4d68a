package sandbox

import (
	"cmp"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
)

// entry is a transaction as one of its wallets sees it.
type entry struct {
	tx *transaction
	in bool
}

func (e entry) wallet() *wallet {
	if e.in {
		return e.tx.to
	}
	return e.tx.from
}

func (e entry) isOpenWithdrawal() bool { return e.tx.Kind == kindWithdrawal && e.tx.isOpen() }

// time is when a transaction ended and, while one that leaves waits, when it was made.
func (e entry) time() time.Time {
	if e.tx.ended.IsZero() {
		return e.tx.created
	}
	return e.tx.ended
}

// compare orders entries by their times, and what happened at the same moment by its ID.
func (e entry) compare(other entry) int {
	if by := cmp.Or(e.time().Compare(other.time()), cmp.Compare(e.tx.ID, other.tx.ID)); by != 0 || e.in == other.in {
		return by
	}
	if e.in {
		return 1 // what arrives comes after what was sent
	}
	return -1
}

// entryList holds entries in their order, so that a page of them is a slice and not a search.
type entryList []entry

func (l *entryList) add(e entry) {
	i, _ := slices.BinarySearchFunc(*l, e, entry.compare)
	*l = slices.Insert(*l, i, e) // nearly always at the end
}

func (l *entryList) remove(e entry) {
	if i, found := slices.BinarySearchFunc(*l, e, entry.compare); found {
		*l = slices.Delete(*l, i, i+1)
	}
}

// page is a part of a list, in the order asked for.
func (l entryList) page(order LedgerOrder, offset, limit int) []entry {
	offset = min(offset, len(l))
	limit = min(limit, len(l)-offset)
	if order == OldestFirst {
		return l[offset : offset+limit]
	}
	end := len(l) - offset
	page := slices.Clone(l[end-limit : end])
	slices.Reverse(page)
	return page
}

// entryIndex holds entries for each direction.
type entryIndex struct{ all, in, out entryList }

func (x *entryIndex) of(e entry) []*entryList {
	if e.in {
		return []*entryList{&x.all, &x.in}
	}
	return []*entryList{&x.all, &x.out}
}

func (x *entryIndex) direction(d qredo.Direction) entryList {
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
func (e entry) lists() []*entryList {
	w := e.wallet()
	f := w.fund
	if f.byAsset[w.Asset] == nil {
		f.byAsset[w.Asset] = &entryIndex{}
	}
	return slices.Concat(f.entries.of(e), w.entries.of(e), f.byAsset[w.Asset].of(e))
}

// list puts an entry where ledgers are read from.
func (e entry) list() {
	for _, l := range e.lists() {
		l.add(e)
	}
}

// unlist takes it out again, before it gets another time.
func (e entry) unlist() {
	for _, l := range e.lists() {
		l.remove(e)
	}
}

// moved puts an entry into its wallet's history, and tells of it whom a dedicated wallet is connected to.
func (st *state) moved(e entry) {
	w := e.wallet()
	w.history = append(w.history, e)
	if w.Type != qredo.WalletDedicated {
		return
	}
	for _, c := range w.connections {
		if c.status() == qredo.ConnectionConnected {
			log := st.log(st.coreClients[c.CoreClientID].Account)
			log.moves = append(log.moves, e)
		}
	}
}
