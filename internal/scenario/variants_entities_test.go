package scenario_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

func listParties(ctx context.Context, c *qredo.Client) ([]qredo.TrustedParty, error) {
	return c.TrustedNetwork.List(ctx, "c")
}

func getMembers(ctx context.Context, c *qredo.Client) ([]qredo.PolicyMember, error) {
	wallet, err := getWallet(ctx, c)
	if err != nil {
		return nil, err
	}
	return wallet.PolicyTx.Members, nil
}

// withMember is a wallet with one policy member.
func withMember(member string) string {
	return `{"wallet_id":"w","policy_tx":{"members":[` + member + `]}}`
}

func member(e qredo.Entity) []qredo.PolicyMember { return []qredo.PolicyMember{{Entity: e}} }

// entityRows are the rows about companies, trusted networks, funds and wallets, 24 to 44.
var entityRows = map[int]variants{
	24: {
		"one object": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Asset, error) { return c.Assets.List(ctx) },
			[]qredo.Asset{{Code: "BTC", Scale: 100_000_000, Enabled: true}},
			`{"assets":[{"code":"BTC","scale":100000000,"enabled":true}]}`, `{"assets":{"code":"BTC","scale":"100000000","enabled":"true","testAsset":false}}`),
		"test assets": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Asset, error) { return c.Assets.List(ctx) },
			[]qredo.Asset{{Code: "BTC-TESTNET", TestAsset: true}}, `{"assets":[{"code":"BTC-TESTNET","testAsset":true}]}`),
	},
	25: {"with what was sent": reads(func(ctx context.Context, c *qredo.Client) (*qredo.CompanyRef, error) {
		return c.Companies.Create(ctx, clienttest.Acme)
	}, &qredo.CompanyRef{ID: "c", Ref: "r"}, `{"company_id":"c","ref":"r"}`, `{"company_id":"c","ref":"r","name":"ACME Corp","city":"Paris","country":"FR"}`)},
	26: {
		"spelling": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Company, error) { return c.Companies.Get(ctx, "c") },
			&qredo.Company{ID: "c", Name: "n", Country: "FR"}, `{"company_id":"c","name":"n","country":"FR"}`, `{"companyID":"c","Name":"n","countryCode":"FR"}`),
		"no extras are sent": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Create(ctx, qredo.CompanyRequest{Name: "n", Country: "FR"})
			return err
		}, `POST /company {"name":"n","country":"FR"}`),
		"extras are taken": func(t *testing.T, w *clienttest.World) {
			var made qredo.CompanyRef
			body := []byte(`{"name":"Extra","countryCode":"FR","anon_IOI":true,"anon_RFQ":true,"tc_only":false,"dir_listed":"true"}`)
			require.NoError(t, w.Client.Do(t.Context(), "POST", "/company", body, &made))
			got, err := w.Client.Companies.Get(t.Context(), made.ID)
			require.NoError(t, err)
			require.Equal(t, "FR", got.Country)
		},
	},
	27: {"as given": func(t *testing.T, w *clienttest.World) {
		made, err := w.Client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "American", Country: "USA"})
		require.NoError(t, err)
		got, err := w.Client.Companies.Get(t.Context(), made.ID)
		require.NoError(t, err)
		require.Equal(t, "USA", got.Country)
	}},
	28: {
		"only the address is sent": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			return c.TrustedNetwork.Add(ctx, clienttest.CompanyID, qredo.TrustedPartyRequest{Address: "acme.example"})
		}, `POST /company/`+clienttest.CompanyID+`/trustedparty {"address":"acme.example"}`),
		"an e-mail, an ID, a domain": func(t *testing.T, w *clienttest.World) {
			for _, email := range []string{"ann@acme.example", "bob@acme.example"} { // who have the app
				_, err := w.Srv.CreateUser(sandbox.User{Email: email})
				require.NoError(t, err)
			}
			for _, address := range []string{"ann@acme.example", string(w.Desk.ID), "acme.example"} {
				require.NoError(t, w.Client.TrustedNetwork.Add(t.Context(), w.Company, qredo.TrustedPartyRequest{Address: address}))
			}
			body := []byte(`{"type":"user","name":"Bob","address":"bob@acme.example"}`)
			require.NoError(t, w.Client.Do(t.Context(), "POST", w.CompanyPath("/trustedparty"), body, nil))
		},
	},
	29: {"any success": succeeds(func(ctx context.Context, c *qredo.Client) error {
		return c.TrustedNetwork.Add(ctx, clienttest.CompanyID, qredo.TrustedPartyRequest{Address: clienttest.CoreID})
	}, `200 {"code":200,"msg":"ok"}`, `200 {"code":200,"msg":"OK"}`, `200 {"code":"200","msg":"OK"}`, `200 `)},
	30: {"flat or nested": reads(listParties, []qredo.TrustedParty{{ID: "e", Name: "n", Internal: true}},
		`{"list":[{"trusted_entity_id":"e","name":"n","internal":true}]}`, `{"list":[{"company_id":"c","list":{"trusted_entity_id":"e","name":"n","internal":true}}]}`,
		`{"total_count":1,"list":[{"total_count":1,"list":[{"trusted_entity_id":"e","name":"n","internal":"true"}]}]}`)},
	31: {"the key": reads(getMembers, member(qredo.Entity{ID: "e", Type: qredo.TrustedPartyCoreClient, CoreClient: &qredo.EntityCoreClient{Name: "n"}}),
		withMember(`{"entity":{"id":"e","type":"core-client","coreClient":{"name":"n"}}}`), withMember(`{"entity":{"id":"e","type":"core-client","core-client":{"name":"n"}}}`))},
	32: {"the key": reads(getMembers, member(qredo.Entity{ID: "e", User: &qredo.EntityUser{Username: "n"}}),
		withMember(`{"entity":{"id":"e","user":{"username":"n"}}}`), withMember(`{"entity":{"id":"e","user":{"userName":"n"}}}`))},
	33: {
		"wrapped or not": reads(getMembers, member(qredo.Entity{ID: "e", Name: "n"}),
			withMember(`{"dedicated":false,"entity":{"id":"e","name":"n"}}`), withMember(`{"id":"e","name":"n"}`)),
		"more fields": reads(getWallet, &qredo.Wallet{ID: "w", PolicyTx: &qredo.Policy{
			ID: "p", EntityID: "e", Locked: true, LockedTxID: "t", MembersCount: 1, WalletCount: 2, DedicatedWalletCount: 3, FundsCount: 4, Funds: []string{"f"},
		}}, `{"wallet_id":"w","policy_tx":{"id":"p","entityID":"e","locked":true,"lockedTxID":"t","membersCount":1,"walletCount":2,"dedicatedWalletCount":3,"fundsCount":4,"funds":["f"]}}`,
			`{"wallet_id":"w","policy_tx":{"id":"p","entity_id":"e","locked":"true","locked_tx_id":"t","members_count":"1","wallet_count":2,"dedicated_wallet_count":3,"funds_count":4,"funds":"f"}}`),
	},
	34: {"one object": reads(getFund, &qredo.Fund{ID: "f", Members: []qredo.FundMember{{Entity: qredo.Entity{ID: "e"}, Permissions: qredo.Permissions{Swap: true}}}},
		`{"fund_id":"f","members":[{"entity":{"id":"e"},"permissions":{"swap":true}}]}`, `{"fund_id":"f","members":{"entity":{"id":"e"},"permissions":{"swap":true}}}`)},
	35: {
		"object":         reads(getWallet, &qredo.Wallet{ID: "w", Connected: []qredo.ConnectedAccount{{ClientID: "c"}}}, `{"wallet_id":"w","connected":[{"client_id":"c"}]}`, `{"wallet_id":"w","connected":{"client_id":"c"}}`),
		"null or absent": reads(getWallet, &qredo.Wallet{ID: "w"}, `{"wallet_id":"w"}`, `{"wallet_id":"w","connected":null}`),
	},
	36: {
		"number or text":     reads(getWallet, &qredo.Wallet{ID: "w", Type: 2}, `{"wallet_id":"w","type":2}`, `{"wallet_id":"w","type":"2"}`),
		"any number is kept": reads(getWallet, &qredo.Wallet{ID: "w", Type: 91827364}, `{"wallet_id":"w","type":91827364}`),
		"in actions": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{Wallet: &qredo.ActionWallet{Type: 3, TypeCode: "vesting"}}},
			`{"id":"a","details":{"wallet":{"type":3,"typeCode":"vesting"}}}`, `{"id":"a","details":{"wallet":{"type":"3","type_code":"vesting"}}}`),
		"zero is sent": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Funds.AddWallets(ctx, clienttest.CompanyID, clienttest.FundID, []qredo.WalletRequest{{Asset: "BTC"}, {Asset: "ETH", Type: qredo.WalletMultiCounterparty}})
			return err
		}, `POST /company/`+clienttest.CompanyID+`/fund/`+clienttest.FundID+`/wallet {"wallets":[{"asset":"BTC","type":0},{"asset":"ETH","type":2}]}`),
	},
	37: {"the key": reads(getFund, &qredo.Fund{ID: "f", Name: "n"}, `{"fund_id":"f","name":"n"}`, `{"ID":"f","name":"n"}`, `{"fundID":"f","name":"n"}`)},
	38: {"the whole fund": reads(func(ctx context.Context, c *qredo.Client) (*qredo.CreatedFund, error) {
		return c.Funds.Create(ctx, clienttest.CompanyID, qredo.FundRequest{Name: "n"})
	}, &qredo.CreatedFund{ID: "f", CustodyGroupWithdraw: "w", CustodyGroupTx: "t"},
		`{"fund_id":"f","custodygroup_withdraw":"w","custodygroup_tx":"t"}`,
		`{"ID":"f","custodygroup_withdraw":"w","custodygroup_tx":"t","name":"n","members":[],"policy_tx":{"id":"t"}}`)},
	39: {"exact": reads(getWallet, &qredo.Wallet{ID: "w", Balance: 9_007_199_254_740_993},
		`{"wallet_id":"w","balance":9007199254740993}`, `{"wallet_id":"w","balance":"9007199254740993"}`, `{"wallet_id":"w","balance":9.007199254740993e15}`)},
	40: {
		"the count is not asked": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.DepositAddress, error) {
			return c.Funds.ListDepositAddresses(ctx, clienttest.CompanyID, clienttest.FundID)
		}, []qredo.DepositAddress{{Asset: "BTC", Address: "a", Balance: 5}},
			`{"total_count":1,"list":[{"asset":"BTC","address":"a","balance":5}]}`, `{"total_count":0,"list":[{"asset":"BTC","address":"a","balance":5}]}`),
		"the sandbox counts": func(t *testing.T, w *clienttest.World) {
			var out struct {
				Total int `json:"total_count"`
				List  []any
			}
			require.NoError(t, w.Client.Do(t.Context(), "GET", w.CompanyPath("/fund/"+string(w.Fund)+"/deposit"), nil, &out))
			require.NotEmpty(t, out.List)
			require.Len(t, out.List, out.Total)
		},
	},
	41: {"the path": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
		_, err := c.Funds.AddAssets(ctx, clienttest.CompanyID, clienttest.FundID, []qredo.AssetCode{"ETH"})
		return err
	}, `POST /company/`+clienttest.CompanyID+`/fund/`+clienttest.FundID+`/asset {"assets":["ETH"]}`)},
	42: {
		"whitelist": succeeds(func(ctx context.Context, c *qredo.Client) error {
			return c.Funds.AddToWhitelist(ctx, clienttest.CompanyID, clienttest.FundID, qredo.WhitelistEntry{Asset: "BTC", Address: "a"})
		}, `200 {"code":200,"msg":"OK"}`, `200 `, `200 {}`),
		"policy": succeeds(func(ctx context.Context, c *qredo.Client) error {
			return c.Wallets.UpdatePolicy(ctx, clienttest.CompanyID, clienttest.FundID, clienttest.WalletID, clienttest.GoodPolicy())
		}, `200 {"code":200,"msg":"OK"}`, `200 `, `200 {}`),
	},
	43: {"both types": func(t *testing.T, w *clienttest.World) {
		wallet, err := w.Client.Wallets.Get(t.Context(), w.OtherBTC)
		require.NoError(t, err)
		for kind, policy := range map[qredo.PolicyType]qredo.PolicyID{"policy-tx": wallet.CustodyGroupTx, "policy-withdraw": wallet.CustodyGroupWithdraw} {
			req := qredo.PolicyRequest{PolicyID: policy, Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(w.Robot.ID)}, Type: kind}
			require.NoError(t, w.Client.Wallets.UpdatePolicy(t.Context(), w.Company, w.Fund, w.OtherBTC, req), kind)
		}
	}},
	44: {"the key": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Holding, error) {
		return c.Companies.ListHoldings(ctx, clienttest.CompanyID)
	},
		[]qredo.Holding{{Asset: "BTC", Amount: 5}}, `{"holdings":[{"code":"BTC","amount":5}]}`, `{"holdings":[{"symbol":"BTC","amount":5}]}`, `{"holdings":{"symbol":"BTC","amount":"5"}}`)},
}
