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

// ClockOption sets a clock; see [WithClock].
type ClockOption func() time.Time

// WithClock sets the clock. Given to [New], it is the time of decisions. Whether an action has expired is decided by the
// client's clock, as [qredo.Client.Expired] does. Rules, stores and audit logs have clocks of their own, and take this option
// too. Default: [time.Now].
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

// WithStore sets where decisions and sums are kept: see [OpenStore]. Default: in memory, where they are lost when the
// program ends, so that limits start again from zero.
func WithStore(store Store) Option {
	return option(func(a *Approver) error {
		a.store = &watchedStore{Store: store}
		return check(given(store), "store", "must not be nil")
	})
}

// WithAuditLog sets the log that each decision is written to before it is carried out. Default: none.
func WithAuditLog(log *AuditLog) Option {
	return option(func(a *Approver) error { a.audit = log; return check(log != nil, "audit log", "must not be nil") })
}

// WithCoordinator shares the work between replicas, which must share a store too. Default: none; replicas with one store
// then still decide each action once, but all of them send the vote: the service refuses all but the first, and the others
// note the result.
func WithCoordinator(c Coordinator) Option {
	return option(func(a *Approver) error { a.coordinator = c; return check(given(c), "coordinator", "must not be nil") })
}

// WithReplica names this replica in the audit log. Default: no name.
func WithReplica(name string) Option {
	return option(func(a *Approver) error { a.replica = name; return nil })
}

// WithShadow decides and logs but does nothing: no vote is sent, and the store is neither read nor
// changed. Limits are counted from zero, as if nothing had been approved before, to show what they would
// do. [Approver.Reload] changes it. Default: decisions are carried out.
func WithShadow() Option {
	return option(func(a *Approver) error { a.inForce.shadow = true; return nil })
}

// WithPins approves only what matches what people have agreed on and signed: see [Pins]. The file must be signed by the key.
// [New] and each [Approver.Reload] read it. A file that others can write is refused: see [WithInsecureFiles]. Default: the
// service is trusted about what is on a whitelist and who approves.
func WithPins(file string, key ed25519.PublicKey) Option {
	return option(func(a *Approver) error {
		a.pins = pinFile{file, key}
		return check(file != "" && len(key) == ed25519.PublicKeySize, "pins", "need a file, and a public key of %d bytes", ed25519.PublicKeySize)
	})
}

// WithObserver calls f with each entry after it was written to the audit log, or instead if there is no log. Calls come one
// after the other and hold nothing up; a panic is logged. When 10,000 entries are waiting, further ones are dropped.
// [Approver.Run] returns when all have been delivered, or 5 seconds later. Default: none.
func WithObserver(f func(Entry)) Option {
	return option(func(a *Approver) error { a.observer.f = f; return check(f != nil, "observer", "must not be nil") })
}

// WithLogger logs what happens and what goes wrong: identifiers, verdicts and reasons, but no amounts, recipients or
// references. Default: no logging.
func WithLogger(log *slog.Logger) Option {
	return option(func(a *Approver) error { a.log = log; return check(log != nil, "logger", "must not be nil") })
}

// WithConcurrency sets how many actions are handled at once. An action that takes longer than a second no longer counts, so
// that it does not hold up others. Default: 4.
func WithConcurrency(n int) Option {
	return option(func(a *Approver) error {
		a.concurrency = n
		return check(n > 0, "concurrency", "must be more than zero, is %d", n)
	})
}

// WithBackoff sets the shortest and the longest pause before retrying after a temporary failure. Pauses double, and are drawn
// at random from the upper half. Default: 250 ms and 30 s.
func WithBackoff(shortest, longest time.Duration) Option {
	return option(func(a *Approver) error {
		a.pauseMin, a.pauseMax = shortest, longest
		return check(shortest > 0 && longest >= shortest, "backoff",
			"must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	})
}

// WithPolicyTimeout sets how long a policy may take to decide about an action, and a coordinator to claim it; in any case no
// longer than until the action expires. After that the policy's context ends, it has failed, and the action is left to people.
// A policy that ignores its context keeps running, even after [Approver.Run] has returned, but its result does not count.
// Default: 1 min.
func WithPolicyTimeout(timeout time.Duration) Option {
	return option(func(a *Approver) error {
		a.timeout = timeout
		return check(timeout > 0, "policy timeout", "must be more than zero, is %s", timeout)
	})
}

// WithFeedOptions sets options of the feed of actions: see [qredo.FeedOption] and its defaults.
func WithFeedOptions(opts ...qredo.FeedOption) Option {
	return option(func(a *Approver) error { a.feed = opts; return nil })
}
