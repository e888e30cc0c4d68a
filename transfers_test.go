package qredo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"math"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestTransfersCreate(t *testing.T) {
	client := clienttest.ServeFixture(t, "transfers_create")
	got, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, qredo.TransferRequest{
		WalletID: clienttest.WalletID, Counterparty: clienttest.OtherWalletID, Reference: "invoice 42", BenefitOf: "Client 9",
		AccountNo: "ACC-1", PartnerTxID: "order-0001", AuthorizeID: "auth-5", Expires: clienttest.InAnHour,
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 100_000},
	})
	require.NoError(t, err)
	want := &qredo.Submission{TxID: clienttest.TransferID, Status: qredo.SubmissionNew, PartnerTxID: "order-0001"}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestTransfersWithdraw(t *testing.T) {
	client := clienttest.ServeFixture(t, "transfers_withdraw")
	got, err := client.Transfers.Withdraw(t.Context(), clienttest.CompanyID, qredo.WithdrawalRequest{
		WalletID: clienttest.WalletID, Address: clienttest.PayoutAddress, Reference: "payout 7", BenefitOf: "Client 9",
		AccountNo: "ACC-1", PartnerTxID: "order-0002", Expires: clienttest.InAnHour,
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 50_000},
	})
	require.NoError(t, err)
	require.Equal(t, &qredo.Submission{TxID: clienttest.WithdrawalID, Status: qredo.SubmissionExisting, PartnerTxID: "order-0002"}, got)
}

// transaction is the content of both fixtures of transactions, except for ID, status and recipient.
func transaction(id qredo.TxID, status qredo.TxStatus, recipient string) *qredo.Transaction {
	return &qredo.Transaction{
		ID: id, Status: status, ApprovedCount: 1, ThresholdRequired: 2, Expires: qredo.Unix(1700003600),
		Initiated: qredo.Unix(1700000000), InitiatorAuthorized: true, InitiatorName: "Acme Exchange", Reference: "invoice 42",
		Approvals: []qredo.Approval{
			{
				ActionID: clienttest.AliceActionID, UserID: clienttest.AliceID, Username: "alice", FirstName: "Alice", LastName: "Ames",
				Status: qredo.ApprovalApproved, Time: qredo.Unix(1700000100),
			},
			{ActionID: clienttest.CoreActionID, UserID: clienttest.CoreID, Status: qredo.ApprovalPending},
		},
		Details: qredo.TransactionDetails{
			Asset: "BTC-TESTNET", Amount: 100_100, NetAmount: 100_000, Fees: 100, FundID: clienttest.FundID,
			RecipientAddress: recipient, RecipientEmail: "bob@exchange.example", RecipientFirstName: "Bob",
			RecipientLastName: "Boyle", RecipientUsername: "bob", Reference: "invoice 42", BenefitOf: "Client 9",
			AccountNo: "ACC-1", RequestedBy: "Acme Exchange",
		},
	}
}

// notSet are fields that the service left out of transfers, and the inner expiry, which it did not fill.
var notSet = []string{"TransactionDetails.WalletID", "TransactionDetails.RecipientWalletID", "TransactionDetails.Expires"}

func TestTransfersGet(t *testing.T) {
	client := clienttest.ServeFixture(t, "transfers_get")
	got, err := client.Transfers.Get(t.Context(), clienttest.CompanyID, clienttest.TransferID)
	require.NoError(t, err)
	want := transaction(clienttest.TransferID, qredo.TxPending, clienttest.OtherWalletID)
	fieldcheck.RequireAllSet(t, want, notSet...)
	require.Equal(t, want, got)
}

func TestTransfersGetWithdrawal(t *testing.T) {
	client := clienttest.ServeFixture(t, "transfers_get_withdrawal")
	got, err := client.Transfers.GetWithdrawal(t.Context(), clienttest.CompanyID, clienttest.WithdrawalID)
	require.NoError(t, err)
	want := transaction(clienttest.WithdrawalID, qredo.TxCustodyRejected, clienttest.PayoutAddress)
	fieldcheck.RequireAllSet(t, want, notSet...)
	require.Equal(t, want, got)
}

