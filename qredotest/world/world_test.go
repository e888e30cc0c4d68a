package world_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/qredotest"
	"github.com/qredo-go/qredo/qredotest/world"
	"github.com/qredo-go/qredo/sandbox"
)

func approveAll(context.Context, qredo.Action) (approver.Decision, error) {
	return approver.Decision{Verdict: approver.Approve, Reason: "all"}, nil
}

func payout(w *world.World, amount qredo.Amount) outbox.Withdrawal {
	return outbox.Withdrawal{CompanyID: w.Company("Acme"), WithdrawalRequest: qredo.WithdrawalRequest{
		WalletID: w.Wallet("Acme/Treasury/Hot"), Address: qredotest.WhitelistedAddress, Expires: w.Expires(time.Hour),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: amount},
	}}
}

// seen is a handler that keeps the movements it gets.
type seen struct {
	mu        sync.Mutex
	movements []inbox.Movement
}

func (s *seen) handle(_ context.Context, _ inbox.NoTx, m inbox.Movement) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.movements = append(s.movements, m)
	return nil
}

func (s *seen) amounts() []qredo.Amount {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []qredo.Amount
	for _, m := range s.movements {
		all = append(all, m.Amount)
	}
	return all
}

// All of it at work in a bubble: a payment is asked for, approved and done, and its movement and a deposit are handed over, in
// hours that take no time.
func TestWorldInABubble(t *testing.T) {
	began := time.Now()
	world.Test(t, func(t *testing.T, w *world.World) {
		assert.Equal(t, time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC), w.Now().UTC())
		var got seen
		w.Approver("robot", approver.PolicyFunc(approveAll))
		payouts := w.Outbox()
		w.Inbox(got.handle, inbox.WithFunds(w.Company("Acme"), w.Fund("Acme/Treasury")))
		w.Advance(time.Second)
		_, err := payouts.Enqueue(t.Context(), "payout-1", payout(w, 100_000))
		require.NoError(t, err)
		w.Deposit("Acme/Treasury/Cold", 500)
		w.Advance(2 * time.Minute)

		entry, err := payouts.Get(t.Context(), "payout-1")
		require.NoError(t, err)
		assert.Equal(t, outbox.StateDone, entry.State)
		fees, err := w.Client.Assets.GetFees(t.Context(), qredo.FeesRequest{Type: qredo.FeeWithdraw, Asset: "BTC-TESTNET", Amount: 100_000})
		require.NoError(t, err)
		assert.ElementsMatch(t, []qredo.Amount{500, -fees.AmountToSend}, got.amounts())
		assert.Equal(t, 10*1e8-fees.AmountToSend, w.Balance("Acme/Treasury/Hot"))
	})
	assert.Less(t, time.Since(began), 30*time.Second, "two minutes of a bubble")
}

// Nobody approves: the payment expires when the bubble's hour is over, in the sandbox and in the outbox.
func TestWorldExpires(t *testing.T) {
	world.Test(t, func(t *testing.T, w *world.World) {
		payouts := w.Outbox()
		_, err := payouts.Enqueue(t.Context(), "payout-1", payout(w, 1000))
		require.NoError(t, err)
		w.Advance(59 * time.Minute)
		assert.Equal(t, outbox.StateSent, state(t, payouts))
		w.Advance(5 * time.Minute)
		assert.Equal(t, outbox.StateExpired, state(t, payouts))
		assert.Equal(t, qredo.Amount(10*1e8), w.Balance("Acme/Treasury/Hot"))
	})
}

func state(t *testing.T, o *outbox.Outbox) outbox.State {
	t.Helper()
	entry, err := o.Get(t.Context(), "payout-1")
	require.NoError(t, err)
	return entry.State
}

// Faults, a Wait method and Eventually in a bubble: the retries' pauses take no time.
func TestWorldWaits(t *testing.T) {
	world.Test(t, func(t *testing.T, w *world.World) {
		require.NoError(t, w.Sandbox.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultRateLimit, Rate: 1, Times: 2, Delay: time.Minute}))
		began := w.Now()
		sent, err := w.Client.Transfers.Create(t.Context(), w.Company("Acme"), qredo.TransferRequest{
			WalletID: w.Wallet("Acme/Treasury/Hot"), Counterparty: string(w.Wallet("Acme/Treasury/Cold")), Expires: w.Expires(time.Hour),
			Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 1000},
		})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, w.Now().Sub(began), 2*time.Minute)
		time.AfterFunc(10*time.Minute, func() {
			assert.NoError(t, w.Sandbox.Approve(string(w.CoreClient("robot")), string(sent.TxID)))
		})
		tx, err := w.Client.Transfers.Wait(t.Context(), w.Company("Acme"), sent.TxID)
		require.NoError(t, err)
		assert.Equal(t, qredo.TxApproved, tx.Status)
		qredotest.Eventually(t.Context(), t, func(context.Context) error {
			if got := w.Balance("Acme/Treasury/Cold"); got != 100*1e8+1000 {
				return fmt.Errorf("Cold has %d", got)
			}
			return nil
		})
	})
}

