package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/sandbox"
)

// both runs a test with ledgers that begin with the newest entry, and with the oldest.
func both(t *testing.T, test func(t *testing.T, order sandbox.Option)) {
	t.Helper()
	t.Run("newest first", func(t *testing.T) { test(t, sandbox.WithLedgerOrder(sandbox.NewestFirst)) })
	t.Run("oldest first", func(t *testing.T) { test(t, sandbox.WithLedgerOrder(sandbox.OldestFirst)) })
}

func TestMovementsAreHandedOverOnce(t *testing.T) {
	both(t, func(t *testing.T, order sandbox.Option) {
		s := newService(t, 2, order)
		a, b := s.wallets[0], s.wallets[1]
		path, mine := file(t), newBooks()
		first := s.deposit(a, 10_000)
		in, store := open(t, s.client, path, inbox.FromStart(), inbox.WithFunds(s.company, s.fund))
		stop := run(t, in, mine.take)
		got := mine.wait(t, 1)[0]
		assert.Equal(t, inbox.Movement{
			Key: got.Key, Kind: inbox.KindDeposit, Status: qredo.TxApproved, Moved: true, Company: s.company, Fund: s.fund, Wallet: a, Asset: btc,
			Amount: 10_000, ChainTxID: first.ChainTxID, Address: got.Address, Time: got.Time,
		}, got)
		assert.NotEmpty(t, got.Address)

		tx := s.transfer(a, b, 2000)
		s.deposit(b, 5)
		mine.wait(t, 2) // the transfer waits
		s.approve(tx)
		mine.wait(t, 4)
		assert.Equal(t, []qredo.Amount{10_000, -2002}, mine.amounts(a))
		assert.Equal(t, []qredo.Amount{5, 2000}, mine.amounts(b))

		stop()
		require.NoError(t, store.Close())
		s.deposit(b, 7) // while nobody looks
		again, _ := open(t, s.client, path, inbox.WithFunds(s.company, s.fund))
		run(t, again, mine.take)
		mine.wait(t, 5)

		report := settled(t, again)
		require.Len(t, report.Balances, 2)
		assert.Empty(t, report.Wrong())
		assert.Empty(t, report.Missed)
	})
}

// One transaction of the chain that pays the same twice is two movements, with keys that stay.
func TestAlikePayments(t *testing.T) {
	both(t, func(t *testing.T, order sandbox.Option) {
		s := newService(t, 2, order)
		d := s.deposit(s.wallets[0], 50)
		for range 2 {
			_, err := s.DepositBy(d.ChainTxID, string(s.wallets[0]), 50)
			require.NoError(t, err)
		}
		_, err := s.DepositBy(d.ChainTxID, string(s.wallets[0]), 51)
		require.NoError(t, err)
		_, err = s.DepositBy(d.ChainTxID, string(s.wallets[1]), 50)
		require.NoError(t, err)
		for name, source := range map[string]inbox.Option{
			"ledger":  inbox.WithFunds(s.company, s.fund),
			"history": inbox.WithWallets(s.wallets...),
		} {
			mine := newBooks()
			in, _ := open(t, s.client, file(t), inbox.FromStart(), source)
			stop := run(t, in, mine.take)
			keys := map[string]bool{}
			for _, m := range mine.wait(t, 5) {
				keys[m.Key] = true
			}
			stop()
			base := "in:" + string(s.wallets[0]) + ":" + d.ChainTxID
			assert.Equal(t, map[string]bool{
				base + ":50": true, base + ":50#2": true, base + ":50#3": true, base + ":51": true,
				"in:" + string(s.wallets[1]) + ":" + d.ChainTxID + ":50": true,
			}, keys, name)
		}
	})
}

// Movements are handed over from the first run on, and none from before; earlier ones are in no sum.
func TestItBeginsNow(t *testing.T) {
	both(t, func(t *testing.T, order sandbox.Option) {
		for _, name := range []string{"history", "ledger"} {
			t.Run(name, func(t *testing.T) {
				var later atomic.Int64
				s := newService(t, 3, order, sandbox.WithClock(func() time.Time { return time.Now().Add(time.Duration(later.Load()) - 20*time.Minute) }))
				s.deposit(s.wallets[0], 1000)
				s.deposit(s.wallets[1], 2000)
				waits := s.transfer(s.wallets[0], s.wallets[2], 100)
				later.Store(int64(20 * time.Minute))
				source := map[string]inbox.Option{"ledger": inbox.WithFunds(s.company, s.fund), "history": inbox.WithWallets(s.wallets...)}[name]
				mine := newBooks()
				client, err := qredo.NewClient(s.Auth(), qredo.WithBaseURL(s.BaseURL())) // which has not seen the clock jump
				require.NoError(t, err)
				in, _ := open(t, client, file(t), source)
				run(t, in, mine.take)
				require.Eventually(t, func() bool { // the balance from before is measured
					report, err := in.Check(t.Context())
					return err == nil && len(report.Balances) == 3 && len(report.Wrong()) == 0
				}, 10*time.Second, 5*time.Millisecond)
				s.deposit(s.wallets[1], 3)
				mine.wait(t, 1)
				s.approve(waits)
				mine.wait(t, 3)
				assert.Empty(t, settled(t, in).Wrong())
			})
		}
	})
}

