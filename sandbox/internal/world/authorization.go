package world

import (
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// authorization is what a core client is asked before a transfer's custody group is.
type authorization struct {
	CoreClient qredo.CoreClientID
	Action     qredo.ActionID
}

func (u *Update) authorization(id qredo.CoreClientID) (*authorization, error) {
	switch {
	case id == "":
		return nil, nil
	case u.coreClients[id] == nil:
		return nil, invalid("authorize_id is no core client's ID")
	}
	return &authorization{id, qredo.ActionID(u.ids.ksuid(u.Now))}, nil
}

// initiation is the round of one in which a transfer is authorised.
func (a *authorization) initiation(expires time.Time) *custody.Round {
	round := custody.NewRound(custody.Policy{Threshold: 1, Members: []string{string(a.CoreClient)}}, expires)
	return &round
}

// transferAuthorized is a transfer whose custody group is asked now: the core client that had to authorise it has
// done so.
type transferAuthorized struct{ TxID qredo.TxID }

func (e transferAuthorized) apply(st *state, _ time.Time) {
	tx := st.txByID(e.TxID)
	tx.initiation.Outcome, tx.Status = custody.Approved, qredo.TxPending
	st.ask(tx, &tx.Round, tx.Actions)
}
