package model_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/bench/machine"
	"github.com/qredo-go/qredo/bench/model"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/postgres"
)

var measure = flag.Bool("measure", false, "measure an outbox and hold the model against it: a minute on a quiet machine")

// slept is how long something took that was to take a while: on a busy machine it is longer.
type slept struct{ times, all atomic.Int64 }

func (s *slept) sleep(d int64) {
	began := time.Now()
	time.Sleep(time.Duration(d))
	s.all.Add(int64(time.Since(began)))
	s.times.Add(1)
}

func (s *slept) average() time.Duration { return time.Duration(s.all.Load() / max(1, s.times.Load())) }

// service takes a while for each answer, as one that is far away.
type service struct {
	latency, calls, sends atomic.Int64
	slept                 slept
	looks                 int      // that show nothing
	seen                  sync.Map // transaction → looks at it
}

func (s *service) RoundTrip(req *http.Request) (*http.Response, error) {
	s.calls.Add(1)
	id, status := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:], "approved"
	if s.looks > 0 {
		n, _ := s.seen.LoadOrStore(id, new(atomic.Int64))
		if n.(*atomic.Int64).Add(1) <= int64(s.looks) {
			status = "pending"
		}
	}
	body := `{"txID":"` + id + `","txStatus":"` + status + `"}`
	if req.Method == http.MethodPost {
		var sent qredo.TransferRequest
		if err := json.NewDecoder(req.Body).Decode(&sent); err != nil {
			return nil, err
		}
		body = `{"tx_id":"tx-` + string(sent.PartnerTxID) + `","status":"new"}`
	}
	s.slept.sleep(s.latency.Load())
	if req.Method == http.MethodPost {
		s.sends.Add(1)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// hsm signs as a module with two sessions does: each takes a while, whatever the processors do.
type hsm struct {
	crypto.Signer
	sessions chan struct{}
	takes    atomic.Int64
	slept    slept
}

func (h *hsm) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	h.sessions <- struct{}{}
	h.slept.sleep(h.takes.Load())
	<-h.sessions
	return make([]byte, 256), nil
}

// site is an outbox in PostgreSQL.
type site struct {
	pool     *pgxpool.Pool
	store    *postgres.Store
	key      *rsa.PrivateKey
	hsm      *hsm // signs in place of the key, if there is one
	payments atomic.Int64
	backend  int // process of a connection
}

func (s *site) open(t *testing.T, far *service, signer crypto.Signer, workers int) *outbox.Outbox {
	t.Helper()
	auth, err := qredo.NewRSAAuth("key", signer)
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL("http://127.0.0.1/p"), qredo.WithHTTPClient(&http.Client{Transport: far}))
	require.NoError(t, err)
	box, err := outbox.New(client, s.store, outbox.WithConcurrency(workers), outbox.WithPollInterval(100*time.Millisecond))
	require.NoError(t, err)
	return box
}

// book stores payments.
func (s *site) book(t *testing.T, box *outbox.Outbox, payments int) {
	t.Helper()
	var filling sync.WaitGroup
	for range 16 {
		filling.Go(func() {
			for range payments/16 + 1 {
				_, err := box.Enqueue(t.Context(), fmt.Sprint("payment-", s.payments.Add(1)), outbox.Transfer{CompanyID: "company", TransferRequest: qredo.TransferRequest{
					WalletID: "from", Counterparty: "to", Reference: "invoice", Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1000},
				}})
				assert.NoError(t, err)
			}
		})
	}
	filling.Wait()
}

// settled waits until nothing is left to do.
func (s *site) settled(t *testing.T) {
	t.Helper()
	for ; ; time.Sleep(10 * time.Millisecond) {
		stats, err := s.store.Stats(t.Context())
		require.NoError(t, err)
		if stats.States[outbox.StatePending]+stats.States[outbox.StateSent] == 0 {
			return
		}
	}
}

// cost is what a payment takes of the processors of the program and of the server, signatures apart, from its booking to its end, where so many looks at
// it show nothing.
func (s *site) cost(t *testing.T, looks int) (own, server time.Duration) {
	t.Helper()
	const payments = 3000
	box := s.open(t, &service{looks: looks}, &hsm{Signer: s.key, sessions: make(chan struct{}, 64)}, 32)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ownBefore, serverBefore := machine.Self(), machine.Family(s.backend)
	s.book(t, box, payments)
	ended := make(chan error, 1)
	go func() { ended <- box.Run(ctx) }()
	s.settled(t)
	stop()
	require.NoError(t, <-ended)
	return (machine.Self() - ownBefore) / payments, (machine.Family(s.backend) - serverBefore) / payments
}

// point is what so many workers make.
type point struct {
	perSecond, calls float64 // payments sent; calls for each
	answer, sign     time.Duration
}

func (s *site) point(t *testing.T, workers, payments int, latency, sign time.Duration) point {
	t.Helper()
	far, signer := &service{}, crypto.Signer(s.key)
	far.latency.Store(int64(latency))
	if s.hsm != nil {
		s.hsm.takes.Store(int64(sign))
		signer = s.hsm
	}
	box := s.open(t, far, signer, workers)
	s.book(t, box, payments)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- box.Run(ctx) }()
	for far.sends.Load() < int64(payments*9/10) {
		time.Sleep(time.Millisecond)
	}
	sent, calls := float64(far.sends.Load()), float64(far.calls.Load())
	got := point{perSecond: sent / time.Since(began).Seconds(), calls: calls / sent, answer: far.slept.average()}
	if s.hsm != nil {
		got.sign = s.hsm.slept.average()
	}
	far.latency.Store(0)
	if s.hsm != nil {
		s.hsm.takes.Store(0)
	}
	s.settled(t) // the next point begins with nothing left
	stop()
	require.NoError(t, <-ended)
	return got
}

