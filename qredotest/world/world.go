// Package world starts a sandbox for one test, holding a company with money, and adds a client, an outbox, an inbox and an
// approver, all on one clock. Everything is stopped when the test ends.
//
//	func TestPayout(t *testing.T) {
//		world.Test(t, func(t *testing.T, w *world.World) {
//			w.Approver("robot", approver.PolicyFunc(approveAll))
//			payouts := w.Outbox()
//			// … enqueue a payment
//			w.Advance(time.Minute)
//			// … it is done
//		})
//	}
//
// [Test] runs the test in a bubble of [testing/synctest]: time.Now and every timer belong to the bubble, and time passes when
// all goroutines wait. An hour's wait is over at once, and everything happens exactly when it is due. Use it for whatever runs
// alongside the test: an outbox, an inbox, an approver, feeds, Wait methods. Everything in the bubble must be in the test's own
// process: no database, no other server.
//
// [Start] is for everything else. The sandbox then listens on this machine, real time passes, and [World.Advance] moves the
// time of day forward: expiries, timestamps, what is due. Pauses in your program still use real timers, which no option
// changes, so such a test has to wait; options like outbox.WithPollInterval keep that short.
package world

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/pipenet"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/qredotest"
	"github.com/qredo-go/qredo/sandbox"
)

// Acme is the default world, in the format of docs/worlds.md; [WithYAML] replaces it. It has a company Acme with a fund Treasury,
// whose wallets Hot (10 BTC-TESTNET), Cold (100) and Ether (1000 ETH-TESTNET) have money. The core client robot alone approves
// what leaves them. [qredotest.WhitelistedAddress] is on the fund's whitelist.
//
//go:embed acme.yaml
var Acme string

// World is a sandbox with everything around it.
type World struct {
	Sandbox *sandbox.Sandbox  // Deposit, Approve, SetFaults, State, …
	Client  *qredo.Client     // with the sandbox's own key
	Made    sandbox.MadeWorld // what was created for the names in the world's text

	t      testing.TB
	now    func() time.Time
	elapse func(time.Duration)
	bubble bool
}

// Option changes what [Test] and [Start] create.
type Option func(*config)

type config struct {
	yaml    string
	clock   *qredotest.Clock
	sandbox []sandbox.Option
	client  []qredo.Option
}

// WithYAML creates another world than [Acme], in the format of docs/worlds.md.
func WithYAML(text string) Option { return func(c *config) { c.yaml = text } }

// WithSandbox passes options to the sandbox.
func WithSandbox(opts ...sandbox.Option) Option {
	return func(c *config) { c.sandbox = append(c.sandbox, opts...) }
}

// WithClient passes options to the client.
func WithClient(opts ...qredo.Option) Option {
	return func(c *config) { c.client = append(c.client, opts...) }
}

// WithClock makes everything use a clock that only moves with [World.Advance], for tests that need an exact time of day. It is
// for [Start]; a bubble has its own time, and refuses it.
func WithClock(clock *qredotest.Clock) Option { return func(c *config) { c.clock = clock } }

// Test runs a test in a bubble of [testing/synctest] with its own world. Time begins at midnight UTC, 1 January 2000; the world
// was created then, and a minute has passed, so that whatever follows movements from now on does not report the opening
// balances.
func Test(t *testing.T, test func(t *testing.T, w *World), opts ...Option) {
	t.Helper()
	bubble(t, func(t *testing.T) {
		c := newConfig(opts)
		w := &World{t: t, now: time.Now, bubble: true}
		if c.clock != nil {
			t.Fatal("world: a bubble has a clock of its own: leave WithClock out, or take Start")
		}
		w.elapse = func(d time.Duration) {
			_ = backoff.Wait(context.WithoutCancel(t.Context()), d) // it ends after its duration
			synctest.Wait()
		}
		s, err := sandbox.New(append([]sandbox.Option{sandbox.WithClock(w.Now)}, c.sandbox...)...)
		w.must("the sandbox", err)
		listener := pipenet.Listen()
		server := &http.Server{Handler: s} //nolint:gosec // it is not reached from outside
		var served sync.WaitGroup
		served.Go(func() { _ = server.Serve(listener) })
		transport := &http.Transport{DialContext: listener.Dial}
		t.Cleanup(func() {
			transport.CloseIdleConnections()
			err := server.Close()
			served.Wait()
			w.ended("the sandbox", errors.Join(err, s.Close()))
		})
		client, err := qredo.NewClient(s.Auth(), append([]qredo.Option{
			qredo.WithBaseURL("http://127.0.0.1/api/v1/p"), qredo.WithHTTPClient(&http.Client{Transport: transport}), qredo.WithClock(w.Now),
		}, c.client...)...)
		w.must("the client", err)
		w.begin(s, client, c)
		test(t, w)
	})
}

// Start starts a world whose sandbox listens on a free port of this machine, until the test ends. Its time is a minute ahead of
// the real clock, for the reason given at [Test], unless you set it with [WithClock].
func Start(t testing.TB, opts ...Option) *World {
	t.Helper()
	c := newConfig(opts)
	w := &World{t: t}
	if c.clock != nil {
		w.now, w.elapse = c.clock.Now, func(d time.Duration) { c.clock.Advance(d) }
	} else {
		ahead := qredotest.NewClock(time.Time{}) // how far this world's clock is ahead of the other
		w.now = func() time.Time { return time.Now().Add(ahead.Now().Sub(time.Time{})) }
		w.elapse = func(d time.Duration) { ahead.Advance(d) }
	}
	srv, err := sandbox.Start(append([]sandbox.Option{sandbox.WithClock(w.Now)}, c.sandbox...)...)
	w.must("the sandbox", err)
	t.Cleanup(func() { w.ended("the sandbox", srv.Close()) })
	w.begin(srv.Sandbox, srv.Client(append([]qredo.Option{qredo.WithClock(w.Now)}, c.client...)...), c)
	return w
}

