package world_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
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

// TestPage finds each Go block of docs/testing.md in this file, whose tests run: the page shows nothing else.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/testing.md")
	require.NoError(t, err)
	source, err := os.ReadFile("page_test.go")
	require.NoError(t, err)
	blocks := strings.Split(string(page), "```go\n")[1:]
	require.GreaterOrEqual(t, len(blocks), 8)
	for _, block := range blocks {
		code, _, closed := strings.Cut(block, "```")
		require.True(t, closed)
		assert.Contains(t, string(source), "\n"+code, "a block of the page that is not tested here")
	}
}

// transfers are the client's methods that a Payer needs.
type transfers interface {
	Withdraw(ctx context.Context, companyID qredo.CompanyID, req qredo.WithdrawalRequest, opts ...qredo.CallOption) (*qredo.Submission, error)
	WaitWithdrawal(ctx context.Context, companyID qredo.CompanyID, txID qredo.TxID, opts ...qredo.CallOption) (*qredo.Transaction, error)
}

// Payer pays customers.
type Payer struct {
	Transfers transfers
	Company   qredo.CompanyID
	Wallet    qredo.WalletID
	Now       func() time.Time
}

// Pay pays an order once, and returns what has become of it: "paid", how it ended, or "unknown": then call it again until it returns
// another result. An error says nothing about earlier calls whose outcome was unknown.
func (p Payer) Pay(ctx context.Context, order, address string, amount qredo.AssetAmount) (string, error) {
	sent, err := p.Transfers.Withdraw(ctx, p.Company, qredo.WithdrawalRequest{
		WalletID: p.Wallet, Address: address, Send: amount,
		PartnerTxID: qredo.PartnerTxID(order), Expires: qredo.TimeOf(p.Now().Add(10 * time.Minute)),
	})
	if errors.Is(err, qredo.ErrOutcomeUnknown) {
		return "unknown", nil
	}
	if err != nil {
		return "", err
	}
	_, err = p.Transfers.WaitWithdrawal(ctx, p.Company, sent.TxID)
	var ended *qredo.TxError
	if errors.As(err, &ended) {
		return string(ended.Status), nil
	}
	if err != nil {
		return "", err
	}
	return "paid", nil
}

var coffee = qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 100_000}

func TestPayerSaysHowAPaymentEnded(t *testing.T) {
	fake := &qredotest.FakeTransfers{
		T: t,
		WithdrawFunc: func(context.Context, qredo.CompanyID, qredo.WithdrawalRequest, ...qredo.CallOption) (*qredo.Submission, error) {
			return &qredo.Submission{TxID: "tx-1", Status: qredo.SubmissionNew}, nil
		},
		WaitWithdrawalFunc: func(context.Context, qredo.CompanyID, qredo.TxID, ...qredo.CallOption) (*qredo.Transaction, error) {
			return nil, &qredo.TxError{TxID: "tx-1", Status: qredo.TxRejected}
		},
	}
	payer := Payer{Transfers: fake, Company: "acme", Wallet: "hot", Now: time.Now}
	got, err := payer.Pay(t.Context(), "order-1", "an address", coffee)
	require.NoError(t, err)
	assert.Equal(t, "rejected", got)
	asked := fake.WithdrawCalls()
	require.Len(t, asked, 1)
	assert.Equal(t, qredo.PartnerTxID("order-1"), asked[0].Req.PartnerTxID)
	assert.Equal(t, []string{"Withdraw", "WaitWithdrawal"}, fake.Calls())
}

func TestPayerWhereTheOutcomeIsUnknown(t *testing.T) {
	const withdraw = "POST /company/{company_id}/withdraw"
	sent := qredotest.FixtureOf(withdraw).Answer()
	for name, answer := range map[string]qredotest.Answer{
		"the answer is lost":       qredotest.Lost(sent),
		"the answer is cut":        qredotest.Cut(sent, 20),
		"a proxy answers":          qredotest.ProxyPage(http.StatusBadGateway),
		"a limit, and then a page": qredotest.InTurn(qredotest.RateLimited(0), qredotest.ProxyPage(http.StatusOK)),
	} {
		synctest.Test(t, func(t *testing.T) { // pauses between attempts take no time
			service := qredotest.NewService(t).On(withdraw, answer)
			client := service.Client(qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 2}))
			payer := Payer{Transfers: client.Transfers, Company: qredotest.CompanyID, Wallet: qredotest.WalletID, Now: qredotest.FixtureTime}
			got, err := payer.Pay(t.Context(), "order-1", qredotest.WhitelistedAddress, coffee)
			require.NoError(t, err, name)
			assert.Equal(t, "unknown", got, name)
			requests := service.Requests(withdraw)
			require.Len(t, requests, 2, name)
			assert.Equal(t, requests[0].Body, requests[1].Body, "it is the same payment")
		})
	}
}