// signature is what one takes of a core, and how many cores this program gets when it wants all.
func (s *site) signature(t *testing.T) (takes time.Duration, cores float64) {
	t.Helper()
	const each = 50
	digest := sha256.Sum256(nil)
	var all sync.WaitGroup
	began, own := time.Now(), machine.Self()
	for range runtime.NumCPU() {
		all.Go(func() {
			for range each {
				_, err := s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	used := machine.Self() - own
	return used / time.Duration(each*runtime.NumCPU()), used.Seconds() / time.Since(began).Seconds()
}

// middle is the median of what something takes.
func middle(t *testing.T, do func() error) time.Duration {
	t.Helper()
	var took []time.Duration
	for range 200 {
		began := time.Now()
		require.NoError(t, do())
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

const (
	within = 0.25 // how far the model may be off
	quiet  = 0.8  // of the cores that this program must get for points to be judged that the processors decide about
)

// The model is told what a signature, a commit, a claim and a payment take, each measured alone, and says how many payments
// workers make of a service that is far away.
func TestMeasured(t *testing.T) {
	if !*measure {
		t.Skip("it measures times: -measure")
	}
	ctx := t.Context()
	pool, err := pgxpool.New(ctx, pgtest.Database(t)+" pool_max_conns=80")
	require.NoError(t, err)
	defer pool.Close()
	s := &site{pool: pool}
	s.store, err = postgres.New(ctx, pool)
	require.NoError(t, err)
	defer s.store.Close()
	s.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	require.NoError(t, pool.QueryRow(ctx, `SELECT pg_backend_pid()`).Scan(&s.backend))
	_, err = pool.Exec(ctx, `CREATE TABLE synced (n integer); INSERT INTO synced VALUES (0)`)
	require.NoError(t, err)

	var costs model.Costs
	commit := func(how string) time.Duration {
		return middle(t, func() error {
			_, err := pool.Exec(ctx, `WITH c AS MATERIALIZED (SELECT set_config('synchronous_commit', '`+how+`', true)) UPDATE synced SET n = n + 1 FROM c`)
			return err
		})
	}
	calibrate := func() {
		costs.Sync = commit("on")
		now := time.Now()
		costs.Statement = middle(t, func() error {
			_, err := s.store.Claim(ctx, outbox.Want{Now: now, Until: now.Add(time.Second), Beyond: now.Add(time.Hour), Limit: 1})
			return err
		})
	}
	calibrate()
	costs.Signature, _ = s.signature(t)
	own, server := s.cost(t, 0) // with the look that shows its end
	ownMore, serverMore := s.cost(t, 3)
	costs.Look, costs.Looking = max(0, (ownMore-own)/3), max(0, (serverMore-server)/3)
	costs.Payment, costs.Database = max(0, own-costs.Look), max(0, server-costs.Looking)
	t.Logf("%+v", costs)
	for _, c := range []struct {
		name          string
		hsm           bool
		sign, latency time.Duration
		each, least   int
	}{
		{name: "a signing module with two sessions", hsm: true, sign: 20 * time.Millisecond, latency: 100 * time.Millisecond, each: 10, least: 20},
		{name: "signatures by the processors", latency: 20 * time.Millisecond, each: 50, least: 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, workers := range []int{1, 2, 4, 8, 16, 32} {
				calibrate()
				costs := costs
				if s.hsm = nil; c.hsm {
					s.hsm = &hsm{Signer: s.key, sessions: make(chan struct{}, 2)}
					costs.Payment, costs.Look = 0, 0
				}
				_, before := s.signature(t)
				measured := s.point(t, workers, c.each*workers+c.least, c.latency, c.sign)
				_, after := s.signature(t)
				if c.hsm {
					costs.Signature = measured.sign
				}
				share := (before + after) / 2 / float64(runtime.NumCPU()) // of the cores, which others use too
				for _, d := range []*time.Duration{&costs.Database, &costs.Looking} {
					*d = time.Duration(float64(*d) / share)
				}
				for _, d := range []*time.Duration{&costs.Signature, &costs.Payment, &costs.Look} {
					if !c.hsm {
						*d = time.Duration(float64(*d) / share)
					}
				}
				want := model.Plan{
					Costs: costs, Replicas: 1, Workers: workers, Cores: 2, Looks: measured.calls - 1,
					Database: model.Database{Cores: runtime.NumCPU(), Connections: 80}, Service: model.Service{Latency: measured.answer},
				}.Solve()
				off := want.PerSecond/measured.perSecond - 1
				t.Logf("%d workers: %.1f payments a second, %.2f calls each; the model says %.1f: %+.0f %%; first: %s (%.0f %%)",
					workers, measured.perSecond, measured.calls, want.PerSecond, 100*off, want.First(), 100*want.Busy[0].Share)
				if share < quiet && !c.hsm {
					t.Logf("not judged: others left %.0f %% of the cores", 100*share)
					continue
				}
				assert.LessOrEqual(t, max(off, -off), within)
			}
		})
	}
}
