package redis_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/sandbox"
)

var (
	full     = flag.Bool("full", false, "repeat the killing of replicas with five seeds")
	killSeed = flag.Uint64("kill-seed", 5, "what chance is drawn from when approvers are killed")
)

// TestKilledApproverForgetsNothing kills an approver with an [approver.FileStore] again and again.
func TestKilledApproverForgetsNothing(t *testing.T) {
	kill{Replicas: 1, Actions: short(500, 100), Kills: short(20, 4), Seed: *killSeed}.run(t)
}

// TestKilledReplicas kills two replicas with kill -9, 20 times each, while they deal with 1,000 actions.
func TestKilledReplicas(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		seeds := uint64(1)
		if *full {
			seeds = 5
		}
		for seed := range seeds {
			require.NoError(t, connect(t, address).FlushAll(t.Context()).Err())
			kill{Replicas: 2, Actions: short(1000, 200), Kills: short(20, 4), Redis: address, Seed: *killSeed + seed}.run(t)
		}
	})
}

// short is a figure, or the one that -short has in its place.
func short(figure, whenShort int) int {
	if testing.Short() {
		return whenShort
	}
	return figure
}

// kill is a trial in which approvers in processes of their own are killed while they work.
type kill struct {
	Replicas int
	Actions  int
	Kills    int    // of each replica
	Redis    string // address of the server that the replicas share; empty for a file, with one replica
	Seed     uint64
}

const (
	killFrom, killTo = 4, 5
	killLease        = 500 * time.Millisecond
)

// walletSum is what each wallet may send: less than it is asked for.
func (k kill) walletSum() int { return 70 * k.Actions }

// recipientCount is how often each recipient may receive: less than it is asked to.
func (k kill) recipientCount() int { return k.Actions / 7 }

const killRules = `rules:
  - name: blocked
    when: reference startsWith "no"
    then: reject
  - name: small
    when: type == "ApproveTransfer" && amount <= 1000
    then: approve
    limits:
      - {per: wallet, window: 24h, max_amount: %d}
      - {per: recipient, window: 24h, max_count: %d}
    over_limit: reject
`

// killTrial is a trial on its way.
type killTrial struct {
	kill
	*trial.World
	t       *testing.T
	dir     string
	base    child
	chance  *mathrand.Rand
	killing chan int // replicas that are to be killed now

	mu       sync.Mutex
	requests int
	schedule []moment
	votes    map[string]map[string]int // by path, then by method
}

// moment is when a replica is killed: when so many requests have come, so long after this one was or was
// not answered.
type moment struct {
	request int
	replica int
	after   bool
	delay   time.Duration
}

