package world

import (
	"math"
	"math/big"

	"github.com/qredo-go/qredo"
)

// Incoming is what swaps that wait will bring to the wallet. A quote can want more than there is of an asset, so that it
// can be beyond 64 bits.
func (w *Wallet) Incoming() *big.Int { return new(big.Int).Set(&w.incoming) }

// UpTo64Bits is an amount that is not negative or, where it is beyond 64 bits, the greatest that fits, and not a
// negative one.
func UpTo64Bits(sum *big.Int) qredo.Amount {
	if !sum.IsInt64() {
		return math.MaxInt64
	}
	return qredo.Amount(sum.Int64())
}

// Receives is what a side of a swap will get, or has got, and where: no wallet where a transaction is no swap.
func (st *state) Receives(tx *Transaction) (*Wallet, qredo.Amount) {
	switch tx.Kind {
	case KindSwapMake:
		return st.wallets[tx.Receive], tx.Quote.Receive.Amount
	case KindSwapTake:
		return st.wallets[tx.Receive], st.txByID(tx.Swap).Net()
	default:
		return nil, 0
	}
}

// Destination is the wallet that a transaction goes to, nil if there is none, or it is not known yet. Each side of a swap
// goes to where the other side receives.
func (st *state) Destination(tx *Transaction) *Wallet {
	if tx.Recipient == nil && tx.OtherSide != nil {
		to, _ := st.Receives(tx.OtherSide)
		return to
	}
	return tx.Recipient
}

// Settling is what comes to the wallet that a transaction leaves, and what goes from it, once the transaction is settled
// and with it the other side of a swap: a wallet may pay itself.
func (st *state) Settling(tx *Transaction) (comes, goes qredo.Amount) {
	w := tx.Sender
	goes = qredo.Amount(tx.Amount)
	if st.Destination(tx) == w {
		comes += tx.Net()
	}
	if into, amount := st.Receives(tx); into == w {
		comes += amount
	}
	if tx.OtherSide != nil && tx.OtherSide.Sender == w {
		goes += qredo.Amount(tx.OtherSide.Amount)
	}
	return comes, goes
}

// waits counts a transaction as one that waits, with what a swap will bring, or as one that does not any more.
func (st *state) waits(tx *Transaction, by int) {
	tx.Sender.Fund.Company.waiting += by
	if into, amount := st.Receives(tx); into != nil {
		into.incoming.Add(&into.incoming, big.NewInt(int64(by)*int64(amount)))
	}
}
