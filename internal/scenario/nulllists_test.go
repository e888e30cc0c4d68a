package scenario_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// listCalls are all methods that return a list, each with the key that its answer has the list under.
var listCalls = map[string]struct {
	key  string
	call func(ctx context.Context, c *qredo.Client) (any, error)
}{
	"Assets.List":            {"assets", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Assets.List(ctx) }},
	"Companies.List":         {"matches", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Companies.List(ctx) }},
	"Companies.Search":       {"matches", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Companies.Search(ctx, "a") }},
	"Companies.ListHoldings": {"holdings", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Companies.ListHoldings(ctx, "c") }},
	"TrustedNetwork.List":    {"list", func(ctx context.Context, c *qredo.Client) (any, error) { return c.TrustedNetwork.List(ctx, "c") }},
	"Funds.List":             {"list", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Funds.List(ctx, "c") }},
	"Funds.Search":           {"list", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Funds.Search(ctx, "c", "a") }},
	"Funds.AddWallets": {"wallets", func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.AddWallets(ctx, "c", "f", []qredo.WalletRequest{{Asset: "BTC"}})
	}},
	"Funds.AddAssets": {"wallets", func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.AddAssets(ctx, "c", "f", []qredo.AssetCode{"BTC"})
	}},
	"Funds.ListDepositAddresses": {"list", func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.ListDepositAddresses(ctx, "c", "f")
	}},
	"Funds.ListWhitelist": {"list", func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.ListWhitelist(ctx, "c", "f", qredo.WhitelistOptions{})
	}},
	"Wallets.ListHistory": {"history", func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Wallets.ListHistory(ctx, "w", qredo.HistoryOptions{})
	}},
	"Wallets.ListExchanges":   {"exchanges", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Wallets.ListExchanges(ctx) }},
	"Swaps.ListHub":           {"items", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Swaps.ListHub(ctx, "c") }},
	"Swaps.ListHubAll":        {"items", func(ctx context.Context, c *qredo.Client) (any, error) { return c.Swaps.ListHubAll(ctx) }},
	"CoreClients.List":        {"clients", func(ctx context.Context, c *qredo.Client) (any, error) { return c.CoreClients.List(ctx) }},
	"CoreClients.ListActions": {"actions", func(ctx context.Context, c *qredo.Client) (any, error) { return c.CoreClients.ListActions(ctx, "c") }},
	"CoreClients.ListWallets": {"wallets", func(ctx context.Context, c *qredo.Client) (any, error) { return c.CoreClients.ListWallets(ctx, "c") }},
}

// A list that is empty may be null.
func TestNullListsAreEmpty(t *testing.T) {
	for name, list := range listCalls {
		t.Run(name, func(t *testing.T) {
			for _, body := range []string{`{"` + list.key + `":null}`, `{"total_count":0,"count":0,"` + list.key + `":null}`, `{"` + list.key + `":[]}`} {
				got, err := list.call(t.Context(), clienttest.NewQuickClient(t, clienttest.AnswerWith(200, body)))
				require.NoError(t, err, body)
				require.Empty(t, got, body)
			}
			_, err := list.call(t.Context(), clienttest.NewQuickClient(t, clienttest.AnswerWith(200, `{"code":200,"msg":"OK"}`)))
			require.ErrorIs(t, err, qredo.ErrBadAnswer, "that says nothing about a list")
		})
	}
	client := reflect.ValueOf(clienttest.NewQuickClient(t, clienttest.RefuseAll(t))).Elem()
	lists := 0
	for i := range client.NumField() {
		service := client.Type().Field(i)
		if !service.IsExported() || service.Name == "SigningAgent" { // whose list is what it has to sign: a missing one is not a response
			continue
		}
		for j := range service.Type.NumMethod() {
			method := service.Type.Method(j)
			if method.Type.NumOut() == 2 && method.Type.Out(0).Kind() == reflect.Slice {
				lists++
				assert.Contains(t, listCalls, service.Name+"."+method.Name)
			}
		}
	}
	assert.Len(t, listCalls, lists, "nothing else returns a list")
}

// So may one within something else.
func TestNullListsWithin(t *testing.T) {
	const policy = `{"id":"p","members":null,"funds":null}`
	wantPolicy := &qredo.Policy{ID: "p"}
	for name, check := range map[string]func(*testing.T, *clienttest.World){
		"a fund": reads(getFund, &qredo.Fund{ID: "f", PolicyTx: wantPolicy},
			`{"fund_id":"f","members":null,"assets":null,"wallets":null,"policy_withdraw":null,"policy_tx":`+policy+`}`),
		"a wallet": reads(getWallet, &qredo.Wallet{ID: "w", PolicyWithdraw: wantPolicy}, `{"wallet_id":"w","connected":null,"policy_withdraw":`+policy+`}`),
		"a wallet of a fund": reads(getFund, &qredo.Fund{ID: "f", Wallets: []qredo.Wallet{{ID: "w", PolicyTx: wantPolicy}}},
			`{"fund_id":"f","wallets":[{"wallet_id":"w","connected":null,"policy_tx":`+policy+`}]}`),
		"a transfer": reads(getTransfer, &qredo.Transaction{ID: "t", Status: qredo.TxPending}, `{"txID":"t","txStatus":"pending","status":null}`),
		"an exchange": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Exchange, error) {
			return c.Wallets.ListExchanges(ctx)
		},
			[]qredo.Exchange{{ID: "e"}}, `{"exchanges":[{"id":"e","client":{"fields":null}}]}`),
		"a ledger": reads(getLedger, &qredo.LedgerPage{}, `{"List":null,"Total":0}`, `{"list":null,"total":0}`),
		"an action": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{}},
			`{"id":"a","details":{"clientData":null,"wallet":null}}`),
		"a nested list of trusted parties": reads(listParties, []qredo.TrustedParty{}, `{"list":null}`, `{"company_id":"c","list":[]}`,
			`{"list":[{"company_id":"c","total_count":0,"list":null}]}`, `{"list":{"company_id":"c","total_count":0,"list":[]}}`),
	} {
		t.Run(name, func(t *testing.T) { check(t, nil) })
	}
}
