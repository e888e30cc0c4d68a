package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// Fill fills a store with an entry of each state and a source that has been read, in a way that always makes the same of it.
func Fill[Tx any](t *testing.T, s inbox.Store[Tx]) {
	t.Helper()
	_, err := s.Begin(t.Context(), Now)
	require.NoError(t, err)
	reversal := Seen("reversal", alias("another name"))
	reversal.Movement.Reversal, reversal.Movement.Fees, reversal.Movement.Amount = true, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808
	record(t, s, Seen("ready"), Seen("done"), Seen("aside"), Seen("skipped"), reversal, Seen("waiting", status(qredo.TxPending)), Seen("void", status(qredo.TxRejected)))
	require.NoError(t, s.Hand(t.Context(), "done", Now, func(context.Context, Tx, inbox.Movement) error { return nil }))
	_, err = s.Update(t.Context(), "aside", inbox.StateReady, Now, inbox.Change{State: inbox.StateAside, Attempts: 10, Error: "no account"})
	require.NoError(t, err)
	_, err = s.Update(t.Context(), "skipped", inbox.StateReady, Now, inbox.Change{State: inbox.StateSkipped, Error: "Bob: booked by hand"})
	require.NoError(t, err)
	_, err = s.Update(t.Context(), "ready", inbox.StateReady, Now, inbox.Change{State: inbox.StateReady, Attempts: 1, Due: Now.Add(time.Minute), Error: "locked"})
	require.NoError(t, err)
	source := lease(t, s, fund)
	require.NoError(t, s.Progress(t.Context(), source))
	require.NoError(t, s.Release(t.Context(), source))
}

// CheckFilled holds a store against what Fill has made of one.
func CheckFilled(t *testing.T, r inbox.Records) {
	t.Helper()
	page, err := r.Page(t.Context(), inbox.Filter{}, "", 100)
	require.NoError(t, err)
	require.Len(t, page, 7)
	for id, want := range map[string]inbox.Entry{
		"ready":    {State: inbox.StateReady, Attempts: 1, Due: Now.Add(time.Minute), Error: "locked"},
		"done":     {State: inbox.StateDone},
		"aside":    {State: inbox.StateAside, Attempts: 10, Error: "no account"},
		"skipped":  {State: inbox.StateSkipped, Error: "Bob: booked by hand"},
		"reversal": {State: inbox.StateReady, Alias: "another name"},
		"waiting":  {State: inbox.StateWaiting},
		"void":     {State: inbox.StateVoid},
	} {
		got := get(t, r, id)
		want.ID, want.Source, want.Updated, want.Movement = id, fund, Now, Movement(id)
		switch id {
		case "waiting":
			want.Movement.Status, want.Movement.Moved = qredo.TxPending, false
		case "void":
			want.Movement.Status, want.Movement.Moved = qredo.TxRejected, false
		case "reversal":
			want.Movement.Reversal, want.Movement.Fees, want.Movement.Amount = true, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808
		}
		require.Equal(t, want, got)
	}
	begin, err := r.Begin(t.Context(), Now.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, Now, begin.UTC(), "from when on movements are handed over")
	require.EqualValues(t, 7, lease(t, r, fund).Rows)
}
