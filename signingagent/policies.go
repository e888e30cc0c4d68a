package signingagent

import (
	"context"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// WithoutDetails is a policy that does not look at an action's details.
type WithoutDetails string

// The policies for an agent without details.
const (
	// ApproveAll approves whatever the agent is asked to: anything that moves money, including to strangers and by a sweep, and
	// changes of custody groups' policies. If no one else has to sign, nobody has looked at what is signed. If details are
	// known and contradict each other, the action is left to people. So is one that does not say when it expires: for signing
	// agents that has always meant that it has expired.
	ApproveAll WithoutDetails = "approve all"
	// ApproveNone leaves everything to people.
	ApproveNone WithoutDetails = "approve none"
)

// Decide does what the name says. Any other value works like [ApproveNone].
func (p WithoutDetails) Decide(_ context.Context, a qredo.Action) (approver.Decision, error) {
	switch {
	case p == ApproveAll && a.Expires.IsZero():
		return approver.Decision{Verdict: approver.Leave, Rule: string(p), Reason: "it does not say when it expires"}, nil
	case p == ApproveAll:
		return approver.Decision{Verdict: approver.Approve, Sweep: true, Rule: string(p), Reason: "everything is approved"}, nil
	}
	return approver.Decision{Verdict: approver.Leave, Rule: string(ApproveNone), Reason: "nothing is approved"}, nil
}

// NeedsNoDetails tells an [approver.Approver] to ask the policy about actions without details too.
func (WithoutDetails) NeedsNoDetails() {}

// Hash returns what the audit log has as the rules' hash.
func (p WithoutDetails) Hash() string { return string(p) }

// Warnings says what the policy does, for the approver's log when it starts.
func (p WithoutDetails) Warnings() []string {
	if p == ApproveAll {
		return []string{"the agent approves everything without looking at it: a rule file would be better"}
	}
	return []string{"the agent approves nothing, and leaves all decisions to people"}
}
