package qredo_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// moneyCalls are the five requests for a transaction, with a PartnerTxID.
var moneyCalls = map[string]func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error{
	"transfer": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := goodTransfer()
		req.PartnerTxID = id
		_, err := c.Transfers.Create(ctx, companyID, req, opts...)
		return err
	},
	"withdraw": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := goodWithdrawal()
		req.PartnerTxID = id
		_, err := c.Transfers.Withdraw(ctx, companyID, req, opts...)
		return err
	},
	"sweep": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := goodSweep()
		req.PartnerTxID = id
		_, err := c.CoreClients.Sweep(ctx, coreID, req, opts...)
		return err
	},
	"swap make": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := goodSwap()
		req.PartnerTxID = id
		_, err := c.Swaps.Make(ctx, companyID, req, opts...)
		return err
	},
	"swap take": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := goodTake()
		req.PartnerTxID = id
		_, err := c.Swaps.Take(ctx, companyID, req, opts...)
		return err
	},
}

// cancelling ends the context while the answer is awaited.
func cancelling(cancel func()) roundTrip {
	return func(req *http.Request) (*http.Response, error) {
		cancel()
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
}

// ending is how the attempts of one call end, one after the other; the last stands for all further ones.
type ending struct {
	attempts []roundTrip
	cause    error // which the error must match, nil if any will do
}

// eachMoneyCall runs a call that ends in a way, for all five requests, with a PartnerTxID of the caller's,
// with one made, and with none. The test gets the error and the ID that was sent.
func eachMoneyCall(t *testing.T, e ending, test func(t *testing.T, err error, sent string)) {
	for name, call := range moneyCalls {
		for _, id := range []string{"own", "made", "none"} {
			t.Run(name+"/"+id, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					requests, sent := 0, ""
					client := newQuickClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
						var fields struct {
							ID string `json:"partner_txID"`
						}
						body, err := io.ReadAll(req.Body)
						require.NoError(t, err)
						require.NoError(t, json.Unmarshal(body, &fields))
						sent = fields.ID
						requests++
						attempt := e.attempts[min(requests, len(e.attempts))-1]
						if attempt == nil {
							attempt = cancelling(cancel)
						}
						return attempt(req)
					}))
					var partner qredo.PartnerTxID
					var opts []qredo.CallOption
					switch id {
					case "own":
						partner = "order-1"
					case "none":
						opts = append(opts, qredo.WithoutPartnerTxID())
					}
					err := call(ctx, client, partner, opts...)
					require.Error(t, err)
					if e.cause != nil {
						require.ErrorIs(t, err, e.cause)
					}
					if id == "own" {
						require.Equal(t, "order-1", sent)
					}
					require.Equal(t, id == "none", sent == "")
					test(t, err, sent)
				})
			})
		}
	}
}

func TestUnknownOutcomes(t *testing.T) {
	var untilCancelled roundTrip // cancels the call's context
	for name, e := range map[string]ending{
		"timeout":                   {[]roundTrip{failing(errTimeout)}, errTimeout},
		"reset":                     {[]roundTrip{failing(errReset)}, errReset},
		"end of connection":         {[]roundTrip{failing(io.EOF)}, io.EOF},
		"cancelled meanwhile":       {[]roundTrip{untilCancelled}, context.Canceled},
		"cut success":               {[]roundTrip{cutAfter(200, `{"tx_id":"t"}`)}, qredo.ErrBadAnswer},
		"cut failure":               {[]roundTrip{cutAfter(502, `<html>`)}, qredo.ErrServer},
		"408":                       {[]roundTrip{failingWith(408)}, nil},
		"500":                       {[]roundTrip{failingWith(500)}, qredo.ErrServer},
		"501":                       {[]roundTrip{failingWith(501)}, qredo.ErrServer},
		"502":                       {[]roundTrip{answerWith(502, html502)}, qredo.ErrServer},
		"503":                       {[]roundTrip{failingWith(503)}, qredo.ErrServer},
		"504":                       {[]roundTrip{failingWith(504)}, qredo.ErrServer},
		"nothing":                   {[]roundTrip{answerWith(200, "")}, qredo.ErrBadAnswer},
		"202 without body":          {[]roundTrip{answerWith(202, "")}, qredo.ErrBadAnswer},
		"OK":                        {[]roundTrip{answerWith(200, `{"code":200,"msg":"OK"}`)}, qredo.ErrBadAnswer},
		"no ID":                     {[]roundTrip{answerWith(200, `{"status":"new"}`)}, qredo.ErrBadAnswer},
		"empty ID":                  {[]roundTrip{answerWith(200, `{"tx_id":"","status":"new"}`)}, qredo.ErrBadAnswer},
		"ID of commas":              {[]roundTrip{answerWith(200, `{"tx_id":" , "}`)}, qredo.ErrBadAnswer},
		"null":                      {[]roundTrip{answerWith(200, `null`)}, qredo.ErrBadAnswer},
		"list":                      {[]roundTrip{answerWith(200, `[]`)}, qredo.ErrBadAnswer},
		"HTML":                      {[]roundTrip{answerWith(200, "<html>Sign in</html>")}, qredo.ErrBadAnswer},
		"unclear and then refused":  {[]roundTrip{failing(errReset), failing(errRefused)}, nil},
		"unclear and then 400":      {[]roundTrip{failingWith(500), failingWith(400)}, nil},
		"unclear and then 401":      {[]roundTrip{failing(errTimeout), failingWith(401)}, nil},
		"unclear and then 404":      {[]roundTrip{failingWith(504), failingWith(404)}, nil},
		"unclear and then 429":      {[]roundTrip{failingWith(503), failingWith(429)}, nil},
		"429 and then unclear":      {[]roundTrip{failingWith(429), failingWith(500)}, qredo.ErrServer},
		"refused and then unclear":  {[]roundTrip{failing(errRefused), failing(errReset)}, errReset},
		"unclear and then no reply": {[]roundTrip{failingWith(500), untilCancelled}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			eachMoneyCall(t, e, func(t *testing.T, err error, sent string) {
				var unknown *qredo.UnknownOutcomeError
				require.ErrorAs(t, err, &unknown)
				require.Equal(t, sent, string(unknown.PartnerTxID))
				require.Equal(t, unknown.Err, errors.Unwrap(err))
				if sent != "" {
					require.ErrorContains(t, err, "PartnerTxID "+sent)
				} else {
					require.ErrorContains(t, err, "ledger")
				}
			})
		})
	}
}

