package postgres_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

// testPrograms has four outboxes with a store of their own each, as programs on several machines have, send
// what two of them enqueue, through faults, with leases so short that entries are taken away.
func testPrograms(t *testing.T, database string) {
	const payments, programs = 60, 4
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer func() { assert.NoError(t, srv.Close()) }()
	request := newBank(t, srv)
	require.NoError(t, srv.SetFaults(1,
		sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Rate: 0.1},
		sandbox.FaultRule{Kind: sandbox.FaultErrorHandled, Rate: 0.1},
		sandbox.FaultRule{Kind: sandbox.FaultDropRequest, Rate: 0.1}))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	running, stop := context.WithCancel(ctx)
	var boxes []*outbox.Outbox
	var workers, writers sync.WaitGroup
	for range programs {
		box, err := outbox.New(
			srv.Client(qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1})), openStore(t, database),
			outbox.WithPollInterval(20*time.Millisecond), outbox.WithBackoff(time.Millisecond, 20*time.Millisecond),
			outbox.WithLease(time.Second), outbox.WithConcurrency(3))
		require.NoError(t, err)
		boxes = append(boxes, box)
		workers.Go(func() { assert.NoError(t, box.Run(running)) })
	}
	for _, box := range boxes[:2] { // both enqueue all
		writers.Go(func() {
			for i := range payments {
				_, err := box.Enqueue(ctx, fmt.Sprint("payment-", i), request(qredo.Amount(1000+i)))
				assert.NoError(t, err)
			}
		})
	}
	writers.Wait()
	seen := map[qredo.TxID]string{}
	for i := range payments {
		key := fmt.Sprint("payment-", i)
		e := watch(ctx, t, boxes[2], key, func(e outbox.Entry) bool { return e.TxID != "" })
		assert.Empty(t, seen[e.TxID], "%s has the transaction of another", key)
		seen[e.TxID] = key
		require.NoError(t, srv.Approve(approver, string(e.TxID)))
	}
	for i := range payments {
		e := watch(ctx, t, boxes[3], fmt.Sprint("payment-", i), func(e outbox.Entry) bool { return e.State.Ended() })
		assert.Equal(t, outbox.StateDone, e.State, e.Reason)
	}
	stop()
	workers.Wait()
	state, err := srv.State()
	require.NoError(t, err)
	assert.Equal(t, payments+1, state.Transactions, "the payments and the deposit")
}

// watch watches an entry until it is as wanted.
func watch(ctx context.Context, t *testing.T, box *outbox.Outbox, key string, wanted func(outbox.Entry) bool) outbox.Entry {
	t.Helper()
	for e, err := range box.Watch(ctx, key) {
		require.NoError(t, err)
		if wanted(e) {
			return e
		}
	}
	require.Fail(t, "it never became so", key)
	return outbox.Entry{}
}

const approver = "approver@example.com"

// newBank sets up a wallet with money and returns how to ask for a transfer out of it.
func newBank(t *testing.T, srv *sandbox.Server) func(qredo.Amount) outbox.Request {
	t.Helper()
	ctx, client := t.Context(), srv.Client()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Bank"})
	require.NoError(t, err)
	_, err = srv.CreateUser(sandbox.User{Email: approver})
	require.NoError(t, err)
	require.NoError(t, client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: approver}))
	require.NoError(t, srv.Accept(approver, company.ID))
	parties, err := client.TrustedNetwork.List(ctx, company.ID)
	require.NoError(t, err)
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{parties[0].ID}}
	made, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Fund", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{{Name: "from", Asset: "BTC"}, {Name: "to", Asset: "BTC"}},
	})
	require.NoError(t, err)
	fund, err := client.Funds.Get(ctx, company.ID, made.ID)
	require.NoError(t, err)
	_, err = srv.Deposit(fund.Wallets[0].Address, 1_000_000)
	require.NoError(t, err)
	expires := qredo.TimeOf(time.Now().Add(time.Hour))
	return func(amount qredo.Amount) outbox.Request {
		return outbox.Transfer{CompanyID: company.ID, TransferRequest: qredo.TransferRequest{
			WalletID: fund.Wallets[0].ID, Counterparty: string(fund.Wallets[1].ID), Expires: expires,
			Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
		}}
	}
}
