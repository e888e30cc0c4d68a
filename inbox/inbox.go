package inbox

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// Inbox follows funds and wallets, and hands over their movements. It is safe for concurrent use.
type Inbox[Tx any] struct {
	settings
	store Store[Tx]
}

// Handler takes over a movement. What it does in tx, and the record that the movement was handed over, are stored together or
// not at all: if it returns an error or panics, nothing is stored, and it is called again. With a [FileStore] there is no
// transaction: after a crash the handler may be called again with a movement that it has already had, with the same Key. The
// context ends when another program may have taken over, when the call takes longer than [WithHandlerTimeout], or when the
// program should stop.
type Handler[Tx any] func(ctx context.Context, tx Tx, m Movement) error

type settings struct {
	client  *qredo.Client
	records Records
	log     *slog.Logger
	clock   func() time.Time
	observe func(context.Context, Entry)
	trace   Trace

	companies []qredo.CompanyID
	funds     []fundID
	wallets   []qredo.WalletID
	begin     time.Time // zero for the start
	fromNow   bool
	changes   bool
	feed      bool
	feedOpts  []qredo.FeedOption

	poll     backoff.Range // between looks
	pauses   backoff.Range // between attempts to hand over
	attempts int
	limit    time.Duration // for a call of the handler
	lease    time.Duration
	holder   string
	slots    chan struct{}
}

type fundID struct {
	company qredo.CompanyID
	fund    qredo.FundID
}

// New returns an inbox that asks the service with client, and keeps in store what it has seen and handed over. It returns a
// [*qredo.ValidationError] for a wrong option, or if no option names a fund or wallet. Nothing is requested until [Inbox.Run].
func New[Tx any](client *qredo.Client, store Store[Tx], opts ...Option) (*Inbox[Tx], error) {
	if client == nil || store == nil {
		return nil, check(false, "inbox", "needs a client and a store")
	}
	in := &Inbox[Tx]{store: store, settings: settings{
		client: client, records: store, log: slog.New(slog.DiscardHandler), clock: time.Now, observe: func(context.Context, Entry) {},
		fromNow: true, poll: backoff.Range{Min: 3 * time.Second, Max: 30 * time.Second},
		pauses: backoff.Range{Min: time.Second, Max: 5 * time.Minute}, attempts: 10, limit: 30 * time.Second, lease: time.Minute, holder: rand.Text(), slots: make(chan struct{}, 8),
	}}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt(&in.settings); err != nil {
			return nil, err
		}
	}
	if s, ok := store.(interface{ MaxConcurrency() int }); ok && s.MaxConcurrency() < cap(in.slots) {
		most := max(1, s.MaxConcurrency())
		in.log.Warn("inbox: the store's pool has too few connections: fewer movements are handed over at once", "wanted", cap(in.slots), "now", most)
		in.slots = make(chan struct{}, most)
	}
	return in, check(len(in.companies)+len(in.funds)+len(in.wallets) > 0, "inbox", "needs WithFunds, WithCompany or WithWallets")
}

func check(ok bool, field, rule string, args ...any) error {
	if ok {
		return nil
	}
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// Run follows the funds and wallets, and hands each movement to handle, until ctx ends. It then waits for calls of handle in
// progress, and returns nil. Movements of one wallet come one at a time, in the order of their times; different wallets are
// handled concurrently. If the service or the store fails, Run waits and tries again; if the store is closed, it returns
// [ErrClosed].
//
// If handle returns an error, the movement is tried again with growing pauses; later movements of that wallet wait meanwhile,
// but other wallets do not. After the number of attempts set by [WithAttempts], the movement is set aside for a person, and the
// wallet's next movements continue: see [Operator].
func (in *Inbox[Tx]) Run(ctx context.Context, handle Handler[Tx]) error {
	if handle == nil {
		return check(false, "handler", "must not be nil")
	}
	return in.run(ctx, func(ctx context.Context, e Entry) (failed, err error) {
		late := false
		err = in.store.Hand(ctx, e.ID, in.now(), func(ctx context.Context, tx Tx, m Movement) error {
			late, failed = in.limited(ctx, e.ID, func(ctx context.Context) error { return handle(ctx, tx, m) })
			return failed
		})
		switch {
		case err == nil:
			failed = nil
		case failed == nil && late: // it has returned nil, although its context has broken its transaction
			failed = in.tooLong(err)
		}
		return failed, err
	})
}

// limited calls a handler with a time limit, and reports whether the limit was exceeded.
func (s *settings) limited(ctx context.Context, id string, handle func(context.Context) error) (late bool, failed error) {
	limited, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	heedless := time.AfterFunc(s.limit+s.limit/2, func() {
		s.log.Warn("inbox: the handler does not return although its context has ended: its wallet waits", "id", id, "limit", s.limit)
	})
	defer heedless.Stop()
	failed = calm(func() error { return handle(limited) })
	if late = limited.Err() != nil && ctx.Err() == nil; late && failed != nil {
		failed = s.tooLong(failed)
	}
	return late, failed
}

func (s *settings) tooLong(err error) error {
	return fmt.Errorf("the handler has taken longer than %s, which WithHandlerTimeout sets: %w", s.limit, err)
}

// calm turns a panic into an error.
func calm(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v", p)
		}
	}()
	return f()
}

