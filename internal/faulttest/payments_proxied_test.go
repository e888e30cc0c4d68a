package faulttest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/faultproxy"
	"github.com/qredo-go/qredo/sandbox"
)

// kindsOfPayment are the kinds of proxied payments.
var kindsOfPayment = []string{"transfer", "withdrawal", "sweep", "swap"}

// proxiedPayment is a payment of some kind that is sent until it is known to be made.
type proxiedPayment struct {
	name string // of its key
	n    int
	kind string
	tx   qredo.TxID
}

func (p proxiedPayment) key() qredo.PartnerTxID {
	return qredo.PartnerTxID(fmt.Sprint(p.name, "-", p.n))
}

// send makes one call for a payment.
func (p proxiedPayment) send(ctx context.Context, w *clienttest.World, client *qredo.Client, call qredo.CallOption) (*qredo.Submission, error) {
	amount := amountOf(p.n)
	switch p.kind {
	case "transfer":
		req := w.Transfer(amount)
		req.PartnerTxID = p.key()
		return client.Transfers.Create(ctx, w.Company, req, call)
	case "withdrawal":
		req := w.Withdrawal(amount)
		req.PartnerTxID = p.key()
		return client.Transfers.Withdraw(ctx, w.Company, req, call)
	case "sweep":
		req := w.Sweep(amount)
		req.PartnerTxID = p.key()
		return client.CoreClients.Sweep(ctx, w.Desk.ID, req, call)
	default:
		req := w.Swap()
		req.PartnerTxID, req.Send.Amount = p.key(), amount
		made, err := client.Swaps.Make(ctx, w.Company, req, call)
		if err != nil {
			return nil, err
		}
		return &made.Submission, nil
	}
}

// read reads a payment past the proxy.
func (p proxiedPayment) read(ctx context.Context, w *clienttest.World) (*qredo.Transaction, error) {
	switch p.kind {
	case "transfer":
		return w.Client.Transfers.Get(ctx, w.Company, p.tx)
	case "withdrawal":
		return w.Client.Transfers.GetWithdrawal(ctx, w.Company, p.tx)
	case "sweep":
		return w.Client.CoreClients.GetSweep(ctx, w.Desk.ID, p.tx)
	default:
		return w.Client.Swaps.GetMake(ctx, w.Company, p.tx)
	}
}

// mostCalls is after how many calls a payment that is not known to be made is given up.
const mostCalls = 60

// TestExactlyOnceThroughProxy makes payments while a fifth of what passes the proxy goes wrong, in any way that breaks no
// promise of a protocol. Each call that fails is made again. Every payment must be made once, and a call must not say that
// it made none if it did.
func TestExactlyOnceThroughProxy(t *testing.T) {
	for name, config := range protocols {
		t.Run(name, func(t *testing.T) { payAndCheck(t, config, size(50_000, 250), false) })
	}
}

// The same with nonces, which the service accepts once: a repeated request is refused because of its own copy.
func TestExactlyOnceThroughProxyWithNonces(t *testing.T) {
	for name, config := range protocols {
		t.Run(name, func(t *testing.T) { payAndCheck(t, config, size(10_000, 150), true) })
	}
}

func payAndCheck(t *testing.T, config faultproxy.Config, count int, nonces bool) {
	t.Helper()
	config.Seed, config.Plan = *chance, faultproxy.Mix(*chance, 0.2, honest()...)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	p := openProxied(t, config, sandbox.WithKey(nonceKey, &key.PublicKey))
	if nonces {
		p.withNonces(t, key)
	}
	total := fundWorld(t, p.world)
	list := make([]proxiedPayment, count)
	random := mathrand.New(mathrand.NewPCG(*chance, *chance))
	for i := range list {
		list[i] = proxiedPayment{name: "payment", n: i, kind: kindsOfPayment[random.IntN(len(kindsOfPayment))]}
	}
	tally(t, p.payThrough(t, list))
	checkPaid(t, p.world, list, total)
}

// each calls f for each number below count, from eight goroutines.
func each(count int, f func(n int)) {
	var following atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for n := int(following.Add(1)) - 1; n < count; n = int(following.Add(1)) - 1 {
				f(n)
			}
		})
	}
	wg.Wait()
}

