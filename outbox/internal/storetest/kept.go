package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

func testRoundTrip(t *testing.T, s outbox.Store) {
	full := Entry("full ☃ '; --")
	full.Unknown, full.TxID, full.TxStatus, full.Reason = true, "tx", qredo.TxPending, "because"
	full.Sent, full.Attempts, full.Misses, full.Sending, full.Version = Start.Add(time.Second), 3, 2, true, 7
	full.APIKey, full.Late, full.Named, full.Carrier = "digest", true, true, map[string]string{"traceparent": "00-☃"}
	full.Steps = append(full.Steps, outbox.Step{At: Start, Kind: outbox.StepUnknown, Note: "lost \u0001", Times: 2, Last: Start.Add(time.Minute)})
	withdrawal := Entry("withdrawal")
	withdrawal.Request = outbox.Withdrawal{CompanyID: "company", WithdrawalRequest: qredo.WithdrawalRequest{
		WalletID: "from", Address: "to", PartnerTxID: withdrawal.PartnerTxID, Expires: qredo.Unix(1_900_000_000), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}}
	sweep := Entry("sweep")
	sweep.Request = outbox.Sweep{CoreClientID: "core", SweepRequest: qredo.SweepRequest{
		WalletID: "from", RecipientWalletID: "to", PartnerTxID: sweep.PartnerTxID, Expires: qredo.Unix(1_900_000_000), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}}
	for _, e := range []outbox.Entry{full, withdrawal, sweep} {
		add(t, s, e)
		assert.Equal(t, e, get(t, s, e.Key))
	}
	_, err := s.Get(t.Context(), "none")
	require.ErrorIs(t, err, outbox.ErrNotFound)
	_, err = s.Get(t.Context(), "")
	require.ErrorIs(t, err, outbox.ErrNotFound)
}

func testAddOnce(t *testing.T, s outbox.Store) {
	first := Entry("a")
	add(t, s, first)
	second := first
	second.State, second.Due = outbox.StateDone, Start.Add(time.Hour)
	stored, added, err := s.Add(t.Context(), second)
	require.NoError(t, err)
	assert.False(t, added)
	assert.Equal(t, first, stored)
	assert.Equal(t, first, get(t, s, "a"))
	assert.Len(t, claim(t, s, outbox.LaneNew, 0, 10), 1)
}

func testAddTogether(t *testing.T, s outbox.Store) {
	var (
		wg    sync.WaitGroup
		fresh atomic.Int64
	)
	for i := range 16 {
		wg.Go(func() {
			for k := range 10 {
				e := Entry(fmt.Sprint("key-", k))
				e.Reason = fmt.Sprint("of ", i)
				stored, added, err := s.Add(t.Context(), e)
				if !assert.NoError(t, err, e.Key) { //nolint:testifylint // require ends only the test's own goroutine
					return
				}
				assert.Equal(t, e.Key, stored.Key)
				if added {
					fresh.Add(1)
				}
			}
		})
	}
	wg.Wait()
	assert.Equal(t, int64(10), fresh.Load())
}

func testPartnerTxIDTaken(t *testing.T, s outbox.Store) {
	first, second := Entry("a"), Entry("a")
	second.Key = "b"
	add(t, s, first)
	_, added, err := s.Add(t.Context(), second)
	require.ErrorIs(t, err, outbox.ErrPartnerTxIDTaken)
	assert.False(t, added)
	_, err = s.Get(t.Context(), "b")
	require.ErrorIs(t, err, outbox.ErrNotFound)
	_, added, err = s.Add(t.Context(), first)
	require.NoError(t, err, "it is its own")
	assert.False(t, added)

	var (
		wg    sync.WaitGroup
		fresh atomic.Int64
	)
	for i := range 8 {
		wg.Go(func() {
			e := Entry("together")
			e.Key = fmt.Sprint("together-", i)
			_, added, err := s.Add(t.Context(), e)
			if added && assert.NoError(t, err) {
				fresh.Add(1)
				return
			}
			assert.ErrorIs(t, err, outbox.ErrPartnerTxIDTaken)
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), fresh.Load())
}

func testTxIDTaken(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"), Entry("b"))
	list := claim(t, s, outbox.LaneNew, 0, 10)
	require.Len(t, list, 2)
	sent := func(e *outbox.Entry) { e.State, e.TxID, e.Attempts = outbox.StateSent, "tx", 1 }
	release(t, s, list[0], sent)
	stored := get(t, s, list[1].Entry.Key)
	sent(&list[1].Entry)
	require.ErrorIs(t, s.Release(t.Context(), list[1]), outbox.ErrTxIDTaken)
	assert.Equal(t, stored, get(t, s, stored.Key), "nothing is stored")
	assert.Empty(t, claim(t, s, outbox.LaneNew, 0, 10), "the lease is kept")
	list[1].Entry.TxID = "another"
	require.NoError(t, s.Release(t.Context(), list[1]))

	again := claim(t, s, outbox.LaneFollow, 0, 10)
	require.Len(t, again, 2)
	for _, c := range again {
		release(t, s, c, func(e *outbox.Entry) { e.TxStatus = qredo.TxPending }) // with its own
	}
	take := func(key string) outbox.Claim {
		t.Helper()
		c, err := s.Take(t.Context(), key, Start, Start.Add(time.Minute))
		require.NoError(t, err)
		return c
	}
	first, second := list[0].Entry.Key, list[1].Entry.Key
	release(t, s, take(first), func(e *outbox.Entry) { e.State, e.TxID = outbox.StatePending, "" })
	release(t, s, take(second), func(e *outbox.Entry) { e.TxID = "tx" }) // it has become free
	c := take(first)
	c.Entry.TxID = "tx"
	require.ErrorIs(t, s.Release(t.Context(), c), outbox.ErrTxIDTaken)
	require.NoError(t, s.Postpone(t.Context(), c))
	release(t, s, take(first), func(e *outbox.Entry) { e.TxID = "another" })
}

func testTxIDTogether(t *testing.T, s outbox.Store) {
	for i := range 8 {
		add(t, s, Entry(fmt.Sprint(i)))
	}
	var (
		wg     sync.WaitGroup
		stored atomic.Int64
	)
	for _, c := range claim(t, s, outbox.LaneNew, 0, 8) {
		wg.Go(func() {
			c.Entry.State, c.Entry.TxID = outbox.StateSent, "tx"
			if err := s.Release(t.Context(), c); err != nil {
				assert.ErrorIs(t, err, outbox.ErrTxIDTaken)
				return
			}
			stored.Add(1)
		})
	}
	wg.Wait()
	assert.Equal(t, int64(1), stored.Load())
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, stats.States[outbox.StateSent])
	assert.Equal(t, 7, stats.States[outbox.StatePending])
}

