package qredo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/path"
	"github.com/qredo-go/qredo/internal/transport"
)

// The defaults of a feed.
const (
	defaultPing       = 30 * time.Second
	defaultBackoffMin = 250 * time.Millisecond
	defaultBackoffMax = 30 * time.Second
	defaultFillEvery  = 5 * time.Minute
)

// FeedOption changes how a feed works.
type FeedOption func(*feedOptions)

type feedOptions struct {
	ping      time.Duration
	pauses    backoff.Range // between connections
	giveUp    time.Duration
	fillEvery time.Duration
	onState   func(FeedState)
	known     []string
	wallets   []WalletID
	since     Time
}

// feedUses says which of the options that not every feed has a feed can use.
type feedUses struct {
	histories bool
	known     func(key string) bool // whether a key can belong to one of its events; nil if events have no keys
	unknown   bool                  // its path comes from the caller
}

// WithPing sets how often the connection is tested. A silently dead connection is noticed within two of these periods. Any
// message or ping from the service counts as a sign of life. Default: 30 s.
func WithPing(period time.Duration) FeedOption {
	return func(o *feedOptions) { o.ping = period }
}

// WithBackoff sets the shortest and the longest pause before reconnecting. The upper limit doubles with each failure, and
// the pause is drawn at random below it. Default: 250 ms and 30 s.
func WithBackoff(shortest, longest time.Duration) FeedOption {
	return func(o *feedOptions) { o.pauses = backoff.Range{Min: shortest, Max: longest} }
}

// WithGiveUp ends the feed with an error after it has been unable to connect for that long. Default: it never gives up.
func WithGiveUp(after time.Duration) FeedOption {
	return func(o *feedOptions) { o.giveUp = after }
}

// WithKnown continues a feed where an earlier run of your program stopped. Pass the keys of the events it received
// ([Action.Key], [WalletEvent.Key], [SwapEvent.Key]): they are not delivered again, and you learn what became of quotes that
// were listed. A key passed twice stands for two events. You need not keep the keys of what has ended, except for the wallets
// feed, where you keep those of the last minutes before [WithSince]. A key of another feed is a [*ValidationError]; so is
// this option for a [Feed] whose events have no method Key.
func WithKnown(keys ...string) FeedOption {
	return func(o *feedOptions) { o.known = append(o.known, keys...) }
}

// KnownKeys returns the keys passed to [WithKnown] among the options, for your own feeds built on [Feed].
func KnownKeys(opts ...FeedOption) []string {
	var o feedOptions
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	return o.known
}

// WithFillEvery sets how often a feed is also filled from the service's list, in addition to after each connection. Events are
// delivered within this time even if no connection can be made, or an open one delivers nothing; such a connection is detected
// and replaced. Default: 5 min.
func WithFillEvery(period time.Duration) FeedOption {
	return func(o *feedOptions) { o.fillEvery = period }
}

// WithFeedState calls f when the feed connects, loses its connection, has caught up, or cannot catch up. It is called between
// events by the goroutine that ranges over the feed.
func WithFeedState(f func(FeedState)) FeedOption {
	return func(o *feedOptions) { o.onState = f }
}

// FeedState is a change of a feed's connection.
type FeedState struct {
	Status FeedStatus
	Err    error // why it was lost, cannot be made, or what may have been missed cannot be read; otherwise nil
}

// FeedStatus is the state of a feed's connection.
type FeedStatus string

// The states of a feed.
const (
	FeedConnected FeedStatus = "connected" // connected; earlier events may still be missing
	FeedCaughtUp  FeedStatus = "caught up" // missed events have been delivered
	FeedLost      FeedStatus = "lost"      // it will reconnect; repeated once a minute while no connection can be made
	FeedBehind    FeedStatus = "behind"    // missed events cannot be read, which is retried; repeated once a minute
)

func newFeedOptions(opts []FeedOption, uses feedUses) (feedOptions, error) {
	o := feedOptions{
		ping: defaultPing, pauses: backoff.Range{Min: defaultBackoffMin, Max: defaultBackoffMax}, onState: func(FeedState) {},
		fillEvery: defaultFillEvery,
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
	case o.fillEvery <= 0:
		return o, invalid("fill every", "must be more than zero, is %s", o.fillEvery)
	case !uses.histories && !o.since.IsZero():
		return o, invalid("since", "is for WalletsService.Feed: this feed has no history")
	case !uses.histories && len(o.wallets) > 0:
		return o, invalid("wallets", "is for WalletsService.Feed: this feed has no history")
	case uses.known == nil && len(o.known) > 0:
		return o, invalid("known", "is for feeds whose events have keys, which this one's have not")
	case o.pauses.Min <= 0 || o.pauses.Max < o.pauses.Min:
		return o, invalid("backoff", "must be more than zero, and the longest not below the shortest, is %s to %s", o.pauses.Min, o.pauses.Max)
	}
	err := checkSeconds("since", o.since)
	if i := slices.IndexFunc(o.known, func(key string) bool { return !uses.known(key) }); i >= 0 {
		err = cmp.Or(err, invalid("known", "must be keys of this feed's events, one is %q", clip(o.known[i], 100)))
	}
	for _, id := range o.wallets {
		err = cmp.Or(err, checkID("wallet_id", id))
	}
	return o, err
}

