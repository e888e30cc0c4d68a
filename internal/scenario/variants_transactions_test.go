package scenario_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

var (
	camelTx = `{"txID":"t","txStatus":"pending","approvedCount":1,"expires":1700003600,"initiatedTimestamp":1700000000,
		"initiatorAuthorized":true,"initiatorName":"n","reference":"r","thresholdRequired":2,
		"status":[{"actionID":"a","firstName":"f","lastName":"l","status":"approved","timestamp":5,"userID":"u","username":"un"}],
		"statusDetails":{"accountNo":"1","amount":11,"asset":"BTC","benefitOf":"b","expires":1700003600,"fees":1,"fundID":"f","netAmount":10,
		"recipientAddress":"ra","recipientEmail":"re","recipientFirstName":"rf","recipientLastName":"rl","recipientUsername":"ru",
		"reference":"r","requestedBy":"q"}}`
	snakeTx = `{"tx_id":"t","tx_status":"pending_transfer","approver_count":1,"expires":1700003600,"initiated_timestamp":1700000000,
		"initiator_authorized":true,"initiator_name":"n","reference":"r","threshold_required":2,
		"status":[{"action_id":"a","first_name":"f","last_name":"l","status":"approved","timestamp":5,"user_id":"u","username":"un"}],
		"status_details":{"account_no":"1","amount":11,"asset":"BTC","benefit_of":"b","expires":1700003600,"fees":1,"fund_id":"f","net_amount":10,
		"recipient_address":"ra","recipient_email":"re","recipient_first_name":"rf","recipient_last_name":"rl","recipient_username":"ru",
		"reference":"r","requested_by":"q"}}`
	variantTx = &qredo.Transaction{
		ID: "t", Status: qredo.TxPending, ApprovedCount: 1, ThresholdRequired: 2, Expires: qredo.Unix(1700003600), Initiated: qredo.Unix(1700000000),
		InitiatorAuthorized: true, InitiatorName: "n", Reference: "r",
		Approvals: []qredo.Approval{{ActionID: "a", UserID: "u", Username: "un", FirstName: "f", LastName: "l", Status: "approved", Time: qredo.Unix(5)}},
		Details: qredo.TransactionDetails{
			Asset: "BTC", Amount: 11, NetAmount: 10, Fees: 1, FundID: "f", RecipientAddress: "ra", RecipientEmail: "re", RecipientFirstName: "rf",
			RecipientLastName: "rl", RecipientUsername: "ru", Reference: "r", BenefitOf: "b", AccountNo: "1", RequestedBy: "q", Expires: qredo.Unix(1700003600),
		},
	}
)

// sandboxTakes shows that the sandbox takes a transfer with something of its body replaced.
func sandboxTakes(from, to string) func(*testing.T, *clienttest.World) {
	return func(t *testing.T, w *clienttest.World) {
		made := w.Post(t, w.CompanyPath("/transfer"), w.TransferBody(from, to))
		require.Equal(t, qredo.SubmissionNew, made.Status)
		tx, err := w.Client.Transfers.Get(t.Context(), w.Company, made.TxID)
		require.NoError(t, err)
		require.Equal(t, qredo.Amount(1001), tx.Details.Amount)
		require.Equal(t, string(w.OtherBTC), tx.Details.RecipientAddress)
	}
}

func getHub(ctx context.Context, c *qredo.Client) ([]qredo.HubQuote, error) {
	return c.Swaps.ListHubAll(ctx)
}

func submitTransfer(ctx context.Context, c *qredo.Client) (*qredo.Submission, error) {
	return c.Transfers.Create(ctx, clienttest.CompanyID, clienttest.GoodTransfer(), qredo.WithoutPartnerTxID())
}

