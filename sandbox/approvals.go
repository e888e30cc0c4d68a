package sandbox

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Approver is a person or program that can be asked to approve.
type Approver struct {
	ID      string `json:"id"`
	Kind    string `json:"kind"` // "person", "core_client" or "signing_agent"
	Name    string `json:"name"`
	Email   string `json:"email,omitzero"` // for a person
	Waiting int    `json:"waiting"`        // how many approvals are waiting for them
}

// ApproverFilter selects approvers.
type ApproverFilter struct {
	Search string `json:"search,omitzero"` // in name, e-mail or ID
	Page
}

// Approvers is one page of the list of approvers.
type Approvers struct {
	Approvers []Approver `json:"approvers"`
	Total     int        `json:"total"`
	Next      string     `json:"next,omitzero"`
}

// ApprovalFilter selects approvals.
type ApprovalFilter struct {
	State string `json:"state,omitzero"` // "waiting" (default), oldest first, or "decided", newest decision first
	Page
}

// Approvals is one page of what an approver is, or was, asked to approve.
type Approvals struct {
	Approvals []Approval `json:"approvals"`
	Total     int        `json:"total"`
	Next      string     `json:"next,omitzero"`
}

// Approval is something that a person or core client is, or was, asked to approve, with what they need to know for it.
type Approval struct {
	PendingApproval
	Title           string         `json:"title"`
	Status          qredo.TxStatus `json:"status"` // the transaction's
	Place           Place          `json:"wallet"`
	Leaves          *Money         `json:"leaves,omitzero"`  // what leaves the wallet, including the fee on top
	Arrives         *Money         `json:"arrives,omitzero"` // the part that arrives at the other side
	Fee             *Money         `json:"fee,omitzero"`
	Receives        *Money         `json:"receives,omitzero"` // for a swap: what comes in return
	ReceivesInto    *Named         `json:"receives_into,omitzero"`
	AvailableBefore *Money         `json:"available_before,omitzero"` // except what is held for others; while pending
	AvailableAfter  *Money         `json:"available_after,omitzero"`
	BalanceBefore   *Money         `json:"balance_before,omitzero"`
	BalanceAfter    *Money         `json:"balance_after,omitzero"` // after approval and settlement
	Payee           *Payee         `json:"payee,omitzero"`
	Votes           []Vote         `json:"votes"`
	Threshold       int            `json:"threshold"` // how many approvals this round needs
	Approved        int            `json:"approved"`
	Created         time.Time      `json:"created"`
	ExpiresAt       time.Time      `json:"expires_at"`
	DecidedAt       time.Time      `json:"decided_at,omitzero"`
	Choice          string         `json:"choice"` // this approver's, as in [Vote]
	Web3            *Web3Call      `json:"web3,omitzero"`
	Policy          *PolicyUpdate  `json:"policy,omitzero"`
	Text            string         `json:"text"` // what a policy update or a connection would change, in words
	CanDecide       bool           `json:"can_decide"`
	WhyNot          string         `json:"why_not"` // if they cannot decide
}

