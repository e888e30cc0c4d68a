package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// moneyCalls are the five requests for a transaction, with a PartnerTxID.
var moneyCalls = map[string]func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error{
	"transfer": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodTransfer()
		req.PartnerTxID = id
		_, err := c.Transfers.Create(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
	"withdraw": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodWithdrawal()
		req.PartnerTxID = id
		_, err := c.Transfers.Withdraw(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
	"sweep": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodSweep()
		req.PartnerTxID = id
		_, err := c.CoreClients.Sweep(ctx, clienttest.CoreID, req, opts...)
		return err
	},
	"swap make": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodSwap()
		req.PartnerTxID = id
		_, err := c.Swaps.Make(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
	"swap take": func(ctx context.Context, c *qredo.Client, id qredo.PartnerTxID, opts ...qredo.CallOption) error {
		req := clienttest.GoodTake()
		req.PartnerTxID = id
		_, err := c.Swaps.Take(ctx, clienttest.CompanyID, req, opts...)
		return err
	},
}

// cancelling ends the context while the answer is awaited.
func cancelling(cancel func()) clienttest.RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		cancel()
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
}

// ending is how the attempts of one call end, in order; the last one applies to all further attempts.
type ending struct {
	attempts []clienttest.RoundTrip
	cause    error // which the error must match, nil if any will do
}

// eachMoneyCall runs a call that ends in a way, for all five requests, with a PartnerTxID of the caller's,
// with one made, and with none. The test gets the error and the ID that was sent.
func eachMoneyCall(t *testing.T, e ending, test func(t *testing.T, err error, sent string)) {
	for name, call := range moneyCalls {
		for _, id := range []string{"own", "made", "none"} {
			t.Run(name+"/"+id, func(t *testing.T) {
				clienttest.Bubble(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					requests, sent := 0, ""
					client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
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
	var untilCancelled clienttest.RoundTrip // cancels the call's context
	for name, e := range map[string]ending{
		"timeout":                   {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrTimeout)}, clienttest.ErrTimeout},
		"broken while writing":      {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrWriting)}, clienttest.ErrWriting},
		"reset":                     {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrReset)}, clienttest.ErrReset},
		"end of connection":         {[]clienttest.RoundTrip{clienttest.Failing(io.EOF)}, io.EOF},
		"cancelled meanwhile":       {[]clienttest.RoundTrip{untilCancelled}, context.Canceled},
		"cut success":               {[]clienttest.RoundTrip{clienttest.CutAfter(200, `{"tx_id":"t"}`)}, qredo.ErrBadAnswer},
		"cut failure":               {[]clienttest.RoundTrip{clienttest.CutAfter(502, `<html>`)}, qredo.ErrServer},
		"408":                       {[]clienttest.RoundTrip{clienttest.FailingWith(408)}, nil},
		"500":                       {[]clienttest.RoundTrip{clienttest.FailingWith(500)}, qredo.ErrServer},
		"501":                       {[]clienttest.RoundTrip{clienttest.FailingWith(501)}, qredo.ErrServer},
		"502":                       {[]clienttest.RoundTrip{clienttest.AnswerWith(502, clienttest.HTML502)}, qredo.ErrServer},
		"503":                       {[]clienttest.RoundTrip{clienttest.FailingWith(503)}, qredo.ErrServer},
		"504":                       {[]clienttest.RoundTrip{clienttest.FailingWith(504)}, qredo.ErrServer},
		"302":                       {[]clienttest.RoundTrip{clienttest.FailingWith(302)}, nil},
		"cut refusal":               {[]clienttest.RoundTrip{clienttest.CutAfter(400, `{"code":`), clienttest.FailingWith(400)}, nil},
		"nothing":                   {[]clienttest.RoundTrip{clienttest.AnswerWith(200, "")}, qredo.ErrBadAnswer},
		"202 without body":          {[]clienttest.RoundTrip{clienttest.AnswerWith(202, "")}, qredo.ErrBadAnswer},
		"OK":                        {[]clienttest.RoundTrip{clienttest.AnswerWith(200, `{"code":200,"msg":"OK"}`)}, qredo.ErrBadAnswer},
		"no ID":                     {[]clienttest.RoundTrip{clienttest.AnswerWith(200, `{"status":"new"}`)}, qredo.ErrBadAnswer},
		"empty ID":                  {[]clienttest.RoundTrip{clienttest.AnswerWith(200, `{"tx_id":"","status":"new"}`)}, qredo.ErrBadAnswer},
		"ID of commas":              {[]clienttest.RoundTrip{clienttest.AnswerWith(200, `{"tx_id":" , "}`)}, qredo.ErrBadAnswer},
		"null":                      {[]clienttest.RoundTrip{clienttest.AnswerWith(200, `null`)}, qredo.ErrBadAnswer},
		"list":                      {[]clienttest.RoundTrip{clienttest.AnswerWith(200, `[]`)}, qredo.ErrBadAnswer},
		"HTML":                      {[]clienttest.RoundTrip{clienttest.AnswerWith(200, "<html>Sign in</html>")}, qredo.ErrBadAnswer},
		"unclear and then refused":  {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrReset), clienttest.Failing(clienttest.ErrRefused)}, nil},
		"unclear and then 400":      {[]clienttest.RoundTrip{clienttest.FailingWith(500), clienttest.FailingWith(400)}, nil},
		"unclear and then 401":      {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrTimeout), clienttest.FailingWith(401)}, nil},
		"unclear and then 404":      {[]clienttest.RoundTrip{clienttest.FailingWith(504), clienttest.FailingWith(404)}, nil},
		"unclear and then 429":      {[]clienttest.RoundTrip{clienttest.FailingWith(503), clienttest.FailingWith(429)}, nil},
		"429 and then unclear":      {[]clienttest.RoundTrip{clienttest.FailingWith(429), clienttest.FailingWith(500)}, qredo.ErrServer},
		"refused and then unclear":  {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrRefused), clienttest.Failing(clienttest.ErrReset)}, clienttest.ErrReset},
		"unclear and then no reply": {[]clienttest.RoundTrip{clienttest.FailingWith(500), untilCancelled}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			eachMoneyCall(t, e, func(t *testing.T, err error, sent string) {
				var unknown *qredo.UnknownOutcomeError
				require.ErrorAs(t, err, &unknown)
				require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
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
		"refused":              {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrRefused)}, clienttest.ErrRefused},
		"no such host":         {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrNoName)}, clienttest.ErrNoName},
		"certificate":          {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrTLS)}, clienttest.ErrTLS},
		"400":                  {[]clienttest.RoundTrip{clienttest.FailingWith(400)}, qredo.ErrBadRequest},
		"401":                  {[]clienttest.RoundTrip{clienttest.FailingWith(401)}, qredo.ErrUnauthorized},
		"403":                  {[]clienttest.RoundTrip{clienttest.FailingWith(403)}, qredo.ErrForbidden},
		"404":                  {[]clienttest.RoundTrip{clienttest.FailingWith(404)}, qredo.ErrNotFound},
		"429":                  {[]clienttest.RoundTrip{clienttest.FailingWith(429)}, qredo.ErrRateLimited},
		"429 and then 400":     {[]clienttest.RoundTrip{clienttest.FailingWith(429), clienttest.FailingWith(400)}, qredo.ErrBadRequest},
		"refused and then 400": {[]clienttest.RoundTrip{clienttest.Failing(clienttest.ErrRefused), clienttest.FailingWith(400)}, qredo.ErrBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			eachMoneyCall(t, e, func(t *testing.T, err error, sent string) {
				if sent == "" && errors.Is(err, qredo.ErrBadRequest) {
					return // there may be no money left because of another copy of it
				}
				require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
			})
		})
	}
}

