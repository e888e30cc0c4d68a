package export

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/spreadsheet"
)

// rows encodes entries for a file. The same entry always gives the same bytes.
type rows struct {
	format Format
	zone   *time.Location
	assets map[qredo.AssetCode]qredo.Asset // whose amounts have decimals

	data  []byte
	cells []string
}

// countable are the assets whose amounts have decimals: those whose scale is a power of ten.
func countable(assets []qredo.Asset) map[qredo.AssetCode]qredo.Asset {
	known := map[qredo.AssetCode]qredo.Asset{}
	for _, a := range assets {
		if _, err := a.Parse("0"); err == nil {
			known[a.Code] = a
		}
	}
	return known
}

// head is what comes before the first entry.
func (r *rows) head() {
	if r.format != CSV {
		return
	}
	r.cells = append(r.cells[:0], "TxID", "type", "status", "asset", "amount", "amountDecimal", "netAmount", "netAmountDecimal", "fees", "feesDecimal",
		"change", "changeDecimal", "fundID", "walletID", "address", "counterpartyID", "counterpartyName", "reference", "benefitOf", "accountNo",
		"chainTxID", "timestamp", "expireTime")
	if r.zone != nil {
		r.cells = append(r.cells, "timestampLocal", "expireTimeLocal")
	}
	r.line()
}

// line writes the cells as encoding/csv does, according to RFC 4180.
func (r *rows) line() {
	for i, cell := range r.cells {
		if i > 0 {
			r.data = append(r.data, ',')
		}
		if !quoted(cell) {
			r.data = append(r.data, cell...)
			continue
		}
		r.data = append(r.data, '"')
		for {
			before, after, found := strings.Cut(cell, `"`)
			r.data = append(r.data, before...)
			if !found {
				break
			}
			r.data = append(r.data, `""`...)
			cell = after
		}
		r.data = append(r.data, '"')
	}
	r.data = append(r.data, '\n')
}

// quoted reports whether a cell needs quotes: also if it begins with white space, which some programs would skip.
func quoted(cell string) bool {
	for i := range len(cell) {
		if c := cell[i]; c == ',' || c == '"' || c == '\r' || c == '\n' {
			return true
		}
	}
	first, _ := utf8.DecodeRuneInString(cell)
	return cell == `\.` || unicode.IsSpace(first)
}

// add writes an entry.
func (r *rows) add(e *qredo.LedgerEntry) (err error) {
	if r.format == JSONLines {
		r.data, err = appendJSON(r.data, e)
		r.data = append(r.data, '\n')
		return err
	}
	r.cells = r.cells[:0]
	r.texts(string(e.TxID), string(e.Type), string(e.Status), string(e.Asset))
	for _, amount := range []qredo.Amount{e.Amount, e.NetAmount, e.Fees} {
		r.figure(e.Asset, amount)
	}
	if change, known := changed(e); known {
		r.figure(e.Asset, change)
	} else {
		r.cells = append(r.cells, "", "")
	}
	r.texts(string(e.FundID), string(e.WalletID), e.Address, e.CounterpartyID, e.CounterpartyName, e.Reference, e.BenefitOf, e.AccountNo, e.ChainTxID)
	for _, zone := range []*time.Location{time.UTC, r.zone} {
		if zone != nil {
			r.cells = append(r.cells, at(e.Time, zone), at(e.Expires, zone))
		}
	}
	r.line()
	return nil
}

func (r *rows) texts(texts ...string) {
	for _, text := range texts {
		r.cells = append(r.cells, spreadsheet.Cell(text))
	}
}

// figure writes an amount twice: in base units and, if the asset's scale is known, in whole units.
func (r *rows) figure(code qredo.AssetCode, amount qredo.Amount) {
	decimal := ""
	if asset, known := r.assets[code]; known {
		decimal = asset.Format(amount)
	}
	r.cells = append(r.cells, strconv.FormatInt(int64(amount), 10), decimal)
}

func at(t qredo.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.RFC3339)
}

// changed is by how much an entry has changed its wallet's balance: zero while it waits, and if it failed. It is unknown
// for a type without a direction, an unknown status, and a negative figure.
func changed(e *qredo.LedgerEntry) (qredo.Amount, bool) {
	leaves := e.Type == qredo.EntryWithdraw || e.Type == qredo.EntryTransferOut || e.Type == qredo.EntrySwapOut
	switch {
	case !leaves && !e.IsIncoming(), e.Amount < 0, e.Fees < 0, e.Fees > e.Amount:
		return 0, false
	case e.Moved():
		return e.Signed(), true
	}
	return 0, e.Status.Failed() || waits(e)
}

func waits(e *qredo.LedgerEntry) bool {
	return e.Status == qredo.TxPending || e.Status == qredo.TxPendingInitiate || e.Status == qredo.TxTakerPending
}

// final reports whether an entry will not change again, as far as is known.
func final(e *qredo.LedgerEntry) bool { return e.Moved() || e.Status.Failed() }
