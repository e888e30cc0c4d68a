package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// rules reads a policy file.
func (a *app) rules(path string) (*approver.Rules, error) {
	rules, err := approver.LoadRules(path, approver.WithClock(a.now))
	if err != nil {
		return nil, usageError{err.Error()}
	}
	return rules, nil
}

func (a *app) agentRun() *cobra.Command {
	var policy, storePath, auditPath, replica string
	var shadow bool
	return a.command(command{
		use: "run CLIENT_ID", short: "Approve by the rules of a policy file",
		long: `Watches a core client's feed and votes on its actions as the rules of a policy file say, until it is interrupted.
What no rule decides is left to people. Each decision is written to the audit log before it is carried out.

--store keeps decisions, and what limits have counted, over restarts; --audit-log keeps the log. Both are needed, but
not with --shadow: that decides and tells what it would do, and votes on nothing.`,
		example: `qredo agent run CLIENT_ID --policy policy.yaml --shadow
			qredo agent run CLIENT_ID --policy policy.yaml --store decisions.db --audit-log audit.jsonl`,
		flags: func(f *flagSet) {
			f.StringVar(&policy, "policy", "", "file with the rules (required)")
			f.BoolVar(&shadow, "shadow", false, "decide and tell, and vote on nothing")
			f.StringVar(&storePath, "store", "", "file that keeps decisions and what limits have counted")
			f.StringVar(&auditPath, "audit-log", "", "file of the audit log")
			f.StringVar(&replica, "replica", "", "name of this replica in the audit log")
		},
		check: func() error {
			if !shadow && (storePath == "" || auditPath == "") {
				return usagef("--store and --audit-log must be given, or --shadow")
			}
			return nil
		},
		run: a.withClient(func(ctx context.Context, c partnerCall) (err error) {
			rules, err := a.rules(policy)
			if err != nil {
				return err
			}
			id := qredo.CoreClientID(c.args[0])
			if err := a.checkAgent(ctx, c.Client, id); err != nil {
				return err
			}
			opts := []approver.Option{
				approver.WithClock(a.now), approver.WithReplica(replica), approver.WithObserver(a.observe()),
				// What is decided is printed already.
				approver.WithLogger(slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))),
			}
			if shadow {
				opts = append(opts, approver.WithShadow())
			}
			if storePath != "" && !shadow {
				store, openErr := approver.OpenStore(storePath, approver.WithClock(a.now))
				if openErr != nil {
					return openErr
				}
				defer func() { err = errors.Join(err, store.Close()) }()
				opts = append(opts, approver.WithStore(store))
			}
			if auditPath != "" {
				log, openErr := approver.OpenAuditLog(auditPath, approver.WithClock(a.now))
				if openErr != nil {
					return openErr
				}
				defer func() {
					head := log.Head()
					fmt.Fprintf(a.err, "audit log %s ends with %d:%s\n", auditPath, head.Seq, head.Hash)
					err = errors.Join(err, log.Close())
				}()
				opts = append(opts, approver.WithAuditLog(log))
			}
			run, err := approver.New(c.Client, id, rules, opts...)
			if err != nil {
				return err
			}
			return run.Run(ctx)
		}),
	})
}

// observe returns a function that prints what the approver decides and does. It is called by several
// goroutines.
func (a *app) observe() func(approver.Entry) {
	var mu sync.Mutex
	columns := []string{"Time", "Kind", "ActionID", "Verdict", "Rule", "Outcome", "Reason"}
	return func(e approver.Entry) {
		mu.Lock()
		defer mu.Unlock()
		_ = a.feedLine(e, columns) // a reader that has gone is told of nothing
	}
}

func (a *app) agentExplain() *cobra.Command {
	var policy string
	return a.command(command{
		use: "explain CLIENT_ID ACTION_ID", short: "Tell how a policy decides about an action, and why",
		long:    "Fetches an action and tells what each rule of a policy says about it. Decides nothing and sends nothing.",
		example: "qredo agent explain CLIENT_ID ACTION_ID --policy policy.yaml",
		flags:   func(f *flagSet) { f.StringVar(&policy, "policy", "", "file with the rules (required)") },
		run: a.withClient(func(ctx context.Context, c partnerCall) error {
			rules, err := a.rules(policy)
			if err != nil {
				return err
			}
			run, err := approver.New(c.Client, qredo.CoreClientID(c.args[0]), rules, approver.WithShadow())
			if err != nil {
				return err
			}
			for _, warning := range rules.Warnings() {
				fmt.Fprintf(a.err, "warning: %s\n", plain(warning))
			}
			explanation, err := run.Explain(ctx, qredo.ActionID(c.args[1]))
			if err != nil {
				return err
			}
			if a.json() {
				return a.jsonLine(explanation)
			}
			fmt.Fprintln(a.out, strings.TrimRight(explanation.String(), "\n"))
			return nil
		}),
	})
}

func (a *app) agentVerifyLog() *cobra.Command {
	var head string
	return a.command(command{
		use: "verify-log FILE", short: "Check that an audit log is as it was written",
		long: `Checks that no line of an audit log was altered, removed or moved. Lines that were cut off its end can be seen
only with --head: the end that "agent run" printed when it ended, kept in another place.`,
		example: "qredo agent verify-log audit.jsonl\nqredo agent verify-log audit.jsonl --head 42:9f86d081884c7d659a2feaa0c55ad015",
		flags: func(f *flagSet) {
			f.StringVar(&head, "head", "", "the end that the log had once, as NUMBER:HASH")
		},
		run: func(_ context.Context, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = file.Close() }() // it was only read
			var opts []approver.VerifyOption
			if head != "" {
				number, hash, _ := strings.Cut(head, ":")
				seq, err := strconv.ParseInt(number, 10, 64)
				if err != nil || hash == "" {
					return usagef("--head must be NUMBER:HASH, is %q", head)
				}
				opts = append(opts, approver.WithHead(approver.Head{Seq: seq, Hash: hash}))
			}
			return a.done(approver.VerifyLog(file, opts...), "the log is as it was written")
		},
	})
}
