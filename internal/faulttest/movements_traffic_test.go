package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	movementsSeed = 31
	trafficFunds  = 4
)

// traffic is what moves in the funds of a company, past the proxy.
type traffic struct {
	sandbox *process
	company qredo.CompanyID
	funds   []qredo.FundID
	most    int        // wallets, in all funds together; half of them are made on the way
	wanted  int        // movements
	booked  func() int // how many the programs have booked, so that they are not left behind

	whole   sync.RWMutex // held for reading while one transaction of the chain pays twice, which nothing comes between
	mu      sync.Mutex
	wallets []qredo.Wallet
	made    int
	percent int // of the intended movements, the number for which the time was moved on
}

// openTraffic makes the funds, with half of the wallets; movements can start later in them.
func openTraffic(t *testing.T, s *process, most, wanted int) *traffic {
	t.Helper()
	tr := &traffic{sandbox: s, most: most, wanted: wanted}
	company, group := openCompany(t, s.client, s.people)
	tr.company = company
	for range trafficFunds {
		requests := make([]qredo.WalletRequest, most/2/trafficFunds)
		for i := range requests {
			requests[i] = qredo.WalletRequest{Name: fmt.Sprint("wallet ", i), Asset: asset}
		}
		fund := openFund(t, s.client, company, group, requests...)
		tr.funds = append(tr.funds, fund.ID)
		for _, w := range fund.Wallets {
			tr.deposit(t, w, openingBalance)
			tr.wallets = append(tr.wallets, w)
		}
	}
	return tr
}

