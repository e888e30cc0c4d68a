package scenario_test

import (
	"crypto/rand"
	"crypto/rsa"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// TestMainJob does the whole job with each way in which a client can be authenticated.
func TestMainJob(t *testing.T) {
	for name, connect := range map[string]func(t *testing.T) (*qredo.Client, *sandbox.Sandbox){
		"the sandbox's key": func(t *testing.T) (*qredo.Client, *sandbox.Sandbox) {
			srv := start(t)
			return srv.Client(), srv.Sandbox
		},
		"an own key": func(t *testing.T) (*qredo.Client, *sandbox.Sandbox) {
			key := newKey(t)
			srv := start(t, sandbox.WithKey("an-exchange", &key.PublicKey))
			auth, err := qredo.NewRSAAuth(" an-exchange\n", key)
			require.NoError(t, err)
			return connected(t, auth, srv), srv.Sandbox
		},
		"an own key with nonces": func(t *testing.T) (*qredo.Client, *sandbox.Sandbox) {
			key := newKey(t)
			srv := start(t, sandbox.WithKey("an-exchange", &key.PublicKey))
			var last atomic.Int64
			auth, err := qredo.NewRSAAuth("an-exchange", key, qredo.WithNonce(func() string {
				return strconv.FormatInt(last.Add(1), 10)
			}))
			require.NoError(t, err)
			return connected(t, auth, srv), srv.Sandbox
		},
		"over TLS": func(t *testing.T) (*qredo.Client, *sandbox.Sandbox) {
			srv := start(t, sandbox.WithTLS(t.TempDir()))
			require.Contains(t, srv.BaseURL(), "https://")
			return srv.Client(), srv.Sandbox
		},
		"testnet assets only": func(t *testing.T) (*qredo.Client, *sandbox.Sandbox) {
			srv := start(t, sandbox.WithTestnetOnly())
			return srv.Client(), srv.Sandbox
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, service := connect(t)
			doMainJob(t, newExchange(t, client, service, 2))
		})
	}
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

func connected(t *testing.T, auth qredo.Authenticator, srv *sandbox.Server) *qredo.Client {
	t.Helper()
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(srv.BaseURL()))
	require.NoError(t, err)
	return client
}

// doMainJob transfers and withdraws with two of three approvals and checks everything that reports it.
func doMainJob(t *testing.T, x *exchange) {
	t.Helper()
	ctx := t.Context()
	fees, err := x.client.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: btc, Amount: 200_000})
	require.NoError(t, err)
	assert.Equal(t, qredo.Fees{AmountToSend: 200_200, NetAmount: 200_000, Fees: 200}, *fees)

	transfer := x.transfer(200_000)
	require.NoError(t, x.service.Approve(alice, string(transfer)))
	pending, err := x.client.Transfers.Get(ctx, x.company, transfer)
	require.NoError(t, err)
	assert.Equal(t, qredo.TxPending, pending.Status)
	assert.Equal(t, []int{1, 2, 3}, []int{pending.ApprovedCount, pending.ThresholdRequired, len(pending.Approvals)})
	assert.Equal(t, [2]qredo.Amount{1_000_000, 0}, x.balances())
	require.NoError(t, x.service.Approve(carol, string(transfer)))
	done, err := x.client.Transfers.Wait(ctx, x.company, transfer)
	require.NoError(t, err)
	assert.Equal(t, qredo.TxApproved, done.Status)
	assert.Equal(t, qredo.Amount(200_000), done.Details.NetAmount)
	assert.Equal(t, []qredo.ApprovalStatus{qredo.ApprovalApproved, qredo.ApprovalPending, qredo.ApprovalApproved},
		[]qredo.ApprovalStatus{done.Approvals[0].Status, done.Approvals[1].Status, done.Approvals[2].Status})
	assert.Equal(t, [2]qredo.Amount{799_800, 200_000}, x.balances())

	withdrawal := x.withdrawal(2800)
	require.NoError(t, x.service.Approve(bob, string(withdrawal)))
	require.NoError(t, x.service.Approve(carol, string(withdrawal)))
	out, err := x.client.Transfers.WaitWithdrawal(ctx, x.company, withdrawal)
	require.NoError(t, err)
	assert.Equal(t, payout, out.Details.RecipientAddress)
	assert.Equal(t, qredo.Amount(3), out.Details.Fees)
	assert.Equal(t, [2]qredo.Amount{796_997, 200_000}, x.balances())

	holdings, err := x.client.Companies.ListHoldings(ctx, x.company)
	require.NoError(t, err)
	assert.Equal(t, []qredo.Holding{{Asset: btc, Amount: 996_997}}, holdings)
	history, err := x.client.Wallets.ListHistory(ctx, x.treasury.ID, qredo.HistoryOptions{})
	require.NoError(t, err)
	require.Len(t, history, 3)
	assert.Equal(t, []qredo.Amount{1_000_000, -200_200, -2803}, []qredo.Amount{history[0].Amount, history[1].Amount, history[2].Amount})
	page, err := x.client.Funds.ListLedger(ctx, x.company, x.fund, qredo.LedgerOptions{})
	require.NoError(t, err)
	require.Equal(t, 4, page.Total)
	var types []qredo.EntryType
	for _, e := range page.Entries {
		types = append(types, e.Type)
	}
	assert.Equal(t, []qredo.EntryType{qredo.EntryWithdraw, qredo.EntryTransferIn, qredo.EntryTransferOut, qredo.EntryDeposit}, types)
	keys := map[string]qredo.Amount{}
	for _, e := range page.Entries {
		if e.WalletID == x.treasury.ID {
			keys[e.Key()] = e.Signed()
		}
	}
	require.Len(t, keys, 3)
	for _, e := range history {
		assert.Equal(t, e.Amount, keys[e.Key()], "%s is in the ledger under the key that it has in the history", e.Key())
	}
	assert.Equal(t, []qredo.TxID{withdrawal, transfer, transfer, ""},
		[]qredo.TxID{page.Entries[0].TxID, page.Entries[1].TxID, page.Entries[2].TxID, page.Entries[3].TxID})
}

