// Package storetest holds the tests that every store of an outbox must pass.
package storetest

import (
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

// Start is when the entries of these tests are made.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)

// Entry returns a pending entry that is due at once.
func Entry(key string) outbox.Entry {
	id := qredo.PartnerTxID("partner-" + key)
	return outbox.Entry{
		Key: key, PartnerTxID: id, State: outbox.StatePending, Created: Start, Updated: Start, Due: Start, Version: 1,
		Request: outbox.Transfer{CompanyID: "company", TransferRequest: qredo.TransferRequest{
			WalletID: "from", Counterparty: "to", PartnerTxID: id, Reference: `Grüße "<&>"` + "\t☃\u2028", Expires: qredo.TimeOf(Start.Add(time.Hour)),
			Send: qredo.AssetAmount{Asset: "BTC", Amount: 9_223_372_036_854_775_807},
		}},
		Steps: []outbox.Step{{At: Start, Kind: outbox.StepEnqueued, Times: 1}},
	}
}

// Run tests stores. open returns a new and empty one, and closes it at the end of the test.
func Run(t *testing.T, open func(t *testing.T) outbox.Store) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, s outbox.Store){
		"what is added is there as it was":             testRoundTrip,
		"a key is added once":                          testAddOnce,
		"a key is added once by many at a time":        testAddTogether,
		"pages are in order and filtered":              testPage,
		"what is due is claimed, oldest first":         testClaimDue,
		"a lease keeps others out until it ends":       testLease,
		"who lost the claim cannot store":              testFencing,
		"a lease that is over counts until taken":      testOverdueSave,
		"saving keeps the lease, releasing ends it":    testSaveKeeps,
		"what has ended is not claimed":                testEnded,
		"one entry is taken":                           testTake,
		"many claim together, each entry goes to one":  testClaimTogether,
		"one who saves and one who claims do not race": testSaveAgainstClaim,
		"a closed store says so":                       testClosed,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func add(t *testing.T, s outbox.Store, entries ...outbox.Entry) {
	t.Helper()
	for _, e := range entries {
		_, added, err := s.Add(t.Context(), e)
		require.NoError(t, err)
		require.True(t, added)
	}
}

func testRoundTrip(t *testing.T, s outbox.Store) {
	full := Entry("full ☃ '; --")
	full.Unknown, full.TxID, full.TxStatus, full.Reason = true, "tx", qredo.TxPending, "because"
	full.Sent, full.Attempts, full.Misses, full.Sending, full.Version = Start.Add(time.Second), 3, 2, true, 7
	full.Steps = append(full.Steps, outbox.Step{At: Start, Kind: outbox.StepUnknown, Note: "lost \u0001", Times: 2, Last: Start.Add(time.Minute)})
	withdrawal := Entry("withdrawal")
	withdrawal.Request = outbox.Withdrawal{CompanyID: "company", WithdrawalRequest: qredo.WithdrawalRequest{
		WalletID: "from", Address: "to", PartnerTxID: "p", Expires: qredo.Unix(1_900_000_000), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}}
	sweep := Entry("sweep")
	sweep.Request = outbox.Sweep{CoreClientID: "core", SweepRequest: qredo.SweepRequest{
		WalletID: "from", RecipientWalletID: "to", PartnerTxID: "p", Expires: qredo.Unix(1_900_000_000), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}}
	for _, e := range []outbox.Entry{full, withdrawal, sweep} {
		stored, added, err := s.Add(t.Context(), e)
		require.NoError(t, err)
		assert.True(t, added)
		assert.Equal(t, e, stored)
		got, err := s.Get(t.Context(), e.Key)
		require.NoError(t, err)
		assert.Equal(t, e, got)
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
	got, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, first, got)
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

func testPage(t *testing.T, s outbox.Store) {
	for _, key := range []string{"b", "a", "a b", "Z", "ä", "c"} {
		e := Entry(key)
		switch key {
		case "b":
			e.State = outbox.StateDone
		case "c":
			e.Unknown = true
		case "Z":
			e.State = outbox.StateSent
		}
		add(t, s, e)
	}
	keys := func(f outbox.Filter, after string, limit int) []string {
		t.Helper()
		page, err := s.Page(t.Context(), f, after, limit)
		require.NoError(t, err)
		list := []string{}
		for _, e := range page {
			list = append(list, e.Key)
		}
		return list
	}
	assert.Equal(t, []string{"Z", "a", "a b", "b", "c", "ä"}, keys(outbox.Filter{}, "", 100))
	assert.Equal(t, []string{"Z", "a"}, keys(outbox.Filter{}, "", 2))
	assert.Equal(t, []string{"a b", "b"}, keys(outbox.Filter{}, "a", 2))
	assert.Equal(t, []string{"b"}, keys(outbox.Filter{}, "aa", 1), "a key that there is not")
	assert.Empty(t, keys(outbox.Filter{}, "ä", 2))
	assert.Equal(t, []string{"b"}, keys(outbox.Filter{States: []outbox.State{outbox.StateDone}}, "", 100))
	assert.Equal(t, []string{"Z", "b"}, keys(outbox.Filter{States: []outbox.State{outbox.StateDone, outbox.StateSent}}, "", 100))
	assert.Equal(t, []string{"c"}, keys(outbox.Filter{Unknown: true}, "", 100))
	assert.Empty(t, keys(outbox.Filter{Unknown: true, States: []outbox.State{outbox.StateDone}}, "", 100))
}

// claim claims at a time after Start, for a minute, and returns the claims by key.
func claim(t *testing.T, s outbox.Store, after time.Duration, limit int) map[string]outbox.Claim {
	t.Helper()
	now := Start.Add(after)
	list, err := s.Claim(t.Context(), now, now.Add(time.Minute), limit)
	require.NoError(t, err)
	byKey := map[string]outbox.Claim{}
	for _, c := range list {
		byKey[c.Entry.Key] = c
	}
	require.Len(t, byKey, len(list), "an entry is claimed twice")
	return byKey
}

func testClaimDue(t *testing.T, s outbox.Store) {
	for i, key := range []string{"d", "c", "b", "a"} {
		e := Entry(key)
		e.Due = Start.Add(time.Duration(i) * time.Second)
		add(t, s, e)
	}
	early := Entry("before all")
	early.Due = time.Time{}
	add(t, s, early)
	first := claim(t, s, 0, 1)
	require.Contains(t, first, "before all")
	assert.Equal(t, early, first["before all"].Entry)
	assert.Empty(t, claim(t, s, -time.Microsecond, 10))
	assert.Contains(t, claim(t, s, time.Second-time.Microsecond, 10), "d")
	rest := claim(t, s, time.Hour, 2)
	assert.Len(t, rest, 2)
	assert.Contains(t, rest, "before all", "its lease is over")
	assert.Contains(t, rest, "d", "so is this one's")
	assert.Len(t, claim(t, s, time.Hour, 10), 3)
}

func testLease(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"))
	first := claim(t, s, 0, 10)["a"]
	assert.Empty(t, claim(t, s, 0, 10))
	assert.Empty(t, claim(t, s, time.Minute-time.Microsecond, 10))
	second := claim(t, s, time.Minute, 10)["a"]
	assert.Equal(t, Entry("a"), second.Entry)
	assert.Greater(t, second.Token, first.Token)
}

func testFencing(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"))
	slow := claim(t, s, 0, 10)["a"]
	quick := claim(t, s, time.Minute, 10)["a"]
	slow.Entry.Reason = "slow"
	require.ErrorIs(t, s.Save(t.Context(), slow), outbox.ErrClaimLost)
	require.ErrorIs(t, s.Release(t.Context(), slow), outbox.ErrClaimLost)
	assert.Empty(t, claim(t, s, time.Minute, 10), "the other's lease is as it was")
	quick.Entry.Reason = "quick"
	require.NoError(t, s.Release(t.Context(), quick))
	require.ErrorIs(t, s.Save(t.Context(), slow), outbox.ErrClaimLost, "also when nobody has it")
	got, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, "quick", got.Reason)
}

func testOverdueSave(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"), Entry("b"))
	slow := claim(t, s, 0, 10)["a"]
	slow.Entry.Due = Start.Add(time.Hour)
	require.NoError(t, s.Save(t.Context(), slow))
	assert.NotContains(t, claim(t, s, 2*time.Minute, 10), "a", "is not due")
	require.NoError(t, s.Release(t.Context(), slow))
}

func testSaveKeeps(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"))
	c := claim(t, s, 0, 10)["a"]
	for range 3 {
		c.Entry.Attempts++
		c.Entry.Sending = true
		require.NoError(t, s.Save(t.Context(), c))
		assert.Empty(t, claim(t, s, 0, 10))
	}
	c.Entry.Due = Start.Add(time.Second)
	require.NoError(t, s.Release(t.Context(), c))
	assert.Empty(t, claim(t, s, 0, 10), "it is due later")
	again := claim(t, s, time.Second, 10)["a"]
	assert.Equal(t, c.Entry, again.Entry)
}

func testEnded(t *testing.T, s outbox.Store) {
	ends := []outbox.State{outbox.StateDone, outbox.StateFailed, outbox.StateRejected, outbox.StateExpired}
	for _, state := range ends {
		add(t, s, Entry(string(state)))
	}
	claims := claim(t, s, 0, 10)
	require.Len(t, claims, len(ends))
	for key, c := range claims {
		c.Entry.State = outbox.State(key)
		require.NoError(t, s.Release(t.Context(), c))
	}
	assert.Empty(t, claim(t, s, 10*time.Hour, 10))
}

func testTake(t *testing.T, s outbox.Store) {
	e := Entry("a")
	e.Due = Start.Add(time.Hour)
	add(t, s, e)
	ctx := t.Context()
	_, err := s.Take(ctx, "none", Start, Start.Add(time.Minute))
	require.ErrorIs(t, err, outbox.ErrNotFound)
	c, err := s.Take(ctx, "a", Start, Start.Add(time.Minute))
	require.NoError(t, err)
	assert.Equal(t, e, c.Entry)
	_, err = s.Take(ctx, "a", Start, Start.Add(time.Minute))
	require.ErrorIs(t, err, outbox.ErrBusy)
	later, err := s.Take(ctx, "a", Start.Add(time.Minute), Start.Add(3*time.Hour))
	require.NoError(t, err)
	require.ErrorIs(t, s.Release(ctx, c), outbox.ErrClaimLost)
	assert.Empty(t, claim(t, s, 2*time.Hour, 1))
	require.NoError(t, s.Release(ctx, later))
	assert.Len(t, claim(t, s, 2*time.Hour, 1), 1)
}

func testClaimTogether(t *testing.T, s outbox.Store) {
	const entries, workers = 100, 8
	for i := range entries {
		add(t, s, Entry(fmt.Sprint("key-", i)))
	}
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		seen = map[string]int{}
	)
	for range workers {
		wg.Go(func() {
			for {
				list, err := s.Claim(t.Context(), Start, Start.Add(time.Hour), 3)
				if !assert.NoError(t, err) || len(list) == 0 { //nolint:testifylint // as above
					return
				}
				for _, c := range list {
					mu.Lock()
					seen[c.Entry.Key]++
					mu.Unlock()
					c.Entry.State = outbox.StateDone
					assert.NoError(t, s.Release(t.Context(), c))
				}
			}
		})
	}
	wg.Wait()
	assert.Len(t, seen, entries)
	for key, n := range seen {
		assert.Equal(t, 1, n, key)
	}
}

