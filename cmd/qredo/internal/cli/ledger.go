package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// ledgerFlags select entries of a ledger.
type ledgerFlags struct {
	asset, wallet, direction string
}

func (l *ledgerFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.asset, "asset", "", "only of this asset")
	cmd.Flags().StringVar(&l.wallet, "wallet", "", "only of this wallet")
	cmd.Flags().StringVar(&l.direction, "direction", "", "all, in or out")
}

func (l *ledgerFlags) options() qredo.LedgerOptions {
	return qredo.LedgerOptions{
		Asset: qredo.AssetCode(l.asset), WalletID: qredo.WalletID(l.wallet), Direction: qredo.Direction(l.direction),
	}
}

func (a *app) ledgerCommands() *cobra.Command {
	return group("ledger", "What moved in a fund",
		`The ledger of a fund lists what came in, what went out, and what waits to.`, `
		qredo ledger list FUND_ID --limit 20
		qredo ledger export FUND_ID --out ledger.csv`,
		a.ledgerList(),
		a.ledgerExport(),
	)
}

func (a *app) ledgerList() *cobra.Command {
	var l ledgerFlags
	var offset, limit int
	cmd := a.command(command{
		use: "list FUND_ID", short: "List a part of the ledger",
		long:    "Lists one page of the ledger, in the order of the service.",
		example: "qredo ledger list FUND_ID --direction out --limit 20\nqredo ledger list FUND_ID --offset 100 --output json",
		run: a.withFund(func(ctx context.Context, client *qredo.Client, company qredo.CompanyID, fund qredo.FundID) error {
			options := l.options()
			options.Offset, options.Limit = offset, limit
			page, err := client.Funds.Ledger(ctx, company, fund, options)
			if err != nil {
				return err
			}
			return list(a, page.Entries, "Time", "Type", "Status", "Amount", "Fees", "WalletID", "TxID", "Reference")
		}),
	})
	l.add(cmd)
	cmd.Flags().IntVar(&offset, "offset", 0, "entries to pass over")
	cmd.Flags().IntVar(&limit, "limit", 50, "entries at most")
	return cmd
}

// exportedEntry is a ledger entry as it is exported: the columns of CSV, the keys of JSON.
type exportedEntry struct {
	TxID             qredo.TxID
	Type             qredo.EntryType
	Status           qredo.TxStatus
	Asset            qredo.AssetCode
	Amount           qredo.Amount
	NetAmount        qredo.Amount
	Fees             qredo.Amount
	FundID           qredo.FundID
	WalletID         qredo.WalletID
	Address          string
	CounterpartyID   string
	CounterpartyName string
	Reference        string
	BenefitOf        string
	AccountNo        string
	ChainTxID        string
	Time             qredo.Time
	Expires          qredo.Time
}

// settled reports whether an entry will not change any more.
func settled(e qredo.LedgerEntry) bool {
	return e.Type == qredo.EntryDeposit || e.Status.Done() || e.Status.Failed()
}

func stamp(t qredo.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