// Feed returns the messages of a feed for which no service has a method, decoded as E with the tolerance of the rest of the
// package. It is for feeds what [Client.Do] is for requests: path is below the base URL, and may have a query. If E is
// [json.RawMessage], messages are passed on as they are. After a lost connection the feed reconnects. fill, if not nil, is
// called after each connection and also from time to time ([WithFillEvery]), in another goroutine than the one that ranges over
// the feed, and returns what may have been missed so far. A message is delivered as often as it comes: you have to recognize
// what you already know. Errors are as in [CoreClientsService.Feed].
func Feed[E any](ctx context.Context, c *Client, path string, fill func(context.Context) ([]E, error), opts ...FeedOption) iter.Seq2[E, error] {
	target, err := below(path)
	if err != nil {
		return func(yield func(E, error) bool) { yield(*new(E), err) }
	}
	path, _, _ = strings.Cut(path, "?")
	uses := feedUses{unknown: true}
	if _, ok := any(*new(E)).(keyed); ok {
		uses.known = anyKey
	}
	return events(ctx, c, path, nil, opts, uses, func(f *feed.Feed[E], options feedOptions) {
		known := counted(options.known)
		f.Fresh = func(event E) bool {
			k, ok := any(event).(keyed)
			return !ok || !spend(known, k.Key())
		}
		if fill != nil {
			f.Fill = func(ctx context.Context, _ bool, take feed.Take[E]) error {
				found, err := fill(ctx)
				take(func() feed.Batch[E] {
					return feed.Batch[E]{Events: slices.DeleteFunc(found, func(event E) bool { return !f.Fresh(event) })}
				})
				return err
			}
		}
		f.Dial = func(ctx context.Context, pinged func()) (*websocket.Conn, error) {
			return c.dial(ctx, "", path, target.RawQuery, pinged)
		}
	})
}

// events is a feed as a sequence. Each range over it starts anew, with the settings that set returns.
func events[E any](ctx context.Context, c *Client, template string, ids []string, opts []FeedOption, uses feedUses, set func(*feed.Feed[E], feedOptions)) iter.Seq2[E, error] {
	return func(yield func(E, error) bool) {
		options, err := newFeedOptions(opts, uses)
		expanded, problem := path.Expand(template, ids)
		if err == nil && problem != nil {
			err = invalid(problem.Field, "%s", problem.Rule)
		}
		if err != nil {
			yield(*new(E), err)
			return
		}
		if uses.unknown {
			template = "" // it may contain anything
		}
		tell := c.traceFeed(ctx, template, expanded)
		defer tell(FeedState{})
		f := &feed.Feed[E]{
			Ping: options.ping, Pauses: options.pauses, GiveUp: options.giveUp, Every: options.fillEvery,
			OnState: func(status feed.Status, why error) {
				tell(FeedState{FeedStatus(status), why})
				options.onState(FeedState{FeedStatus(status), why})
			},
			Dial: func(ctx context.Context, pinged func()) (*websocket.Conn, error) {
				return c.dial(ctx, template, expanded, "", pinged)
			},
			Refused: isRefusal,
		}
		set(f, options)
		f.Run(ctx, func(event E, err error) bool { return yield(event, feedError(expanded, err)) })
	}
}

// keyed is an event that has a key.
type keyed interface{ Key() string }

func anyKey(string) bool { return true }

// statusKey is the key of something in a status.
func statusKey[ID, Status ~string](id ID, status Status) string {
	return string(id) + ":" + string(status)
}

// ofStatusKey parses a key made by statusKey.
func ofStatusKey[ID, Status ~string](key string) (ID, Status, bool) {
	at := strings.LastIndexByte(key, ':')
	if at <= 0 || at == len(key)-1 {
		return "", "", false
	}
	return ID(key[:at]), Status(key[at+1:]), true
}

func isStatusKey(key string) bool {
	_, _, ok := ofStatusKey[string, string](key)
	return ok
}

// counted counts keys, so that each of two identical events is recognised once.
func counted(keys []string) map[string]int {
	counts := map[string]int{}
	for _, key := range keys {
		counts[key]++
	}
	return counts
}

// spend reports whether a key is left, and uses it up.
func spend(keys map[string]int, key string) bool {
	if keys[key] == 0 {
		return false
	}
	if keys[key]--; keys[key] == 0 {
		delete(keys, key)
	}
	return true
}

// feedError makes the feed errors that callers see.
func feedError(path string, err error) error {
	if err == nil {
		return nil // before anything is allocated: this runs for each event
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

// isRefusal reports whether the server refused a feed for a lasting reason, or does not serve a feed at all.
func isRefusal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.StatusCode < 500 && !errors.Is(e, ErrRateLimited)
}

// dial opens a signed WebSocket connection.
func (c *Client) dial(ctx context.Context, template, path, rawQuery string, pinged func()) (*websocket.Conn, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.feedURL(path), nil)
	if err != nil {
		return nil, fmt.Errorf("qredo: %w", err)
	}
	req.URL.RawQuery = rawQuery
	req.Header["User-Agent"] = c.header["User-Agent"]
	upgrade := &transport.Request{HTTP: req, Operation: feedOperation(template, path), Template: template, Path: path, Pinged: pinged}
	start, end := time.Now(), c.traceCall(upgrade)
	res := c.upgrades.Send(upgrade)
	if !res.OK {
		err = failure(upgrade, res, false)
	}
	if end != nil {
		end(endOfCall(upgrade, res, time.Since(start), false, err))
	}
	return res.Conn, err
}

func (c *Client) feedURL(path string) string {
	return "ws" + strings.TrimPrefix(c.baseURL, "http") + path
}

func feedOperation(template, path string) string {
	return http.MethodGet + " " + cmp.Or(template, path)
}