// transactionRows are the rows about transactions, 1 to 23.
var transactionRows = map[int]variants{
	1: {
		"transfers":   reads(getTransfer, variantTx, camelTx, snakeTx),
		"withdrawals": reads(getWithdrawal, variantTx, camelTx, strings.Replace(snakeTx, "_transfer", "_withdrawal", 1)),
		"who asked for it, and a recipient without address": reads(getTransfer,
			&qredo.Transaction{ID: "t", InitiatorName: "Harbour Ltd", Details: qredo.TransactionDetails{RequestedBy: "Harbour Ltd"}},
			`{"txID":"t","initiatorName":"Harbour Ltd","statusDetails":{"requestedBy":"Harbour Ltd","recipientAddress":""}}`,
			`{"tx_id":"t","initiator_name":"Harbour Ltd","status_details":{"requested_by":"Harbour Ltd"}}`),
		"the sandbox names the company": func(t *testing.T, w *clienttest.World) {
			tx, err := w.Client.Transfers.Get(t.Context(), w.Company, w.Send(t, 1000))
			require.NoError(t, err)
			require.Equal(t, []string{"Acme", "Acme"}, []string{tx.InitiatorName, tx.Details.RequestedBy})
		},
	},
	2: {
		"spelling": reads(getTransfer, &qredo.Transaction{ID: "t", Approvals: []qredo.Approval{{ActionID: "a", UserID: "core", FirstName: ""}}},
			`{"txID":"t","status":[{"actionID":"a","userID":"core","firstName":"","lastName":"","username":""}]}`,
			`{"txID":"t","status":[{"action_id":"a","user_id":"core","first_name":""}]}`, `{"txID":"t","status":{"ActionId":"a","UserId":"core"}}`),
		"nobody": reads(getTransfer, &qredo.Transaction{ID: "t"}, `{"txID":"t"}`, `{"txID":"t","status":null,"statusDetails":null}`),
		"only who has approved": reads(func(ctx context.Context, c *qredo.Client) ([2]int, error) {
			tx, err := getTransfer(ctx, c)
			return [2]int{tx.ApprovedCount, tx.ThresholdRequired}, err
		}, [2]int{1, 2}, `{"txID":"t","approvedCount":1,"thresholdRequired":2,"status":[{"actionID":"a","status":"approved"},{"actionID":"b","status":"pending"}]}`,
			`{"txID":"t","approvedCount":1,"thresholdRequired":2,"status":[{"actionID":"a","status":"approved"}]}`),
		"an action finds its transaction": func(t *testing.T, w *clienttest.World) {
			sent := w.Send(t, 1000)
			found, err := w.Client.Transfers.Get(t.Context(), w.Company, qredo.TxID(w.ActionOf(t, sent)))
			require.NoError(t, err)
			require.Equal(t, sent, found.ID)
		},
	},
	3: {
		"transfer": reads(getTransfer, &qredo.Transaction{ID: "t", Status: qredo.TxApproved},
			`{"txID":"t","txStatus":"approved"}`, `{"txID":"t","txStatus":"approved_transfer"}`),
		"withdrawal": reads(getWithdrawal, &qredo.Transaction{ID: "t", Status: qredo.TxCustodyRejected},
			`{"txID":"t","txStatus":"custody_rejected"}`, `{"txID":"t","txStatus":"custody_rejected_withdrawal"}`),
		"rejected and no more": reads(func(ctx context.Context, c *qredo.Client) (bool, error) {
			tx, err := getTransfer(ctx, c)
			return tx.Status.Failed(), err
		}, true, `{"txID":"t","txStatus":"custody_rejected"}`, `{"txID":"t","txStatus":"rejected"}`, `{"txID":"t","txStatus":"rejected_transfer"}`),
		"of swaps": reads(getTransfer, &qredo.Transaction{ID: "t", Status: qredo.TxTakerApproved}, `{"txID":"t","txStatus":"taker_approved"}`),
	},
	4: {
		"the top level counts": reads(func(ctx context.Context, c *qredo.Client) (qredo.Time, error) {
			tx, err := getTransfer(ctx, c)
			return tx.Expires, err
		}, qredo.Unix(9), `{"txID":"t","expires":9,"statusDetails":{"expires":9}}`, `{"txID":"t","expires":9,"statusDetails":{"expires":0}}`, `{"txID":"t","expires":"9"}`),
		"the sandbox sets that": func(t *testing.T, w *clienttest.World) {
			tx, err := w.Client.Transfers.Get(t.Context(), w.Company, w.Send(t, 1000))
			require.NoError(t, err)
			require.NotZero(t, tx.Expires)
			require.Zero(t, tx.Details.Expires)
		},
	},
	5: {"text": reads(getTransfer, &qredo.Transaction{ID: "t", InitiatorAuthorized: true},
		`{"txID":"t","initiatorAuthorized":true}`, `{"txID":"t","initiatorAuthorized":"true"}`, `{"txID":"t","initiator_authorized":"True"}`)},
	6: {
		"a number is sent": clienttest.Sends(createTransfer, `POST /company/`+clienttest.CompanyID+`/transfer {"wallet_id":"`+clienttest.WalletID+`","counterparty_wallet_address":"`+
			clienttest.OtherWalletID+`","expires":1700003600,"send":{"symbol":"BTC","amount":1}}`),
		"text is taken": func(t *testing.T, w *clienttest.World) {
			number := fmt.Sprint(w.Expires().Unix())
			sandboxTakes(`"expires":`+number, `"expires":"`+number+`"`)(t, w)
		},
	},
	7: {
		"a whole number is sent": func(t *testing.T, _ *clienttest.World) {
			var bodies []string
			req := clienttest.GoodTransfer()
			req.Send.Amount = 9_007_199_254_740_993 // more than a float can tell apart
			_, err := clienttest.NewQuickClient(t, clienttest.RecordBodies(&bodies, `{"tx_id":"t"}`)).Transfers.Create(t.Context(), clienttest.CompanyID, req)
			require.NoError(t, err)
			require.Contains(t, bodies[0], `"amount":9007199254740993}`)
		},
		"text is taken": sandboxTakes(`"amount":1000`, `"amount":"1000"`),
	},
	8: {
		"the address is sent":   clienttest.Sends(createTransfer, `POST /company/`+clienttest.CompanyID+`/transfer {"wallet_id":"`+clienttest.WalletID+`","counterparty_wallet_address":"`+clienttest.OtherWalletID+`","expires":1700003600,"send":{"symbol":"BTC","amount":1}}`),
		"the other key is read": sandboxTakes("counterparty_wallet_address", "counterparty_wallet_id"),
		"a short code, on both sides": func(t *testing.T, w *clienttest.World) {
			for side, id := range map[string]qredo.WalletID{`address":"`: w.OtherBTC, `wallet_id":"`: w.BTC} {
				wallet, err := w.Client.Wallets.Get(t.Context(), id)
				require.NoError(t, err)
				for _, code := range []string{wallet.ShortCode, strings.ReplaceAll(wallet.ShortCode, " ", "-"), strings.ToUpper(wallet.ShortCode)} {
					sandboxTakes(side+string(id), side+code)(t, w)
				}
			}
		},
	},
	9: {"omitted when empty": func(t *testing.T, _ *clienttest.World) {
		var bodies []string
		client := clienttest.NewQuickClient(t, clienttest.RecordBodies(&bodies, `{"tx_id":"t"}`))
		req := clienttest.GoodTransfer()
		for _, req.AuthorizeID = range []qredo.CoreClientID{"", "auth"} {
			_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, req)
			require.NoError(t, err)
		}
		require.NotContains(t, bodies[0], "authorize_id")
		require.Contains(t, bodies[1], `"authorize_id":"auth"`)
	}},
	10: {"empty keys are tolerated, and none": func(t *testing.T, w *clienttest.World) {
		body := fmt.Sprintf(`{"fund_id":"","partner_txID":"","wallet_id":"%s","address":"%s","expires":%d,"send":{"symbol":"BTC","amount":1000}}`,
			w.BTC, clienttest.PayoutAddress, w.Expires().Unix())
		first, second := w.Post(t, w.CompanyPath("/withdraw"), body), w.Post(t, w.CompanyPath("/withdraw"), body)
		require.Equal(t, []qredo.SubmissionStatus{"new", "new"}, []qredo.SubmissionStatus{first.Status, second.Status})
		require.NotEqual(t, first.TxID, second.TxID)
	}},
	11: {
		"with status":    reads(submitTransfer, &qredo.Submission{TxID: "t", Status: "new"}, `{"tx_id":"t","status":"new"}`, `{"txID":"t","Status":"new"}`),
		"without status": reads(submitTransfer, &qredo.Submission{TxID: "t"}, `{"tx_id":"t"}`, `{"tx_id":"t","status":null}`),
	},
	12: {
		"the URL": reads(func(ctx context.Context, c *qredo.Client) (*qredo.SwapSubmission, error) {
			return c.Swaps.Make(ctx, clienttest.CompanyID, clienttest.GoodSwap(), qredo.WithoutPartnerTxID())
		}, &qredo.SwapSubmission{Submission: qredo.Submission{TxID: "t", Status: "new"}, URL: "u"},
			`{"tx_id":"t","tx_url":"u","status":"new"}`, `{"txID":"t","txURL":"u","status":"new"}`),
		"any URL": func(t *testing.T, _ *clienttest.World) {
			for _, url := range []string{"https://qredo.network/aswpt", "https://qredo.network/t", "https//qredo.network/aswpt", ""} {
				made, err := clienttest.NewQuickClient(t, clienttest.AnswerWith(200, `{"tx_id":"t","tx_url":"`+url+`"}`)).Swaps.Make(t.Context(), clienttest.CompanyID, clienttest.GoodSwap())
				require.NoError(t, err)
				require.Equal(t, url, made.URL)
			}
		},
		"the sandbox gives one": func(t *testing.T, w *clienttest.World) {
			made, err := w.Client.Swaps.Make(t.Context(), w.Company, w.Swap())
			require.NoError(t, err)
			require.Equal(t, "https://qredo.network/aswp"+string(made.TxID), made.URL)
		},
	},
	13: {"the swap is sent": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
		_, err := c.Swaps.Take(ctx, clienttest.CompanyID, clienttest.GoodTake(), qredo.WithoutPartnerTxID())
		return err
	}, `POST /company/`+clienttest.CompanyID+`/atomicswap/take {"swap_id":"`+clienttest.TransferID+`","send_wallet_id":"`+clienttest.OtherWalletID+`","receive_wallet_id":"`+clienttest.WalletID+`","reference":"take 3"}`)},
	14: {
		"make": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
			return c.Swaps.GetMake(ctx, clienttest.CompanyID, "t")
		}, variantTx, camelTx, snakeTx),
		"take": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
			return c.Swaps.GetTake(ctx, clienttest.CompanyID, "t")
		}, variantTx, camelTx, snakeTx),
		"taken": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
			return c.Swaps.WaitMake(ctx, clienttest.CompanyID, "t")
		}, &qredo.Transaction{ID: "t", Status: qredo.TxTakerApproved, ApprovedCount: 1}, `{"txID":"t","txStatus":"taker_approved","approvedCount":1}`,
			`{"tx_id":"t","tx_status":"taker_approved","approver_count":"1"}`),
		"wherever the sources read it": func(t *testing.T, w *clienttest.World) {
			quote := w.Offer(t)
			made, err := w.Client.Swaps.GetMake(t.Context(), w.Company, quote)
			require.NoError(t, err)
			asTransfer, err := w.Client.Transfers.Get(t.Context(), w.Company, quote)
			require.NoError(t, err)
			require.Equal(t, made, asTransfer)
		},
	},
	15: {"without ID": func(t *testing.T, _ *clienttest.World) {
		var urls []string
		_, err := clienttest.NewQuickClient(t, clienttest.RecordURLs(&urls, `{"tx_id":"t"}`)).Swaps.Take(t.Context(), clienttest.CompanyID, clienttest.GoodTake())
		require.NoError(t, err)
		require.Equal(t, []string{clienttest.BaseURL + "/company/" + clienttest.CompanyID + "/atomicswap/take"}, urls)
	}},
	16: {
		"one object": reads(getHub, []qredo.HubQuote{{TxID: "t", SendAmount: 5}},
			`{"items":[{"tx_id":"t","send_amount":5}]}`, `{"items":{"tx_id":"t","send_amount":5}}`),
		"none": func(t *testing.T, _ *clienttest.World) {
			for _, body := range []string{`{"items":[]}`, `{"items":null}`} {
				quotes, err := getHub(t.Context(), clienttest.NewQuickClient(t, clienttest.AnswerWith(200, body)))
				require.NoError(t, err)
				require.Empty(t, quotes)
			}
		},
	},
	17: {
		"a comma":       reads(submitTransfer, &qredo.Submission{TxID: "t"}, `{"tx_id":"t"}`, `{"tx_id":"t,"}`, `{"tx_id":" t , "}`),
		"when read":     reads(getTransfer, &qredo.Transaction{ID: "t"}, `{"txID":"t"}`, `{"txID":"t,"}`),
		"in the ledger": reads(getLedger, &qredo.LedgerPage{Total: 1, Entries: []qredo.LedgerEntry{{TxID: "t"}}}, `{"List":[{"TxID":"t"}],"Total":1}`, `{"List":[{"TxID":"t,"}],"Total":1}`),
	},
	18: {"text": reads(getHub, []qredo.HubQuote{{TxID: "t", Owner: true}},
		`{"items":[{"tx_id":"t","owner":true}]}`, `{"items":[{"tx_id":"t","owner":"true"}]}`, `{"items":[{"tx_id":"t","owner":"True"}]}`)},
	19: {"any success": succeeds(func(ctx context.Context, c *qredo.Client) error {
		return c.Swaps.Publish(ctx, clienttest.CompanyID, "t")
	},
		`200 {"code":200,"msg":"OK"}`, `200 {}`, `200`, `200 null`)},
	20: {
		"trusted party": succeeds(func(ctx context.Context, c *qredo.Client) error {
			return c.TrustedNetwork.Remove(ctx, clienttest.CompanyID, clienttest.AliceID)
		},
			`202 {"code":200,"msg":"OK"}`, `200 {"code":200,"msg":"OK"}`, `202 `),
		"swap": succeeds(func(ctx context.Context, c *qredo.Client) error {
			return c.Swaps.CancelMake(ctx, clienttest.CompanyID, "t")
		},
			`202 {"code":200,"msg":"OK"}`, `200 {"code":200,"msg":"OK"}`, `200 `),
		"the sandbox": func(t *testing.T, w *clienttest.World) {
			var resp qredo.Response
			require.NoError(t, w.Client.Swaps.CancelMake(t.Context(), w.Company, w.Offer(t), qredo.WithResponse(&resp)))
			require.Equal(t, http.StatusAccepted, resp.StatusCode)
		},
	},
	21: {"each as it has it": func(t *testing.T, w *clienttest.World) {
		for _, kind := range []qredo.FeeType{"withdraw", "transferOut", "swap"} {
			_, err := w.Client.Assets.GetFees(t.Context(), qredo.FeesRequest{Type: kind, Asset: "BTC", Amount: 1000})
			require.NoError(t, err)
		}
		for _, kind := range []qredo.MaxType{"transfer", "withdraw", "swap"} {
			_, err := w.Client.Wallets.GetMaxAmount(t.Context(), w.BTC, qredo.MaxAmountOptions{Type: kind})
			require.NoError(t, err)
		}
	}},
	22: {
		"fees are data": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Fees, error) {
			return c.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeSwap, Asset: "ETH", Amount: 100_000_000})
		}, &qredo.Fees{AmountToSend: 100_000_000, NetAmount: 99_995_000, Fees: 5000},
			`{"amountToSend":100000000,"netAmount":99995000,"fees":5000}`, `{"amount_to_send":"100000000","net_amount":"99995000","fees":"5000"}`),
		"the sandbox": func(t *testing.T, w *clienttest.World) {
			for amount, want := range map[qredo.Amount]qredo.Amount{200_000: 200, 2800: 3, 800: 1} {
				got, err := w.Client.Assets.GetFees(t.Context(), qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: "BTC", Amount: amount})
				require.NoError(t, err)
				require.Equal(t, want, got.Fees)
			}
		},
	},
	23: {"who approves": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
		return c.CoreClients.GetSweep(ctx, clienttest.CoreID, "t")
	}, &qredo.Transaction{ID: "t", Approvals: []qredo.Approval{{ActionID: "a", UserID: "core"}}},
		`{"tx_id":"t","status":[{"action_id":"a","entity":"core"}]}`, `{"txID":"t","status":[{"actionID":"a","userID":"core"}]}`)},
}

func getLedger(ctx context.Context, c *qredo.Client) (*qredo.LedgerPage, error) {
	return c.Funds.ListLedger(ctx, clienttest.CompanyID, clienttest.FundID, qredo.LedgerOptions{})
}
