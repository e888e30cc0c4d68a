package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// printerOf is a run that prints what a command prints, as its flags say.
func printerOf(t *testing.T, path string, flags outputFlags, output string) (*app, *bytes.Buffer) {
	t.Helper()
	a := newTestApp()
	var printed bytes.Buffer
	a.out = bufio.NewWriter(&printed)
	a.assets.source = func(context.Context) ([]qredo.Asset, error) {
		return []qredo.Asset{{Code: "BTC", Scale: 100_000_000}, {Code: "ETH-TESTNET", Scale: 1_000_000_000}}, nil
	}
	a.global.results = flags
	a.settings = &settings{global: &globalFlags{values: map[string]*string{"output": &output}}, env: a.env}
	require.NoError(t, a.prepare(path))
	return a, &printed
}

var ledger = []qredo.LedgerEntry{
	{TxID: "3MpGdHJe1TJnUQ3T4Sxe6UG0kQa", Type: "withdraw", Status: "pending", Asset: "BTC", Amount: 25025000, Fees: 25000, WalletID: "Hp51iAP6JfMGv37S2rWT2Jvo98txfY2Rice2gs3KyQha", Reference: "rent", Time: qredo.Unix(1796040180)},
	{Type: "deposit", Asset: "ETH-TESTNET", Amount: 9_007_199_254_740_993, WalletID: "CovN47SoHKt7nsJcE2wow8U4dT9PYT5F3VYYTniXJ9Fd", ChainTxID: "c0ffee", Time: qredo.Unix(1796040181)},
}

func TestTableFitsTheTerminal(t *testing.T) {
	for width, want := range map[int]string{
		0: `TIMESTAMP             TYPE      STATUS              AMOUNT                 FEES              WALLET ID                                     TX ID                        REFERENCE
2026-11-30T12:03:00Z  withdraw  pending        0.25025     BTC          0.00025 BTC          Hp51iAP6JfMGv37S2rWT2Jvo98txfY2Rice2gs3KyQha  3MpGdHJe1TJnUQ3T4Sxe6UG0kQa  rent
2026-11-30T12:03:01Z  deposit            9007199.254740993 ETH-TESTNET  0       ETH-TESTNET  CovN47SoHKt7nsJcE2wow8U4dT9PYT5F3VYYTniXJ9Fd
`, 120: `TIMESTAMP             TYPE      STATUS              AMOUNT                 FEES              TX ID
2026-11-30T12:03:00Z  withdraw  pending        0.25025     BTC          0.00025 BTC          3MpGdHJe1TJnUQ3T4Sxe6UG0kQa
2026-11-30T12:03:01Z  deposit            9007199.254740993 ETH-TESTNET  0       ETH-TESTNET
not shown: walletID, reference (-o wide shows all)
`, 80: `TYPE      STATUS              AMOUNT              TX ID
withdraw  pending        0.25025     BTC          3MpGdHJe1TJnUQ3T4Sxe6UG0kQa
deposit            9007199.254740993 ETH-TESTNET
not shown: timestamp, fees, walletID, reference (-o wide shows all)
`,
	} {
		a, printed := printerOf(t, "ledger list", outputFlags{}, "")
		a.width = width
		require.NoError(t, a.list(found(ledger, nil)))
		require.NoError(t, a.out.Flush())
		assert.Equal(t, want, printed.String(), width)
	}
}

// TestShapes demands columns of each command that prints objects: fields that there are, an ID where it has one, some that are
// always shown, and names for the others that give way.
func TestShapes(t *testing.T) {
	commands := map[string]*cobra.Command{}
	walk(newTestApp().commands(), func(c *cobra.Command) { commands[strings.TrimPrefix(c.CommandPath(), "qredo ")] = c })
	for _, shapes := range []map[string]shape{lists, things} {
		for path, s := range shapes {
			c := commands[path]
			require.NotNil(t, c, "there is no command %s", path)
			always := 0
			for _, column := range s.columns {
				assert.Contains(t, fieldNames(s.of), column.name, path)
				if column.rank == 0 {
					always++
				}
				assert.True(t, !column.id || column.rank == 0 || column.rank == wideOnly || strings.HasPrefix(column.name, "chain"), "%s: the ID %s gives way", path, column.name)
			}
			assert.NotZero(t, always, path)
			assert.Equal(t, s.reads, c.Flags().Lookup("watch") != nil, path)
		}
	}
	for path, c := range commands { // those that list are in the table
		if last := path[strings.LastIndex(path, " ")+1:]; c.Runnable() && slices.Contains([]string{"list", "search", "history", "pending", "holdings"}, last) {
			assert.Contains(t, slices.Collect(maps.Keys(lists)), path)
		}
	}
}

