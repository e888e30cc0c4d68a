package scenario_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// Every wait that is a matter of time ends with its context, at once.
func TestCancelledPauses(t *testing.T) {
	list := func(ctx context.Context, c *qredo.Client) error {
		_, err := c.Assets.List(ctx)
		return err
	}
	for name, tc := range map[string]struct {
		transport clienttest.RoundTrip
		opts      []qredo.Option
		before    int // calls that make the one after them wait
		call      func(ctx context.Context, c *qredo.Client) error
		quiet     bool // a feed ends without an error
	}{
		"rate limit":         {clienttest.AnswerWith(200, `{"assets":[]}`), []qredo.Option{qredo.WithRateLimit(0.01, 1)}, 1, list, false},
		"stop after a 429":   {clienttest.FailingWith(429, "Retry-After", "40"), []qredo.Option{qredo.WithRetry(clienttest.Once)}, 1, list, false},
		"pause before retry": {clienttest.FailingWith(503, "Retry-After", "40"), nil, 0, list, false},
		"pause after 429":    {clienttest.FailingWith(429, "Retry-After", "40"), nil, 0, list, false},
		"poll": {clienttest.AnswerWith(200, `{"txID":"t","txStatus":"pending"}`), nil, 0, func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Transfers.Wait(ctx, clienttest.CompanyID, "t", qredo.WithPollInterval(time.Hour))
			return err
		}, false},
		"ledger": {clienttest.FailingWith(503, "Retry-After", "40"), nil, 0, func(ctx context.Context, c *qredo.Client) error {
			return clienttest.Drain(c.Funds.LedgerAll(ctx, clienttest.CompanyID, clienttest.FundID, qredo.LedgerOptions{}))
		}, false},
		"pause before connecting": {clienttest.Failing(clienttest.ErrRefused), nil, 0, func(ctx context.Context, c *qredo.Client) error {
			return clienttest.Drain(c.Swaps.Feed(ctx, qredo.WithBackoff(time.Hour, time.Hour)))
		}, true},
		"beginning of a wallet feed": {clienttest.FailingWith(503, "Retry-After", "40"), nil, 0, func(ctx context.Context, c *qredo.Client) error {
			return clienttest.Drain(c.Wallets.Feed(ctx, qredo.WithWallets(clienttest.WalletID)))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				client := clienttest.NewQuickClient(t, tc.transport, tc.opts...)
				for range tc.before {
					_ = list(t.Context(), client)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				ended := make(chan error, 1)
				go func() { ended <- tc.call(ctx, client) }()
				synctest.Wait()
				require.Empty(t, ended, "it waits")
				start := time.Now()
				cancel()
				err := <-ended
				require.Zero(t, time.Since(start))
				if tc.quiet {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, context.Canceled)
				}
			})
		})
	}
}

// hanging answers requests up to a point and then says no more. reached is closed there.
type hanging struct {
	reached chan struct{}
	once    sync.Once
}

func (h *hanging) hang(ctx context.Context) {
	h.once.Do(func() { close(h.reached) })
	<-ctx.Done()
}

// Every wait for the network ends within 50 milliseconds after its context.
func TestCancelledNetwork(t *testing.T) {
	list := func(ctx context.Context, c *qredo.Client) error {
		_, err := c.Assets.List(ctx)
		return err
	}
	hubFeed := func(ctx context.Context, c *qredo.Client) error { return clienttest.Drain(c.Swaps.Feed(ctx)) }
	accepting := func(h *hanging) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) {
			if !strings.HasSuffix(req.URL.Path, "/feed") {
				h.hang(req.Context())
				return
			}
			ws, err := clienttest.AcceptWebSocket(w, req, nil)
			if err == nil {
				defer func() { _ = ws.CloseNow() }()
				<-ws.CloseRead(req.Context()).Done()
			}
		}
	}
	for name, tc := range map[string]struct {
		serve func(h *hanging) http.HandlerFunc
		call  func(ctx context.Context, c *qredo.Client) error
		quiet bool
	}{
		"answer": {func(h *hanging) http.HandlerFunc {
			return func(_ http.ResponseWriter, req *http.Request) { h.hang(req.Context()) }
		}, list, false},
		"body": {func(h *hanging) http.HandlerFunc {
			return func(w http.ResponseWriter, req *http.Request) {
				_, _ = w.Write([]byte(`{"assets":[`))
				_ = http.NewResponseController(w).Flush()
				h.hang(req.Context())
			}
		}, list, false},
		"later page": {func(h *hanging) http.HandlerFunc {
			return func(w http.ResponseWriter, req *http.Request) {
				if req.URL.Query().Get("offset") != "" {
					h.hang(req.Context())
					return
				}
				_, _ = w.Write([]byte(`{"List":[{"TxID":"a"}],"Total":2}`))
			}
		}, func(ctx context.Context, c *qredo.Client) error {
			return clienttest.Drain(c.Funds.LedgerAll(ctx, clienttest.CompanyID, clienttest.FundID, qredo.LedgerOptions{}))
		}, false},
		"upgrade of a feed": {func(h *hanging) http.HandlerFunc {
			return func(_ http.ResponseWriter, req *http.Request) { h.hang(req.Context()) }
		}, hubFeed, true},
		"filling a gap": {accepting, hubFeed, true},
		"reading a feed": {func(h *hanging) http.HandlerFunc {
			return func(w http.ResponseWriter, req *http.Request) {
				if !strings.HasSuffix(req.URL.Path, "/feed") {
					_, _ = w.Write([]byte(`{"items":[]}`))
					return
				}
				ws, err := clienttest.AcceptWebSocket(w, req, nil)
				if err == nil {
					defer func() { _ = ws.CloseNow() }()
					h.hang(ws.CloseRead(req.Context()))
				}
			}
		}, hubFeed, true},
	} {
		t.Run(name, func(t *testing.T) {
			h := &hanging{reached: make(chan struct{})}
			server := httptest.NewServer(tc.serve(h))
			defer server.Close()
			client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(server.URL))
			require.NoError(t, err)
			requireQuickEnd(t, h.reached, tc.quiet, func(ctx context.Context) error { return tc.call(ctx, client) })
		})
	}
	t.Run("dialling", func(t *testing.T) {
		h := &hanging{reached: make(chan struct{})}
		dialling, stop := context.WithCancel(t.Context()) // net/http goes on dialling, for whoever may need the connection
		var dials sync.WaitGroup
		defer dials.Wait()
		defer stop()
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			dials.Add(1)
			defer dials.Done()
			h.hang(dialling)
			return nil, dialling.Err()
		}}
		client := clienttest.NewClient(t, transport)
		requireQuickEnd(t, h.reached, false, func(ctx context.Context) error { return list(ctx, client) })
	})
}

// requireQuickEnd asserts that a call ends within 50 milliseconds when its context is cancelled at a point.
func requireQuickEnd(t *testing.T, reached <-chan struct{}, quiet bool, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- call(ctx) }()
	<-reached
	start := time.Now()
	cancel()
	err := <-ended
	assert.Less(t, time.Since(start), 50*time.Millisecond)
	if quiet {
		require.NoError(t, err)
	} else {
		require.ErrorIs(t, err, context.Canceled)
	}
}
