package qredo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/qredo-go/qredo/internal/wire"
)

// What a feed does unless told otherwise.
const (
	defaultPing       = 30 * time.Second
	defaultBackoffMin = 250 * time.Millisecond
	defaultBackoffMax = 30 * time.Second
)

// FeedOption changes how a feed works.
type FeedOption func(*feedOptions)

type feedOptions struct {
	ping                   time.Duration
	backoffMin, backoffMax time.Duration
	giveUp                 time.Duration
	onState                func(FeedState)
	wallets                []WalletID
	since                  Time
}

// WithPing sets how often the connection is tested; 30 seconds unless set. A connection that has died
// without a word is noticed within two of these periods.
func WithPing(period time.Duration) FeedOption {
	return func(o *feedOptions) { o.ping = period }
}

// WithBackoff sets the shortest and the longest pause before connecting again; 250 milliseconds and 30
// seconds unless set. Pauses double, and are drawn at random below that.
func WithBackoff(shortest, longest time.Duration) FeedOption {
	return func(o *feedOptions) { o.backoffMin, o.backoffMax = shortest, longest }
}

// WithGiveUp ends the feed with an error when it could not be connected for so long. Unless set, it tries
// for ever.
func WithGiveUp(after time.Duration) FeedOption {
	return func(o *feedOptions) { o.giveUp = after }
}

// WithFeedState calls f when the feed connects, when it is lost, and when it has caught up. It is called
// by the goroutine that ranges over the feed, between events.
func WithFeedState(f func(FeedState)) FeedOption {
	return func(o *feedOptions) { o.onState = f }
}

// FeedState is a change of a feed's connection.
type FeedState struct {
	Status FeedStatus
	Err    error // why it was lost
}

// FeedStatus tells how a feed's connection stands.
type FeedStatus string

// The states of a feed.
const (
	FeedConnected FeedStatus = "connected" // events may be missing that happened before
	FeedCaughtUp  FeedStatus = "caught up" // they have been given
	FeedLost      FeedStatus = "lost"      // it will connect again
)

func newFeedOptions(opts []FeedOption) (feedOptions, error) {
	o := feedOptions{
		ping: defaultPing, backoffMin: defaultBackoffMin, backoffMax: defaultBackoffMax, onState: func(FeedState) {},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	switch {
	case o.onState == nil:
		return o, invalid("feed state", "must not be nil")
	case o.ping <= 0:
		return o, invalid("ping", "must be more than zero, is %s", o.ping)
	case o.backoffMin <= 0 || o.backoffMax < o.backoffMin:
		return o, invalid("backoff", "must be more than zero, and the longest not below the shortest, is %s to %s", o.backoffMin, o.backoffMax)
	}
	return o, nil
}

// feed gives the events of one WebSocket to a consumer, each once, over as many connections as it takes.
//
// A consumer that is slow loses nothing: frames wait in a queue of fixed size and then on the network,
// since nothing more is read; if the service cuts such a connection off, the next one fills the gap.
type feed[E any] struct {
	client *Client
	path   string
	feedOptions

	// prepare notes where the feed begins, before the first connection. It may be nil.
	prepare func(ctx context.Context) error
	// fill returns what the consumer may have missed, after a connection was made. It may be nil.
	fill func(ctx context.Context) ([]E, error)
	// fresh reports whether the consumer does not have an event yet, and remembers it.
	fresh func(E) bool
}

// events is a feed as a sequence. Each time it is ranged over it begins anew, with what set gives it.
func events[E any](ctx context.Context, c *Client, path string, ids []string, opts []FeedOption, set func(*feed[E])) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		options, err := newFeedOptions(opts)
		expanded, wrongID := expandPath(path, ids)
		if err = cmp.Or(err, wrongID); err != nil {
			yield(*new(E), err)
			return
		}
		f := &feed[E]{client: c, path: expanded, feedOptions: options}
		set(f)
		f.run(ctx, yield)
	}
}

