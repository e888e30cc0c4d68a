package inbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/qredo-go/qredo"
)

// Option changes what an inbox follows, and how.
type Option func(*settings) error

// WithFunds follows funds of a company by their ledgers: one call looks at all wallets of a fund, new ones too.
func WithFunds(company qredo.CompanyID, funds ...qredo.FundID) Option {
	return func(s *settings) error {
		for _, f := range funds {
			if err := checkIDs(string(company), string(f)); err != nil {
				return err
			}
			s.funds = append(s.funds, fundID{company, f})
		}
		return check(len(funds) > 0, "funds", "must name one or more; WithCompany follows all")
	}
}

// WithCompany follows all funds of a company, also those that are made later. They are listed every ten of the longest
// pauses of [WithPolling].
func WithCompany(company qredo.CompanyID) Option {
	return func(s *settings) error { s.companies = append(s.companies, company); return checkIDs(string(company)) }
}

// WithWallets follows wallets by their histories, one call a wallet: for those whose fund's ledger the account may not
// read, as an exchange's of its customers. Do not name a wallet of a fund that is followed: its movements would have two
// sources.
func WithWallets(wallets ...qredo.WalletID) Option {
	return func(s *settings) error {
		for _, w := range wallets {
			if err := checkIDs(string(w)); err != nil {
				return err
			}
		}
		s.wallets = append(s.wallets, wallets...)
		return check(len(wallets) > 0, "wallets", "must name one or more")
	}
}

func checkIDs(ids ...string) error {
	for _, id := range ids {
		if err := check(id != "", "id", "must not be empty"); err != nil {
			return err
		}
	}
	return nil
}

// FromStart hands over everything that there ever was.
func FromStart() Option {
	return func(s *settings) error { s.fromNow, s.begin = false, time.Time{}; return nil }
}

// From hands over what moved at a time or later, by the service's clock. Default: when the inbox was first run. The store
// keeps what the first run has said: later ones go on from there, whatever they say.
func From(t time.Time) Option {
	return func(s *settings) error { s.fromNow, s.begin = false, t; return nil }
}

// WithChanges also hands over what has not moved: a transaction when it is made, with each change of its status that is
// seen, and when it comes to nothing. Such a [Movement] has Moved false, the Key of what it tells of, and nothing to be
// booked. A status that lasts for less than the pause between two looks may not be seen.
// All programs that share a store should agree: one without this option does not hand over what others have recorded of it,
// and makes it [StateVoid].
func WithChanges() Option { return func(s *settings) error { s.changes = true; return nil } }

// WithFeed connects to the wallets feed, to look as soon as it tells of a movement, once a second at most. It tells of dedicated
// wallets that are connected to core clients of the account, and of no others: these are found at the next look.
func WithFeed(opts ...qredo.FeedOption) Option {
	return func(s *settings) error { s.feed, s.feedOpts = true, opts; return nil }
}

// WithPolling sets how long to wait between two looks at a fund or wallet: shortest after something has changed, twice as
// long after each look without news, up to longest. Default: 3 s and 30 s. Pauses vary by a tenth, so that programs do
// not ask together.
func WithPolling(shortest, longest time.Duration) Option {
	return func(s *settings) error {
		s.poll.Min, s.poll.Max = shortest, longest
		return check(shortest > 0 && longest >= shortest, "polling", "must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	}
}

// WithAttempts sets after how many attempts that failed a movement is set aside for a person. Default: 10.
func WithAttempts(n int) Option {
	return func(s *settings) error {
		s.attempts = n
		return check(n > 0, "attempts", "must be more than zero, is %d", n)
	}
}

// WithHandlerTimeout sets how long one call of the handler may take: then its context ends, and the attempt has failed unless
// the handler returns nil. A handler that does not heed its context keeps its wallet, and its place among those of
// [WithConcurrency]; a warning says so. Default: 30 s.
func WithHandlerTimeout(d time.Duration) Option {
	return func(s *settings) error {
		s.limit = d
		return check(d > 0, "handler timeout", "must be more than zero, is %s", d)
	}
}

// WithBackoff sets how long to wait after an attempt that failed: at first shortest, doubled each time up to longest.
// Default: 1 s and 5 min.
func WithBackoff(shortest, longest time.Duration) Option {
	return func(s *settings) error {
		s.pauses.Min, s.pauses.Max = shortest, longest
		return check(shortest > 0 && longest >= shortest, "backoff", "must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	}
}

// WithLease sets for how long a program has a fund or wallet to itself. It renews the lease while it lives; where it
// died, another takes over when it has ended. Default: 1 min.
func WithLease(d time.Duration) Option {
	return func(s *settings) error {
		s.lease = d
		return check(d >= 10*time.Millisecond, "lease", "must be 10 ms or more, is %s", d)
	}
}

// WithConcurrency sets how many movements, of as many wallets, are handed over at once. Default: 8. Fewer are where the pool
// of package postgres has too few connections, which a warning says.
func WithConcurrency(n int) Option {
	return func(s *settings) error {
		if err := check(n > 0, "concurrency", "must be more than zero, is %d", n); err != nil {
			return err
		}
		s.slots = make(chan struct{}, n)
		return nil
	}
}

// WithClock sets where the time comes from for what is not the service's or the store's: when an attempt is due, and when
// an entry has changed. Default: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *settings) error { s.clock = now; return check(now != nil, "clock", "must not be nil") }
}

// WithLogger logs what a person should know: movements that are set aside as errors, failures of the service, the store
// and the handler as warnings. Amounts and recipients are not logged. Default: nothing is.
func WithLogger(log *slog.Logger) Option {
	return func(s *settings) error { s.log = log; return check(log != nil, "logger", "must not be nil") }
}

// WithObserver calls observe when a movement was handed over, has failed, or is set aside: for metrics and alarms. It is
// called by several goroutines at a time and should be quick.
func WithObserver(observe func(context.Context, Entry)) Option {
	return func(s *settings) error {
		s.observe = observe
		return check(observe != nil, "observer", "must not be nil")
	}
}
