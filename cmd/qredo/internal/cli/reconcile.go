package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

func (a *app) reconcileCommand() *cobra.Command {
	var openings []string
	var since string
	return a.command(command{
		use: "reconcile FUND_ID...", short: "Prove that opening balance and entries make the balance",
		long: `Adds up, for each wallet of the funds, the opening balance and the entries that are done, and holds the sum
against the wallet's balance. It does so twice: with the ledger and with the wallet's history, which must agree
too, entry for entry. What does not add up is listed, and the exit code is 1.

Without --since, wallets began with nothing and all entries count. With --since, only what was done from then on
counts, from the history, and --opening gives what each wallet had at that moment.

What left a wallet is negative in its history. Where fees tell that a service counts it as positive, as its schema
has it, the command says so once and turns the signs round.`,
		example: `qredo reconcile FUND_ID
			qredo reconcile FUND_ID --since 2026-01-01T00:00:00Z --opening WALLET_ID=1.5BTC-TESTNET`,
		flags: func(f *flagSet) {
			f.StringVar(&since, "since", "", "count from this moment on: a time, or how long ago")
			f.StringArrayVar(&openings, "opening", nil, "what a wallet had at --since, as WALLET_ID=AMOUNT; repeat for several")
		},
		check: func() error {
			if len(openings) > 0 && since == "" {
				return usagef("--opening needs --since: without it wallets began with nothing")
			}
			return nil
		},
		run: a.withCompany(func(ctx context.Context, c partnerCall) error {
			from, err := a.since(since)
			if err != nil {
				return err
			}
			r := &reconciliation{partnerCall: c, app: a, since: from}
			if r.openings, err = a.readOpenings(ctx, openings); err != nil {
				return err
			}
			return r.run(ctx)
		}),
	})
}

func (a *app) readOpenings(ctx context.Context, texts []string) (map[qredo.WalletID]qredo.AssetAmount, error) {
	out := map[qredo.WalletID]qredo.AssetAmount{}
	for _, text := range texts {
		wallet, figure, found := strings.Cut(text, "=")
		if !found || wallet == "" {
			return nil, usagef("--opening must be WALLET_ID=AMOUNT, is %q", text)
		}
		if number, unit := splitAmount(figure); strings.Contains(number, "0") && strings.Trim(number, "0.") == "" && unit != "" {
			out[qredo.WalletID(wallet)] = qredo.AssetAmount{Asset: unit} // which money refuses, as nothing to send
			continue
		}
		amount, err := a.money(ctx, "opening", figure, false, "")
		if err != nil {
			return nil, err
		}
		out[qredo.WalletID(wallet)] = amount
	}
	return out, nil
}

// reconciliation holds balances against what moved.
type reconciliation struct {
	partnerCall
	app      *app
	since    qredo.Time
	openings map[qredo.WalletID]qredo.AssetAmount

	lines        []reconciled
	problems     []string
	sentPositive bool // a history has told that the service counts what was sent as positive
}

// reconciled is the result for one wallet.
type reconciled struct {
	FundID     qredo.FundID
	WalletID   qredo.WalletID
	Name       string
	Asset      qredo.AssetCode
	Opening    qredo.Amount
	Entries    int
	Moved      qredo.Amount
	Expected   qredo.Amount
	Balance    qredo.Amount
	Difference qredo.Amount
	Status     string
	Problems   []string
}

func (r *reconciliation) run(ctx context.Context) error {
	known, err := r.wallets(ctx)
	if err == nil && r.sentPositive { // a wallet without fees does not tell: once more, with what others have told
		r.lines, r.problems = nil, nil
		known, err = r.wallets(ctx)
		fmt.Fprintln(r.app.err, "this service counts sent as positive: the signs of its histories are turned round")
	}
	if err != nil {
		return err
	}
	for id := range r.openings {
		if !known[id] {
			return usagef("--opening names wallet %s, which is in none of the funds", id)
		}
	}
	if err := r.app.list(found(r.lines, nil), "WalletID", "Name", "Opening", "Entries", "Moved", "Expected", "Balance", "Difference", "Status"); err != nil {
		return err
	}
	if !r.app.json() {
		for _, p := range r.problems {
			fmt.Fprintln(r.app.out, p)
		}
	}
	if len(r.problems) > 0 {
		return fmt.Errorf("%d things do not add up", len(r.problems))
	}
	return nil
}

