package approver

import (
	"context"
	"fmt"

	"github.com/qredo-go/qredo"
)

// Explain fetches an action and tells what [Approver.Run] would decide about it now, and why: for [Rules],
// with the value of each rule's expression and what is left of the limits. It decides nothing and sends
// nothing. For an action that is decided already, it tells what would be decided if it were not.
func (a *Approver) Explain(ctx context.Context, id qredo.ActionID) (Explanation, error) {
	action, err := a.client.CoreClients.GetAction(ctx, a.id, id)
	if err != nil {
		return Explanation{}, err
	}
	var e Explanation
	if rules, ok := a.policy.(interface {
		Explain(a qredo.Action) Explanation
	}); ok {
		e = rules.Explain(*action)
	}
	e.Decision, _ = a.ask(ctx, *action) // a failure of the policy is the decision's reason
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	used, err := a.store.Usage(ctx, e.Decision.Spends)
	if err != nil {
		return e, fmt.Errorf("approver: what limits have counted: %w", err)
	}
	var first error
	for i, spend := range e.Decision.Spends {
		over := spend.Check(used[i])
		e.Limits = append(e.Limits, LimitResult{Spend: spend, Used: used[i], Over: over != nil})
		if first == nil && over != nil {
			first = over
			e.Decision.Verdict, e.Decision.Reason = e.Decision.OverLimit, over.Error()
		}
	}
	return e, nil
}
