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
//	lists:
//	  payees: ["0x52908400098527886e0f7030069857d2e4169ee7", "bc1q…"]
//	rules:
//	  - name: blocked
//	    when: recipient == "0x00000000000000000000000000000000deadbeef"
//	    then: reject
//	    reason: the address is blocked     # the expression, unless given
//	  - name: payouts
//	    when: |
//	      type == "ApproveWithdraw" && fund == "FUND_ID" && recipient in payees && amount <= "0.05 BTC"
//	      && weekday not in ["Saturday", "Sunday"] && time in "08:00".."18:00"
//	    then: approve                      # or reject, or leave
//	    limits:
//	      - {per: wallet, window: 24h, max_amount: 0.5 BTC, max_count: 40}
//	      - {per: recipient, window: 1h, max_count: 3}
//	    over_limit: leave                  # or reject; leave unless given
//
// An expression is made of comparisons, joined by && (and), || (or) and ! (not), in the form of
// github.com/expr-lang/expr. The letter says who chooses what is compared, which is whom a rule trusts: A whoever
// asks for the action, O the other side, W whoever put the address on the whitelist, S the service, T the clock of
// this program.
//
//	type                         A  of the action, as qredo.ActionType has it: "ApproveTransfer", …
//	asset                        A  "BTC"
//	amount, net_amount           A  base units; amount is net amount and fees together
//	fees                         S  base units
//	receive_asset                A  what a swap brings for it; of a swap that is taken, its maker chooses (O)
//	receive_amount               A  base units; O likewise
//	value, chain                 A  of a Web3 payment: wei, and the chain's number; 1 is Ethereum
//	gas                          A  of a Web3 payment: wei that it may cost besides, at most
//	method, data                 A  of a Web3 payment: "0xa9059cbb", "" without data; all of it
//	recipient                    A  an address, or the ID of a wallet; empty for swaps
//	recipient_name               O  the name of who holds that wallet
//	whitelist_name               W  what the address is called on the whitelist; empty for transfers
//	whitelisted                  S  true if the address is on the whitelist, of which the service tells the name
//	initiator, initiator_name    S  who asked for it, if the service says so
//	reference, benefit_of        A  texts for people
//	wallet, fund, company        A  IDs of where it comes from; company is empty for withdrawals
//	sweep                        S  true if a transfer may be a sweep: see below
//	hour, minute, weekday, time  T  UTC, when it is decided: 14, 30, "Monday", "14:30"
//
// Compare addresses and IDs where it matters who is paid: names and references are what somebody else likes. Whoever
// chooses a text can also choose one that a rule which rejects does not know.
//
// Texts are compared with ==, !=, in, contains, startsWith, endsWith and matches (a pattern in quotes), numbers with ==,
// !=, <, <=, >, >= and in. The functions are lower, upper and trim. Addresses that begin with 0x, and those of bech32, are
// one however they are written, in limits too: where one is compared, capitals do not count. Bech32
// in capitals here and there is no address, and neither is one with a character that only looks like a letter of it. lower and upper
// change the letters A to Z only. Numbers are whole and
// exact, of any size, with +, -, * and %. time in "22:00".."06:00" is from 22:00 until before 06:00; hour in 9..17 is
// from 9:00 until 17:59. Other ranges are not offered.
//
// An amount with its asset, as in amount <= "0.5 BTC", holds for that asset only. The decimals of BTC and ETH, and of
// their test assets, are known; those of others the file says with decimals: {USDC: 6}. [Rules.CheckDecimals] holds them
// against the service's. The value of a payment is
// compared so too, as in value <= "0.5 ETH": that is 18 decimals, and holds on Ethereum and its test networks only. A
// limit with max_amount: 0.5 BTC makes its rule one for BTC only.
//
// A list has a name of its own, and is asked for as in recipient in payees. What type and weekday are compared with must
// be among their values, so that a misspelled one does not stay unseen. A type that this version does not know must stand in the
// file's list called types.
//
// An amount includes the fees: a payment that was requested as 5,000,000 has the amount 5,005,000 where the fee is
// 5,000. net_amount is what was requested and arrives. A limit's max_amount includes fees too.
//
// What an action does not have is missing: an amount of what moves none, such as a wallet that asks to be connected or a
// Web3 payment, what only swaps or Web3 payments have, and what the service does not say: asset, wallet, fund or recipient of what
// moves are not empty texts. A condition on it does not hold,
// and does not hold if it is negated either. But where a rule that rejects or leaves asks for what the service could say
// and does not, and it depends on that whether it matches, the action is left to humans. So it is, whatever the
// policy, if details contradict each other: the type and the txType, a transfer to an address or a withdrawal to a wallet, a swap that
// names a recipient or brings nothing, an amount of what has none, one that is negative, client data where there is none, or in two
// spellings. The reason says what contradicts what. What is left empty contradicts nothing.
//
// # What a rule can approve
//
// A rule that approves matches only what it names, sees and can count:
//
//   - Types other than ApproveTransfer and ApproveWithdraw, swaps included, only if it names the type: with == or in, in
//     the way in which the expression is true. type != "ApproveWithdraw" names none.
//   - A transfer that may be a sweep only if it names that: with sweep, or sweep == true.
//   - If it compares amounts, or has limits of any kind, nothing that comes without an amount. So no rule with limits
//     approves Web3 payments.
//   - If a limit is in an asset, nothing of another asset.
//
// ApproveSwap may come for the taker of a swap too, not ApproveSwapTake alone: a rule must not tell making from
// taking by the type only. What a swap brings is known only if the service says so: without that, a rule that asks for
// receive_amount leaves swaps to humans.
//
// # Who can ask
//
// Whoever knows the ID of a core client can make it an approver of a fund of their own, or name it as the one that authorises their
// transfers, and then asks it for what they like. What it approves there moves what is theirs. But it counts in limits of a rule that
// does not look at whose it is, and then nothing is left of them for others. So let each rule that approves say the wallet, the
// fund or the company with == or in: there is a warning for each that does not, but for connections, whose wallet is not known before.
// The limit per wallet counts each by itself, but does not keep strangers out.
//
// # Sweeps
//
// A core client that is connected to a wallet may sweep it: whoever has the API key asks for that, the core client approves it alone,
// and the wallet's own custody group is not asked. A sweep has the type ApproveTransfer, and nothing in its details says what it is. So
// each transfer out of a wallet that is connected to the core client, or ever asked to be, may be one: also those that the owner of a
// dedicated wallet asks for, and that others approve too. The same holds of a transfer whose txType is another than transferOut. Such a
// transfer is left to humans but where a rule names it:
//
//	when: sweep && wallet in ["CUSTOMER_WALLET"] && recipient in ["OUR_WALLET"] && amount <= "0.5 BTC"
//
// Which wallets are connected the approver asks the service ([qredo.CoreClientsService.ListWallets]), once for an action, and only where it
// depends on that what is decided. As long as there is no answer nothing is decided. Other policies than [Rules] ask [MayBeSweep], and say
// with [Decision] Sweep that an approval is meant for a sweep: without that, it is left. With pins, it must be pinned besides which wallet may
// be swept into which.
//
// # What is refused, and what is warned of
//
// A file is refused if a condition, or a rule, can never hold, as hour > 22 && hour < 6; if something in it is not seen
// by people, or looks like something else: characters without a picture, letters beyond ASCII in what is compared
// (within an expression's quotes write \u00fc), anchors, aliases and tags; and, by [LoadRules], if others can write to it: see below.
//
// [Rules.Warnings] tells of conditions that always hold, of rules that approve swaps, Web3 payments or sweeps and do not look at
// what they bring or do, or where they go, of those that approve by a name or a reference and not by the recipient, or by an amount and not by
// its asset, of those that may approve for strangers, or everything, of patterns that match whatever comes, and of comparisons of company, initiator and initiator_name. The service's examples have company empty for withdrawals, and the other two
// always: what these must be, as in company == "…", then never holds, and what they must not be always does.
//
// # Limits
//
// A limit holds per asset, wallet or recipient, for its rule alone, over a rolling window (a duration such
// as 24h, 366 days at most). max_amount is of the action's amount, and counts each asset by itself;
// max_count counts actions. A transfer whose authorize_id names a core client that is in the custody group
// too asks it twice, by two actions, and counts twice. What was spent counts until it is as old as the
// window. An action that does not fit is not approved, and not counted. One that was approved stays counted
// even if the service refuses the vote in the end.
//
// What is counted belongs to the rule's name, to what the limit is per, and to whether it is max_amount or max_count. So
// renaming a rule, or giving a limit another per, begins its counting anew, from nothing, as for a limit that is added. Another figure or
// window goes on with what was counted; what was spent is kept for twice the longest window that there was since the counter last held
// nothing, also by another replica's rules. [Approver.Reload] warns of limits that begin anew. At a start nothing warns: the
// rules of before are not known then.
//
// # What holds
//
//   - Nothing is decided on the feed's message alone, nor carried out on other details than it was decided
//     on.
//   - A decision and what it spends are stored in one step, before the audit log has it, and that is on the
//     disk before the vote is sent. After kill -9 at any point the next run carries out what is stored; it
//     decides nothing twice and forgets no sum.
//   - A look or a vote that fails is tried again, with pauses, whatever the answer was: also after 401, 403, 404
//     and other refusals, since what is missing may come and what is not permitted may become so. That ends when
//     the action expires, or is seen not to be pending. Each attempt begins with a look, so that a vote whose
//     answer was lost is seen, and not sent again. Nothing is sent after the action has expired.
//   - A rejection signs nothing: the policy is asked, and its rejection sent, also where what an approval would sign is missing or cannot be signed.
//     That holds back approvals alone.
//   - Where a voter can look at no action (a signing agent without a client), a vote that may have been taken ends as "ended" if the service
//     itself says that the action is not pending, and else as "unknown" when it expires.
//   - Whether an action has expired is held against the clock of the client, which the service corrects where it
//     refuses a stamp (not where requests carry nonces), and never against that of another replica: where one has
//     found that an action expired, the others look for themselves.
//   - A vote that the service took is followed by a look, since the answer names no action and may be an earlier
//     one's. If the action is pending still, the vote is sent once more, and counts as sent then.
//   - Each action that comes over the feed as pending ends with a line in the audit log, also one that was never
//     decided: because it had ended at the first look, or could not be looked at until it expired. A run that ends before that, also by
//     kill -9, leaves it to the next one with the same log: that finds in the log what has no result, and looks. The result is
//     "sent" only where the store has it; where the action is not pending any more it is "ended", since nobody can tell
//     by whose vote, and "unknown" where the service does not show the action any more and a vote may have been sent.
//   - An action that was not decided is known to the next run by a line of kind [EntrySeen]. It is written when the
//     first attempt has failed, has taken a second, or the run ends. So what is not known is an action of which a
//     program was told less than a second before it was killed, or a machine less than some seconds before its power went, which it had not decided by then, and
//     which ends before the next run: it has no line. Nor has one that came and went while no program ran, or that another
//     replica dealt with: its log has it. What a replica that does not come back has left open stays so in its log.
//   - What is in force changes as a whole, by [Approver.Reload], while all goes on: the policy, what is pinned, and
//     shadow. What does not load changes nothing. When it returns, nothing is decided by what was in force before any more, and
//     no vote is sent on its pins. What is stored as decided by then stays so: it is carried out, maybe later. Shadow holds that back.
//     [Approver.Shadow] is the brake: it loads nothing, asks nobody and waits for no Reload.
//   - An error or a panic of the policy leaves the action to humans, is logged, and is in the audit log. So does one that takes too long
//     ([WithPolicyTimeout]). It is not decided again, since somebody may have looked at it by then. A policy that is still asked when
//     the action expires, or the run ends, has decided nothing.
//   - What waits for one action (a policy, a claim, the service) holds up others for a second at most, and an observer holds up nothing.
//
// # Stores
//
// [OpenStore] keeps decisions, and what limits have counted, in a file for one program. Several replicas work as one with
// packages redis or postgres in this directory, and [WithCoordinator]. In each store a decision takes the same time however
// many payments the window of its limit holds, and what no window holds any more goes, with the counters of recipients who
// do not come back.
//
//   - Stores refuse to open where what they have counted could be changed or forgotten: a file that others can
//     write, a Redis server that keeps no append-only file synced at each write, tables of another role. They say what to do.
//   - A store has an epoch ([Store]), and the audit log has a line with it. Where these two differ, since the store was emptied, made
//     anew or is another one, or where a server loses its memory while it is in use, the run ends with a [*LostError], and none goes on
//     until a person has accepted that limits begin anew: [AcceptLoss], qredo agent accept-loss.
//   - A store that was put back to an earlier state, from a backup or by a failover to a server that lagged, has the epoch of
//     then. It numbers its decisions, and the audit log has these numbers: one that has not come as far as the log knows, or
//     during a run as far as the program has seen, is the same error, however long ago that was. Each replica knows what it has
//     decided, carried out or looked at itself, and how far the store had come when its log began, or a loss was accepted: with a new audit
//     log, or one that ends before the backup, it notices nothing, and a
//     store in which another has decided as much anew is noticed only for a day, by the action of the log's last number. So stop all
//     replicas before a store is put back, and accept the loss for each log that notices it.
//   - A file that was moved, removed, replaced, or written over by a copy while it is open is an error that names it, and nothing
//     is stored in it. Not seen is a change within the file by a program that heeds no lock and leaves the last commit as it is.
//   - Each store counts for itself: three approvers with a store of their own let three times the limit pass. Those that are to have one
//     limit must have one store.
//   - A limit is as right as the clock of its store: the server's with packages redis and postgres, else this machine's. A
//     clock that is ahead ends windows as much before their time, and more passes while it is. What is spent then has that time; once the
//     clock is set back, what is spent has the time of the entry before it, so that the limit is tighter until that time has
//     passed. What was spent before counts again then, but for what was dropped meanwhile: it is kept for twice the
//     longest window, so that only a clock that was ahead by more than a window loses some.
//
// # The audit log
//
// A line has what was decided and what became of it, with the action's type, wallet, asset, amount and net amount (base
// units), recipient, its name on the whitelist, and reference, or what a swap receives and a Web3 payment pays: as the
// service said at the last look. Besides there are the digest of all that the action asks for and, of a signing agent, of what it signs ([Record]), and the hashes of the rules and
// pins that were in force. [WithObserver] gets the same. What [WithLogger] logs has identifiers only. Keep the log where only
// those can read it who may know all payments.
//
// Each line has the hash of the one before, over all files of the log: at 64 MiB ([WithRotation]) the next one begins.
// How far the log was verified, and which line was there, stands in a file beside it, so that opening it costs the same
// however long it is: what comes after that is read, and the sizes of the files before. What has not been read again is
// [VerifyLog]'s, which reads all of it: have it run from time to time, with [AuditFiles] and a head that is kept
// elsewhere ([WithHead]). Lines have a version; logs from before there was one verify, and are gone on with.
//
// Nothing may move, remove, cut or write the log's files while it is open, logrotate included: the run ends with an error then,
// and says what to do. Move files that are full and not needed any more only with the approver stopped, and all of the log together.
//
// # Pins
//
// A rule believes the service what an address is called and that it is on the whitelist, and takes it for granted who else
// must approve. [WithPins] does not: what people have agreed on stands in a file that they sign, and what is to be
// approved and is not so is left to them, with a line that says why. See [Pins], and qredo agent pins.
//
// # Errors
//
// A rule file that is wrong is a [*RuleError] with its line, an audit log that was changed a [*LogError], pins that are
// not signed are [ErrPinsNotSigned]. Rules, pins, stores and audit logs that others could have written are refused, with the
// command that changes it, as OpenSSH does with the files of keys: the file, and each folder and symbolic link on the way
// to it, must belong to the user or to root, and nobody else may write to it; but for folders with the sticky bit.
// [WithInsecureFiles] takes them all the same. On Windows permissions are not looked at: they are lists there, which Go does not read.
//
// [Approver.Run] returns nil when its context ends, and an error when it cannot go on: the audit log cannot
// be written, or the feed has given up. What goes wrong with one action is tried again until it expires. Only what
// cannot be right, a [*qredo.ValidationError], leaves it to humans at once. The audit log says so in each case.
//
// # Testing
//
// [Rules.Test], and the command qredo agent test, ask rules about the cases of a file, without a service:
//
//	cases:
//	  - name: the third payout of the day is left to people
//	    at: 2026-03-04T12:30:00Z           # needed if the rules ask for the time
//	    action: {type: ApproveWithdraw, asset: BTC, amount: 0.5 BTC, recipient: bc1q…, wallet: W}
//	    before:                            # what was approved: the same action, but for what is said here
//	      - {ago: 2h, amount: 0.2 BTC, times: 2}
//	    want: leave                        # the verdict
//	    rule: payouts                      # that is to decide; any if it is left out
//
// A transfer is no sweep unless the case says sweep: true.
//
// Package sandbox makes core clients and actions for a test: the example below is a whole program.
// [Approver.Explain] and [ParseRules] need no service but for the action's details.
//
// # Looking on
//
// [WithVoter] has actions come from elsewhere, and votes sent otherwise: so works package signingagent, whose votes are signatures.
//
// [WithShadow] tries a policy without doing anything, and [Approver.Reload] ends that. [Approver.Explain] tells what would be decided about
// one action, and why. [VerifyLog] finds what was changed in an audit log.
package approver