func TestWithHTTPMock(t *testing.T) {
	transport := httpmock.NewMockTransport()
	transport.RegisterResponder("GET", "https://custody.example/api/v1/p/assets",
		qredotest.Refusal(http.StatusForbidden, "no access to assets").RoundTrip)
	client := qredotest.NewService(t).Client(
		qredo.WithBaseURL("https://custody.example/api/v1/p"), qredo.WithHTTPClient(&http.Client{Transport: transport}))
	_, err := client.Assets.List(t.Context())
	require.ErrorIs(t, err, qredo.ErrForbidden)
}

func TestKeptAnswersAreRead(t *testing.T) {
	f := qredotest.FixtureOf("GET /company/{company_id}/fund/{fund_id}/ledger")
	var page qredo.LedgerPage
	require.NoError(t, qredo.Unmarshal(f.Response, &page)) // as the service sends it
	assert.Equal(t, f.Value, &page)
}

func TestPayerPays(t *testing.T) {
	world.Test(t, func(t *testing.T, w *world.World) {
		w.Approver("robot", approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
			return approver.Decision{Verdict: approver.Approve, Reason: "a test"}, nil
		}))
		payer := Payer{Transfers: w.Client.Transfers, Company: w.Company("Acme"), Wallet: w.Wallet("Acme/Treasury/Hot"), Now: w.Now}
		for range 2 { // the second time it is the same payment
			got, err := payer.Pay(t.Context(), "order-1", qredotest.WhitelistedAddress, coffee)
			require.NoError(t, err)
			assert.Equal(t, "paid", got)
		}
		assert.Equal(t, qredo.Amount(10_0000_0000-100_100), w.Balance("Acme/Treasury/Hot"))
	})
}

func TestPayerWhereNobodyApproves(t *testing.T) {
	world.Test(t, func(t *testing.T, w *world.World) {
		payer := Payer{Transfers: w.Client.Transfers, Company: w.Company("Acme"), Wallet: w.Wallet("Acme/Treasury/Hot"), Now: w.Now}
		began := w.Now()
		got, err := payer.Pay(t.Context(), "order-1", qredotest.WhitelistedAddress, coffee) // it waits ten minutes, which are over at once
		require.NoError(t, err)
		assert.Equal(t, "expired", got)
		assert.GreaterOrEqual(t, w.Now().Sub(began), 10*time.Minute)
	})
}

func TestPaymentsThroughAnOutbox(t *testing.T) {
	world.Test(t, func(t *testing.T, w *world.World) {
		require.NoError(t, w.Sandbox.SetFaults(1, sandbox.FaultRule{
			Kind: sandbox.FaultDropAnswer, Operation: "POST /company/{company_id}/withdraw", Rate: 1, Times: 6,
		}))
		var left qredo.Amount
		w.Inbox(func(_ context.Context, _ inbox.NoTx, m inbox.Movement) error {
			left += m.Amount
			return nil
		}, inbox.WithFunds(w.Company("Acme"), w.Fund("Acme/Treasury")))
		payouts := w.Outbox()
		_, err := payouts.Enqueue(t.Context(), "order-1", outbox.Withdrawal{CompanyID: w.Company("Acme"), WithdrawalRequest: qredo.WithdrawalRequest{
			WalletID: w.Wallet("Acme/Treasury/Hot"), Address: qredotest.WhitelistedAddress, Send: coffee, Expires: w.Expires(24 * time.Hour),
		}})
		require.NoError(t, err)
		w.Advance(10 * time.Minute) // six answers are lost, and there is one payment
		entry, err := payouts.Get(t.Context(), "order-1")
		require.NoError(t, err)
		require.Equal(t, outbox.StateSent, entry.State)
		require.NoError(t, w.Sandbox.Approve(string(w.CoreClient("robot")), string(entry.TxID)))
		w.Advance(10 * time.Minute)
		assert.Equal(t, qredo.Amount(-100_100), left)
	})
}

func TestPayerOnThisMachine(t *testing.T) {
	w := world.Start(t) // a sandbox on a port: other processes and a database may be part of the test
	w.Approver("robot", approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Reason: "a test"}, nil
	}))
	payouts := w.Outbox(outbox.WithPollInterval(10 * time.Millisecond)) // it waits by the real clock
	_, err := payouts.Enqueue(t.Context(), "order-1", outbox.Withdrawal{CompanyID: w.Company("Acme"), WithdrawalRequest: qredo.WithdrawalRequest{
		WalletID: w.Wallet("Acme/Treasury/Hot"), Address: qredotest.WhitelistedAddress, Send: coffee, Expires: w.Expires(time.Hour),
	}})
	require.NoError(t, err)
	qredotest.Eventually(t.Context(), t, func(ctx context.Context) error {
		entry, err := payouts.Get(ctx, "order-1")
		if err == nil && entry.State != outbox.StateDone {
			err = fmt.Errorf("the payout is %s", entry.State)
		}
		return err
	})
}