// The published schema spells a transaction otherwise than the service does: in snake_case, with the
// kind of transaction in the status; text stands for numbers and booleans at times, and an ID came with
// a comma.
func TestTransfersGetAsTheSchemaHasIt(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{
		"tx_id":"`+clienttest.TransferID+`,","tx_status":"pending_transfer","approver_count":"1","threshold_required":"2",
		"expires":"1700003600","initiated_timestamp":"1700000000","initiator_authorized":"true",
		"initiator_name":"Acme Exchange","reference":"invoice 42",
		"status":[
			{"action_id":"`+clienttest.AliceActionID+`","user_id":"`+clienttest.AliceID+`","username":"alice","first_name":"Alice",
			 "last_name":"Ames","status":"approved","timestamp":"1700000100"},
			{"action_id":"`+clienttest.CoreActionID+`","user_id":"`+clienttest.CoreID+`","status":"pending","timestamp":null}],
		"status_details":{
			"asset":"BTC-TESTNET","amount":"100100","net_amount":1.001e5,"fees":"100","fund_id":"`+clienttest.FundID+`",
			"recipient_address":"`+clienttest.OtherWalletID+`","recipient_email":"bob@exchange.example",
			"recipient_first_name":"Bob","recipient_last_name":"Boyle","recipient_username":"bob",
			"reference":"invoice 42","benefit_of":"Client 9","account_no":"ACC-1","requested_by":"Acme Exchange",
			"expires":"1700003600"}}`))
	got, err := client.Transfers.Get(t.Context(), clienttest.CompanyID, clienttest.TransferID)
	require.NoError(t, err)
	want := transaction(clienttest.TransferID, qredo.TxPending, clienttest.OtherWalletID)
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
		client := clienttest.NewClient(t, clienttest.AnswerWith(200, body))
		got, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer(), qredo.WithoutPartnerTxID())
		require.NoError(t, err)
		require.Equal(t, &want, got)
	}
}

// Optional fields that are empty are left out: the service takes a partner_txID that is there as given.
func TestTransferBodiesWithoutOptionalFields(t *testing.T) {
	var bodies []string
	client := clienttest.NewClient(t, clienttest.RecordBodies(&bodies, `{"tx_id":"t"}`))
	_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer(), qredo.WithoutPartnerTxID())
	require.NoError(t, err)
	_, err = client.Transfers.Withdraw(t.Context(), clienttest.CompanyID, clienttest.GoodWithdrawal(), qredo.WithoutPartnerTxID())
	require.NoError(t, err)
	require.Equal(t, []string{
		`{"wallet_id":"` + clienttest.WalletID + `","counterparty_wallet_address":"` + clienttest.OtherWalletID +
			`","expires":1700003600,"send":{"symbol":"BTC","amount":1}}`,
		`{"wallet_id":"` + clienttest.WalletID + `","address":"` + clienttest.PayoutAddress +
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
	"no wallet":           {"wallet_id", "", qredo.AssetAmount{Asset: "BTC", Amount: 1}, clienttest.InAnHour},
	"wallet with a slash": {"wallet_id", "a/b", qredo.AssetAmount{Asset: "BTC", Amount: 1}, clienttest.InAnHour},
	"no asset":            {"send.symbol", clienttest.WalletID, qredo.AssetAmount{Amount: 1}, clienttest.InAnHour},
	"nothing":             {"send.amount", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC"}, clienttest.InAnHour},
	"less than nothing":   {"send.amount", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: -1}, clienttest.InAnHour},
	"least amount":        {"send.amount", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: math.MinInt64}, clienttest.InAnHour},
	"no expiry":           {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Time{}},
	"expiry of zero":      {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(0)},
	"expired":             {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(clienttest.Now.Add(-time.Second))},
	"expires now":         {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(clienttest.Now)},
	"expires on the wire": {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(clienttest.Now.Add(999 * time.Millisecond))},
	"expired long ago":    {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(-5)},
	"in milliseconds":     {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(clienttest.Now.Add(time.Hour).UnixMilli())},
	"in nanoseconds":      {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(clienttest.Now.Add(time.Hour).UnixNano())},
	"in the year 10000":   {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.TimeOf(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))},
	"in 1970":             {"expires", clienttest.WalletID, qredo.AssetAmount{Asset: "BTC", Amount: 1}, qredo.Unix(1700000)},
}

func TestTransfersBadRequests(t *testing.T) {
	for name, tc := range badOutgoing {
		t.Run(name, func(t *testing.T) {
			client := clienttest.NewClient(t, clienttest.RefuseAll(t))
			_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, qredo.TransferRequest{
				WalletID: tc.wallet, Counterparty: clienttest.OtherWalletID, Expires: tc.at, Send: tc.send,
			})
			clienttest.RequireInvalid(t, err, tc.field)
			_, err = client.Transfers.Withdraw(t.Context(), clienttest.CompanyID, qredo.WithdrawalRequest{
				WalletID: tc.wallet, Address: clienttest.PayoutAddress, Expires: tc.at, Send: tc.send,
			})
			clienttest.RequireInvalid(t, err, tc.field)
		})
	}
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for _, blank := range []string{"", " \n"} {
		transfer, withdrawal := clienttest.GoodTransfer(), clienttest.GoodWithdrawal()
		transfer.Counterparty, withdrawal.Address = blank, blank
		_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, transfer)
		clienttest.RequireInvalid(t, err, "counterparty_wallet_address")
		_, err = client.Transfers.Withdraw(t.Context(), clienttest.CompanyID, withdrawal)
		clienttest.RequireInvalid(t, err, "address")
	}
}

// The expiry is judged by the client's clock, not the machine's.
func TestTransfersExpiryFollowsTheClock(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"tx_id":"t"}`))
	req := clienttest.GoodTransfer()
	req.Expires = qredo.TimeOf(clienttest.Now.Add(time.Second)) // years ago by the machine's
	_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, req)
	require.NoError(t, err)
}

// A success that names no transaction leaves the outcome unknown: it must not look like a success.
func TestSubmissionWithoutID(t *testing.T) {
	for _, body := range []string{``, ` `, `{}`, `null`, `{"code":200,"msg":"OK"}`, `{"tx_id":""}`, `{"tx_id":","}`, `[]`} {
		client := clienttest.NewClient(t, clienttest.AnswerWith(200, body))
		got, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer())
		require.ErrorIs(t, err, qredo.ErrBadAnswer, body)
		require.Nil(t, got)
		var unknown *qredo.UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		require.NotEmpty(t, unknown.PartnerTxID, "with it the request can be sent again")
		got, err = client.Transfers.Withdraw(t.Context(), clienttest.CompanyID, clienttest.GoodWithdrawal())
		require.ErrorIs(t, err, qredo.ErrBadAnswer, body)
		require.Nil(t, got)
	}
}