func TestAmountsAsText(t *testing.T) {
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"field":    {qredo.Holding{Asset: "BTC", Amount: 9_007_199_254_740_993}, `{"code":"BTC","amount":"9007199254740993"}`},
		"nested":   {qredo.Fund{Wallets: []qredo.Wallet{{Balance: 1}, {Balance: -2}}}, `"balance":"-2"`},
		"embedded": {feeAnswer{"BTC", qredo.Fees{NetAmount: 1, Fees: 2}}, `{"asset":"BTC","netAmount":"1","amountToSend":"0","fees":"2"}`},
		"map":      {map[qredo.AssetCode]qredo.Amount{"BTC": 5}, `{"BTC":"5"}`},
		"pointer":  {qredo.Action{Details: &qredo.ActionDetails{Amount: 7, ClientData: map[string]any{"amount": 8}}}, `"amount":"7","clientData":{"amount":8}`},
		"outbox":   {outbox.Entry{Request: outbox.Transfer{TransferRequest: qredo.TransferRequest{Send: qredo.AssetAmount{Asset: "BTC", Amount: 5}}}}, `"amount":"5"`},
		"others":   {qredo.Asset{Code: "BTC", Scale: 100}, `"scale":100`},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := encodeJSON(c.value)
			require.NoError(t, err)
			assert.Contains(t, string(amountsAsText(data, reflect.ValueOf(c.value))), c.want)
		})
	}
}

// TestYAMLIsTheSameData reads YAML back and demands what JSON says, whatever the texts look like.
func TestYAMLIsTheSameData(t *testing.T) {
	texts := []string{"", "yes", "1e3", "null", "~", "0x1", "012", "1_000", "2001-01-01", "=", "<<", "- a", "a: b", "# x", "'", "\"", "a\nb", " a ", "\u202e", "\x1b[31m", "日本", "\u2028", "\x7f"}
	for _, terminal := range []bool{false, true} {
		for _, text := range texts {
			a, printed := printerOf(t, "company get", outputFlags{}, outputYAML)
			a.terminal.out = terminal
			require.NoError(t, a.show(&qredo.Company{ID: "c", Name: text}, nil))
			var back map[string]any
			require.NoError(t, yaml.Unmarshal(printed.Bytes(), &back), "%q", text)
			assert.Equal(t, map[string]any{"company_id": "c", "name": text}, back)
			if terminal {
				assert.NotContains(t, printed.String(), "\x1b")
				assert.NotContains(t, printed.String(), "\u202e")
			}
		}
	}
	a, printed := printerOf(t, "company holdings", outputFlags{}, outputYAML)
	require.NoError(t, a.list(found([]qredo.Holding{{Asset: "BTC", Amount: 9_007_199_254_740_993}, {Asset: "ETH"}}, nil)))
	assert.Equal(t, "- code: BTC\n  amount: 9007199254740993\n- code: ETH\n  amount: 0\n", printed.String())
	a, printed = printerOf(t, "company holdings", outputFlags{}, outputYAML)
	require.NoError(t, a.list(found[qredo.Holding](nil, nil)))
	require.NoError(t, a.out.Flush())
	assert.Equal(t, "[]\n", printed.String())
}

func TestCSV(t *testing.T) {
	a, printed := printerOf(t, "ledger list", outputFlags{columns: []string{"reference", "amount", "timestamp", "Status"}}, outputCSV)
	entries := slices.Clone(ledger)
	entries[0].Reference, entries[1].Reference = "=1+1", "a,\"b\"\nc"
	entries[1].Amount = -5
	require.NoError(t, a.list(found(entries, nil)))
	assert.Equal(t, "reference,amount,amount_base_units,timestamp,status\r\n'=1+1,0.25025,25025000,2026-11-30T12:03:00Z,pending\r\n"+
		"\"a,\"\"b\"\"\r\nc\",-0.000000005,-5,2026-11-30T12:03:01Z,\r\n", printed.String())
	a, printed = printerOf(t, "ledger list", outputFlags{}, outputCSV)
	require.NoError(t, a.list(found(ledger, nil)))
	records, err := csv.NewReader(printed).ReadAll()
	require.NoError(t, err)
	assert.Len(t, records, 3)
	assert.Contains(t, records[0], "chainTxID", "all columns, also those of wide tables only")
}