// testSaveAgainstClaim has workers whose leases are over at once take an entry from each other. Whoever
// stores must have been the last to claim, so that no change is lost.
func testSaveAgainstClaim(t *testing.T, s outbox.Store) {
	add(t, s, Entry("a"))
	var (
		wg     sync.WaitGroup
		stored atomic.Int64
	)
	for range 8 {
		wg.Go(func() {
			for range 50 {
				list, err := s.Claim(t.Context(), Start, Start, 1)
				if !assert.NoError(t, err) || len(list) == 0 { //nolint:testifylint // as above
					continue
				}
				list[0].Entry.Attempts++
				if s.Save(t.Context(), list[0]) == nil {
					stored.Add(1)
				}
			}
		})
	}
	wg.Wait()
	got, err := s.Get(t.Context(), "a")
	require.NoError(t, err)
	assert.Equal(t, int(stored.Load()), got.Attempts)
	assert.Positive(t, got.Attempts)
}

func testClosed(t *testing.T, s outbox.Store) {
	require.NoError(t, s.Close())
	ctx := t.Context()
	_, _, err := s.Add(ctx, Entry("a"))
	require.ErrorIs(t, err, outbox.ErrClosed)
	_, err = s.Get(ctx, "a")
	require.ErrorIs(t, err, outbox.ErrClosed)
	_, err = s.Page(ctx, outbox.Filter{}, "", 1)
	require.ErrorIs(t, err, outbox.ErrClosed)
	_, err = s.Claim(ctx, Start, Start, 1)
	require.ErrorIs(t, err, outbox.ErrClosed)
	require.NoError(t, s.Close(), "a second time")
}
