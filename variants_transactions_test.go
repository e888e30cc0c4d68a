package qredo_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
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
func sandboxTakes(from, to string) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		made := w.post(t, w.companyPath("/transfer"), w.transferBody(from, to))
		require.Equal(t, qredo.SubmissionNew, made.Status)
		tx, err := w.client.Transfers.Get(t.Context(), w.company, made.TxID)
		require.NoError(t, err)
		require.Equal(t, qredo.Amount(1001), tx.Details.Amount)
		require.Equal(t, string(w.otherBTC), tx.Details.RecipientAddress)
	}
}

func getHub(ctx context.Context, c *qredo.Client) ([]qredo.HubQuote, error) {
	return c.Swaps.ListHubAll(ctx)
}

func submitTransfer(ctx context.Context, c *qredo.Client) (*qredo.Submission, error) {
	return c.Transfers.Create(ctx, companyID, goodTransfer(), qredo.WithoutPartnerTxID())
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
		"the sandbox names the company": func(t *testing.T, w *world) {
			tx, err := w.client.Transfers.Get(t.Context(), w.company, w.send(t, 1000))
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
		"an action finds its transaction": func(t *testing.T, w *world) {
			sent := w.send(t, 1000)
			found, err := w.client.Transfers.Get(t.Context(), w.company, qredo.TxID(w.actionOf(t, sent)))
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
		"the sandbox sets that": func(t *testing.T, w *world) {
			tx, err := w.client.Transfers.Get(t.Context(), w.company, w.send(t, 1000))
			require.NoError(t, err)
			require.NotZero(t, tx.Expires)
			require.Zero(t, tx.Details.Expires)
		},
	},
	5: {"text": reads(getTransfer, &qredo.Transaction{ID: "t", InitiatorAuthorized: true},
		`{"txID":"t","initiatorAuthorized":true}`, `{"txID":"t","initiatorAuthorized":"true"}`, `{"txID":"t","initiator_authorized":"True"}`)},
	6: {
		"a number is sent": sends(createTransfer, `POST /company/`+companyID+`/transfer {"wallet_id":"`+walletID+`","counterparty_wallet_address":"`+
			otherWalletID+`","expires":1700003600,"send":{"symbol":"BTC","amount":1}}`),
		"text is taken": func(t *testing.T, w *world) {
			number := fmt.Sprint(w.expires().Unix())
			sandboxTakes(`"expires":`+number, `"expires":"`+number+`"`)(t, w)
		},
	},
	7: {
		"a whole number is sent": func(t *testing.T, _ *world) {
			var bodies []string
			req := goodTransfer()
			req.Send.Amount = 9_007_199_254_740_993 // more than a float can tell apart
			_, err := newQuickClient(t, recordBodies(&bodies, `{"tx_id":"t"}`)).Transfers.Create(t.Context(), companyID, req)
			require.NoError(t, err)
			require.Contains(t, bodies[0], `"amount":9007199254740993}`)
		},
		"text is taken": sandboxTakes(`"amount":1000`, `"amount":"1000"`),
	},
	8: {
		"the address is sent":   sends(createTransfer, `POST /company/`+companyID+`/transfer {"wallet_id":"`+walletID+`","counterparty_wallet_address":"`+otherWalletID+`","expires":1700003600,"send":{"symbol":"BTC","amount":1}}`),
		"the other key is read": sandboxTakes("counterparty_wallet_address", "counterparty_wallet_id"),
		"a short code, on both sides": func(t *testing.T, w *world) {
			for side, id := range map[string]qredo.WalletID{`address":"`: w.otherBTC, `wallet_id":"`: w.btc} {
				wallet, err := w.client.Wallets.Get(t.Context(), id)
				require.NoError(t, err)
				for _, code := range []string{wallet.ShortCode, strings.ReplaceAll(wallet.ShortCode, " ", "-"), strings.ToUpper(wallet.ShortCode)} {
					sandboxTakes(side+string(id), side+code)(t, w)
				}
			}
		},
	},
	9: {"omitted when empty": func(t *testing.T, _ *world) {
		var bodies []string
		client := newQuickClient(t, recordBodies(&bodies, `{"tx_id":"t"}`))
		req := goodTransfer()
		for _, req.AuthorizeID = range []qredo.CoreClientID{"", "auth"} {
			_, err := client.Transfers.Create(t.Context(), companyID, req)
			require.NoError(t, err)
		}
		require.NotContains(t, bodies[0], "authorize_id")
		require.Contains(t, bodies[1], `"authorize_id":"auth"`)
	}},
	10: {"empty keys are tolerated, and none": func(t *testing.T, w *world) {
		body := fmt.Sprintf(`{"fund_id":"","partner_txID":"","wallet_id":"%s","address":"%s","expires":%d,"send":{"symbol":"BTC","amount":1000}}`,
			w.btc, payoutAddress, w.expires().Unix())
		first, second := w.post(t, w.companyPath("/withdraw"), body), w.post(t, w.companyPath("/withdraw"), body)
		require.Equal(t, []qredo.SubmissionStatus{"new", "new"}, []qredo.SubmissionStatus{first.Status, second.Status})
		require.NotEqual(t, first.TxID, second.TxID)
	}},
	11: {
		"with status":    reads(submitTransfer, &qredo.Submission{TxID: "t", Status: "new"}, `{"tx_id":"t","status":"new"}`, `{"txID":"t","Status":"new"}`),
		"without status": reads(submitTransfer, &qredo.Submission{TxID: "t"}, `{"tx_id":"t"}`, `{"tx_id":"t","status":null}`),
	},
	12: {
		"the URL": reads(func(ctx context.Context, c *qredo.Client) (*qredo.SwapSubmission, error) {
			return c.Swaps.Make(ctx, companyID, goodSwap(), qredo.WithoutPartnerTxID())
		}, &qredo.SwapSubmission{Submission: qredo.Submission{TxID: "t", Status: "new"}, URL: "u"},
			`{"tx_id":"t","tx_url":"u","status":"new"}`, `{"txID":"t","txURL":"u","status":"new"}`),
		"any URL": func(t *testing.T, _ *world) {
			for _, url := range []string{"https://qredo.network/aswpt", "https://qredo.network/t", "https//qredo.network/aswpt", ""} {
				made, err := newQuickClient(t, answerWith(200, `{"tx_id":"t","tx_url":"`+url+`"}`)).Swaps.Make(t.Context(), companyID, goodSwap())
				require.NoError(t, err)
				require.Equal(t, url, made.URL)
			}
		},
		"the sandbox gives one": func(t *testing.T, w *world) {
			made, err := w.client.Swaps.Make(t.Context(), w.company, w.swap())
			require.NoError(t, err)
			require.Equal(t, "https://qredo.network/aswp"+string(made.TxID), made.URL)
		},
	},
	13: {"the swap is sent": sends(func(ctx context.Context, c *qredo.Client) error {
		_, err := c.Swaps.Take(ctx, companyID, goodTake(), qredo.WithoutPartnerTxID())
		return err
	}, `POST /company/`+companyID+`/atomicswap/take {"swap_id":"`+transferID+`","send_wallet_id":"`+otherWalletID+`","receive_wallet_id":"`+walletID+`","reference":"take 3"}`)},
	14: {
		"make": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
			return c.Swaps.GetMake(ctx, companyID, "t")
		}, variantTx, camelTx, snakeTx),
		"take": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
			return c.Swaps.GetTake(ctx, companyID, "t")
		}, variantTx, camelTx, snakeTx),
		"taken": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
			return c.Swaps.WaitMake(ctx, companyID, "t")
		}, &qredo.Transaction{ID: "t", Status: qredo.TxTakerApproved, ApprovedCount: 1}, `{"txID":"t","txStatus":"taker_approved","approvedCount":1}`,
			`{"tx_id":"t","tx_status":"taker_approved","approver_count":"1"}`),
		"wherever the sources read it": func(t *testing.T, w *world) {
			quote := w.offer(t)
			made, err := w.client.Swaps.GetMake(t.Context(), w.company, quote)
			require.NoError(t, err)
			asTransfer, err := w.client.Transfers.Get(t.Context(), w.company, quote)
			require.NoError(t, err)
			require.Equal(t, made, asTransfer)
		},
	},
	15: {"without ID": func(t *testing.T, _ *world) {
		var urls []string
		_, err := newQuickClient(t, recordURLs(&urls, `{"tx_id":"t"}`)).Swaps.Take(t.Context(), companyID, goodTake())
		require.NoError(t, err)
		require.Equal(t, []string{testBase + "/company/" + companyID + "/atomicswap/take"}, urls)
	}},
	16: {
		"one object": reads(getHub, []qredo.HubQuote{{TxID: "t", SendAmount: 5}},
			`{"items":[{"tx_id":"t","send_amount":5}]}`, `{"items":{"tx_id":"t","send_amount":5}}`),
		"none": func(t *testing.T, _ *world) {
			for _, body := range []string{`{"items":[]}`, `{"items":null}`} {
				quotes, err := getHub(t.Context(), newQuickClient(t, answerWith(200, body)))
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
	19: {"any success": succeeds(func(ctx context.Context, c *qredo.Client) error { return c.Swaps.Publish(ctx, companyID, "t") },
		`200 {"code":200,"msg":"OK"}`, `200 {}`, `200`, `200 null`, `202 `)},
	20: {
		"trusted party": succeeds(func(ctx context.Context, c *qredo.Client) error {
			return c.TrustedNetwork.Remove(ctx, companyID, aliceID)
		},
			`202 {"code":200,"msg":"OK"}`, `200 {"code":200,"msg":"OK"}`, `202 `, `204 `),
		"swap": succeeds(func(ctx context.Context, c *qredo.Client) error { return c.Swaps.CancelMake(ctx, companyID, "t") },
			`202 {"code":200,"msg":"OK"}`, `200 {"code":200,"msg":"OK"}`, `200 `),
		"the sandbox": func(t *testing.T, w *world) {
			var resp qredo.Response
			require.NoError(t, w.client.Swaps.CancelMake(t.Context(), w.company, w.offer(t), qredo.WithResponse(&resp)))
			require.Equal(t, http.StatusAccepted, resp.StatusCode)
		},
	},
	21: {"each as it has it": func(t *testing.T, w *world) {
		for _, kind := range []qredo.FeeType{"withdraw", "transferOut", "swap"} {
			_, err := w.client.Assets.GetFees(t.Context(), qredo.FeesRequest{Type: kind, Asset: "BTC", Amount: 1000})
			require.NoError(t, err)
		}
		for _, kind := range []qredo.MaxType{"transfer", "withdraw", "swap"} {
			_, err := w.client.Wallets.GetMaxAmount(t.Context(), w.btc, qredo.MaxAmountOptions{Type: kind})
			require.NoError(t, err)
		}
	}},
	22: {
		"fees are data": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Fees, error) {
			return c.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeSwap, Asset: "ETH", Amount: 100_000_000})
		}, &qredo.Fees{AmountToSend: 100_000_000, NetAmount: 99_995_000, Fees: 5000},
			`{"amountToSend":100000000,"netAmount":99995000,"fees":5000}`, `{"amount_to_send":"100000000","net_amount":"99995000","fees":"5000"}`),
		"the sandbox": func(t *testing.T, w *world) {
			for amount, want := range map[qredo.Amount]qredo.Amount{200_000: 200, 2800: 3, 800: 1} {
				got, err := w.client.Assets.GetFees(t.Context(), qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: "BTC", Amount: amount})
				require.NoError(t, err)
				require.Equal(t, want, got.Fees)
			}
		},
	},
	23: {"who approves": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
		return c.CoreClients.GetSweep(ctx, coreID, "t")
	}, &qredo.Transaction{ID: "t", Approvals: []qredo.Approval{{ActionID: "a", UserID: "core"}}},
		`{"tx_id":"t","status":[{"action_id":"a","entity":"core"}]}`, `{"txID":"t","status":[{"actionID":"a","userID":"core"}]}`)},
}

func getLedger(ctx context.Context, c *qredo.Client) (*qredo.LedgerPage, error) {
	return c.Funds.ListLedger(ctx, companyID, fundID, qredo.LedgerOptions{})
}
