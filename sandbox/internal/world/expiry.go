package world

import (
	"container/heap"
	"slices"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// expiryHeap holds when transactions that wait expire, the first on top. One that has ended otherwise leaves it when it
// comes up, or when there are more of those than of others.
type expiryHeap []expiry

type expiry struct {
	at     time.Time
	number uint32
}

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h expiryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *expiryHeap) Push(x any) { *h = append(*h, x.(expiry)) }

// Pop is for container/heap.
func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

func (h *expiryHeap) add(tx *Transaction) { heap.Push(h, expiry{tx.Expires, tx.number}) }

// drop takes out what does not wait any more.
func (h *expiryHeap) drop(open map[uint32]*Transaction) {
	ended := func(e expiry) bool { tx := open[e.number]; return tx == nil || !tx.IsOpen() }
	for len(*h) > 0 && ended((*h)[0]) {
		heap.Pop(h)
	}
	if len(*h) > 64+2*len(open) {
		*h = slices.DeleteFunc(*h, ended)
		heap.Init(h)
	}
}

func (e expiry) due(now time.Time) bool { return !now.Before(e.at) }

// due reports whether something expires at or before now.
func (st *state) due(now time.Time) bool {
	return len(st.expiries) > 0 && st.expiries[0].due(now)
}

// expired returns the ends of the transactions whose time is over, that of the oldest first.
func (st *state) expired(now time.Time) []change {
	var over []uint32
	var visit func(i int)
	visit = func(i int) {
		if i >= len(st.expiries) || !st.expiries[i].due(now) {
			return // what lies below expires later
		}
		if number := st.expiries[i].number; st.txs.open[number] != nil {
			over = append(over, number)
		}
		visit(2*i + 1)
		visit(2*i + 2)
	}
	visit(0)
	slices.Sort(over)
	ends := make([]change, len(over))
	for i, number := range over {
		ends[i] = transactionEnded{TxID: st.txs.open[number].ID, Outcome: custody.Expired}
	}
	return ends
}
