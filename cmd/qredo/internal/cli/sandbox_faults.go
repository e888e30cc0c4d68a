package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/sandbox"
)

// faultKinds are the kinds of faults, for the help.
var faultKinds = []sandbox.FaultKind{
	sandbox.FaultDropRequest, sandbox.FaultDropAnswer, sandbox.FaultCutBody, sandbox.FaultServerError,
	sandbox.FaultErrorHandled, sandbox.FaultRateLimit, sandbox.FaultDelay, sandbox.FaultHTML, sandbox.FaultNoTxID,
	sandbox.FaultSkewedDate,
}

func (a *app) controlFault() *cobra.Command {
	var rule sandbox.FaultRule
	var seed uint64
	names := make([]string, len(faultKinds))
	for i, k := range faultKinds {
		names[i] = string(k)
	}
	return a.command(command{
		use: "fault KIND", short: `Make requests go wrong; "fault none" ends it`,
		long: `Makes requests to the APIs go wrong from now on, replacing earlier faults. KIND is one of
` + strings.Join(names, ", ") + `;
or none. The sandbox's RULES.md says what each does.`,
		example: `qredo sandbox fault drop_answer --operation 'POST /company/{company_id}/transfer' --times 1
			qredo sandbox fault rate_limit --rate 0.2 --delay 1s
			qredo sandbox fault none`,
		flags: func(f *flagSet) {
			f.StringVar(&rule.Operation, "operation", "", "only this operation, as in POST /company/{company_id}/transfer")
			f.Float64Var(&rule.Rate, "rate", 1, "share of the requests: 0.2 is a fifth")
			f.IntVar(&rule.Times, "times", 0, "how often in total; 0 for no limit")
			f.DurationVar(&rule.Delay, "delay", 0, "how long, for delay and rate_limit")
			f.DurationVar(&rule.Skew, "skew", 0, "how far ahead the date is, for skewed_date")
			f.Uint64Var(&seed, "random-seed", 1, "the same seed makes the same choices")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			if args[0] == "none" {
				return a.done(c.SetFaults(ctx, seed), "nothing goes wrong any more")
			}
			if !slices.Contains(names, args[0]) {
				return usagef("KIND must be %s or none, not %q", strings.Join(names, ", "), args[0])
			}
			rule.Kind = sandbox.FaultKind(args[0])
			return a.done(c.SetFaults(ctx, seed, rule), "requests go wrong: %s", args[0])
		}),
	})
}

func (a *app) controlFeeds() *cobra.Command {
	counted := func(verb, short, done string, call func(*sandbox.Control, context.Context) (int, error)) *cobra.Command {
		return a.command(command{
			use: verb, short: short, long: short + ", and prints how many there were.", example: "qredo sandbox feeds " + verb,
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
				n, err := call(c, ctx)
				if err == nil && a.json() {
					return a.jsonLine(struct {
						Connections int `json:"connections"`
					}{n})
				}
				return a.done(err, done, n)
			}),
		})
	}
	return group("feeds", "Disturb the feeds", "Cuts, freezes, delays or duplicates what the WebSocket feeds send.", `
		qredo sandbox feeds drop
		qredo sandbox feeds delay 500ms`,
		counted("drop", "Cut all feed connections", "%d connections cut", (*sandbox.Control).DropFeeds),
		counted("freeze", "Stop all data on the feed connections, but leave them open", "%d connections frozen", (*sandbox.Control).FreezeFeeds),
		a.command(command{
			use: "delay DURATION", short: "Delay each message",
			long: "Delays each message of the feeds. 0s ends that.", example: "qredo sandbox feeds delay 500ms",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				by, err := time.ParseDuration(args[0])
				if err != nil || by < 0 {
					return usagef("DURATION must be a duration such as 500ms, not %q", args[0])
				}
				return a.done(c.DelayFeeds(ctx, by), "each message is delayed by %s", by)
			}),
		}),
		a.command(command{
			use: "duplicate ON", short: "Send each message twice, or stop doing so",
			long: "Sends each message of the feeds twice (on), or once again (off).", example: "qredo sandbox feeds duplicate on",
			run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
				if args[0] != "on" && args[0] != "off" {
					return usagef("ON must be on or off, not %q", args[0])
				}
				return a.done(c.DuplicateFeeds(ctx, args[0] == "on"), "messages are sent twice: %s", args[0])
			}),
		}),
	)
}
