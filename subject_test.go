package qredo_test

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// What the reads below ask for, and what they do not.
const asked, other = "1va2cJ2pqdLSFAN5t1knBrnuMvw", "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3"

// subjects are the calls whose answers say what they are about, with an answer that has an ID in the place of ID. With a
// list, the first of two elements is about what was asked for.
var subjects = map[string]struct {
	answer string
	call   func(context.Context, *qredo.Client) (any, error)
}{
	"Companies.Get": {`{"company_id":"ID","name":"A"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Companies.Get(ctx, asked) }},
	"Companies.Update": {`{"company_id":"ID","ref":"r"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Companies.Update(ctx, asked, qredo.CompanyUpdate{Ref: "r"})
	}},
	"TrustedNetwork.List": {`{"company_id":"ID","list":[]}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.TrustedNetwork.List(ctx, asked) }},
	"Funds.Get":           {`{"fund_id":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Funds.Get(ctx, "c", asked) }},
	"Funds.ListLedger": {`{"List":[{"TxID":"t","fundID":"` + asked + `"},{"TxID":"t","fundID":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.ListLedger(ctx, "c", asked, qredo.LedgerOptions{})
	}},
	"Funds.ListLedger of a wallet": {`{"List":[{"TxID":"t","walletID":"` + asked + `"},{"TxID":"t","walletID":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Funds.ListLedger(ctx, "c", "f", qredo.LedgerOptions{WalletID: asked})
	}},
	"Funds.LedgerAll": {`{"List":[{"TxID":"t","fundID":"ID"}],"Total":1}`, func(ctx context.Context, c *qredo.Client) (got any, err error) {
		for got, err = range c.Funds.LedgerAll(ctx, "c", asked, qredo.LedgerOptions{}) {
			break
		}
		return got, err
	}},
	"Wallets.Get": {`{"wallet_id":"ID","balance":7}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Wallets.Get(ctx, asked) }},
	"Wallets.Get with its short code": {`{"wallet_id":"ID","short_code":"copper lantern valley"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Wallets.Get(ctx, asked)
	}},
	"Wallets.ListHistory": {`{"history":[{"wallet_id":"` + asked + `"},{"wallet_id":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Wallets.ListHistory(ctx, asked, qredo.HistoryOptions{})
	}},
	"Transfers.Get": {`{"txID":"ID","txStatus":"approved"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Transfers.Get(ctx, "c", asked) }},
	"Transfers.GetWithdrawal": {`{"txID":"ID","txStatus":"approved"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.Transfers.GetWithdrawal(ctx, "c", asked)
	}},
	"Swaps.GetMake": {`{"txID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Swaps.GetMake(ctx, "c", asked) }},
	"Swaps.GetTake": {`{"txID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) { return c.Swaps.GetTake(ctx, "c", asked) }},
	"CoreClients.GetSweep": {`{"txID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.GetSweep(ctx, "a", asked)
	}},
	"CoreClients.GetAction": {`{"id":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.GetAction(ctx, "a", asked)
	}},
	"CoreClients.GetAction of a client": {`{"id":"action","coreClientID":"ID"}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.GetAction(ctx, asked, "action")
	}},
	"CoreClients.ListActions": {`{"actions":[{"id":"1","coreClientID":"` + asked + `"},{"id":"2","coreClientID":"ID"}]}`, func(ctx context.Context, c *qredo.Client) (any, error) {
		return c.CoreClients.ListActions(ctx, asked)
	}},
}

// An answer about something else is no answer, and says what it is about.
func TestAnswersAboutSomethingElse(t *testing.T) {
	for name, tc := range subjects {
		for _, id := range []string{other, strings.ToLower(asked)} { // in whose IDs capitals count
			_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, id))))
			e := clienttest.RequireError(t, err)
			require.ErrorIs(t, e, qredo.ErrBadAnswer, name)
			require.ErrorContains(t, err, "asked for "+asked+", the answer is about "+id, name)
		}
	}
}

// What was asked for is taken however the service writes its ID.
func TestAnswersAboutWhatWasAskedFor(t *testing.T) {
	for name, tc := range subjects {
		for _, id := range []string{asked, asked + ",", " " + asked + " "} {
			_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, id))))
			require.NoError(t, err, "%s with %q", name, id)
		}
	}
	for _, name := range []string{
		"Companies.Get", "TrustedNetwork.List", "Funds.ListLedger", "Funds.ListLedger of a wallet", "Wallets.ListHistory", "CoreClients.ListActions",
		"CoreClients.GetAction of a client",
	} {
		tc := subjects[name]
		_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, ""))))
		require.NoError(t, err, "%s: the contract does not say that the ID is there", name)
	}
}

