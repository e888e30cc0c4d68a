package outbox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

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

	enqueued signal // wakes workers
	changed  signal // wakes those who watch
}

// Option changes how an outbox works.
type Option func(*Outbox) error

// WithClock sets where the time comes from: for leases, expiries and steps. It is [time.Now] unless given.
func WithClock(now func() time.Time) Option {
	return func(o *Outbox) error { o.clock = now; return check(now != nil, "clock", "must not be nil") }
}

// WithLogger logs what happens to entries: their ends at level info, unknown outcomes and failures of the
// store as warnings. Amounts and recipients are not logged. Unless given, nothing is.
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

// New returns an outbox that sends with client and keeps its entries in store. A wrong option is a
// [*qredo.ValidationError]. Nothing is sent until [Outbox.Run].
func New(client *qredo.Client, store Store, opts ...Option) (*Outbox, error) {
	if client == nil || store == nil {
		return nil, check(false, "outbox", "needs a client and a store")
	}
	o := &Outbox{
		client: client, store: store, log: slog.New(slog.DiscardHandler), clock: time.Now,
		concurrency: 8, lease: 2 * time.Minute, poll: time.Second, pauseMin: time.Second, pauseMax: 5 * time.Minute,
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

// now is the time as stores can keep it.
func (o *Outbox) now() time.Time { return o.clock().UTC().Truncate(time.Microsecond) }

// keptKey bounds a key, in bytes.
const keptKey = 500

// Enqueue stores a payment under a key of the caller's, such as an invoice's number, and returns when it
// is on the disk. A worker sends it.
//
// With a key that is known, nothing is stored, and the entry that is there is returned, whatever has
// become of it. The request must be the same then, or the error is a [*KeyConflictError]; its expiry may
// differ, so that a program that is started again may work it out anew, and the first one counts.
//
// A request that cannot be right is a [*qredo.ValidationError]. Programs that share an API key but not a
// store must not use the same key for two payments that are alike: they would be taken for one.
func (o *Outbox) Enqueue(ctx context.Context, key string, req Request) (Entry, error) {
	switch {
	case key == "" || len(key) > keptKey || !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return Entry{}, check(false, "key", "must be text of 1 to %d bytes, is %.50q", keptKey, key)
	case req == nil:
		return Entry{}, check(false, "request", "must not be nil")
	case req.partner() != "":
		return Entry{}, check(false, "partner_txID", "must be empty: the outbox makes it")
	}
	what, err := essence(req)
	if err != nil {
		return Entry{}, fmt.Errorf("outbox: %w", err)
	}
	now := o.now()
	id := derivePartnerTxID(key, what)
	invalid := checkRequest(req, now)
	if invalid == nil {
		// PostgreSQL's JSON cannot hold a NUL, so that such a payment could be enqueued again and again and
		// never be stored. Pairs of backslashes go first: what follows them is text, no escape.
		invalid = check(!strings.Contains(strings.ReplaceAll(what, `\\`, ""), `\u0000`), "request", "must have no NUL character in its texts")
	}
	if invalid != nil {
		// What is known may have expired since. What is not cannot be stored.
		stored, err := o.store.Get(ctx, key)
		switch {
		case errors.Is(err, ErrNotFound):
			return Entry{}, invalid
		case err != nil: // then nobody knows whether it is paid already
			return Entry{}, fmt.Errorf("outbox: looking for %q: %w", key, err)
		}
		return same(stored, what)
	}
	e := Entry{
		Key: key, PartnerTxID: id, State: StatePending, Created: now, Due: now, Version: 1,
		Request: req.with(id, qredo.Unix(req.expires().Unix())),
	}
	e.step(now, StepEnqueued, "")
	stored, added, err := o.store.Add(ctx, e)
	if err != nil {
		return Entry{}, fmt.Errorf("outbox: storing %q: %w", key, err)
	}
	if added {
		o.enqueued.send()
		return stored, nil
	}
	return same(stored, what)
}

// same returns an entry if it is for what is asked for.
func same(stored Entry, essenceWanted string) (Entry, error) {
	has, err := essence(stored.Request)
	if err != nil {
		return Entry{}, fmt.Errorf("outbox: %w", err)
	}
	if has != essenceWanted {
		return Entry{}, &KeyConflictError{Stored: stored}
	}
	return stored, nil
}

// Get returns the entry with a key, or [ErrNotFound].
func (o *Outbox) Get(ctx context.Context, key string) (Entry, error) { return o.store.Get(ctx, key) }

// List ranges over the entries that a filter selects, in the order of their keys. They are read in parts:
// one that changes meanwhile comes as it was when its part was read. An error ends it.
func (o *Outbox) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	const part = 500
	return func(yield func(Entry, error) bool) {
		for after := ""; ; {
			page, err := o.store.Page(ctx, f, after, part)
			if err != nil {
				yield(Entry{}, fmt.Errorf("outbox: listing: %w", err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < part {
				return
			}
			after = page[len(page)-1].Key
		}
	}
}

// Watch yields an entry as it is and again when it has changed, until it has ended. Of changes in quick
// succession the last is certain to come; all of them are in the entry's steps. The end of ctx and a
// failure to look are errors that end it.
func (o *Outbox) Watch(ctx context.Context, key string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		// What programs elsewhere change is seen at intervals.
		interval := time.NewTicker(o.poll)
		defer interval.Stop()
		for version := 0; ; {
			changed := o.changed.next()
			e, err := o.store.Get(ctx, key)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if e.Version != version {
				version = e.Version
				if !yield(e, nil) || e.State.Ended() {
					return
				}
			}
			select {
			case <-ctx.Done():
				yield(Entry{}, ctx.Err())
				return
			case <-changed:
			case <-interval.C:
			}
		}
	}
}

// signal wakes all who wait for it.
type signal struct {
	mu      sync.Mutex
	waiting chan struct{}
}

// next returns what is closed when the signal is sent the next time.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		s.waiting = make(chan struct{})
	}
	return s.waiting
}

func (s *signal) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != nil {
		close(s.waiting)
		s.waiting = nil
	}
}
