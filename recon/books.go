package recon

import (
	"hash/maphash"
	"strings"

	"github.com/qredo-go/qredo"
)

// books compares history and ledger, in whatever order entries come, without keeping them in memory: each movement has a
// digest, which is added for one book and subtracted for the other, in one of many sums. If a sum is 0 in the end, its
// movements are in both books. The others are read again, and only their movements are kept in memory.
type books struct {
	seed        maphash.Seed
	sums        [1 << 14]uint64
	collect     bool // only what belongs to sums that are not 0
	history     []qredo.HistoryEntry
	ledger      []qredo.LedgerEntry
	ledgerOnly  []qredo.LedgerEntry
	historyOnly []qredo.HistoryEntry
}

// add adds a movement of either book.
func (b *books) add(key string, h *qredo.HistoryEntry, e *qredo.LedgerEntry) {
	digest := maphash.String(b.seed, key)
	s := &b.sums[digest%uint64(len(b.sums))]
	switch {
	case b.collect && *s == 0:
	case b.collect && h != nil:
		b.history = append(b.history, *h)
	case b.collect:
		b.ledger = append(b.ledger, *e)
	case h != nil:
		*s += digest
	default:
		*s -= digest
	}
}

// differ reports whether the books differ.
func (b *books) differ() bool { return b.sums != [len(b.sums)]uint64{} }

// movementKey distinguishes movements in both books. Deposits have no transaction in the ledger; the ID on the chain is
// in small letters or in capitals, and may be missing in one of the books.
type movementKey struct {
	tx     qredo.TxID
	chain  string
	amount qredo.Amount
}

// pool holds movements to be matched: by their transaction, and by the one on the chain.
type pool struct {
	matched []bool
	byKey   map[movementKey][]int
}

func (p *pool) add(h qredo.HistoryEntry) {
	if p.byKey == nil {
		p.byKey = map[movementKey][]int{}
	}
	for _, key := range []movementKey{{h.TxID, "", h.Amount}, {"", strings.ToLower(h.ChainTxID), h.Amount}} {
		p.byKey[key] = append(p.byKey[key], len(p.matched))
	}
	p.matched = append(p.matched, false)
}

// take takes the counterpart of a ledger entry, and reports whether there was one.
func (p *pool) take(e qredo.LedgerEntry) bool {
	for _, key := range []movementKey{{e.TxID, "", e.Signed()}, {"", strings.ToLower(e.ChainTxID), e.Signed()}} {
		for key.tx+qredo.TxID(key.chain) != "" && len(p.byKey[key]) > 0 {
			i := p.byKey[key][0]
			p.byKey[key] = p.byKey[key][1:]
			if !p.matched[i] {
				p.matched[i] = true
				return true
			}
		}
	}
	return false
}

// unmatched returns the collected entries that have no counterpart.
func (b *books) unmatched() (ledger []qredo.LedgerEntry, history []qredo.HistoryEntry) {
	var p pool
	for _, h := range b.history {
		p.add(h)
	}
	for _, e := range b.ledger {
		if !p.take(e) {
			ledger = append(ledger, e)
		}
	}
	for i, h := range b.history {
		if !p.matched[i] {
			history = append(history, h)
		}
	}
	return ledger, history
}
