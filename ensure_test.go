package qredo_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

const acme = "Acme"

// group is a custody group of the world's robot.
func group(w *clienttest.World) *qredo.CustodyGroup {
	return &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(w.Robot.ID)}}
}

func idOf[T any](is *T, id func() string) string {
	if is == nil {
		return ""
	}
	return id()
}

// What differs is named, stays as it is, and is returned.
func TestEnsureDifferences(t *testing.T) {
	w := clienttest.NewWorld(t)
	desk := qredo.TrustedEntityID(w.Desk.ID)
	both := &qredo.CustodyGroup{Threshold: 2, Members: append([]qredo.TrustedEntityID{desk}, group(w).Members...)}
	robot := string(w.Robot.ID)
	pair := strings.Join(slices.Sorted(slices.Values([]string{robot, string(desk)})), " ")
	company := func(req qredo.CompanyRequest) func(context.Context, *qredo.Client) (any, bool, error) {
		return func(ctx context.Context, c *qredo.Client) (any, bool, error) {
			return unpointed(c.Companies.Ensure(ctx, req))
		}
	}
	fund := func(req qredo.FundRequest) func(context.Context, *qredo.Client) (any, bool, error) {
		return func(ctx context.Context, c *qredo.Client) (any, bool, error) {
			return unpointed(c.Funds.Ensure(ctx, w.Company, req))
		}
	}
	wallet := func(req qredo.WalletRequest) func(context.Context, *qredo.Client) (any, bool, error) {
		return func(ctx context.Context, c *qredo.Client) (any, bool, error) {
			return unpointed(c.Wallets.Ensure(ctx, w.Company, w.Fund, req))
		}
	}
	for name, test := range map[string]struct {
		ensure func(context.Context, *qredo.Client) (any, bool, error)
		want   []qredo.Difference
	}{
		"company":         {company(qredo.CompanyRequest{Name: "Acme", City: "Paris", Domain: "other.example"}), []qredo.Difference{{"city", "", "Paris"}, {"domain", "acme.example", "other.example"}}},
		"without its ref": {company(qredo.CompanyRequest{Name: "Acme", Ref: "a-1"}), []qredo.Difference{{"ref", "", "a-1"}}},
		"capitals":        {company(qredo.CompanyRequest{Name: " ACME  "}), []qredo.Difference{{"name", "Acme", " ACME  "}}},
		"fund": {
			fund(qredo.FundRequest{Name: "Treasury", Description: "cold", CustodyGroupTx: both, CustodyGroupWithdraw: group(w), Wallets: []qredo.WalletRequest{{Asset: "ETH", Name: "more"}}}),
			[]qredo.Difference{{"description", "", "cold"}, {"custodygroup_tx.threshold", "1", "2"}, {"custodygroup_tx.members", robot, pair}},
		},
		"wallet of a fund": {
			fund(qredo.FundRequest{Name: "Treasury", Wallets: []qredo.WalletRequest{{Asset: "ETH", Name: "eth"}, {Asset: "BTC", Name: "btc", Type: qredo.WalletMultiCounterparty}}}),
			[]qredo.Difference{{"wallets[1].type", "0", "2"}},
		},
		"wallet": {
			wallet(qredo.WalletRequest{Name: "btc", Asset: "BTC", CustodyGroupWithdraw: both, Connect: []qredo.ConnectRequest{{CounterpartyID: robot, ClientID: "7"}}}),
			[]qredo.Difference{{"custodygroup_withdraw.threshold", "1", "2"}, {"custodygroup_withdraw.members", robot, pair}, {"connect[0]", "", robot + " 7"}},
		},
		"core client": {
			func(ctx context.Context, c *qredo.Client) (any, bool, error) {
				return unpointed(c.CoreClients.Ensure(ctx, "Robot"))
			},
			[]qredo.Difference{{"name", "robot", "Robot"}},
		},
		"whitelist": {
			func(ctx context.Context, c *qredo.Client) (any, bool, error) {
				return unpointed(c.Funds.EnsureWhitelisted(ctx, w.Company, w.Fund, qredo.WhitelistEntry{Asset: "BTC", Address: clienttest.PayoutAddress, Name: "bank"}))
			},
			[]qredo.Difference{{"name", "", "bank"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var posts atomic.Int32
			client := w.Through(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
				if req.Method == http.MethodPost {
					posts.Add(1)
				}
				return next.RoundTrip(req)
			})
			is, made, err := test.ensure(t.Context(), client)
			var differs *qredo.DifferenceError
			require.ErrorAs(t, err, &differs)
			assert.Equal(t, test.want, differs.Differences)
			assert.NotNil(t, is)
			assert.False(t, made)
			assert.Zero(t, posts.Load())
			assert.ErrorContains(t, err, differs.ID)
		})
	}
}

