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
// A payment that is to be tried again after that is a new one, under a new key. Entries are never removed:
// a key that was forgotten could be paid twice.
//
// One refusal may well pass: a page of the service's of 2020 says that a wallet is locked while a withdrawal from it
// waits. A second withdrawal may then be refused (400), and its entry is [StateFailed] for good. Where the service
// does that, enqueue withdrawals from one wallet one after the other, each when the one before has ended.
// sandbox.WithWithdrawalLock lets a test see it.
//
// # Unknown outcomes
//
// An attempt whose answer is lost, cut, a fault of the service, or does not name a transaction may have
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
// person, who finds out in the app or the fund's ledger and says so with [Outbox.Resolve]. List them:
//
//	for entry, err := range box.List(ctx, outbox.Filter{Unknown: true}) { ... }
//
// A request that expires before any attempt was made is not sent.
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
