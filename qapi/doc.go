// Package qapi is a client for Qredo API v1: reports on an account, and Web3 transactions signed in custody. This API is
// separate from the Partner API of package qredo, and has its own base URLs, keys and operations. The hosted service has been
// shut down; package sandbox emulates it.
//
// # A first program
//
// A client needs an API key, the shared secret that signs every request, and a base URL. [ClientFromEnv] reads them from the
// environment or from files; [NewClient] takes them as arguments.
//
//	client, err := qapi.ClientFromEnv() // QREDO_QAPI_KEY, QREDO_QAPI_SECRET, QREDO_QAPI_BASE_URL
//	...
//	balances, err := client.Balance.Get(ctx)
//	...
//	for code, b := range balances {
//		fmt.Println(code, b.Asset(code).Format(b.Available))
//	}
//
// The options for clients and calls are those of package qredo: retries, rate limits, logging, timeouts.
//
// # Money
//
// Balances are in an asset's base units, as [qredo.Amount]: satoshi for BTC, gwei for ETH. An [AssetBalance] knows how many
// base units make a whole unit. Ledgers and histories contain a [Figure]: the service's document uses whole units there, but a
// server may use base units, so you say which when you read one. Web3 transactions are in wei, which do not fit in 64 bits, as
// [BigInt]. Nothing is ever rounded.
//
// # Web3 transactions
//
// [TransactionsService.Create] asks for a transaction from a Web3 wallet. It waits for the wallet's approvers;
// [TransactionsService.Wait] returns it signed, and [TransactionsService.Feed] reports each status on the way. The service does
// not send it to a chain: you do that, with [Transaction.SignedBytes].
//
// # Errors
//
// A request that cannot be valid is refused with a [*qredo.ValidationError] before anything is sent. A refusal by the service
// is a [*qredo.Error]; use [errors.Is] with the Err values of package qredo to tell them apart. A transaction that was rejected
// or expired is a [*qredo.TxError]. Reads are retried after temporary failures. Create is sent only once, because repeating it
// would make a second transaction: its documentation says what to do if the answer is lost.
//
// # Testing
//
// A test starts the service in its own process, and plays the approvers:
//
//	srv, err := sandbox.Start()
//	...
//	defer srv.Close()
//	client := srv.QAPIClient()
//	...
//	err = srv.Approve("alice@example.com", string(tx.ID))
package qapi
