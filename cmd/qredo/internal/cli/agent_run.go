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

// checkDecimals refuses rules whose decimals of an asset differ from the service's. If the service does not answer yet,
// later steps deal with it.
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
		long: `Watches a core client's feed and votes on its actions by the rules in a policy file, until it is interrupted. What no
rule decides is left to people. Each decision is written to the audit log before it is carried out.

--store keeps decisions, and what limits have counted, across restarts; --audit-log keeps the log. Both are required,
except with --shadow, which decides and reports, but never votes. With --pins, anything that people have not agreed on
is left to them: see "qredo agent pins".

To run several replicas, give --database or --redis instead of --store: the server keeps what they share. If the store
has lost its memory, that is noticed, and nothing is approved: see "qredo agent accept-loss". If others can write to
the store, seal it with a key (--sealing-key-file): see "qredo agent seal".

All of these files, the keys and the pins must belong to you or to root, as must each folder on the path to them, and
nobody else may be able to write to them. Otherwise they are refused. --insecure-files accepts them anyway: then whoever
can write to them decides what is approved.

SIGHUP reloads the policy and the pins. If they do not load, the old ones stay in force and the error is reported.
SIGUSR1 is the brake: it enters shadow at once, even while something loads or does not answer, and then reloads. SIGUSR2
reloads, and leaves shadow if that succeeds. The last signal counts; if SIGUSR1 and SIGUSR2 come at the same moment,
SIGUSR1 does. Decisions that were already made stand.`,
		example: `qredo agent run CLIENT_ID --policy policy.yaml --shadow
			qredo agent run CLIENT_ID --policy policy.yaml --store decisions.db --audit-log audit.jsonl`,
		flags: func(f *flagSet) {
			f.StringVar(&policy, "policy", "", "file with the rules")
			f.BoolVar(&shadow, "shadow", false, "decide and report, but do not vote")
			required(f, "policy")
			place.flags(f)
			f.StringVar(&auditPath, "audit-log", "", "audit log file")
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
				// Decisions are printed already.
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

// observe returns a function that prints what the approver decides and does, and one that ends this: events of the policy
// that was loaded last may come after the run.
func (a *app) observe() (tell func(approver.Entry), end func()) {
	var mu sync.Mutex
	over := false
	columns := columnsOf("time kind action_id verdict rule outcome amount net_amount receive_amount payment recipient whitelist_name reference reason")
	tell = func(e approver.Entry) {
		mu.Lock()
		defer mu.Unlock()
		if !over {
			_ = a.feedLine(e, columns) // nobody may be reading any more
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
		use: "verify-log FILE", short: "Check that an audit log was not changed",
		long: `Checks that no line in any file of an audit log was changed, removed or moved. FILE is the first file, the one that
"agent run" was started with. Only --head shows whether lines were cut off the end: give the head that "agent run" printed
when it ended, which you have kept in another place.`,
		example: "qredo agent verify-log audit.jsonl\nqredo agent verify-log audit.jsonl --head 42:9f86d081884c7d659a2feaa0c55ad0159f86d081884c7d659a2feaa0c55ad015",
		flags: func(f *flagSet) {
			f.StringVar(&head, "head", "", "an earlier head of the log, as NUMBER:HASH")
		},
		run: func(_ context.Context, args []string) error {
			var opts []approver.VerifyOption
			if head != "" {
				h, err := approver.ParseHead(head)
				if err != nil {
					return usagef("--head must be NUMBER:HASH, with a hash of 64 digits, not %q", head)
				}
				opts = append(opts, approver.WithHead(h))
			}
			files, err := approver.AuditFiles(args[0])
			if err != nil {
				return err
			}
			defer func() { _ = files.Close() }() // only read
			return a.done(approver.VerifyLog(files, opts...), "the log was not changed")
		},
	})
}
