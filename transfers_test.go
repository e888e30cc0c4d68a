package qredo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"math"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

var inAnHour = qredo.TimeOf(testNow.Add(time.Hour))

func TestTransfersCreate(t *testing.T) {
	client := serveFixture(t, "transfers_create")
	got, err := client.Transfers.Create(t.Context(), companyID, qredo.TransferRequest{
		WalletID: walletID, Counterparty: otherWalletID, Reference: "invoice 42", BenefitOf: "Client 9",
		AccountNo: "ACC-1", PartnerTxID: "order-0001", AuthorizeID: "auth-5", Expires: inAnHour,
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 100_000},
	})
	require.NoError(t, err)
	want := &qredo.Submission{TxID: transferID, Status: qredo.SubmissionNew, PartnerTxID: "order-0001"}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestTransfersWithdraw(t *testing.T) {
	client := serveFixture(t, "transfers_withdraw")
	got, err := client.Transfers.Withdraw(t.Context(), companyID, qredo.WithdrawalRequest{
		WalletID: walletID, Address: payoutAddress, Reference: "payout 7", BenefitOf: "Client 9",
		AccountNo: "ACC-1", PartnerTxID: "order-0002", Expires: inAnHour,
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 50_000},
	})
	require.NoError(t, err)
	require.Equal(t, &qredo.Submission{TxID: withdrawalID, Status: qredo.SubmissionExisting, PartnerTxID: "order-0002"}, got)
}

// transaction is what both fixtures of transactions hold, but for ID, status and recipient.
func transaction(id qredo.TxID, status qredo.TxStatus, recipient string) *qredo.Transaction {
	return &qredo.Transaction{
		ID: id, Status: status, ApprovedCount: 1, ThresholdRequired: 2, Expires: qredo.Unix(1700003600),
		Initiated: qredo.Unix(1700000000), InitiatorAuthorized: true, InitiatorName: "Acme Exchange", Reference: "invoice 42",
		Approvals: []qredo.Approval{
			{
				ActionID: aliceActionID, UserID: aliceID, Username: "alice", FirstName: "Alice", LastName: "Ames",
				Status: qredo.ApprovalApproved, Time: qredo.Unix(1700000100),
			},
			{ActionID: coreActionID, UserID: coreID, Status: qredo.ApprovalPending},
		},
		Details: qredo.TransactionDetails{
			Asset: "BTC-TESTNET", Amount: 100_100, NetAmount: 100_000, Fees: 100, FundID: fundID,
			RecipientAddress: recipient, RecipientEmail: "bob@exchange.example", RecipientFirstName: "Bob",
			RecipientLastName: "Boyle", RecipientUsername: "bob", Reference: "invoice 42", BenefitOf: "Client 9",
			AccountNo: "ACC-1", RequestedBy: "Acme Exchange",
		},
	}
}

// notSet are fields that the service left out of transfers, and the inner expiry, which it did not fill.
var notSet = []string{"TransactionDetails.WalletID", "TransactionDetails.RecipientWalletID", "TransactionDetails.Expires"}

func TestTransfersGet(t *testing.T) {
	client := serveFixture(t, "transfers_get")
	got, err := client.Transfers.Get(t.Context(), companyID, transferID)
	require.NoError(t, err)
	want := transaction(transferID, qredo.TxPending, otherWalletID)
	fieldcheck.RequireAllSet(t, want, notSet...)
	require.Equal(t, want, got)
}

func TestTransfersGetWithdrawal(t *testing.T) {
	client := serveFixture(t, "transfers_get_withdrawal")
	got, err := client.Transfers.GetWithdrawal(t.Context(), companyID, withdrawalID)
	require.NoError(t, err)
	want := transaction(withdrawalID, qredo.TxCustodyRejected, payoutAddress)
	fieldcheck.RequireAllSet(t, want, notSet...)
	require.Equal(t, want, got)
}

