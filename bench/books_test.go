package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/bench/machine"
	"github.com/qredo-go/qredo/export"
	"github.com/qredo-go/qredo/recon"
	"github.com/qredo-go/qredo/sandbox"
)

var (
	bookEntries = flag.Int("entries", 20_000, "how many entries, a multiple of 4, the ledger has that TestBooks exports and reconciles")
	bookStore   = flag.String("books", "", "folder of a sandbox's store for TestBooks, which is made if it is not there (default one that is removed)")
	bookProfile = flag.String("books.profile", "", "folder for processor profiles of what TestBooks runs")
)

// childBooks, in the environment, makes this test binary a program that does one thing with the books of a fund: its memory and its
// processor time are that program's alone.
const childBooks = "BENCH_BOOKS"

// bookTask is what such a program is to do, and what it has taken.
type bookTask struct {
	Do, URL, Keys, Out, Profile string
	Company                     qredo.CompanyID
	Fund                        qredo.FundID
}

type bookCost struct {
	Entries         int
	Seconds         float64 // by the clock
	Processor       float64 // seconds, of this program
	Resident        int64   // bytes of memory, at most
	Heap            uint64  // bytes, at most, as it was looked at each 10 ms
	Report, Problem string
}

// runBooks is that program.
func runBooks(text string) error {
	var task bookTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return err
	}
	cost, err := task.run()
	if err != nil {
		cost.Problem = err.Error()
	}
	return json.NewEncoder(os.Stdout).Encode(cost)
}

func (task bookTask) run() (cost bookCost, err error) {
	auth, err := qredo.AuthFromEnv()
	if err != nil {
		return cost, err
	}
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(task.URL))
	if err != nil {
		return cost, err
	}
	if task.Profile != "" {
		file, err := os.Create(task.Profile)
		if err != nil {
			return cost, err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return cost, err
		}
		defer pprof.StopCPUProfile()
	}
	ctx, done := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			metrics.Read(sample)
			cost.Heap = max(cost.Heap, sample[0].Value.Uint64())
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	})
	began, before := time.Now(), machine.Self()
	switch task.Do {
	case "reconcile":
		cost.Entries, cost.Report, err = task.reconcile(client)
	default:
		cost.Entries, err = task.export(client)
	}
	cost.Seconds, cost.Processor = time.Since(began).Seconds(), (machine.Self() - before).Seconds()
	done()
	watch.Wait()
	cost.Resident = mostResident()
	return cost, err
}

func (task bookTask) export(client *qredo.Client) (int, error) {
	ledger, err := export.New(client.Funds, client.Assets, export.Selection{Company: task.Company, Fund: task.Fund}, export.WithFormat(export.Format(task.Do)))
	if err != nil {
		return 0, err
	}
	result, err := ledger.ToFile(context.Background(), task.Out)
	return result.Entries, err
}

func (task bookTask) reconcile(client *qredo.Client) (entries int, text string, err error) {
	books, err := recon.New(client.Funds, client.Wallets)
	if err != nil {
		return 0, "", err
	}
	report, err := books.Prove(context.Background(), task.Company, task.Fund)
	if err != nil {
		return 0, "", err
	}
	for w := range report.Wallets() {
		entries += w.Entries
	}
	for i, f := range report.Findings() {
		if i < 3 {
			text += f.String() + "; "
		}
	}
	return entries, fmt.Sprintf("%d findings %s", len(report.Findings()), text), nil
}

// mostResident is how much memory this program has had at most. What getrusage says of a program begins with that of the one that started it.
func mostResident() int64 {
	data, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	text, _, _ := strings.Cut(rest, "kB")
	kib, _ := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return kib << 10
}

// bookClock is a clock that is set: entries are to be of many moments.
type bookClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *bookClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.IsZero() {
		return time.Now()
	}
	return c.now
}

func (c *bookClock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.IsZero() || t.After(c.now) {
		c.now = t
	}
}

