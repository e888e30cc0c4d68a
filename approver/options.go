package approver

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/qredo-go/qredo"
)

// Option changes how an [Approver] works.
type Option func(*Approver) error

// WithStore sets where decisions and sums are kept. Unless set they are kept in memory and lost at the
// end of the program, so that limits begin anew: see [OpenStore].
func WithStore(store Store) Option {
	return func(a *Approver) error {
		if store == nil {
			return errors.New("approver: the store must not be nil")
		}
		a.store = store
		return nil
	}
}

// WithAuditLog sets the log that each decision goes into before it is carried out. Unless set there is
// none.
func WithAuditLog(log *AuditLog) Option {
	return func(a *Approver) error {
		a.audit = log
		return nil
	}
}

// WithCoordinator shares the work between replicas, which must share their store too. Without it, replicas
// with one store still decide each action once, but all of them send the vote.
func WithCoordinator(c Coordinator) Option {
	return func(a *Approver) error {
		a.coordinator = c
		return nil
	}
}

// WithReplica names this replica in the audit log.
func WithReplica(name string) Option {
	return func(a *Approver) error {
		a.replica = name
		return nil
	}
}

// WithShadow decides and logs but does nothing: no vote is sent, and the store is neither read nor
// changed. Limits are counted for this run alone, as if the run were the first, to show what they would
// do.
func WithShadow() Option {
	return func(a *Approver) error {
		a.shadow = true
		return nil
	}
}

// WithObserver calls f with each entry after it was written to the audit log, or instead of that if there
// is no log. It is called by several goroutines at once and should be quick.
func WithObserver(f func(Entry)) Option {
	return func(a *Approver) error {
		a.observe = f
		return nil
	}
}

// WithLogger tells what happens and what goes wrong. Amounts, recipients and references are not logged,
// only identifiers, verdicts and reasons.
func WithLogger(log *slog.Logger) Option {
	return func(a *Approver) error {
		if log == nil {
			return errors.New("approver: the logger must not be nil")
		}
		a.log = log
		return nil
	}
}

// WithClock sets where the time comes from that actions' expiry is held against. The clocks of rules, store and
// audit log are their own.
func WithClock(now func() time.Time) Option {
	return func(a *Approver) error {
		if now == nil {
			return errors.New("approver: the clock must not be nil")
		}
		a.now = now
		return nil
	}
}

// WithConcurrency sets how many actions are handled at once; 4 unless set.
func WithConcurrency(n int) Option {
	return func(a *Approver) error {
		if n < 1 {
			return fmt.Errorf("approver: concurrency must be at least 1, is %d", n)
		}
		a.concurrency = n
		return nil
	}
}

// WithBackoff sets the shortest and the longest pause before trying again what failed for the moment; 250
// milliseconds and 30 seconds unless set. Pauses double, and are drawn at random from the upper half.
func WithBackoff(shortest, longest time.Duration) Option {
	return func(a *Approver) error {
		if shortest <= 0 || longest < shortest {
			return fmt.Errorf("approver: pauses must be more than zero, and the longest not below the shortest, are %s to %s", shortest, longest)
		}
		a.pauseMin, a.pauseMax = shortest, longest
		return nil
	}
}

// WithFeedOptions sets how the feed of actions works: see [qredo.FeedOption].
func WithFeedOptions(opts ...qredo.FeedOption) Option {
	return func(a *Approver) error {
		a.feed = opts
		return nil
	}
}
