// Package inbox hands what moves in funds and wallets to a program, each movement exactly once, whatever dies in between.
// It is the mirror of package outbox, and for those who credit customers.
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
// What the handler does in tx and that the movement is handed over are one transaction: after a crash both are there, or
// neither.
//
// # Where movements come from
//
// From the ledgers of funds ([WithFunds], [WithCompany]), one call a fund however many wallets it has; from the histories
// of wallets whose fund the account may not read ([WithWallets]). The wallets feed only says when to look ([WithFeed]).
// Looks are three to thirty seconds apart, see [WithPolling]. A ledger may have its newest or its oldest entries first.
// It is read from the newest back to five minutes before what is known, now and then back to the oldest entry that waits,
// and to its end if it counts more entries than were found.
//
// # What is handed over
//
// What has moved: deposits, and transactions once they are approved. What waits, is rejected or expires is not, but for
// [WithChanges]. Where the service's chain refuses a transaction that was handed over, a [Movement] with Reversal takes
// it back, so that the sum of all amounts is the balance.
//
// Movements are told apart by [Movement].Key. One transaction of the chain may pay a wallet the same twice, and nothing
// in a ledger tells the two apart: they are counted. A deposit whose wallet a ledger does not name is that of the wallet
// with its asset and address; as long as no wallet of the fund has that address it is not handed over.
//
// # When it begins
//
// At the first run, by the earlier of the clocks of program and service; or [From] a time, or [FromStart]. What is older
// is not handed over. The store keeps that, and what each wallet had then, which is measured in the first moment in which
// nothing moves.
//
// # Stores
//
// Package postgres in this directory keeps an inbox in the program's own database, and hands over in a transaction of
// pgx's or database/sql's: exactly once. Several programs share it: each fund has one follower at a time, by a lease that
// it renews. [OpenStore] keeps it in a file, for one program: the handler may be called again after a crash, with the
// same Key. Entries stay for good: they are what a repeat is known by.
//
// # Failures
//
// An error of the handler is tried again, see [Inbox.Run]. A call has 30 s, see [WithHandlerTimeout]. What is set aside is
// listed, tried again or skipped by [Operate], or the command qredo inbox. Whether what was handed over adds up to what the
// wallets have, [Inbox.Check] tells.
package inbox
