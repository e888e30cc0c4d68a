// Package approver votes on a core client's actions by rule: it watches the feed, fetches each action's
// details, asks a policy, writes down what it decided, and approves, rejects or leaves the action to
// humans.
//
//	rules, err := approver.LoadRules("rules.yaml")
//	store, err := approver.OpenStore("approver.db") // decisions and sums
//	defer store.Close()
//	log, err := approver.OpenAuditLog("audit.jsonl")
//	defer log.Close()
//	a, err := approver.New(client, coreClientID, rules, approver.WithStore(store), approver.WithAuditLog(log))
//	err = a.Run(ctx) // until ctx ends
//
// # Rules
//
// A rule file is YAML. The first rule whose expression is true decides; what none matches is left to
// humans:
//
//	rules:
//	  - name: blocked
//	    when: reference contains "STOP"
//	    then: reject
//	    reason: the reference says so      # the expression, unless given
//	  - name: payouts
//	    when: |
//	      type == "ApproveWithdraw" && asset == "BTC" && amount <= 5_000_000
//	      && whitelist_name startsWith "payout" && weekday not in ["Saturday", "Sunday"]
//	    then: approve                      # or reject, or leave
//	    limits:
//	      - {per: wallet, window: 24h, max_amount: 50_000_000, max_count: 40}
//	      - {per: recipient, window: 1h, max_count: 3}
//	    over_limit: leave                  # or reject; leave unless given
//
// Expressions are those of github.com/expr-lang/expr, checked for types when the file is loaded, with
// these names:
//
//	type                         of the action, as qredo.ActionType has it: "ApproveTransfer", …
//	asset                        "BTC"
//	amount, net_amount, fees     base units, 64 bits; amount is the other two together
//	recipient, recipient_name    an address, or the ID of a wallet; a name for the latter
//	whitelist_name               what the address is called on the whitelist; empty for transfers
//	initiator, initiator_name    who asked for it, if the service says so
//	reference, benefit_of        as given by who asked for it
//	wallet, fund, company        IDs of where it comes from; company is empty for withdrawals
//	hour, minute, weekday        UTC, when it is decided: 14, 30, "Monday"
//
// An amount includes the fees: a payment that was requested as 5,000,000 has the amount 5,005,000 where the fee is
// 5,000. net_amount is what was requested and arrives. A limit's max_amount includes fees too.
//
// The service's examples have company empty for withdrawals, and initiator and initiator_name always. What these
// must be, as in company == "…", then never holds: that is safe in a rule that approves, and in one that rejects
// or leaves it stops nothing. What they must not be, as in initiator != "…", then always holds. [Rules.Warnings]
// tells of such rules.
//
// ApproveSwap may come for the taker of a swap too, not ApproveSwapTake alone: a rule must not tell making from
// taking by the type only.
//
// What type and weekday are compared with must be among their values, so that a misspelled one does not stay
// unseen. A type that this version does not know is named as: type matches "^ApproveSomethingNew$".
//
// The functions are lower, upper and trim. Numbers are whole; a result beyond 64 bits is an error, which
// leaves the action to humans. A rule that approves matches what moves nothing, such as a wallet that asks
// to be connected, only if it names the type.
//
// A limit holds per asset, wallet or recipient, for its rule alone, over a rolling window (a duration such
// as 24h, 366 days at most). max_amount is of the action's amount, and counts each asset by itself;
// max_count counts actions. A transfer whose authorize_id names a core client that is in the custody group
// too asks it twice, by two actions, and counts twice. What was spent counts until it is as old as the
// window. An action that does not fit is not approved, and not counted. One that was approved stays counted
// even if the service refuses the vote in the end. Renaming a rule begins its limits anew.
//
// # What holds
//
//   - Nothing is decided on the feed's message alone, nor carried out on other details than it was decided
//     on.
//   - A decision and what it spends are stored in one step, before the audit log has it, and that is on the
//     disk before the vote is sent. After kill -9 at any point the next run carries out what is stored; it
//     decides nothing twice and forgets no sum.
//   - A vote is sent again after a failure that may pass (network, 408, 425, 429, 5xx), never after the
//     action has expired, and never after another 4xx. Only what is pending can be voted on, and the service
//     refuses anything else by 400, 404 or 409: also a vote that it has taken, whose answer was lost. After a
//     refusal the action is looked at once more, and the audit log says whether it had ended or the vote is
//     refused.
//   - An error of the policy leaves the action to humans, is logged, and is in the audit log. It is not
//     decided again, since somebody may have looked at it by then.
//
// Several replicas can work as one: see package redis in this directory, and [WithCoordinator].
//
// # Errors
//
// A rule file that is wrong is a [*RuleError] with its line, an audit log that was changed a [*LogError].
// [Approver.Run] returns nil when its context ends, and an error when it cannot go on: the audit log cannot
// be written, or the feed has given up. What goes wrong for the moment is tried again; what goes wrong with
// one action for good leaves it to humans. If it was decided by then, the audit log says so; else, say when
// the service does not show the action, only the log of [WithLogger] does.
//
// # Testing
//
// Package sandbox makes core clients and actions for a test: the example below is a whole program.
// [Approver.Explain] and [ParseRules] need no service but for the action's details.
//
// # Looking on
//
// [WithShadow] tries a policy without doing anything. [Approver.Explain] tells what would be decided about
// one action, and why. [VerifyLog] finds what was changed in an audit log.
package approver
