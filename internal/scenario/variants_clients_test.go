package scenario_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func getHistory(ctx context.Context, c *qredo.Client) ([]qredo.HistoryEntry, error) {
	return c.Wallets.ListHistory(ctx, clienttest.WalletID, qredo.HistoryOptions{})
}

func listCoreClients(ctx context.Context, c *qredo.Client) ([]qredo.CoreClient, error) {
	return c.CoreClients.List(ctx)
}

// refusedWith is the error of a call that is answered by a body.
func refusedWith(body string) func(t *testing.T) *qredo.Error {
	return func(t *testing.T) *qredo.Error {
		_, err := clienttest.NewQuickClient(t, clienttest.AnswerWith(400, body)).Assets.List(t.Context())
		return clienttest.RequireError(t, err)
	}
}

// clientRows are the rows about ledgers, core clients and errors, 45 to 57.
var clientRows = map[int]variants{
	45: {
		"as it comes": reads(getHistory, []qredo.HistoryEntry{{Amount: -100_100, Fees: -100, NetAmount: -100_000}},
			`{"history":[{"amount":-100100,"fee":-100,"net_amount":-100000}]}`, `{"history":[{"amount":"-100100","fee":"-100","netAmount":"-100000"}]}`),
		"the sandbox": func(t *testing.T, w *clienttest.World) {
			w.Approve(t, w.Send(t, 2800))
			history, err := w.Client.Wallets.ListHistory(t.Context(), w.BTC, qredo.HistoryOptions{})
			require.NoError(t, err)
			require.Positive(t, history[0].Amount, "what came is positive")
			out := history[len(history)-1]
			require.Equal(t, []qredo.Amount{-2803, -3, -2800}, []qredo.Amount{out.Amount, out.Fees, out.NetAmount})
			require.Equal(t, out.Amount, out.NetAmount+out.Fees)
		},
	},
	46: {"the keys": reads(getLedger, &qredo.LedgerPage{Total: 7, Entries: []qredo.LedgerEntry{{TxID: "t", Amount: 1}}},
		`{"List":[{"TxID":"t","amount":1}],"Total":7}`, `{"list":[{"txID":"t","amount":1}],"total":7}`, `{"list":{"tx_id":"t","amount":"1"},"total":"7"}`)},
	47: {"deposits": reads(getLedger, &qredo.LedgerPage{Total: 1, Entries: []qredo.LedgerEntry{{Type: qredo.EntryDeposit, Amount: 5}}},
		`{"List":[{"TxID":"","type":"deposit","status":"","amount":5,"expireTime":0}],"Total":1}`, `{"List":[{"type":"deposit","amount":5}],"Total":1}`,
		`{"List":[{"TxID":null,"type":"deposit","status":null,"amount":5,"expireTime":null}],"Total":1}`)},
	48: {
		"with client": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Exchange, error) {
			return c.Wallets.ListExchanges(ctx)
		},
			[]qredo.Exchange{{ID: "e", LogoURL: "l", Client: qredo.ExchangeClient{Fields: []qredo.ExchangeField{{ID: "1", Type: "text", Name: "n"}}}}},
			`{"exchanges":[{"id":"e","logourl":"l","client":{"fields":[{"id":"1","type":"text","name":"n"}]}}]}`, `{"exchanges":{"id":"e","logoURL":"l","client":{"fields":{"id":1,"type":"text","name":"n"}}}}`),
		"without": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Exchange, error) {
			return c.Wallets.ListExchanges(ctx)
		},
			[]qredo.Exchange{{ID: "e"}}, `{"exchanges":[{"id":"e"}]}`, `{"exchanges":[{"id":"e","client":null}]}`),
	},
	49: {"text": reads(listCoreClients, []qredo.CoreClient{{ID: "c", Created: qredo.Unix(7)}},
		`{"count":1,"clients":[{"id":"c","timestamp":7}]}`, `{"count":"1","clients":[{"id":"c","timestamp":"7"}]}`)},
	50: {
		"the keys": reads(getAction, &qredo.Action{ID: "a", CoreClientID: "c"}, `{"id":"a","coreClientID":"c"}`, `{"id":"a","clientID":"c"}`, `{"id":"a","core_client_id":"c"}`),
		"none":     reads(getAction, &qredo.Action{ID: "a"}, `{"id":"a"}`),
		"a list with what has ended": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Action, error) {
			return c.CoreClients.ListActions(ctx, clienttest.CoreID)
		},
			[]qredo.Action{{ID: "a", Status: "pending"}, {ID: "b", Status: "approved"}},
			`{"count":2,"actions":[{"id":"a","status":"pending"},{"id":"b","status":"approved"}]}`),
	},
	51: {"all types": func(t *testing.T, w *clienttest.World) {
		for _, kind := range []qredo.ActionType{
			qredo.ActionWithdraw, qredo.ActionTransfer, qredo.ActionSwap, qredo.ActionSwapTake, qredo.ActionWalletConnect, "ApproveSomethingNew",
		} {
			reads(getAction, &qredo.Action{ID: "a", Type: kind}, `{"id":"a","type":"`+string(kind)+`"}`)(t, w)
		}
	}},
	52: {
		"transfer": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{WalletID: "w", RecipientID: "r", RecipientName: "n", NetAmount: 5}},
			`{"id":"a","details":{"walletID":"w","recipientID":"r","recipientName":"n","netAmount":5}}`, `{"id":"a","details":{"wallet_id":"w","recipient_id":"r","recipient_name":"n","net_amount":"5"}}`),
		"withdrawal": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{RecipientAddress: "r", RecipientAddressName: "n"}},
			`{"id":"a","details":{"recipientAddress":"r","recipientAddressName":"n"}}`, `{"id":"a","details":{"recipient_address":"r","recipient_address_name":"n"}}`),
		"connect": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{
			ClientData: map[string]any{"customProperty1": "x", "n": json.Number("7")}, Wallet: &qredo.ActionWallet{ID: "w", Name: "n", Asset: "BTC", Type: 1, TypeCode: "t"},
		}}, `{"id":"a","details":{"clientData":{"customProperty1":"x","n":7},"wallet":{"walletID":"w","name":"n","asset":"BTC","type":1,"typeCode":"t"}}}`),
		"nothing of company and initiator": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{TxType: "withdraw"}},
			`{"id":"a","details":{"txType":"withdraw","companyID":"","initiatedBy":"","initiatorName":"","initiatorType":""}}`,
			`{"id":"a","details":{"txType":"withdraw","companyID":null,"initiatedBy":null,"initiatorName":null,"initiatorType":null}}`,
			`{"id":"a","details":{"txType":"withdraw"}}`),
		"company and initiator": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{
			TxType: "transferOut", CompanyID: "c", InitiatedBy: "i", InitiatorName: "n", InitiatorType: "company",
		}}, `{"id":"a","details":{"txType":"transferOut","companyID":"c","initiatedBy":"i","initiatorName":"n","initiatorType":"company"}}`,
			`{"id":"a","details":{"tx_type":"transferOut","company_id":"c","initiated_by":"i","initiator_name":"n","initiator_type":"company"}}`),
		"the sandbox": func(t *testing.T, w *clienttest.World) {
			action, err := w.Client.CoreClients.GetAction(t.Context(), w.Robot.ID, w.ActionOf(t, w.Send(t, 2800)))
			require.NoError(t, err)
			require.Equal(t, []string{"transferOut", string(w.Company), string(w.OtherBTC), "Acme", "", "", ""}, []string{
				action.Details.TxType, string(action.Details.CompanyID), action.Details.RecipientID, action.Details.RecipientName,
				action.Details.InitiatedBy, action.Details.InitiatorName, action.Details.InitiatorType,
			})
			sent, err := w.Client.Transfers.Withdraw(t.Context(), w.Company, w.Withdrawal(2800))
			require.NoError(t, err)
			action, err = w.Client.CoreClients.GetAction(t.Context(), w.Robot.ID, w.ActionOf(t, sent.TxID))
			require.NoError(t, err)
			require.Equal(t, []string{"withdraw", "", clienttest.PayoutAddress, ""}, []string{
				action.Details.TxType, string(action.Details.CompanyID), action.Details.RecipientAddress, action.Details.InitiatorName,
			})
		},
	},
	53: {
		"approve": succeeds(func(ctx context.Context, c *qredo.Client) error {
			return c.CoreClients.Approve(ctx, clienttest.CoreID, "a")
		},
			`200 {"code":200,"msg":"OK"}`, `200 {"id":"a","type":"ApproveTransfer","status":"approved","details":{}}`),
		"reject": succeeds(func(ctx context.Context, c *qredo.Client) error {
			return c.CoreClients.Reject(ctx, clienttest.CoreID, "a")
		},
			`200 {"code":200,"msg":"OK"}`, `200 {"id":"a","type":"ApproveTransfer","status":"rejected","details":{}}`),
		"what is not pending": func(t *testing.T, _ *clienttest.World) {
			for status, sentinel := range map[int]error{400: qredo.ErrBadRequest, 404: qredo.ErrNotFound, 409: qredo.ErrConflict} {
				client := clienttest.NewQuickClient(t, clienttest.AnswerWith(status, `{"code":1,"msg":"m"}`)).CoreClients
				require.ErrorIs(t, client.Approve(t.Context(), clienttest.CoreID, "a"), sentinel)
				require.ErrorIs(t, client.Reject(t.Context(), clienttest.CoreID, "a"), sentinel)
			}
		},
	},
	54: {"the header": func(t *testing.T, _ *clienttest.World) {
		auth, err := qredo.NewProofAuth(func(string, string, []byte, time.Time) (string, error) { return "proof", nil })
		require.NoError(t, err)
		req, err := http.NewRequest(http.MethodPost, clienttest.BaseURL+"/coreclient/finish", http.NoBody)
		require.NoError(t, err)
		require.NoError(t, auth.Authenticate(req, nil, clienttest.Now))
		require.Equal(t, http.Header{http.CanonicalHeaderKey("x-api-zkp"): {"proof"}}, req.Header)
	}},
	55: {"equal": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{TxID: "a"}}, `{"id":"a","details":{"txID":"a"}}`), "never the transaction's": func(t *testing.T, w *clienttest.World) {
		id := w.Send(t, 1000)
		action := w.ActionOf(t, id) // by details.txID
		require.NotEqual(t, string(id), string(action))
		tx, err := w.Client.Transfers.Get(t.Context(), w.Company, id)
		require.NoError(t, err)
		require.Equal(t, action, tx.Approvals[0].ActionID)
	}},
	56: {"number or text": func(t *testing.T, _ *clienttest.World) {
		want := refusedWith(`{"code":400,"msg":"m","detail":{"reason":"r"}}`)(t)
		got := refusedWith(`{"code":"400","msg":"m","detail":{"reason":"r"}}`)(t)
		require.Equal(t, 400, got.Code)
		require.Equal(t, []any{want.Code, want.Msg, want.Reason}, []any{got.Code, got.Msg, got.Reason})
	}},
	57: {"absent": func(t *testing.T, _ *clienttest.World) {
		for _, body := range []string{`{"code":400,"msg":"m"}`, `{"code":400,"msg":"m","detail":{}}`, `{"code":400,"msg":"m","detail":null}`, `{"code":400,"msg":"m","detail":{"reason":null}}`} {
			got := refusedWith(body)(t)
			require.Equal(t, []any{400, "m", ""}, []any{got.Code, got.Msg, got.Reason}, body)
		}
	}},
}