// New funds of a company are found, and their wallets.
func TestACompanyIsFollowed(t *testing.T) {
	s := newService(t, 1)
	mine := newBooks()
	in, _ := open(t, s.client, file(t), inbox.WithCompany(s.company), inbox.WithPolling(time.Millisecond, 2*time.Millisecond))
	run(t, in, mine.take)
	s.deposit(s.wallets[0], 1)
	mine.wait(t, 1)
	_, wallets := s.otherFund(2)
	s.deposit(wallets[1], 2)
	got := mine.wait(t, 2)
	assert.Equal(t, wallets[1], got[1].Wallet)
	_, err := s.client.Funds.AddWallets(t.Context(), s.company, s.fund, requests(1))
	require.NoError(t, err)
	fund, err := s.client.Funds.Get(t.Context(), s.company, s.fund)
	require.NoError(t, err)
	s.deposit(fund.Wallets[1].ID, 3)
	mine.wait(t, 3)
}

func TestChanges(t *testing.T) {
	s := newService(t, 2)
	mine := newBooks()
	in, store := open(t, s.client, file(t), inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithChanges())
	run(t, in, mine.take)
	s.deposit(s.wallets[0], 1000)
	tx := s.transfer(s.wallets[0], s.wallets[1], 100)
	mine.wait(t, 2)
	s.approve(tx)
	mine.wait(t, 4)
	rejected := s.transfer(s.wallets[0], s.wallets[1], 100)
	mine.wait(t, 5)
	require.NoError(t, s.Reject(carol, string(rejected)))
	mine.wait(t, 6)
	var told []string
	for _, m := range mine.movements() {
		if m.Wallet == s.wallets[0] {
			told = append(told, string(m.Status))
			assert.Equal(t, m.Status == qredo.TxApproved, m.Moved)
		}
	}
	assert.Equal(t, []string{"approved", "pending", "approved", "pending", "custody_rejected"}, told)
	assert.Empty(t, settled(t, in).Wrong())
	e, err := store.Get(t.Context(), "out:"+string(s.wallets[0])+":"+string(rejected))
	require.NoError(t, err)
	assert.Equal(t, inbox.StateVoid, e.State)
}

// A program that has not asked for changes does not hand over those that another program has recorded.
func TestChangesOfAnotherProgram(t *testing.T) {
	s := newService(t, 2)
	path, mine := file(t), newBooks()
	s.deposit(s.wallets[0], 1000)
	in, store := open(t, s.client, path, inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithChanges(), inbox.WithAttempts(1_000_000))
	told := make(chan struct{}, 1)
	stop := run(t, in, func(_ context.Context, _ inbox.NoTx, m inbox.Movement) error {
		if m.Moved {
			return nil
		}
		select {
		case told <- struct{}{}:
		default:
		}
		return errNo
	})
	tx := s.transfer(s.wallets[0], s.wallets[1], 100)
	<-told
	stop()
	require.NoError(t, store.Close())
	in, store = open(t, s.client, path, inbox.WithFunds(s.company, s.fund))
	run(t, in, mine.take)
	s.deposit(s.wallets[0], 7)
	s.approve(tx)
	for _, m := range mine.wait(t, 3) {
		assert.True(t, m.Moved, m.Key)
	}
	require.Eventually(t, func() bool {
		e, err := store.Get(t.Context(), "out:"+string(s.wallets[0])+":"+string(tx)+"@pending")
		return err == nil && e.State == inbox.StateVoid
	}, 10*time.Second, time.Millisecond)
	assert.Len(t, mine.movements(), 3)
}

