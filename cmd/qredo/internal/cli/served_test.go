package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

// served is a sandbox with the demo's world, for commands that run in the test's own process.
type served struct {
	sandbox  *sandbox.Sandbox
	made     sandbox.MadeWorld
	env      map[string]string
	terminal bool // standard output is a terminal

	printed func(command string, item any) // is told of each object in lists; may be nil
}

// serveDemo serves a sandbox. What wrap makes of it, if it is not nil, is what the commands reach.
func serveDemo(t *testing.T, wrap func(http.Handler) http.Handler) *served {
	t.Helper()
	keys := t.TempDir()
	s, err := sandbox.New(sandbox.WithKeyDir(keys))
	require.NoError(t, err)
	made, err := s.MakeNamedWorld("demo")
	require.NoError(t, err)
	var handler http.Handler = s
	if wrap != nil {
		handler = wrap(s)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		_ = s.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return &served{sandbox: s, made: made, env: map[string]string{
		"QREDO_CONFIG":           filepath.Join(keys, "none"),
		"QREDO_BASE_URL":         server.URL + "/api/v1/p",
		"QREDO_API_KEY_FILE":     filepath.Join(keys, "apikey"),
		"QREDO_PRIVATE_KEY_FILE": filepath.Join(keys, "private.pem"),
		"QREDO_QAPI_KEY_FILE":    filepath.Join(keys, "qapi-apikey"),
		"QREDO_QAPI_SECRET_FILE": filepath.Join(keys, "qapi-secret"),
		"QREDO_COMPANY":          string(made.Companies["Demo Exchange"]),
	}}
}

// run runs a command. What it reads, if it asks, is answer.
func (s *served) run(t *testing.T, answer string, args ...string) (out, err string, code int) {
	t.Helper()
	read, write, pipeErr := os.Pipe()
	require.NoError(t, pipeErr)
	_, pipeErr = write.WriteString(answer)
	require.NoError(t, pipeErr)
	require.NoError(t, write.Close())
	defer func() { _ = read.Close() }()
	var stdout, stderr bytes.Buffer
	a := &app{in: read, out: bufio.NewWriter(&stdout), err: &stderr, env: func(name string) string { return s.env[name] }, now: time.Now}
	a.terminal.in, a.terminal.out = answer != "", s.terminal
	if s.printed != nil {
		a.format.listed = func(item any) { s.printed(a.format.path, item) }
	}
	code = a.run(t.Context(), args)
	return stdout.String(), stderr.String(), code
}

// wallet is the ID of a wallet of the demo.
func (s *served) wallet(name string) string {
	return string(s.made.Wallets["Demo Exchange/Client assets/"+name])
}

func (s *served) fund() string { return string(s.made.Funds["Demo Exchange/Client assets"]) }

// outboxWith makes an outbox with one entry whose outcome is unknown, and returns its file.
func (s *served) outboxWith(t *testing.T, key string, request outbox.Request) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "outbox.db")
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	lost := &http.Client{Transport: clienttest.RoundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })}
	client, err := qredo.NewClient(s.sandbox.Auth(), qredo.WithBaseURL(s.env["QREDO_BASE_URL"]), qredo.WithHTTPClient(lost),
		qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	o, err := outbox.New(client, store, outbox.WithPollInterval(20*time.Millisecond), outbox.WithObserver(func(_ context.Context, e outbox.Entry) {
		if e.Unknown {
			done()
		}
	}))
	require.NoError(t, err)
	_, err = o.Enqueue(ctx, key, request)
	require.NoError(t, err)
	require.NoError(t, o.Run(ctx))
	require.NoError(t, store.Close())
	return path
}

// payout is a request for an outbox.
func (s *served) payout() outbox.Request {
	return outbox.Withdrawal{CompanyID: qredo.CompanyID(s.env["QREDO_COMPANY"]), WithdrawalRequest: qredo.WithdrawalRequest{
		WalletID: qredo.WalletID(s.wallet("Treasury")), Address: demoPayout, Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 5000},
	}}
}

// inboxWith makes an inbox in a file, with what the demo's fund has seen, of which one movement is set aside: its ID is
// returned.
func (s *served) inboxWith(t *testing.T, path string) (id string) {
	t.Helper()
	store, err := inbox.OpenStore(path)
	require.NoError(t, err)
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	const quick = 20 * time.Millisecond
	var once sync.Once
	in, err := inbox.New(s.client(t), store, inbox.FromStart(), inbox.WithFunds(qredo.CompanyID(s.env["QREDO_COMPANY"]), qredo.FundID(s.fund())),
		inbox.WithPolling(quick, quick), inbox.WithBackoff(quick, quick), inbox.WithAttempts(1), inbox.WithConcurrency(1),
		inbox.WithObserver(func(_ context.Context, e inbox.Entry) {
			if e.State != inbox.StateReady {
				once.Do(func() { id = e.ID; done() })
			}
		}))
	require.NoError(t, err)
	err = in.Run(ctx, func(context.Context, inbox.NoTx, inbox.Movement) error {
		return errors.New("nobody has this account")
	})
	require.NoError(t, err)
	require.NoError(t, store.Close())
	return id
}

// demoPayout is on the whitelist of the demo's fund.
const demoPayout = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"

// testKey is a file of a public key for tests.
func testKey(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "public.pem")
	require.NoError(t, os.WriteFile(path, clienttest.ReadTestdata(t, "public.pem"), 0o600))
	return path
}

// client is a client of the API, for what a test must know.
func (s *served) client(t *testing.T) *qredo.Client {
	t.Helper()
	client, err := qredo.NewClient(s.sandbox.Auth(), qredo.WithBaseURL(s.env["QREDO_BASE_URL"]))
	require.NoError(t, err)
	return client
}

// party is the ID of somebody whom the demo's company trusts.
func (s *served) party(t *testing.T) string {
	t.Helper()
	parties, err := s.client(t).TrustedNetwork.List(t.Context(), qredo.CompanyID(s.env["QREDO_COMPANY"]))
	require.NoError(t, err)
	return string(parties[0].ID)
}