func TestKnownFailures(t *testing.T) {
	for name, e := range map[string]ending{
		"refused":              {[]roundTrip{failing(errRefused)}, errRefused},
		"no such host":         {[]roundTrip{failing(errNoName)}, errNoName},
		"certificate":          {[]roundTrip{failing(errTLS)}, errTLS},
		"400":                  {[]roundTrip{failingWith(400)}, qredo.ErrBadRequest},
		"401":                  {[]roundTrip{failingWith(401)}, qredo.ErrUnauthorized},
		"403":                  {[]roundTrip{failingWith(403)}, qredo.ErrForbidden},
		"404":                  {[]roundTrip{failingWith(404)}, qredo.ErrNotFound},
		"409":                  {[]roundTrip{failingWith(409)}, qredo.ErrConflict},
		"429":                  {[]roundTrip{failingWith(429)}, qredo.ErrRateLimited},
		"302":                  {[]roundTrip{failingWith(302)}, nil},
		"429 and then 400":     {[]roundTrip{failingWith(429), failingWith(400)}, qredo.ErrBadRequest},
		"refused and then 400": {[]roundTrip{failing(errRefused), failingWith(400)}, qredo.ErrBadRequest},
		"cut refusal":          {[]roundTrip{cutAfter(400, `{"code":`), failingWith(400)}, qredo.ErrBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			eachMoneyCall(t, e, func(t *testing.T, err error, _ string) {
				var unknown *qredo.UnknownOutcomeError
				require.NotErrorAs(t, err, &unknown)
			})
		})
	}
}

// What was refused by this program, or came too late for it, was not sent.
func TestNothingSentIsKnown(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var unknown *qredo.UnknownOutcomeError
	for name, call := range moneyCalls {
		client := newClient(t, refuseAll(t))
		err := call(cancelled, client, "order-1")
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorAs(t, err, &unknown)
	}
	slow := newClient(t, answerWith(400, ""), qredo.WithRateLimit(0.001, 1))
	_ = moneyCalls["transfer"](t.Context(), slow, "")
	soon, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	require.ErrorContains(t, moneyCalls["sweep"](soon, slow, ""), "not sent")
	require.NotErrorAs(t, moneyCalls["sweep"](soon, slow, ""), &unknown)
	_, err := slow.Transfers.Create(t.Context(), companyID, qredo.TransferRequest{})
	require.NotErrorAs(t, err, &unknown)
	requireInvalid(t, err, "counterparty_wallet_address")
}

// A signer that fails between two attempts does not hide that the first one may have arrived.
func TestUnknownOutcomeWhenSigningFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stamps := []string{"1", "", "2"}
		auth := newAuth(t, qredo.WithNonce(func() string {
			stamp := stamps[0]
			stamps = stamps[1:]
			return stamp
		}))
		client, err := qredo.NewClient(auth, qredo.WithBaseURL(testBase), qredo.WithClock(testClock), qredo.WithHTTPClient(&http.Client{Transport: failing(errReset)}))
		require.NoError(t, err)
		err = moneyCalls["transfer"](t.Context(), client, "order-1")
		var unknown *qredo.UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		require.ErrorContains(t, err, "the nonce must not be empty")
		assert.Equal(t, []string{"2"}, stamps)
	})
}

// Two IDs of bytes that are no text would be one in JSON, and the second payment the first.
func TestPartnerTxIDsAreText(t *testing.T) {
	_, err := newClient(t, refuseAll(t)).Transfers.Create(t.Context(), companyID, qredo.TransferRequest{
		WalletID: walletID, Counterparty: "w", PartnerTxID: "\x80", Expires: inAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	})
	requireInvalid(t, err, "partner_txID")
}