func TestJQ(t *testing.T) {
	for expression, want := range map[string]string{
		".amount":              "25025000\n9007199254740993\n",
		".amount + 1":          "25025001\n9007199254740994\n",
		".reference":           "rent\n\n",
		"[., inputs] | length": "2\n",
		"select(.type==\"deposit\")|{a:.amount,asset}": "{\"a\":9007199254740993,\"asset\":\"ETH-TESTNET\"}\n",
		"env | length": "0\n0\n",
		"empty":        "",
	} {
		a, printed := printerOf(t, "ledger list", outputFlags{jq: expression}, "")
		require.NoError(t, a.list(found(ledger, nil)))
		assert.Equal(t, want, printed.String(), expression)
	}
	a, printed := printerOf(t, "company get", outputFlags{jq: ".name"}, "")
	a.terminal.out = true
	require.NoError(t, a.show(&qredo.Company{Name: "a\x1b[31m\nb\u202e"}, nil))
	assert.Equal(t, "a\\u001b[31m\\nb\\u202e\n", printed.String(), "nothing reaches a terminal as it came")
	a, printed = printerOf(t, "company get", outputFlags{}, outputJSON)
	a.terminal.out = true
	require.NoError(t, a.show(&qredo.Company{Name: "a\u202e\x7f"}, nil))
	assert.Equal(t, `{"company_id":"","name":"a\u202e\u007f"}`+"\n", printed.String())
	a, _ = printerOf(t, "company get", outputFlags{jq: "error(\"no\")"}, "")
	require.ErrorContains(t, a.show(&qredo.Company{}, nil), "--jq: error: no")
}

func TestQuiet(t *testing.T) {
	a, printed := printerOf(t, "ledger list", outputFlags{quiet: true}, "")
	require.NoError(t, a.list(found(ledger, nil)))
	require.NoError(t, a.out.Flush())
	assert.Equal(t, "3MpGdHJe1TJnUQ3T4Sxe6UG0kQa\nc0ffee\n", printed.String(), "a deposit has no ID but its chain's")
	a, printed = printerOf(t, "transfer create", outputFlags{quiet: true}, "")
	require.NoError(t, a.show(&qredo.Submission{TxID: "t"}, nil))
	require.NoError(t, a.show(&qredo.Transaction{ID: "u"}, nil), "what --wait ends with")
	require.NoError(t, a.done(nil, "done"))
	assert.Equal(t, "t\nu\n", printed.String())
}

func TestPrepareRefuses(t *testing.T) {
	for want, c := range map[string]struct {
		path, output string
		flags        outputFlags
	}{
		"unknown field \"nonsense\"; the fields are: code, amount": {"company holdings", "", outputFlags{columns: []string{"nonsense"}}},
		"--columns is for tables and CSV":                          {"company holdings", outputJSON, outputFlags{columns: []string{"code"}}},
		"--columns is for commands that print objects":             {"party add", "", outputFlags{columns: []string{"code"}}},
		"qredo party add has no CSV output":                        {"party add", outputCSV, outputFlags{}},
		"--jq works on JSON, not on yaml":                          {"company get", outputYAML, outputFlags{jq: "."}},
		"--jq: unexpected EOF":                                     {"company get", "", outputFlags{jq: ".["}},
		"only one of --jq, --quiet and --columns":                  {"company get", "", outputFlags{jq: ".", quiet: true}},
	} {
		a := newTestApp()
		a.global.results = c.flags
		a.settings = &settings{global: &globalFlags{values: map[string]*string{"output": &c.output}}, env: a.env}
		err := a.prepare(c.path)
		require.ErrorAs(t, err, new(usageError))
		assert.ErrorContains(t, err, want)
	}
}

func TestAlignedFigures(t *testing.T) {
	assert.Equal(t, []string{"  0.25 BTC", "132    ETH", "", "not known", "-12.5  BTC"}, alignFigures([]cell{
		{"0.25 BTC", true}, {"132 ETH", true}, {}, {"not known", false}, {"-12.5 BTC", true},
	}))
}
