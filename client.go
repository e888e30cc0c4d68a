package qredo

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/qredo-go/qredo/internal/loopback"
	"github.com/qredo-go/qredo/internal/transport"
)

// Version is the version of this module, as the User-Agent header gives it.
const Version = "0.1.0"

// Environment is one of the installations that the service had: its base URL.
type Environment string

// The environments that the service ran. All of them are retired; programs are tested against the
// sandbox package, with [WithBaseURL].
const (
	EnvironmentProduction Environment = "https://api.qredo.network/api/v1/p"
	EnvironmentSandbox    Environment = "https://sandbox-api.qredo.network/api/v1/p"
	EnvironmentPlay       Environment = "https://play-api.qredo.network/api/v1/p"
)

// What a client does unless told otherwise.
const (
	defaultMaxResponse  = 32 << 20 // bytes of one answer
	defaultPollInterval = 2 * time.Second
)

// Client calls the Partner API. Its services group the operations. A Client is safe for concurrent use
// and should be made once.
type Client struct {
	Companies      *CompaniesService
	TrustedNetwork *TrustedNetworkService
	Funds          *FundsService
	Wallets        *WalletsService
	Transfers      *TransfersService
	Swaps          *SwapsService
	Assets         *AssetsService
	CoreClients    *CoreClientsService
	SigningAgent   *SigningAgentService // for a client with [ProofAuth]

	baseURL  string
	clock    *transport.Clock
	header   http.Header // of every request, where the caller sets no other
	requests transport.Link
	upgrades transport.Link // to feeds
	observe  func(context.Context, Attempt)

	config transport.Config
}

// Option changes how a [Client] works.
type Option func(*Client) error

// NewClient returns a client that authenticates with auth. It must be told which service to call, by [WithBaseURL] or
// [WithEnvironment]; [ClientFromEnv] reads that too. A wrong option is a [*ValidationError].
func NewClient(auth Authenticator, opts ...Option) (*Client, error) {
	if isNil(auth) {
		return nil, invalid("auth", "must not be nil: see NewRSAAuth and AuthFromEnv")
	}
	clock := &transport.Clock{Source: time.Now}
	c := &Client{
		clock:  clock,
		header: http.Header{"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"qredo-go/" + Version}},
		config: transport.Config{Auth: auth, Clock: clock, HTTP: transport.DefaultHTTP(nil), MaxAnswer: defaultMaxResponse},
	}
	return c.set(append([]Option{WithRetry(RetryPolicy{})}, opts...))
}

// As returns a client that authenticates otherwise, and is like c in all else that options have set: a signing agent's own beside
// that of its company. They share the rate limit, and what the service's answers have told of the clock. Options change the new one alone.
func (c *Client) As(auth Authenticator, opts ...Option) (*Client, error) {
	if isNil(auth) {
		return nil, invalid("auth", "must not be nil")
	}
	other := &Client{baseURL: c.baseURL, clock: c.clock, header: c.header.Clone(), observe: c.observe, config: c.config}
	other.config.Auth, other.config.Turn = auth, nil
	return other.set(opts)
}

// set carries options out, and makes what depends on them.
func (c *Client) set(opts []Option) (*Client, error) {
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("option", "must not be nil")
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	if c.baseURL == "" {
		return nil, invalid("base URL", "must be given, by WithBaseURL or WithEnvironment, or to ClientFromEnv by QREDO_BASE_URL (for Qredo API v1 QREDO_QAPI_BASE_URL)")
	}
	if rsa, ok := c.config.Auth.(*RSAAuth); ok {
		c.config.Turn = rsa.turn
	}
	c.requests, c.upgrades = transport.New(c.config)
	c.Companies = &CompaniesService{c}
	c.TrustedNetwork = &TrustedNetworkService{c}
	c.Funds = &FundsService{c}
	c.Wallets = &WalletsService{c}
	c.Transfers = &TransfersService{c}
	c.Swaps = &SwapsService{c}
	c.Assets = &AssetsService{c}
	c.CoreClients = &CoreClientsService{c}
	c.SigningAgent = &SigningAgentService{c}
	return c, nil
}

// ClientFromEnv returns a client for what the environment says: the keys as [AuthFromEnv] reads them, and the base
// URL from QREDO_BASE_URL, which an option may replace. What is missing there is a [*ValidationError] that names
// the variable.
func ClientFromEnv(opts ...Option) (*Client, error) {
	auth, err := AuthFromEnv()
	if err != nil {
		return nil, err
	}
	if base := os.Getenv("QREDO_BASE_URL"); base != "" {
		opts = append([]Option{WithBaseURL(base)}, opts...)
	}
	return NewClient(auth, opts...)
}

// APIKeyDigest tells API keys apart without giving them away, for programs that keep with what key something was sent: the
// service knows a PartnerTxID under the key that it came with only. It is 16 hexadecimal digits, or "" for an
// [Authenticator] that has no method of this name.
func (c *Client) APIKeyDigest() string {
	if auth, ok := c.config.Auth.(interface{ APIKeyDigest() string }); ok {
		return auth.APIKeyDigest()
	}
	return ""
}

// Expired reports whether a time has passed for sure: by the client's clock, and by the service's as far as its answers have
// told that it is another. A request for a transaction that has expired so is refused without being sent.
func (c *Client) Expired(t Time) bool { return c.Until(t) <= 0 }

// Until is how long it takes until a time has passed for sure, as [Client.Expired] says: nothing or less if it has.
func (c *Client) Until(t Time) time.Duration { return t.Sub(c.clock.Earliest()) }

// isNil also finds a nil pointer in the interface, which would panic at the first call.
func isNil(auth Authenticator) bool {
	v := reflect.ValueOf(auth)
	return auth == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

// WithEnvironment selects one of the service's installations. Of it and [WithBaseURL] the last counts.
func WithEnvironment(env Environment) Option { return WithBaseURL(string(env)) }

// WithBaseURL selects a service by its base URL, which must be https, or http to this machine, and have
// neither user, query nor fragment. A path is kept: https://example.com/api/v1/p. The host is put in small letters, as
// servers and proxies that rebuild the signed URL have it.
func WithBaseURL(base string) Option {
	return func(c *Client) error {
		u, err := url.Parse(strings.TrimRight(strings.TrimSpace(base), "/"))
		switch { // The URL is not repeated: it may hold a password, or an API key as a user.
		case err != nil:
			return invalid("base URL", "must be a URL such as https://example.com/api/v1/p")
		case u.Scheme != "https" && (u.Scheme != "http" || !loopback.Host(u.Hostname())):
			return invalid("base URL", "must begin with https:// or, to this machine only, http://")
		case u.Hostname() == "" || u.Opaque != "" || strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }):
			return invalid("base URL", "must name a host, in ASCII")
		case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(base, "#"):
			return invalid("base URL", "must have neither user, query nor fragment")
		}
		if !strings.Contains(u.Host, "%") { // the zone of an address has its own capitals
			u.Host = strings.ToLower(u.Host)
		}
		c.baseURL = u.String()
		return nil
	}
}

