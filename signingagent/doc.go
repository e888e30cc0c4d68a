// Package signingagent is a signing agent: a program that is a member of custody groups, holds its own keys, and approves by
// signing with them. It takes the place of Qredo's Signing Agent.
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
// The client signs with RSA, by the API key that the agent belongs to. What rules, limits, stores and replicas do says package
// [approver]. [Agent.Approve] and [Agent.Reject] vote without rules, as a person does.
//
// To an agent that runs as a program of its own, the old one or qredo signing-agent serve, talks [Client].
//
// # The identity
//
// A seed, and a token that the service has issued, make a program the agent that it is. A [Store] keeps them: [FileStore] in a file, sealed by
// a passphrase ([Passphrase]), by a key that can sign ([SignerKey]), or by a key management service, through [Sealer]. If the
// store is lost, so is the agent: keep a copy of the file where its passphrase is not. Replicas share one identity; give
// each a copy of the file.
//
// The old program's file is a Store too ([OpenOldStore]), and [Import] takes its agent over, so that custody groups stay as they are.
//
// # The PIN
//
// With [WithPIN] the token in the store is not all that it takes to prove to be the agent: the PIN is missing, and is not stored. Whoever
// has the token can try its 10,000 values against the service, so it delays a thief at best. Signatures do not need it.
// With a wrong PIN everything is refused ([qredo.ErrUnauthorized]), first of all the feed.
//
// # What holds
//
//   - A registration is not lost half way: see [Register]. No seed is left behind that is not the agent's.
//   - What is signed is read right before, and is what was there when the approver decided: a decision holds for the action's details and
//     the messages together, also in the next run and in other replicas. Messages that are missing, empty or not
//     hexadecimal are never signed.
//   - Each request has a proof of its own. No seed, token, PIN, passphrase or proof is in an error or a log line, nor printed.
//   - A store never writes over another agent. A file is written whole or not at all; one that others can read or
//     write is refused.
//
// # What does not
//
//   - Messages have no public form. That one says what the details say cannot be checked, so a service that shows a small payment, and
//     has the message of a large one signed, is not found out. Have other members of the group look with other means.
//   - Nor can the ID document be checked that a registration signs: register with a service that you trust.
//   - Without [WithClient] an agent knows no details: it approves all or nothing ([ApproveAll], [ApproveNone]), and the approver's log
//     says which at its start. That an action was ended by others it finds out when its vote is refused, or the action expires: that
//     there are no messages ends nothing before a vote, since they may come.
//   - A proof says who and when, not what: whoever sees a request can act as the agent for some minutes, but cannot sign. So
//     it can reject. Call the service by https alone.
//   - The keys are in this program's memory, and may be in a core dump or swap file.
//   - The identity is sealed with what FIPS 140 allows (it works with GODEBUG=fips140=only). The agent's own cryptography, BLS12-381
//     with old encodings, is in no standard.
//
// # Errors
//
// [ErrNoIdentity], [ErrIdentityExists], [ErrSealed] and [ErrDamaged] are about stores, [ErrBadMessages], [ErrMessagesChanged] and
// [ErrNoClient] about votes. What the service refuses is a [*qredo.Error]. docs/troubleshooting.md says what to do about each.
package signingagent
