package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// measureEvery is how often the inbox tries to determine the wallets' balances at its start.
const measureEvery = time.Minute

// measure records the balances of the fund's wallets when the inbox began: the balances now, without what has moved
// since. It does so only if nothing moves in the meantime; counts are those of the look just now.
func (f *fundReader) measure(ctx context.Context, s *Source, now time.Time, counts Recorded) error {
	if s.Before != nil || f.from.IsZero() || counts != (Recorded{}) || now.Sub(f.measured) < measureEvery {
		return nil
	}
	f.measured = now
	return f.running.measure(ctx, s, f.balances, func() (Recorded, error) {
		more, _, err := f.read(ctx, s, s.Latest.Add(-overlap))
		return more, err
	})
}

func (w *walletReader) measure(ctx context.Context, s *Source, now time.Time, counts Recorded) error {
	if s.Before != nil || w.from.IsZero() || counts != (Recorded{}) || now.Sub(w.measured) < measureEvery {
		return nil
	}
	w.measured = now
	return w.running.measure(ctx, s, w.balances, func() (Recorded, error) { return w.read(ctx, s) })
}

func (r *running) measure(ctx context.Context, s *Source, balances func(context.Context) (map[qredo.WalletID]holding, error), look func() (Recorded, error)) error {
	first, err := balances(ctx)
	if err != nil {
		return err
	}
	counts, err := look()
	if err != nil {
		return err
	}
	second, err := balances(ctx)
	if err != nil {
		return err
	}
	if counts != (Recorded{}) || !maps.Equal(first, second) {
		return nil // try again later
	}
	sums, err := r.records.Sums(ctx, s.ID)
	if err != nil {
		return err
	}
	s.Before = map[qredo.WalletID]qredo.Amount{}
	for id, has := range first {
		if before := has.balance - sums[id].moved(); before != 0 {
			s.Before[id] = before
		}
	}
	return nil
}

// moved sums everything that is stored as moved.
func (s Sum) moved() qredo.Amount {
	return s.Done.Amount + s.Ready.Amount + s.Aside.Amount + s.Skipped.Amount
}

type holding struct {
	asset   qredo.AssetCode
	balance qredo.Amount
}

func (f *fundReader) balances(ctx context.Context) (map[qredo.WalletID]holding, error) {
	fund, err := f.client.Funds.Get(ctx, f.company, f.fund)
	if err != nil {
		return nil, err
	}
	has := make(map[qredo.WalletID]holding, len(fund.Wallets))
	for _, w := range fund.Wallets {
		has[w.ID] = holding{w.Asset, w.Balance}
	}
	return has, nil
}

func (w *walletReader) balances(ctx context.Context) (map[qredo.WalletID]holding, error) {
	wallet, err := w.client.Wallets.Get(ctx, w.id)
	if err != nil {
		return nil, err
	}
	return map[qredo.WalletID]holding{wallet.ID: {wallet.Asset, wallet.Balance}}, nil // by its ID, even if it was given by a short code
}

// Balance compares a wallet's balance with what was handed over. All figures are base units.
type Balance struct {
	Source  string          `json:"source"`
	Wallet  qredo.WalletID  `json:"wallet_id"` // empty for movements whose wallet no source names
	Asset   qredo.AssetCode `json:"asset"`
	Has     qredo.Amount    `json:"has"`    // what the service reports
	Before  qredo.Amount    `json:"before"` // what it had when the inbox began
	Sum                     // what is stored as moved since then
	Unknown bool            `json:"unknown,omitzero"` // Before is not known yet: the figures do not add up to anything
}

// Missing is the part of the balance that is not accounted for by what was handed over. It is 0 if all is well. If it equals
// the sum of what is not handed over yet, set aside, and skipped, these explain it.
func (b Balance) Missing() qredo.Amount { return b.Has - b.Before - b.Done.Amount }

// Unexplained is the part of the balance that nothing in the store explains.
func (b Balance) Unexplained() qredo.Amount { return b.Has - b.Before - b.moved() }

// Report is the result of [Inbox.Check].
type Report struct {
	Balances []Balance `json:"balances"` // of all wallets, ordered by source and ID
	// Missed is, for each source that has some, the number of entries that its ledger counts but that were not found in it or
	// cannot be told apart.
	Missed map[string]int64 `json:"missed,omitzero"`
}

// Wrong returns the balances that do not match what was handed over.
func (r *Report) Wrong() (wrong []Balance) {
	for _, b := range r.Balances {
		if b.Missing() != 0 || b.Unknown {
			wrong = append(wrong, b)
		}
	}
	return wrong
}

// checkTries is how many times a source that changes while it is checked is read again.
const checkTries = 5

// Check compares the balance of each wallet with the sum of what was handed over for it. It reads from the service and the
// store, and changes nothing: another program than the running one may call it. What has moved since the running program last
// looked is unexplained until it looks again.
func (in *Inbox[Tx]) Check(ctx context.Context) (*Report, error) {
	report := &Report{}
	stored, err := in.records.Sources(ctx)
	if err != nil {
		return nil, err
	}
	r := &running{settings: &in.settings}
	var failed error
	for _, s := range stored {
		var balances func(context.Context) (map[qredo.WalletID]holding, error)
		kind, rest, _ := strings.Cut(s.ID, ":")
		company, fund, _ := strings.Cut(rest, ":")
		if balances = (&fundReader{running: r, fundID: fundID{qredo.CompanyID(company), qredo.FundID(fund)}}).balances; kind == "wallet" {
			balances = (&walletReader{running: r, id: qredo.WalletID(rest)}).balances
		}
		list, err := in.check(ctx, s, balances)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("inbox: %s is not checked: %w", s.ID, err))
			continue
		}
		report.Balances = append(report.Balances, list...)
		if s.Missed > 0 {
			if report.Missed == nil {
				report.Missed = map[string]int64{}
			}
			report.Missed[s.ID] = s.Missed
		}
	}
	return report, failed
}

func (s *settings) check(ctx context.Context, source Source, balances func(context.Context) (map[qredo.WalletID]holding, error)) ([]Balance, error) {
	from, err := s.records.Begin(ctx, time.Time{}) // it is stored already, before any source
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		first, err := balances(ctx)
		if err != nil {
			return nil, err
		}
		sums, err := s.records.Sums(ctx, source.ID)
		if err != nil {
			return nil, err
		}
		second, err := balances(ctx)
		if err != nil {
			return nil, err
		}
		if !maps.Equal(first, second) && try < checkTries {
			continue
		}
		for id, sum := range sums {
			if _, listed := second[id]; !listed {
				second[id] = holding{asset: sum.Asset}
			}
		}
		var list []Balance
		for _, id := range slices.Sorted(maps.Keys(second)) {
			list = append(list, Balance{
				Source: source.ID, Wallet: id, Asset: cmp.Or(second[id].asset, sums[id].Asset), Has: second[id].balance, Before: source.Before[id], Sum: sums[id],
				Unknown: source.Before == nil && !from.IsZero(),
			})
		}
		return list, nil
	}
}
