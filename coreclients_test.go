package qredo_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

// hexOf is a text of so many bytes in hexadecimal.
func hexOf(bytes int) string { return strings.Repeat("ab", bytes) }

var approver = qredo.CoreClient{
	ID: coreID, Name: "approver-1", Feed: "wss://sandbox-api.qredo.network/api/v1/p/coreclient/" + coreID + "/feed",
	Created: qredo.Unix(1668069100),
}

func action(id qredo.ActionID, kind qredo.ActionType, status qredo.ApprovalStatus) qredo.Action {
	return qredo.Action{
		ID: id, CoreClientID: coreID, Type: kind, Status: status, Created: qredo.Unix(1700000000), Expires: qredo.Unix(1700003600),
	}
}

func goodSweep() qredo.SweepRequest {
	return qredo.SweepRequest{
		WalletID: walletID, RecipientWalletID: otherWalletID, Expires: inAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

func TestCoreClientsCreate(t *testing.T) {
	got, err := serveFixture(t, "coreclients_create").CoreClients.Create(t.Context(), "approver-1")
	require.NoError(t, err)
	fieldcheck.RequireAllSet(t, approver)
	require.Equal(t, &approver, got)
}

func TestCoreClientsList(t *testing.T) {
	got, err := serveFixture(t, "coreclients_list").CoreClients.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, []qredo.CoreClient{approver}, got)
}

func TestCoreClientsActions(t *testing.T) {
	got, err := serveFixture(t, "coreclients_list_actions").CoreClients.ListActions(t.Context(), coreID)
	require.NoError(t, err)
	want := []qredo.Action{
		action(coreActionID, qredo.ActionTransfer, qredo.ApprovalPending),
		action(aliceActionID, qredo.ActionWithdraw, qredo.ApprovalApproved),
	}
	fieldcheck.RequireAllSet(t, want, "Action.Details")
	require.Equal(t, want, got)
}

// The fixture has the fields of all kinds of actions.
func TestCoreClientsAction(t *testing.T) {
	got, err := serveFixture(t, "coreclients_get_action").CoreClients.GetAction(t.Context(), coreID, coreActionID)
	require.NoError(t, err)
	want := action(coreActionID, qredo.ActionWalletConnect, qredo.ApprovalPending)
	want.Details = &qredo.ActionDetails{
		TxType: "withdraw", TxID: transferID, Asset: "BTC-TESTNET", Amount: 100_100, NetAmount: 100_000, Fees: 100,
		Reference: "invoice 42", BenefitOf: "Client 9", AccountNo: "ACC-1", CompanyID: companyID, FundID: fundID, WalletID: walletID,
		Initiated: qredo.Unix(1700000000), Expires: qredo.Unix(1700003600),
		RecipientAddress: payoutAddress, RecipientAddressName: "cold storage", RecipientID: exchangeID, RecipientName: "Exchange Ltd",
		InitiatedBy: aliceID, InitiatorName: "Alice Ames", InitiatorType: "user",
		ClientData: map[string]any{"account": "77", "since": json.Number("2019")},
		Wallet: &qredo.ActionWallet{
			ID: walletID, Name: "Trading", Asset: "BTC-TESTNET", Type: qredo.WalletDedicated, TypeCode: "dedicated",
		},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, &want, got)
}

func TestCoreClientsApproveAndReject(t *testing.T) {
	require.NoError(t, serveFixture(t, "coreclients_approve").CoreClients.Approve(t.Context(), coreID, coreActionID))
	require.NoError(t, serveFixture(t, "coreclients_reject").CoreClients.Reject(t.Context(), coreID, coreActionID))
}

func TestCoreClientsWallets(t *testing.T) {
	got, err := serveFixture(t, "coreclients_list_wallets").CoreClients.ListWallets(t.Context(), coreID)
	require.NoError(t, err)
	want := []qredo.CoreClientWallet{
		{WalletID: walletID, ActionID: coreActionID, Status: qredo.ApprovalApproved, Expires: qredo.Unix(1700003600)},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCoreClientsSweep(t *testing.T) {
	got, err := serveFixture(t, "coreclients_sweep").CoreClients.Sweep(t.Context(), coreID, qredo.SweepRequest{
		WalletID: walletID, RecipientWalletID: otherWalletID, Reference: "fees", PartnerTxID: "order-0005", Expires: inAnHour,
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 100_000},
	})
	require.NoError(t, err)
	require.Equal(t, &qredo.Submission{TxID: transferID, Status: qredo.SubmissionNew, PartnerTxID: "order-0005"}, got)
}

// sweep is what the fixture of a sweep holds.
var sweep = qredo.Transaction{
	ID: transferID, Status: qredo.TxApproved, ApprovedCount: 1, ThresholdRequired: 1, Expires: qredo.Unix(1700003600),
	Initiated: qredo.Unix(1700000000), Reference: "fees",
	Approvals: []qredo.Approval{
		{ActionID: coreActionID, UserID: coreID, Status: qredo.ApprovalApproved, Time: qredo.Unix(1700000100)},
	},
	Details: qredo.TransactionDetails{
		Asset: "BTC-TESTNET", Amount: 100_100, NetAmount: 100_000, Fees: 100, WalletID: walletID, RecipientWalletID: otherWalletID,
		Reference: "fees", RequestedBy: coreID, Expires: qredo.Unix(1700003600),
	},
}

func TestCoreClientsGetSweep(t *testing.T) {
	got, err := serveFixture(t, "coreclients_get_sweep").CoreClients.GetSweep(t.Context(), coreID, transferID)
	require.NoError(t, err)
	require.Equal(t, &sweep, got)
}

func TestCoreClientsSign(t *testing.T) {
	got, err := serveFixture(t, "coreclients_sign").CoreClients.Sign(t.Context(), coreID, hexOf(32))
	require.NoError(t, err)
	want := &qredo.CoreClientSignature{SignatureHex: hexOf(64), SignerID: coreID}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCoreClientsVerify(t *testing.T) {
	request := qredo.VerifyRequest{MessageHashHex: hexOf(32), SignatureHex: hexOf(64), SignerID: coreID}
	require.NoError(t, serveFixture(t, "coreclients_verify").CoreClients.Verify(t.Context(), request))
	client := newClient(t, answerWith(403, `{"code":403,"msg":"no"}`))
	require.ErrorIs(t, client.CoreClients.Verify(t.Context(), request), qredo.ErrForbidden)
}

func TestCoreClientsRefused(t *testing.T) {
	programs, ctx := newClient(t, refuseAll(t)).CoreClients, t.Context()
	_, err := programs.Create(ctx, " \t")
	requireInvalid(t, err, "name")
	for field, spoil := range map[string]func(*qredo.SweepRequest){
		"wallet_id":           func(r *qredo.SweepRequest) { r.WalletID = "" },
		"recipient_wallet_id": func(r *qredo.SweepRequest) { r.RecipientWalletID = "" },
		"expires":             func(r *qredo.SweepRequest) { r.Expires = qredo.Time{} },
		"send.symbol":         func(r *qredo.SweepRequest) { r.Send.Asset = "" },
		"send.amount":         func(r *qredo.SweepRequest) { r.Send.Amount = -5 },
	} {
		req := goodSweep()
		spoil(&req)
		_, err := programs.Sweep(ctx, coreID, req)
		requireInvalid(t, err, field)
	}
	for _, hash := range []string{"", "abc", "xy", " ab"} {
		_, err := programs.Sign(ctx, coreID, hash)
		requireInvalid(t, err, "message_hash_hex")
		err = programs.Verify(ctx, qredo.VerifyRequest{MessageHashHex: hash, SignatureHex: "ab", SignerID: coreID})
		requireInvalid(t, err, "message_hash_hex")
		err = programs.Verify(ctx, qredo.VerifyRequest{MessageHashHex: "ab", SignatureHex: hash, SignerID: coreID})
		requireInvalid(t, err, "signature_hex")
	}
	requireInvalid(t, programs.Verify(ctx, qredo.VerifyRequest{MessageHashHex: "ab", SignatureHex: "ab"}), "signer_id")
}
