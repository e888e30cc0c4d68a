package sandbox

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// RejectOnChain lets the service's chain refuse a transaction that waits: once all have approved it, it ends as
// chain_rejected and has moved nothing. Of a swap either side will do, and both end. What is named by its ID, or by
// that of an action which asks for it. What has ended is a conflict.
func (s *Sandbox) RejectOnChain(actionOrTxID string) error {
	return s.update(func(st *state, _ time.Time) ([]change, error) {
		tx := st.transaction(actionOrTxID)
		switch {
		case tx == nil || !tx.Kind.movesMoney():
			return nil, notFound("transaction")
		case !tx.isOpen():
			return nil, conflict("the transaction has ended")
		}
		return []change{chainRefusing{TxID: tx.ID}}, nil
	})
}

// chainRefusing is a transaction that the chain will refuse when it is approved.
type chainRefusing struct{ TxID qredo.TxID }

func (e chainRefusing) apply(st *state, _ time.Time) { st.txs[e.TxID].refused = true }

// refuse ends a transaction, and the other side of a swap, as one that the chain has refused.
func (tx *transaction) refuse() []change {
	ends := []change{transactionEnded{TxID: tx.ID, Outcome: custody.Approved, Refused: true}}
	if tx.Kind == kindSwapTake {
		ends = append(ends, transactionEnded{TxID: tx.swap.ID, Outcome: custody.Approved, Refused: true})
	}
	return ends
}
