package qapi_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// The IDs that the reads below ask for, and other ones.
const asked, other = "1va2cJ2pqdLSFAN5t1knBrnuMvw", "2Ky9Pf34qY6Nb3wWD25RQ4F5ZR3"

// subjects are the calls whose responses say what they are about, with a response that has an ID in the place of ID.
var subjects = map[string]struct {
	answer string
	call   func(*testing.T, *qapi.Client) error
}{
	"Funds.Get": {`{"fundInfo":{"fund_id":"ID"}}`, func(t *testing.T, c *qapi.Client) error {
		_, err := c.Funds.Get(t.Context(), asked)
		return err
	}},
	"Funds.ListLedger": {`{"list":[{"fundID":"` + asked + `"},{"fundID":"ID"}]}`, func(t *testing.T, c *qapi.Client) error {
		_, err := c.Funds.ListLedger(t.Context(), asked)
		return err
	}},
	"Wallets.ListHistory": {`{"history":[{"walletID":"` + asked + `"},{"walletID":"ID"}]}`, func(t *testing.T, c *qapi.Client) error {
		_, err := c.Wallets.ListHistory(t.Context(), asked)
		return err
	}},
	"Wallets.ListHistory by a short code": {`{"history":[{"walletID":"` + asked + `"},{"walletID":"ID"}]}`, func(t *testing.T, c *qapi.Client) error {
		_, err := c.Wallets.ListHistory(t.Context(), "copper lantern valley")
		return err
	}},
	"Transactions.Get": {`{"txID":"ID"}`, func(t *testing.T, c *qapi.Client) error {
		_, err := c.Transactions.Get(t.Context(), asked)
		return err
	}},
	"Transactions.ListApprovals": {`{"list":[{"txID":"` + asked + `"},{"txID":"ID"}]}`, func(t *testing.T, c *qapi.Client) error {
		_, err := c.Transactions.ListApprovals(t.Context(), asked)
		return err
	}},
}

// A response about something else is refused, and the error says what it is about. The ID that was asked for is accepted
// however the service writes it.
func TestAnswersAboutSomethingElse(t *testing.T) {
	for name, tc := range subjects {
		with := func(id string) string { return strings.Replace(tc.answer, `"ID"`, `"`+id+`"`, 1) }
		err := tc.call(t, answering(t, 200, with(other)))
		var e *qredo.Error
		require.ErrorAs(t, err, &e, name)
		require.ErrorIs(t, e, qredo.ErrBadAnswer, name)
		require.ErrorContains(t, err, "asked for "+asked+", the answer is about "+other, name)
		require.ErrorIs(t, tc.call(t, answering(t, 200, with(strings.ToLower(asked)))), qredo.ErrBadAnswer, "%s: capitals count in IDs", name)
		for _, id := range []string{asked, asked + ",", " " + asked} {
			require.NoError(t, tc.call(t, answering(t, 200, with(id))), "%s with %q", name, id)
		}
	}
	for _, name := range []string{"Funds.ListLedger", "Wallets.ListHistory", "Transactions.ListApprovals"} {
		tc := subjects[name]
		require.NoError(t, tc.call(t, answering(t, 200, strings.Replace(tc.answer, `"ID"`, `""`, 1))), name)
		require.NoError(t, tc.call(t, answering(t, 200, "null")), name)
	}
	for _, body := range []string{`{"fundInfo":{}}`, `{"fundInfo":null}`, `null`} {
		require.ErrorIs(t, subjects["Funds.Get"].call(t, answering(t, 200, body)), qredo.ErrBadAnswer, body)
	}
}

// A created transaction is compared with the request: a different one would be followed, and sent to a chain.
func TestCreatedSomethingElse(t *testing.T) {
	req := payment()
	req.ChainID, req.Data = qapi.NewBigInt(5), "0x00FF"
	good := map[string]string{"from": req.From, "to": req.To, "value": req.Value.String(), "chainID": "5", "data": "0x00ff"}
	create := func(key, value string) error {
		body := `{"txID":"t"`
		for k, v := range good {
			if k == key {
				v = value
			}
			body += `,"` + k + `":"` + v + `"`
		}
		_, err := answering(t, 200, body+"}").Transactions.Create(t.Context(), req)
		return err
	}
	for _, tc := range []struct{ key, value string }{
		{"", ""}, {"from", ""}, {"from", strings.ToLower(req.From)}, {"to", strings.ToLower(req.To)}, {"to", ""}, {"value", ""}, {"chainID", ""},
		{"data", "00ff"}, {"data", ""}, {"data", "AP8="}, {"data", "0X00FF"},
	} {
		require.NoError(t, create(tc.key, tc.value), "%+v", tc)
	}
	for _, tc := range []struct{ key, value string }{
		{"from", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d358"}, {"to", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d358"}, {"value", "7"}, {"chainID", "1"},
		{"data", "0x00fe"},
	} {
		err := create(tc.key, tc.value)
		require.ErrorIs(t, err, qredo.ErrBadAnswer, "%+v", tc)
		require.ErrorContains(t, err, "the answer is about")
		require.ErrorContains(t, err, "may have been carried out")
	}
}
