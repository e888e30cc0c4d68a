package qredo_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// The service's documents and what it was seen to do disagree in many places: internal/spec has them by
// number. Each row here is one of these places, and shows that the client reads every form, that it sends the
// one that is certain, or how the sandbox takes it.

// variants are the checks of one row, by what they show.
type variants map[string]func(t *testing.T, w *world)

// variantRows is how many places of disagreement there are.
const variantRows = 57

func TestVariants(t *testing.T) {
	w := newWorld(t)
	rows := map[int]bool{}
	for _, table := range []map[int]variants{transactionRows, entityRows, clientRows} {
		for number, row := range table {
			require.False(t, rows[number], "row %d occurs twice", number)
			require.NotEmpty(t, row)
			rows[number] = true
			for name, check := range row {
				t.Run(fmt.Sprintf("row %02d: %s", number, name), func(t *testing.T) { check(t, w) })
			}
		}
	}
	for number := 1; number <= variantRows; number++ {
		assert.True(t, rows[number], "row %d has no case", number)
	}
	assert.Len(t, rows, variantRows, "%v", slices.Sorted(maps.Keys(rows)))
}

// reads shows that all bodies are read as the value that the first one, the main form, is read as.
func reads[T any](call func(context.Context, *qredo.Client) (T, error), want T, bodies ...string) func(*testing.T, *world) {
	return func(t *testing.T, _ *world) {
		for _, body := range bodies {
			got, err := call(t.Context(), newQuickClient(t, answerWith(200, body)))
			require.NoError(t, err, body)
			require.Equal(t, want, got, body)
		}
	}
}

// succeeds shows that all answers, given as a status and a body, are successes.
func succeeds(call func(context.Context, *qredo.Client) error, answers ...string) func(*testing.T, *world) {
	return func(t *testing.T, _ *world) {
		for _, text := range answers {
			var status int
			_, err := fmt.Sscan(text, &status)
			require.NoError(t, err)
			_, body, _ := strings.Cut(text, " ")
			require.NoError(t, call(t.Context(), newQuickClient(t, answerWith(status, body))), text)
		}
	}
}

// sends shows what a call sends: method, path below the base URL, and body.
func sends(call func(context.Context, *qredo.Client) error, want string) func(*testing.T, *world) {
	return func(t *testing.T, _ *world) {
		sent := ""
		_ = call(t.Context(), newQuickClient(t, roundTrip(func(req *http.Request) (*http.Response, error) {
			body := []byte{}
			if req.Body != nil {
				body, _ = io.ReadAll(req.Body)
			}
			sent = strings.TrimSpace(req.Method + " " + strings.TrimPrefix(req.URL.String(), testBase) + " " + string(body))
			return answer(req, 400, ""), nil
		})))
		require.Equal(t, want, sent)
	}
}

// post sends a body to the sandbox as it is, and returns the answer.
func (w *world) post(t *testing.T, path, body string) (out struct {
	TxID   qredo.TxID             `json:"tx_id"`
	Status qredo.SubmissionStatus `json:"status"`
}) {
	t.Helper()
	require.NoError(t, w.client.Do(t.Context(), http.MethodPost, path, []byte(body), &out), body)
	return out
}

func (w *world) companyPath(rest string) string { return "/company/" + string(w.company) + rest }

// transferBody is a transfer's body with something of it replaced.
func (w *world) transferBody(from, to string) string {
	body := fmt.Sprintf(`{"wallet_id":"%s","counterparty_wallet_address":"%s","expires":%d,"send":{"symbol":"BTC","amount":1000}}`,
		w.btc, w.otherBTC, w.expires().Unix())
	return strings.Replace(body, from, to, 1)
}

func getTransfer(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
	return c.Transfers.Get(ctx, companyID, "t")
}

func getWithdrawal(ctx context.Context, c *qredo.Client) (*qredo.Transaction, error) {
	return c.Transfers.GetWithdrawal(ctx, companyID, "t")
}

func getWallet(ctx context.Context, c *qredo.Client) (*qredo.Wallet, error) {
	return c.Wallets.Get(ctx, walletID)
}

func getFund(ctx context.Context, c *qredo.Client) (*qredo.Fund, error) {
	return c.Funds.Get(ctx, companyID, fundID)
}

func getAction(ctx context.Context, c *qredo.Client) (*qredo.Action, error) {
	return c.CoreClients.GetAction(ctx, coreID, "a")
}

func createTransfer(ctx context.Context, c *qredo.Client) error {
	_, err := c.Transfers.Create(ctx, companyID, goodTransfer(), qredo.WithoutPartnerTxID())
	return err
}