// run runs the trial and checks: each action is decided once and as its log says, no limit is exceeded,
// all logs verify.
func (k kill) run(t *testing.T) {
	start := time.Now()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	world := trial.NewWorld(t, killFrom, killTo, sandbox.WithKey("child", &key.PublicKey))
	run := &killTrial{
		kill: k, World: world, t: t, dir: t.TempDir(), chance: mathrand.New(mathrand.NewPCG(k.Seed, k.Seed)),
		killing: make(chan int, k.Kills*k.Replicas), votes: map[string]map[string]int{},
	}
	file := filepath.Join(run.dir, "key.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	require.NoError(t, os.WriteFile(file, data, 0o600))
	rules := filepath.Join(run.dir, "rules.yaml")
	require.NoError(t, os.WriteFile(rules, fmt.Appendf(nil, killRules, k.walletSum(), k.recipientCount()), 0o600))
	run.base = child{BaseURL: world.BaseURL, APIKey: "child", KeyFile: file, Core: world.Core, Rules: rules, Redis: k.Redis, Lease: killLease}
	if k.Redis == "" {
		run.base.File = filepath.Join(run.dir, "store")
	}
	run.makeSchedule()
	run.transfers()
	run.work()
	run.check()
	t.Logf("%d replicas, each killed %d times during %d actions: %s (seed %d)", k.Replicas, k.Kills, k.Actions, time.Since(start).Round(time.Millisecond), k.Seed)
}

// makeSchedule spreads the kills over the requests that the actions need at least: a look at each, and a
// vote on most.
func (k *killTrial) makeSchedule() {
	for i := range k.Kills * k.Replicas {
		k.schedule = append(k.schedule, moment{
			request: k.chance.IntN(k.kill.Actions * 3 / 2), replica: i % k.Replicas, after: k.chance.IntN(2) == 0,
			delay: time.Duration(k.chance.IntN(6)-2) * time.Millisecond / 2,
		})
	}
	slices.SortFunc(k.schedule, func(a, b moment) int { return a.request - b.request })
	k.Intercept(k.watch)
}

// watch counts requests about single actions, notes the votes, and has replicas killed when it is time.
func (k *killTrial) watch(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if !strings.Contains(r.URL.Path, "/action/") {
		next.ServeHTTP(w, r)
		return
	}
	k.mu.Lock()
	k.requests++
	if r.Method != http.MethodGet {
		if k.votes[r.URL.Path] == nil {
			k.votes[r.URL.Path] = map[string]int{}
		}
		k.votes[r.URL.Path][r.Method]++
	}
	var due []moment
	for len(k.schedule) > 0 && k.schedule[0].request <= k.requests {
		due, k.schedule = append(due, k.schedule[0]), k.schedule[1:]
	}
	k.mu.Unlock()
	strike := func(after bool) {
		for _, m := range due {
			switch {
			case m.after != after:
			case m.delay <= 0:
				k.killing <- m.replica
			default:
				time.AfterFunc(m.delay, func() { k.killing <- m.replica })
			}
		}
	}
	strike(false)
	next.ServeHTTP(w, r)
	strike(true)
}

// transfers asks for all transfers.
func (k *killTrial) transfers() {
	k.t.Helper()
	type request struct {
		from, to  int
		amount    qredo.Amount
		reference string
	}
	requests := make(chan request)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for r := range requests {
				if _, err := k.Transfer(k.t.Context(), r.from, r.to, r.amount, r.reference); err != nil {
					k.t.Error(err)
				}
			}
		})
	}
	for range k.kill.Actions {
		reference := "yes"
		if k.chance.IntN(10) == 0 {
			reference = "no"
		}
		requests <- request{k.chance.IntN(killFrom), k.chance.IntN(killTo), qredo.Amount(1 + k.chance.IntN(1100)), reference}
	}
	close(requests)
	all.Wait()
}

// work runs the replicas, and kills and starts them again, until everything is decided.
func (k *killTrial) work() {
	k.t.Helper()
	replicas := make([]*exec.Cmd, k.Replicas)
	for i := range replicas {
		replicas[i] = k.start(i)
	}
	defer func() {
		for _, replica := range replicas {
			_ = replica.Process.Kill()
			_ = replica.Wait() // says that it was killed
		}
	}()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for killed := 0; ; {
		select {
		case i := <-k.killing:
			require.NoError(k.t, replicas[i].Process.Kill())
			require.ErrorContains(k.t, replicas[i].Wait(), "killed", "it ended by itself")
			replicas[i] = k.start(i)
			killed++
		case <-look.C:
			if killed == k.Kills*k.Replicas && k.done() {
				return
			}
		case <-k.t.Context().Done():
			require.Fail(k.t, "not everything was decided", "%d kills", killed)
		}
	}
}

func (k *killTrial) start(i int) *exec.Cmd {
	k.t.Helper()
	c := k.base
	c.Replica, c.Log = fmt.Sprint("replica-", i), k.log(i)
	config, err := json.Marshal(c)
	require.NoError(k.t, err)
	cmd := exec.CommandContext(k.t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(config))
	cmd.Stderr = os.Stderr
	_, err = cmd.StdinPipe() // whose end tells the child that this process has ended
	require.NoError(k.t, err)
	require.NoError(k.t, cmd.Start())
	return cmd
}

func (k *killTrial) log(i int) string { return filepath.Join(k.dir, fmt.Sprintf("audit-%d.log", i)) }

// done reports whether all actions have been decided and their votes have arrived.
func (k *killTrial) done() bool {
	verdicts := map[qredo.ActionID]approver.Verdict{}
	for i := range k.Replicas {
		data, err := os.ReadFile(k.log(i))
		require.NoError(k.t, err)
		for line := range bytes.Lines(data) {
			var e approver.Entry
			if json.Unmarshal(line, &e) == nil && e.ActionID != "" { // the last line may be cut
				verdicts[e.ActionID] = e.Verdict
			}
		}
	}
	if len(verdicts) < k.kill.Actions {
		return false
	}
	list, err := k.Client.CoreClients.ListActions(k.t.Context(), k.Core)
	require.NoError(k.t, err)
	for _, a := range list { // what is pending
		if verdicts[a.ID] != approver.Leave {
			return false
		}
	}
	return true
}