// Outside a bubble, everything asks one clock: what expires by it does, for the client and for the sandbox.
func TestStart(t *testing.T) {
	for name, clock := range map[string]*qredotest.Clock{"runs": nil, "stands still": qredotest.NewClock(qredotest.FixtureTime())} {
		t.Run(name, func(t *testing.T) {
			var opts []world.Option
			if clock != nil {
				opts = append(opts, world.WithClock(clock))
			}
			w := world.Start(t, opts...)
			began := w.Now()
			if clock != nil {
				assert.Equal(t, qredotest.FixtureTime(), began)
			}
			expires := w.Expires(time.Hour)
			sent, err := w.Client.Transfers.Withdraw(t.Context(), w.Company("Acme"), payout(w, 1000).WithdrawalRequest)
			require.NoError(t, err)
			assert.False(t, w.Client.Expired(expires))
			w.Advance(2 * time.Hour)
			assert.GreaterOrEqual(t, w.Now().Sub(began), 2*time.Hour)
			assert.Equal(t, w.Now().Unix()/60, w.Sandbox.Now().Unix()/60)
			assert.True(t, w.Client.Expired(expires))
			tx, err := w.Client.Transfers.GetWithdrawal(t.Context(), w.Company("Acme"), sent.TxID)
			require.NoError(t, err)
			assert.Equal(t, qredo.TxExpired, tx.Status)
		})
	}
}

// Real time, with short intervals: what runs next to the test is waited for.
func TestStartRunsAnOutbox(t *testing.T) {
	w := world.Start(t)
	w.Approver("robot", approver.PolicyFunc(approveAll))
	payouts := w.Outbox(outbox.WithPollInterval(10 * time.Millisecond))
	_, err := payouts.Enqueue(t.Context(), "payout-1", payout(w, 1000))
	require.NoError(t, err)
	qredotest.Eventually(t.Context(), t, func(context.Context) error {
		if got := state(t, payouts); got != outbox.StateDone {
			return fmt.Errorf("the payout is %s", got)
		}
		return nil
	}, qredotest.Within(time.Minute))
}

func TestOptions(t *testing.T) {
	const yaml = `
companies:
  - name: Other
    funds:
      - name: Fund
        wallets:
          - {name: Wallet, asset: ETH, balance: 3}
`
	answered := 0
	w := world.Start(t, world.WithYAML(yaml), world.WithSandbox(sandbox.WithSeed(1)),
		world.WithClient(qredo.WithObserver(func(context.Context, qredo.Attempt) { answered++ })))
	assert.Equal(t, qredo.Amount(3e9), w.Balance("Other/Fund/Wallet"))
	assert.Equal(t, 2, answered)
	assert.Equal(t, map[string]qredo.CompanyID{"Other": w.Company("Other")}, w.Made.Companies)
}

// ended is a test that fails: an error in a world ends it.
type ended struct {
	testing.TB

	text string
}

func (e *ended) Helper() {}

func (e *ended) Fatalf(format string, args ...any) {
	e.text = fmt.Sprintf(format, args...)
	panic(e)
}

func TestWhatIsWrong(t *testing.T) {
	for want, wrong := range map[string]func(testing.TB){
		`world: there is no wallet "Hot": there is Acme/Treasury/Cold, Acme/Treasury/Ether, Acme/Treasury/Hot`:                         func(tb testing.TB) { world.Start(tb).Wallet("Hot") },
		`world: there is no core client "human": there is robot`:                                                                       func(tb testing.TB) { world.Start(tb).Approver("human", approver.PolicyFunc(approveAll)) },
		"world: the inbox: qredo: inbox: needs WithFunds, WithCompany or WithWallets":                                                  func(tb testing.TB) { world.Start(tb).Inbox(new(seen).handle) },
		"world: the outbox: qredo: poll interval: must be more than zero, is 0s":                                                       func(tb testing.TB) { world.Start(tb).Outbox(outbox.WithPollInterval(0)) },
		`world: the world: 1:1: a world has no key "nothing": it can have companies, core_clients, description, name, payments, users`: func(tb testing.TB) { world.Start(tb, world.WithYAML("nothing: 1")) },
	} {
		e := &ended{TB: t}
		func() {
			defer func() { require.Same(t, e, recover()) }()
			wrong(e)
		}()
		assert.Equal(t, want, e.text)
	}
}

// The client of a bubble's world is checked by the sandbox like any other.
func TestSignaturesAreChecked(t *testing.T) {
	world.Test(t, func(t *testing.T, w *world.World) {
		s := qredotest.NewService(t)
		_, err := s.On("GET /assets", qredotest.Answer(func(req *http.Request) (*http.Response, error) {
			require.Empty(t, req.Header.Get("X-Sign"))
			return qredotest.Reply(http.StatusOK, `{"assets":[]}`).RoundTrip(req)
		})).Client().Assets.List(t.Context())
		require.NoError(t, err)
		other, err := w.Client.As(w.Sandbox.HMACAuth())
		require.NoError(t, err)
		_, err = other.Assets.List(t.Context())
		require.ErrorIs(t, err, qredo.ErrUnauthorized)
	})
}