// wallets adds up all wallets of the funds, and returns which there are.
func (r *reconciliation) wallets(ctx context.Context) (known map[qredo.WalletID]bool, err error) {
	known = map[qredo.WalletID]bool{}
	for _, id := range r.args {
		fund, err := r.Funds.Get(ctx, r.company, qredo.FundID(id))
		if err != nil {
			return nil, err
		}
		for _, w := range fund.Wallets {
			known[w.ID] = true
			if err := r.wallet(ctx, fund.ID, w.ID); err != nil {
				return nil, err
			}
		}
	}
	return known, nil
}

// history returns what a wallet's history has from a moment on, with what left the wallet as negative.
func (r *reconciliation) history(ctx context.Context, w *qredo.Wallet) ([]qredo.HistoryEntry, error) {
	history, err := r.historySince(ctx, w.ID, r.since)
	if err != nil {
		return nil, err
	}
	// Only what is sent costs, and a fee is negative in both forms: so a fee tells what the sign of its entry means.
	positive := func(h qredo.HistoryEntry) bool { return h.Fees < 0 && h.Amount > 0 }
	negative := func(h qredo.HistoryEntry) bool { return h.Fees < 0 && h.Amount < 0 }
	if slices.ContainsFunc(history, negative) {
		return history, nil
	}
	r.sentPositive = r.sentPositive || slices.ContainsFunc(history, positive)
	if r.sentPositive {
		for i := range history {
			history[i].Amount, history[i].NetAmount = -history[i].Amount, -history[i].NetAmount
		}
	}
	return history, nil
}

// wallet adds up one wallet. What arrives while it does so is not taken for a difference: it looks again.
func (r *reconciliation) wallet(ctx context.Context, fund qredo.FundID, id qredo.WalletID) error {
	const attempts = 3
	var line reconciled
	for attempt := range attempts {
		before, err := r.Wallets.Get(ctx, id)
		if err != nil {
			return err
		}
		line, err = r.addUp(ctx, fund, before)
		if errors.Is(err, qredo.ErrLedgerMoved) && attempt < attempts-1 {
			continue
		}
		if err != nil {
			return err
		}
		if len(line.Problems) == 0 || attempt == attempts-1 {
			break
		}
		after, err := r.Wallets.Get(ctx, id)
		if err != nil {
			return err
		}
		if after.Balance == before.Balance {
			break
		}
	}
	for _, p := range line.Problems {
		r.problems = append(r.problems, fmt.Sprintf("wallet %s: %s", id, p))
	}
	r.lines = append(r.lines, line)
	return nil
}

func (r *reconciliation) addUp(ctx context.Context, fund qredo.FundID, w *qredo.Wallet) (reconciled, error) {
	line := reconciled{FundID: fund, WalletID: w.ID, Name: w.Name, Asset: w.Asset, Balance: w.Balance, Status: findingOK}
	problem := func(format string, args ...any) {
		line.Status = findingFault
		line.Problems = append(line.Problems, fmt.Sprintf(format, args...))
	}
	if opening, found := r.openings[w.ID]; found {
		if opening.Asset != w.Asset {
			return line, usagef("--opening of wallet %s is in %s, the wallet holds %s", w.ID, opening.Asset, w.Asset)
		}
		line.Opening = opening.Amount
	}
	history, err := r.history(ctx, w)
	if err != nil {
		return line, err
	}
	moved := sum{}
	for _, h := range history {
		moved.add(h.Amount)
		if h.Asset != w.Asset {
			problem("history entry %s is of %s", h.TxID, h.Asset)
		}
		if h.Amount != h.NetAmount+h.Fees {
			problem("history entry %s: amount %d is not net amount %d and fee %d", h.TxID, h.Amount, h.NetAmount, h.Fees)
		}
	}
	line.Entries, line.Moved = len(history), moved.total
	expected := sum{total: line.Opening}
	expected.add(moved.total)
	line.Expected, line.Difference = expected.total, w.Balance-expected.total
	if moved.overflow || expected.overflow {
		problem("its movements are beyond 64 bits")
	}
	if line.Difference != 0 {
		problem("opening balance %d and history %+d make %d, the balance is %d: %+d", line.Opening, line.Moved, line.Expected, w.Balance, line.Difference)
	}
	if r.since.IsZero() {
		err = r.compareLedger(ctx, fund, w, history, moved.total, problem)
	}
	return line, err
}

// sum adds amounts and notices when they do not fit.
type sum struct {
	total    qredo.Amount
	overflow bool
}

func (s *sum) add(a qredo.Amount) {
	total := s.total + a
	if a > 0 && total < s.total || a < 0 && total > s.total {
		s.overflow = true
	}
	s.total = total
}
