// Package storetest holds the tests that every store of an inbox must pass.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
)

// Now is when the entries of these tests are recorded.
var Now = time.Date(2026, 3, 1, 12, 0, 0, 123_456_000, time.UTC)

// fund is the source that most tests follow.
const fund = "fund:company:fund"

// Movement returns one that is in the balance: 5 base units of BTC in the wallet "wallet".
func Movement(id string) inbox.Movement {
	return inbox.Movement{
		Key: id, Kind: inbox.KindDeposit, Status: qredo.TxApproved, Moved: true, Company: "company", Fund: "fund", Wallet: "wallet", Asset: "BTC",
		Amount: 5, TxID: "tx", ChainTxID: "chain", Address: "address", CounterpartyID: "other", CounterpartyName: `Grüße "<&>"` + "\t☃\u2028",
		Reference: "reference", BenefitOf: "benefit", AccountNo: "account", Time: Now.Truncate(time.Second),
	}
}

// Seen returns the sighting of a Movement, changed.
func Seen(id string, changes ...func(*inbox.Sighting)) inbox.Sighting {
	s := inbox.Sighting{ID: id, Movement: Movement(id)}
	for _, change := range changes {
		change(&s)
	}
	return s
}

// Run tests stores. open returns a new and empty one, and closes it at the end of the test.
func Run[Tx any](t *testing.T, open func(t *testing.T) inbox.Store[Tx]) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, s inbox.Store[Tx]){
		"an entry is handed over once":              testHand[Tx],
		"many hand an entry over at the same time":  testHandTogether[Tx],
		"what fails is not handed over":             testHandFails[Tx],
		"what is not ready is not handed over":      testHandNotReady[Tx],
		"what is being handed over does not change": testHandHolds[Tx],
		"a closed store says so":                    testClosed[Tx],
		"a store is closed while it works":          testClosedInFlight[Tx],
		"a context that has ended changes nothing":  testEnded[Tx],
		"the begin that is stored first stands":     on[Tx](testBegin),
		"a lease is taken, renewed and refused":     on[Tx](testLease),
		"a lease is over after its time":            on[Tx](testLeaseOver),
		"a lease is released":                       on[Tx](testRelease),
		"many lease together":                       on[Tx](testLeaseTogether),
		"progress is stored, and only that":         on[Tx](testProgress),
		"who has lost the lease stores nothing":     on[Tx](testLeaseLost),
		"what is recorded is there as it was":       on[Tx](testRecord),
		"each kind of sighting has its state":       on[Tx](testStates),
		"what is recorded again changes nothing":    on[Tx](testRecordAgain),
		"what has changed is stored":                on[Tx](testChanges),
		"an entry is found by ID and alias":         on[Tx](testAliases),
		"what is reported several times at once":    on[Tx](testSeveral),
		"what is refused later is taken back once":  on[Tx](testReversal),
		"sources report the same movement":          on[Tx](testTwoSources),
		"a thousand are recorded at once":           on[Tx](testThousand),
		"many record together":                      on[Tx](testRecordTogether),
		"nothing is stored of what is half refused": on[Tx](testRefused),
		"what is ready comes in its order":          on[Tx](testNext),
		"what is ready comes up to a limit":         on[Tx](testNextLimits),
		"an update is of the state that was seen":   on[Tx](testUpdate),
		"an entry that was updated is found again":  on[Tx](testUpdateFound),
		"pages are in order and filtered":           on[Tx](testPage),
		"what waits is counted":                     on[Tx](testWaiting),
		"what has moved is added up":                on[Tx](testSums),
		"sums end where 64 bits do":                 on[Tx](testSumsSaturate),
		"sources are in order":                      on[Tx](testSources),
		"odd texts are kept or refused":             on[Tx](testOddTexts),
		"any error text of a handler can be stored": on[Tx](testOddError),
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// on turns a test of a store into one that opens the store.
func on[Tx any](test func(*testing.T, inbox.Records)) func(*testing.T, inbox.Store[Tx]) {
	return func(t *testing.T, s inbox.Store[Tx]) { t.Helper(); test(t, s) }
}

// lease leases a source for an hour.
func lease(t *testing.T, r inbox.Records, source string) inbox.Source {
	t.Helper()
	s, err := r.Lease(t.Context(), source, "holder", time.Hour)
	require.NoError(t, err)
	return s
}

// record records what the source fund has reported.
func record(t *testing.T, r inbox.Records, seen ...inbox.Sighting) inbox.Recorded {
	t.Helper()
	counts, err := r.Record(t.Context(), lease(t, r, fund), Now, seen)
	require.NoError(t, err)
	return counts
}

func get(t *testing.T, r inbox.Records, id string) inbox.Entry {
	t.Helper()
	e, err := r.Get(t.Context(), id)
	require.NoError(t, err, id)
	return e
}

func none(t *testing.T, r inbox.Records, ids ...string) {
	t.Helper()
	for _, id := range ids {
		_, err := r.Get(t.Context(), id)
		require.ErrorIs(t, err, inbox.ErrNotFound, id)
	}
}

// become brings a ready entry to a state.
func become(t *testing.T, r inbox.Records, id string, state inbox.State) {
	t.Helper()
	_, err := r.Update(t.Context(), id, inbox.StateReady, Now, inbox.Change{State: state})
	require.NoError(t, err)
}

func idsOf(list []inbox.Entry) []string {
	ids := make([]string, len(list))
	for i, e := range list {
		ids[i] = e.ID
	}
	return ids
}

// in changes the wallet of a sighting.
func in(wallet qredo.WalletID) func(*inbox.Sighting) {
	return func(s *inbox.Sighting) { s.Movement.Wallet = wallet }
}

// at changes its time.
func at(after time.Duration) func(*inbox.Sighting) {
	return func(s *inbox.Sighting) { s.Movement.Time = Now.Add(after).Truncate(time.Second) }
}

// alias gives it another name.
func alias(name string) func(*inbox.Sighting) {
	return func(s *inbox.Sighting) { s.Alias = name }
}

// status changes how far it is.
func status(status qredo.TxStatus) func(*inbox.Sighting) {
	return func(s *inbox.Sighting) { s.Movement.Status, s.Movement.Moved = status, status.Done() }
}

func amount(of qredo.Amount) func(*inbox.Sighting) {
	return func(s *inbox.Sighting) { s.Movement.Amount = of }
}

// calls has every method of a store.
func calls[Tx any](t *testing.T, s inbox.Store[Tx], source inbox.Source, id string) map[string]func(context.Context) error {
	t.Helper()
	n := 0
	return map[string]func(context.Context) error{
		"Begin":    func(ctx context.Context) error { _, err := s.Begin(ctx, Now); return err },
		"Lease":    func(ctx context.Context) error { _, err := s.Lease(ctx, source.ID, "holder", time.Hour); return err },
		"Release":  func(ctx context.Context) error { return s.Release(ctx, inbox.Source{ID: "other", Token: 1}) },
		"Progress": func(ctx context.Context) error { return s.Progress(ctx, source) },
		"Record": func(ctx context.Context) error {
			n++
			_, err := s.Record(ctx, source, Now, []inbox.Sighting{Seen(fmt.Sprint(id, n))})
			return err
		},
		"Record, at rest": func(ctx context.Context) error {
			_, err := s.Record(ctx, source, Now, []inbox.Sighting{Seen("a")})
			return err
		},
		"Next": func(ctx context.Context) error { _, err := s.Next(ctx, source.ID, "", 10, 10); return err },
		"Update": func(ctx context.Context) error {
			_, err := s.Update(ctx, id, inbox.StateReady, Now, inbox.Change{State: inbox.StateReady})
			return err
		},
		"Get":     func(ctx context.Context) error { _, err := s.Get(ctx, id); return err },
		"Page":    func(ctx context.Context) error { _, err := s.Page(ctx, inbox.Filter{}, "", 10); return err },
		"Waiting": func(ctx context.Context) error { _, _, err := s.Waiting(ctx, source.ID); return err },
		"Sums":    func(ctx context.Context) error { _, err := s.Sums(ctx, source.ID); return err },
		"Sources": func(ctx context.Context) error { _, err := s.Sources(ctx); return err },
		"Hand": func(ctx context.Context) error {
			return s.Hand(ctx, id, Now, func(context.Context, Tx, inbox.Movement) error { return nil })
		},
	}
}