// Approvers lists people and core clients, those with the most waiting approvals first.
func (s *Sandbox) Approvers(filter ApproverFilter) (Approvers, error) {
	out := Approvers{Approvers: []Approver{}}
	err := s.view(func(v *world.View) error {
		var all []Approver
		search := strings.ToLower(strings.TrimSpace(filter.Search))
		for _, a := range approvers(v) {
			if search == "" || strings.Contains(strings.ToLower(a.Name+"\n"+a.Email+"\n"+a.ID), search) {
				all = append(all, a)
			}
		}
		slices.SortFunc(all, func(a, b Approver) int {
			return cmp.Or(b.Waiting-a.Waiting, strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
		})
		part, err := paged(filter.Page, all)
		out.Approvers, out.Total, out.Next = append(out.Approvers, part.List...), part.Total, part.Next
		return err
	})
	return out, err
}

func approvers(v *world.View) []Approver {
	var all []Approver
	for _, u := range v.Users() {
		all = append(all, Approver{ID: string(u.ID), Kind: "person", Name: u.FullName(), Email: u.Email, Waiting: v.Waiting(string(u.ID))})
	}
	for _, c := range v.AllCoreClients() {
		all = append(all, Approver{ID: string(c.ID), Kind: kindOf(v, string(c.ID)), Name: c.Name, Waiting: v.Waiting(string(c.ID))})
	}
	return all
}

// kindOf returns an approver's kind.
func kindOf(v *world.View, id string) string {
	switch c := v.AnyCoreClient(qredo.CoreClientID(id)); {
	case c == nil:
		return "person"
	case c.Agent != nil:
		return "signing_agent"
	default:
		return "core_client"
	}
}

// nameOf returns an approver's name.
func nameOf(v *world.View, id string) string { return cmp.Or(forms.Entity(v, id).Name, id) }

// Approvals lists what a person or core client is, or was, asked to approve. approver is an ID, or a person's e-mail.
func (s *Sandbox) Approvals(approver string, filter ApprovalFilter) (Approvals, error) {
	out := Approvals{Approvals: []Approval{}}
	err := s.view(func(v *world.View) error {
		member, err := v.Approver(approver)
		if err != nil {
			return err
		}
		limit, err := listLimit(filter.Limit)
		if err != nil {
			return err
		}
		if filter == (ApprovalFilter{}) {
			limit = v.Waiting(member)
		}
		list := v.OpenPage
		switch filter.State {
		case "", "waiting":
		case "decided":
			list = v.DecidedPage
		default:
			return serve.BadRequest("state must be waiting or decided")
		}
		part, err := list(member, filter.After, limit)
		for _, id := range part.List {
			out.Approvals = append(out.Approvals, describeApproval(v, id))
		}
		out.Total, out.Next = part.Total, part.Next
		return err
	})
	return out, err
}

// describeApproval describes an action for its approver.
func describeApproval(v *world.View, id qredo.ActionID) Approval {
	tx := v.Action(id).Tx
	a := Approval{
		PendingApproval: pending(id, tx), Title: titles[tx.Kind], Status: tx.Status, Place: place(tx.Sender), Payee: payee(v, tx),
		Created: instant(tx.Created), ExpiresAt: instant(tx.Expires), Web3: web3Call(tx), Policy: policyUpdate(v, tx), Text: inWords(v, tx),
	}
	a.Leaves, a.Arrives, a.Fee = amounts(v, tx)
	a.Receives, a.ReceivesInto = receives(v, tx)
	if tx.IsOpen() && a.Leaves != nil {
		a.expect(v, tx)
	}
	for _, b := range tx.Ballots() {
		if b.ActionID != id {
			continue
		}
		a.Choice, a.DecidedAt = choiceOf(tx, b), instant(tx.DecidedAt(b))
		a.Approved, a.Threshold = tx.ApprovalsOf(b.Part)
		a.WhyNot = whyNot(tx, b)
		a.CanDecide = a.WhyNot == ""
	}
	a.Votes = votes(v, tx)
	return a
}

// expect fills in the wallet's balances before and after the transaction. Available does not include its amount already.
func (a *Approval) expect(v *world.View, tx *world.Transaction) {
	w, leaves := tx.Sender, qredo.Amount(tx.Amount)
	comes, goes := v.Settling(tx)
	of := func(amount qredo.Amount) *Money { m := money(v, w.Asset, amount); return &m }
	a.AvailableBefore, a.AvailableAfter = of(v.Available(w)+leaves), of(v.Available(w)+comes)
	a.BalanceBefore, a.BalanceAfter = of(v.Balance(w)), of(v.Balance(w)+comes-goes)
}

// whyNot says why an approver can no longer decide, or "".
func whyNot(tx *world.Transaction, b world.Ballot) string {
	switch b.Choice {
	case custody.Approve:
		return "you have approved it"
	case custody.Reject:
		return "you have rejected it"
	case custody.Waiting:
	}
	switch {
	case tx.DecidedAt(b).IsZero():
		return ""
	case tx.IsOpen(), tx.State() == world.StateApproved, tx.State() == world.StateRefused:
		return "it was approved without you"
	case tx.State() == world.StateRejected:
		return "others have rejected it"
	case tx.State() == world.StateExpired:
		return "it has expired"
	default:
		return "it was cancelled"
	}
}

// Approvers lists who can be asked to approve: see [Sandbox.Approvers].
func (c *Control) Approvers(ctx context.Context, filter ApproverFilter) (Approvers, error) {
	return callApprovers.Ask(ctx, c.client(), filter)
}

// Approvals lists what an approver is, or was, asked to approve: see [Sandbox.Approvals].
func (c *Control) Approvals(ctx context.Context, approver string, filter ApprovalFilter) (Approvals, error) {
	return callApprovals.Ask(ctx, c.client(), filter, approver)
}

var (
	callApprovers = control.Get("/approvers", func(s *Sandbox, _ ids, in ApproverFilter) (Approvers, error) { return s.Approvers(in) })
	callApprovals = control.Get("/users/{user}/approvals", func(s *Sandbox, at ids, in ApprovalFilter) (Approvals, error) {
		return s.Approvals(at["user"], in)
	})
)
