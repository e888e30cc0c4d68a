// Package transport makes requests: it signs and sends them, again where that is safe and may help, and returns
// what came of it as plain values. It knows attempts, and nothing of what they are about. The errors that callers
// see are made from its results, elsewhere and once.
package transport

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"
)

// Link is one link of the chain that every request runs through:
//
//	retry → clock → log, observer → rate → turn → trace → auth → http
//
// Each is a value that holds the next one. None changes the request that it is given.
type Link interface{ Send(req *Request) Result }

// Request is what is to be sent.
type Request struct {
	HTTP      *http.Request // without its body
	Operation string        // as the service's documents write it, for logs
	Template  string        // the path in it; empty where the caller of Do has not said what the operation is
	Path      string        // below the base URL, for logs
	Body      []byte        // the exact bytes to send

	Repeatable bool // sending it twice does what sending it once does
	Decides    bool // it may be refused because another copy of it has been carried out
	Once       bool // one attempt, whatever happens

	Shorten Shorten
	// Pinged is called, on a connection that an upgrade has made, whenever the other side pings. It may be nil.
	Pinged func()

	attempt int            // how many times it was sent before
	offset  *time.Duration // the clock's error, to see whether the service agrees
}

// Shorten makes a success that is too long shorter while it is read.
type Shorten struct {
	From int64                                            // bytes: what is no longer is read as it is; an answer's limit if 0, or more than that
	Do   func(body io.Reader, most int64) ([]byte, error) // to that many bytes at most; nil: nothing is shortened
}

// Answer is what the service answered, read to its end or to where it was cut.
type Answer struct {
	StatusCode int
	Header     http.Header
	Body       []byte
}

// Result is what is known of a request that was sent, or was not. Each link adds what it knows.
type Result struct {
	Answer *Answer // nil if none came
	Err    error   // why none came, or why its body is not whole
	OK     bool    // the answer is a success, and whole

	Attempts    int   // how often it was sent
	MaybeDone   bool  // it may have been carried out without the answer telling so
	Interrupted error // what ended the pause before the next attempt

	WrongClock  bool          // it was refused, and its stamp was too far from the service's own time
	clockOffset time.Duration // of that time from this machine's clock

	nonce   bool            // it was stamped with a nonce
	stamp   stamp           // what authenticated the last attempt
	earlier []stamp         // and those before it
	Conn    *websocket.Conn // of an upgrade
}

// Config is what a chain is made from.
type Config struct {
	HTTP      *http.Client
	Auth      Authenticator
	Turn      chan struct{} // with room for one, if requests must be sent one after the other; else nil
	Clock     *Clock
	Retry     Policy
	Limiter   *rate.Limiter // nil if there is no limit of the client's own
	Log       *slog.Logger  // nil if nothing is logged
	Observe   func(ctx context.Context, attempt Attempt)
	Trace     Trace
	MaxAnswer int64 // bytes
}

// New returns a chain for requests, and one for the upgrades that begin feeds, which are sent once. They share the limit and
// its stop.
func New(c Config) (requests, upgrades Link) {
	limit := rateLink{c.Limiter, &stop{}, c.Retry.MaxRetryAfter, c.Trace, c.attempts(httpLink{c.HTTP, c.MaxAnswer, &atomic.Bool{}, &atomic.Int64{}})}
	requests = limit
	if c.Log != nil {
		requests = logLink{c.Log, requests}
	}
	if c.Observe != nil {
		requests = observeLink{c.Observe, requests}
	}
	requests = retryLink{c.Retry, newBudget(c.Retry.Budget), c.Trace, clockLink{c.Clock, requests}}
	limit.next = c.attempts(upgradeLink{c.HTTP})
	return requests, clockLink{c.Clock, limit}
}

// attempts returns a function that makes one attempt, to be sent by next.
func (c Config) attempts(next Link) Link {
	next = authLink{c.Auth, c.Clock, next}
	if c.Trace.Attempt != nil {
		next = traceLink{c.Trace, next}
	}
	if c.Turn != nil {
		next = turnLink{c.Turn, c.Trace, next}
	}
	return next
}
