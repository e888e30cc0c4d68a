// Package export writes the ledger of a fund to a file, as CSV for spreadsheets and accountants or as JSON lines for programs.
// It writes the whole ledger, oldest entries first, each entry once, however long the ledger is and whatever happens meanwhile.
//
//	ledger, err := export.New(client.Funds, client.Assets, export.Selection{Company: company, Fund: fund})
//	...
//	result, err := ledger.ToFile(ctx, "ledger.csv")
//
// # Interrupted exports
//
// The file appears under its name only when it is complete and on disk. Until then it is called ledger.csv.part, and
// ledger.csv.part.json records the progress about once a second. After an error, or after the program was killed, the same call
// continues from there. The resulting file is the same, byte for byte, as one written without interruption.
//
// # Ledgers that change
//
// The file shows the ledger at one moment: the one when its end was reached. Entries that arrive during the export, or between
// two runs, are at its end. If a transaction was written as pending and has since ended, it has moved to the end of the ledger:
// everything written from that entry on is discarded and read again. The same happens if an entry appears late, among older
// ones. A ledger may list its newest or its oldest entries first, return fewer entries per page than requested, and give no
// total.
//
// Two changes that cancel each other out go unnoticed if neither entry was pending: an entry that had ended disappears from its
// place, and another appears late, before the last one read. No service is known to do that.
//
// # CSV
//
// The first line has the wire's field names. Amounts appear twice: in base units and, under a name that ends in Decimal,
// exactly in whole units; that cell is empty if the asset's scale is not known. The column "change" says by how much the entry
// changed the wallet's balance: outgoing amounts are negative and include fees; entries that are pending or failed have 0; the
// cell is empty if type and status do not determine it. So the sum of a wallet's changes is its balance. Times are RFC 3339 in
// UTC ("2026-11-30T12:00:00Z"), or empty if not given; [WithZone] adds columns with the local time and its offset. Lines end
// with LF, text is UTF-8, and values are quoted as in RFC 4180.
//
// Names and references are chosen by others, who may choose one that a spreadsheet would run as a formula. So an apostrophe is
// put before a text cell that begins with =, +, -, @ (or their full-width forms), tab, CR or LF, and before one of the first
// four after a line break, tab, semicolon or vertical bar inside a cell, because some spreadsheets split there. Numbers get
// none: they keep their minus sign. If you need texts exactly as they are, use JSON lines.
//
// # JSON lines
//
// Each line is a [qredo.LedgerEntry] as encoding/json writes it, and can be read by [qredo.Unmarshal]: the wire's field names,
// base units, Unix seconds.
package export
