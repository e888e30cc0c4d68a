package approver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
)

func TestExplain(t *testing.T) {
	d := newDesk(t)
	rules := rulesAt(t, threeRules, d.clock.Now)
	stop := d.start(rules)
	d.transfer(5000, "")
	d.next(approver.EntryResult)
	require.NoError(t, stop())

	a, err := approver.New(d.Client, d.Core, rules, approver.WithStore(d.store))
	require.NoError(t, err)
	fits, over := d.Action(t, d.transfer(4000, "")), d.Action(t, d.transfer(4001, ""))
	e, err := a.Explain(t.Context(), fits.ID)
	require.NoError(t, err)
	assert.Equal(t, approver.Approve, e.Decision.Verdict)
	assert.EqualValues(t, 4000, e.Values["amount"])
	assert.True(t, e.Rules[2].Decides)
	require.Len(t, e.Limits, 4)
	assert.Equal(t, approver.Usage{Amount: 5000, Count: 1}, e.Limits[0].Used)
	assert.False(t, e.Limits[0].Over)

	e, err = a.Explain(t.Context(), over.ID)
	require.NoError(t, err)
	assert.Equal(t, approver.Reject, e.Decision.Verdict)
	assert.True(t, e.Limits[0].Over)
	assert.Contains(t, e.String(), "5000 of 9000 base units are used and 4001 asked for; it does not fit")
	assert.Contains(t, e.String(), `rule "small" in line 10 matches and decides`)

	_, err = a.Explain(t.Context(), "no-such-action")
	require.ErrorIs(t, err, qredo.ErrNotFound)

	failing := approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{}, errors.New("away")
	})
	a, err = approver.New(d.Client, d.Core, failing)
	require.NoError(t, err)
	e, err = a.Explain(t.Context(), over.ID)
	require.NoError(t, err)
	assert.Equal(t, "leave: the policy failed: away\n", e.String())
	assert.Len(t, d.written(), 2, "nothing is decided")
}

// TestExplainTellsWhatRunDoes asks for an explanation, and then has the same approver decide.
func TestExplainTellsWhatRunDoes(t *testing.T) {
	spent := []approver.Spend{
		{Counter: "fits", Amount: 1, Window: time.Hour, MaxAmount: 1},
		{Counter: "none", Amount: 2, Window: time.Hour, MaxAmount: 1},
		{Counter: "nor this", Amount: 3, Window: time.Hour, MaxAmount: 1},
	}
	withoutDetails := func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/action/") {
			next.ServeHTTP(w, r)
			return
		}
		id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
		fmt.Fprintf(w, `{"id":%q,"type":"ApproveTransfer","status":"pending"}`, id)
	}
	for name, c := range map[string]struct {
		decision  approver.Decision
		err       error
		intercept trial.Intercept
		verdict   approver.Verdict
		reason    string
	}{
		"approved": {decision: approver.Decision{Verdict: approver.Approve, Reason: "fine", Spends: spent[:1]}, verdict: approver.Approve, reason: "fine"},
		"approved over the limit": {
			decision: approver.Decision{Verdict: approver.Approve, Spends: spent, OverLimit: approver.Reject},
			verdict:  approver.Reject, reason: "limit none: 0 of at most 1 within 1h0m0s are used, 2 more are asked for",
		},
		"rejected over the limit": {
			decision: approver.Decision{Verdict: approver.Reject, Spends: spent},
			verdict:  approver.Leave, reason: "limit none: 0 of at most 1 within 1h0m0s are used, 2 more are asked for",
		},
		"a verdict that is none": {
			decision: approver.Decision{Verdict: "yes", Rule: "r"},
			verdict:  approver.Leave, reason: `the policy failed: the policy's verdict "yes" is none`,
		},
		"an error": {
			decision: approver.Decision{Verdict: approver.Approve, Rule: "r"}, err: errors.New("away"),
			verdict: approver.Leave, reason: "the policy failed: away",
		},
		"no details": {
			decision: approver.Decision{Verdict: approver.Approve}, intercept: withoutDetails,
			verdict: approver.Leave, reason: "the service gave no details",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			policy := approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) { return c.decision, c.err })
			a, err := approver.New(d.Client, d.Core, policy, approver.WithStore(d.store))
			require.NoError(t, err)
			action := d.Action(t, d.transfer(1, ""))
			d.Intercept(c.intercept)
			explained, err := a.Explain(t.Context(), action.ID)
			require.NoError(t, err)
			assert.Equal(t, c.verdict, explained.Decision.Verdict)
			assert.Equal(t, c.reason, explained.Decision.Reason)
			d.start(policy)
			decided := d.next(approver.EntryDecision)
			assert.Equal(t, decided.Verdict, explained.Decision.Verdict)
			assert.Equal(t, decided.Reason, explained.Decision.Reason)
			assert.Equal(t, decided.Rule, explained.Decision.Rule)
		})
	}
}
