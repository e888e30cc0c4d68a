package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qapi"
)

// figureUnit is the unit of the figures in ledgers and histories. No response says it, so the user has to.
type figureUnit string

const (
	figuresAsTheyCame figureUnit = ""
	figuresBase       figureUnit = "base"
	figuresWhole      figureUnit = "whole"
)

const figuresHelp = `

Figures are printed unchanged. The service's document has whole units (0.001156 BTC), a sandbox by default has base units
(115600), and a response does not say which. With --figures base or --figures whole they are converted exactly and shown
as amounts, as in all other commands; if one cannot be converted, nothing is listed.`

func (u *figureUnit) flags(f *flagSet) {
	f.StringVar((*string)(u), "figures", "", "unit of the service's figures: base or whole (default: print them unchanged)")
}

func (u *figureUnit) check() error {
	if *u == figuresAsTheyCame {
		return nil
	}
	return oneOf("figures", string(*u), string(figuresBase), string(figuresWhole))
}

// ledgerLine and historyLine are entries whose figures were converted to amounts.
type (
	ledgerLine struct {
		qapi.LedgerEntry
		Amount    qredo.Amount `json:"amount"`
		Fees      qredo.Amount `json:"fees"`
		NetAmount qredo.Amount `json:"netAmount"`
	}
	historyLine struct {
		qapi.HistoryEntry
		Amount    qredo.Amount `json:"amount"`
		Fees      qredo.Amount `json:"fees"`
		NetAmount qredo.Amount `json:"netAmount"`
	}
)

func (a *app) qapiLedger() *cobra.Command {
	var unit figureUnit
	return a.command(command{
		use: "ledger FUND_ID", short: "List what moved in a fund",
		long:    "Lists all movements of a fund, newest first for each wallet. This API has no paging." + figuresHelp,
		example: "qredo qapi ledger FUND_ID --figures whole\nqredo qapi ledger FUND_ID --output json",
		flags:   unit.flags,
		check:   unit.check,
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
			id, err := a.qapiFundNamed(ctx, client, args[0])
			if err != nil {
				return err
			}
			ledger, err := client.Funds.ListLedger(ctx, id)
			if err != nil {
				return err
			}
			return listMoves(a, unit, ledger.Entries, func(e qapi.LedgerEntry) (any, error) {
				amounts, err := a.amounts(ctx, unit, e.Asset, e.Amount, e.Fees, e.NetAmount)
				return ledgerLine{e, amounts[0], amounts[1], amounts[2]}, err
			})
		}),
	})
}

func (a *app) qapiHistory() *cobra.Command {
	var unit figureUnit
	return a.command(command{
		use: "history WALLET_ID", short: "List what moved in a wallet", long: "Lists the movements of a wallet." + figuresHelp,
		example: "qredo qapi history WALLET_ID --figures whole",
		flags:   unit.flags,
		check:   unit.check,
		run: a.withQAPI(func(ctx context.Context, client *qapi.Client, args []string) error {
			id, err := a.qapiWalletNamed(ctx, client, args[0])
			if err != nil {
				return err
			}
			history, err := client.Wallets.ListHistory(ctx, id)
			if err != nil {
				return err
			}
			return listMoves(a, unit, history, func(e qapi.HistoryEntry) (any, error) {
				amounts, err := a.amounts(ctx, unit, e.Asset, e.Amount, e.Fees, e.NetAmount)
				return historyLine{e, amounts[0], amounts[1], amounts[2]}, err
			})
		}),
	})
}

// listMoves prints entries, unchanged or converted.
func listMoves[E any](a *app, unit figureUnit, entries []E, convert func(E) (any, error)) error {
	if unit == figuresAsTheyCame {
		return a.list(found(entries, nil))
	}
	lines := make([]any, len(entries))
	for i, e := range entries {
		var err error
		if lines[i], err = convert(e); err != nil {
			return fmt.Errorf("entry %d: %w", i+1, err)
		}
	}
	return a.list(found(lines, nil))
}

// amounts converts the figures of one entry.
func (a *app) amounts(ctx context.Context, unit figureUnit, code qredo.AssetCode, figures ...qapi.Figure) ([]qredo.Amount, error) {
	amounts := make([]qredo.Amount, len(figures))
	read := qapi.Figure.BaseUnits
	if unit == figuresWhole {
		asset, err := a.assets.find(ctx, code)
		if err != nil {
			return amounts, fmt.Errorf("%s: %w", code, err)
		}
		read = func(f qapi.Figure) (qredo.Amount, error) { return f.WholeUnits(asset) }
	}
	for i, f := range figures {
		var err error
		if amounts[i], err = read(f); err != nil {
			return amounts, err
		}
	}
	return amounts, nil
}
