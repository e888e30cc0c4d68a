package qredo_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

var approver = qredo.CoreClient{
	ID: clienttest.CoreID, Name: "approver-1", Feed: "wss://sandbox-api.qredo.network/api/v1/p/coreclient/" + clienttest.CoreID + "/feed",
	Created: qredo.Unix(1668069100),
}

func action(id qredo.ActionID, kind qredo.ActionType, status qredo.ApprovalStatus) qredo.Action {
	return qredo.Action{
		ID: id, CoreClientID: clienttest.CoreID, Type: kind, Status: status, Created: qredo.Unix(1700000000), Expires: qredo.Unix(1700003600),
	}
}

func TestCoreClientsCreate(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_create").CoreClients.Create(t.Context(), "approver-1")
	require.NoError(t, err)
	fieldcheck.RequireAllSet(t, approver)
	require.Equal(t, &approver, got)
}

func TestCoreClientsList(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_list").CoreClients.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []qredo.CoreClient{approver}, got)
}

func TestCoreClientsActions(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_list_actions").CoreClients.ListActions(t.Context(), clienttest.CoreID)
	require.NoError(t, err)
	want := []qredo.Action{
		action(clienttest.CoreActionID, qredo.ActionTransfer, qredo.ApprovalPending),
		action(clienttest.AliceActionID, qredo.ActionWithdraw, qredo.ApprovalApproved),
	}
	fieldcheck.RequireAllSet(t, want, "Action.Details")
	require.Equal(t, want, got)
}

func TestCoreClientsAction(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_get_action").CoreClients.GetAction(t.Context(), clienttest.CoreID, clienttest.CoreActionID)
	require.NoError(t, err)
	require.Equal(t, qredo.ActionWithdraw, got.Type)
	require.Equal(t, clienttest.PayoutAddress, got.Details.RecipientAddress)
}

// An action with the fields of all kinds: no kind has them all.
func TestCoreClientsActionOfAnyKind(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, string(clienttest.ReadTestdata(t, "action.json"))))
	got, err := client.CoreClients.GetAction(t.Context(), clienttest.CoreID, clienttest.CoreActionID)
	require.NoError(t, err)
	want := action(clienttest.CoreActionID, qredo.ActionWalletConnect, qredo.ApprovalPending)
	want.Details = &qredo.ActionDetails{
		TxType: "withdraw", TxID: clienttest.TransferID, Asset: "BTC-TESTNET", Amount: 100_100, NetAmount: 100_000, Fees: 100,
		Reference: "invoice 42", BenefitOf: "Client 9", AccountNo: "ACC-1", CompanyID: clienttest.CompanyID, FundID: clienttest.FundID, WalletID: clienttest.WalletID,
		Receive:   &qredo.AssetAmount{Asset: "ETH-TESTNET", Amount: 5000},
		Initiated: qredo.Unix(1700000000), Expires: qredo.Unix(1700003600),
		RecipientAddress: clienttest.PayoutAddress, RecipientAddressName: "cold storage", RecipientID: clienttest.ExchangeID, RecipientName: "Exchange Ltd",
		InitiatedBy: clienttest.AliceID, InitiatorName: "Alice Ames", InitiatorType: "user",
		ClientData: map[string]any{"account": "77", "since": json.Number("2019")},
		Wallet: &qredo.ActionWallet{
			ID: clienttest.WalletID, Name: "Trading", Asset: "BTC-TESTNET", Type: qredo.WalletDedicated, TypeCode: "dedicated",
		},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, &want, got)
}

func TestCoreClientsApproveAndReject(t *testing.T) {
	require.NoError(t, clienttest.ServeFixture(t, "coreclients_approve").CoreClients.Approve(t.Context(), clienttest.CoreID, clienttest.CoreActionID))
	require.NoError(t, clienttest.ServeFixture(t, "coreclients_reject").CoreClients.Reject(t.Context(), clienttest.CoreID, clienttest.CoreActionID))
}

func TestCoreClientsWallets(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_list_wallets").CoreClients.ListWallets(t.Context(), clienttest.CoreID)
	require.NoError(t, err)
	want := []qredo.CoreClientWallet{
		{WalletID: clienttest.WalletID, ActionID: clienttest.CoreActionID, Status: qredo.ApprovalApproved, Expires: qredo.Unix(1700003600)},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCoreClientsSweep(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_sweep").CoreClients.Sweep(t.Context(), clienttest.CoreID, qredo.SweepRequest{
		WalletID: clienttest.WalletID, RecipientWalletID: clienttest.OtherWalletID, Reference: "fees", PartnerTxID: "order-0005", Expires: clienttest.InAnHour,
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 100_000},
	})
	require.NoError(t, err)
	require.Equal(t, &qredo.Submission{TxID: clienttest.TransferID, Status: qredo.SubmissionNew, PartnerTxID: "order-0005"}, got)
}

