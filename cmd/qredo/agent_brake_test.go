//go:build unix

package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

const approveTransfers = "rules:\n  - {name: all, when: type == \"ApproveTransfer\", then: approve}\n"

// approving is a run of the approver against a service whose answers to some requests can be held back.
type approving struct {
	*service
	t      *testing.T
	dir    string
	cmd    *exec.Cmd
	lines  chan string                                // that it prints; closed at its end
	held   atomic.Pointer[func(r *http.Request) bool] // which requests are held back
	asked  chan string                                // what is held back
	goOn   chan struct{}                              // closed when it is answered
	out    io.Closer
	policy string
}

func newApproving(t *testing.T) *approving {
	t.Helper()
	r := &approving{t: t, dir: t.TempDir(), asked: make(chan string, 100), goOn: make(chan struct{})}
	r.service = serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if held := r.held.Load(); held != nil && (*held)(req) {
				r.asked <- req.URL.Path
				select {
				case <-r.goOn:
				case <-req.Context().Done():
				}
			}
			next.ServeHTTP(w, req)
		})
	})
	r.policy = filepath.Join(r.dir, "policy.yaml")
	r.rules(approveTransfers)
	return r
}

func (r *approving) rules(text string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(r.policy, []byte(text), 0o600))
}

func (r *approving) hold(which func(req *http.Request) bool) { r.held.Store(&which) }

func (r *approving) start() {
	r.t.Helper()
	r.cmd = qredoCommand(r.t, r.environ(), "agent", "run", string(r.CoreClient), "--output", "json", "--policy", r.policy,
		"--store", filepath.Join(r.dir, "store.db"), "--audit-log", filepath.Join(r.dir, "audit.jsonl"))
	out, err := r.cmd.StdoutPipe()
	require.NoError(r.t, err)
	require.NoError(r.t, r.cmd.Start())
	r.out, r.lines = out, make(chan string, 1000)
	go func() {
		defer close(r.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			r.lines <- scanner.Text()
		}
	}()
}

// unread has nobody read what the program prints any more.
func (r *approving) unread() { _ = r.out.Close() }

func (r *approving) signal(signals ...syscall.Signal) {
	r.t.Helper()
	for _, s := range signals {
		require.NoError(r.t, r.cmd.Process.Signal(s))
	}
}

// next waits for a line that holds a text.
func (r *approving) next(text string) {
	r.t.Helper()
	for {
		select {
		case line, more := <-r.lines:
			require.True(r.t, more, "the program has ended, and there was no line with %s", text)
			if strings.Contains(line, text) {
				return
			}
		case <-r.t.Context().Done():
			require.Fail(r.t, "no line comes", text)
		}
	}
}

// transfer asks for a transfer that the approver has to approve.
func (r *approving) transfer() {
	r.t.Helper()
	_, err := r.client.Transfers.Create(r.t.Context(), r.Maker, qredo.TransferRequest{
		WalletID: r.MakerBTC, Counterparty: string(r.Trading), Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 10_000_000},
	})
	require.NoError(r.t, err)
}

func (r *approving) pending() int {
	r.t.Helper()
	actions, err := r.client.CoreClients.ListActions(r.t.Context(), r.CoreClient)
	require.NoError(r.t, err)
	n := 0
	for _, action := range actions {
		if action.Status == qredo.ApprovalPending {
			n++
		}
	}
	return n
}

func (r *approving) end() {
	r.t.Helper()
	r.signal(syscall.SIGTERM)
	for range r.lines { // until all is read
	}
	require.NoError(r.t, r.cmd.Wait())
}

