// Package qapi is a client of Qredo API v1: reports on an account, and Web3 transactions that are signed
// in custody. It is a second API beside the Partner API of package qredo, with base URLs, keys and
// operations of its own. The hosted service is retired; package sandbox emulates it.
//
// # A first program
//
// A client needs an API key and its shared secret. It signs every request.
//
//	auth, err := qredo.NewHMACAuth(apiKey, secret)
//	...
//	client, err := qapi.NewClient(auth, qredo.WithBaseURL("http://127.0.0.1:8765/qapi/v1"))
//	...
//	balance, err := client.Balance.Get(ctx)
//
// Options, call options and errors are those of package qredo.
//
// # Figures
//
// Balances and ledgers count in an asset's base units: [qredo.Amount], for ETH in gwei. Web3 transactions
// count in wei, which do not fit in 64 bits: [BigInt]. Nothing is ever rounded.
//
// # Web3 transactions
//
// [TransactionsService.Create] asks for a transaction from a Web3 wallet. It waits for the wallet's
// approvers; [TransactionsService.Wait] returns it signed. The service does not send it to a chain: that is
// the caller's part, with [Transaction.SignedBytes].
package qapi