func testRemove(t *testing.T, s outbox.Store) {
	ctx := t.Context()
	for _, state := range []outbox.State{outbox.StatePending, outbox.StateSent, outbox.StateHeld, outbox.StateDone, outbox.StateFailed, outbox.StateRejected, outbox.StateExpired} {
		e := lane(outbox.LaneFollow, string(state))
		e.State = state
		add(t, s, e)
	}
	require.NoError(t, s.Remove(ctx, []string{"pending", "sent", "held", "done", "failed", "rejected", "expired", "none"}))
	require.NoError(t, s.Remove(ctx, nil))
	page, err := s.Page(ctx, outbox.Filter{}, outbox.Entry{}, 100)
	require.NoError(t, err)
	require.Len(t, page, 3)
	byChange, err := s.Page(ctx, outbox.Filter{UpdatedSince: Start}, outbox.Entry{}, 100)
	require.NoError(t, err)
	assert.Len(t, byChange, 3)
	for _, key := range []string{"pending", "sent", "held"} {
		get(t, s, key)
	}
	_, err = s.Get(ctx, "done")
	require.ErrorIs(t, err, outbox.ErrNotFound)
	stats, err := s.Stats(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, stats.States[outbox.StateHeld])
	for _, state := range []outbox.State{outbox.StateDone, outbox.StateFailed, outbox.StateRejected, outbox.StateExpired} {
		assert.Zero(t, stats.States[state])
	}
	again := lane(outbox.LaneFollow, "done") // with the same IDs
	add(t, s, again)
	assert.Equal(t, again, get(t, s, "done"))
}

// calls has every method of a store.
func calls(t *testing.T, s outbox.Store, key string) map[string]func() error {
	t.Helper()
	ctx, until := t.Context(), Start.Add(time.Minute)
	return map[string]func() error{
		"Add":    func() error { _, _, err := s.Add(ctx, Entry(key)); return err },
		"Get":    func() error { _, err := s.Get(ctx, key); return err },
		"Page":   func() error { _, err := s.Page(ctx, outbox.Filter{}, outbox.Entry{}, 10); return err },
		"Filter": func() error { _, err := s.Page(ctx, outbox.Filter{Unknown: true}, outbox.Entry{}, 10); return err },
		"Claim": func() error {
			_, err := s.Claim(ctx, outbox.Want{Now: Start, Until: until, Beyond: until, Limit: 2})
			return err
		},
		"Take":     func() error { _, err := s.Take(ctx, key, Start, until); return err },
		"Begin":    func() error { return s.Begin(ctx, outbox.Claim{Entry: Entry(key), Token: 1}) },
		"Release":  func() error { return s.Release(ctx, outbox.Claim{Entry: Entry(key), Token: 1}) },
		"Postpone": func() error { return s.Postpone(ctx, outbox.Claim{Entry: Entry(key), Token: 1}) },
		"Remove":   func() error { return s.Remove(ctx, []string{key}) },
		"Stats":    func() error { _, err := s.Stats(ctx); return err },
	}
}

func testClosed(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"))
	require.NoError(t, s.Close())
	for name, call := range calls(t, s, "a") {
		require.ErrorIs(t, call(), outbox.ErrClosed, name)
	}
	require.NoError(t, s.Close(), "a second time")
}

func testClosedInFlight(t *testing.T, s outbox.Store) {
	var wg, ready sync.WaitGroup
	for i := range 4 {
		for name, call := range calls(t, s, fmt.Sprint("key-", i)) {
			ready.Add(1)
			wg.Go(func() {
				began := sync.OnceFunc(ready.Done)
				for {
					err := call()
					began()
					switch {
					case errors.Is(err, outbox.ErrClosed):
						return
					case err == nil, errors.Is(err, outbox.ErrNotFound), errors.Is(err, outbox.ErrBusy), errors.Is(err, outbox.ErrClaimLost):
					default:
						assert.NoError(t, err, name)
						return
					}
				}
			})
		}
	}
	ready.Wait()
	require.NoError(t, s.Close())
	wg.Wait()
}
