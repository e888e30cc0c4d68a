// Package recon proves that the opening balance plus all entries equals the balance, for each wallet of a company's funds.
//
//	books, err := recon.New(client.Funds, client.Wallets)
//	...
//	report, err := books.Prove(ctx, company, fund)
//	...
//	if !report.OK() {
//		for _, f := range report.Findings() {
//			alert(f.WalletID, f.String())
//		}
//	}
//
// # What is proved
//
// The service records each entry of a wallet twice: in the wallet's history, with signs, and in the fund's ledger, with types.
// Each completed entry must be in both, with the same amount; both must add up to the same sum; and the opening balance plus
// that sum must equal the balance. Each figure must match its parts: amount = net amount + fees. Nothing is guessed: an entry
// of another asset is a finding and is not counted, and so is one whose type or status does not say in which direction it
// moved, or whether it did. A sum that does not fit in 64 bits is a finding too.
//
// Pending entries are not counted: their amount is still in the sender's balance. They are reported separately, in the fields
// WaitingOut and WaitingIn of [Wallet]. That the balance includes an amount until its transaction ends is our reading of the
// service's documents, which do not say so explicitly.
//
// # Opening balances
//
// By default wallets started empty, and all entries count. Use [WithSince] and [WithOpening] to count from a point in time.
// Better still is [WithEarlier]: it continues from an earlier report, which you keep as JSON. Each closing balance is then the
// next opening balance, and nothing between two reports is missed or counted twice. Histories are then read from that point on;
// ledgers are always read completely, because pending entries may be old.
//
// # Variations between services
//
// A ledger may list its newest or its oldest entries first. A history may show sent amounts as positive, as its schema says. That
// is recognized over the entries of all wallets: by how many came and went according to the ledger or, if those are equal, by the
// balances. The signs are then reversed, and SentPositive in the [Report] is set. A single entry with a wrong sign does not
// reverse the others. Two entries are the same if they have the same amount and the same transaction ID or ID on Qredo's chain,
// ignoring case. Either entry may lack one of the two IDs.
//
// # Movements during the proof
//
// Money that arrives while the books are being read is not reported as a difference: a finding stands only if two consecutive
// readings agree, including the balance. A wallet that does not stay still long enough within six readings is [StatusMoving].
//
// # Memory
//
// Neither book is held in memory: entries that are in both are matched by sums of digests. Only entries that may have no
// counterpart are read again and held. Besides that, memory holds one answer of the service at a time; a history longer than
// 8 MiB is kept in a temporary file. A program that proves a million entries uses 41 MiB of memory in all.
package recon
