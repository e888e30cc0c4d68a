package recon

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
)

// Funds reads funds and their ledgers. Client.Funds does.
type Funds interface {
	// Get returns a fund with its wallets, as [qredo.FundsService.Get] does.
	Get(context.Context, qredo.CompanyID, qredo.FundID, ...qredo.CallOption) (*qredo.Fund, error)
	// ListLedger returns one page, as [qredo.FundsService.ListLedger] does.
	ListLedger(context.Context, qredo.CompanyID, qredo.FundID, qredo.LedgerOptions, ...qredo.CallOption) (*qredo.LedgerPage, error)
	// LedgerAll ranges over entries in any order, as [qredo.FundsService.LedgerAll] does.
	LedgerAll(context.Context, qredo.CompanyID, qredo.FundID, qredo.LedgerOptions, ...qredo.CallOption) iter.Seq2[qredo.LedgerEntry, error]
}

// Wallets reads wallets and their histories. Client.Wallets does.
type Wallets interface {
	// Get returns a wallet with its balance, as [qredo.WalletsService.Get] does.
	Get(context.Context, qredo.WalletID, ...qredo.CallOption) (*qredo.Wallet, error)
	// HistoryAll ranges over what moved, oldest first, as [qredo.WalletsService.HistoryAll] does.
	HistoryAll(context.Context, qredo.WalletID, qredo.HistoryOptions, ...qredo.CallOption) iter.Seq2[qredo.HistoryEntry, error]
}

// slack is how far apart the times of one movement may be in ledger and history, and how late a history may show it.
const slack = 5 * time.Minute

// Option changes what is counted. A wrong one is a [*qredo.ValidationError].
type Option func(*Books) error

// WithSince counts only movements of that second and later. Opening balances are then 0, unless you give [WithOpening].
func WithSince(t qredo.Time) Option {
	return func(b *Books) error {
		if t.IsZero() {
			return invalid("since", "must not be zero")
		}
		b.since = t
		return nil
	}
}

// WithOpening says what a wallet had at the time of [WithSince].
func WithOpening(wallet qredo.WalletID, had qredo.AssetAmount) Option {
	return func(b *Books) error {
		if wallet == "" || had.Asset == "" {
			return invalid("opening", "must name a wallet and an asset")
		}
		b.openings[wallet] = had
		return nil
	}
}

// WithEarlier goes on where an earlier report ended: the balances of wallets that it proves are the opening ones. Of the other
// wallets, and of new ones, all counts from their beginning.
func WithEarlier(r *Report) Option {
	return func(b *Books) error {
		if r == nil {
			return invalid("earlier", "must not be nil")
		}
		b.earlier = r
		return nil
	}
}

// WithClock sets what a report's time is taken from. Default: the machine's clock.
func WithClock(now func() time.Time) Option {
	return func(b *Books) error {
		if now == nil {
			return invalid("clock", "must not be nil")
		}
		b.now = now
		return nil
	}
}

func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// Books are what is to be proved. They may be used by several goroutines.
type Books struct {
	funds    Funds
	wallets  Wallets
	now      func() time.Time
	since    qredo.Time
	openings map[qredo.WalletID]qredo.AssetAmount
	earlier  *Report
}

// New returns books that are read from a client's services.
func New(funds Funds, wallets Wallets, opts ...Option) (*Books, error) {
	b := &Books{funds: funds, wallets: wallets, now: time.Now, openings: map[qredo.WalletID]qredo.AssetAmount{}}
	for _, opt := range opts {
		if err := opt(b); err != nil {
			return nil, err
		}
	}
	switch {
	case funds == nil || wallets == nil:
		return nil, invalid("services", "must not be nil")
	case len(b.openings) > 0 && b.since.IsZero():
		return nil, invalid("opening", "needs a start time: without one, wallets start with nothing")
	case b.earlier != nil && !b.since.IsZero():
		return nil, invalid("earlier", "already contains the start time: leave out the other one")
	}
	return b, nil
}

// Prove adds up all wallets of some funds of a company. What does not add up is in the report; an error says that there is none. An
// opening balance of a wallet that is in none of the funds, or in another asset, is a [*qredo.ValidationError].
func (b *Books) Prove(ctx context.Context, company qredo.CompanyID, funds ...qredo.FundID) (*Report, error) {
	if b.earlier != nil && b.earlier.Company != company {
		return nil, invalid("earlier", "is of company %s, not of %s", b.earlier.Company, company)
	}
	if len(funds) == 0 {
		return nil, invalid("funds", "must be named: without any, nothing is proved")
	}
	p := &proof{Books: b, company: company}
	if b.earlier != nil {
		p.sentPositive = b.earlier.SentPositive
	}
	return p.prove(ctx, funds)
}

// read adds up all wallets, with the signs of histories that p assumes.
func (p *proof) read(ctx context.Context, funds []qredo.FundID) (*Report, error) {
	report := &Report{Company: p.company, Time: qredo.TimeOf(p.now()), SentPositive: p.sentPositive}
	p.fits = map[qredo.WalletID]fit{}
	known := map[qredo.WalletID]bool{}
	for _, id := range funds {
		fund, err := p.fund(ctx, id)
		if err != nil {
			return nil, err
		}
		for _, w := range fund.Wallets {
			known[w.WalletID] = true
		}
		report.Funds = append(report.Funds, *fund)
	}
	for _, id := range slices.Sorted(maps.Keys(p.openings)) {
		if !known[id] {
			return nil, invalid("opening", "names wallet %s, which is in none of the funds", id)
		}
	}
	return report, nil
}