// now is the time in the precision that stores keep.
func (s *settings) now() time.Time { return s.clock().UTC().Truncate(time.Microsecond) }

// hand has an entry handed over. It returns the handler's error, and the error that kept the store from recording
// anything.
type hand func(ctx context.Context, e Entry) (failed, err error)

func (s *settings) run(ctx context.Context, hand hand) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var working sync.WaitGroup
	defer working.Wait()
	r := &running{settings: s, hand: hand, stop: stop, working: &working, followed: map[string]*follower{}}
	err := r.begin(ctx)
	if err == nil {
		if s.feed {
			working.Go(func() { r.listen(ctx) })
		}
		err = r.discover(ctx)
	}
	if closed := context.Cause(ctx); closed == nil || errors.Is(closed, ErrClosed) {
		return errors.Join(closed, err)
	}
	return nil
}

// running is one run of an inbox.
type running struct {
	*settings
	hand    hand
	stop    context.CancelCauseFunc
	working *sync.WaitGroup
	from    time.Time // when the inbox begins

	mu       sync.Mutex
	followed map[string]*follower
}

// begin determines when the inbox begins.
func (r *running) begin(ctx context.Context) error {
	return r.insist(ctx, "inbox: the time at which it begins could not be determined", func() (err error) {
		from := r.settings.begin
		if r.fromNow {
			begun, err := r.records.Sources(ctx)
			if err == nil && len(begun) == 0 {
				err = r.hearTime(ctx)
			}
			if err != nil && !errors.As(err, new(*qredo.Error)) { // any answer tells the time, whatever it says
				return err
			}
			at := qredo.TimeOf(r.clock())
			// The earlier of the two clocks counts; the service's is known only to the second, and so are the times of
			// entries.
			from = at.Add(-r.client.Until(at) - time.Second).Truncate(time.Second)
		}
		r.from, err = r.records.Begin(ctx, from.UTC())
		return err
	})
}

// hearTime makes a request, so that the client learns the service's clock.
func (r *running) hearTime(ctx context.Context) (err error) {
	switch {
	case len(r.companies) > 0:
		_, err = r.client.Funds.List(ctx, r.companies[0])
	case len(r.funds) > 0:
		_, err = r.client.Funds.ListLedger(ctx, r.funds[0].company, r.funds[0].fund, qredo.LedgerOptions{Limit: 1})
	default:
		_, err = r.client.Wallets.Get(ctx, r.wallets[0])
	}
	return err
}

// insist calls f until it succeeds, or ctx ends.
func (r *running) insist(ctx context.Context, problem string, f func() error) error {
	for misses := 1; ; misses++ {
		err := f()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrClosed):
			r.stop(err)
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		pause := backoff.UpperHalf(r.pauses.After(misses))
		r.log.Warn(problem, "error", err, "pause", pause)
		if err := backoff.Wait(ctx, pause); err != nil {
			return err
		}
	}
}

// discover starts to follow the sources that exist, and those that appear later, until ctx ends.
func (r *running) discover(ctx context.Context) error {
	for _, w := range r.wallets {
		r.start(ctx, "wallet:"+string(w), &walletReader{running: r, id: w})
	}
	for _, f := range r.funds {
		r.follow(ctx, f)
	}
	for misses := 0; ; {
		pause, failed := 10*r.poll.Max, false
		for _, company := range r.companies {
			funds, err := r.client.Funds.List(ctx, company)
			if err != nil && ctx.Err() == nil {
				failed = true
				r.log.Warn("inbox: the funds of a company cannot be listed", "company", company, "error", err)
				continue
			}
			for _, f := range funds {
				r.follow(ctx, fundID{company, f.ID})
			}
		}
		if misses++; !failed {
			misses = 0
		} else {
			pause = r.pauses.After(misses)
		}
		if err := backoff.Wait(ctx, backoff.UpperHalf(pause)); err != nil {
			return err
		}
	}
}

func (r *running) follow(ctx context.Context, f fundID) {
	r.start(ctx, "fund:"+string(f.company)+":"+string(f.fund), &fundReader{running: r, fundID: f})
}

func (r *running) start(ctx context.Context, source string, from reader) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.followed[source] != nil {
		return
	}
	f := &follower{running: r, source: source, from: from, kicked: make(chan struct{}, 1)}
	r.followed[source] = f
	r.working.Go(func() { f.run(ctx) })
}

// listen has sources looked at as soon as the wallets feed reports a movement.
func (r *running) listen(ctx context.Context) {
	for event, err := range r.client.Wallets.Feed(ctx, r.feedOpts...) {
		if err != nil {
			r.log.Warn("inbox: the wallets feed", "error", err)
			continue
		}
		r.mu.Lock()
		for _, f := range r.followed {
			if f.from.mayHave(event.WalletID) {
				f.kick()
			}
		}
		r.mu.Unlock()
	}
}