func unpointed[T any](is *T, made bool, err error) (any, bool, error) {
	if is == nil {
		return nil, made, err
	}
	return *is, made, err
}

// The world's dedicated wallet has its counterparty in its groups, in addition to those that were asked for: that is not
// a difference.
func TestEnsureDedicatedWallet(t *testing.T) {
	w := clienttest.NewWorld(t)
	req := qredo.WalletRequest{Name: "dedicated", Asset: "BTC", Type: qredo.WalletDedicated, CustodyGroupTx: group(w), Connect: []qredo.ConnectRequest{{CounterpartyID: string(w.Desk.ID)}}}
	wallet, made, err := w.Client.Wallets.Ensure(t.Context(), w.Company, w.Fund, req)
	require.NoError(t, err)
	assert.False(t, made)
	assert.Equal(t, w.Dedicated, wallet.ID)

	req.Name = "refused"
	made1, made, err := w.Client.Wallets.Ensure(t.Context(), w.Company, w.Fund, req)
	require.NoError(t, err)
	require.True(t, made)
	for _, action := range w.Pending(t, w.Desk) {
		require.NoError(t, w.Client.CoreClients.Reject(t.Context(), w.Desk.ID, action.ID))
	}
	_, _, err = w.Client.Wallets.Ensure(t.Context(), w.Company, w.Fund, req)
	var differs *qredo.DifferenceError
	require.ErrorAs(t, err, &differs)
	assert.Equal(t, []qredo.Difference{{Field: "status", Is: "rejected", Wanted: "ready"}}, differs.Differences)
	assert.Equal(t, string(made1.ID), differs.ID)
}

// A reference is the caller's key, whatever the name; without one, the name is.
func TestEnsureCompanyByRef(t *testing.T) {
	w := clienttest.NewWorld(t)
	ctx := t.Context()
	ensure := func(name, ref string) (string, bool, error) {
		is, made, err := w.Client.Companies.Ensure(ctx, qredo.CompanyRequest{Name: name, Ref: ref})
		return idOf(is, func() string { return string(is.ID) }), made, err
	}
	one, made, err := ensure("John Smith", "customer-1")
	require.NoError(t, err)
	require.True(t, made)
	two, made, err := ensure("John Smith", "customer-2")
	require.NoError(t, err)
	require.True(t, made, "another customer of this name")
	for ref, id := range map[string]string{"customer-1": one, "customer-2": two} {
		found, made, err := ensure("John Smith", ref)
		require.NoError(t, err)
		assert.False(t, made)
		assert.Equal(t, id, found)
	}
	found, made, err := ensure("John Smith Ltd", "customer-2")
	var differs *qredo.DifferenceError
	require.ErrorAs(t, err, &differs)
	assert.Equal(t, []qredo.Difference{{Field: "name", Is: "John Smith", Wanted: "John Smith Ltd"}}, differs.Differences)
	assert.Equal(t, two, found)
	assert.False(t, made)
	_, _, err = ensure("John Smith", "")
	var twice *qredo.DuplicateError
	require.ErrorAs(t, err, &twice)
	assert.Equal(t, slices.Sorted(slices.Values([]string{one, two})), twice.IDs)

	_, err = w.Client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Somebody", Ref: "customer-2"})
	require.NoError(t, err)
	_, _, err = ensure("New name", "customer-2")
	require.ErrorAs(t, err, &twice)
	assert.Equal(t, `ref "customer-2"`, twice.Key)
}

