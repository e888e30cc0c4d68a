package world

import (
	"fmt"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Action is one approver's part in a transaction: a vote of its round or of its initiation.
type Action struct {
	Tx    *Transaction
	round *custody.Round
	vote  int
}

// Vote is what the approver has said so far.
func (a Action) Vote() custody.Vote { return a.round.Votes[a.vote] }

// Action returns the action with an ID, without a transaction if there is none.
func (st *state) Action(id qredo.ActionID) Action {
	for number := range st.txs.byAction.find(indexKey(string(id))) {
		tx := st.tx(number)
		if at := slices.Index(tx.Asked, id); at >= 0 {
			return tx.action(at)
		}
	}
	return Action{}
}

// action returns what somebody was asked of a transaction, by its place among all.
func (tx *Transaction) action(asked int) Action {
	if tx.Authorize == nil {
		return Action{tx, &tx.Round, asked}
	}
	if asked == 0 {
		return Action{tx, tx.initiation, 0}
	}
	return Action{tx, &tx.Round, asked - 1}
}

// AskedVote is what an approver has said, by the place of their action in Asked.
func (tx *Transaction) AskedVote(i int) custody.Vote { return tx.action(i).Vote() }

// open reports whether the approver has yet to decide.
func (a Action) open() bool {
	return a.round.Outcome == custody.Pending && a.Vote().Choice == custody.Waiting
}

// CheckAction refuses an unknown action, or one of another approver.
func (st *state) CheckAction(id qredo.ActionID, member string) error {
	if a := st.Action(id); a.Tx == nil || a.Vote().Member != member {
		return notFound("action")
	}
	return nil
}

// OpenActions are what a person or core client has yet to decide, oldest first.
func (st *state) OpenActions(name string) ([]qredo.ActionID, error) {
	member, err := st.Approver(name)
	if err != nil {
		return nil, err
	}
	return st.openActions(member), nil
}

// OpenActionsOf are what a core client has yet to decide, oldest first.
func (st *state) OpenActionsOf(c *CoreClient) []qredo.ActionID { return st.openActions(string(c.ID)) }

// openActions are what an approver has yet to decide, oldest first.
func (st *state) openActions(member string) []qredo.ActionID {
	ids := make([]qredo.ActionID, 0, len(st.txs.waiting[member]))
	for _, number := range st.txs.waiting[member] {
		ids = append(ids, st.txs.open[number].openTo(member))
	}
	return ids
}

// openTo is the action by which an approver has yet to decide a transaction. There is one at a time.
func (tx *Transaction) openTo(member string) qredo.ActionID {
	for i, id := range tx.Asked {
		if a := tx.action(i); a.open() && a.Vote().Member == member {
			return id
		}
	}
	return ""
}

// Approval is what an approver said or, while they have said nothing, whether they still can.
func (tx *Transaction) Approval(v custody.Vote) qredo.ApprovalStatus {
	switch v.Choice {
	case custody.Approve:
		return qredo.ApprovalApproved
	case custody.Reject:
		return qredo.ApprovalRejected
	case custody.Waiting:
		if tx.Round.Outcome == custody.Expired {
			return qredo.ApprovalExpired
		}
	}
	return qredo.ApprovalPending
}

// ActionStatus is what the approver said or, where they were not asked any more, how it ended.
func (tx *Transaction) ActionStatus(v custody.Vote) qredo.ApprovalStatus {
	if v.Choice == custody.Waiting {
		switch tx.Round.Outcome {
		case custody.Approved:
			return qredo.ApprovalApproved
		case custody.Rejected:
			return qredo.ApprovalRejected
		case custody.Expired, custody.Pending:
		}
	}
	return tx.Approval(v)
}

// ask gives each approver of a round their action.
func (st *state) ask(tx *Transaction, round *custody.Round, actions []qredo.ActionID) {
	tx.Asked = append(tx.Asked, actions...)
	st.txs.asks(tx)
	for i, id := range actions {
		st.txs.byAction.add(indexKey(string(id)), tx.number)
		member := round.Votes[i].Member
		if c := st.coreClients[qredo.CoreClientID(member)]; c != nil {
			c.Asked = append(c.Asked, AskedRef{tx.number, uint32(len(tx.Asked) - len(actions) + i)}) //nolint:gosec // they are few
			st.touch(c.Account)
		}
	}
}

// AskedRef names an action: by the number of its transaction, and its place among those of all who were asked.
type AskedRef struct{ number, place uint32 }

// AskedAction returns the ID of the action that is meant.
func (st *state) AskedAction(ref AskedRef) qredo.ActionID { return st.tx(ref.number).Asked[ref.place] }

// asks notes who has been asked, and who has yet to decide.
func (t *txTable) asks(tx *Transaction) {
	for i := range tx.Asked {
		member := tx.AskedVote(i).Member
		waits := false // who authorises a transfer can be asked twice
		for j := range tx.Asked {
			a := tx.action(j)
			waits = waits || a.open() && a.Vote().Member == member
		}
		t.asked[member] = sorted(t.asked[member], tx.number, true)
		t.waiting[member] = sorted(t.waiting[member], tx.number, waits)
	}
	t.decide(tx)
}

// voted is a member's choice.
type voted struct {
	ActionID qredo.ActionID
	Choice   custody.Choice
}

func (e voted) apply(st *state, at time.Time) {
	a := st.Action(e.ActionID)
	a.round.Record(a.Vote().Member, e.Choice, at)
	st.txs.asks(a.Tx)
}

// mayVote tells why an action cannot be decided any more, if it cannot.
func (st *state) mayVote(id qredo.ActionID, now time.Time) error {
	a := st.Action(id)
	if err := a.round.Check(a.Vote().Member, now); err != nil {
		return fmt.Errorf("%s %w", id, err)
	}
	return nil
}

// Decide is the vote of a person, or of a core client, on what is named by an action's ID, or by the ID of its
// transaction.
func (u *Update) Decide(name, actionOrTxID string, choice custody.Choice) error {
	member, err := u.Approver(name)
	if err != nil {
		return err
	}
	id, err := u.actionOf(member, actionOrTxID)
	if err != nil {
		return err
	}
	if err := u.mayVote(id, u.Now); err != nil {
		return conflict("%v", err)
	}
	return u.vote(id, choice)
}

// actionOf returns a member's action, by its own ID or its transaction's.
func (st *state) actionOf(member, actionOrTxID string) (qredo.ActionID, error) {
	id := qredo.ActionID(actionOrTxID)
	if st.CheckAction(id, member) == nil {
		return id, nil
	}
	if tx := st.txByID(qredo.TxID(actionOrTxID)); tx != nil {
		for _, id := range tx.Asked {
			if st.CheckAction(id, member) == nil {
				return id, nil
			}
		}
	}
	return "", notFound("action for this approver")
}

// DecideAction is a program's vote. It is refused unless the action is pending. Even a repeated vote is refused by default: a
// program that did not get the answer must read the action.
func (u *Update) DecideAction(id qredo.ActionID, choice custody.Choice) error {
	if u.Choices.RepeatedVotes && u.Action(id).Vote().Choice == choice {
		return nil
	}
	if err := u.mayVote(id, u.Now); err != nil {
		return invalid("%v", err)
	}
	return u.vote(id, choice)
}

// vote is a member's choice, which the member may make, and what follows from it.
func (u *Update) vote(id qredo.ActionID, choice custody.Choice) error {
	a := u.Action(id)
	u.change(voted{ActionID: id, Choice: choice})
	switch outcome := a.round.After(a.Vote().Member, choice); {
	case outcome == custody.Pending:
	case a.round == a.Tx.initiation && outcome == custody.Approved:
		u.change(transferAuthorized{TxID: a.Tx.ID})
	case a.round == a.Tx.initiation:
		u.change(transactionEnded{TxID: a.Tx.ID, Outcome: outcome, Cancelled: true})
	case outcome == custody.Approved && a.Tx.Kind == KindSwapMake:
		u.change(swapOffered{TxID: a.Tx.ID})
	case outcome == custody.Approved && a.Tx.refused, outcome == custody.Approved && a.Tx.Kind == KindSwapTake && a.Tx.OtherSide.refused:
		u.change(a.Tx.refuse()...)
	case outcome == custody.Approved && a.Tx.Kind == KindSwapTake:
		u.change(swapSettled{Take: a.Tx.ID, ChainTxID: u.ids.hash()})
	case outcome == custody.Approved && a.Tx.Kind == KindWeb3:
		signed, err := u.signWeb3(a.Tx)
		if err != nil {
			return err
		}
		u.change(signed, transactionEnded{TxID: a.Tx.ID, Outcome: outcome})
	case outcome == custody.Approved && a.Tx.Kind.MovesMoney():
		u.change(transactionEnded{TxID: a.Tx.ID, Outcome: outcome, ChainTxID: u.ids.hash()})
	default:
		u.change(transactionEnded{TxID: a.Tx.ID, Outcome: outcome})
	}
	return nil
}
