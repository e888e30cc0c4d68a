// Package inbox hands each movement of money in your funds and wallets to your program exactly once, even if programs crash in
// between. It is the counterpart of package outbox, for programs that credit customers.
//
//	store, err := postgres.New(ctx, pool) // of inbox/postgres
//	...
//	in, err := inbox.New(client, store, inbox.WithFunds(company, fund))
//	...
//	err = in.Run(ctx, func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
//		if m.Kind != inbox.KindDeposit {
//			return nil
//		}
//		_, err := tx.Exec(ctx, `UPDATE customers SET balance = balance + $1 WHERE wallet = $2`, m.Amount, m.Wallet)
//		return err
//	})
//
// The handler's writes in tx and the record that the movement was handed over are one transaction: after a crash either both
// are stored or neither is.
//
// # Where movements come from
//
// Movements are read from the ledgers of funds ([WithFunds], [WithCompany]), with one call per fund however many wallets it
// has, and from the histories of wallets whose fund the account may not read ([WithWallets]). The wallets feed only says when
// to look ([WithFeed]). The inbox looks every 3 to 30 seconds: see [WithPolling]. A ledger may list its newest or its oldest
// entries first. It is read from the newest entry back to five minutes before what is already known, from time to time back to
// the oldest pending entry, and to its end if it counts more entries than were found.
//
// # What is handed over
//
// The handler gets what has moved: deposits, and transactions once they are approved. It does not get what is pending, rejected
// or expired, except with [WithChanges]. If the service's chain refuses a transaction that was already handed over, a
// [Movement] with Reversal set takes it back, so that the sum of all amounts is the balance.
//
// Movements are identified by [Movement].Key. One on-chain transaction may pay a wallet the same amount twice, and nothing in a
// ledger distinguishes the two payments: they are counted. If a ledger does not name the wallet of a deposit, it belongs to the
// wallet with the same asset and address; as long as no wallet of the fund has that address, the deposit is not handed over.
//
// # Where it starts
//
// An inbox starts at the time of its first run, by the program's clock or the service's, whichever is earlier; or at a time
// that you give ([From]), or at the very beginning ([FromStart]). Older movements are not handed over. The store remembers the
// starting time, and each wallet's balance at the start, measured at the first moment when nothing is moving.
//
// # Stores
//
// Package postgres in this directory keeps the inbox in your own database and hands movements over in a pgx or database/sql
// transaction: exactly once. Several programs can share it: each fund has one follower at a time, which holds a lease and
// renews it. [OpenStore] keeps the inbox in a file, for one program: after a crash the handler may be called again with the
// same Key. Entries are never removed: they are how a repeat is recognized.
//
// # Failures
//
// If the handler returns an error, the movement is tried again: see [Inbox.Run]. A call may take 30 s: see
// [WithHandlerTimeout]. Movements that are set aside can be listed, retried or skipped with [Operate] or the command qredo
// inbox. [Inbox.Check] compares what was handed over with the wallets' balances.
package inbox
