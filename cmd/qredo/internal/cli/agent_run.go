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
	if err := required("policy", path); err != nil {
		return nil, err
	}
	rules, err := approver.LoadRules(path, approver.WithClock(a.now))
	if err != nil {
		return nil, usageError{err.Error()}
	}
	return rules, nil
}

func (a *app) agentRun() *cobra.Command {
	var policy, storePath, auditPath, replica string
	var shadow bool
	cmd := a.command(command{
		use: "run CLIENT_ID", short: "Approve by the rules of a policy file",
		long: `Watches a core client's feed and votes on its actions as the rules of a policy file say, until it is interrupted.
What no rule decides is left to people. Each decision is written to the audit log before it is carried out.

--store keeps decisions, and what limits have counted, over restarts; --audit keeps the log. Both are needed, but
not with --shadow: that decides and tells what it would do, and votes on nothing.`,
		example: `qredo agent run CLIENT_ID --policy policy.yaml --shadow
			qredo agent run CLIENT_ID --policy policy.yaml --store decisions.db --audit audit.jsonl`,
		run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) (err error) {
			rules, err := a.rules(policy)
			if err != nil {
				return err
			}
			if !shadow {
				if err := required("store", storePath, "audit", auditPath); err != nil {
					return err
				}
			}
			opts := []approver.Option{
				approver.WithClock(a.now), approver.WithReplica(replica), approver.WithLogger(slog.New(slog.NewTextHandler(a.err, nil))),
				approver.WithObserver(a.observe()),
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
			run, err := approver.New(client, qredo.CoreClientID(args[0]), rules, opts...)
			if err != nil {
				return err
			}
			return run.Run(ctx)
		}),
	})
	flags := cmd.Flags()
	flags.StringVar(&policy, "policy", "", "file with the rules (required)")
	flags.BoolVar(&shadow, "shadow", false, "decide and tell, and vote on nothing")
	flags.StringVar(&storePath, "store", "", "file that keeps decisions and what limits have counted")
	flags.StringVar(&auditPath, "audit", "", "file of the audit log")
	flags.StringVar(&replica, "replica", "", "name of this replica in the audit log")
	return cmd
}

// observe returns a function that prints what the approver decides and does. It is called by several
// goroutines.
func (a *app) observe() func(approver.Entry) {
	var mu sync.Mutex
	return func(e approver.Entry) {
		mu.Lock()
		defer mu.Unlock()
		a.printEntry(e)
	}
}

func (a *app) printEntry(e approver.Entry) {
	if a.json() {
		_ = a.jsonLine(e) // a reader that has gone is told of nothing
		return
	}
	a.feedLine(e, []string{"Time", "Kind", "ActionID", "Verdict", "Rule", "Outcome", "Reason"})
	_ = a.out.Flush() // as above
}

func (a *app) agentExplain() *cobra.Command {
	var policy string
	cmd := a.command(command{
		use: "explain CLIENT_ID ACTION_ID", short: "Tell how a policy decides about an action, and why",
		long:    "Fetches an action and tells what each rule of a policy says about it. Decides nothing and sends nothing.",
		example: "qredo agent explain CLIENT_ID ACTION_ID --policy policy.yaml",
		run: a.withAgent(func(ctx context.Context, client *qredo.Client, args []string) error {
			rules, err := a.rules(policy)
			if err != nil {
				return err
			}
			run, err := approver.New(client, qredo.CoreClientID(args[0]), rules, approver.WithShadow())
			if err != nil {
				return err
			}
			explanation, err := run.Explain(ctx, qredo.ActionID(args[1]))
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
	cmd.Flags().StringVar(&policy, "policy", "", "file with the rules (required)")
	return cmd
}

func (a *app) agentVerifyLog() *cobra.Command {
	var head string
	cmd := a.command(command{
		use: "verify-log FILE", short: "Check that an audit log is as it was written",
		long: `Checks that no line of an audit log was altered, removed or moved. Lines that were cut off its end can be seen
only with --head: the end that "agent run" printed when it ended, kept in another place.`,
		example: "qredo agent verify-log audit.jsonl\nqredo agent verify-log audit.jsonl --head 42:9f86d081884c7d659a2feaa0c55ad015",
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
			if err := approver.VerifyLog(file, opts...); err != nil {
				return err
			}
			return a.done("the log is as it was written")
		},
	})
	cmd.Flags().StringVar(&head, "head", "", "the end that the log had once, as NUMBER:HASH")
	return cmd
}
