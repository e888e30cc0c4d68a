package faulttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// everyFault hits a fifth of the requests, with each kind of fault about as often as the others.
func everyFault() []sandbox.FaultRule {
	kinds := []sandbox.FaultKind{
		sandbox.FaultDropRequest, sandbox.FaultDropAnswer, sandbox.FaultCutBody, sandbox.FaultServerError, sandbox.FaultErrorHandled,
		sandbox.FaultRateLimit, sandbox.FaultDelay, sandbox.FaultHTML, sandbox.FaultNoTxID, sandbox.FaultSkewedDate,
	}
	rules := make([]sandbox.FaultRule, len(kinds))
	for i, kind := range kinds {
		// A rule is asked only when those before it did not hit.
		rules[i] = sandbox.FaultRule{Kind: kind, Rate: 0.02 / (1 - 0.02*float64(i)), Delay: 0, Skew: 3 * time.Hour}
		if kind == sandbox.FaultDelay {
			rules[i].Delay = 2 * time.Millisecond
		}
	}
	return rules
}

// bank is a company with two wallets, whose transfers and withdrawals one person approves.
type bank struct {
	client   *qredo.Client
	company  qredo.CompanyID
	fund     qredo.FundID
	from, to qredo.Wallet
}

const (
	approver = "approver@example.com"
	outside  = "an address outside"
	asset    = qredo.AssetCode("BTC")
	funds    = qredo.Amount(1_000_000_000_000)
)

// control plays the person and the chain, in this process or in another.
type control interface {
	CreateUser(ctx context.Context, user sandbox.User) (sandbox.User, error)
	Accept(ctx context.Context, user string, company qredo.CompanyID) error
	Deposit(ctx context.Context, address string, amount qredo.Amount) (sandbox.Deposit, error)
	Approve(ctx context.Context, user, actionOrTxID string) error
	State(ctx context.Context) (sandbox.State, error)
}

// openCompany makes a company, whose payments one person approves.
func openCompany(t *testing.T, client *qredo.Client, people control) (qredo.CompanyID, *qredo.CustodyGroup) {
	t.Helper()
	ctx := t.Context()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Bank"})
	require.NoError(t, err)
	_, err = people.CreateUser(ctx, sandbox.User{Email: approver})
	require.NoError(t, err)
	require.NoError(t, client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: approver}))
	require.NoError(t, people.Accept(ctx, approver, company.ID))
	parties, err := client.TrustedNetwork.List(ctx, company.ID)
	require.NoError(t, err)
	return company.ID, &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{parties[0].ID}}
}

// openFund makes a fund with wallets, which may withdraw to the address outside.
func openFund(t *testing.T, client *qredo.Client, company qredo.CompanyID, group *qredo.CustodyGroup, wallets ...qredo.WalletRequest) *qredo.Fund {
	t.Helper()
	ctx := t.Context()
	made, err := client.Funds.Create(ctx, company, qredo.FundRequest{Name: "Fund", CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: wallets})
	require.NoError(t, err)
	require.NoError(t, client.Funds.AddToWhitelist(ctx, company, made.ID, qredo.WhitelistEntry{Asset: asset, Address: outside}))
	fund, err := client.Funds.Get(ctx, company, made.ID)
	require.NoError(t, err)
	return fund
}

func openBank(t *testing.T, client *qredo.Client, people control) *bank {
	t.Helper()
	company, group := openCompany(t, client, people)
	fund := openFund(t, client, company, group, qredo.WalletRequest{Name: "from", Asset: asset}, qredo.WalletRequest{Name: "to", Asset: asset})
	b := &bank{client: client, company: company, fund: fund.ID, from: fund.Wallets[0], to: fund.Wallets[1]}
	_, err := people.Deposit(t.Context(), b.from.Address, funds)
	require.NoError(t, err)
	return b
}

// payment is one transfer or withdrawal that a program wants to be made once.
type payment struct {
	withdrawal bool
	amount     qredo.Amount
	key        qredo.PartnerTxID
	tx         qredo.TxID
}

func payments(n int, seed uint64) []payment {
	random := rand.New(rand.NewPCG(seed, seed))
	list := make([]payment, n)
	for i := range list {
		list[i] = payment{
			withdrawal: random.IntN(2) == 0, amount: qredo.Amount(1 + random.IntN(50_000)), key: qredo.PartnerTxID(fmt.Sprintf("payment-%d", i)),
		}
	}
	return list
}

// pay sends a payment until it is known to be made. It returns how often the call failed.
func (b *bank) pay(ctx context.Context, p *payment) (failures, unknown int, err error) {
	expires := qredo.TimeOf(time.Now().Add(24 * time.Hour))
	send := qredo.AssetAmount{Asset: asset, Amount: p.amount}
	for ctx.Err() == nil {
		var made *qredo.Submission
		if p.withdrawal {
			made, err = b.client.Transfers.Withdraw(ctx, b.company, qredo.WithdrawalRequest{
				WalletID: b.from.ID, Address: outside, PartnerTxID: p.key, Expires: expires, Send: send,
			})
		} else {
			made, err = b.client.Transfers.Create(ctx, b.company, qredo.TransferRequest{
				WalletID: b.from.ID, Counterparty: string(b.to.ID), PartnerTxID: p.key, Expires: expires, Send: send,
			})
		}
		if err == nil {
			p.tx = made.TxID
			return failures, unknown, nil
		}
		failures++
		var outcome *qredo.UnknownOutcomeError
		switch {
		case errors.As(err, &outcome):
			unknown++
			if outcome.PartnerTxID != p.key {
				return failures, unknown, fmt.Errorf("the unknown outcome of %s names %s", p.key, outcome.PartnerTxID)
			}
		case errors.Is(err, qredo.ErrBadRequest), errors.Is(err, qredo.ErrUnauthorized):
			return failures, unknown, err // none of the faults here can cause these
		}
	}
	return failures, unknown, ctx.Err()
}

