// Package qredo is a client of Qredo's Partner API v1: custody of digital assets by program. It is not an
// official product. The hosted service is retired; package sandbox beside this one emulates it.
//
// # A first program
//
// A client needs an API key and the RSA key registered with it, with which it signs every request, and the base URL
// of the service that it is to call.
//
//	client, err := qredo.ClientFromEnv() // or NewClient, with NewRSAAuth and WithBaseURL
//	...
//	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme"})
//
// The whole of it, against a sandbox that it starts by itself, is the example of the package.
//
// # The job
//
// A company trusts people and programs ([TrustedNetworkService]). Its funds ([FundsService]) have custody
// groups, made of those who are trusted, and wallets, each of one asset. Deposits come to a wallet's
// address without further ado. Transfers go to other wallets, withdrawals to whitelisted addresses
// ([TransfersService]): both wait for the custody group's approval until they expire. People approve in the
// app, programs as core clients ([CoreClientsService]). The fund's ledger and the wallet's history tell what
// moved.
//
// # Money
//
// An [Amount] is a whole number of base units, such as satoshi. [Asset.Parse] and [Asset.Format] convert
// from and to decimal figures, exactly; nothing is ever rounded. The amount of a request is what arrives:
// the fee is taken from the wallet besides, and [AssetsService.GetFees] tells it before. Give each transfer and
// withdrawal a PartnerTxID of your own: sending it again then finds the first transaction and makes no
// second. The service compares nothing but the PartnerTxID, so never use one for two payments.
//
// # Errors
//
// A request that cannot be right is refused before anything is sent: [*ValidationError]. An answer that is
// no success is an [*Error], told apart with [errors.Is] by [ErrNotFound] and its like. A request for a
// transaction whose outcome cannot be known is an [*UnknownOutcomeError], and any write whose outcome is not known matches
// [ErrOutcomeUnknown]. A transaction that ended without
// being done is a [*TxError], from the Wait methods. Everything else is the transport's own error, wrapped.
// No error and no log carries a key or a signature.
//
// # Sending again
//
// Reads are sent again when they fail for reasons that pass, and so are requests for transactions, because
// each has a PartnerTxID. Other writes are sent again only when they cannot have reached the service. See
// [RetryPolicy], [WithRateLimit] and [WithoutRetry]; package outbox sends for programs that may die.
//
// # Feeds
//
// [CoreClientsService.Feed], [WalletsService.Feed] and [SwapsService.Feed] give events as they happen, each
// once, over as many connections as it takes, and with [WithKnown] over as many runs of a program. Package approver
// votes on a core client's feed by rule. The wallets' feed is for exchanges: it tells of wallets that are connected to
// one's core clients. Package inbox hands over what moves in one's own, each movement once.
//
// # Testing
//
// Package sandbox emulates the service in a test: sandbox.Start gives a server, and its Client method a
// client that is ready. The examples below do so; those that begin with startAcme have a company in it, with
// a fund and wallets (example_test.go).
package qredo
