// Package approver votes on a core client's actions by rule. It watches the feed, fetches each action's details, asks a policy,
// records the decision, and then approves, rejects or leaves the action to people.
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
// A rule file is YAML. The first rule whose expression is true decides; actions that no rule matches are left to people:
//
//	lists:
//	  payees: ["0x52908400098527886e0f7030069857d2e4169ee7", "bc1q…"]
//	rules:
//	  - name: blocked
//	    when: recipient == "0x00000000000000000000000000000000deadbeef"
//	    then: reject
//	    reason: the address is blocked     # default: the expression
//	  - name: payouts
//	    when: |
//	      type == "ApproveWithdraw" && fund == "FUND_ID" && recipient in payees && amount <= "0.05 BTC"
//	      && weekday not in ["Saturday", "Sunday"] && time in "08:00".."18:00"
//	    then: approve                      # or reject, or leave
//	    limits:
//	      - {per: wallet, window: 24h, max_amount: 0.5 BTC, max_count: 40}
//	      - {per: recipient, window: 1h, max_count: 3}
//	    over_limit: leave                  # or reject; default: leave
//
// An expression consists of comparisons, joined by && (and), || (or) and ! (not), in the syntax of github.com/expr-lang/expr.
// The letter in this table says who chooses the value, and so whom a rule trusts: A the one who asks for the action, O the
// other side, W the one who put the address on the whitelist, S the service, T this program's clock.
//
//	type                         A  of the action, one of qredo.ActionType: "ApproveTransfer", …
//	asset                        A  "BTC"
//	amount, net_amount           A  base units; amount is net_amount plus fees
//	fees                         S  base units
//	receive_asset                A  the asset that a swap brings in; O if somebody else's swap is taken
//	receive_amount               A  base units; O in the same case
//	value, chain                 A  of a Web3 payment: wei, and the chain's number; 1 is Ethereum
//	gas                          A  of a Web3 payment: the most that it may cost on top, in wei
//	method, data                 A  of a Web3 payment: "0xa9059cbb" ("" without data); all of the data
//	recipient                    A  an address, or the ID of a wallet; empty for swaps
//	recipient_name               O  the name of that wallet's holder
//	whitelist_name               W  the address's name on the whitelist; empty for transfers
//	whitelisted                  S  true if the address is on the whitelist, that is, if the service gives its name there
//	initiator, initiator_name    S  who asked for it, if the service says so
//	reference, benefit_of        A  texts for people
//	wallet, fund, company        A  IDs of where it comes from; company is empty for withdrawals
//	sweep                        S  true if a transfer may be a sweep: see below
//	hour, minute, weekday, time  T  UTC, at the time of the decision: 14, 30, "Monday", "14:30"
//
// Where it matters who is paid, compare addresses and IDs: names and references are whatever somebody else likes. A rule that
// rejects certain texts does not stop anyone who can choose a different one.
//
// Texts are compared with ==, !=, in, contains, startsWith, endsWith and matches (a pattern in quotes), numbers with ==, !=, <,
// <=, >, >= and in. The functions are lower, upper and trim; lower and upper change only the letters A to Z. Addresses that
// begin with 0x, and bech32 addresses, are compared without regard to case, in limits too. A bech32 address in mixed case is
// not an address, nor is one containing a character that only looks like one of its letters. Numbers are whole and exact, of
// any size, with +, -, * and %. time in "22:00".."06:00" is from 22:00 until just before 06:00; hour in 9..17 is from 9:00
// until 17:59. No other ranges are offered.
//
// An amount with its asset, as in amount <= "0.5 BTC", matches that asset only. The decimals of BTC and ETH, and of their test
// assets, are built in; the file gives those of other assets with decimals: {USDC: 6}. [Rules.CheckDecimals] compares them with
// the service's. The value of a payment can be compared in the same way, as in value <= "0.5 ETH": that means 18 decimals, and
// matches only on Ethereum and its test networks. A limit with max_amount: 0.5 BTC makes its rule one for BTC only.
//
// A list has a name, and is used as in recipient in payees. The values that type and weekday are compared with must exist, so
// that a misspelled one is noticed. A type that this version does not know must be in the file's list called types.
//
// An amount includes the fees: a payment requested as 5,000,000 has the amount 5,005,000 if the fee is 5,000. net_amount is
// what was requested and arrives. A limit's max_amount includes fees too.
//
// Values that an action does not have are missing: the amount of an action that moves nothing, such as a wallet that asks to be
// connected or a Web3 payment; values that only swaps or Web3 payments have; and values that the service leaves out. The asset,
// wallet, fund or recipient of something that moves is then missing, not an empty text. A condition on a missing value is
// false, and so is its negation. But if a rule that rejects or leaves uses a value that the service could give and does not,
// and the outcome of the rule depends on it, the action is left to people. The same happens, whatever the policy, if details
// contradict each other: the type and the txType, a transfer to an address or a withdrawal to a wallet, a swap that names a
// recipient or brings nothing, an amount where there should be none, a negative amount, or client data where there should be
// none or in two spellings. The reason says what contradicts what. Empty values contradict nothing.
//
// # What a rule can approve
//
// A rule that approves matches only what it names, sees and can count:
//
//   - It approves a type other than ApproveTransfer and ApproveWithdraw (swaps included) only if it names that type, with == or
//     in, in the branch that makes the expression true. type != "ApproveWithdraw" names none.
//   - It approves a transfer that may be a sweep only if it says so: with sweep, or sweep == true.
//   - If it compares amounts, or has limits of any kind, it approves nothing that comes without an amount. So no rule with
//     limits approves Web3 payments.
//   - If it has a limit in an asset, it approves no other asset.
//
// The taker of a swap may get ApproveSwap too, not only ApproveSwapTake: a rule must not distinguish making from taking by the
// type alone. What a swap brings in is known only if the service says so: otherwise, a rule that uses receive_amount leaves
// swaps to people.
//
// # Strangers
//
// Anyone who knows the ID of a core client can make it an approver of their own fund, or name it as the one that authorises
// their transfers, and can then ask it for whatever they like. What it approves there moves their money, not yours. But it
// counts towards the limits of a rule that does not check whose wallet it is, and can use them up. So have each rule that
// approves name the wallet, the fund or the company with == or in. There is a warning for each rule that does not, except for
// connections, whose wallet is not known in advance. A limit per wallet counts each wallet separately, but does not keep
// strangers out.
//
// # Sweeps
//
// A core client that is connected to a wallet may sweep it: anyone who has the API key can ask for that, the core client alone
// approves it, and the wallet's own custody group is not asked. A sweep has the type ApproveTransfer, and nothing in its
// details says that it is a sweep. So each transfer out of a wallet that is connected to the core client, or ever asked to be,
// may be one: even those that the owner of a dedicated wallet asks for, and that others approve too. The same goes for a
// transfer whose txType is not transferOut. Such a transfer is left to people unless a rule names it:
//
//	when: sweep && wallet in ["CUSTOMER_WALLET"] && recipient in ["OUR_WALLET"] && amount <= "0.5 BTC"
//
// The approver asks the service which wallets are connected ([qredo.CoreClientsService.ListWallets]), once per action, and only
// if the decision depends on it. Nothing is decided until there is an answer. Policies other than [Rules] call [MayBeSweep],
// and set the Sweep field of their [Decision] when an approval is meant for a sweep: otherwise the action is left to people.
// With pins, the pins must also say which wallet may be swept into which.
//
// # What is refused, and what is warned about
//
// A file is refused if a condition or a rule can never hold, such as hour > 22 && hour < 6. It is refused if it contains
// something that people cannot see or that looks like something else: invisible characters, letters beyond ASCII in compared
// texts (within an expression's quotes write \u00fc), anchors, aliases and tags. [LoadRules] also refuses it if others can
// write to it: see Errors.
//
// [Rules.Warnings] warns about
//
//   - conditions that always hold;
//   - rules that approve swaps, Web3 payments or sweeps without looking at what they bring in, what they do or where they go;
//   - rules that approve by a name or a reference and not by the recipient, or by an amount and not by its asset;
//   - rules that may approve for strangers, or approve everything;
//   - patterns that match anything;
//   - comparisons of company, initiator and initiator_name. In the service's examples company is empty for withdrawals, and the
//     other two always are: company == "…" then never holds, and company != "…" always does.
//
// # Limits
//
// A limit holds per asset, wallet or recipient, for its own rule only, over a rolling window (a duration such as 24h, at most
// 366 days). max_amount limits the sum of the actions' amounts, separately for each asset; max_count limits the number of
// actions. If the authorize_id of a transfer names a core client that is also in the custody group, the core client is asked
// twice, by two actions, and the transfer counts twice. What was spent counts until it is as old as the window. An action that
// exceeds a limit is neither approved nor counted. An approved action stays counted even if the service finally refuses the
// vote.
//
// A counter belongs to the rule's name, to what the limit is per, and to whether it is max_amount or max_count. So if you
// rename a rule, or change what a limit is per, counting starts again from zero, as for a new limit. If you change only the
// figure or the window, counting continues; what was spent is kept for twice the longest window that any replica's rules have
// had since the counter was last empty. [Approver.Reload] warns about limits that start from zero. At program start there is no
// such warning, because the earlier rules are not known.
//
// # What is guaranteed
//
//   - Nothing is decided on the feed's message alone, and no decision is carried out on details other than those it was made
//     on.
//   - A decision and what it spends are stored in one step, before the audit log is written; the log is on disk before the vote
//     is sent. After kill -9 at any point, the next run carries out what is stored; it decides nothing twice and forgets no
//     sum.
//   - Whoever can write to the store cannot make the approver approve: in a store with a sealing key ([WithSealingKey]), what
//     was written without the key is refused, and its action left to people. Without a key, a stored approval is carried out if
//     this replica's audit log has it, or if the policy approves now; otherwise the action is left to people, and the store
//     keeps the decision for the replica that made it. What limits have counted is believed without a key. Nothing notices that
//     a counter was deleted or put back.
//   - If reading an action or voting fails, it is retried with pauses, whatever the answer was: even after 401, 403, 404 and
//     other refusals, since what is missing may appear, and permissions may change. Retries end when the action expires or
//     turns out not to be pending. Each attempt begins by reading the action, so a vote whose answer was lost is noticed and
//     not sent again. Nothing is sent after the action has expired.
//   - A rejection signs nothing: the policy is asked, and its rejection sent, even if the messages that an approval would sign
//     are missing or cannot be signed. That holds back approvals only.
//   - If a voter cannot read actions (a signing agent without a client), a vote that may have been taken ends as "ended" if the
//     service itself says that the action is not pending, and otherwise as "unknown" when the action expires.
//   - Whether an action has expired is decided by the client's clock, which is corrected when the service refuses a stamp (but
//     not if requests carry nonces), and never by another replica's clock: if one replica has found that an action expired, the
//     others check for themselves.
//   - After the service takes a vote, the action is read again, since the answer names no action and may belong to an earlier
//     one. If the action is still pending, the vote is sent once more, and then counts as sent.
//   - Each action that arrives over the feed as pending gets a line in the audit log, even one that was never decided because
//     it had ended when first read, or could not be read until it expired. If a run ends before that, even by kill -9, the next
//     run with the same log finds the actions without a result and looks. The result is "sent" only if the store says so;
//     "ended" if the action is no longer pending, since nobody can tell whose vote ended it; and "unknown" if the service no
//     longer shows the action and a vote may have been sent.
//   - An undecided action is known to the next run by a line of kind [EntrySeen]. It is written when the first attempt has
//     failed or has taken a second, or when the run ends. So these actions get no line: one that arrived less than a second
//     before the program was killed, or some seconds before the machine lost power, was not decided by then, and ends before
//     the next run; one that came and went while no program ran; and one that another replica handled, whose log has it. What a
//     replica that never comes back has left open stays open in its log.
//   - [Approver.Reload] replaces what is in force (the policy, the pins, and shadow) all at once, while the approver keeps
//     running. If something does not load, nothing changes. When it returns, nothing is decided by the old policy any more, and
//     no vote is sent on the old pins. Decisions stored by then stand, and are carried out, maybe later; shadow holds them
//     back. [Approver.Shadow] is the emergency brake: it loads nothing, asks nobody and does not wait for a Reload.
//   - If the policy returns an error, panics, or takes too long ([WithPolicyTimeout]), the action is left to people, and this
//     is logged and written to the audit log. It is not decided again, since somebody may have looked at it by then. A policy
//     that is still running when the action expires, or the run ends, has decided nothing.
//   - Waiting for one action (a policy, a claim, the service) holds up others for at most a second, and an observer holds up
//     nothing.
//
// # Stores
//
// [OpenStore] keeps decisions, and what limits have counted, in a file for one program. For several replicas that work as one,
// use package redis or postgres in this directory, and [WithCoordinator]. In every store a decision takes the same time however
// many payments the window of its limit holds. What is outside every window is removed, and so are the counters of recipients
// who do not come back.
//
//   - A store refuses to open if its counts could be changed or forgotten: a file that others can write, a Redis server without
//     an append-only file that is synced at each write, or tables that belong to another role. The error says what to do.
//   - With a sealing key, decisions and counters are sealed: [WithSealingKey], and the options of the same name in packages
//     redis and postgres. A store of your own whose method Sealed() bool returns true promises the same.
//   - A store has an epoch ([Store]), and the audit log has a line with it. If these differ, because the store was emptied,
//     recreated or replaced, or if a server loses its memory while in use, the run ends with a [*LostError]. No run continues
//     until a person has accepted that limits start from zero: [AcceptLoss], or qredo agent accept-loss.
//   - A store that was restored to an earlier state, from a backup or by a failover to a server that lagged, still has the same
//     epoch. But the store numbers its decisions, and the audit log records the numbers. A store that is behind the log, or
//     behind what the program has seen during a run, causes the same error, no matter how long ago it was restored. Each
//     replica knows what it has itself decided, carried out or read, and how far the store had come when its log began or a
//     loss was accepted. So with a new audit log, or one that ends before the backup, it notices nothing; and if another
//     replica has since made as many new decisions in the store, it is noticed only for a day, by the action of the log's last
//     number. Stop all replicas before you restore a store, and accept the loss for each log that notices it.
//   - If a file is moved, removed, replaced or overwritten by a copy while it is open, you get an error that names it, and
//     nothing is stored in it. A change within the file goes unnoticed if the program that makes it ignores locks and leaves
//     the last commit as it is.
//   - Each store counts separately: three approvers, each with its own store, let through three times the limit. Approvers that
//     are meant to share a limit must share a store.
//   - A limit is only as right as its store's clock: the server's with packages redis and postgres, otherwise this machine's. A
//     clock that is ahead ends windows early by as much, and more gets through meanwhile. What is spent then is recorded at the
//     wrong time; once the clock is set back, new spending gets the time of the entry before it, so the limit is tighter until
//     that time has passed. Earlier spending then counts again, except for what was dropped in the meantime: it is kept for
//     twice the longest window, so only a clock that was ahead by more than a window loses any.
//
// # The audit log
//
// Each line says what was decided and what came of it, with the action's type, wallet, asset, amount and net amount (base
// units), recipient, the recipient's name on the whitelist, and reference, or what a swap receives and a Web3 payment pays: as
// the service gave them when the action was last read. It also has the digest of everything that the action asks for and, for a
// signing agent, of what it signs ([Record]), and the hashes of the rules and pins in force. [WithObserver] gets the same.
// [WithLogger] logs identifiers only. Keep the log where only people who may know about every payment can read it.
//
// Each line has the hash of the line before it, across all files of the log; a new file begins at 64 MiB ([WithRotation]). A
// file beside the log records how far it was verified, and which line was there. So opening the log takes the same time however
// long it is: only what comes after that line is read, and the sizes of earlier files are checked. [VerifyLog] reads all of it:
// run it from time to time, with [AuditFiles] and a head that you keep elsewhere ([WithHead]). Lines have a version; logs from
// before there were versions still verify, and can be continued.
//
// Nothing, logrotate included, may move, remove, truncate or write to the log's files while the log is open: if that happens,
// the run ends with an error that says what to do. Move full files that you no longer need only while the approver is stopped,
// and move the whole log together.
//
// # Pins
//
// A rule trusts the service about an address's name and about whether it is on the whitelist, and takes for granted who else
// must approve. [WithPins] does not: what people have agreed on is in a file that they sign. Anything that deviates from it is
// left to people instead of being approved, and the log says why. See [Pins], and qredo agent pins.
//
// # Errors
//
// A faulty rule file is a [*RuleError] with its line, an audit log that was changed is a [*LogError], pins without a valid
// signature are [ErrPinsNotSigned], and what has no seal in a sealed store is [ErrUnsealed]. Rules, pins, stores and audit logs
// that others could have written are refused, as OpenSSH does with key files, and the error gives the command that fixes it: the
// file, and each folder and symbolic link on the way to it, must belong to you or to root, and nobody else may have write
// permission, except for folders with the sticky bit. [WithInsecureFiles] accepts them anyway. On Windows permissions are not
// checked: they are access lists there, which Go does not read.
//
// [Approver.Run] returns nil when its context ends, and an error when it cannot go on: the audit log cannot be written, or the
// feed has given up. A failure with one action is retried until the action expires. Only a [*qredo.ValidationError], for what
// can never be right, leaves it to people at once. The audit log says so in each case.
//
// # Testing
//
// [Rules.Test], and the command qredo agent test, run rules on the cases in a file, without a service:
//
//	cases:
//	  - name: the third payout of the day is left to people
//	    at: 2026-03-04T12:30:00Z           # needed if the rules use the time
//	    action: {type: ApproveWithdraw, asset: BTC, amount: 0.5 BTC, recipient: bc1q…, wallet: W}
//	    before:                            # approved earlier: the same action, except for what is given here
//	      - {ago: 2h, amount: 0.2 BTC, times: 2}
//	    want: leave                        # the verdict
//	    rule: payouts                      # the rule that must decide; default: any
//
// A transfer is not a sweep unless the case says sweep: true.
//
// Package sandbox makes core clients and actions for a test: the example below is a complete program. [ParseRules] needs no
// service, and [Approver.Explain] needs it only for the action's details.
//
// # Trying and checking
//
// [WithShadow] tries out a policy without doing anything, and [Approver.Reload] ends that. [Approver.Explain] says what would
// be decided about one action, and why. [VerifyLog] finds changes to an audit log.
//
// [WithVoter] takes actions from elsewhere, and sends votes in another way: package signingagent, whose votes are signatures,
// works like this.
package approver
