package world

import "github.com/qredo-go/qredo"

// State is how far a transaction is, of whatever kind.
type State string

// The states of transactions.
const (
	StateWaiting   State = "waiting"   // for approval, for being authorised, or for somebody to take a quote
	StateApproved  State = "approved"  // and carried out; also what a deposit is
	StateRejected  State = "rejected"  // by those who approve
	StateCancelled State = "cancelled" // taken back, or not authorised
	StateRefused   State = "refused"   // by the chain, after it was approved
	StateExpired   State = "expired"
)

// States are all there are.
var States = []State{StateWaiting, StateApproved, StateRejected, StateCancelled, StateRefused, StateExpired}

// StateOf is the state of a transaction of a kind that has a status.
func StateOf(kind Kind, status qredo.TxStatus) State {
	if kind == KindDeposit { // which has no status
		return StateApproved
	}
	switch status {
	case qredo.TxCustodyRejected:
		return StateRejected
	case qredo.TxInitiateRejected:
		return StateCancelled
	case qredo.TxChainRejected:
		return StateRefused
	case qredo.TxExpired:
		return StateExpired
	case qredo.TxApproved, qredo.TxTakerApproved:
		return StateApproved
	default:
		return StateWaiting
	}
}

// State is how far the transaction is.
func (tx *Transaction) State() State { return StateOf(tx.Kind, tx.Status) }
