// Package outbox sends money once, from programs that may die at any moment.
//
// A program that asks for a transfer and dies, or whose answer is lost, does not know whether it has paid.
// Here it stores what it wants to pay first, under a key of its own, and a worker does the rest:
//
//	store, err := outbox.OpenStore("payments.db")
//	...
//	box, err := outbox.New(client, store)
//	...
//	entry, err := box.Enqueue(ctx, "invoice-17", outbox.Transfer{CompanyID: company, TransferRequest: request})
//	...
//	err = box.Run(ctx) // sends, finds out, follows, until ctx ends
//
// Where the payment belongs to something that the program books in PostgreSQL, such as a customer's debit, package postgres
// enqueues it in the program's own transaction: both are there, or neither.
//
// When [Outbox.Enqueue] returns, the payment is on the disk. It is made once, however often the program is
// killed and started again, and however often it calls Enqueue with that key: after a crash, enqueue
// everything again that may not have been stored.
//
// Amounts are whole base units, as in package qredo, and what arrives: the fee leaves the wallet besides. Nothing here
// converts them.
//
// # States
//
// An entry is [StatePending] until the service has named its transaction, then [StateSent] until that has
// ended, and then for good one of:
//
//   - [StateDone]: the transaction was approved and the money moved;
//   - [StateRejected]: it was rejected by people or the chain, nothing moved;
//   - [StateExpired]: it was not approved in time, or not even sent in time, nothing moved;
//   - [StateFailed]: the service refused the request, say for want of money, so that there is no transaction.
//
// An entry that a worker must not decide about is [StateHeld]: nothing happens to it until a person calls
// [Outbox.Resolve] or [Outbox.Retry]. That is so where
//
//   - the transaction that the service named moves something else than was asked for: another asset, amount,
//     wallet, recipient or reference. Give each payment a reference of its own: without, a transaction of another program
//     to the same recipient and of the same amount cannot be told apart;
//   - the service says again and again that it does not know the transaction, or that has not ended a day after it expired;
//   - the outcome is unknown, and the outbox now has another API key than the request was sent with: the service
//     knows a PartnerTxID under its own key only, and would make a second transaction. Keys are told apart by
//     [qredo.Client.APIKeyDigest], which an Authenticator of your own needs a method for;
//   - the stored entry was changed since it was written. It cannot be sent any more, not even by a person.
//
// To pay after all, enqueue a new payment under a new key.
//
// # Refusals that may pass
//
// Most refusals of the service end the entry. After these it is sent again, with growing pauses, until it expires:
//
//   - 401, 403 and 407: the key, the clock or a proxy;
//   - 421, 425 and 429: the connection or the load;
//   - 400 with "locked" as a word: a page of the service's of 2020 says that a wallet is locked while a withdrawal
//     from it waits. sandbox.WithWithdrawalLock lets a test see it.
//
// # Unknown outcomes
//
// An attempt whose answer is lost, cut, a fault of the service, or does not name a transaction of its own may have
// made one. So may an attempt that the program did not live to see the end of. The entry then says so
// (Unknown), and the request is sent again with the same PartnerTxID, for which the service makes one
// transaction at most, until an answer names it.
//
// A refusal counts, and the entry fails, only while no attempt before it may have been carried out. After
// one that may, a refusal proves nothing: it may be about the repeat. The entry stays pending and Unknown,
// and is tried again.
//
// So too when the request expires while its outcome is unknown. It is then sent again as it was: a service
// that looks for the PartnerTxID first names the transaction, and one that refuses what has expired
// says nothing. The outbox does not guess. It goes on asking, ever more seldom, and leaves the decision to a
// person, who finds out in the app or the fund's ledger and says so with [Outbox.Resolve], with the command
// qredo outbox, or on the page that [Handler] serves. List them:
//
//	for entry, err := range box.List(ctx, outbox.Filter{Unknown: true}) { ... }
//
// A request that expires before any attempt was made is not sent.
//
// # Clocks
//
// A machine's clock may be wrong for a while. What was not sent ends as expired only if both the client's clock and the
// service's, as far as its answers have told, are past its expiry, each time that they are looked at for as long as the longest
// pause of [WithBackoff]. What was put off to a time that no pause reaches was put off by a wrong clock, and is due.
//
// # Growing
//
// What was never sent goes first, however much else waits; what was sent before has a turn at each poll. Looking at a transaction that has not changed stores nothing.
// Entries that have ended stay until [Outbox.Prune] removes them, after it has archived them.
//
// # Errors
//
// [Outbox.Enqueue] refuses what cannot be right as a [*qredo.ValidationError], and a key that has another
// payment as a [*KeyConflictError]. Any other error of it says that the payment may not be stored: enqueue it
// again. What goes wrong afterwards is no error of a call: it is in the entry's steps and state.
// [Outbox.Run] ends with its context, or when the store is closed.
//
// # Testing
//
// Package sandbox is the service in a test, and loses answers if told to (sandbox.FaultDropAnswer). The
// example below is a whole program.
//
// # Several workers
//
// Run works on several entries at once, and may run several times: in one program, or with package
// postgres in programs on several machines. A worker has an entry to itself for the length of a lease, by
// the programs' clocks, which should agree to within a few seconds. If they do not, or a worker is stuck
// for longer, two may send the same request: with the same PartnerTxID, so that it is made once. What the
// slower one then has to say is not stored.
package outbox