// A handler that fails is called again, in order, while other wallets go on; a movement that keeps failing is set aside.
func TestAHandlerFails(t *testing.T) {
	s := newService(t, 2)
	a, b := s.wallets[0], s.wallets[1]
	mine, path := newBooks(), file(t)
	var failures, panics atomic.Int64
	mine.fail = func(m inbox.Movement) error {
		switch {
		case m.Amount == 1 && failures.Add(1) <= 3:
			return errNo
		case m.Amount == 3 && panics.Add(1) <= 1:
			panic("of a test")
		case m.Amount == 4:
			return errors.New("never")
		}
		return nil
	}
	for _, amount := range []qredo.Amount{1, 2, 3, 4, 5} {
		s.deposit(a, amount)
		require.NoError(t, s.Advance(time.Second)) // so that they have an order
	}
	in, store := open(t, s.client, path, inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithAttempts(5))
	s.deposit(b, 6)
	run(t, in, mine.take)
	mine.wait(t, 5)
	assert.Equal(t, []qredo.Amount{1, 2, 3, 5}, mine.amounts(a))
	assert.Equal(t, []int64{4, 2}, []int64{failures.Load(), panics.Load()})

	people, err := inbox.Operate(store)
	require.NoError(t, err)
	var aside []inbox.Entry
	for e, err := range people.List(t.Context(), inbox.Filter{States: []inbox.State{inbox.StateAside}}) {
		require.NoError(t, err)
		aside = append(aside, e)
	}
	require.Len(t, aside, 1)
	assert.Equal(t, []any{5, "never", qredo.Amount(4)}, []any{aside[0].Attempts, aside[0].Error, aside[0].Movement.Amount})
	report := settled(t, in)
	require.Len(t, report.Wrong(), 1)
	assert.Equal(t, []qredo.Amount{4, 0}, []qredo.Amount{report.Wrong()[0].Missing(), report.Wrong()[0].Unexplained()})

	_, err = people.Skip(t.Context(), aside[0].ID, "")
	require.ErrorAs(t, err, new(*qredo.ValidationError))
	_, err = people.Skip(t.Context(), "none", "me")
	require.ErrorIs(t, err, inbox.ErrNotFound)
	skipped, err := people.Skip(t.Context(), aside[0].ID, "dana: booked by hand")
	require.NoError(t, err)
	assert.Equal(t, []any{inbox.StateSkipped, "dana: booked by hand"}, []any{skipped.State, skipped.Error})
	report = settled(t, in)
	require.Len(t, report.Wrong(), 1)
	assert.Equal(t, []qredo.Amount{4, 0}, []qredo.Amount{report.Wrong()[0].Missing(), report.Wrong()[0].Unexplained()}, "what is skipped is explained")
	mine.mu.Lock()
	mine.fail = nil
	mine.mu.Unlock()
	_, err = people.Retry(t.Context(), aside[0].ID, "dana: not booked after all")
	require.NoError(t, err)
	mine.wait(t, 6)
	assert.Empty(t, settled(t, in).Wrong())
	_, err = people.Retry(t.Context(), aside[0].ID, "once more")
	require.ErrorAs(t, err, new(*inbox.StateError))
}

func TestWrongOptions(t *testing.T) {
	s := newService(t, 1)
	store, err := inbox.OpenStore(file(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	_, err = inbox.New[inbox.NoTx](s.client, nil, inbox.WithCompany(s.company))
	require.ErrorAs(t, err, new(*qredo.ValidationError))
	for name, opts := range map[string][]inbox.Option{
		"nothing to follow": {},
		"nil":               {nil},
		"no fund":           {inbox.WithFunds(s.company)},
		"an empty fund":     {inbox.WithFunds(s.company, "")},
		"an empty company":  {inbox.WithCompany("")},
		"no wallet":         {inbox.WithWallets()},
		"an empty wallet":   {inbox.WithWallets("")},
		"polling":           {inbox.WithCompany(s.company), inbox.WithPolling(2, 1)},
		"backoff":           {inbox.WithCompany(s.company), inbox.WithBackoff(0, 1)},
		"attempts":          {inbox.WithCompany(s.company), inbox.WithAttempts(0)},
		"lease":             {inbox.WithCompany(s.company), inbox.WithLease(0)},
		"handler timeout":   {inbox.WithCompany(s.company), inbox.WithHandlerTimeout(0)},
		"concurrency":       {inbox.WithCompany(s.company), inbox.WithConcurrency(0)},
		"clock":             {inbox.WithCompany(s.company), inbox.WithClock(nil)},
		"logger":            {inbox.WithCompany(s.company), inbox.WithLogger(nil)},
		"observer":          {inbox.WithCompany(s.company), inbox.WithObserver(nil)},
	} {
		_, err := inbox.New(s.client, store, opts...)
		require.ErrorAs(t, err, new(*qredo.ValidationError), name)
	}
	in, err := inbox.New(s.client, store, inbox.WithCompany(s.company))
	require.NoError(t, err)
	require.ErrorAs(t, in.Run(t.Context(), nil), new(*qredo.ValidationError))
}

// A trace sees looks and handovers, including failed ones; the handler gets its context.
func TestTrace(t *testing.T) {
	type key struct{}
	s := newService(t, 1)
	s.deposit(s.wallets[0], 10_000)
	looked, handed := make(chan string, 1000), make(chan string, 10)
	in, _ := open(t, s.client, file(t), inbox.FromStart(), inbox.WithFunds(s.company, s.fund), inbox.WithTrace(inbox.Trace{
		Look: func(ctx context.Context, source string) (context.Context, func(inbox.Recorded, error)) {
			return ctx, func(r inbox.Recorded, err error) { looked <- fmt.Sprint(source, " ", r.New, " ", err) }
		},
		Hand: func(ctx context.Context, e inbox.Entry) (context.Context, func(inbox.Entry, error)) {
			return context.WithValue(ctx, key{}, e.ID), func(after inbox.Entry, err error) { handed <- fmt.Sprint(after.State, " ", after.Attempts, " ", err) }
		},
	}))
	failing := errors.New("no")
	run(t, in, func(ctx context.Context, _ inbox.NoTx, m inbox.Movement) error {
		assert.Equal(t, m.Key, ctx.Value(key{}))
		err := failing
		failing = nil
		return err
	})
	assert.Equal(t, "fund:"+string(s.company)+":"+string(s.fund)+" 1 <nil>", <-looked)
	assert.Equal(t, "ready 1 no", <-handed)
	assert.Equal(t, "done 1 <nil>", <-handed)
}
