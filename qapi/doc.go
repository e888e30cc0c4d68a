// Package qapi is a client of Qredo API v1: reports on an account, and Web3 transactions that are signed
// in custody. It is a second API beside the Partner API of package qredo, with base URLs, keys and
// operations of its own. The hosted service is retired; package sandbox emulates it.
//
// # A first program
//
// A client needs an API key and its shared secret, with which it signs every request, and a base URL. [ClientFromEnv]
// takes them from the environment or from files; [NewClient] is given them.
//
//	client, err := qapi.ClientFromEnv() // QREDO_QAPI_KEY, QREDO_QAPI_SECRET, QREDO_QAPI_BASE_URL
//	...
//	balances, err := client.Balance.Get(ctx)
//	...
//	for code, b := range balances {
//		fmt.Println(code, b.Asset(code).Format(b.Available))
//	}
//
// The options of a client and of a call are those of package qredo: retries, rate limits, logging, timeouts.
//
// # Money
//
// Balances count in an asset's base units, as [qredo.Amount]: satoshi for BTC, gwei for ETH. An
// [AssetBalance] knows how many of them a whole unit has. Ledgers and histories have a [Figure], since the
// service's document counts whole units there, and a server may count base units: who reads one says which.
// Web3 transactions count in wei, which do not fit in 64 bits, as [BigInt]. Nothing is ever rounded.
//
// # Web3 transactions
//
// [TransactionsService.Create] asks for a transaction from a Web3 wallet. It waits for the wallet's
// approvers; [TransactionsService.Wait] returns it signed, [TransactionsService.Feed] tells of each status on
// the way. The service does not send it to a chain: that is the caller's part, with
// [Transaction.SignedBytes].
//
// # Errors
//
// What is wrong with a request is a [*qredo.ValidationError] before anything is sent, what the service
// refuses a [*qredo.Error], to be told apart with [errors.Is] and qredo's sentinels, and a transaction that
// ended rejected or expired a [*qredo.TxError]. Reads are sent again where that may help. Create is sent
// once, since a repeated request would make a second transaction: its documentation says what to do when
// its answer was lost.
//
// # Testing
//
// A test starts the service in its own process, and plays those who approve:
//
//	srv, err := sandbox.Start()
//	...
//	defer srv.Close()
//	client := srv.QAPIClient()
//	...
//	err = srv.Approve("alice@example.com", string(tx.ID))
package qapi