func TestRefusalsReachTheCallerAsTheirSentinels(t *testing.T) {
	ctx := t.Context()
	srv := start(t, sandbox.WithCompanyConflict(), sandbox.WithStrictChecks())
	client := srv.Client()
	x := newExchange(t, client, srv.Sandbox, 2)
	expires := qredo.TimeOf(srv.Now().Add(time.Hour))
	for name, test := range map[string]struct {
		call func() error
		want error
	}{
		"a company twice": {func() error {
			_, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme Exchange", Ref: t.Name()})
			return err
		}, qredo.ErrConflict},
		"an asset twice": {func() error {
			_, err := client.Funds.AddAssets(ctx, x.company, x.fund, []qredo.AssetCode{btc})
			return err
		}, qredo.ErrConflict},
		"an unknown wallet": {func() error { _, err := client.Wallets.Get(ctx, "none"); return err }, qredo.ErrNotFound},
		"an unknown person": {func() error {
			return client.TrustedNetwork.Add(ctx, x.company, qredo.TrustedPartyRequest{Address: "nobody.example"})
		}, qredo.ErrNotFound},
		"more than there is": {func() error {
			_, err := client.Transfers.Create(ctx, x.company, qredo.TransferRequest{
				WalletID: x.treasury.ID, Counterparty: string(x.trading.ID), Expires: expires,
				Send: qredo.AssetAmount{Asset: btc, Amount: 1_000_001},
			})
			return err
		}, qredo.ErrBadRequest},
		"an address that is not whitelisted": {func() error {
			_, err := client.Transfers.Withdraw(ctx, x.company, qredo.WithdrawalRequest{
				WalletID: x.treasury.ID, Address: "elsewhere", Expires: expires, Send: qredo.AssetAmount{Asset: btc, Amount: 1},
			})
			return err
		}, qredo.ErrBadRequest},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorIs(t, test.call(), test.want) })
	}
	t.Run("a key that is not the API key's", func(t *testing.T) {
		key, other := newKey(t), newKey(t)
		srv := start(t, sandbox.WithKey("an-exchange", &key.PublicKey))
		auth, err := qredo.NewRSAAuth("an-exchange", other)
		require.NoError(t, err)
		_, err = connected(t, auth, srv).Assets.List(ctx)
		require.ErrorIs(t, err, qredo.ErrBadSignature)
	})
	t.Run("a clock that is wrong", func(t *testing.T) {
		late := srv.Client(qredo.WithClock(func() time.Time { return time.Now().Add(-6 * time.Minute) }))
		_, err := late.Assets.List(ctx, qredo.WithoutRetry())
		require.ErrorIs(t, err, qredo.ErrUnauthorized)
		require.ErrorIs(t, err, qredo.ErrClockSkew)
		require.NotErrorIs(t, err, qredo.ErrBadSignature)
	})
	t.Run("a clock that is wrong is set by the sandbox's answer", func(t *testing.T) {
		for _, off := range []time.Duration{-6 * time.Minute, 6 * time.Minute, 30 * 24 * time.Hour} {
			client := srv.Client(qredo.WithClock(func() time.Time { return time.Now().Add(off) }))
			_, err := client.Assets.List(ctx)
			require.NoError(t, err, "off by %s", off)
		}
	})
	t.Run("a sandbox whose clock is years behind", func(t *testing.T) {
		past := time.Now().AddDate(-5, 0, 0)
		srv := start(t, sandbox.WithClock(func() time.Time { return past }))
		_, err := srv.Client(qredo.WithClock(time.Now)).Assets.List(ctx)
		require.NoError(t, err, "a client with the machine's clock follows the sandbox's")
	})
	t.Run("a nonce used before", func(t *testing.T) {
		key := newKey(t)
		srv := start(t, sandbox.WithKey("an-exchange", &key.PublicKey))
		auth, err := qredo.NewRSAAuth("an-exchange", key, qredo.WithNonce(func() string { return "1" }))
		require.NoError(t, err)
		client := connected(t, auth, srv)
		_, err = client.Assets.List(ctx)
		require.NoError(t, err)
		_, err = client.Assets.List(ctx)
		require.ErrorIs(t, err, qredo.ErrUnauthorized)
	})
}