// openBooks starts a sandbox whose one fund has a ledger of so many entries: half of them deposits, the others transfers between its two
// wallets that one approved.
func openBooks(t *testing.T, dir string, entries int) (*sandbox.Server, bookTask) {
	t.Helper()
	clock := &bookClock{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	opts := []sandbox.Option{sandbox.WithStore(dir), sandbox.WithClock(clock.Now), sandbox.WithUnsigned(), sandbox.WithoutConsole()}
	file := filepath.Join(dir, "task.json")
	if data, err := os.ReadFile(file); err == nil {
		var task bookTask
		must(json.Unmarshal(data, &task))
		srv, err := sandbox.Start(opts...)
		must(err)
		task.URL = srv.BaseURL()
		return srv, task
	}
	const pace = 200 * time.Millisecond // from one movement to the next
	begin := time.Now().Add(-time.Duration(entries) * pace).Truncate(time.Second)
	clock.set(begin)
	srv, err := sandbox.Start(opts...)
	must(err)
	ctx, c := t.Context(), srv.Client()
	company, err := c.Companies.Create(ctx, qredo.CompanyRequest{Name: "Vault"})
	must(err)
	user, err := srv.CreateUser(sandbox.User{Email: "a@example.com"})
	must(err)
	must(c.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: "a@example.com"}))
	must(srv.Accept("a@example.com", company.ID))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{user.ID}}
	made, err := c.Funds.Create(ctx, company.ID, qredo.FundRequest{
		Name: "Fund", CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: []qredo.WalletRequest{{Asset: asset}, {Asset: asset}},
	})
	must(err)
	fund, err := c.Funds.Get(ctx, company.ID, made.ID)
	must(err)
	req := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)
	must(srv.Auth().Authenticate(req, nil, clock.Now()))
	key := req.Header.Get("X-Api-Key")
	from, to := fund.Wallets[0].ID, fund.Wallets[1].ID
	four := func(n int) error { // two deposits, and a transfer, which is an entry of either wallet
		clock.set(begin.Add(time.Duration(n) * pace))
		for i := range 2 {
			if _, err := srv.Deposit(string(from), qredo.Amount(100_000+n+i)); err != nil {
				return err
			}
		}
		body := fmt.Sprintf(`{"wallet_id":%q,"counterparty_wallet_address":%q,"reference":"invoice %d","partner_txID":"b7a1f0c2-5d3e-4f6a-9c8b-%012d","expires":%d,"send":{"symbol":%q,"amount":%d}}`,
			from, to, n, n, clock.Now().Add(time.Hour).Unix(), asset, 1000+n%5000)
		req := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/api/v1/p/company/"+string(company.ID)+"/transfer", strings.NewReader(body))
		req.Header.Set("X-API-KEY", key)
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, req)
		_, rest, found := strings.Cut(w.Body.String(), `"tx_id":"`)
		if !found {
			return fmt.Errorf("%d %s", w.Code, w.Body)
		}
		id, _, _ := strings.Cut(rest, `"`)
		return srv.Approve("a@example.com", id)
	}
	must(four(0))
	var next atomic.Int64
	var writers sync.WaitGroup
	for range 64 { // which share commits
		writers.Go(func() {
			for n := int(4 * next.Add(1)); n < entries; n = int(4 * next.Add(1)) {
				if err := four(n); err != nil {
					t.Error(n, err)
					return
				}
			}
		})
	}
	writers.Wait()
	clock.set(time.Time{})
	task := bookTask{URL: srv.BaseURL(), Keys: dir, Company: company.ID, Fund: made.ID}
	data, err := json.Marshal(task)
	must(err)
	must(os.WriteFile(file, data, 0o600))
	return srv, task
}

// TestBooks exports and reconciles a fund's ledger, each in a program of its own, and tells what it takes.
func TestBooks(t *testing.T) {
	dir := *bookStore
	if dir == "" {
		dir = t.TempDir()
	}
	srv, task := openBooks(t, dir, *bookEntries)
	defer func() { _ = srv.Close() }()
	runtime.GC()
	for _, do := range []string{"csv", "jsonl", "reconcile"} {
		t.Run(do, func(t *testing.T) {
			task := task
			task.Do, task.Out = do, filepath.Join(t.TempDir(), "ledger."+do)
			if *bookProfile != "" {
				task.Profile = filepath.Join(*bookProfile, do+".prof")
			}
			data, err := json.Marshal(task)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env, cmd.Stderr = append(os.Environ(), childBooks+"="+string(data),
				"QREDO_API_KEY_FILE="+filepath.Join(task.Keys, "apikey"), "QREDO_PRIVATE_KEY_FILE="+filepath.Join(task.Keys, "private.pem")), os.Stderr
			before := machine.Self()
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			served := machine.Self() - before
			var cost bookCost
			if err := json.NewDecoder(bytes.NewReader(out)).Decode(&cost); err != nil {
				t.Fatal(err)
			}
			const mib = 1 << 20
			t.Logf("%s of %d entries: %.2f s by the clock, %.2f s of the processor, and %.2f s of the sandbox's; %d MiB resident at most, a heap of %d MiB; %s",
				do, cost.Entries, cost.Seconds, cost.Processor, served.Seconds(), cost.Resident/mib, cost.Heap/mib, cost.Report)
			if cost.Resident > 64*mib { // however many entries there are
				t.Errorf("%d bytes resident: more than 64 MiB", cost.Resident)
			}
			if cost.Problem != "" || cost.Entries != *bookEntries {
				t.Errorf("%d entries: %s", cost.Entries, cost.Problem)
			}
		})
	}
}
