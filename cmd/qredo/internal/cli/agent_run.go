package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// rules reads a policy file.
func (a *app) rules(path string, insecure bool) (*approver.Rules, error) {
	rules, err := approver.LoadRules(path, fileOptions(a, insecure)...)
	if err != nil {
		return nil, usageError{err.Error()}
	}
	return rules, nil
}

// checkDecimals refuses rules that count an asset in another way than the service. A service that does not answer yet is
// left to what follows.
func (a *app) checkDecimals(ctx context.Context, client *qredo.Client, rules *approver.Rules) error {
	assets, err := client.Assets.List(ctx)
	if err != nil {
		fmt.Fprintf(a.err, "warning: the decimals that the rules rely on cannot be checked: %s\n", plain(err.Error()))
	} else if err := rules.CheckDecimals(assets); err != nil {
		return usageError{err.Error()}
	}
	return nil
}

// checkedRules reads a policy file, and checks its decimals.
func (a *app) checkedRules(ctx context.Context, client *qredo.Client, path string, insecure bool) (approver.Policy, error) {
	rules, err := a.rules(path, insecure)
	if err != nil {
		return nil, err
	}
	return rules, a.checkDecimals(ctx, client, rules)
}

func (a *app) agentRun() *cobra.Command {
	var policy, auditPath, replica string
	var place agentPlace
	var pins agentPinned
	var shadow bool
	var signals *reloads
	return a.command(command{
		use: "run CLIENT_ID", short: "Approve by the rules of a policy file",
		long: `Watches a core client's feed and votes on its actions as the rules of a policy file say, until it is interrupted.
What no rule decides is left to people. Each decision is written to the audit log before it is carried out.

--store keeps decisions, and what limits have counted, over restarts; --audit-log keeps the log. Both are needed, but
not with --shadow: that decides and tells what it would do, and votes on nothing. --pins names what people have agreed
on, and else leaves to them: see "qredo agent pins".

For several replicas, --database or --redis keep in a server what they share, in place of --store. A store that has
lost its memory is noticed, and nothing is approved then: see "qredo agent accept-loss". If others can write to the
store, seal it with a key (--sealing-key-file): see "qredo agent seal".

Files that others could have written (those, and the keys and pins) are refused: each, and each folder on the way to it,
must belong to you or to root, and nobody else may write to it. --insecure-files takes them all the same: whoever can write
to them decides what is approved.

SIGHUP has the policy and the pins read anew. What does not load leaves those in force that were, and is told. SIGUSR1 is
the brake: it goes into shadow at once, whatever loads or does not answer, and then does the same. SIGUSR2 does the same, and
goes on in earnest if that loads. The last signal counts, and of SIGUSR1 and SIGUSR2 at the same moment SIGUSR1. What is
decided by then stays so.`,
		example: `qredo agent run CLIENT_ID --policy policy.yaml --shadow
			qredo agent run CLIENT_ID --policy policy.yaml --store decisions.db --audit-log audit.jsonl`,
		flags: func(f *flagSet) {
			f.StringVar(&policy, "policy", "", "file with the rules")
			f.BoolVar(&shadow, "shadow", false, "decide and tell, and vote on nothing")
			required(f, "policy")
			place.flags(f)
			f.StringVar(&auditPath, "audit-log", "", "file of the audit log")
			f.StringVar(&replica, "replica", "", "name of this replica in the audit log")
			pins.flags(f)
		},
		catch: func() (stop func()) {
			signals = catchReloads()
			return signals.stop
		},
		check: func() error {
			switch places := place.find(a); {
			case places > 1:
				return usagef("only one of --store, --database and --redis can be given")
			case !shadow && (places == 0 || auditPath == ""):
				return usagef("--store and --audit-log must be given, or --shadow")
			}
			return pins.check()
		},
		run: a.withAgent(func(ctx context.Context, c partnerCall) (err error) {
			rules, err := a.rules(policy, place.insecure)
			if err != nil {
				return err
			}
			if err := a.checkAgent(ctx, c.Client, c.agent); err != nil {
				return err
			}
			if err := a.checkDecimals(ctx, c.Client, rules); err != nil {
				return err
			}
			observe, observed := a.observe()
			opts := []approver.Option{
				approver.WithClock(a.now), approver.WithReplica(replica), approver.WithObserver(observe),
				// What is decided is printed already.
				approver.WithLogger(slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))),
			}
			if opts, err = pins.option(opts, place.insecure); err != nil {
				return err
			}
			if shadow {
				opts = append(opts, approver.WithShadow())
			}
			if place.find(a) > 0 {
				store, openErr := place.open(ctx, a, false)
				if openErr != nil {
					return openErr
				}
				defer func() { err = errors.Join(err, store.close()) }()
				opts = append(opts, approver.WithStore(store.Store))
				if store.Coordinator != nil {
					opts = append(opts, approver.WithCoordinator(store.Coordinator))
				}
			}
			if auditPath != "" {
				log, openErr := place.openLog(a, auditPath)
				if openErr != nil {
					return openErr
				}
				defer func() {
					fmt.Fprintf(a.err, "audit log %s ends with %s\n", auditPath, log.Head())
					err = errors.Join(err, log.Close())
				}()
				opts = append(opts, approver.WithAuditLog(log))
			}
			run, err := approver.New(c.Client, c.agent, rules, opts...)
			if err != nil {
				return err
			}
			load := func(ctx context.Context, shadow bool) (approver.Policy, error) {
				if !shadow && (place.find(a) == 0 || auditPath == "") {
					return nil, errors.New("--store and --audit-log are needed to vote")
				}
				return a.checkedRules(ctx, c.Client, policy, place.insecure)
			}
			defer observed()
			defer signals.steer(ctx, run, shadow, load, func(text string, err error) {
				if err != nil {
					fmt.Fprintf(a.err, "%s, but: %s\n", text, plain(err.Error()))
				}
			})()
			return run.Run(ctx)
		}),
	})
}

// observe returns a function that prints what the approver decides and does, and one that ends that: what a policy that was loaded
// last has to tell may come after the run.
func (a *app) observe() (tell func(approver.Entry), end func()) {
	var mu sync.Mutex
	over := false
	columns := columnsOf("time kind action_id verdict rule outcome amount net_amount receive_amount payment recipient whitelist_name reference reason")
	tell = func(e approver.Entry) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			_ = a.feedLine(e, columns) // a reader that has gone is told of nothing
		}
	}
	return tell, func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
	}
}

func (a *app) agentVerifyLog() *cobra.Command {
	var head string
	return a.command(command{
		use: "verify-log FILE", short: "Check that an audit log is as it was written",
		long: `Checks that no line of an audit log, in all its files, was altered, removed or moved: FILE is the first, by which
"agent run" has opened it. Lines that were cut off its end can be seen only with --head: the end that "agent run" printed
when it ended, kept in another place.`,
		example: "qredo agent verify-log audit.jsonl\nqredo agent verify-log audit.jsonl --head 42:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
		flags: func(f *flagSet) {
			f.StringVar(&head, "head", "", "the end that the log had once, as NUMBER:HASH")
		},
		run: func(_ context.Context, args []string) error {
			var opts []approver.VerifyOption
			if head != "" {
				h, err := approver.ParseHead(head)
				if err != nil {
					return usagef("--head must be NUMBER:HASH, the hash of 64 digits, is %q", head)
				}
				opts = append(opts, approver.WithHead(h))
			}
			files, err := approver.AuditFiles(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = files.Close() }() // they were only read
			return a.done(approver.VerifyLog(files, opts...), "the log is as it was written")
		},
	})
}
