package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/qredo-go/qredo"
)

// Outbox accepts payments and makes each of them once. It is safe for concurrent use.
type Outbox struct {
	client      *qredo.Client
	store       Store
	log         *slog.Logger
	clock       func() time.Time
	concurrency int
	lease       time.Duration
	poll        time.Duration

	pauseMin, pauseMax time.Duration

	inject  func(context.Context) map[string]string
	extract func(context.Context, map[string]string) context.Context
	observe func(context.Context, Entry)
	trace   Trace
	apiKey  string // a digest

	enqueued signal // wakes workers
	changed  signal // wakes watchers
}

// Option changes how an outbox works.
type Option func(*Outbox) error

// WithClock sets the clock for leases, expiries and steps. Default: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(o *Outbox) error { o.clock = now; return check(now != nil, "clock", "must not be nil") }
}

// WithLogger logs what happens to entries: their final state at level info; unknown outcomes, held entries, calls that keep
// failing, and failures of the store as warnings. Amounts and recipients are not logged. Default: no logging.
func WithLogger(log *slog.Logger) Option {
	return func(o *Outbox) error { o.log = log; return check(log != nil, "logger", "must not be nil") }
}

// WithConcurrency sets how many entries [Outbox.Run] works on at once. Default: 8.
func WithConcurrency(n int) Option {
	return func(o *Outbox) error {
		o.concurrency = n
		return check(n > 0, "concurrency", "must be more than zero, is %d", n)
	}
}

// WithLease sets how long a worker has an entry to itself. No call takes longer than three quarters of it. With package
// postgres, an entry whose worker died waits that long. Default: 2 min.
func WithLease(d time.Duration) Option {
	return func(o *Outbox) error { o.lease = d; return check(d > 0, "lease", "must be more than zero, is %s", d) }
}

// WithPollInterval sets how often an idle worker asks the store for work, and how soon it first looks at a transaction that
// it has sent. Later looks are further and further apart, up to sixty intervals. Default: 1 s.
func WithPollInterval(d time.Duration) Option {
	return func(o *Outbox) error {
		o.poll = d
		return check(d > 0, "poll interval", "must be more than zero, is %s", d)
	}
}

// WithBackoff sets how long an entry rests after a call that failed: at first shortest, then twice as long after each
// further one, up to longest. This is on top of the client's own retries. Default: 1 s and 5 min.
func WithBackoff(shortest, longest time.Duration) Option {
	return func(o *Outbox) error {
		o.pauseMin, o.pauseMax = shortest, longest
		return check(shortest > 0 && longest >= shortest, "backoff",
			"must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	}
}

// WithContextCarrier keeps part of your context with each entry, such as the trace that it belongs to. inject extracts it from
// the context of [Outbox.Enqueue]; extract puts it into the context of each attempt, each look and each call of the observer.
// It is stored as it is, so it should be short and contain no secrets. A store that takes payments in your own transactions
// needs to be given inject itself. If you give the option several times, everything is kept; if two use the same name, the last
// one counts.
func WithContextCarrier(inject func(context.Context) map[string]string, extract func(context.Context, map[string]string) context.Context) Option {
	return func(o *Outbox) error {
		if before := o.inject; before != nil && inject != nil {
			inject = merged(before, inject)
		}
		before := o.extract
		o.inject, o.extract = inject, func(ctx context.Context, kept map[string]string) context.Context {
			return extract(before(ctx, kept), kept)
		}
		return check(inject != nil && extract != nil, "context carrier", "must have both functions")
	}
}

// WithObserver calls observe after each change of an entry that this outbox has stored, for metrics and alarms. The entry's
// last step says what happened. It is called by workers, several at a time, and should be quick. Default: none.
func WithObserver(observe func(context.Context, Entry)) Option {
	return func(o *Outbox) error {
		o.observe = observe
		return check(observe != nil, "observer", "must not be nil")
	}
}

// New returns an outbox that sends with client and keeps its entries in store. A wrong option is a
// [*qredo.ValidationError]. Nothing is sent until [Outbox.Run].
func New(client *qredo.Client, store Store, opts ...Option) (*Outbox, error) {
	if client == nil || store == nil {
		return nil, check(false, "outbox", "needs a client and a store")
	}
	o, err := open(store, opts)
	if err != nil {
		return nil, err
	}
	o.client, o.apiKey = client, client.APIKeyDigest()
	return o, nil
}

// open returns an outbox that cannot send.
func open(store Store, opts []Option) (*Outbox, error) {
	o := &Outbox{
		store: store, log: slog.New(slog.DiscardHandler), clock: time.Now,
		concurrency: 8, lease: 2 * time.Minute, poll: time.Second, pauseMin: time.Second, pauseMax: 5 * time.Minute,
		extract: func(ctx context.Context, _ map[string]string) context.Context { return ctx },
		observe: func(context.Context, Entry) {},
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// beyond is later than any time that a correct clock postpones an entry to.
func (o *Outbox) beyond(now time.Time) time.Time {
	return now.Add(max(o.pauseMax, 60*o.poll, o.lease) + o.lease)
}

// now is the time in the precision that stores keep.
func (o *Outbox) now() time.Time { return o.clock().UTC().Truncate(time.Microsecond) }
