package qredo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/transport"
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
	ping    time.Duration
	pauses  backoff.Range // between connections
	giveUp  time.Duration
	onState func(FeedState)
	wallets []WalletID
	since   Time
}

// WithPing sets how often the connection is tested; 30 seconds unless set. A connection that has died
// without a word is noticed within two of these periods.
func WithPing(period time.Duration) FeedOption {
	return func(o *feedOptions) { o.ping = period }
}

// WithBackoff sets the shortest and the longest pause before connecting again; 250 milliseconds and 30
// seconds unless set. Pauses double, and are drawn at random below that.
func WithBackoff(shortest, longest time.Duration) FeedOption {
	return func(o *feedOptions) { o.pauses = backoff.Range{Min: shortest, Max: longest} }
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
		ping: defaultPing, pauses: backoff.Range{Min: defaultBackoffMin, Max: defaultBackoffMax}, onState: func(FeedState) {},
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
	case o.pauses.Min <= 0 || o.pauses.Max < o.pauses.Min:
		return o, invalid("backoff", "must be more than zero, and the longest not below the shortest, is %s to %s", o.pauses.Min, o.pauses.Max)
	}
	return o, o.checkHistories()
}

// Feed gives the messages of a feed that no service has a method for, read as an E with the tolerance of the rest of
// the package, as [Client.Do] sends requests: path is below the base URL, and may have a query. A [json.RawMessage] gets them as they come.
// After a connection was lost it connects again; fill, unless it is nil, is called after each connection, and returns
// what may have been missed until then. A message is given as often as it comes: what is known already, the caller
// must tell. Errors are as in [CoreClientsService.Feed].
func Feed[E any](ctx context.Context, c *Client, path string, fill func(context.Context) ([]E, error), opts ...FeedOption) iter.Seq2[E, error] {
	target, err := below(path)
	if err != nil {
		return func(yield func(E, error) bool) { yield(*new(E), err) }
	}
	path, _, _ = strings.Cut(path, "?")
	return events(ctx, c, path, nil, opts, func(f *feed.Feed[E], _ feedOptions) {
		f.Fill = fill
		f.Dial = func(ctx context.Context) (*websocket.Conn, error) { return c.dial(ctx, path, target.RawQuery) }
	})
}

// events is a feed as a sequence. Each time it is ranged over it begins anew, with what set gives it.
func events[E any](ctx context.Context, c *Client, template string, ids []string, opts []FeedOption, set func(*feed.Feed[E], feedOptions)) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		options, err := newFeedOptions(opts)
		expanded, problem := path.Expand(template, ids)
		if err == nil && problem != nil {
			err = invalid(problem.Field, "%s", problem.Rule)
		}
		if err != nil {
			yield(*new(E), err)
			return
		}
		f := &feed.Feed[E]{
			Ping: options.ping, Pauses: options.pauses, GiveUp: options.giveUp,
			OnState: func(status feed.Status, why error) { options.onState(FeedState{FeedStatus(status), why}) },
			Dial:    func(ctx context.Context) (*websocket.Conn, error) { return c.dial(ctx, expanded, "") },
			Refused: isRefusal,
		}
		set(f, options)
		f.Run(ctx, func(event E, err error) bool { return yield(event, feedError(expanded, err)) })
	}
}

// feedError makes the errors of a feed that callers see.
func feedError(path string, err error) error {
	if err == nil {
		return nil // before anything is allocated: it is so with each event
	}
	var (
		unread  *feed.UnreadError
		givenUp *feed.GivenUpError
	)
	switch {
	case errors.As(err, &unread):
		return fmt.Errorf("qredo: feed %s: %w: %w", path, ErrBadAnswer, unread.Err)
	case errors.As(err, &givenUp):
		return fmt.Errorf("qredo: feed %s not connected for %s: %w", path, givenUp.After, givenUp.Err)
	}
	return err
}

// isRefusal reports whether what was asked refused a feed for a reason that does not pass, or is no feed.
func isRefusal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.StatusCode < 500 && !errors.Is(e, ErrRateLimited)
}

// dial makes a signed WebSocket connection.
func (c *Client) dial(ctx context.Context, path, rawQuery string) (*websocket.Conn, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "ws"+strings.TrimPrefix(c.baseURL, "http")+path, nil)
	if err != nil {
		return nil, fmt.Errorf("qredo: %w", err)
	}
	req.URL.RawQuery = rawQuery
	req.Header["User-Agent"] = c.header["User-Agent"]
	upgrade := &transport.Request{HTTP: req, Operation: http.MethodGet + " " + path, Path: path}
	res := c.upgrades.Send(upgrade)
	if !res.OK {
		return nil, failure(upgrade, res, false)
	}
	return res.Conn, nil
}
