package faulttest

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

// programConfig, in the environment, names the file with the orders for a program that pays through an
// outbox: TestExactlyOnceProgramKilled then is that program.
const programConfig = "FAULTTEST_OUTBOX_PROGRAM"

const programKey = "the-program"

// orders are the program's payments.
type orders struct {
	BaseURL      string          `json:"base_url"`
	PrivateKey   string          `json:"private_key"` // a file
	Outbox       string          `json:"outbox"`      // a file
	Company      qredo.CompanyID `json:"company"`
	From         qredo.WalletID  `json:"from"`
	To           qredo.WalletID  `json:"to"`
	Payments     int             `json:"payments"`
	Seed         uint64          `json:"seed"`
	Acknowledged map[string]bool `json:"acknowledged"` // what an earlier run has enqueued: not to be enqueued again
}

// request asks for a payment.
func (o orders) request(p payment) outbox.Request {
	expires := qredo.TimeOf(time.Now().Add(24 * time.Hour))
	send := qredo.AssetAmount{Asset: asset, Amount: p.amount}
	if p.withdrawal {
		return outbox.Withdrawal{CompanyID: o.Company, WithdrawalRequest: qredo.WithdrawalRequest{WalletID: o.From, Address: outside, Expires: expires, Send: send}}
	}
	return outbox.Transfer{CompanyID: o.Company, TransferRequest: qredo.TransferRequest{WalletID: o.From, Counterparty: string(o.To), Expires: expires, Send: send}}
}

// payAsProgram is the program that is killed. It prints the key of each payment that is enqueued, and returns
// when all have ended.
func payAsProgram(t *testing.T, path string) {
	t.Helper()
	var o orders
	read(t, path, &o)
	client := clientOf(t, o.PrivateKey, programKey, o.BaseURL,
		qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1})) // so that the outbox has all the work
	store, err := outbox.OpenStore(o.Outbox)
	require.NoError(t, err)
	box, err := outbox.New(client, store, outbox.WithPollInterval(20*time.Millisecond),
		outbox.WithBackoff(2*time.Millisecond, 100*time.Millisecond), outbox.WithConcurrency(12))
	require.NoError(t, err)

	ctx, stop := context.WithCancel(t.Context())
	var worker, writers sync.WaitGroup
	worker.Go(func() { assert.NoError(t, box.Run(ctx)) })
	list := payments(o.Payments, o.Seed)
	var following atomic.Int64
	for range 8 { // each enqueues a payment, waits until it is sent, and goes on to the next that is left
		writers.Go(func() {
			for i := following.Add(1) - 1; i < int64(len(list)); i = following.Add(1) - 1 {
				key := string(list[i].key)
				if !o.Acknowledged[key] {
					_, err := box.Enqueue(ctx, key, o.request(list[i]))
					if err != nil {
						t.Error(key, err)
						return
					}
					fmt.Fprintln(os.Stdout, "acknowledged", key)
				}
				await(ctx, t, box, key, func(e outbox.Entry) bool { return e.TxID != "" })
			}
		})
	}
	writers.Wait()
	for _, p := range list {
		await(ctx, t, box, string(p.key), func(e outbox.Entry) bool { return e.State.Ended() })
	}
	stop()
	worker.Wait()
	require.NoError(t, store.Close())
}

func await(ctx context.Context, t *testing.T, box *outbox.Outbox, key string, wanted func(outbox.Entry) bool) {
	t.Helper()
	for e, err := range box.Watch(ctx, key) {
		if err != nil {
			t.Error(key, err)
		}
		if err != nil || wanted(e) {
			return
		}
	}
}

// killer serves a sandbox and kills its client at chosen moments.
type killer struct {
	sandbox http.Handler
	mu      sync.Mutex
	random  *mathrand.Rand
	after   int // requests for transactions until it strikes; below zero if it is not to
	kill    func()
}

// aim makes the killer strike after a number of requests.
func (k *killer) aim(kill func(), after int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kill, k.after = kill, after
}

// strike returns what kills the client if this request is the one: as it arrives, when it has been handled
// and not been answered, or just after the answer.
func (k *killer) strike() (arrives, handled func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	nothing := func() {}
	if k.after--; k.after != 0 {
		return nothing, nothing
	}
	kill, delay := k.kill, time.Duration(k.random.IntN(3000))*time.Microsecond
	switch k.random.IntN(3) {
	case 0:
		return kill, nothing
	case 1:
		return nothing, kill
	default:
		return nothing, func() { time.AfterFunc(delay, kill) }
	}
}

// ServeHTTP serves the sandbox.
func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/v1/p/") {
		arrives, handled := k.strike()
		arrives()
		defer handled() // also when a fault cuts the connection
	}
	k.sandbox.ServeHTTP(w, r)
}

