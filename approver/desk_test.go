package approver_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/sandbox"
)

// desk is an approver at work on a world, and what it has written.
type desk struct {
	*trial.World
	t       *testing.T
	clock   *trial.Clock
	store   approver.Store
	logPath string
	entries chan approver.Entry
	logged  *lockedBuffer
}

func newDesk(t *testing.T, opts ...sandbox.Option) *desk {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // last, after the world has ended
	clock := trial.NewClock(noon)
	return &desk{
		World: trial.NewWorld(t, 2, 2, append(opts, sandbox.WithClock(clock.Now))...), t: t, clock: clock,
		store: approver.NewMemoryStore(approver.WithClock(clock.Now)), logPath: filepath.Join(t.TempDir(), "audit.log"),
		entries: make(chan approver.Entry, 1000), logged: &lockedBuffer{},
	}
}

// start runs an approver until stop is called, which returns what Run did.
func (d *desk) start(policy approver.Policy, opts ...approver.Option) (stop func() error) {
	d.t.Helper()
	_, stop = d.startOne(policy, opts...)
	return stop
}

// startOne is start, for who needs the approver.
func (d *desk) startOne(policy approver.Policy, opts ...approver.Option) (a *approver.Approver, stop func() error) {
	d.t.Helper()
	log, err := approver.OpenAuditLog(d.logPath, approver.WithClock(d.clock.Now))
	require.NoError(d.t, err)
	all := append([]approver.Option{
		approver.WithStore(d.store), approver.WithAuditLog(log), approver.WithClock(d.clock.Now),
		approver.WithObserver(func(e approver.Entry) { d.entries <- e }), approver.WithBackoff(time.Millisecond, 4*time.Millisecond),
		approver.WithLogger(slog.New(slog.NewTextHandler(d.logged, nil))), approver.WithReplica("desk"),
	}, opts...)
	a, err = approver.New(d.Client, d.Core, policy, all...)
	require.NoError(d.t, err)
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-done, log.Close())
	})
	d.t.Cleanup(func() { _ = stop() })
	return a, stop
}

// next waits for an entry of a kind.
func (d *desk) next(kind approver.EntryKind) approver.Entry {
	d.t.Helper()
	for {
		select {
		case e := <-d.entries:
			if e.Kind == kind {
				return e
			}
		case <-d.t.Context().Done():
			require.Fail(d.t, "no entry comes")
		}
	}
}

// written returns what stands in the audit log.
func (d *desk) written() []approver.Entry {
	d.t.Helper()
	data, err := os.ReadFile(d.logPath)
	require.NoError(d.t, err)
	entries, err := approver.ReadLog(bytes.NewReader(data))
	require.NoError(d.t, err)
	return entries
}

func (d *desk) transfer(amount qredo.Amount, reference string) qredo.TxID {
	d.t.Helper()
	id, err := d.Transfer(d.t.Context(), 0, 0, amount, reference)
	require.NoError(d.t, err)
	return id
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

func rulesAt(t *testing.T, file string, now func() time.Time) *approver.Rules {
	t.Helper()
	rules, err := approver.ParseRules("rules.yaml", []byte(file), approver.WithClock(now))
	require.NoError(t, err)
	return rules
}
