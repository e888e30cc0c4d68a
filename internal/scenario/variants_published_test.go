package scenario_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// Further places where the service's guides, examples and document disagree about companies, networks, funds and wallets,
// in addition to the numbered ones: all forms are decoded to the same value, or the sandbox accepts them.
func TestEntityVariants(t *testing.T) {
	w := clienttest.NewWorld(t)
	for place, forms := range map[string]variants{
		"company": {
			"with its ID or without": reads(func(ctx context.Context, c *qredo.Client) (*qredo.Company, error) { return c.Companies.Get(ctx, "c") },
				&qredo.Company{ID: "c", Name: "n", Ref: "r"}, `{"company_id":"c","name":"n","ref":"r"}`, `{"name":"n","ref":"r"}`, `{"company_id":"","name":"n","ref":"r"}`),
			"made, with an echo of all that was sent": reads(func(ctx context.Context, c *qredo.Client) (*qredo.CompanyRef, error) {
				return c.Companies.Create(ctx, clienttest.Acme)
			}, &qredo.CompanyRef{ID: "c", Ref: "r"}, `{"company_id":"c","ref":"r"}`, `{"company_id":"c","ref":"r","city":"Paris","country":"FR","domain":"acme.example"}`),
			"holdings, counted or not": reads(func(ctx context.Context, c *qredo.Client) ([]qredo.Holding, error) {
				return c.Companies.ListHoldings(ctx, "c")
			}, []qredo.Holding{{Asset: "BTC", Amount: 5}}, `{"total_count":1,"holdings":[{"code":"BTC","amount":5}]}`, `{"holdings":[{"code":"BTC","amount":5}]}`,
				`{"total_count":0,"holdings":[{"code":"BTC","amount":5}]}`),
			"the same again": func(t *testing.T, w *clienttest.World) {
				_, err := w.Client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme", Domain: "acme.example"})
				require.NoError(t, err)
				strict := clienttest.NewWorld(t, sandbox.WithCompanyConflict())
				_, err = strict.Client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme", Domain: "acme.example"})
				require.ErrorIs(t, err, qredo.ErrConflict)
			},
			"a query or none": func(t *testing.T, w *clienttest.World) {
				for _, query := range []string{"", "?query=", "?query=ac", "?query=acme"} {
					var out struct{ Matches []qredo.CompanyMatch }
					require.NoError(t, w.Client.Do(t.Context(), http.MethodGet, "/company/search"+query, nil, &out), query)
					require.NotEmpty(t, out.Matches, query)
				}
			},
		},
		"trusted party": {
			"internal or not said": reads(listParties, []qredo.TrustedParty{{ID: "e"}},
				`{"list":[{"trusted_entity_id":"e","internal":false}]}`, `{"list":[{"trusted_entity_id":"e"}]}`, `{"list":[{"trusted_entity_id":"e","internal":null}]}`),
			"IDs of any length": reads(listParties, []qredo.TrustedParty{{ID: clienttest.CompanyID}, {ID: clienttest.AliceID}},
				`{"list":[{"trusted_entity_id":"`+clienttest.CompanyID+`"},{"trusted_entity_id":"`+clienttest.AliceID+`"}]}`),
			"several in one body": func(t *testing.T, w *clienttest.World) {
				var bots [2]*qredo.CoreClient
				for i := range bots {
					made, err := w.Client.CoreClients.Create(t.Context(), "bot")
					require.NoError(t, err)
					bots[i] = made
				}
				body := `{"type":"core-client","address":"` + string(bots[0].ID) + `","address":"` + string(bots[1].ID) + `"}`
				require.NoError(t, w.Client.Do(t.Context(), http.MethodPost, w.CompanyPath("/trustedparty"), []byte(body), nil))
				parties, err := w.Client.TrustedNetwork.List(t.Context(), w.Company)
				require.NoError(t, err)
				ids := map[string]bool{}
				for _, p := range parties {
					ids[string(p.ID)] = true
				}
				require.True(t, ids[string(bots[0].ID)] && ids[string(bots[1].ID)], "%v", ids)
			},
			"who has no account": func(t *testing.T, w *clienttest.World) {
				nobody := qredo.TrustedPartyRequest{Address: "nobody@example.com"}
				require.ErrorIs(t, w.Client.TrustedNetwork.Add(t.Context(), w.Company, nobody), qredo.ErrNotFound)
				inviting := clienttest.NewWorld(t, sandbox.WithInvitations())
				require.NoError(t, inviting.Client.TrustedNetwork.Add(t.Context(), inviting.Company, nobody))
			},
		},
		"fund": {
			"its company as a member, in a list or alone": reads(getFund, &qredo.Fund{ID: "f", Members: []qredo.FundMember{{
				Entity: qredo.Entity{ID: "c", Type: qredo.TrustedPartyCompany, AccountCode: "a", Initials: "H"}, Permissions: qredo.Permissions{Admin: true},
			}}}, `{"fund_id":"f","members":[{"entity":{"id":"c","type":"company","accountCode":"a","initials":"H"},"permissions":{"admin":true}}]}`,
				`{"fund_id":"f","members":{"entity":{"id":"c","type":"company","accountCode":"a","initials":"H"},"permissions":{"admin":true,"withdraw":false,"transfer":false,"swap":false}}}`),
			"a policy's empty fields, there or not": reads(getFund, &qredo.Fund{ID: "f", PolicyTx: &qredo.Policy{ID: "p", Name: "F Tx policy"}},
				`{"fund_id":"f","policy_tx":{"id":"p","name":"F Tx policy","entityID":"","locked":false,"lockedTxID":"","walletCount":0,"dedicatedWalletCount":0,"fundsCount":0,"funds":null}}`,
				`{"fund_id":"f","policy_tx":{"id":"p","name":"F Tx policy"}}`),
			"an entity's owner and address, null or not there": reads(getMembers, member(qredo.Entity{ID: "e", User: &qredo.EntityUser{Username: "n", Partner: true}}),
				withMember(`{"entity":{"id":"e","owner":null,"address":null,"user":{"userName":"n","partner":true}}}`), withMember(`{"entity":{"id":"e","user":{"username":"n","partner":"true"}}}`)),
			"a whitelist by asset alone": func(t *testing.T, w *clienttest.World) {
				list, err := w.Client.Funds.ListWhitelist(t.Context(), w.Company, w.Fund, qredo.WhitelistOptions{Asset: "BTC"})
				require.NoError(t, err)
				require.Len(t, list, 1)
			},
			"without description and groups": func(t *testing.T, w *clienttest.World) {
				_, err := w.Client.Funds.Create(t.Context(), w.Company, qredo.FundRequest{Name: "Bare"})
				require.NoError(t, err)
			},
		},
		"wallet": {
			"address types are kept": reads(getWallet, &qredo.Wallet{ID: "w", AddressType: "ETH Ropsten Testnet"}, `{"wallet_id":"w","address_type":"ETH Ropsten Testnet"}`),
			"connected to nobody":    reads(getWallet, &qredo.Wallet{ID: "w"}, `{"wallet_id":"w","connected":null}`, `{"wallet_id":"w"}`),
			"kinds": reads(getFund, &qredo.Fund{ID: "f", Wallets: []qredo.Wallet{
				{ID: "v", Type: qredo.WalletVesting}, {ID: "x", Type: qredo.WalletExternal}, {ID: "f", Type: qredo.WalletFee},
			}}, `{"fund_id":"f","wallets":[{"wallet_id":"v","type":3},{"wallet_id":"x","type":4},{"wallet_id":"f","type":5}]}`),
			"states of connections": reads(getWallet, &qredo.Wallet{ID: "w", Connected: []qredo.ConnectedAccount{
				{Status: qredo.ConnectionInitiated}, {Status: qredo.ConnectionConnected}, {Status: qredo.ConnectionRejected}, {Status: qredo.ConnectionExpired}, {Status: "another"},
			}}, `{"wallet_id":"w","connected":[{"status":"initiated"},{"status":"connected"},{"status":"rejected"},{"status":"expired"},{"status":"another"}]}`),
			"what an exchange asks of a customer": reads(getAction, &qredo.Action{ID: "a", Details: &qredo.ActionDetails{
				ClientData: map[string]any{"customer_id": "A1", "customer_email": "ann@example.org"},
			}}, `{"id":"a","details":{"clientData":{"customer_id":"A1","customer_email":"ann@example.org"}}}`),
		},
	} {
		for form, check := range forms {
			t.Run(place+": "+form, func(t *testing.T) { check(t, w) })
		}
	}
}