// TestExactlyOnceProgramKilled has a program pay through an outbox while a fifth of its requests goes wrong,
// and kills it 20 times: most times at one of the moments of a request for a transaction, else shortly after
// it has enqueued something. What it has acknowledged is not enqueued again by the run after.
func TestExactlyOnceProgramKilled(t *testing.T) {
	if path := os.Getenv(programConfig); path != "" { // this is one of the processes that are killed
		payAsProgram(t, path)
		return
	}
	const (
		kills = 20
		seed  = 22
	)
	folder := t.TempDir()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	srv, err := sandbox.Start(sandbox.WithKey(programKey, &key.PublicKey))
	require.NoError(t, err)
	defer func() { assert.NoError(t, srv.Close()) }()
	b := openBank(t, srv.Client(impatient()), inProcess{srv})
	list := payments(size(20_000, 400), seed)
	random := mathrand.New(mathrand.NewPCG(seed, seed))
	death := &killer{sandbox: srv.Sandbox, random: mathrand.New(mathrand.NewPCG(seed, 1)), after: -1}
	front := httptest.NewServer(death)
	defer front.Close()

	o := orders{
		BaseURL: front.URL + "/api/v1/p", PrivateKey: filepath.Join(folder, "private.pem"), Outbox: filepath.Join(folder, "outbox.db"),
		Company: b.company, From: b.from.ID, To: b.to.ID, Payments: len(list), Seed: seed, Acknowledged: map[string]bool{},
	}
	require.NoError(t, os.WriteFile(o.PrivateKey, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 0o600))
	require.NoError(t, srv.SetFaults(seed, everyFault()...))
	defer approveAll(t, srv)()

	for run := range kills + 1 {
		p := startProgram(t, filepath.Join(folder, "orders.json"), o)
		byTime := run%4 == 3
		if run == kills || byTime {
			death.aim(nil, -1)
		} else {
			death.aim(p.kill, 1+random.IntN(len(list)*5/4/kills))
		}
		for line := range p.lines() {
			key, ok := strings.CutPrefix(line, "acknowledged ")
			if !ok {
				continue
			}
			o.Acknowledged[key] = true
			if byTime && run < kills {
				byTime = false
				time.AfterFunc(time.Duration(random.IntN(20_000))*time.Microsecond, p.kill)
			}
		}
		err := p.cmd.Wait()
		if run == kills {
			require.NoError(t, err)
			break
		}
		require.ErrorContains(t, err, "signal: killed", "run %d came to its end, with %d of %d enqueued", run, len(o.Acknowledged), len(list))
	}
	require.NoError(t, srv.SetFaults(0))
	checkOutbox(t, o.Outbox, list)
	b.check(t, inProcess{srv}, list)
}

// approveAll approves everything, until the function it returns is called.
func approveAll(t *testing.T, srv *sandbox.Server) (stop func()) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
			}
			pending, err := srv.Pending(approver)
			assert.NoError(t, err)
			for _, p := range pending {
				assert.NoError(t, srv.Approve(approver, string(p.ActionID)))
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(end)
		<-ended
	}
}

// checkOutbox asserts that every payment is done, and notes its transaction.
func checkOutbox(t *testing.T, path string, list []payment) {
	t.Helper()
	store, err := outbox.OpenStore(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	var attempts, unknown, died int
	for i := range list {
		e, err := store.Get(t.Context(), string(list[i].key))
		require.NoError(t, err, list[i].key)
		require.Equal(t, outbox.StateDone, e.State, "%s: %s", e.Key, e.Reason)
		list[i].tx = e.TxID
		attempts += e.Attempts
		for _, s := range e.Steps {
			switch {
			case s.Kind != outbox.StepUnknown:
			case strings.HasPrefix(s.Note, "a worker ended"):
				died++
			default:
				unknown++
			}
		}
	}
	t.Logf("%d payments done with %d attempts; %d times the outcome was unknown by the answer, %d times because the program had been killed",
		len(list), attempts, unknown, died)
	assert.Positive(t, died, "no kill hit an attempt: the test shows nothing")
}

// payingProgram is a run of payAsProgram in a process of its own.
type payingProgram struct {
	cmd    *exec.Cmd
	output *bufio.Scanner
}

func startProgram(t *testing.T, path string, o orders) payingProgram {
	t.Helper()
	cmd := program(t, "TestExactlyOnceProgramKilled", programConfig, path, o)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return payingProgram{cmd, bufio.NewScanner(out)}
}

// kill ends the program without a warning, as kill -9 does.
func (p payingProgram) kill() { _ = p.cmd.Process.Kill() }

// lines are what the program prints until it ends.
func (p payingProgram) lines() func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for p.output.Scan() && yield(p.output.Text()) {
		}
	}
}