func newConfig(opts []Option) *config {
	c := &config{yaml: Acme}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

func (w *World) begin(s *sandbox.Sandbox, client *qredo.Client, c *config) {
	w.t.Helper()
	w.Sandbox, w.Client = s, client
	var err error
	w.Made, err = s.MakeWorld(strings.NewReader(c.yaml))
	w.must("the world", err)
	if c.clock == nil {
		w.elapse(time.Minute)
	}
}

// must ends the test if something could not be made.
func (w *World) must(what string, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("world: %s: %v", what, err)
	}
}

// ended fails the test if something has ended with an error.
func (w *World) ended(what string, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Errorf("world: %s ended: %v", what, err)
	}
}

// Now returns the time in this world, for the WithClock options of whatever your test creates itself.
func (w *World) Now() time.Time { return w.now() }

// Advance lets the given time pass. In a bubble, everything that is due by then happens, and is over when it returns. In a
// world of [Start], the time of day moves and the sandbox reports what has expired, but timers are not affected.
func (w *World) Advance(d time.Duration) {
	w.t.Helper()
	w.elapse(d)
	_, err := w.Sandbox.Expiries(1) // what is due expires when the sandbox is called, and its feeds report it
	w.must("the sandbox's clock", err)
	if w.bubble {
		synctest.Wait()
	}
}

// Expires returns the time that is the given duration from now, for a request.
func (w *World) Expires(in time.Duration) qredo.Time { return qredo.TimeOf(w.Now().Add(in)) }

// Company returns a company by its name in the world's text: "Acme".
func (w *World) Company(name string) qredo.CompanyID {
	w.t.Helper()
	return found(w, "company", name, w.Made.Companies)
}

// Fund returns a fund by its name in the world's text: "Acme/Treasury".
func (w *World) Fund(name string) qredo.FundID {
	w.t.Helper()
	return found(w, "fund", name, w.Made.Funds)
}

// Wallet returns a wallet by its name in the world's text: "Acme/Treasury/Hot".
func (w *World) Wallet(name string) qredo.WalletID {
	w.t.Helper()
	return found(w, "wallet", name, w.Made.Wallets)
}

// CoreClient returns a core client by its name in the world's text: "robot".
func (w *World) CoreClient(name string) qredo.CoreClientID {
	w.t.Helper()
	return found(w, "core client", name, w.Made.CoreClients)
}

// Deposit credits a wallet, as if the amount had come over the chain.
func (w *World) Deposit(wallet string, amount qredo.Amount) sandbox.Deposit {
	w.t.Helper()
	detail, err := w.Sandbox.Wallet(string(w.Wallet(wallet)))
	w.must("a deposit", err)
	made, err := w.Sandbox.Deposit(detail.Address, amount)
	w.must("a deposit", err)
	return made
}

// Balance returns what a wallet holds, including what is held for pending payments.
func (w *World) Balance(wallet string) qredo.Amount {
	w.t.Helper()
	got, err := w.Client.Wallets.Get(context.WithoutCancel(w.t.Context()), w.Wallet(wallet))
	w.must("a balance", err)
	return got.Balance
}

// Outbox runs an outbox with its own store until the test ends. It uses the world's clock.
func (w *World) Outbox(opts ...outbox.Option) *outbox.Outbox {
	w.t.Helper()
	store, err := outbox.OpenStore(w.file("outbox"))
	w.must("the outbox's store", err)
	o, err := outbox.New(w.Client, store, append([]outbox.Option{outbox.WithClock(w.Now)}, opts...)...)
	w.must("the outbox", err)
	w.run("the outbox", o.Run, store.Close)
	return o
}

// Inbox runs an inbox with its own store until the test ends. It uses the world's clock. One of the options must say what it
// follows: inbox.WithFunds(w.Company("Acme"), w.Fund("Acme/Treasury")).
func (w *World) Inbox(handle inbox.Handler[inbox.NoTx], opts ...inbox.Option) *inbox.Inbox[inbox.NoTx] {
	w.t.Helper()
	store, err := inbox.OpenStore(w.file("inbox"))
	w.must("the inbox's store", err)
	in, err := inbox.New(w.Client, store, append([]inbox.Option{inbox.WithClock(w.Now)}, opts...)...)
	w.must("the inbox", err)
	w.run("the inbox", func(ctx context.Context) error { return in.Run(ctx, handle) }, store.Close)
	return in
}

// Approver runs an approver for a core client, given by its name in the world's text, until the test ends. The approver and its
// in-memory store use the world's clock; load rules with [approver.WithClock] and [World.Now].
func (w *World) Approver(coreClient string, policy approver.Policy, opts ...approver.Option) *approver.Approver {
	w.t.Helper()
	a, err := approver.New(w.Client, w.CoreClient(coreClient), policy, append([]approver.Option{approver.WithClock(w.Now)}, opts...)...)
	w.must("the approver", err)
	w.run("the approver", a.Run, func() error { return nil })
	return a
}

// file returns the path of a new file for a store.
func (w *World) file(name string) string {
	return filepath.Join(w.t.TempDir(), name+".db")
}

// run runs something until the test ends.
func (w *World) run(what string, run func(context.Context) error, stop func() error) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		w.ended(what, errors.Join(<-done, stop()))
	})
}

func found[ID ~string](w *World, what, name string, ids map[string]ID) ID {
	w.t.Helper()
	id, ok := ids[name]
	if !ok {
		names := make([]string, 0, len(ids))
		for known := range ids {
			names = append(names, known)
		}
		w.t.Fatalf("world: there is no %s %q: there is %s", what, name, list(names))
	}
	return id
}
