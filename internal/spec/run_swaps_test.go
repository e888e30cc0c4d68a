package spec

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func (r *run) swaps() {
	ctx, swaps := r.Context(), r.client.Swaps
	// The fund swaps with itself: its other BTC wallet takes what the first offers.
	taker := filled(r.client.Funds.AddWallets(ctx, r.companyID, r.fundID, []qredo.WalletRequest{{Name: "taker", Asset: "ETH"}}))(r)[0]
	wallet := must(r.client.Wallets.Get(ctx, taker))(r)
	must(r.srv.Deposit(wallet.Address, coin))(r)
	offer := qredo.SwapRequest{
		SendWalletID: r.btc, ReceiveWalletID: r.eth, Reference: "swap", PartnerTxID: "s-1", Expires: r.expires(),
		Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000}, Receive: qredo.AssetAmount{Asset: "ETH", Amount: 2000},
	}
	made := must(swaps.Make(ctx, r.companyID, offer))(r)
	r.approve(made.TxID)
	must(swaps.GetMake(ctx, r.companyID, made.TxID))(r)
	r.ok(swaps.Publish(ctx, r.companyID, made.TxID))
	filled(swaps.ListHub(ctx, r.companyID))(r)
	filled(swaps.ListHubAll(ctx))(r)
	taken := must(swaps.Take(ctx, r.companyID, qredo.TakeRequest{
		SwapID: made.TxID, SendWalletID: taker, ReceiveWalletID: r.other, Reference: "swap", PartnerTxID: "s-2",
	}))(r)
	r.approve(taken.TxID)
	side := must(swaps.GetTake(ctx, r.companyID, taken.TxID))(r)
	assert.Equal(r, qredo.TxTakerApproved, side.Status)

	offer.PartnerTxID, offer.AddToLiquidityHub = "s-3", true
	cancelled := must(swaps.Make(ctx, r.companyID, offer))(r)
	r.approve(cancelled.TxID)
	r.ok(swaps.CancelMake(ctx, r.companyID, cancelled.TxID))
}

func (r *run) sweeps() {
	ctx, programs := r.Context(), r.client.CoreClients
	dedicated := filled(r.client.Funds.AddWallets(ctx, r.companyID, r.fundID, []qredo.WalletRequest{{
		Name: "dedicated", Asset: "BTC", Type: qredo.WalletDedicated,
		Connect: []qredo.ConnectRequest{{CounterpartyID: string(r.desk.ID), ClientID: "us"}},
	}}))(r)[0]
	for _, wallet := range filled(programs.ListWallets(ctx, r.desk.ID))(r) {
		must(programs.GetAction(ctx, r.desk.ID, wallet.ActionID))(r)
		r.ok(programs.Approve(ctx, r.desk.ID, wallet.ActionID))
	}
	wallet := must(r.client.Wallets.Get(ctx, dedicated))(r)
	require.NotEmpty(r, wallet.Connected)
	must(r.srv.Deposit(wallet.Address, coin))(r)
	sweep := must(programs.Sweep(ctx, r.desk.ID, qredo.SweepRequest{
		WalletID: dedicated, RecipientWalletID: r.btc, Reference: "fees", PartnerTxID: "sweep-1", Expires: r.expires(),
		Send: qredo.AssetAmount{Asset: "BTC", Amount: coin / 2},
	}))(r)
	must(programs.GetSweep(ctx, r.desk.ID, sweep.TxID))(r)
	r.settle(r.desk, sweep.TxID, func(id qredo.ActionID) error { return programs.Approve(ctx, r.desk.ID, id) })
	must(programs.WaitSweep(ctx, r.desk.ID, sweep.TxID))(r)
}

func (r *run) signatures() {
	ctx, programs := r.Context(), r.client.CoreClients
	hash := hexOf(32)
	signed := must(programs.Sign(ctx, r.robot.ID, hash))(r)
	request := qredo.VerifyRequest{MessageHashHex: hash, SignatureHex: signed.SignatureHex, SignerID: signed.SignerID}
	r.ok(programs.Verify(ctx, request))
	request.SignerID = r.desk.ID
	require.ErrorIs(r, programs.Verify(ctx, request), qredo.ErrForbidden)
}

func (r *run) signingAgent() {
	ctx := r.Context()
	own := clienttest.RegisterAgent(r, r.client, qredo.WithBaseURL(r.srv.BaseURL()), qredo.WithHTTPClient(r.http))
	agent := own.SigningAgent

	r.ok(r.client.TrustedNetwork.Add(ctx, r.companyID, qredo.TrustedPartyRequest{Address: string(own.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(own.ID)}}
	wallet := filled(r.client.Funds.AddWallets(ctx, r.companyID, r.fundID, []qredo.WalletRequest{
		{Name: "agent's", Asset: "BTC", CustodyGroupTx: group, CustodyGroupWithdraw: group},
	}))(r)[0]
	must(r.srv.Deposit(must(r.client.Wallets.Get(ctx, wallet))(r).Address, coin))(r)
	ask := func() qredo.ActionID {
		sent := must(r.client.Transfers.Create(ctx, r.companyID, qredo.TransferRequest{
			WalletID: wallet, Counterparty: string(r.btc), Expires: r.expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000},
		}))(r)
		return must(r.client.Transfers.Get(ctx, r.companyID, sent.TxID))(r).Approvals[0].ActionID
	}
	action := ask()
	for asked, err := range agent.Feed(ctx) { // what is pending comes first
		r.ok(err)
		assert.Equal(r, action, asked.ID)
		break
	}
	r.ok(own.Approve(r, action))
	r.ok(agent.Reject(ctx, ask()))
}
