package approver

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/qredo-go/qredo"
)

// Option changes how an [Approver] works.
type Option interface{ set(a *Approver) error }

type option func(a *Approver) error

func (o option) set(a *Approver) error { return o(a) }

// ClockOption says where the time comes from; see [WithClock].
type ClockOption func() time.Time

// WithClock sets where the time comes from; [time.Now] unless given. Given to [New], it is what actions'
// expiry is held against. Rules, stores and audit logs have a clock of their own, and take this option too.
func WithClock(now func() time.Time) ClockOption { return now }

func (c ClockOption) set(a *Approver) (err error) {
	a.now, err = clock([]ClockOption{c})
	return err
}

// clock is the last of the clocks that are given.
func clock(given []ClockOption) (func() time.Time, error) {
	now := time.Now
	for _, c := range given {
		now = c
	}
	return now, check(now != nil, "clock", "must not be nil")
}

// check returns a [*qredo.ValidationError] unless something is as it must be.
func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// WithStore sets where decisions and sums are kept. Unless given they are kept in memory and lost at the
// end of the program, so that limits begin anew: see [OpenStore].
func WithStore(store Store) Option {
	return option(func(a *Approver) error { a.store = store; return check(store != nil, "store", "must not be nil") })
}

// WithAuditLog sets the log that each decision goes into before it is carried out. Unless given there is
// none.
func WithAuditLog(log *AuditLog) Option {
	return option(func(a *Approver) error { a.audit = log; return check(log != nil, "audit log", "must not be nil") })
}

// WithCoordinator shares the work between replicas, which must share their store too. Without it, which is
// the default, replicas with one store still decide each action once, but all of them send the vote: the service
// refuses all but the first, which the others note as ended.
func WithCoordinator(c Coordinator) Option {
	return option(func(a *Approver) error { a.coordinator = c; return check(c != nil, "coordinator", "must not be nil") })
}

// WithReplica names this replica in the audit log. Unless given it has no name there.
func WithReplica(name string) Option {
	return option(func(a *Approver) error { a.replica = name; return nil })
}

// WithShadow decides and logs but does nothing: no vote is sent, and the store is neither read nor
// changed. Limits are counted for this run alone, as if the run were the first, to show what they would
// do. Unless given, decisions are carried out.
func WithShadow() Option {
	return option(func(a *Approver) error { a.shadow = true; return nil })
}

// WithObserver calls f with each entry after it was written to the audit log, or instead of that if there
// is no log. It is called by several goroutines at once and should be quick. Unless given nobody is told.
func WithObserver(f func(Entry)) Option {
	return option(func(a *Approver) error { a.observe = f; return check(f != nil, "observer", "must not be nil") })
}

// WithLogger tells what happens and what goes wrong; unless given nothing is logged. Amounts, recipients
// and references are not logged, only identifiers, verdicts and reasons.
func WithLogger(log *slog.Logger) Option {
	return option(func(a *Approver) error { a.log = log; return check(log != nil, "logger", "must not be nil") })
}

// WithConcurrency sets how many actions are handled at once; 4 unless given.
func WithConcurrency(n int) Option {
	return option(func(a *Approver) error {
		a.concurrency = n
		return check(n > 0, "concurrency", "must be more than zero, is %d", n)
	})
}

// WithBackoff sets the shortest and the longest pause before trying again what failed for the moment; 250
// milliseconds and 30 seconds unless given. Pauses double, and are drawn at random from the upper half.
func WithBackoff(shortest, longest time.Duration) Option {
	return option(func(a *Approver) error {
		a.pauseMin, a.pauseMax = shortest, longest
		return check(shortest > 0 && longest >= shortest, "backoff",
			"must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	})
}

// WithFeedOptions sets how the feed of actions works: see [qredo.FeedOption] and its defaults.
func WithFeedOptions(opts ...qredo.FeedOption) Option {
	return option(func(a *Approver) error { a.feed = opts; return nil })
}