// The published schema spells a transaction otherwise than the service does: in snake_case, with the
// kind of transaction in the status; text stands for numbers and booleans at times, and an ID came with
// a comma.
func TestTransfersGetAsTheSchemaHasIt(t *testing.T) {
	client := newClient(t, answerWith(200, `{
		"tx_id":"`+transferID+`,","tx_status":"pending_transfer","approver_count":"1","threshold_required":"2",
		"expires":"1700003600","initiated_timestamp":"1700000000","initiator_authorized":"true",
		"initiator_name":"Acme Exchange","reference":"invoice 42",
		"status":[
			{"action_id":"`+aliceActionID+`","user_id":"`+aliceID+`","username":"alice","first_name":"Alice",
			 "last_name":"Ames","status":"approved","timestamp":"1700000100"},
			{"action_id":"`+coreActionID+`","user_id":"`+coreID+`","status":"pending","timestamp":null}],
		"status_details":{
			"asset":"BTC-TESTNET","amount":"100100","net_amount":1.001e5,"fees":"100","fund_id":"`+fundID+`",
			"recipient_address":"`+otherWalletID+`","recipient_email":"bob@exchange.example",
			"recipient_first_name":"Bob","recipient_last_name":"Boyle","recipient_username":"bob",
			"reference":"invoice 42","benefit_of":"Client 9","account_no":"ACC-1","requested_by":"Acme Exchange",
			"expires":"1700003600"}}`))
	got, err := client.Transfers.Get(t.Context(), companyID, transferID)
	require.NoError(t, err)
	want := transaction(transferID, qredo.TxPending, otherWalletID)
	want.Details.NetAmount, want.Details.Expires = 100_100, qredo.Unix(1700003600)
	require.Equal(t, want, got)
}

func TestTxStatus(t *testing.T) {
	for text, want := range map[string]struct {
		status       qredo.TxStatus
		done, failed bool
	}{
		"approved":                    {qredo.TxApproved, true, false},
		"approved_transfer":           {qredo.TxApproved, true, false},
		"approved_withdrawal":         {qredo.TxApproved, true, false},
		"taker_approved":              {qredo.TxTakerApproved, true, false},
		"expired_withdrawal":          {qredo.TxExpired, false, true},
		"initiate_rejected_transfer":  {qredo.TxInitiateRejected, false, true},
		"custody_rejected":            {qredo.TxCustodyRejected, false, true},
		"chain_rejected_withdrawal":   {qredo.TxChainRejected, false, true},
		"rejected":                    {qredo.TxRejected, false, true},
		"rejected_transfer":           {qredo.TxRejected, false, true},
		"pending":                     {qredo.TxPending, false, false},
		"pending_initiate_withdrawal": {qredo.TxPendingInitiate, false, false},
		"taker_pending":               {qredo.TxTakerPending, false, false},
		"":                            {"", false, false},
		"on_hold":                     {"on_hold", false, false}, // a status to come is kept
	} {
		var got qredo.TxStatus
		require.NoError(t, got.UnmarshalJSON([]byte(`"`+text+`"`)))
		require.Equal(t, want.status, got)
		require.Equal(t, want.done, got.Done(), text)
		require.Equal(t, want.failed, got.Failed(), text)
	}
}

// What older services and the service's documents answer to a request for a transaction.
func TestSubmissionForms(t *testing.T) {
	for body, want := range map[string]qredo.Submission{
		`{"tx_id":"t"}`:                      {TxID: "t"},
		`{"txID":"t,","status":"existing"}`:  {TxID: "t", Status: qredo.SubmissionExisting},
		`{"tx_id":" t, ","status":"queued"}`: {TxID: "t", Status: "queued"},
	} {
		client := newClient(t, answerWith(200, body))
		got, err := client.Transfers.Create(t.Context(), companyID, goodTransfer(), qredo.WithoutPartnerTxID())
		require.NoError(t, err)
		require.Equal(t, &want, got)
	}
}

