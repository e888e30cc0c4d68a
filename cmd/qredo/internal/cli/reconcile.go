package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/recon"
)

func (a *app) reconcileCommand() *cobra.Command {
	var openings []string
	var since, after, report string
	return a.command(command{
		use: "reconcile FUND_ID...", short: "Prove that opening balance and entries add up to the balance",
		long: `Adds up, for each wallet in the funds, the opening balance and the completed entries, and compares the sum with the
wallet's balance. It does so twice, with the ledger and with the wallet's history, which must also agree entry for entry.
If something does not add up, it is listed and the exit code is 1. Pending entries are not counted but listed separately.

Without --since, wallets started empty and all entries count. With --since, only what was completed from then on counts,
and --opening gives each wallet's balance at that moment. It is better to use --report, which keeps the result in a file,
and --after, which continues from there: each closing balance is the next opening balance, and nothing in between is missed
or counted twice.

What left a wallet is negative in its history. If the fees show that a service counts it as positive, as its schema says,
the command says so once and reverses the signs.`,
		example: `qredo reconcile FUND_ID
			qredo reconcile FUND_ID --since 2026-01-01T00:00:00Z --opening WALLET_ID=1.5BTC-TESTNET
			qredo reconcile FUND_ID --after november.json --report december.json`,
		flags: func(f *flagSet) {
			f.StringVar(&since, "since", "", "count from this moment on: a time, or a duration before now")
			f.StringArrayVar(&openings, "opening", nil, "a wallet's balance at --since, as WALLET_ID=AMOUNT; repeat for several")
			f.StringVar(&after, "after", "", "continue where this report ended: a file that --report wrote")
			f.StringVar(&report, "report", "", "file to write the report to, as JSON")
		},
		check: func() error {
			if len(openings) > 0 && since == "" {
				return usagef("--opening needs --since: without it wallets started empty")
			}
			if after != "" && since != "" {
				return usagef("--after already says since when: leave out --since")
			}
			return nil
		},
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, err := a.since(since)
			if err != nil {
				return err
			}
			given, err := a.readOpenings(ctx, c, openings)
			if err != nil {
				return err
			}
			opts := []recon.Option{recon.WithClock(a.now)}
			if !from.IsZero() {
				opts = append(opts, recon.WithSince(from))
			}
			for wallet, had := range given {
				opts = append(opts, recon.WithOpening(wallet, had))
			}
			if after != "" {
				earlier, err := readReport(after)
				if err != nil {
					return err
				}
				opts = append(opts, recon.WithEarlier(earlier))
			}
			return a.reconcile(ctx, c, report, opts)
		}),
	})
}

// readReport reads the report of an earlier run.
func readReport(path string) (*recon.Report, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	report := &recon.Report{}
	if err := json.Unmarshal(data, report); err != nil {
		return nil, fmt.Errorf("%s is not a report: %w", path, err)
	}
	return report, nil
}

func (a *app) reconcile(ctx context.Context, c partnerCall, file string, opts []recon.Option) error {
	books, err := recon.New(c.Funds, c.Wallets, opts...)
	if err != nil {
		return err
	}
	var funds []qredo.FundID
	for _, name := range c.args {
		fund, err := a.fundNamed(ctx, c, name)
		if err != nil {
			return err
		}
		funds = append(funds, fund)
	}
	report, err := books.Prove(ctx, c.company, funds...)
	if err != nil {
		return err
	}
	if report.SentPositive {
		fmt.Fprintln(a.err, "this service counts sent amounts as positive: the signs in its histories are reversed")
	}
	if file != "" {
		data, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return err
		}
		if err := durable.Replace(file, append(data, '\n')); err != nil {
			return err
		}
	}
	wallets := slices.Collect(report.Wallets())
	if err := a.list(found(wallets, nil)); err != nil {
		return err
	}
	findings := report.Findings()
	for _, f := range findings {
		switch {
		case f.WalletID == "": // the wallets' objects do not contain it
			fmt.Fprintln(a.err, plain(f.String()))
		case !a.json():
			fmt.Fprintln(a.out, plain("wallet "+string(f.WalletID)+": "+f.String()))
		}
	}
	if len(findings) > 0 {
		return foundf("%d things do not add up", len(findings))
	}
	return nil
}

func (a *app) readOpenings(ctx context.Context, c partnerCall, texts []string) (map[qredo.WalletID]qredo.AssetAmount, error) {
	out := map[qredo.WalletID]qredo.AssetAmount{}
	for _, text := range texts {
		name, figure, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, usagef("--opening must be WALLET_ID=AMOUNT, not %q", text)
		}
		wallet, err := a.walletIDNamed(ctx, c, name)
		if err != nil {
			return nil, err
		}
		if number, unit := splitAmount(figure); strings.Contains(number, "0") && strings.Trim(number, "0.") == "" && unit != "" {
			out[wallet] = qredo.AssetAmount{Asset: unit} // money refuses a zero amount
			continue
		}
		amount, err := a.money(ctx, "opening", figure, false, "")
		if err != nil {
			return nil, err
		}
		out[wallet] = amount
	}
	return out, nil
}