// Only the service's own words say that nothing was made: what something on the way answers in its place, after the
// service has carried the request out, does not.
func TestOnlyTheServiceSaysThatNothingWasMade(t *testing.T) {
	for status := 300; status <= 599; status++ {
		answers := map[string]clienttest.RoundTrip{
			"page": clienttest.PageWith(status), "empty": clienttest.AnswerWith(status, ""), "no code": clienttest.AnswerWith(status, `{"msg":"no"}`),
			"no message": clienttest.AnswerWith(status, `{"code":400}`), "another's object": clienttest.AnswerWith(status, `{"error":"blocked","code":"x"}`),
			"kept for a while": clienttest.FailingWith(status, "Age", "7"),
		}
		own := status >= 400 && status < 500 && status != 408
		for name, answer := range answers {
			err := refusedTransfer(t, answer, "order-1")
			require.ErrorIs(t, err, qredo.ErrOutcomeUnknown, "%d, %s", status, name)
			require.ErrorIs(t, refusedTransfer(t, answer, ""), qredo.ErrOutcomeUnknown, "%d, %s, without a key", status, name)
		}
		err := refusedTransfer(t, clienttest.FailingWith(status), "")
		require.Equal(t, !own || status == 409 || status == 400, errors.Is(err, qredo.ErrOutcomeUnknown), "%d in the service's words", status)
		err = refusedTransfer(t, clienttest.FailingWith(status), "order-1")
		require.Equal(t, !own || status == 409, errors.Is(err, qredo.ErrOutcomeUnknown), "%d, with a key: it may exist already because of this request", status)
	}
}