// A connection's request names the customer as the exchange does, and lives an hour: in the sandbox through the
// client.
func TestConnectionRequestThroughTheClient(t *testing.T) {
	w := clienttest.NewWorld(t)
	ids, err := w.Client.Funds.AddWallets(t.Context(), w.Company, w.Fund, []qredo.WalletRequest{{
		Name: "at the desk", Asset: "BTC", Type: qredo.WalletMultiCounterparty,
		Connect: []qredo.ConnectRequest{{CounterpartyID: string(w.Desk.ID), ClientID: "A12345"}},
	}})
	require.NoError(t, err)
	asked := w.Pending(t, w.Desk)
	require.Len(t, asked, 1)
	action, err := w.Client.CoreClients.GetAction(t.Context(), w.Desk.ID, asked[0].ID)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"customer_id": "A12345"}, action.Details.ClientData)
	require.EqualValues(t, 3600, action.Expires.Unix()-action.Created.Unix())
	wallet, err := w.Client.Wallets.Get(t.Context(), ids[0])
	require.NoError(t, err)
	require.Equal(t, []qredo.ConnectedAccount{{
		ClientID: "A12345", CounterpartyID: string(w.Desk.ID), Name: "desk", Status: qredo.ConnectionInitiated,
	}}, wallet.Connected)
	require.Equal(t, "P2PKH", wallet.AddressType)
}