func goodTransfer() qredo.TransferRequest {
	return qredo.TransferRequest{
		WalletID: walletID, Counterparty: otherWalletID, Expires: inAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

func goodWithdrawal() qredo.WithdrawalRequest {
	return qredo.WithdrawalRequest{
		WalletID: walletID, Address: payoutAddress, Expires: inAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}
}

// Optional fields that are empty are left out: the service takes a partner_txID that is there as given.
func TestTransferBodiesWithoutOptionalFields(t *testing.T) {
	var bodies []string
	client := newClient(t, recordBodies(&bodies, `{"tx_id":"t"}`))
	_, err := client.Transfers.Create(t.Context(), companyID, goodTransfer(), qredo.WithoutPartnerTxID())
	require.NoError(t, err)
	_, err = client.Transfers.Withdraw(t.Context(), companyID, goodWithdrawal(), qredo.WithoutPartnerTxID())
	require.NoError(t, err)
	require.Equal(t, []string{
		`{"wallet_id":"` + walletID + `","counterparty_wallet_address":"` + otherWalletID +
			`","expires":1700003600,"send":{"symbol":"BTC","amount":1}}`,
		`{"wallet_id":"` + walletID + `","address":"` + payoutAddress +
			`","expires":1700003600,"send":{"symbol":"BTC","amount":1}}`,
	}, bodies)
}

// badOutgoing are the mistakes that transfers and withdrawals share.
var badOutgoing = map[string]struct {
	field  string
	wallet qredo.WalletID
	send   qredo.AssetAmount
	at     qredo.Time
}{
	"no wallet":           {"wallet_id", "", qredo.AssetAmount{Asset: "BTC", Amount: 1}, inAnHour},
	"wallet with a slash": {"wallet_id", "a/b", qredo.AssetAmount{Asset: "BTC", Amount: 1}, inAnHour},
	"no asset":            {"send.symbol", walletID, qredo.AssetAmount{Amount: 1}, inAnHour},
	"nothing":             {"send.amount", walletID, qredo.AssetAmount{Asset: "BTC"}, inAnHour},
	"less than nothing":   {"send.amount", walletID, qredo.AssetAmount{Asset: "BTC", Amount: -1}, inAnHour},
	"least amount":        {"send.amount", walletID, qredo.AssetAmount{Asset: "BTC", Amount: math.MinInt64}, inAnHour},
	"no expiry":           {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Time{}},
	"expiry of zero":      {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(0)},
	"expired":             {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(testNow.Add(-time.Second))},
	"expires now":         {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(testNow)},
	"expires on the wire": {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(testNow.Add(999 * time.Millisecond))},
	"expired long ago":    {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(-5)},
	"in 1970":             {"expires", walletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(1700000)},
}

func TestTransfersBadRequests(t *testing.T) {
	for name, tc := range badOutgoing {
		t.Run(name, func(t *testing.T) {
			client := newClient(t, refuseAll(t))
			_, err := client.Transfers.Create(t.Context(), companyID, qredo.TransferRequest{
				WalletID: tc.wallet, Counterparty: otherWalletID, Expires: tc.at, Send: tc.send,
			})
			requireInvalid(t, err, tc.field)
			_, err = client.Transfers.Withdraw(t.Context(), companyID, qredo.WithdrawalRequest{
				WalletID: tc.wallet, Address: payoutAddress, Expires: tc.at, Send: tc.send,
			})
			requireInvalid(t, err, tc.field)
		})
	}
	client := newClient(t, refuseAll(t))
	for _, blank := range []string{"", " \n"} {
		transfer, withdrawal := goodTransfer(), goodWithdrawal()
		transfer.Counterparty, withdrawal.Address = blank, blank
		_, err := client.Transfers.Create(t.Context(), companyID, transfer)
		requireInvalid(t, err, "counterparty_wallet_address")
		_, err = client.Transfers.Withdraw(t.Context(), companyID, withdrawal)
		requireInvalid(t, err, "address")
	}
}

// The expiry is judged by the client's clock, not the machine's.
func TestTransfersExpiryFollowsTheClock(t *testing.T) {
	client := newClient(t, answerWith(200, `{"tx_id":"t"}`))
	req := goodTransfer()
	req.Expires = qredo.TimeOf(testNow.Add(time.Second)) // years ago by the machine's
	_, err := client.Transfers.Create(t.Context(), companyID, req)
	require.NoError(t, err)
}

// A success that names no transaction leaves the outcome unknown: it must not look like a success.
func TestSubmissionWithoutID(t *testing.T) {
	for _, body := range []string{``, ` `, `{}`, `null`, `{"code":200,"msg":"OK"}`, `{"tx_id":""}`, `{"tx_id":","}`, `[]`} {
		client := newClient(t, answerWith(200, body))
		got, err := client.Transfers.Create(t.Context(), companyID, goodTransfer())
		require.ErrorIs(t, err, qredo.ErrBadAnswer, body)
		require.Nil(t, got)
		var unknown *qredo.UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		require.NotEmpty(t, unknown.PartnerTxID, "with it the request can be sent again")
		got, err = client.Transfers.Withdraw(t.Context(), companyID, goodWithdrawal())
		require.ErrorIs(t, err, qredo.ErrBadAnswer, body)
		require.Nil(t, got)
	}
}
