package otelqredo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/otelqredo"
)

// Each decision is a trace, including its requests.
func TestApprover(t *testing.T) {
	w := clienttest.NewWorld(t)
	o := newTelemetry(t)
	w.Send(t, 1234567)
	policy := approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Rule: "small", Reason: "Alice may have 1234567"}, nil
	})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	end := approver.WithObserver(func(e approver.Entry) {
		if e.Kind == approver.EntryResult {
			stop()
		}
	})
	client := w.Srv.Client(otelqredo.Client(o.opts...))
	a, err := approver.New(client, w.Robot.ID, policy, end, otelqredo.Approver(o.opts...))
	require.NoError(t, err)
	require.NoError(t, a.Run(ctx))

	action := o.span(t, "approver action")
	told := attrs(action)
	assert.NotEmpty(t, told["qredo.action_id"])
	delete(told, "qredo.action_id")
	assert.Equal(t, map[string]string{
		"qredo.approver.verdict": "approve", "qredo.approver.rule": "small", "qredo.approver.outcome": "sent",
		"qredo.approver.attempt": "1", "qredo.approver.shadow": "false",
	}, told)
	assert.NotZero(t, in(o.spans("PUT /coreclient/{client_id}/action/{action_id}"), action.SpanContext), "the vote")
	assert.NotZero(t, in(o.spans("GET /coreclient/{client_id}/action/{action_id}"), action.SpanContext))
	read := o.metrics(t)
	assert.Equal(t, "1", read["qredo.approver.decisions {action} qredo.approver.rule=small,qredo.approver.shadow=false,qredo.approver.verdict=approve"])
	assert.Equal(t, "1", read["qredo.approver.results {action} qredo.approver.outcome=sent,qredo.approver.shadow=false"])
	assert.Equal(t, "1", read["qredo.approver.handling.duration s qredo.approver.verdict=approve"])
	requireSilent(t, o, "Alice")
}
