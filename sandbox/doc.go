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
// A program in another process, or in another language, uses the same server with its own key
// ([WithKey]), and the control calls over HTTP: see [Control] and RULES.md.
//
// Qredo API v1 is served over the same companies, funds and money: see [Server.QAPIClient].
//
// What can go wrong between a program and the service can be made to: see [Sandbox.SetFaults] for requests,
// and [Sandbox.DropFeeds] and its neighbours for feeds. Time passes when a test says so: see [Sandbox.Advance].
//
// The errors of a [Sandbox]'s methods are what the service would answer: they match [qredo.ErrNotFound],
// [qredo.ErrConflict] and the like by [errors.Is]. Amounts are in base units, as everywhere.
//
// What the sandbox enforces, with the evidence for each rule, is listed in RULES.md beside this file.
package sandbox