// WithHTTPClient makes requests through the caller's HTTP client: for proxies, own certificates, own
// timeouts, tests. Unless it is given, a client has one of its own: TLS 1.2 or newer, a minute for an
// attempt, the environment's proxy. Redirects are refused whatever it says, because the URL is signed.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) error {
		c.config.HTTP = client
		return checkGiven("HTTP client", client != nil)
	}
}

// RetryPolicy says how often and when a request is sent again. A field left zero has its default.
//
// What may be sent again is not a matter of policy. Reads may, and requests for transactions that carry a
// PartnerTxID, because the service makes one transaction for it however often it is sent. Any other write
// may only when it cannot have been carried out: the connection was refused, or the answer was 429.
type RetryPolicy struct {
	MaxAttempts   int           // of one call, the first included; 4
	MinBackoff    time.Duration // the first pause is at most this, each further one twice that; 200 ms
	MaxBackoff    time.Duration // and no pause is longer than this; 10 s
	MaxRetryAfter time.Duration // a Retry-After of the service is followed up to this; 60 s
	// Budget is how many more attempts than calls there may be while nothing succeeds, so that an outage
	// is not made worse; 100. Each success gives half an attempt back.
	Budget int
}

func (p RetryPolicy) withDefaults() (RetryPolicy, error) {
	if min(p.MinBackoff, p.MaxBackoff, p.MaxRetryAfter) < 0 || min(p.MaxAttempts, p.Budget) < 0 {
		return p, invalid("retry", "must have no field below zero, is %+v", p)
	}
	p.MaxAttempts = cmp.Or(p.MaxAttempts, 4)
	p.MinBackoff = cmp.Or(p.MinBackoff, 200*time.Millisecond)
	p.MaxBackoff = max(cmp.Or(p.MaxBackoff, 10*time.Second), p.MinBackoff)
	p.MaxRetryAfter = cmp.Or(p.MaxRetryAfter, time.Minute)
	p.Budget = cmp.Or(p.Budget, 100)
	return p, nil
}

