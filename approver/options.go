package approver

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/qredo-go/qredo"
)

// Option changes how an [Approver] works.
type Option interface{ set(a *Approver) error }

type option func(a *Approver) error

func (o option) set(a *Approver) error { return o(a) }

// ClockOption says where the time comes from; see [WithClock].
type ClockOption func() time.Time

// WithClock sets where the time comes from; [time.Now] unless given. Given to [New], it is what decisions have for their
// time. Whether an action has expired is held against the client's clock, as [qredo.Client.Expired] does. Rules, stores and
// audit logs have a clock of their own, and take this option too.
func WithClock(now func() time.Time) ClockOption { return now }

func (c ClockOption) set(a *Approver) (err error) {
	a.now, err = clock([]ClockOption{c})
	return err
}

// clock is the last of the clocks that are given.
func clock(opts []ClockOption) (func() time.Time, error) {
	now := time.Now
	for _, c := range opts {
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

// given reports whether there is something: an interface may hold a pointer, or a function, that is nil.
func given(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return false
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return !r.IsNil()
	default:
		return true
	}
}

// WithStore sets where decisions and sums are kept. Unless given they are kept in memory and lost at the
// end of the program, so that limits begin anew: see [OpenStore].
func WithStore(store Store) Option {
	return option(func(a *Approver) error {
		a.store = &watchedStore{Store: store}
		return check(given(store), "store", "must not be nil")
	})
}

// WithAuditLog sets the log that each decision goes into before it is carried out. Unless given there is
// none.
func WithAuditLog(log *AuditLog) Option {
	return option(func(a *Approver) error { a.audit = log; return check(log != nil, "audit log", "must not be nil") })
}

// WithCoordinator shares the work between replicas, which must share their store too. Without it, which is
// the default, replicas with one store still decide each action once, but all of them send the vote: the service
// refuses all but the first, and the others note what became of that.
func WithCoordinator(c Coordinator) Option {
	return option(func(a *Approver) error { a.coordinator = c; return check(given(c), "coordinator", "must not be nil") })
}

// WithReplica names this replica in the audit log. Unless given it has no name there.
func WithReplica(name string) Option {
	return option(func(a *Approver) error { a.replica = name; return nil })
}

// WithShadow decides and logs but does nothing: no vote is sent, and the store is neither read nor
// changed. Limits are counted anew, as if nothing had been approved before, to show what they would
// do. Unless given, decisions are carried out. [Approver.Reload] changes it.
func WithShadow() Option {
	return option(func(a *Approver) error { a.inForce.shadow = true; return nil })
}

// WithPins approves nothing but what is as people have agreed: see [Pins]. The file must be signed by the key, and is read
// by [New] and by each [Approver.Reload]. A file that others can write is refused: see [WithInsecureFiles]. Unless given, the service is believed
// what is on a whitelist, and who approves.
func WithPins(file string, key ed25519.PublicKey) Option {
	return option(func(a *Approver) error {
		a.pins = pinFile{file, key}
		return check(file != "" && len(key) == ed25519.PublicKeySize, "pins", "need a file, and a public key of %d bytes", ed25519.PublicKeySize)
	})
}

// WithObserver calls f with each entry after it was written to the audit log, or instead of that if there
// is no log. It is called with one after the other, and holds nothing up; a panic is logged. Where 10,000 entries wait for it,
// it is not told of more. [Approver.Run] returns when it has been told of all, or 5 seconds later. Unless given nobody is told.
func WithObserver(f func(Entry)) Option {
	return option(func(a *Approver) error { a.observer.f = f; return check(f != nil, "observer", "must not be nil") })
}

// WithLogger tells what happens and what goes wrong; unless given nothing is logged. Amounts, recipients
// and references are not logged, only identifiers, verdicts and reasons.
func WithLogger(log *slog.Logger) Option {
	return option(func(a *Approver) error { a.log = log; return check(log != nil, "logger", "must not be nil") })
}

// WithConcurrency sets how many actions are handled at once; 4 unless given. One that takes longer than a second goes on beside
// these, so that it does not hold up others.
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

// WithPolicyTimeout sets how long a policy has to decide about an action, and a coordinator to let it be claimed; 1 minute unless
// given, and never longer than until the action expires. A policy that takes longer has failed: the action is left to
// humans. Its context ends then. One that does not heed that goes on, also after [Approver.Run] has returned, and what it
// says does not count.
func WithPolicyTimeout(timeout time.Duration) Option {
	return option(func(a *Approver) error {
		a.timeout = timeout
		return check(timeout > 0, "policy timeout", "must be more than zero, is %s", timeout)
	})
}

// WithFeedOptions sets how the feed of actions works: see [qredo.FeedOption] and its defaults.
func WithFeedOptions(opts ...qredo.FeedOption) Option {
	return option(func(a *Approver) error { a.feed = opts; return nil })
}