// sweep is what the fixture of a sweep holds.
var sweep = qredo.Transaction{
	ID: clienttest.TransferID, Status: qredo.TxApproved, ApprovedCount: 1, ThresholdRequired: 1, Expires: qredo.Unix(1700003600),
	Initiated: qredo.Unix(1700000000), Reference: "fees",
	Approvals: []qredo.Approval{
		{ActionID: clienttest.CoreActionID, UserID: clienttest.CoreID, Status: qredo.ApprovalApproved, Time: qredo.Unix(1700000100)},
	},
	Details: qredo.TransactionDetails{
		Asset: "BTC-TESTNET", Amount: 100_100, NetAmount: 100_000, Fees: 100, WalletID: clienttest.WalletID, RecipientWalletID: clienttest.OtherWalletID,
		Reference: "fees", RequestedBy: clienttest.CoreID, Expires: qredo.Unix(1700003600),
	},
}

func TestCoreClientsGetSweep(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_get_sweep").CoreClients.GetSweep(t.Context(), clienttest.CoreID, clienttest.TransferID)
	require.NoError(t, err)
	require.Equal(t, &sweep, got)
}

func TestCoreClientsSign(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_sign").CoreClients.Sign(t.Context(), clienttest.CoreID, clienttest.HexOf(32))
	require.NoError(t, err)
	want := &qredo.CoreClientSignature{SignatureHex: clienttest.HexOf(64), SignerID: clienttest.CoreID}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCoreClientsVerify(t *testing.T) {
	request := qredo.VerifyRequest{MessageHashHex: clienttest.HexOf(32), SignatureHex: clienttest.HexOf(64), SignerID: clienttest.CoreID}
	require.NoError(t, clienttest.ServeFixture(t, "coreclients_verify").CoreClients.Verify(t.Context(), request))
	client := clienttest.NewClient(t, clienttest.AnswerWith(403, `{"code":403,"msg":"no"}`))
	require.ErrorIs(t, client.CoreClients.Verify(t.Context(), request), qredo.ErrForbidden)
}

func TestCoreClientsRefused(t *testing.T) {
	programs, ctx := clienttest.NewClient(t, clienttest.RefuseAll(t)).CoreClients, t.Context()
	_, err := programs.Create(ctx, " \t")
	clienttest.RequireInvalid(t, err, "name")
	for field, spoil := range map[string]func(*qredo.SweepRequest){
		"wallet_id":           func(r *qredo.SweepRequest) { r.WalletID = "" },
		"recipient_wallet_id": func(r *qredo.SweepRequest) { r.RecipientWalletID = "" },
		"expires":             func(r *qredo.SweepRequest) { r.Expires = qredo.Time{} },
		"send.symbol":         func(r *qredo.SweepRequest) { r.Send.Asset = "" },
		"send.amount":         func(r *qredo.SweepRequest) { r.Send.Amount = -5 },
	} {
		req := clienttest.GoodSweep()
		spoil(&req)
		_, err := programs.Sweep(ctx, clienttest.CoreID, req)
		clienttest.RequireInvalid(t, err, field)
	}
	for _, hash := range []string{"", "abc", "xy", " ab"} {
		_, err := programs.Sign(ctx, clienttest.CoreID, hash)
		clienttest.RequireInvalid(t, err, "message_hash_hex")
		err = programs.Verify(ctx, qredo.VerifyRequest{MessageHashHex: hash, SignatureHex: "ab", SignerID: clienttest.CoreID})
		clienttest.RequireInvalid(t, err, "message_hash_hex")
		err = programs.Verify(ctx, qredo.VerifyRequest{MessageHashHex: "ab", SignatureHex: hash, SignerID: clienttest.CoreID})
		clienttest.RequireInvalid(t, err, "signature_hex")
	}
	clienttest.RequireInvalid(t, programs.Verify(ctx, qredo.VerifyRequest{MessageHashHex: "ab", SignatureHex: "ab"}), "signer_id")
}
