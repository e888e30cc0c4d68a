package qredo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestWalletsMaxAmount(t *testing.T) {
	got, err := serveFixture(t, "wallets_get_max_amount").Wallets.GetMaxAmount(t.Context(), walletID, qredo.MaxAmountOptions{
		Pending: true, Type: qredo.MaxWithdraw,
	})
	require.NoError(t, err)
	want := &qredo.Fees{NetAmount: 99_900, AmountToSend: 100_000, Fees: 100}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestWalletsMaxAmountQueries(t *testing.T) {
	for want, options := range map[string]qredo.MaxAmountOptions{
		"":                            {},
		"?tx_type=swap":               {Type: qredo.MaxSwap},
		"?pending=1&tx_type=transfer": {Pending: true, Type: qredo.MaxTransfer},
	} {
		var urls []string
		_, err := newClient(t, recordURLs(&urls, `{"fees":1}`)).Wallets.GetMaxAmount(t.Context(), walletID, options)
		require.NoError(t, err)
		require.Equal(t, []string{testBase + "/wallet/" + walletID + "/max" + want}, urls)
	}
	client := newClient(t, refuseAll(t))
	_, err := client.Wallets.GetMaxAmount(t.Context(), walletID, qredo.MaxAmountOptions{Type: "transferOut"})
	requireInvalid(t, err, "tx_type")
}

func goodPolicy() qredo.PolicyRequest {
	return qredo.PolicyRequest{
		PolicyID: policyTxID, Threshold: 2, Members: []qredo.TrustedEntityID{aliceID, coreID}, Type: qredo.PolicyTx,
	}
}

func TestWalletsUpdatePolicy(t *testing.T) {
	client := serveFixture(t, "wallets_update_policy")
	require.NoError(t, client.Wallets.UpdatePolicy(t.Context(), companyID, fundID, walletID, goodPolicy()))
}

func TestWalletsUpdatePolicyRefused(t *testing.T) {
	client := newClient(t, refuseAll(t))
	for name, tc := range map[string]struct {
		field string
		spoil func(*qredo.PolicyRequest)
	}{
		"no policy":      {"policy_id", func(r *qredo.PolicyRequest) { r.PolicyID = "" }},
		"no type":        {"type", func(r *qredo.PolicyRequest) { r.Type = "" }},
		"other type":     {"type", func(r *qredo.PolicyRequest) { r.Type = "policy-swap" }},
		"nobody":         {"threshold", func(r *qredo.PolicyRequest) { r.Threshold = 0 }},
		"more than all":  {"threshold", func(r *qredo.PolicyRequest) { r.Threshold = 3 }},
		"twice the same": {"members[1]", func(r *qredo.PolicyRequest) { r.Members[1] = r.Members[0] }},
		"without ID":     {"members[0]", func(r *qredo.PolicyRequest) { r.Members[0] = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			req := goodPolicy()
			tc.spoil(&req)
			requireInvalid(t, client.Wallets.UpdatePolicy(t.Context(), companyID, fundID, walletID, req), tc.field)
		})
	}
}

func TestWalletsExchanges(t *testing.T) {
	got, err := serveFixture(t, "wallets_list_exchanges").Wallets.ListExchanges(t.Context())
	require.NoError(t, err)
	want := []qredo.Exchange{{
		ID: exchangeID, Name: "Exchange Ltd", URL: "https://exchange.example", LogoURL: "https://exchange.example/logo.png",
		Client: qredo.ExchangeClient{Fields: []qredo.ExchangeField{{ID: "1", Type: "text", Name: "account"}}},
	}}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}
