package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/qredo-go/qredo"
)

// Outbox takes payments and makes each of them once. It is safe for concurrent use.
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
	apiKey  string // a digest

	enqueued signal // wakes workers
	changed  signal // wakes those who watch
}

// Option changes how an outbox works.
type Option func(*Outbox) error

// WithClock sets where the time comes from: for leases, expiries and steps. It is [time.Now] unless given.
func WithClock(now func() time.Time) Option {
	return func(o *Outbox) error { o.clock = now; return check(now != nil, "clock", "must not be nil") }
}

// WithLogger logs what happens to entries: their ends at level info; unknown outcomes, what is held, calls that go on bringing
// nothing, and failures of the store as warnings. Amounts and recipients are not logged. Unless given, nothing is.
func WithLogger(log *slog.Logger) Option {
	return func(o *Outbox) error { o.log = log; return check(log != nil, "logger", "must not be nil") }
}

// WithConcurrency sets how many entries [Outbox.Run] works on at once; 8 unless given.
func WithConcurrency(n int) Option {
	return func(o *Outbox) error {
		o.concurrency = n
		return check(n > 0, "concurrency", "must be more than zero, is %d", n)
	}
}

// WithLease sets for how long a worker has an entry to itself; two minutes unless given. No call takes
// longer than three quarters of it. With package postgres, an entry whose worker died waits that long.
func WithLease(d time.Duration) Option {
	return func(o *Outbox) error { o.lease = d; return check(d > 0, "lease", "must be more than zero, is %s", d) }
}

// WithPollInterval sets how often a worker without work asks the store for some, and how soon it looks at
// a transaction that it has sent; one second unless given. It looks ever more seldom, down to every sixty
// intervals.
func WithPollInterval(d time.Duration) Option {
	return func(o *Outbox) error {
		o.poll = d
		return check(d > 0, "poll interval", "must be more than zero, is %s", d)
	}
}

// WithBackoff sets how long an entry rests after a call that brought nothing: at first shortest, one
// second unless given, doubled with each further call up to longest, five minutes unless given. This is on
// top of the client's own retries.
func WithBackoff(shortest, longest time.Duration) Option {
	return func(o *Outbox) error {
		o.pauseMin, o.pauseMax = shortest, longest
		return check(shortest > 0 && longest >= shortest, "backoff",
			"must be more than zero, the second no less than the first, is %s and %s", shortest, longest)
	}
}

// WithContextCarrier keeps something of the caller's context with each entry, such as the trace that it belongs to. inject
// takes it from the context of [Outbox.Enqueue]; extract puts it into the context of each attempt, each look and each call
// of the observer. What is kept is stored as it is: it should be short and hold no secret. A store that takes payments in
// the caller's own transactions is told inject itself.
func WithContextCarrier(inject func(context.Context) map[string]string, extract func(context.Context, map[string]string) context.Context) Option {
	return func(o *Outbox) error {
		o.inject, o.extract = inject, extract
		return check(inject != nil && extract != nil, "context carrier", "must have both functions")
	}
}

// WithObserver calls observe after each change of an entry that this outbox has stored: for metrics and alarms. The entry's
// last step says what happened. It is called by workers, several at a time, and should be quick.
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

// beyond is later than anything is put off to by a clock that agrees with this one.
func (o *Outbox) beyond(now time.Time) time.Time {
	return now.Add(max(o.pauseMax, 60*o.poll, o.lease) + o.lease)
}

// now is the time as stores can keep it.
func (o *Outbox) now() time.Time { return o.clock().UTC().Truncate(time.Microsecond) }
