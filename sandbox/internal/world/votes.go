package world

import (
	"slices"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Part is as what an approver is asked.
type Part string

// The parts that approvers have.
const (
	PartAuthorization Part = "authorization" // authorises a transfer before the custody group is asked
	PartPolicy        Part = "policy"        // is of the custody group
	PartCounterparty  Part = "counterparty"  // must approve besides it
)

// Ballot is what one approver of a transaction was asked and has said.
type Ballot struct {
	custody.Vote
	ActionID qredo.ActionID
	Part     Part
}

// Ballots are those of all who have been asked to approve a transaction, in the order of asking.
func (tx *Transaction) Ballots() []Ballot {
	var list []Ballot
	if tx.initiation != nil {
		list = append(list, Ballot{tx.initiation.Votes[0], tx.Authorize.Action, PartAuthorization})
	}
	if !tx.IsAuthorized() {
		return list
	}
	for i, id := range tx.Actions {
		b := Ballot{tx.Round.Votes[i], id, PartPolicy}
		if b.Required && !slices.Contains(tx.Policy.Members, b.Member) {
			b.Part = PartCounterparty
		}
		list = append(list, b)
	}
	return list
}

// roundOf is the round in which a part is asked.
func (tx *Transaction) roundOf(p Part) *custody.Round {
	if p == PartAuthorization {
		return tx.initiation
	}
	return &tx.Round
}

// ApprovalsOf tells how many approvals a transaction has, of how many that it needs, in the round of a part.
func (tx *Transaction) ApprovalsOf(p Part) (approved, threshold int) {
	round := tx.roundOf(p)
	return round.Approvals(), round.Threshold
}

// Asking is the part that is asked now, or was last.
func (tx *Transaction) Asking() Part {
	if tx.IsAuthorized() {
		return PartPolicy
	}
	return PartAuthorization
}

// Approver returns the ID of who approves by a name: a person's ID or e-mail, or a core client's ID.
func (st *state) Approver(name string) (string, error) {
	if st.coreClients[qredo.CoreClientID(name)] != nil {
		return name, nil
	}
	u, err := st.user(name)
	if err != nil {
		return "", err
	}
	return string(u.ID), nil
}

// Waiting is how much an approver has yet to decide.
func (st *state) Waiting(member string) int { return len(st.txs.waiting[member]) }

// AllCoreClients are the core clients of all accounts.
func (st *state) AllCoreClients() []*CoreClient {
	var list []*CoreClient
	for _, c := range st.coreClients {
		list = append(list, c)
	}
	return list
}
