package signingagent_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/signingagent"
)

// An action without an expiry counts as expired: nobody approves it.
func TestApproveAllNeedsAnExpiry(t *testing.T) {
	for _, tc := range []struct {
		policy  signingagent.WithoutDetails
		expires qredo.Time
		verdict approver.Verdict
	}{
		{signingagent.ApproveAll, qredo.TimeOf(time.Now().Add(time.Minute)), approver.Approve},
		{signingagent.ApproveAll, qredo.Time{}, approver.Leave},
		{signingagent.ApproveNone, qredo.TimeOf(time.Now().Add(time.Minute)), approver.Leave},
		{"another", qredo.TimeOf(time.Now().Add(time.Minute)), approver.Leave},
	} {
		decision, err := tc.policy.Decide(t.Context(), qredo.Action{ID: "a", Status: qredo.ApprovalPending, Expires: tc.expires})
		require.NoError(t, err)
		require.Equal(t, tc.verdict, decision.Verdict, tc)
	}
	for _, text := range []string{`{"id":"a"}`, `{"id":"a","expireTime":0}`, `{"id":"a","expireTime":null}`} {
		var action qredo.Action
		require.NoError(t, qredo.Unmarshal([]byte(text), &action))
		decision, err := signingagent.ApproveAll.Decide(t.Context(), action)
		require.NoError(t, err)
		require.Equal(t, approver.Leave, decision.Verdict, text)
	}
}
