// Command report: an accountant wants to know what an account has and what its funds did, with a key that can move nothing, and to
// the last unit.
//
// So it reads by Qredo API v1, and writes balances by asset, and each fund's ledger, as a table for people and as CSV for other programs.
//
//	go run ./examples/report
//	go run ./examples/report -base-url URL -figures base -csv ledger.csv
//
// Without -base-url it starts a sandbox of its own, with some movements in it. Else it takes the API key and
// its secret from QREDO_QAPI_KEY and QREDO_QAPI_SECRET, or from the files that QREDO_QAPI_KEY_FILE and
// QREDO_QAPI_SECRET_FILE name, and must be told what the figures of the server's ledgers count: base units, or whole
// units as the service's document has it. No answer says which.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

func main() {
	baseURL := flag.String("base-url", "", "report on this server instead of a sandbox of its own")
	figures := flag.String("figures", "", "what the server's ledgers count: base or whole units")
	csvPath := flag.String("csv", "", "write the ledgers to this file, as CSV; default: the standard output")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *baseURL, *figures, *csvPath, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

func run(ctx context.Context, baseURL, figures, csvPath string, out io.Writer) error {
	if baseURL == "" {
		figures = "base" // what a sandbox counts in
	} else if figures != "base" && figures != "whole" {
		return errors.New("say with -figures what the ledgers of " + baseURL + " count: base or whole units")
	}
	client, stop, err := connect(ctx, baseURL)
	if err != nil {
		return err
	}
	defer stop()
	r, err := collect(ctx, client, figures)
	if err != nil {
		return err
	}
	if err := r.table(out); err != nil {
		return err
	}
	if csvPath == "" {
		fmt.Fprintln(out)
		return r.csv(out)
	}
	file, err := os.Create(csvPath)
	if err != nil {
		return err
	}
	return errors.Join(r.csv(file), file.Close())
}

func connect(ctx context.Context, baseURL string) (*qapi.Client, func(), error) {
	if baseURL == "" {
		return demo(ctx)
	}
	auth, err := qredo.HMACAuthFromEnv()
	if err != nil {
		return nil, nil, err
	}
	client, err := qapi.NewClient(auth, qredo.WithBaseURL(baseURL))
	return client, func() {}, err
}

// report is the content of the report.
type report struct {
	account  *qapi.Account
	balances qapi.Balances
	funds    []fund
}

type fund struct {
	name    string
	entries []entry
}

// entry is a movement with its figures in whole units.
type entry struct {
	qapi.LedgerEntry
	wallet, amount, fees, net string
}

func collect(ctx context.Context, client *qapi.Client, figures string) (r report, err error) {
	if r.account, err = client.Account.Get(ctx); err != nil {
		return r, err
	}
	if r.balances, err = client.Balance.Get(ctx); err != nil {
		return r, err
	}
	funds, err := client.Funds.List(ctx, qapi.FundsOptions{})
	if err != nil {
		return r, err
	}
	for _, f := range funds {
		ledger, err := client.Funds.ListLedger(ctx, f.ID)
		if err != nil {
			return r, err
		}
		entries, err := r.entries(ledger, figures)
		if err != nil {
			return r, fmt.Errorf("fund %s: %w", f.Name, err)
		}
		r.funds = append(r.funds, fund{f.Name, entries})
	}
	return r, nil
}

// entries reads the figures of a ledger, exactly.
func (r report) entries(ledger *qapi.Ledger, figures string) ([]entry, error) {
	names := map[qredo.WalletID]string{}
	for _, wallet := range ledger.Wallets {
		names[wallet.WalletID] = wallet.WalletName
	}
	entries := make([]entry, len(ledger.Entries))
	for i, e := range ledger.Entries {
		entries[i] = entry{LedgerEntry: e, wallet: names[e.WalletID]}
		for _, f := range []struct {
			from qapi.Figure
			to   *string
		}{{e.Amount, &entries[i].amount}, {e.Fees, &entries[i].fees}, {e.NetAmount, &entries[i].net}} {
			read := qapi.Figure.BaseUnits
			if figures == "whole" {
				asset := r.balances[e.Asset].Asset(e.Asset)
				read = func(f qapi.Figure) (qredo.Amount, error) { return f.WholeUnits(asset) }
			}
			amount, err := read(f.from)
			if err != nil {
				return nil, fmt.Errorf("transaction %q: %w", e.TxID, err)
			}
			*f.to = r.figure(e.Asset, amount)
		}
	}
	return entries, nil
}

// figure formats an amount in whole units, with the scale from the balances of its asset.
func (r report) figure(code qredo.AssetCode, amount qredo.Amount) string {
	return r.balances[code].Asset(code).Format(amount)
}

func (r report) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "Account %s\n\nASSET\tTOTAL\tAVAILABLE\tPENDING IN\tPENDING OUT\n", r.account.Name)
	for _, code := range slices.Sorted(maps.Keys(r.balances)) {
		b := r.balances[code]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", code, r.figure(code, b.Total), r.figure(code, b.Available),
			r.figure(code, b.PendingIn), r.figure(code, b.PendingOut))
	}
	for _, f := range r.funds {
		fmt.Fprintf(w, "\nFund %s: %d entries\n\nTIME\tTYPE\tASSET\tAMOUNT\tFEES\tCOUNTERPARTY\tREFERENCE\n", f.name, len(f.entries))
		for _, e := range f.entries {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.UTC().Format(time.DateTime), e.Type, e.Asset,
				e.amount, e.fees, e.CounterpartyName, e.Reference)
		}
	}
	return w.Flush()
}

func (r report) csv(out io.Writer) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"fund", "time", "tx_id", "type", "wallet", "asset", "amount", "fees", "net_amount", "counterparty", "reference"}}
	for _, f := range r.funds {
		for _, e := range f.entries {
			rows = append(rows, []string{
				f.name, e.Time.UTC().Format(time.RFC3339), string(e.TxID), string(e.Type), e.wallet, string(e.Asset),
				e.amount, e.fees, e.net, e.CounterpartyName, e.Reference,
			})
		}
	}
	return w.WriteAll(rows)
}