func (p *proof) fund(ctx context.Context, id qredo.FundID) (*Fund, error) {
	first, err := p.funds.ListLedger(ctx, p.company, id, qredo.LedgerOptions{Limit: 1}) // before its wallets are read, and after
	if err != nil {
		return nil, err
	}
	fund, err := p.funds.Get(ctx, p.company, id)
	if err != nil {
		return nil, err
	}
	result := &Fund{ID: fund.ID, Name: fund.Name, Wallets: []Wallet{}}
	listed, present := 0, map[qredo.WalletID]bool{}
	for _, w := range fund.Wallets {
		wallet, entries, err := p.wallet(ctx, fund.ID, w.ID)
		if err != nil {
			return nil, err
		}
		listed += entries
		present[wallet.WalletID] = true
		result.Wallets = append(result.Wallets, *wallet)
	}
	more, err := p.uncounted(ctx, id, first, listed, present)
	if err != nil {
		return nil, err
	}
	if more > 0 {
		result.Findings = append(result.Findings, Finding{Kind: FoundUncounted, Amount: qredo.Amount(more)})
	}
	if p.earlier != nil {
		for w := range p.earlier.Wallets() {
			if w.FundID == fund.ID && !present[w.WalletID] {
				result.Findings = append(result.Findings, Finding{Kind: FoundWalletGone, WalletID: w.WalletID, Amount: w.Balance})
			}
		}
	}
	result.total()
	return result, nil
}

// uncounted is how many entries a fund's ledger has besides those of its wallets: by its totals, if it has them and
// nothing arrived while the wallets were read, and otherwise by looking at each entry.
func (p *proof) uncounted(ctx context.Context, id qredo.FundID, first *qredo.LedgerPage, listed int, present map[qredo.WalletID]bool) (more int, err error) {
	last, err := p.funds.ListLedger(ctx, p.company, id, qredo.LedgerOptions{Limit: 1})
	if err != nil {
		return 0, err
	}
	// A total that is no larger than the page may be the page's.
	if first.Total == last.Total && first.Total >= listed && first.Total > len(first.Entries) {
		return first.Total - listed, nil
	}
	nobodys, all := 0, 0
	for e, err := range p.funds.LedgerAll(ctx, p.company, id, qredo.LedgerOptions{}) {
		if err != nil {
			return 0, err
		}
		all++
		switch {
		case e.WalletID == "":
			nobodys++
		case !present[e.WalletID]:
			more++
		}
	}
	if nobodys > 0 { // the service names the wallet only if it is asked for a wallet's entries
		more = max(more, all-listed)
	}
	return more, nil
}

// total adds up the wallets by asset.
func (f *Fund) total() {
	f.Totals = []Total{}
	byAsset := map[qredo.AssetCode][]Wallet{}
	for _, w := range f.Wallets {
		byAsset[w.Asset] = append(byAsset[w.Asset], w)
	}
	overflow := false
	for _, asset := range slices.Sorted(maps.Keys(byAsset)) {
		all := func(of func(Wallet) qredo.Amount) qredo.Amount {
			var s sum
			for _, w := range byAsset[asset] {
				s.add(of(w))
			}
			total, fits := s.amount()
			overflow = overflow || !fits
			return total
		}
		f.Totals = append(f.Totals, Total{
			Asset: asset, Wallets: len(byAsset[asset]),
			Opening: all(func(w Wallet) qredo.Amount { return w.Opening }), Moved: all(func(w Wallet) qredo.Amount { return w.Moved }),
			Fees: all(func(w Wallet) qredo.Amount { return w.Fees }), Expected: all(func(w Wallet) qredo.Amount { return w.Expected }),
			Balance: all(func(w Wallet) qredo.Amount { return w.Balance }), Difference: all(func(w Wallet) qredo.Amount { return w.Difference }),
		})
	}
	if overflow {
		f.Findings = append(f.Findings, Finding{Kind: FoundOverflow})
	}
}

// wallet adds up one wallet, and returns how many of the ledger's entries belong to it. Entries that arrive in the
// meantime do not count as a difference: a finding stands when two consecutive readings agree.
func (p *proof) wallet(ctx context.Context, fund qredo.FundID, id qredo.WalletID) (*Wallet, int, error) {
	const attempts = 6
	var last *Wallet
	for attempt := 1; ; attempt++ {
		wallet, err := p.wallets.Get(ctx, id)
		if err != nil {
			return nil, 0, err
		}
		result, entries, moved, err := p.reading(ctx, fund, wallet)
		if err != nil {
			return nil, 0, err
		}
		if p.unsure(id) { // it is read again, either way
			return result, entries, nil
		}
		settled := !moved && reflect.DeepEqual(result, last)
		if result.Status == StatusOK {
			// The books were read after the balance: movements in between could make a wrong one look right.
			after, err := p.wallets.Get(ctx, id)
			if err != nil {
				return nil, 0, err
			}
			settled = after.Balance == wallet.Balance
		}
		switch {
		case settled:
			return result, entries, nil
		case attempt == attempts:
			result.Status = StatusMoving
			result.Findings = append(result.Findings, Finding{Kind: FoundMoving, WalletID: id})
			return result, entries, nil
		}
		last = result
	}
}