// run gives events to yield until ctx ends or yield returns false.
func (f *feed[E]) run(ctx context.Context, yield func(E, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var none E
	pause, lastGood := f.backoffMin, time.Now()
	for {
		caughtUp, err := f.session(ctx, yield)
		switch {
		case errors.Is(err, errConsumerDone) || ctx.Err() != nil:
			return
		case caughtUp:
			pause, lastGood = f.backoffMin, time.Now()
		case f.giveUp > 0 && time.Since(lastGood) >= f.giveUp:
			yield(none, fmt.Errorf("qredo: feed %s not connected for %s: %w", f.path, f.giveUp, err))
			return
		case isRefusal(err):
			// Trying again will not help by itself, so the consumer must hear of it.
			if !yield(none, err) {
				return
			}
		}
		if wait(ctx, rand.N(pause)+1) != nil { //nolint:gosec // jitter keeps no secret
			return
		}
		pause = min(2*pause, f.backoffMax)
	}
}

// errConsumerDone says that whoever ranges over the feed has stopped.
var errConsumerDone = errors.New("the consumer is done")

// isRefusal reports whether what was asked refused a feed for a reason that does not pass, or is no feed.
func isRefusal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.StatusCode < 500 && !errors.Is(e, ErrRateLimited)
}

// session makes one connection, catches up and gives events until the connection is lost.
func (f *feed[E]) session(ctx context.Context, yield func(E, error) bool) (caughtUp bool, err error) {
	if f.prepare != nil {
		if err := f.prepare(ctx); err != nil {
			return false, err
		}
		f.prepare = nil
	}
	conn, err := f.client.dialFeed(ctx, f.path, f.ping)
	if err != nil {
		return false, err
	}
	defer conn.close()
	connected := time.Now()
	f.onState(FeedState{Status: FeedConnected})
	defer func() {
		if !errors.Is(err, errConsumerDone) && ctx.Err() == nil {
			f.onState(FeedState{Status: FeedLost, Err: err})
		}
	}()
	if f.fill != nil {
		missed, err := f.fill(ctx)
		if err != nil {
			return false, err
		}
		for _, event := range missed {
			if f.fresh(event) && !yield(event, nil) {
				return false, errConsumerDone
			}
		}
	}
	f.onState(FeedState{Status: FeedCaughtUp})
	for {
		frame, err := conn.next(ctx)
		if err != nil {
			// One that ends at once does not count: pauses go on growing.
			return caughtUp || time.Since(connected) >= f.ping, err
		}
		caughtUp = true
		var event E
		if err := frame.decode(&event); err != nil {
			if !yield(*new(E), fmt.Errorf("qredo: feed %s: %w", f.path, err)) {
				return true, errConsumerDone
			}
			continue
		}
		if f.fresh(event) && !yield(event, nil) {
			return true, errConsumerDone
		}
	}
}

// decode reads a frame's event. A frame that is no event leaves the feed as it is.
func (fr frame) decode(event any) error {
	if fr.problem != nil {
		return fmt.Errorf("%w: %w", ErrBadAnswer, fr.problem)
	}
	if err := wire.UnmarshalAnswer(fr.data, event); err != nil {
		return fmt.Errorf("%w: %w", ErrBadAnswer, err)
	}
	return nil
}

// wait pauses, unless ctx ends first.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// recent remembers the last keys it was given, so many and no more.
type recent[K comparable] struct {
	most int // recentKeys if zero
	has  map[K]bool
	keys []K // in a ring
	next int
}

const recentKeys = 8192

// add remembers a key and reports whether it was new.
func (r *recent[K]) add(key K) bool {
	if r.has[key] {
		return false
	}
	if r.has == nil {
		r.has = map[K]bool{}
	}
	most := cmp.Or(r.most, recentKeys)
	if len(r.keys) < most {
		r.keys = append(r.keys, key)
	} else {
		delete(r.has, r.keys[r.next])
		r.keys[r.next] = key
		r.next = (r.next + 1) % most
	}
	r.has[key] = true
	return true
}