// payThrough makes the payments, with a read now and then, so that stale answers are of many kinds.
func (p *proxied) payThrough(t *testing.T, list []proxiedPayment) []verdict {
	t.Helper()
	type ended struct {
		call, kind string
		err        error
	}
	var mu sync.Mutex
	var calls []ended
	var wrongReads, givenUp atomic.Int64
	each(len(list), func(n int) {
		for i := 0; ; i++ {
			call := fmt.Sprintf("%s %d, call %d", list[n].kind, n, i+1)
			ctx, cancel := context.WithTimeout(t.Context(), callTime)
			made, err := list[n].send(ctx, p.world, p.client.Client, qredo.WithHeader(callHeader, call))
			cancel()
			mu.Lock()
			calls = append(calls, ended{call, list[n].kind, err})
			mu.Unlock()
			if err == nil {
				list[n].tx = made.TxID
				break
			}
			if i == mostCalls {
				if givenUp.Add(1) == 1 {
					t.Logf("the first payment that is given up: %s: %v", call, err)
				}
				return
			}
		}
		if n%5 == 0 {
			if wallet, err := p.client.Wallets.Get(t.Context(), p.world.BTC); err == nil && wallet.ID != p.world.BTC {
				wrongReads.Add(1)
			}
		}
	})
	p.Settle()
	verdicts := make([]verdict, len(calls))
	for i, c := range calls {
		verdicts[i] = p.judge(c.call, c.kind, c.err)
	}
	assert.Zero(t, wrongReads.Load(), "reads that gave another thing")
	assert.Zero(t, givenUp.Load(), "payments that could not be made")
	t.Logf("%d payments, %d calls, %d requests", len(list), len(calls), len(p.Records()))
	return verdicts
}

// fundWorld gives the wallets what all payments together need, and returns the deposits in BTC.
func fundWorld(t *testing.T, w *clienttest.World) (deposited qredo.Amount) {
	t.Helper()
	const much = 1_000_000_000_000
	w.Deposit(t, w.BTC, much)
	w.Deposit(t, w.Dedicated, much)
	state, err := w.Srv.State()
	require.NoError(t, err)
	return state.Totals["BTC"].Deposited
}

// checkPaid asserts that each payment is a transaction of its own that moves what it should, that there is no other, and,
// when all are approved, that every unit is where it belongs.
func checkPaid(t *testing.T, w *clienttest.World, list []proxiedPayment, deposited qredo.Amount) {
	t.Helper()
	state, err := w.Srv.State()
	require.NoError(t, err)
	const deposits = 7 // five wallets of the world, and two more times
	assert.Equal(t, len(list)+deposits, state.Transactions)
	before := balances(t, w)
	var mu sync.Mutex
	seen := map[qredo.TxID]bool{}
	var fees, out, swept, transferred qredo.Amount
	each(len(list), func(n int) {
		p := list[n]
		if p.tx == "" {
			return // the test has failed
		}
		tx, err := p.read(t.Context(), w)
		if err != nil {
			t.Errorf("%s: %v", p.key(), err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		assert.False(t, seen[p.tx], "%s is a transaction of two payments", p.tx)
		seen[p.tx] = true
		amount := amountOf(p.n)
		fee := (amount + 999) / 1000 // the sandbox's rate: a thousandth, rounded up
		if p.kind != "swap" {
			assert.Equal(t, amount, tx.Details.NetAmount, p.key())
			fees += fee
		}
		switch p.kind {
		case "transfer":
			transferred += amount
		case "withdrawal":
			out += amount
		case "sweep":
			swept += amount + fee
		}
	})
	approvePayments(t, w, list)
	state, err = w.Srv.State()
	require.NoError(t, err)
	totals := state.Totals["BTC"]
	assert.Equal(t, []qredo.Amount{deposited, out, fees, deposited - out - fees}, []qredo.Amount{totals.Deposited, totals.Withdrawn, totals.Fees, totals.Balances})
	after := balances(t, w)
	assert.Equal(t, transferred, after[w.OtherBTC]-before[w.OtherBTC])
	assert.Equal(t, swept, before[w.Dedicated]-after[w.Dedicated])
}

// balances are the balances of the BTC wallets.
func balances(t *testing.T, w *clienttest.World) map[qredo.WalletID]qredo.Amount {
	t.Helper()
	list := map[qredo.WalletID]qredo.Amount{}
	for _, id := range []qredo.WalletID{w.BTC, w.OtherBTC, w.Dedicated} {
		wallet, err := w.Client.Wallets.Get(t.Context(), id)
		require.NoError(t, err)
		list[id] = wallet.Balance
	}
	return list
}

// approvePayments approves all but the swaps, past the proxy.
func approvePayments(t *testing.T, w *clienttest.World, list []proxiedPayment) {
	t.Helper()
	swaps := map[qredo.TxID]bool{}
	for _, p := range list {
		swaps[p.tx] = p.kind == "swap"
	}
	for _, who := range []*qredo.CoreClient{w.Robot, w.Desk} {
		pending := w.Pending(t, who)
		each(len(pending), func(n int) {
			action, err := w.Client.CoreClients.GetAction(t.Context(), who.ID, pending[n].ID)
			if assert.NoError(t, err) && !swaps[action.Details.TxID] {
				assert.NoError(t, w.Client.CoreClients.Approve(t.Context(), who.ID, action.ID))
			}
		})
	}
}
