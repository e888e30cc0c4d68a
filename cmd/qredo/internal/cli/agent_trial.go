package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/approver"
)

func (a *app) agentTest() *cobra.Command {
	return a.command(command{
		use: "test RULES CASES", short: "Test a policy file against cases",
		long: `Runs the rules of a policy file on the cases in another file, and prints the cases in which the verdict is not the one
wanted; then the exit code is 1. It does not ask the service. With --output json it prints all cases.

A case lists the facts of an action and the wanted verdict; and where it matters the rule that should decide, the time,
and what was approved before:

  cases:
    - name: the third payout of the day is left to people
      at: 2026-03-04T12:30:00Z
      action: {type: ApproveWithdraw, asset: BTC, amount: 0.5 BTC, recipient: bc1q..., wallet: WALLET_ID}
      before:
        - {ago: 2h, amount: 0.2 BTC, times: 2}   # the same action, except for what is given here
      want: leave                                # or approve, or reject
      rule: payouts

A transfer is a sweep only if its case says sweep: true.`,
		example: "qredo agent test policy.yaml cases.yaml",
		run: func(ctx context.Context, args []string) error {
			rules, err := a.rules(args[0], true) // they approve nothing here, so writable files only cause a warning
			if err != nil {
				return err
			}
			a.warn(rules)
			results, err := rules.TestFile(ctx, args[1])
			if err != nil {
				return usageError{err.Error()}
			}
			failed := slices.DeleteFunc(slices.Clone(results), func(r approver.CaseResult) bool { return r.Passed })
			shown := failed
			if a.json() {
				shown = results
			}
			if len(shown) > 0 {
				if err := a.list(found(shown, nil)); err != nil {
					return err
				}
			}
			if len(failed) > 0 {
				return foundf("%d of %d cases failed", len(failed), len(results))
			}
			fmt.Fprintf(a.err, "%d cases, all as wanted\n", len(results))
			return nil
		},
	})
}

// warn prints where the rules of a policy file may not do what they seem to do.
func (a *app) warn(rules *approver.Rules) {
	for _, warning := range rules.Warnings() {
		fmt.Fprintf(a.err, "warning: %s\n", plain(warning))
	}
}
