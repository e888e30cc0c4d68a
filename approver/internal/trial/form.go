package trial

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

var filled = []approver.Spend{{Counter: "daily", Amount: 40, Window: 24 * time.Hour, MaxAmount: 100, MaxCount: 5}}

func decided(id qredo.ActionID) approver.Record {
	return approver.Record{
		ActionID: id, Digest: "d", PolicyHash: "h", Verdict: approver.Approve, Rule: "small", Reason: "amount <= 5", Decided: Start, Expires: Start.Add(time.Hour), Token: "token",
	}
}

// Fill stores two decisions, one of which has an outcome, in a way that always makes the same of a store whose clock is at Start.
func Fill(t *testing.T, s approver.Store) {
	t.Helper()
	for _, id := range []qredo.ActionID{"finished", "open"} {
		_, err := s.Reserve(t.Context(), decided(id), filled)
		require.NoError(t, err)
	}
	require.NoError(t, s.Finish(t.Context(), "finished", approver.OutcomeSent))
}

// CheckFilled holds a store against what Fill has stored, by a clock that is at Start: the decisions stand, and the limit holds.
func CheckFilled(t *testing.T, s approver.Store) {
	t.Helper()
	for i, id := range []qredo.ActionID{"finished", "open"} {
		want := decided(id)
		if want.Seq = int64(i + 1); i == 0 {
			want.Outcome = approver.OutcomeSent
		}
		got, found, err := s.Lookup(t.Context(), id)
		require.NoError(t, err)
		require.True(t, found)
		got.Decided, got.Expires = got.Decided.UTC(), got.Expires.UTC()
		require.Equal(t, want, got)
		stands, err := s.Reserve(t.Context(), approver.Record{ActionID: id, Verdict: approver.Reject}, filled)
		require.NoError(t, err)
		require.Equal(t, approver.Approve, stands.Verdict)
	}
	last, err := s.LastSeq(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2, last)
	_, err = s.Reserve(t.Context(), decided("third"), filled)
	var over *approver.OverLimitError
	require.ErrorAs(t, err, &over)
	require.Equal(t, approver.Usage{Amount: 80, Count: 2}, over.Used)
}
