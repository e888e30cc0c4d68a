package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) agentCommands() *cobra.Command {
	return group("agent", "Programs that approve: core clients",
		`A core client is a program that approves. Its ID works as a trusted party's address and as an approver. "run"
approves by the rules in a policy file.`, `
		qredo agent create Payouts
		qredo agent actions CLIENT_ID
		qredo agent run CLIENT_ID --policy policy.yaml --shadow`,
		a.command(command{
			use: "list", short: "List the core clients",
			long:    "Lists all core clients of the API key.",
			example: "qredo agent list",
			run: a.withClient(func(ctx context.Context, c partnerCall) error {
				return a.list(found(c.CoreClients.List(ctx)))
			}),
		}),
		a.command(command{
			use: "create NAME", short: "Create a core client",
			long:    "Creates a core client and prints its ID.",
			example: "qredo agent create Payouts",
			run:     a.withClient(func(ctx context.Context, c partnerCall) error { return a.show(c.CoreClients.Create(ctx, c.args[0])) }),
		}),
		a.agentActions(),
		a.command(command{
			use: "action CLIENT_ID ACTION_ID", short: "Show what would be approved",
			long:    "Shows an action with its details: what moves, from where and to whom.",
			example: "qredo agent action CLIENT_ID ACTION_ID",
			run: a.withAgent(func(ctx context.Context, c partnerCall) error {
				return a.show(c.CoreClients.GetAction(ctx, c.agent, qredo.ActionID(c.args[1])))
			}),
		}),
		a.agentVote("approve", "Approve an action", (*qredo.CoreClientsService).Approve, qredo.ApprovalApproved),
		a.agentVote("reject", "Reject an action", (*qredo.CoreClientsService).Reject, qredo.ApprovalRejected),
		a.command(command{
			use: "wallets CLIENT_ID", short: "List the wallets that are connected to a core client",
			long:    "Lists the wallets that are connected to a core client, or have asked to be.",
			example: "qredo agent wallets CLIENT_ID",
			run: a.withAgent(func(ctx context.Context, c partnerCall) error {
				wallets := found(c.CoreClients.ListWallets(ctx, c.agent))
				return a.list(wallets)
			}),
		}),
		a.agentFeed(),
		a.sweepCommands(),
		a.command(command{
			use: "sign CLIENT_ID HASH_HEX", short: "Have a hash signed with a core client's key",
			long:    "Has the service sign a hash, in hexadecimal, with a core client's key.",
			example: "qredo agent sign CLIENT_ID 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
			run: a.withAgent(func(ctx context.Context, c partnerCall) error {
				return a.show(c.CoreClients.Sign(ctx, c.agent, c.args[1]))
			}),
		}),
		a.command(command{
			use: "verify SIGNER_ID HASH_HEX SIGNATURE_HEX", short: "Check a core client's signature",
			long:    "Asks the service whether a core client made this signature over a hash. A wrong signature is refused.",
			example: "qredo agent verify CLIENT_ID HASH_HEX SIGNATURE_HEX",
			run: a.withAgent(func(ctx context.Context, c partnerCall) error {
				err := c.CoreClients.Verify(ctx, qredo.VerifyRequest{
					SignerID: c.agent, MessageHashHex: c.args[1], SignatureHex: c.args[2],
				})
				return a.done(err, "the signature is right")
			}),
		}),
		a.agentRun(), a.agentAcceptLoss(), a.agentSeal(), a.agentExplain(), a.agentTest(), a.agentVerifyLog(), a.pinCommands(),
	)
}

func (a *app) agentActions() *cobra.Command {
	var status string
	return a.command(command{
		use: "actions CLIENT_ID", short: "List the actions that wait for a core client's approval",
		long: `Lists the pending actions that a core client is asked to approve. Actions that were decided or have ended are not
listed: use "qredo agent action" with their ID.`,
		example: "qredo agent actions CLIENT_ID",
		flags: func(f *flagSet) {
			f.StringVar(&status, "status", "", "only actions in this state: pending, approved, rejected or expired (a service may list pending ones only)")
		},
		run: a.withAgent(func(ctx context.Context, c partnerCall) error {
			actions, err := c.CoreClients.ListActions(ctx, c.agent)
			others := func(action qredo.Action) bool { return status != "" && string(action.Status) != status }
			return a.list(found(slices.DeleteFunc(actions, others), err))
		}),
	})
}

type voteFunc func(*qredo.CoreClientsService, context.Context, qredo.CoreClientID, qredo.ActionID, ...qredo.CallOption) error

