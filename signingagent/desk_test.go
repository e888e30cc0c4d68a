package signingagent_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

// memory is a store whose program can be stopped before or after a Save.
type memory struct {
	kept   []byte
	before func(save int) error
	after  func(save int) error
	saves  int
}

func (m *memory) Load(context.Context) (*signingagent.Identity, error) {
	if m.kept == nil {
		return nil, signingagent.ErrNoIdentity
	}
	return signingagent.ParseIdentity(m.kept)
}

func (m *memory) Save(ctx context.Context, id *signingagent.Identity) error {
	m.saves++
	if m.before != nil {
		if err := m.before(m.saves); err != nil {
			return err
		}
	}
	if stored, err := m.Load(ctx); err == nil {
		if err := signingagent.CheckReplace(stored, id); err != nil {
			return err
		}
	}
	data, err := id.MarshalWithSecrets()
	if err != nil {
		return err
	}
	m.kept = data
	if m.after != nil {
		return m.after(m.saves)
	}
	return nil
}

// between is what happens to the requests of a client. It can be changed while the client is used.
type between struct {
	mu   sync.Mutex
	do   func(req *http.Request, next http.RoundTripper) (*http.Response, error)
	sent []string // method and path
}

func (b *between) set(do func(req *http.Request, next http.RoundTripper) (*http.Response, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.do = do
}

func (b *between) pass(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	b.mu.Lock()
	b.sent = append(b.sent, req.Method+" "+req.URL.Path)
	do := b.do
	b.mu.Unlock()
	if do != nil {
		return do(req, next)
	}
	return next.RoundTrip(req)
}

// count is how many requests had this method, and a path that ends so.
func (b *between) count(method, end string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.sent {
		if strings.HasPrefix(one, method+" ") && strings.HasSuffix(one, end) {
			n++
		}
	}
	return n
}

// rewrite changes the bodies of answers to requests whose path ends so.
func (b *between) rewrite(method, end string, change func(body string) string) {
	b.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil || req.Method != method || !strings.HasSuffix(req.URL.Path, end) {
			return resp, err
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		changed := change(string(body))
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
		resp.Header.Del("Content-Length")
		return resp, err
	})
}

// desk is a world with a fund that a signing agent decides about.
type desk struct {
	*clienttest.World
	t        *testing.T
	way      *between // of the agent's requests, and of the RSA client that it was given
	rsa      *qredo.Client
	store    *memory
	agent    *signingagent.Agent
	from, to qredo.WalletID
	fund     qredo.FundID

	ahead     atomic.Int64 // how far the clock of all is ahead of this machine's
	approvals approver.Store
	entries   chan approver.Entry
	logged    lockedBuffer
}

func newWorld(t *testing.T) *desk {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // last, after the world has ended
	d := &desk{t: t, way: &between{}, store: &memory{}, approvals: approver.NewMemoryStore(), entries: make(chan approver.Entry, 1000)}
	d.World = clienttest.NewWorld(t, sandbox.WithFees(sandbox.NoFees), sandbox.WithClock(d.now))
	d.rsa = d.Through(d.way.pass, qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1}))
	return d
}

func (d *desk) now() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }

// letExpire passes the time in which what sendShort asks for can be decided.
func (d *desk) letExpire() { d.ahead.Add(int64(shortLife + time.Second)) }

// newDesk has an agent too, which is a fund's only approver.
func newDesk(t *testing.T, opts ...signingagent.Option) *desk {
	t.Helper()
	d := newWorld(t)
	ctx := t.Context()
	var err error
	d.agent, err = signingagent.Register(ctx, d.rsa, d.store, "agent", opts...)
	require.NoError(t, err)
	require.NoError(t, d.Client.TrustedNetwork.Add(ctx, d.Company, qredo.TrustedPartyRequest{Address: string(d.agent.ID())}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(d.agent.ID())}}
	fund, err := d.Client.Funds.Create(ctx, d.Company, qredo.FundRequest{
		Name: "Agent's", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{{Name: "from", Asset: "BTC"}, {Name: "to", Asset: "BTC"}},
	})
	require.NoError(t, err)
	d.fund = fund.ID
	detail, err := d.Client.Funds.Get(ctx, d.Company, fund.ID)
	require.NoError(t, err)
	for _, wallet := range detail.Wallets {
		_, err := d.Srv.Deposit(wallet.Address, 10*clienttest.Coin)
		require.NoError(t, err)
		if wallet.Name == "from" {
			d.from = wallet.ID
		} else {
			d.to = wallet.ID
		}
	}
	return d
}

// send asks for a transfer that the agent is to approve.
func (d *desk) send(amount qredo.Amount, reference string) qredo.TxID {
	d.t.Helper()
	sent, err := d.Client.Transfers.Create(d.t.Context(), d.Company, qredo.TransferRequest{
		WalletID: d.from, Counterparty: string(d.to), Expires: d.Expires(), Reference: reference, Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	})
	require.NoError(d.t, err)
	return sent.TxID
}

// action returns the agent's action for a transfer.
func (d *desk) action(tx qredo.TxID) qredo.Action {
	d.t.Helper()
	actions, err := d.Client.CoreClients.ListActions(d.t.Context(), d.agent.ID())
	require.NoError(d.t, err)
	for _, a := range actions {
		full, err := d.Client.CoreClients.GetAction(d.t.Context(), d.agent.ID(), a.ID)
		require.NoError(d.t, err)
		if full.Details.TxID == tx {
			return *full
		}
	}
	require.Fail(d.t, "the agent is not asked")
	panic("unreachable")
}

func (d *desk) status(id qredo.ActionID) qredo.ApprovalStatus {
	d.t.Helper()
	a, err := d.Client.CoreClients.GetAction(d.t.Context(), d.agent.ID(), id)
	require.NoError(d.t, err)
	return a.Status
}

// start runs an approver for an agent until stop is called.
func (d *desk) start(agent *signingagent.Agent, policy approver.Policy, opts ...approver.Option) (stop func() error) {
	d.t.Helper()
	a, err := agent.NewApprover(policy, append([]approver.Option{
		approver.WithStore(d.approvals), approver.WithBackoff(time.Millisecond, 4*time.Millisecond), approver.WithObserver(func(e approver.Entry) { d.entries <- e }),
		approver.WithLogger(slog.New(slog.NewTextHandler(&d.logged, nil))), approver.WithFeedOptions(qredo.WithBackoff(time.Millisecond, 10*time.Millisecond)),
	}, opts...)...)
	require.NoError(d.t, err)
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	d.t.Cleanup(func() { _ = stop() })
	return stop
}

// next waits for the result of an action.
func (d *desk) next() approver.Entry {
	d.t.Helper()
	for {
		if e := clienttest.Receive(d.t, d.entries, "a result"); e.Kind == approver.EntryResult {
			return e
		}
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

var errCrash = errors.New("the program ends here")
