// Package killtest kills approvers, and the server that they share, again and again while they work, and checks afterwards that no limit was passed,
// nothing was decided twice, and all logs verify.
package killtest

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
	"github.com/qredo-go/qredo/signingagent"
)

// Seed is what chance is drawn from.
var Seed = flag.Uint64("kill-seed", 5, "what chance is drawn from when approvers are killed")

// Full has replicas killed at the size that the claims are made for.
var Full = flag.Bool("full", false, "kill replicas as often, and during as many actions, as is claimed")

// Agents is a trial of two signing agents that share a server: 1,000 actions and 20 kills each with -full.
func Agents(server string) Trial {
	trial := Trial{Replicas: 2, Actions: 80, Kills: 2, Server: server, Seed: *Seed, Agent: true}
	if *Full {
		trial.Actions, trial.Kills = 1000, 20
	}
	return trial
}

// Trial is a trial in which approvers in processes of their own are killed while they work.
type Trial struct {
	Replicas int
	Actions  int
	Kills    int    // of each replica
	Server   string // the server that the replicas share, as [Open] takes it; empty for a file, with one replica
	Seed     uint64
	Agent    bool // the replicas are one signing agent, which signs its votes by itself

	Crash   func() // kills the server and starts it again
	Crashes int    // of the server
}

const (
	killFrom, killTo = 4, 5
	killLease        = 500 * time.Millisecond
)

// walletSum is what each wallet may send: less than it is asked for.
func (k Trial) walletSum() int { return 70 * k.Actions }

// recipientCount is how often each recipient may receive: less than it is asked to.
func (k Trial) recipientCount() int { return k.Actions / 7 }

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
	Trial
	*trial.World
	t       *testing.T
	dir     string
	base    child
	chance  *mathrand.Rand
	killing chan int // replicas, or theServer, that are to be killed now

	mu       sync.Mutex
	requests int
	schedule []moment
	votes    map[string]map[string]int // by path, then by method
}

// Sealed at the end of a trial's Server says that the replicas have a sealing key.
const Sealed = "#sealed"

// theServer stands in the place of a replica for the server.
const theServer = -1

// moment is when a replica is killed: when so many requests have come, so long after this one was or was
// not answered.
type moment struct {
	request int
	replica int // or theServer
	after   bool
	delay   time.Duration
}

// Run runs the trial and checks: each action is decided once and as its log says, no limit is exceeded,
// all logs verify.
func (k Trial) Run(t *testing.T) {
	t.Helper()
	start := time.Now()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	dir := t.TempDir()
	agent := "" // where its identity is
	children := sandbox.WithKey("child", &key.PublicKey)
	var world *trial.World
	if k.Agent {
		agent = filepath.Join(dir, "agent")
		world = trial.NewWorldOf(t, killFrom, killTo, func(client *qredo.Client) (qredo.CoreClientID, error) {
			a, err := signingagent.Register(t.Context(), client, identity(agent, key), "agent", signingagent.WithPIN(agentPIN))
			if err != nil {
				return "", err
			}
			return a.ID(), nil
		}, children)
	} else {
		world = trial.NewWorld(t, killFrom, killTo, children)
	}
	run := &killTrial{
		Trial: k, World: world, t: t, dir: dir, chance: mathrand.New(mathrand.NewPCG(k.Seed, k.Seed)), //nolint:gosec // a trial that can be repeated
		killing: make(chan int, k.Kills*k.Replicas+k.Crashes), votes: map[string]map[string]int{},
	}
	file := filepath.Join(run.dir, "key.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	require.NoError(t, os.WriteFile(file, data, 0o600))
	rules := filepath.Join(run.dir, "rules.yaml")
	require.NoError(t, os.WriteFile(rules, fmt.Appendf(nil, killRules, k.walletSum(), k.recipientCount()), 0o600))
	run.base = child{
		BaseURL: world.BaseURL, APIKey: "child", KeyFile: file, Core: world.Core, Agent: agent, Rules: rules, Server: k.Server, Lease: killLease,
	}
	if k.Server == "" {
		run.base.File = filepath.Join(run.dir, "store")
	}
	run.makeSchedule()
	run.transfers()
	run.work()
	run.check()
	t.Logf("%d replicas, each killed %d times, their server %d times, during %d actions: %s (seed %d)", k.Replicas, k.Kills, k.Crashes, k.Actions, time.Since(start).Round(time.Millisecond), k.Seed)
}

// makeSchedule spreads the kills over the requests that the actions need at least: a look at each, and a
// vote on most. A signing agent also looks at what is to be signed.
func (k *killTrial) makeSchedule() {
	requests := k.Trial.Actions * 3 / 2
	if k.Agent {
		requests = k.Trial.Actions * 3
	}
	for i := range k.Kills*k.Replicas + k.Crashes {
		replica := i % k.Replicas
		if i >= k.Kills*k.Replicas {
			replica = theServer
		}
		k.schedule = append(k.schedule, moment{
			request: k.chance.IntN(requests), replica: replica, after: k.chance.IntN(2) == 0,
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
	for range k.Trial.Actions {
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
			killed++
			if i == theServer {
				k.Crash()
				continue
			}
			require.NoError(k.t, replicas[i].Process.Kill())
			require.ErrorContains(k.t, replicas[i].Wait(), "killed", "it ended by itself")
			replicas[i] = k.start(i)
		case <-look.C:
			if killed == k.Kills*k.Replicas+k.Crashes && k.done() {
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
	config, err := json.Marshal(c) //nolint:gosec // for the child, of a sandbox
	require.NoError(k.t, err)
	cmd := exec.CommandContext(k.t.Context(), os.Args[0]) //nolint:gosec // this program
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
	if len(verdicts) < k.Trial.Actions {
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
