package inbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/qredo-go/qredo"
)

// Option changes what an inbox follows, and how.
type Option func(*settings) error

// WithFunds follows funds of a company through their ledgers: one call covers all wallets of a fund, including new ones.
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

// WithCompany follows all funds of a company, including those created later. The list of funds is read at intervals of ten
// times the longest pause of [WithPolling].
func WithCompany(company qredo.CompanyID) Option {
	return func(s *settings) error { s.companies = append(s.companies, company); return checkIDs(string(company)) }
}

// WithWallets follows wallets through their histories, with one call per wallet. Use it for wallets whose fund's ledger the
// account may not read, such as those of an exchange's customers. Do not name a wallet of a fund that is already followed: its
// movements would have two sources.
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

// FromStart hands over everything since the very first movement.
func FromStart() Option {
	return func(s *settings) error { s.fromNow, s.begin = false, time.Time{}; return nil }
}

// From hands over what moved at the given time or later, by the service's clock. Only the first run counts: the store keeps the
// time, and later runs ignore theirs. Default: when the inbox was first run.
func From(t time.Time) Option {
	return func(s *settings) error { s.fromNow, s.begin = false, t; return nil }
}

// WithChanges also hands over transactions that have not moved anything: when they are created, at each change of status that
// is seen, and when they fail. Such a [Movement] has Moved false and the Key of the transaction's movement, and must not be
// booked. A status that lasts for less than the pause between two looks may be missed. All programs that share a store should
// agree on this option: a program without it does not hand over such changes recorded by others, and marks them [StateVoid].
// Default: only what has moved.
func WithChanges() Option { return func(s *settings) error { s.changes = true; return nil } }

// WithFeed connects to the wallets feed, so that the inbox looks as soon as the feed reports a movement, at most once a second.
// The feed covers only dedicated wallets that are connected to core clients of the account; movements in other wallets are
// found at the next regular look.
func WithFeed(opts ...qredo.FeedOption) Option {
	return func(s *settings) error { s.feed, s.feedOpts = true, opts; return nil }
}

// WithPolling sets how long to wait between two looks at a fund or wallet: shortest after something has changed, then twice as
// long after each look without news, up to longest. Pauses vary by a tenth, so that programs do not all ask at once. Default: 3
// s and 30 s.
func WithPolling(shortest, longest time.Duration) Option {
	return func(s *settings) error {
		s.poll.Min, s.poll.Max = shortest, longest
		return check(shortest > 0 && longest >= shortest, "polling", "must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	}
}

// WithAttempts sets after how many failed attempts a movement is set aside for a person. Default: 10.
func WithAttempts(n int) Option {
	return func(s *settings) error {
		s.attempts = n
		return check(n > 0, "attempts", "must be more than zero, is %d", n)
	}
}

// WithHandlerTimeout sets how long one call of the handler may take. After that its context ends, and the attempt has failed
// unless the handler returns nil. A handler that ignores its context blocks its wallet, and one of the slots of
// [WithConcurrency]; a warning is logged. Default: 30 s.
func WithHandlerTimeout(d time.Duration) Option {
	return func(s *settings) error {
		s.limit = d
		return check(d > 0, "handler timeout", "must be more than zero, is %s", d)
	}
}

// WithBackoff sets how long to wait after a failed attempt: at first shortest, then twice as long each time, up to longest.
// Default: 1 s and 5 min.
func WithBackoff(shortest, longest time.Duration) Option {
	return func(s *settings) error {
		s.pauses.Min, s.pauses.Max = shortest, longest
		return check(shortest > 0 && longest >= shortest, "backoff", "must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	}
}

// WithLease sets how long a program has a fund or wallet to itself. It renews the lease as long as it runs; if it dies, another
// takes over when the lease has ended. Default: 1 min.
func WithLease(d time.Duration) Option {
	return func(s *settings) error {
		s.lease = d
		return check(d >= 10*time.Millisecond, "lease", "must be 10 ms or more, is %s", d)
	}
}

// WithConcurrency sets how many movements, each of a different wallet, are handed over at once. If the pool of package postgres
// has too few connections, there are fewer, and a warning is logged. Default: 8.
func WithConcurrency(n int) Option {
	return func(s *settings) error {
		if err := check(n > 0, "concurrency", "must be more than zero, is %d", n); err != nil {
			return err
		}
		s.slots = make(chan struct{}, n)
		return nil
	}
}

// WithClock sets the clock for everything that does not use the service's or the store's: when an attempt is due, and when an
// entry has changed. Default: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *settings) error { s.clock = now; return check(now != nil, "clock", "must not be nil") }
}

// WithLogger logs what a person should know: movements that are set aside as errors; failures of the service, the store and the
// handler as warnings. Amounts and recipients are not logged. Default: no logging.
func WithLogger(log *slog.Logger) Option {
	return func(s *settings) error { s.log = log; return check(log != nil, "logger", "must not be nil") }
}

// WithObserver calls observe when a movement was handed over, has failed, or is set aside, for metrics and alarms. It is called
// by several goroutines at a time and should be quick. Default: none.
func WithObserver(observe func(context.Context, Entry)) Option {
	return func(s *settings) error {
		s.observe = observe
		return check(observe != nil, "observer", "must not be nil")
	}
}
