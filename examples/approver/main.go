// Command approver: every payment that leaves a custody fund needs a vote, and people cannot look at each of 200 small ones; but a program
// that votes must not be talked into large ones, nor pass its limits because two copies of it run.
//
// So two replicas approve by rule: of 200 transfers they approve the small ones within limits, reject what is blocked, and leave
// the rest to humans.
//
// The replicas share decisions and limits through a Redis server if REDIS_ADDR names one
// ("127.0.0.1:6379"), and else, since both are in this process, through memory. Each has an audit log of its
// own, which is verified at the end.
//
// It starts a sandbox for itself and exits with 0 only if the service did what the logs say.
package main

import (
	"context"
	_ "embed" // for the rules
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

//go:embed rules.yaml
var ruleFile []byte

const transfers = 200

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "approver:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	srv, err := sandbox.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	dir, err := os.MkdirTemp("", "approver")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	e := example{srv: srv, client: srv.Client(), out: out, dir: dir, decided: make(chan approver.Entry, 4*transfers)}
	for _, step := range []func(context.Context) error{e.open, e.ask, e.approve, e.check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// example is the state of the job.
type example struct {
	srv    *sandbox.Server
	client *qredo.Client
	out    io.Writer
	dir    string // paths of the audit logs

	core     qredo.CoreClientID
	company  qredo.CompanyID
	wallets  []qredo.Wallet // two to send from, then four to send to
	decided  chan approver.Entry
	entries  map[qredo.ActionID]approver.Entry // the decision about each action
	replicas map[string]int                    // how many actions each decided
}

func (e *example) say(format string, args ...any) { fmt.Fprintf(e.out, format+"\n", args...) }

// open makes a core client, and a company with a fund for which it approves.
func (e *example) open(ctx context.Context) error {
	core, err := e.client.CoreClients.Create(ctx, "Approver")
	if err != nil {
		return err
	}
	var wallets []qredo.WalletRequest
	for _, name := range []string{"Hot 1", "Hot 2", "Ann", "Bob", "Cleo", "Dan"} {
		wallets = append(wallets, qredo.WalletRequest{Name: name, Asset: "BTC-TESTNET"})
	}
	fund, err := demofund.New(ctx, e.srv, "Acme", []string{string(core.ID)}, wallets...)
	if err != nil {
		return err
	}
	e.core, e.company, e.wallets = core.ID, fund.Company, fund.Wallets
	for _, wallet := range e.wallets[:2] {
		if _, err := e.srv.Deposit(wallet.Address, 1_000_000_000); err != nil {
			return err
		}
	}
	return nil
}

// ask asks for ten transfers: one is blocked, one is large, one is a rent, one is of a kind that no rule covers, and six
// are payouts, four of them from the first wallet.
func (e *example) ask(ctx context.Context) error {
	for i := range transfers {
		amount, reference := qredo.Amount(150_000), fmt.Sprint("payout-", i)
		switch i % 10 {
		case 1:
			reference = fmt.Sprint("gift ", i)
		case 3:
			reference = fmt.Sprint("fraud-", i)
		case 5:
			amount = 2_000_000
		case 8:
			reference = fmt.Sprint("rent ", i)
		}
		_, err := e.client.Transfers.Create(ctx, e.company, qredo.TransferRequest{
			WalletID: e.wallets[i%2].ID, Counterparty: string(e.wallets[2+i/2%4].ID), Reference: reference,
			Expires: qredo.TimeOf(e.srv.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: amount},
		})
		if err != nil {
			return err
		}
	}
	e.say("%d transfers wait for core client %s", transfers, e.core)
	return nil
}

// approve runs two replicas until everything is decided and carried out.
func (e *example) approve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	store := e.shareMemory
	if address := os.Getenv("REDIS_ADDR"); address != "" {
		store = func() ([]approver.Option, func(), error) { return e.shareRedis(ctx, address) }
	}
	shared, closeStore, err := store()
	if err != nil {
		return err
	}
	defer closeStore()
	errs := make([]error, 2)
	var replicas sync.WaitGroup
	for i := range errs {
		replicas.Go(func() {
			if errs[i] = e.replica(ctx, fmt.Sprint("replica-", i+1), shared); errs[i] != nil {
				cancel() // the other one alone would do, but here something is wrong
			}
		})
	}
	e.entries, e.replicas = map[qredo.ActionID]approver.Entry{}, map[string]int{}
	for done := 0; done < transfers; {
		select {
		case entry := <-e.decided:
			switch entry.Kind {
			case approver.EntryDecision:
				e.entries[entry.ActionID] = entry
				e.replicas[entry.Replica]++
			case approver.EntryResult:
				done++
			default:
			}
		case <-ctx.Done():
			replicas.Wait()
			return errors.Join(errors.Join(errs...), context.Cause(ctx))
		}
	}
	cancel()
	replicas.Wait()
	return errors.Join(errs...)
}

// shareMemory is how replicas in one process share decisions, limits and work.
func (e *example) shareMemory() ([]approver.Option, func(), error) {
	store := approver.NewMemoryStore(approver.WithClock(e.srv.Now))
	return []approver.Option{approver.WithStore(store), approver.WithCoordinator(store)}, func() {}, nil
}

// shareRedis is how replicas anywhere share them. The prefix belongs to this run. The decisions of this example may be
// forgotten, so any server will do; leave WithVolatile out if real money moves.
func (e *example) shareRedis(ctx context.Context, address string) ([]approver.Option, func(), error) {
	client := goredis.NewClient(&goredis.Options{Addr: address})
	store, err := redis.New(ctx, client, "example:"+string(e.core), redis.WithVolatile())
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	return []approver.Option{approver.WithStore(store), approver.WithCoordinator(store)}, func() { _ = client.Close() }, nil
}

func (e *example) logPath(replica string) string { return filepath.Join(e.dir, replica+".jsonl") }

// ruleFile is the rule file with the IDs of the permitted recipients.
func (e *example) ruleFile() []byte {
	file := string(ruleFile)
	for i, payee := range []string{"ANN", "BOB", "CLEO", "DAN"} {
		file = strings.Replace(file, `"`+payee+`"`, fmt.Sprintf("%q", e.wallets[2+i].ID), 1)
	}
	return []byte(file)
}

// replica is one approver, with an audit log of its own.
func (e *example) replica(ctx context.Context, name string, shared []approver.Option) (err error) {
	rules, err := approver.ParseRules("rules.yaml", e.ruleFile(), approver.WithClock(e.srv.Now))
	if err != nil {
		return err
	}
	log, err := approver.OpenAuditLog(e.logPath(name), approver.WithClock(e.srv.Now))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	a, err := approver.New(e.client, e.core, rules, append(shared[:len(shared):len(shared)],
		approver.WithReplica(name), approver.WithAuditLog(log), approver.WithClock(e.srv.Now),
		approver.WithObserver(func(entry approver.Entry) { e.decided <- entry }))...)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// check verifies the logs, compares them with what happened, and prints what was decided and why.
func (e *example) check(ctx context.Context) error {
	for name := range e.replicas {
		file, err := approver.AuditFiles(e.logPath(name))
		if err != nil {
			return err
		}
		err = errors.Join(approver.VerifyLog(file), file.Close())
		if err != nil {
			return err
		}
	}
	if len(e.entries) != transfers {
		return fmt.Errorf("%d of %d were decided", len(e.entries), transfers)
	}
	counts := map[string]int{}
	for id, entry := range e.entries {
		action, err := e.client.CoreClients.GetAction(ctx, e.core, id) // which includes ended ones
		if err != nil {
			return err
		}
		want := map[approver.Verdict]qredo.ApprovalStatus{
			approver.Approve: qredo.ApprovalApproved, approver.Reject: qredo.ApprovalRejected, approver.Leave: qredo.ApprovalPending,
		}[entry.Verdict]
		if action.Status != want {
			return fmt.Errorf("the decision about %s is %s, but it is %s", action.ID, entry.Verdict, action.Status)
		}
		counts[why(entry)]++
	}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		e.say("  %-60s %3d", reason, counts[reason])
	}
	e.say("Done: each of %d was decided once, by 2 replicas; their audit logs verify.", len(e.entries))
	return nil
}

// why returns the verdict, the rule and the reason in a few words.
func why(entry approver.Entry) string {
	reason := entry.Reason
	switch {
	case strings.Contains(reason, ", sum"):
		reason = "the wallet's sum would be over the limit"
	case strings.Contains(reason, ", count"):
		reason = "the recipient's count would be over the limit"
	case entry.Verdict == approver.Approve:
		reason = "within the limits"
	}
	return fmt.Sprintf("%s %s: %s", entry.Verdict, entry.Rule, reason)
}