func (a *app) agentVote(verb, short string, vote voteFunc, decided qredo.ApprovalStatus) *cobra.Command {
	return a.command(command{
		use: verb + " CLIENT_ID ACTION_ID", short: short,
		long: short + ` as a core client. The action's details are shown on standard error. Only a pending action can be decided. If the
vote is refused, the error says what state the action is in now; that may be the result of this core client's own vote,
if its answer was lost. After a vote the action is read again: if it is still pending, the vote is sent once more.`,
		example: "qredo agent " + verb + " CLIENT_ID ACTION_ID",
		run: a.withAgent(func(ctx context.Context, c partnerCall) error {
			id, actionID := c.agent, qredo.ActionID(c.args[1])
			action, err := c.CoreClients.GetAction(ctx, id, actionID)
			if err != nil {
				return err
			}
			fmt.Fprintln(a.err, a.about(action))
			err = vote(c.CoreClients, ctx, id, actionID)
			if err == nil { // the answer names no action, and may be that of an earlier request
				if now, lookErr := c.CoreClients.GetAction(ctx, id, actionID); lookErr == nil && now.Status == qredo.ApprovalPending {
					err = vote(c.CoreClients, ctx, id, actionID)
				}
			}
			if errors.Is(err, qredo.ErrOutcomeUnknown) {
				switch now, lookErr := c.CoreClients.GetAction(ctx, id, actionID); {
				case lookErr != nil || now.Status == qredo.ApprovalPending: // the vote may be on its way
				case now.Status == decided && action.Status == qredo.ApprovalPending:
					err = nil
				default: // it was decided before, or has ended: that is known
					err = conflictf("%v; the action is %s", err, now.Status)
				}
			}
			return a.done(err, "%s: %s", verb, plain(c.args[1]))
		}),
	})
}

// about says in one line what approving an action would allow.
func (a *app) about(action *qredo.Action) string {
	d := action.Details
	if d == nil {
		return plain(fmt.Sprintf("%s %s, %s", action.Type, action.ID, action.Status))
	}
	if w := d.Wallet; w != nil {
		return plain(fmt.Sprintf("%s: wallet %s (%s) asks to be connected, for %v, %s", action.Type, w.ID, w.Asset, d.ClientData, action.Status))
	}
	what, to := a.figure(d.Amount, d.Asset), cmp.Or(d.RecipientAddress, d.RecipientID)
	if instead := moved(reflect.ValueOf(*d)); instead != "" {
		what = "amount " + instead
	}
	if d.Receive != nil {
		what += " for " + a.figure(d.Receive.Amount, d.Receive.Asset)
	}
	return plain(fmt.Sprintf("%s: %s from wallet %s to %s, %s, %s", action.Type, what, d.WalletID, to, d.Reference, action.Status))
}

func (a *app) agentFeed() *cobra.Command {
	var count int
	return a.command(command{
		use: "feed CLIENT_ID", short: "Follow the actions that a core client is asked to approve",
		long:    "Prints the actions of a core client as they arrive, each once, starting with the pending ones. Stop it with Ctrl-C.",
		example: "qredo agent feed CLIENT_ID --output json",
		flags:   func(f *flagSet) { f.IntVar(&count, "count", 0, "stop after this many actions; 0 for no limit") },
		run: a.withAgent(func(ctx context.Context, c partnerCall) error {
			if err := a.checkAgent(ctx, c.Client, c.agent); err != nil {
				return err
			}
			return printFeed(ctx, a, c.CoreClients.Feed(ctx, c.agent), count, "timestamp type status id expireTime")
		}),
	})
}

// checkAgent checks that a core client exists before its feed is followed: the feed would keep asking for an unknown
// one. If the service does not answer yet, the feed waits for it. If an element of the list cannot be read, the feed
// skips it.
func (a *app) checkAgent(ctx context.Context, client *qredo.Client, id qredo.CoreClientID) error {
	var (
		answer qredo.Response
		list   struct {
			Actions []json.RawMessage `json:"actions"`
		}
	)
	_, err := client.CoreClients.ListActions(ctx, id, qredo.WithResponse(&answer))
	switch {
	case errors.Is(err, qredo.ErrBadAnswer) && qredo.Unmarshal(answer.Body, &list) == nil && list.Actions != nil:
		return nil
	case errors.Is(err, qredo.ErrNotFound):
		return notFoundf("no core client %s; see qredo agent list", plain(string(id)))
	case errors.As(err, new(*url.Error)), errors.Is(err, qredo.ErrServer), errors.Is(err, qredo.ErrRateLimited):
		return nil
	}
	return err
}
