// Package qredo is a client for Qredo's Partner API v1, a service that holds digital assets in custody. It is not an official
// product. The hosted service has been shut down; package sandbox in this module emulates it.
//
// # A first program
//
// A client needs three things: an API key, the RSA key registered with it, which signs every request, and the base URL of the
// service to call.
//
//	client, err := qredo.ClientFromEnv() // or NewClient, with NewRSAAuth and WithBaseURL
//	...
//	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme"})
//
// The package example is the complete program, run against a sandbox that it starts itself.
//
// # How the service works
//
// A company has a trusted network of people and programs ([TrustedNetworkService]). Its funds ([FundsService]) hold wallets,
// each for one asset, and have custody groups: the trusted members who approve what leaves. Deposits arrive at a wallet's
// address without any approval. Transfers go to other wallets, withdrawals to whitelisted addresses ([TransfersService]); both
// wait for the custody group's approval until they expire. People approve in the app, programs as core clients
// ([CoreClientsService]). The fund's ledger and the wallet's history show what has moved.
//
// # Money
//
// An [Amount] is a whole number of base units, such as satoshi. [Asset.Parse] and [Asset.Format] convert from and to decimal
// figures exactly; nothing is ever rounded. The amount in a request is what arrives. Fees are charged to the sending wallet on
// top; [AssetsService.GetFees] returns them in advance. Give each transfer and withdrawal a PartnerTxID of your own: if it is
// sent again, the service returns the first transaction instead of making a second one. It compares nothing but the
// PartnerTxID, so never use one for two payments.
//
// # Errors
//
// A request that cannot be valid is refused before anything is sent, with a [*ValidationError]. When the service answers with
// anything but success, you get an [*Error]; use [errors.Is] with [ErrNotFound] and the other Err values to tell them apart. If
// the outcome of a request for a transaction cannot be determined, you get an [*UnknownOutcomeError]; any write whose outcome
// is unknown matches [ErrOutcomeUnknown]. The Wait methods return a [*TxError] for a transaction that ended without being
// completed. Everything else is the transport's own error, wrapped. No error or log contains a key or a signature.
//
// # Sending again
//
// Reads are retried after temporary failures, and so are requests for transactions, because each has a PartnerTxID. Other
// writes are retried only if they cannot have reached the service. See [RetryPolicy], [WithRateLimit] and [WithoutRetry].
// Package outbox sends payments for programs that may crash at any moment.
//
// # Feeds
//
// [CoreClientsService.Feed], [WalletsService.Feed] and [SwapsService.Feed] deliver events as they happen, each once, across
// reconnects and, with [WithKnown], across restarts of your program. Package approver votes on a core client's actions by rule.
// The wallets feed is for exchanges: it covers wallets that are connected to your core clients. For deposits into your own
// wallets use package inbox, which hands over each movement once.
//
// # Testing
//
// Package sandbox emulates the service in a test: sandbox.Start gives a server, and its Client method a client that is ready.
// The examples below do so; those that begin with startAcme have a company in it, with a fund and wallets (example_test.go).
package qredo
