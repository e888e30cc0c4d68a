package approver

import (
	"context"
	"errors"
	"fmt"

	"github.com/qredo-go/qredo"
)

// Explain fetches an action and tells how the policy would decide about it now, and why: for [Rules], with
// the value of each rule's expression and what is left of the limits. It decides nothing and sends
// nothing. For an action that is decided already, it tells what would be decided if it were not.
func (a *Approver) Explain(ctx context.Context, id qredo.ActionID) (Explanation, error) {
	action, err := a.client.CoreClients.Action(ctx, a.id, id)
	if err != nil {
		return Explanation{}, err
	}
	var e Explanation
	if rules, ok := a.policy.(interface {
		Explain(qredo.Action) Explanation
	}); ok {
		e = rules.Explain(*action)
	} else {
		if e.Decision, err = a.policy.Decide(ctx, *action); err != nil {
			e.Decision = Decision{Rule: e.Decision.Rule, Reason: policyFailed(err)}
		}
	}
	used, err := a.store.Usage(ctx, e.Decision.Spends)
	if err != nil {
		return e, fmt.Errorf("approver: what limits have counted: %w", err)
	}
	for i, spend := range e.Decision.Spends {
		err := CheckSpend(spend, used[i])
		e.Limits = append(e.Limits, LimitResult{Spend: spend, Used: used[i], Over: err != nil})
		if over := (*OverLimitError)(nil); errors.As(err, &over) && e.Decision.Verdict == Approve {
			e.Decision.Verdict, e.Decision.Reason = e.Decision.OverLimit.orLeave(), over.Error()
		}
	}
	return e, nil
}
