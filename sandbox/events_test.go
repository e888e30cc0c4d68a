package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestEventsTellWhatHappened(t *testing.T) {
	f := newFed(t)
	before, err := f.Events(sandbox.EventFilter{Limit: 500})
	require.NoError(t, err)
	types := map[string]int{}
	for i, e := range before.Events {
		assert.EqualValues(t, i+1, e.Seq)
		types[e.Type]++
	}
	for _, kind := range []string{"company_created", "user_created", "party_added", "party_accepted", "fund_created", "wallet_created", "deposit"} {
		assert.Positive(t, types[kind], "%s in %v", kind, types)
	}
	last := before.Events[len(before.Events)-1].Seq
	since := func() (list []sandbox.Event) {
		t.Helper()
		got, err := f.Events(sandbox.EventFilter{After: last})
		require.NoError(t, err)
		require.NotEmpty(t, got.Events)
		last = got.Events[len(got.Events)-1].Seq
		return got.Events
	}
	tx := f.transfer(nil).ok().at("tx_id")
	asked := since()
	require.Len(t, asked, 1)
	assert.Equal(t, []any{"transaction_created", qredo.TxID(tx), qredo.TxPending}, []any{asked[0].Type, asked[0].TxID, asked[0].Status})
	for _, id := range []string{string(asked[0].CompanyID), string(asked[0].FundID), string(asked[0].WalletID), asked[0].By} {
		assert.NotEmpty(t, id)
	}
	require.NoError(t, f.Approve(alice, tx))
	got := since()
	var told []string
	for _, e := range got {
		told = append(told, e.Type+" "+string(e.Status))
		assert.Equal(t, qredo.TxID(tx), e.TxID)
	}
	assert.Equal(t, []string{"approved approved", "transaction_ended approved"}, told)
	assert.NotEmpty(t, got[0].ActionID)
	assert.NotEmpty(t, got[0].By)

	tx = f.transfer(nil).ok().at("tx_id")
	require.NoError(t, f.Reject(alice, tx))
	require.NoError(t, f.Reject(bob, tx))
	got = since()
	assert.Equal(t, []string{"transaction_created", "rejected", "rejected", "transaction_ended"}, []string{got[0].Type, got[1].Type, got[2].Type, got[3].Type})
	f.transfer(object{"expires": f.in(time.Minute)}).ok()
	require.NoError(t, f.Advance(100*24*time.Hour))
	got = since()
	require.Len(t, got, 3, "%+v", got)
	assert.Equal(t, []any{"clock_advanced", "transaction_ended", qredo.TxExpired}, []any{got[1].Type, got[2].Type, got[2].Status}, "what expires by that is told at once")

	few, err := controlOf(t, f.Sandbox).Events(t.Context(), sandbox.EventFilter{After: 2, Limit: 3})
	require.NoError(t, err)
	assert.Equal(t, []any{3, uint64(3), uint64(5)}, []any{len(few.Events), few.Events[0].Seq, few.Next})
	_, err = f.Events(sandbox.EventFilter{Limit: 501})
	require.ErrorIs(t, err, qredo.ErrBadRequest)
}
