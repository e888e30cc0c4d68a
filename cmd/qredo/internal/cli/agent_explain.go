package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

func (a *app) agentExplain() *cobra.Command {
	var policy string
	var place agentPlace
	var pins agentPinned
	return a.command(command{
		use: "explain CLIENT_ID ACTION_ID", short: "Explain what a policy decides about an action, and why",
		long: `Fetches an action and shows what each rule of a policy says about it. Decides nothing and sends nothing.

With the store of "agent run" it also shows how much of each limit is used. A store in a file can be read only while no
program has it open. Without a store, limits count from zero. With --pins it shows what the pins leave to people.`,
		example: `qredo agent explain CLIENT_ID ACTION_ID --policy policy.yaml
			qredo agent explain CLIENT_ID ACTION_ID --policy policy.yaml --database $URL`,
		flags: func(f *flagSet) {
			f.StringVar(&policy, "policy", "", "file with the rules")
			required(f, "policy")
			place.flags(f)
			pins.flags(f)
		},
		check: func() error {
			if place.find(a) > 1 {
				return usagef("only one of --store, --database and --redis can be given")
			}
			return pins.check()
		},
		run: a.withAgent(func(ctx context.Context, c partnerCall) (err error) {
			rules, err := a.rules(policy, place.insecure)
			if err != nil {
				return err
			}
			opts, err := pins.option([]approver.Option{approver.WithClock(a.now)}, place.insecure)
			if err != nil {
				return err
			}
			if place.find(a) == 0 {
				opts = append(opts, approver.WithShadow())
			} else {
				if place.file != "" {
					if _, err := os.Stat(place.file); err != nil {
						return usagef("--store: %v", err) // opening it would create it
					}
				}
				store, openErr := place.open(ctx, a, false)
				if openErr != nil {
					return openErr
				}
				defer func() { err = errors.Join(err, store.close()) }()
				opts = append(opts, approver.WithStore(store.Store))
			}
			run, err := approver.New(c.Client, c.agent, rules, opts...)
			if err != nil {
				return err
			}
			a.warn(rules)
			if err := a.checkDecimals(ctx, c.Client, rules); err != nil {
				return err
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
