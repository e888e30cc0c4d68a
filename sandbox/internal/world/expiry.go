package world

import (
	"container/heap"
	"math"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// expiryHeap holds the transactions that wait, the one that expires first on top. One that has
// ended otherwise leaves it when it comes up.
type expiryHeap []*Transaction

func (h expiryHeap) Len() int           { return len(h) }
func (h expiryHeap) Less(i, j int) bool { return h[i].Expires.Before(h[j].Expires) }
func (h expiryHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is for container/heap.
func (h *expiryHeap) Push(x any) { *h = append(*h, x.(*Transaction)) }

// Pop is for container/heap.
func (h *expiryHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// due reports whether something expires at or before now.
func (st *state) due(now time.Time) bool {
	return len(st.expiries) > 0 && st.expiries[0].Round.Due(now)
}

// expired returns the ends of the transactions whose time is over.
func (st *state) expired(now time.Time) []change {
	var ends []change
	var visit func(i int)
	visit = func(i int) {
		if i >= len(st.expiries) || !st.expiries[i].Round.Due(now) {
			return // what lies below expires later
		}
		if tx := st.expiries[i]; tx.IsOpen() {
			ends = append(ends, transactionEnded{TxID: tx.ID, Outcome: custody.Expired})
		}
		visit(2*i + 1)
		visit(2*i + 2)
	}
	visit(0)
	return ends
}

// dropEnded takes from the top of the heap what does not wait any more.
func (st *state) dropEnded() {
	for len(st.expiries) > 0 && !st.expiries[0].IsOpen() {
		heap.Pop(&st.expiries)
	}
}

// Incoming is what swaps that wait will bring to each wallet.
func (st *state) Incoming() map[*Wallet]qredo.Amount {
	sums := map[*Wallet]qredo.Amount{}
	for _, tx := range st.expiries { // these are the transactions that wait, and a few that have ended
		switch into := st.wallets[tx.Receive]; {
		case into == nil || !tx.IsOpen():
		case tx.Kind == KindSwapMake:
			sums[into] = UpTo64Bits(sums[into], tx.Quote.Receive.Amount)
		case tx.Kind == KindSwapTake:
			sums[into] = UpTo64Bits(sums[into], tx.OtherSide.Net())
		}
	}
	return sums
}

// UpTo64Bits adds amounts that are not negative. A quote can want more than there is of an asset, so that what swaps
// would bring can be beyond 64 bits: then the sum is the greatest that fits, and not a negative one.
func UpTo64Bits(a, b qredo.Amount) qredo.Amount { return a + min(b, math.MaxInt64-a) }
