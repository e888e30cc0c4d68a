// Package signingagent is a signing agent: a program that is a member of custody groups, holds its own keys, and approves by
// signing with them. It replaces Qredo's Signing Agent.
//
//	store := signingagent.NewFileStore("agent.json", signingagent.Passphrase(passphrase))
//	agent, err := signingagent.Register(ctx, client, store, "payouts") // once; agent.ID() is what custody groups name
//	agent, err = signingagent.Open(ctx, store, signingagent.WithClient(client)) // from then on
//
//	rules, err := approver.LoadRules("rules.yaml")
//	decisions, err := approver.OpenStore("approver.db")
//	defer decisions.Close()
//	log, err := approver.OpenAuditLog("audit.jsonl")
//	defer log.Close()
//	a, err := agent.NewApprover(rules, approver.WithStore(decisions), approver.WithAuditLog(log))
//	err = a.Run(ctx) // until ctx ends
//
// The client signs requests with RSA; the agent belongs to the client's API key. Package [approver] describes rules, limits,
// stores and replicas. [Agent.Approve] and [Agent.Reject] vote without rules, as a person would.
//
// [Client] talks to an agent that runs as a separate program: Qredo's own, or qredo signing-agent serve.
//
// # The identity
//
// An agent's identity is a seed, and a token issued by the service. A [Store] keeps both: [FileStore] keeps them in a file,
// encrypted with a passphrase ([Passphrase]), a key that can sign ([SignerKey]), or a key management service (through
// [Sealer]). If the store is lost, so is the agent: keep a copy of the file, separate from its passphrase. Replicas share one
// identity; give each a copy of the file.
//
// Qredo's own agent keeps its identity in a file that can serve as a Store too ([OpenOldStore]). [Import] takes that agent
// over, so that custody groups stay as they are.
//
// # The PIN
//
// With [WithPIN] the token in the store is not enough to authenticate as the agent: the PIN is needed too, and it is not
// stored. Anyone who has the token can try the 10,000 possible PINs against the service, so a PIN delays a thief at best.
// Signatures do not need it. With a wrong PIN every request is refused ([qredo.ErrUnauthorized]), starting with the feed.
//
// # What is guaranteed
//
//   - A registration is never lost halfway: see [Register]. No seed is left behind that does not belong to the agent.
//   - Messages are read immediately before they are signed, and are the same as when the approver decided: a decision covers
//     the action's details and the messages together, in later runs and in other replicas too. Missing, empty or
//     non-hexadecimal messages are never signed.
//   - Each request carries its own proof. No seed, token, PIN, passphrase or proof appears in an error, in a log line, or when
//     a value is printed.
//   - A store never overwrites another agent. A file is written completely or not at all; a file that others can read or write
//     is refused.
//
// # What is not guaranteed
//
//   - The format of messages is not public. Nothing can check that a message says what the details say, so a service that shows
//     a small payment and has the message of a large one signed goes undetected. Have other members of the group check by other
//     means.
//   - The ID document that a registration signs cannot be checked either: register only with a service that you trust.
//   - Without [WithClient] an agent sees no details: it can only approve everything or nothing ([ApproveAll], [ApproveNone]),
//     and the approver's log says which when it starts. It learns that others have ended an action only when its vote is
//     refused or the action expires. Missing messages do not end an action before a vote, since they may still come.
//   - A proof says who and when, but not what: anyone who sees a request can act as the agent for a few minutes. They cannot
//     sign, but they can reject. Call the service only over https.
//   - The keys are in this program's memory, and may end up in a core dump or swap file.
//   - The identity is encrypted with what FIPS 140 allows (it works with GODEBUG=fips140=only). The agent's own cryptography,
//     BLS12-381 with older encodings, is not covered by any standard.
//
// # Errors
//
// Stores return [ErrNoIdentity], [ErrIdentityExists], [ErrSealed] and [ErrDamaged]; votes return [ErrBadMessages],
// [ErrMessagesChanged] and [ErrNoClient]. A refusal by the service is a [*qredo.Error]. docs/troubleshooting.md says what to do
// about each.
package signingagent
