package faulttest

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/faultproxy"
)

// movementWorld is a sandbox with traffic, and programs that follow it through a proxy. All can be killed.
type movementWorld struct {
	t        *testing.T
	sandbox  *process
	proxy    *faultproxy.Proxy
	calm     atomic.Bool // the proxy breaks nothing
	traffic  *traffic
	orders   movementOrders // of all programs
	programs []movementProgram
	random   *mathrand.Rand
	begun    time.Time
}

type movementProgram struct {
	test   string // that it runs
	orders movementOrders
	cmd    *exec.Cmd
}

func openMovements(t *testing.T, oldestFirst bool) *movementWorld {
	t.Helper()
	var env []string
	if oldestFirst {
		env = append(env, childOrder+"=1")
	}
	w := &movementWorld{t: t, sandbox: startSandbox(t, env...), random: mathrand.New(mathrand.NewPCG(movementsSeed, 2)), begun: time.Now()}
	mix := faultproxy.Mix(*chance, 0.2, honest()...)
	var err error
	w.proxy, err = faultproxy.Start(faultproxy.Config{Backend: w.sandbox.url, Seed: *chance, Bound: 2 << 20, Plan: func(r faultproxy.Request) faultproxy.Fault {
		if w.calm.Load() {
			return faultproxy.Fault{}
		}
		return mix(r)
	}})
	require.NoError(t, err)
	w.traffic = openTraffic(t, w.sandbox, size(200, 40), size(10_000, 400))
	w.orders = movementOrders{
		BaseURL: w.proxy.URL() + basePath, PrivateKey: w.sandbox.keyFile, APIKey: w.sandbox.apiKey, Company: w.traffic.company,
	}
	return w
}

// later is a time of the sandbox's, after all that has moved.
func (w *movementWorld) later() time.Time {
	w.t.Helper()
	require.NoError(w.t, w.sandbox.people.Advance(w.t.Context(), time.Minute))
	state, err := w.sandbox.people.State(w.t.Context())
	require.NoError(w.t, err)
	return state.Now.UTC()
}

// measure starts the programs and waits until they know what wallets had before.
func (w *movementWorld) measure(sources func() []inbox.Source) {
	w.t.Helper()
	w.calm.Store(true)
	defer w.calm.Store(false)
	for i := range w.programs {
		w.start(i)
	}
	waitFor(w.t, trafficFunds, func() (n int) {
		for _, s := range sources() {
			if s.Before != nil {
				n++
			}
		}
		return n
	})
}

func (w *movementWorld) start(i int) {
	w.t.Helper()
	p := &w.programs[i]
	p.cmd = program(w.t, p.test, movementsConfig, filepath.Join(w.sandbox.store, fmt.Sprint("orders-", i, ".json")), p.orders)
	p.cmd.Stdout = os.Stderr
	require.NoError(w.t, p.cmd.Start())
}

// run starts the programs, unless they are, and has blows fall while movements are made and booked.
func (w *movementWorld) run(blows ...blow) {
	w.t.Helper()
	for i := range w.programs {
		if w.programs[i].cmd == nil {
			w.start(i)
		}
	}
	stop := approve(w.t, w.sandbox.people, refused)
	defer stop()
	ended := make(chan struct{})
	go func() { defer close(ended); w.traffic.run(w.t) }()
	list := strikes(movementsSeed, blows...)
	for n, strike := range list {
		waitFor(w.t, w.traffic.wanted*9/10*(n+1)/(len(list)+1), w.traffic.booked) // not all of it: some payments are rejected
		strike()
	}
	<-ended
	waitFor(w.t, 1, func() int { // what still waits is decided
		pending, err := w.sandbox.people.Pending(w.t.Context(), approver)
		if err != nil || len(pending) > 0 {
			return 0
		}
		return 1
	})
}

func (w *movementWorld) strikeProgram() {
	i := w.random.IntN(len(w.programs))
	kill(w.programs[i].cmd)
	w.start(i)
}

func (w *movementWorld) strikeSandbox() {
	w.traffic.alone(func() {
		w.sandbox.kill()
		require.NoError(w.t, w.sandbox.start())
	})
}

// stop ends the programs.
func (w *movementWorld) stop() {
	for i := range w.programs {
		if w.programs[i].cmd != nil {
			kill(w.programs[i].cmd)
			w.programs[i].cmd = nil
		}
	}
}

func (w *movementWorld) end() {
	w.stop()
	w.proxy.Close()
	w.sandbox.kill()
}

func (w *movementWorld) report(repeats int) {
	requests, broken := w.proxy.Records(), 0
	for _, r := range requests {
		if r.Fault != "" {
			broken++
		}
	}
	w.t.Logf("%.0f s, %d requests of the programs, %d of them broken, %d movements booked again", time.Since(w.begun).Seconds(), len(requests), broken, repeats)
}

// checkInbox continues with an inbox until nothing is wrong, and returns what it hands over in the meantime.
func checkInbox[Tx any](t *testing.T, w *movementWorld, store inbox.Store[Tx]) (handed map[string]booking) {
	t.Helper()
	in, err := inbox.New(w.sandbox.client, store, w.orders.options()...)
	require.NoError(t, err)
	handed = map[string]booking{}
	var mu sync.Mutex
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- in.Run(ctx, func(_ context.Context, _ Tx, m inbox.Movement) error {
			mu.Lock()
			defer mu.Unlock()
			handed[m.Key] = booking{m.Wallet, m.Amount}
			return nil
		})
	}()
	var report *inbox.Report
	waitFor(t, 1, func() int {
		if report, err = in.Check(ctx); err != nil || len(report.Wrong()) > 0 {
			return 0
		}
		return 1
	})
	stop()
	require.NoError(t, <-ended)
	assert.NotEmpty(t, report.Balances)
	assert.Empty(t, report.Missed)
	return handed
}