// run makes movements until there are as many as are wanted.
func (tr *traffic) run(t *testing.T) {
	t.Helper()
	var wg sync.WaitGroup
	for g := range uint64(6) {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(movementsSeed, g))
			for tr.due(t) {
				if !assert.NoError(t, tr.something(t, random)) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// due waits while the programs are far behind, and reports whether more is to come. It moves the sandbox's time on, so
// that ledgers reach further back than is read again at each look.
func (tr *traffic) due(t *testing.T) bool {
	for ; ; _ = backoff.Wait(t.Context(), time.Millisecond) {
		booked := tr.booked()
		tr.mu.Lock()
		made := tr.made
		pass := made*100/tr.wanted > tr.percent
		if pass {
			tr.percent++
		}
		tr.mu.Unlock()
		if pass {
			tr.alone(func() { _ = tr.sandbox.people.Advance(t.Context(), 30*time.Second) })
		}
		if made >= tr.wanted || t.Context().Err() != nil {
			return false
		}
		if made-booked < max(50, tr.wanted/20) {
			return true
		}
	}
}

// alone does something while no transaction of the chain is halfway.
func (tr *traffic) alone(do func()) {
	tr.whole.Lock()
	defer tr.whole.Unlock()
	do()
}

func (tr *traffic) count(movements int) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.made += movements
}

// something makes a deposit, two that are alike, a transfer, a withdrawal or a new wallet.
func (tr *traffic) something(t *testing.T, random *rand.Rand) error {
	tr.mu.Lock()
	from, to := tr.wallets[random.IntN(len(tr.wallets))], tr.wallets[random.IntN(len(tr.wallets))]
	grow := len(tr.wallets) < tr.most/2+tr.most/2*tr.made/tr.wanted
	n := tr.made
	tr.mu.Unlock()
	amount := qredo.Amount(1 + random.IntN(50_000))
	if grow {
		return tr.grow(t, tr.funds[random.IntN(len(tr.funds))])
	}
	p := payment{amount: amount, key: qredo.PartnerTxID(fmt.Sprintf("movement-%d-%d", n, random.Uint64()))}
	b := bank{client: tr.sandbox.client, company: tr.company, from: from, to: to}
	switch kind := random.IntN(10); {
	case kind < 3:
		tr.deposit(t, to, amount)
		return nil
	case kind < 4:
		tr.pair(t, to, amount)
		return nil
	case kind < 6 || from.ID == to.ID:
		p.withdrawal = true
		_, _, err := b.pay(t.Context(), &p)
		tr.count(1)
		return err
	default:
		_, _, err := b.pay(t.Context(), &p)
		tr.count(2)
		return err
	}
}

func (tr *traffic) deposit(t *testing.T, to qredo.Wallet, amount qredo.Amount) {
	insist(t.Context(), t, func() error {
		_, err := tr.sandbox.people.Deposit(t.Context(), to.Address, amount)
		return err
	})
	tr.count(1)
}

// pair pays a wallet the same twice, by one transaction of the chain.
func (tr *traffic) pair(t *testing.T, to qredo.Wallet, amount qredo.Amount) {
	tr.whole.RLock()
	defer tr.whole.RUnlock()
	var first sandbox.Deposit
	insist(t.Context(), t, func() (err error) {
		first, err = tr.sandbox.people.Deposit(t.Context(), to.Address, amount)
		return err
	})
	insist(t.Context(), t, func() error {
		_, err := tr.sandbox.people.DepositBy(t.Context(), first.ChainTxID, to.Address, amount)
		return err
	})
	tr.count(2)
}

// grow makes a wallet, or two where the answer about the first was lost.
func (tr *traffic) grow(t *testing.T, fund qredo.FundID) error {
	var made []qredo.WalletID
	insist(t.Context(), t, func() (err error) {
		made, err = tr.sandbox.client.Funds.AddWallets(t.Context(), tr.company, fund, []qredo.WalletRequest{{Name: "made on the way", Asset: asset}})
		return err
	})
	var wallet *qredo.Wallet
	insist(t.Context(), t, func() (err error) {
		wallet, err = tr.sandbox.client.Wallets.Get(t.Context(), made[0])
		return err
	})
	if t.Context().Err() != nil {
		return t.Context().Err()
	}
	tr.deposit(t, *wallet, openingBalance)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.wallets = append(tr.wallets, *wallet)
	return nil
}

// refused is true of some payments, which are rejected.
func refused(p sandbox.PendingApproval) bool { return p.Amount%20 == 0 }

// booking is what a program books for a movement.
type booking struct {
	wallet qredo.WalletID
	amount qredo.Amount
}

// moved are the ledgers' entries, by the keys of movements: those since a time, and what each wallet had before.
func (tr *traffic) moved(ctx context.Context, t *testing.T, since time.Time) (movements map[string]booking, before map[qredo.WalletID]qredo.Amount) {
	t.Helper()
	movements, before = map[string]booking{}, map[qredo.WalletID]qredo.Amount{}
	for _, fund := range tr.funds {
		alike := map[string]int{}
		for e, err := range tr.sandbox.client.Funds.LedgerAll(ctx, tr.company, fund, qredo.LedgerOptions{}) {
			require.NoError(t, err)
			if !e.Moved() {
				continue
			}
			if e.Time.Before(since) {
				before[e.WalletID] += e.Signed()
				continue
			}
			key := e.Key()
			if alike[key]++; alike[key] > 1 {
				key = fmt.Sprintf("%s#%d", key, alike[key])
			}
			movements[key] = booking{e.WalletID, e.Signed()}
		}
	}
	return movements, before
}

// check compares what was booked, each key once, with the ledgers and the balances.
func (tr *traffic) check(t *testing.T, booked map[string]booking, since time.Time) {
	t.Helper()
	movements, sums := tr.moved(t.Context(), t, since)
	missed, strange := 0, 0
	for key, m := range movements {
		if got, ok := booked[key]; !ok || got != m {
			missed++
			t.Logf("not booked, or otherwise than %v: %s %v", m, key, got)
		}
	}
	for key, b := range booked {
		sums[b.wallet] += b.amount
		if _, ok := movements[key]; !ok {
			strange++
			t.Logf("booked, and not there: %s %v", key, b)
		}
	}
	assert.Zero(t, missed)
	assert.Zero(t, strange)
	state, err := tr.sandbox.people.State(t.Context())
	require.NoError(t, err)
	wallets := 0
	for _, c := range state.Companies {
		for _, f := range c.Funds {
			for _, w := range f.Wallets {
				assert.Equal(t, w.Balance, sums[w.ID], w.ID)
				wallets++
			}
		}
	}
	assert.GreaterOrEqual(t, len(movements), tr.wanted*8/10, "movements, where some payments were rejected")
	assert.InDelta(t, tr.most, wallets, float64(tr.most)/4)
	t.Logf("%d movements in %d wallets", len(movements), wallets)
}
