// Package sandbox emulates the Qredo service, which has been shut down, so that you can run and test programs written for it.
// It checks real signatures, moves real balances, counts approvals, and expires transactions that are not approved in time.
//
// In a test, start a sandbox, use its client, and play the people and the chain through its methods:
//
//	srv, err := sandbox.Start()
//	...
//	defer srv.Close()
//	client := srv.Client()          // signs with a key that the sandbox made
//	srv.Deposit(address, 150000000) // as if it had come over the chain
//	srv.Approve("alice@example.com", string(txID))
//
// The example of [Start] is a complete program. [WithSeed] makes IDs and addresses the same in every run, [WithClock] and
// [Sandbox.Advance] control the time, and [WithStore] keeps the state on disk.
//
// # Money
//
// Amounts are whole base units, as in package qredo. Each movement debits one account and credits another, and is refused if
// there is too little: only Deposit adds money, and only withdrawals remove it. A transfer, withdrawal or swap costs a
// thousandth of its amount, rounded up.
//
// # Errors
//
// The methods that play the people and the chain return the errors that the service would answer with: use [errors.Is] with
// [qredo.ErrNotFound], [qredo.ErrConflict] and so on. A wrong option is a [*qredo.ValidationError]. [Sandbox.Explain] says why
// a signature is refused: which part of the signed text differs.
//
// # Other programs
//
// A program in another process, or in another language, uses the same server with its own key ([WithKey]) and makes control
// calls over HTTP: see [Control] and RULES.md.
//
// The sandbox serves Qredo API v1 with the same companies, funds and money: see [Server.QAPIClient].
//
// You can make requests fail in the ways they fail in practice with [Sandbox.SetFaults], and feeds with [Sandbox.DropFeeds] and
// related methods. Time passes when your test says so: see [Sandbox.Advance].
//
// [Sandbox.Approvals], [Sandbox.Company], [Sandbox.Wallet], [Sandbox.Transaction] and similar methods show what a person would
// look at: lists in pages, amounts as [Money].
//
// [Server.ConsoleURL] is a console where a person can see and do the same in a browser: see docs/console.md in the repository.
//
// RULES.md, beside this file, lists every rule that the sandbox enforces, with the evidence for each.
package sandbox
