// Package outbox makes each payment exactly once, from programs that may crash at any moment.
//
// A program that asks for a transfer and then crashes, or loses the answer, does not know whether it has paid. With an outbox,
// you first store the payment under a key of your own, and a worker does the rest:
//
//	store, err := outbox.OpenStore("payments.db")
//	...
//	box, err := outbox.New(client, store)
//	...
//	entry, err := box.Enqueue(ctx, "invoice-17", outbox.Transfer{CompanyID: company, TransferRequest: request})
//	...
//	err = box.Run(ctx) // sends, finds out, follows, until ctx ends
//
// If the payment belongs to something that you book in PostgreSQL, such as a customer's debit, package postgres enqueues it in
// your own transaction: either both are stored or neither is.
//
// Once [Outbox.Enqueue] has returned, the payment is on disk. It is made once, no matter how often your program is killed and
// restarted, or calls Enqueue with that key. After a crash, simply enqueue everything again that may not have been stored.
//
// Amounts are whole base units, as in package qredo, and are what arrives: fees are charged to the wallet on top. This package
// does not convert amounts.
//
// # States
//
// An entry is [StatePending] until the service has named its transaction, and [StateSent] until that transaction has ended.
// Then it reaches one of these final states:
//
//   - [StateDone]: the transaction was approved and the money moved;
//   - [StateRejected]: people or the chain rejected it, and nothing moved;
//   - [StateExpired]: it was not approved in time, or not even sent in time, and nothing moved;
//   - [StateFailed]: the service refused the request, for example for lack of funds, so there is no transaction.
//
// An entry that a worker must not decide about is [StateHeld]: nothing happens to it until a person calls [Outbox.Resolve] or
// [Outbox.Retry]. An entry is held if
//
//   - the transaction that the service named does not match the request: it has another asset, amount, wallet, recipient or
//     reference. Give each payment a reference of its own; otherwise another program's transaction of the same amount to the
//     same recipient cannot be told apart from yours;
//   - the service repeatedly says that it does not know the transaction, or the transaction has not ended a day after it
//     expired;
//   - the outcome is unknown, and the outbox now uses a different API key than the one that sent the request: the service knows
//     a PartnerTxID only under the key that sent it, and would make a second transaction. Keys are compared by
//     [qredo.Client.APIKeyDigest], for which your own Authenticator needs a method;
//   - the stored entry was changed after it was written. It can never be sent again, not even by a person.
//
// To pay after all, enqueue a new payment under a new key.
//
// # Temporary refusals
//
// Most refusals by the service end the entry. After these it is sent again, with growing pauses, until it expires:
//
//   - 401, 403 and 407: the key, the clock or a proxy;
//   - 421, 425 and 429: the connection or the load;
//   - 400 with the word "locked": according to a 2020 page of the service, a wallet is locked while a withdrawal from it is
//     pending. Use sandbox.WithWithdrawalLock to test this.
//
// # Unknown outcomes
//
// An attempt may have made a transaction if its answer is lost, truncated or a server error, or does not name a transaction of
// its own. The same goes for an attempt during which the program crashed. The entry is then marked Unknown, and the request is
// sent again with the same PartnerTxID, for which the service makes at most one transaction, until an answer names it.
//
// A refusal is final, and the entry fails, only if no earlier attempt may have been carried out. After one that may have been,
// a refusal proves nothing: it may only be about the repeat. The entry stays pending and Unknown, and is tried again.
//
// The same applies if the request expires while its outcome is unknown. It is then sent again unchanged: a service that looks
// up the PartnerTxID first names the transaction; one that refuses expired requests tells us nothing. The outbox does not
// guess. It keeps asking, less and less often, and leaves the decision to a person, who looks in the app or the fund's ledger
// and records the result with [Outbox.Resolve], with the command qredo outbox, or on the page that [Handler] serves. To list
// these entries:
//
//	for entry, err := range box.List(ctx, outbox.Filter{Unknown: true}) { ... }
//
// A request that expires before the first attempt is not sent.
//
// # Clocks
//
// A machine's clock may be wrong for a while. An unsent entry ends as expired only if it is past its expiry by both the
// client's clock and the service's (as far as its answers have shown it), at every check during the longest pause of
// [WithBackoff]. An entry postponed further than any pause reaches was postponed by a wrong clock, and counts as due.
//
// # Growing backlogs
//
// Payments that were never sent go first, however much else is waiting; those sent before get a turn at each poll. Checking a
// transaction that has not changed stores nothing. Finished entries stay until [Outbox.Prune] archives and then removes them.
//
// # Errors
//
// [Outbox.Enqueue] returns a [*qredo.ValidationError] for a request that cannot be valid, and a [*KeyConflictError] for a key
// that already has a different payment. After any other error the payment may not have been stored: enqueue it again. Later
// failures are not returned by a call; they appear in the entry's steps and state. [Outbox.Run] ends with its context, or when
// the store is closed.
//
// # Testing
//
// Package sandbox plays the service in a test, and loses answers if you tell it to (sandbox.FaultDropAnswer). The example below
// is a complete program.
//
// # Several workers
//
// Run works on several entries at once, and may itself run several times: in one program or, with package postgres, in programs
// on several machines. A worker has an entry to itself for the length of a lease, measured by the programs' clocks, which
// should agree to within a few seconds. If they do not, or a worker is stuck for longer than its lease, two workers may send
// the same request. It has the same PartnerTxID, so the payment is still made only once. Whatever the slower worker reports
// afterwards is not stored.
package outbox