// Of a list that is not whole nothing tells that something is not there.
func TestEnsureListIsNotWhole(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		ensure func(context.Context, *qredo.Client) error
	}{
		"companies": {`{"total_count":300,"matches":[]}`, func(ctx context.Context, c *qredo.Client) error {
			_, _, err := c.Companies.Ensure(ctx, qredo.CompanyRequest{Name: acme})
			return err
		}},
		"companies of a name": {`{"total_count":300,"matches":[{"company_id":"1","name":"Acme"}],"company_id":"1","ref":"other"}`, func(ctx context.Context, c *qredo.Client) error {
			_, _, err := c.Companies.Ensure(ctx, qredo.CompanyRequest{Name: acme, Ref: "a-1"})
			return err
		}},
		"funds": {`{"total_count":300,"list":[{"id":"1","name":"Other"}]}`, func(ctx context.Context, c *qredo.Client) error {
			_, _, err := c.Funds.Ensure(ctx, "company", qredo.FundRequest{Name: acme})
			return err
		}},
		"whitelist": {`{"total_count":300,"list":[]}`, func(ctx context.Context, c *qredo.Client) error {
			_, _, err := c.Funds.EnsureWhitelisted(ctx, "company", "fund", qredo.WhitelistEntry{Asset: "BTC", Address: "x"})
			return err
		}},
		"core clients": {`{"count":300,"clients":[{"id":"1","name":"other"}]}`, func(ctx context.Context, c *qredo.Client) error {
			_, _, err := c.CoreClients.Ensure(ctx, "one")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				assert.Equal(t, http.MethodGet, req.Method)
				return clienttest.Answer(req, http.StatusOK, test.answer), nil
			}))
			err := test.ensure(t.Context(), client)
			require.ErrorIs(t, err, qredo.ErrBadAnswer)
			require.ErrorContains(t, err, "of 300")
		})
	}
}

func TestEnsureTrustedUser(t *testing.T) {
	w := clienttest.NewWorld(t)
	ctx := t.Context()
	_, err := w.Srv.CreateUser(sandbox.User{Email: "Rosa@example.com"})
	require.NoError(t, err)
	req := qredo.TrustedPartyRequest{Address: "rosa@Example.com"}
	for range 2 { // nothing tells the second time that she has been asked
		party, made, err := w.Client.TrustedNetwork.Ensure(ctx, w.Company, req)
		require.ErrorIs(t, err, qredo.ErrNotAccepted)
		assert.True(t, made)
		assert.Nil(t, party)
	}
	require.NoError(t, w.Srv.Accept("Rosa@example.com", w.Company))
	party, made, err := w.Client.TrustedNetwork.Ensure(ctx, w.Company, req)
	require.NoError(t, err)
	assert.False(t, made)
	assert.Equal(t, qredo.TrustedPartyUser, party.Type)
}

func TestEnsureWhitelistedInOtherCapitals(t *testing.T) {
	w := clienttest.NewWorld(t)
	for i, address := range []string{"0x52908400098527886E0F7030069857D2E4169EE7", "0x52908400098527886e0f7030069857d2e4169ee7"} {
		_, added, err := w.Client.Funds.EnsureWhitelisted(t.Context(), w.Company, w.Fund, qredo.WhitelistEntry{Asset: "ETH", Address: address})
		require.NoError(t, err)
		assert.Equal(t, i == 0, added)
	}
	_, added, err := w.Client.Funds.EnsureWhitelisted(t.Context(), w.Company, w.Fund, qredo.WhitelistEntry{Asset: "BTC", Address: strings.ToUpper(clienttest.PayoutAddress)})
	require.NoError(t, err)
	assert.True(t, added, "capitals tell other addresses apart")
}

func TestEnsureRefusedBeforeSending(t *testing.T) {
	client, ctx := clienttest.NewClient(t, clienttest.RefuseAll(t)), t.Context()
	_, _, err := client.Companies.Ensure(ctx, qredo.CompanyRequest{Name: " "})
	clienttest.RequireInvalid(t, err, "name")
	_, _, err = client.Funds.Ensure(ctx, "c", qredo.FundRequest{Name: acme, Wallets: []qredo.WalletRequest{{Asset: "BTC", Name: "a"}, {Asset: "ETH", Name: "a"}, {Asset: "BTC", Name: "A "}}})
	clienttest.RequireInvalid(t, err, "wallets[2]")
	_, _, err = client.Wallets.Ensure(ctx, "c", "f", qredo.WalletRequest{})
	clienttest.RequireInvalid(t, err, "wallets[0].asset")
	_, _, err = client.TrustedNetwork.Ensure(ctx, "c", qredo.TrustedPartyRequest{})
	clienttest.RequireInvalid(t, err, "address")
	_, _, err = client.Funds.EnsureWhitelisted(ctx, "c", "f", qredo.WhitelistEntry{Asset: "BTC"})
	clienttest.RequireInvalid(t, err, "address")
	_, _, err = client.CoreClients.Ensure(ctx, "")
	clienttest.RequireInvalid(t, err, "name")
}
