package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) ledgerCommands() *cobra.Command {
	return group("ledger", "What moved in a fund",
		`A fund's ledger lists what came in, what went out, and what is waiting to go out.`, `
		qredo ledger list FUND_ID --limit 20
		qredo ledger export FUND_ID --out ledger.csv`,
		a.ledgerList(),
		a.ledgerExport(),
	)
}

// ledgerFlags adds the flags that select entries of a ledger.
func ledgerFlags(f *flagSet, options *qredo.LedgerOptions) {
	f.StringVar((*string)(&options.Asset), "asset", "", "only this asset")
	f.StringVar((*string)(&options.WalletID), "wallet", "", "only this wallet: its ID, short code or name")
	f.StringVar((*string)(&options.Direction), "direction", "", "all, in or out")
}

// ledgerWallet finds the wallet whose entries to list, if one is given.
func (a *app) ledgerWallet(ctx context.Context, c partnerCall, options *qredo.LedgerOptions) (err error) {
	if options.WalletID != "" {
		options.WalletID, err = a.walletIDNamed(ctx, c, string(options.WalletID))
	}
	return err
}

func (a *app) ledgerList() *cobra.Command {
	var options qredo.LedgerOptions
	return a.command(command{
		use: "list FUND_ID", short: "List part of the ledger",
		long:    "Lists one page of the ledger in the service's order, which is newest first.",
		example: "qredo ledger list FUND_ID --direction out --limit 20\nqredo ledger list FUND_ID --offset 100 --output json",
		flags: func(f *flagSet) {
			ledgerFlags(f, &options)
			f.IntVar(&options.Offset, "offset", 0, "entries to skip")
			f.IntVar(&options.Limit, "limit", 50, "most entries to list")
		},
		run: a.withFund(func(ctx context.Context, c partnerCall) error {
			if err := a.ledgerWallet(ctx, c, &options); err != nil {
				return err
			}
			page, err := c.Funds.ListLedger(ctx, c.company, c.fund, options)
			if err != nil {
				return err
			}
			return a.list(found(page.Entries, nil))
		}),
	})
}
