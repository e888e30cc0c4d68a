package scenario_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/qapi"
)

// largest is a little less than the longest answer that is read.
const largest = 31 << 20

// filled is a response of about a given size, with a list of copies of an element.
func filled(start, element, end string) []byte {
	return []byte(start + strings.TrimSuffix(strings.Repeat(element+",", largest/(len(element)+1)), ",") + end)
}

// lastByte calls back when a body has been read to its end.
type lastByte struct {
	io.Reader
	reached func()
}

func (l lastByte) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err == io.EOF {
		l.reached()
	}
	return n, err
}

// given answers with a body, and calls back when all of it has come.
func given(status int, body []byte, reached func()) clienttest.RoundTrip {
	return func(req *http.Request) (*http.Response, error) {
		answer := clienttest.Answer(req, status, "")
		answer.Body, answer.ContentLength = io.NopCloser(lastByte{bytes.NewReader(body), reached}), int64(len(body))
		return answer, nil
	}
}

// A large answer takes a second and more to read. A call whose context ends in the meantime ends too, and says that, and
// no more: nothing is wrong with the answer. What the caller gave for it is not written to afterwards.
func TestContextEndsWhileAnAnswerIsRead(t *testing.T) {
	entry := `{"TxID":"2r5yHUig43kiJfahqSIjOugM1yT","type":"transferOut","asset":"BTC","amount":2803,"netAmount":2800,"fees":3,"reference":"a\u00e9\n"}`
	ledger := filled(`{"Total":7,"List":[`, entry, `]}`)
	var open any
	var table map[string]any
	for name, tc := range map[string]struct {
		body []byte
		call func(context.Context, *qredo.Client) error
	}{
		"a ledger": {ledger, func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Funds.ListLedger(ctx, "c", "f", qredo.LedgerOptions{})
			return err
		}},
		"something else": {ledger, func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Get(ctx, "c")
			return err
		}},
		"an open value": {ledger, func(ctx context.Context, c *qredo.Client) error {
			return c.Do(ctx, "GET", "/x", nil, &open)
		}},
		"a map": {ledger, func(ctx context.Context, c *qredo.Client) error {
			return c.Do(ctx, "GET", "/x", nil, &table)
		}},
		"no JSON at its end": {ledger[:len(ledger)-1], func(ctx context.Context, c *qredo.Client) error {
			return c.Do(ctx, "GET", "/x", nil, &open)
		}},
		"a vote": {filled(`{"code":200,"msg":"OK","details":[`, `"x\n"`, `]}`), func(ctx context.Context, c *qredo.Client) error {
			return c.CoreClients.Approve(ctx, "c", "a")
		}},
		"a transfer": {filled(`{"code":200,"msg":["`, `x\n`, `"]}`), func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Transfers.Create(ctx, "c", clienttest.GoodTransfer())
			return err
		}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var ended time.Time
		client := clienttest.NewQuickClient(t, given(200, tc.body, func() { ended = time.Now(); cancel() }))
		err := tc.call(ctx, client)
		t.Logf("%s: %s", name, time.Since(ended))
		require.ErrorIs(t, err, context.Canceled, name)
		require.NotErrorIs(t, err, qredo.ErrBadAnswer, name)
		if name == "a transfer" {
			var unknown *qredo.UnknownOutcomeError
			require.ErrorAs(t, err, &unknown, "of a transfer it is not known whether it was made")
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	auth, err := qredo.NewHMACAuth("key", "c2VjcmV0IG9mIGEga2V5")
	require.NoError(t, err)
	client, err := qapi.NewClient(auth, qredo.WithBaseURL("https://h.example"), qredo.WithHTTPClient(&http.Client{Transport: given(200, filled(`{"list":[`, entry, `]}`), cancel)}))
	require.NoError(t, err)
	_, err = client.Funds.ListLedger(ctx, "f")
	require.ErrorIs(t, err, context.Canceled)

	// A call that is not cancelled is read as before.
	client2 := clienttest.NewQuickClient(t, given(200, ledger, func() {}))
	page, err := client2.Funds.ListLedger(t.Context(), "c", "f", qredo.LedgerOptions{})
	require.NoError(t, err)
	require.Len(t, page.Entries, largest/(len(entry)+1))
	require.Equal(t, qredo.Amount(2803), page.Entries[len(page.Entries)-1].Amount)
	var raw json.RawMessage
	require.NoError(t, client2.Do(t.Context(), "GET", "/x", nil, &raw))
	require.Len(t, raw, len(ledger))
}
