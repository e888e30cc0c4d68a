// Package storetest holds the tests that every store of an outbox must pass.
package storetest

import (
	"testing"
	"time"

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
		Key: key, PartnerTxID: id, Brought: true, State: outbox.StatePending, Created: Start, Updated: Start, Due: Start, Version: 1,
		Request: outbox.Transfer{CompanyID: "company", TransferRequest: qredo.TransferRequest{
			WalletID: "from", Counterparty: "to", PartnerTxID: id, Reference: `Grüße "<&>"` + "\t☃\u2028", Expires: qredo.TimeOf(Start.Add(time.Hour)),
			Send: qredo.AssetAmount{Asset: "BTC", Amount: 9_223_372_036_854_775_807},
		}},
		Steps: []outbox.Step{{At: Start, Kind: outbox.StepEnqueued, Times: 1}},
	}
}

// Damage changes the bytes that a store keeps of an entry, and nothing else: not the sum.
type Damage func(t *testing.T, s outbox.Store, key string, change func(data []byte) []byte)

// Run tests stores. open returns a new and empty one, and closes it at the end of the test.
func Run(t *testing.T, open func(t *testing.T) outbox.Store, damage Damage) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, s outbox.Store){
		"what is added is there as it was":             testRoundTrip,
		"a key is added once":                          testAddOnce,
		"a key is added once by many at a time":        testAddTogether,
		"a brought PartnerTxID belongs to one entry":   testPartnerTxIDTaken,
		"a TxID belongs to one entry":                  testTxIDTaken,
		"a TxID goes to one of many":                   testTxIDTogether,
		"what has ended is removed, and only that":     testRemove,
		"a closed store says so":                       testClosed,
		"a store is closed while it works":             testClosedInFlight,
		"pages are in order and filtered":              testPage,
		"pages by change are in order and filtered":    testPageByChange,
		"many pages have each entry once":              testPages,
		"a store counts what it holds":                 testStats,
		"what was never sent is due, oldest first":     testLaneNew,
		"what is due is claimed, oldest first":         testClaimDue,
		"each entry is in its lane":                    testLanes,
		"what has ended or is held is not claimed":     testNotClaimed,
		"due far in the future, by a wrong clock":      testBeyond,
		"a claim has an entry once":                    testClaimOnce,
		"many claim together, each entry goes to one":  testClaimTogether,
		"a lease keeps others out until it ends":       testLease,
		"a lease from the future does not count":       testLeaseFromTheFuture,
		"whoever lost the claim cannot store":          testFencing,
		"a lease that is over counts until taken":      testOverdue,
		"begin stores that, and keeps the lease":       testBegin,
		"postponing changes only the due time":         testPostpone,
		"one entry is taken":                           testTake,
		"an entry is taken that no worker may have":    testTakeHeld,
		"one who saves and one who claims do not race": testSaveAgainstClaim,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	for name, change := range changes() {
		t.Run("damage/"+name, func(t *testing.T) {
			for name, test := range map[string]func(t *testing.T, s outbox.Store, damage func(key string)){
				"it is read as what it is": testDamageRead,
				"it is set aside":          testDamageClaimed,
				"it is taken and left":     testDamageTaken,
				"it stays":                 testDamageStays,
			} {
				t.Run(name, func(t *testing.T) {
					s := open(t)
					test(t, s, func(key string) {
						damage(t, s, key, func(data []byte) []byte {
							changed := change(data)
							require.NotEqual(t, data, changed)
							return changed
						})
					})
				})
			}
		})
	}
}

func add(t *testing.T, s outbox.Store, entries ...outbox.Entry) {
	t.Helper()
	for _, e := range entries {
		stored, added, err := s.Add(t.Context(), e)
		require.NoError(t, err)
		require.True(t, added)
		require.Equal(t, e, stored)
	}
}

func get(t *testing.T, s outbox.Store, key string) outbox.Entry {
	t.Helper()
	e, err := s.Get(t.Context(), key)
	require.NoError(t, err)
	return e
}

// lane returns an entry of a lane.
func lane(l outbox.Lane, key string) outbox.Entry {
	e := Entry(key)
	if l != outbox.LaneNew {
		e.Attempts = 1
	}
	if l == outbox.LaneFollow {
		e.State, e.TxID, e.Sent = outbox.StateSent, qredo.TxID("tx-"+key), Start
	}
	return e
}

// claim claims from a lane at a time after Start, for a minute, and returns the claims in order.
func claim(t *testing.T, s outbox.Store, l outbox.Lane, after time.Duration, limit int) []outbox.Claim {
	t.Helper()
	now := Start.Add(after)
	list, err := s.Claim(t.Context(), outbox.Want{Lane: l, Now: now, Until: now.Add(time.Minute), Beyond: now.Add(24 * time.Hour), Limit: limit})
	require.NoError(t, err)
	return list
}

// claimOne claims the only entry that can be claimed.
func claimOne(t *testing.T, s outbox.Store, l outbox.Lane, after time.Duration) outbox.Claim {
	t.Helper()
	list := claim(t, s, l, after, 10)
	require.Len(t, list, 1)
	return list[0]
}

func claimed(list []outbox.Claim) []string {
	keys := make([]string, len(list))
	for i, c := range list {
		keys[i] = c.Entry.Key
	}
	return keys
}

// release stores an entry after a change.
func release(t *testing.T, s outbox.Store, c outbox.Claim, change func(*outbox.Entry)) outbox.Entry {
	t.Helper()
	change(&c.Entry)
	c.Entry.Version++
	require.NoError(t, s.Release(t.Context(), c))
	return c.Entry
}
