package world

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// RejectOnChain lets the service's chain refuse a transaction that waits, named by its ID or by that of an action
// which asks for it: once all have approved it, it ends and has moved nothing.
func (u *Update) RejectOnChain(actionOrTxID string) error {
	tx := u.Tx(actionOrTxID)
	switch {
	case tx == nil || !tx.Kind.MovesMoney():
		return notFound("transaction")
	case !tx.IsOpen():
		return conflict("the transaction has ended")
	}
	u.change(chainRefusing{TxID: tx.ID})
	return nil
}

// chainRefusing is a transaction that the chain will refuse when it is approved.
type chainRefusing struct{ TxID qredo.TxID }

func (e chainRefusing) apply(st *state, _ time.Time) { st.txByID(e.TxID).refused = true }

// refuse ends a transaction, and the other side of a swap, as one that the chain has refused.
func (tx *Transaction) refuse() []change {
	ends := []change{transactionEnded{TxID: tx.ID, Outcome: custody.Approved, Refused: true}}
	if tx.Kind == KindSwapTake {
		ends = append(ends, transactionEnded{TxID: tx.OtherSide.ID, Outcome: custody.Approved, Refused: true})
	}
	return ends
}