// payAll sends payments from eight goroutines, and calls onMade, if there is one, with how many are made.
func (b *bank) payAll(t *testing.T, list []payment, onMade func(made int64)) {
	t.Helper()
	var (
		made              atomic.Int64
		wg                sync.WaitGroup
		mu                sync.Mutex
		failures, unknown int
	)
	const goroutines = 8
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < len(list); i += goroutines {
				failed, unsure, err := b.pay(t.Context(), &list[i])
				if err != nil {
					t.Errorf("%s: %v", list[i].key, err)
					return
				}
				if n := made.Add(1); onMade != nil {
					onMade(n)
				}
				mu.Lock()
				failures, unknown = failures+failed, unknown+unsure
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Logf("%d payments made; %d calls ended in an error, %d of them with an unknown outcome", len(list), failures, unknown)
}

// settle approves all payments.
func settle(t *testing.T, people control, list []payment) {
	t.Helper()
	var wg sync.WaitGroup
	const goroutines = 8
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < len(list); i += goroutines {
				if !assert.NoError(t, people.Approve(t.Context(), approver, string(list[i].tx))) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// check asserts that each payment was made once, and that every unit is where it belongs.
func (b *bank) check(t *testing.T, people control, list []payment) {
	t.Helper()
	seen := map[qredo.TxID]qredo.PartnerTxID{}
	var transferred, withdrawn, fees, arrived, gone qredo.Amount
	for _, p := range list {
		require.Empty(t, seen[p.tx], "%s and %s are one transaction", seen[p.tx], p.key)
		seen[p.tx] = p.key
		fee := (p.amount + 999) / 1000 // the sandbox's rate: a thousandth, rounded up
		fees += fee
		if p.withdrawal {
			withdrawn, gone = withdrawn+p.amount+fee, gone+p.amount
		} else {
			transferred, arrived = transferred+p.amount+fee, arrived+p.amount
		}
	}
	state, err := people.State(t.Context())
	require.NoError(t, err)
	assert.Equal(t, len(list)+1, state.Transactions, "the payments and the deposit")
	assert.Equal(t, sandbox.Totals{
		Deposited: funds, Balances: funds - gone - fees, Withdrawn: gone, Fees: fees,
	}, state.Totals[asset])

	from, err := b.client.Wallets.Get(t.Context(), b.from.ID)
	require.NoError(t, err)
	to, err := b.client.Wallets.Get(t.Context(), b.to.ID)
	require.NoError(t, err)
	assert.Equal(t, funds-transferred-withdrawn, from.Balance)
	assert.Equal(t, arrived, to.Balance)

	entries := map[qredo.TxID]int{}
	for entry, err := range b.client.Funds.LedgerAll(t.Context(), b.company, b.fund, qredo.LedgerOptions{Direction: qredo.DirectionOut, Limit: 1000}) {
		require.NoError(t, err)
		entries[entry.TxID]++
	}
	assert.Equal(t, len(list), len(entries), "transactions in the ledger") //nolint:testifylint // Len would print them all
	for id, n := range entries {
		require.Equal(t, 1, n, "%s is listed more than once", id)
		require.NotEmpty(t, seen[id], "%s belongs to no payment", id)
	}
}

// inProcess is the control of a sandbox in this process.
type inProcess struct{ *sandbox.Server }

func (s inProcess) CreateUser(_ context.Context, user sandbox.User) (sandbox.User, error) {
	return s.Server.CreateUser(user)
}

func (s inProcess) Accept(_ context.Context, user string, company qredo.CompanyID) error {
	return s.Server.Accept(user, company)
}

func (s inProcess) Deposit(_ context.Context, address string, amount qredo.Amount) (sandbox.Deposit, error) {
	return s.Server.Deposit(address, amount)
}

func (s inProcess) Approve(_ context.Context, user, actionOrTxID string) error {
	return s.Server.Approve(user, actionOrTxID)
}

func (s inProcess) State(context.Context) (sandbox.State, error) { return s.Server.State() }

// impatient retries without long pauses, so that the test is quick.
func impatient() qredo.Option {
	return qredo.WithRetry(qredo.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond})
}

func TestExactlyOnceUnderFaults(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer func() { assert.NoError(t, srv.Close()) }()
	b := openBank(t, srv.Client(impatient()), inProcess{srv})
	const seed = 20
	list := payments(size(20_000, 2_000), seed)
	require.NoError(t, srv.SetFaults(seed, everyFault()...))
	b.payAll(t, list, nil)
	require.NoError(t, srv.SetFaults(0))
	settle(t, inProcess{srv}, list)
	b.check(t, inProcess{srv}, list)
}