// refusedTransfer is the error of a transfer that is answered so, at one attempt.
func refusedTransfer(t *testing.T, answer clienttest.RoundTrip, id qredo.PartnerTxID) error {
	t.Helper()
	req := clienttest.GoodTransfer()
	req.PartnerTxID = id
	_, err := clienttest.NewQuickClient(t, answer, qredo.WithRetry(clienttest.Once)).Transfers.Create(t.Context(), clienttest.CompanyID, req, qredo.WithoutPartnerTxID())
	require.Error(t, err)
	return err
}

// The same holds for other writes: the error says so exactly if it may have been carried out.
func TestUnknownOutcomesOfOtherWrites(t *testing.T) {
	ctx := t.Context()
	for name, call := range map[string]func(c *qredo.Client) error{
		"create a company": func(c *qredo.Client) error { _, err := c.Companies.Create(ctx, clienttest.Acme); return err },
		"trust": func(c *qredo.Client) error {
			return c.TrustedNetwork.Add(ctx, "c", qredo.TrustedPartyRequest{Address: "a"})
		},
		"vote":            func(c *qredo.Client) error { return c.CoreClients.Approve(ctx, "c", "a") },
		"reject":          func(c *qredo.Client) error { return c.CoreClients.Reject(ctx, "c", "a") },
		"an agent's vote": func(c *qredo.Client) error { return c.SigningAgent.Approve(ctx, "a", []string{"ab"}) },
		"publish":         func(c *qredo.Client) error { return c.Swaps.Publish(ctx, "c", "t") },
		"any": func(c *qredo.Client) error {
			return c.Do(ctx, http.MethodPost, "/new", map[string]int{}, new(map[string]any))
		},
	} {
		for answer, tc := range map[string]struct {
			answer  clienttest.RoundTrip
			unknown bool
		}{
			"reset":          {clienttest.Failing(clienttest.ErrReset), true},
			"refused":        {clienttest.Failing(clienttest.ErrRefused), false},
			"page":           {clienttest.PageWith(403), true},
			"own words":      {clienttest.FailingWith(403), false},
			"own words, 409": {clienttest.FailingWith(409), true}, // it may exist because of this very request
			"500":            {clienttest.FailingWith(500), true},
			"not read":       {clienttest.AnswerWith(200, "<html>"), true},
		} {
			err := call(clienttest.NewQuickClient(t, tc.answer, qredo.WithRetry(clienttest.Once)))
			require.Error(t, err)
			require.Equal(t, tc.unknown, errors.Is(err, qredo.ErrOutcomeUnknown), "%s, %s: %v", name, answer, err)
			require.Equal(t, tc.unknown, strings.Contains(err.Error(), "it may have been carried out all the same"), "%s, %s", name, answer)
		}
	}
	for name, call := range map[string]func(c *qredo.Client) error{ // which are refused the second time
		"approve":        func(c *qredo.Client) error { return c.CoreClients.Approve(ctx, "c", "a") },
		"reject":         func(c *qredo.Client) error { return c.CoreClients.Reject(ctx, "c", "a") },
		"agent approves": func(c *qredo.Client) error { return c.SigningAgent.Approve(ctx, "a", []string{"ab"}) },
		"agent rejects":  func(c *qredo.Client) error { return c.SigningAgent.Reject(ctx, "a") },
	} {
		for _, status := range []int{400, 404, 409} {
			err := call(clienttest.NewQuickClient(t, clienttest.FailingWith(status), qredo.WithRetry(clienttest.Once)))
			require.ErrorIs(t, err, qredo.ErrOutcomeUnknown, "%s, %d", name, status)
		}
	}
	gone := clienttest.NewQuickClient(t, clienttest.FailingWith(404), qredo.WithRetry(clienttest.Once))
	require.ErrorIs(t, gone.Swaps.CancelMake(ctx, "c", "t"), qredo.ErrOutcomeUnknown)
	require.NotErrorIs(t, gone.TrustedNetwork.Add(ctx, "c", qredo.TrustedPartyRequest{Address: "a"}), qredo.ErrOutcomeUnknown)
	for name, call := range map[string]func(c *qredo.Client) error{ // which change nothing
		"read": func(c *qredo.Client) error { _, err := c.Assets.List(ctx); return err },
		"question": func(c *qredo.Client) error {
			_, err := c.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeSwap, Asset: "BTC", Amount: 1})
			return err
		},
	} {
		for _, answer := range []clienttest.RoundTrip{clienttest.Failing(clienttest.ErrReset), clienttest.PageWith(403), clienttest.AnswerWith(200, "<html>")} {
			err := call(clienttest.NewQuickClient(t, answer, qredo.WithRetry(clienttest.Once)))
			require.Error(t, err)
			require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown, name)
		}
	}
}