// with puts an ID into an answer.
func with(answer, id string) string { return strings.Replace(answer, `"ID"`, `"`+id+`"`, 1) }

// A wallet is found by its short code too, in whatever form that is written. Of an ID and a short code nothing tells
// whether they are one; of two short codes, and of the entries of one list, something does.
func TestAnswersAboutAShortCode(t *testing.T) {
	const code = "copper lantern valley"
	get := func(asked qredo.WalletID, answer string) error {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(200, answer)).Wallets.Get(t.Context(), asked)
		return err
	}
	for _, spelled := range []qredo.WalletID{code, "copper-lantern-valley", "Copper Lantern VALLEY"} {
		require.NoError(t, get(spelled, `{"wallet_id":"w","short_code":"copper lantern valley"}`))
		require.NoError(t, get(spelled, `{"wallet_id":"w","short_code":"Copper-Lantern-Valley"}`))
		require.NoError(t, get(spelled, `{"wallet_id":"w"}`))
		require.ErrorIs(t, get(spelled, `{"wallet_id":"w","short_code":"maple otter cloud"}`), qredo.ErrBadAnswer)
	}
	for _, id := range []qredo.WalletID{"wallet-1", "w 1"} { // an ID may have these characters elsewhere
		require.NoError(t, get(id, `{"wallet_id":"`+string(id)+`","short_code":"maple otter cloud"}`))
	}

	list := func(asked qredo.WalletID, ids ...string) (history, ledger error) {
		entries, moves := "", ""
		for _, id := range ids {
			entries += `,{"wallet_id":"` + id + `"}`
			moves += `,{"walletID":"` + id + `"}`
		}
		client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"history":[`+strings.TrimPrefix(entries, ",")+`],"List":[`+strings.TrimPrefix(moves, ",")+`]}`))
		_, history = client.Wallets.ListHistory(t.Context(), asked, qredo.HistoryOptions{})
		_, ledger = client.Funds.ListLedger(t.Context(), "c", "f", qredo.LedgerOptions{WalletID: asked})
		return history, ledger
	}
	for _, tc := range []struct {
		asked qredo.WalletID
		ids   []string
		good  bool
	}{
		{code, []string{"w1", "w1", ""}, true}, {code, []string{"w1", "w2"}, false}, {code, []string{"", "w1", "copper-lantern-valley"}, true},
		{code, []string{"maple otter cloud"}, false}, {"w1", []string{"w1", code, "w1"}, true}, {"w1", []string{code, "w2"}, false},
		{"wallet-1", []string{"wallet-1", "wallet-1"}, true}, {"wallet-1", []string{"wallet-2"}, false}, {"w1", nil, true},
	} {
		history, ledger := list(tc.asked, tc.ids...)
		for _, err := range []error{history, ledger} {
			if tc.good {
				require.NoError(t, err, "%q: %q", tc.asked, tc.ids)
			} else {
				require.ErrorIs(t, err, qredo.ErrBadAnswer, "%q: %q", tc.asked, tc.ids)
			}
		}
	}
}

// A transaction is found by the ID of an action that asks for its approval.
func TestAnswersAboutAnAction(t *testing.T) {
	for body, good := range map[string]bool{
		`{"txID":"t","status":[{"actionID":"x"},{"actionID":"a"}]}`: true, `{"txID":"t","status":[{"actionID":""},{"actionID":"b"}]}`: false,
	} {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(200, body)).Transfers.Get(t.Context(), "c", "a")
		require.Equal(t, good, err == nil, "%s: %v", body, err)
	}
	// An agent's other ID is its own in JSON, and that in hexadecimal.
	inner := hex.EncodeToString([]byte(`{"id":"agent","curve":"BLS381","created":1700000000}`))
	for id, good := range map[string]bool{inner: true, inner[:16]: false, "cafe": false} {
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"id":"a","clientID":"`+id+`"}`)).CoreClients.GetAction(t.Context(), "agent", "a")
		require.Equal(t, good, err == nil, "%s: %v", id, err)
	}
}

// An update whose answer is about another company may have been carried out.
func TestUpdateOfSomethingElse(t *testing.T) {
	tc := subjects["Companies.Update"]
	_, err := tc.call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(200, with(tc.answer, other))))
	require.ErrorContains(t, err, "may have been carried out")
}