// SIGUSR1 is the emergency brake. The service answers no more, and so the policy does not load: it brakes at once, whatever was asked for before.
func TestTheBrakeIsNotHeldUp(t *testing.T) {
	r := newApproving(t)
	r.start()
	r.next(`"outcome":"sent"`)
	r.hold(func(req *http.Request) bool { return strings.HasSuffix(req.URL.Path, "/assets") })
	r.signal(syscall.SIGHUP)
	<-r.asked
	r.signal(syscall.SIGHUP, syscall.SIGHUP, syscall.SIGUSR1)
	r.next("in force from here on: shadow")
	r.transfer()
	r.next(`"kind":"shadow"`)
	assert.Equal(t, 1, r.pending())

	// What hung does not end the shadow, nor does what is loaded after it.
	close(r.goOn)
	r.next("not reloaded, what was in force stays so: shadow was asked for meanwhile")
	r.next("in force from here on: shadow")
	assert.Equal(t, 1, r.pending())
	r.signal(syscall.SIGUSR2)
	r.next("in force from here on: live")
	r.next(`"outcome":"sent"`)
	assert.Zero(t, r.pending())
	r.end()
}

// A load that would end the shadow hangs: the brake counts, though shadow is in force still.
func TestTheBrakeStopsTheEndOfShadow(t *testing.T) {
	r := newApproving(t)
	r.start()
	r.next(`"outcome":"sent"`)
	r.signal(syscall.SIGUSR1)
	r.next("in force from here on: shadow")
	r.next("in force from here on: shadow") // the policy is read anew, too
	r.hold(func(req *http.Request) bool { return strings.HasSuffix(req.URL.Path, "/assets") })
	r.signal(syscall.SIGUSR2)
	<-r.asked
	r.signal(syscall.SIGUSR1, syscall.SIGHUP)
	r.transfer()
	r.next(`"kind":"shadow"`)
	close(r.goOn)
	r.next("not reloaded, what was in force stays so: shadow was asked for meanwhile")
	r.next("in force from here on: shadow")
	assert.Equal(t, 1, r.pending())
	r.end()
}

func TestTheBrakeNeedsNoPolicyThatLoads(t *testing.T) {
	r := newApproving(t)
	r.start()
	r.next(`"outcome":"sent"`)
	r.rules("rules: [")
	r.signal(syscall.SIGUSR1)
	r.next("in force from here on: shadow")
	r.next("not reloaded, what was in force stays so")
	r.transfer()
	r.next(`"kind":"shadow"`)
	r.signal(syscall.SIGUSR2) // which does not load either
	r.next("not reloaded, what was in force stays so")
	r.rules(approveTransfers)
	r.signal(syscall.SIGHUP) // reads it anew, and does not end the shadow
	r.next("in force from here on: shadow")
	assert.Equal(t, 1, r.pending())
	r.end()
}

// Signals that come while the program begins, as long as the service does not answer, end nothing, and count once there is an approver.
func TestSignalsAtTheStartCount(t *testing.T) {
	for name, c := range map[string]struct {
		signals []syscall.Signal
		says    string
		pending int
	}{
		"shadow":     {[]syscall.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGUSR1}, "in force from here on: shadow", 1},
		"both":       {[]syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2}, `"kind":"reload"`, -1},
		"read again": {[]syscall.Signal{syscall.SIGHUP}, "in force from here on: live", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newApproving(t)
			r.hold(func(*http.Request) bool { return true })
			r.start()
			<-r.asked
			r.signal(c.signals...)
			r.held.Store(nil)
			close(r.goOn)
			r.next(c.says)
			switch c.pending {
			case 0:
				r.next(`"outcome":"sent"`)
			case 1:
				r.next(`"kind":"shadow"`)
			}
			if c.pending >= 0 {
				assert.Equal(t, c.pending, r.pending())
			}
			r.end()
		})
	}
}

// Whoever reads what is printed has gone, as head -1 does: the approver goes on.
func TestNobodyReadsWhatIsPrinted(t *testing.T) {
	r := newApproving(t)
	r.start()
	r.next(`"outcome":"sent"`)
	r.unread()
	r.transfer()
	require.Eventually(t, func() bool { return r.pending() == 0 }, 20*time.Second, 10*time.Millisecond)
	r.signal(syscall.SIGHUP)
	r.transfer()
	require.Eventually(t, func() bool { return r.pending() == 0 }, 20*time.Second, 10*time.Millisecond)
	r.signal(syscall.SIGTERM)
	exit := new(exec.ExitError)
	require.ErrorAs(t, r.cmd.Wait(), &exit)
	assert.Equal(t, 3, exit.ExitCode(), "it approved, and not all could be printed")
}