// What was refused by this program, or came too late for it, was not sent.
func TestNothingSentIsKnown(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	var unknown *qredo.UnknownOutcomeError
	for name, call := range moneyCalls {
		client := clienttest.NewClient(t, clienttest.RefuseAll(t))
		err := call(cancelled, client, "order-1")
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorAs(t, err, &unknown)
	}
	slow := clienttest.NewClient(t, clienttest.AnswerWith(400, ""), qredo.WithRateLimit(0.001, 1))
	_ = moneyCalls["transfer"](t.Context(), slow, "")
	soon, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	require.ErrorContains(t, moneyCalls["sweep"](soon, slow, ""), "not sent")
	require.NotErrorAs(t, moneyCalls["sweep"](soon, slow, ""), &unknown)
	_, err := slow.Transfers.Create(t.Context(), clienttest.CompanyID, qredo.TransferRequest{})
	require.NotErrorAs(t, err, &unknown)
	clienttest.RequireInvalid(t, err, "counterparty_wallet_address")
}

// A signer that fails between two attempts does not hide that the first one may have arrived.
func TestUnknownOutcomeWhenSigningFails(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		stamps := []string{"1", "", "2"}
		auth := clienttest.NewAuth(t, qredo.WithNonce(func() string {
			stamp := stamps[0]
			stamps = stamps[1:]
			return stamp
		}))
		client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithClock(clienttest.Clock), qredo.WithHTTPClient(&http.Client{Transport: clienttest.Failing(clienttest.ErrReset)}))
		require.NoError(t, err)
		err = moneyCalls["transfer"](t.Context(), client, "order-1")
		var unknown *qredo.UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		require.ErrorContains(t, err, "the nonce must not be empty")
		assert.Equal(t, []string{"2"}, stamps)
	})
}

// Two IDs with invalid UTF-8 would be the same in JSON, and the second payment would be taken for the first.
func TestPartnerTxIDsAreText(t *testing.T) {
	_, err := clienttest.NewClient(t, clienttest.RefuseAll(t)).Transfers.Create(t.Context(), clienttest.CompanyID, qredo.TransferRequest{
		WalletID: clienttest.WalletID, Counterparty: "w", PartnerTxID: "\x80", Expires: clienttest.InAnHour, Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	})
	clienttest.RequireInvalid(t, err, "partner_txID")
}
