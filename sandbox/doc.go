// Package sandbox emulates the retired Qredo service, so that programs written for it can be run and
// tested: it checks real signatures, moves real balances, counts approvals, and expires what is not
// approved in time.
//
// In a test, start one, use its client, and play the people and the chain through its methods:
//
//	srv, err := sandbox.Start()
//	...
//	defer srv.Close()
//	client := srv.Client()          // signs with a key that the sandbox made
//	srv.Deposit(address, 150000000) // as if it had come over the chain
//	srv.Approve("alice@example.com", string(txID))
//
// The example of [Start] is a whole program. [WithSeed] gives the same IDs and addresses in each run,
// [WithClock] and [Sandbox.Advance] say what time it is, [WithStore] keeps the state on disk.
//
// # Money
//
// Amounts are whole base units, as in package qredo. Each move names the account that it debits and the one
// that it credits, and does not happen if there is too little: nothing is made or lost but by Deposit and
// by withdrawals. A transfer, withdrawal or swap costs a thousandth of its amount, rounded up.
//
// # Errors
//
// The methods that play the people and the chain return what the service would answer: their errors match
// [qredo.ErrNotFound], [qredo.ErrConflict] and the like by [errors.Is]. A wrong option is a
// [*qredo.ValidationError]. [Sandbox.Explain] tells why a signature is refused: which part of the signed
// text differs.
//
// # Other programs
//
// A program in another process, or in another language, uses the same server with its own key
// ([WithKey]), and the control calls over HTTP: see [Control] and RULES.md.
//
// Qredo API v1 is served over the same companies, funds and money: see [Server.QAPIClient].
//
// What can go wrong between a program and the service can be made to: see [Sandbox.SetFaults] for requests,
// and [Sandbox.DropFeeds] and its neighbours for feeds. Time passes when a test says so: see [Sandbox.Advance].
//
// What people would look at tell [Sandbox.Approvals], [Sandbox.Company], [Sandbox.Wallet], [Sandbox.Transaction] and their
// neighbours, in lists of pages, with amounts as [Money].
//
// A person sees and does the same in a browser: [Server.ConsoleURL], and docs/console.md in the repository.
//
// What the sandbox enforces, with the evidence for each rule, is listed in RULES.md beside this file.
package sandbox
