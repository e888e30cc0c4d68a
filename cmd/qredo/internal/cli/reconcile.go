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
		use: "reconcile FUND_ID...", short: "Prove that opening balance and entries make the balance",
		long: `Adds up, for each wallet of the funds, the opening balance and the entries that are done, and holds the sum
against the wallet's balance. It does so twice: with the ledger and with the wallet's history, which must agree
too, entry for entry. What does not add up is listed, and the exit code is 1. What waits is no part of it, and is told apart.

Without --since, wallets began with nothing and all entries count. With --since, only what was done from then on
counts, and --opening gives what each wallet had at that moment. Better is --report, which keeps what was proved in a
file, and --after, which goes on from there: each closing balance is the next opening one, and nothing between is
missed or counted twice.

What left a wallet is negative in its history. Where fees tell that a service counts it as positive, as its schema
has it, the command says so once and turns the signs round.`,
		example: `qredo reconcile FUND_ID
			qredo reconcile FUND_ID --since 2026-01-01T00:00:00Z --opening WALLET_ID=1.5BTC-TESTNET
			qredo reconcile FUND_ID --after november.json --report december.json`,
		flags: func(f *flagSet) {
			f.StringVar(&since, "since", "", "count from this moment on: a time, or how long ago")
			f.StringArrayVar(&openings, "opening", nil, "what a wallet had at --since, as WALLET_ID=AMOUNT; repeat for several")
			f.StringVar(&after, "after", "", "go on where this report ended: a file that --report has written")
			f.StringVar(&report, "report", "", "file to write the report to, as JSON")
		},
		check: func() error {
			if len(openings) > 0 && since == "" {
				return usagef("--opening needs --since: without it wallets began with nothing")
			}
			if after != "" && since != "" {
				return usagef("--after says itself since when: leave out --since")
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

// readReport reads what an earlier run has written.
func readReport(path string) (*recon.Report, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	report := &recon.Report{}
	if err := json.Unmarshal(data, report); err != nil {
		return nil, fmt.Errorf("%s is no report: %w", path, err)
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
		fmt.Fprintln(a.err, "this service counts sent as positive: the signs of its histories are turned round")
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
		case f.WalletID == "": // the objects of wallets do not have it
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
			return nil, usagef("--opening must be WALLET_ID=AMOUNT, is %q", text)
		}
		wallet, err := a.walletIDNamed(ctx, c, name)
		if err != nil {
			return nil, err
		}
		if number, unit := splitAmount(figure); strings.Contains(number, "0") && strings.Trim(number, "0.") == "" && unit != "" {
			out[wallet] = qredo.AssetAmount{Asset: unit} // which money refuses, as nothing to send
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