// WithRetry changes how often and when requests are sent again; see [RetryPolicy]. One attempt turns
// retries off for all calls, [WithoutRetry] for one. What is refused for a wrong clock is signed and sent
// once more all the same, unless by [WithoutRetry].
func WithRetry(policy RetryPolicy) Option {
	return func(c *Client) (err error) {
		policy, err = policy.withDefaults()
		c.config.Retry = transport.Policy(policy)
		return err
	}
}

// WithRateLimit keeps the client below a number of requests a second, of which so many may be sent at
// once. Calls wait for their turn, no longer than their context; so do the connections of feeds. There is no limit unless it
// is set; an answer of 429 stops the whole client for a while in any case.
func WithRateLimit(perSecond float64, burst int) Option {
	return func(c *Client) error {
		if !(perSecond > 0) || math.IsInf(perSecond, 1) || burst < 1 {
			return invalid("rate limit", "must be more than zero a second, with a burst of at least 1, is %v and %d", perSecond, burst)
		}
		c.config.Limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
		return nil
	}
}

// WithLogger logs each attempt: method, path, status, duration. Bodies, keys and signatures are never
// logged. Successes have level debug, failures level warn. Unless it is given nothing is logged.
func WithLogger(log *slog.Logger) Option {
	return func(c *Client) error {
		c.config.Log = log
		return checkGiven("logger", log != nil)
	}
}

// Attempt is what an observer sees: one attempt of a call, or with Ended the call as a whole.
type Attempt struct {
	Operation  string // as in [Error]
	Number     int    // of the call, from 1; how many there were, with Ended
	StatusCode int    // 0 if no answer came
	Took       time.Duration
	Outcome    Outcome
	Err        error // why no answer came, or why it is not whole; with Ended what the call returns
	Ended      bool
}

// Outcome is how an attempt or a call ended.
type Outcome string

// The outcomes. A request that changes nothing is never unknown.
const (
	OutcomeDone    Outcome = "done"
	OutcomeNotDone Outcome = "not done"
	OutcomeUnknown Outcome = "unknown" // it may have been carried out
)

// WithObserver calls f after each attempt of each call, and once more when the call has ended: for metrics and traces. It
// is called by the goroutine that makes the call, with the call's context, and sees no header and no body. Feeds are
// observed by [WithFeedState].
func WithObserver(f func(ctx context.Context, attempt Attempt)) Option {
	return func(c *Client) error {
		c.observe = f
		c.config.Observe = func(ctx context.Context, a transport.Attempt) {
			f(ctx, Attempt{
				Operation: a.Operation, Number: a.Number, StatusCode: a.StatusCode, Took: a.Took, Err: a.Err, Outcome: outcome(a.OK, a.MaybeDone),
			})
		}
		return checkGiven("observer", f != nil)
	}
}

func outcome(ok, maybeDone bool) Outcome {
	switch {
	case ok:
		return OutcomeDone
	case maybeDone:
		return OutcomeUnknown
	}
	return OutcomeNotDone
}

// endOfCall is what an observer is told when a call has ended.
func endOfCall(req *transport.Request, res transport.Result, took time.Duration, maybeDone bool, err error) Attempt {
	end := Attempt{Operation: req.Operation, Number: res.Attempts, Took: took, Err: err, Ended: true}
	if res.Answer != nil {
		end.StatusCode = res.Answer.StatusCode
	}
	end.Outcome = outcome(err == nil, maybeDone && !transport.IsRead(req))
	return end
}

// WithClock sets where the time comes from: for the timestamp of requests and for checking expiries;
// [time.Now] unless set.
func WithClock(now func() time.Time) Option {
	return func(c *Client) error {
		c.clock = &transport.Clock{Source: now} // another than that of a client it is made from
		c.config.Clock = c.clock
		return checkGiven("clock", now != nil)
	}
}

// WithUserAgent sets the User-Agent header; "qredo-go/" and [Version] unless set.
func WithUserAgent(agent string) Option {
	return func(c *Client) error {
		c.header["User-Agent"] = []string{agent}
		return checkHeaderText("user agent", strings.ReplaceAll(agent, " ", ""))
	}
}

// WithMaxResponse sets how many bytes an answer may have; 32 MiB unless set. A longer one is an
// [*Error] that matches [ErrBadAnswer].
func WithMaxResponse(bytes int64) Option {
	return func(c *Client) error {
		if bytes < 1 {
			return invalid("max response", "must be at least 1 byte, is %d", bytes)
		}
		c.config.MaxAnswer = min(bytes, math.MaxInt64-1) // one more is read, to tell whether there is more
		return nil
	}
}
