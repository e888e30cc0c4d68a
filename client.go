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

// Version is the version of this module, as sent in the User-Agent header.
const Version = "0.2.0"

// Environment is the base URL of one of the environments that the service had.
type Environment string

// The environments that the service ran. All of them have been shut down; to test programs, use package sandbox with
// [WithBaseURL].
const (
	EnvironmentProduction Environment = "https://api.qredo.network/api/v1/p"
	EnvironmentSandbox    Environment = "https://sandbox-api.qredo.network/api/v1/p"
	EnvironmentPlay       Environment = "https://play-api.qredo.network/api/v1/p"
)

// A client's defaults.
const (
	defaultMaxResponse  = 32 << 20 // bytes of one response
	defaultPollInterval = 2 * time.Second
)

// Client calls the Partner API. Its services group the operations. A Client is safe for concurrent use; create one and reuse
// it.
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
	header   http.Header // of every request, unless the caller sets another
	requests transport.Link
	upgrades transport.Link // to feeds
	observe  func(context.Context, Attempt)
	trace    Trace

	config transport.Config
}

// Option changes how a [Client] works.
type Option func(*Client) error

// NewClient returns a client that authenticates with auth. You must say which service to call, with [WithBaseURL] or
// [WithEnvironment]; [ClientFromEnv] reads that from the environment too. A wrong option is a [*ValidationError].
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

// As returns a client that authenticates with auth and otherwise has the options of c: for example, a signing agent's client
// next to its company's. Both share the rate limit, and what the service's answers have shown about the clock. Options apply
// only to the new client.
func (c *Client) As(auth Authenticator, opts ...Option) (*Client, error) {
	if isNil(auth) {
		return nil, invalid("auth", "must not be nil")
	}
	other := &Client{baseURL: c.baseURL, clock: c.clock, header: c.header.Clone(), observe: c.observe, trace: c.trace, config: c.config}
	other.config.Auth, other.config.Turn = auth, nil
	return other.set(opts)
}

// set applies the options, and creates what depends on them.
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

// ClientFromEnv returns a client configured from the environment: the keys as [AuthFromEnv] reads them, and the base URL from
// QREDO_BASE_URL, which an option may override. It returns a [*ValidationError] that names the variable if one is missing.
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

// APIKeyDigest distinguishes API keys without revealing them, for programs that record which key something was sent with: the
// service knows a PartnerTxID only under the key that it came with. It is 16 hexadecimal digits, or "" for an [Authenticator]
// that has no method of this name.
func (c *Client) APIKeyDigest() string {
	if auth, ok := c.config.Auth.(interface{ APIKeyDigest() string }); ok {
		return auth.APIKeyDigest()
	}
	return ""
}

// Expired reports whether a time has definitely passed: by the client's clock, and by the service's if its answers have shown
// that it differs. A request for a transaction that has expired in this sense is refused without being sent.
func (c *Client) Expired(t Time) bool { return c.Until(t) <= 0 }

// Until returns how long it takes until a time has definitely passed, in the sense of [Client.Expired]: zero or negative if it
// has.
func (c *Client) Until(t Time) time.Duration { return t.Sub(c.clock.Earliest()) }

// isNil also detects a nil pointer in the interface, which would panic at the first call.
func isNil(auth Authenticator) bool {
	v := reflect.ValueOf(auth)
	return auth == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

// WithEnvironment selects one of the service's environments. If you also give [WithBaseURL], the last one counts.
func WithEnvironment(env Environment) Option { return WithBaseURL(string(env)) }

// WithBaseURL sets the service's base URL, such as https://example.com/api/v1/p. It must be https, or http to this machine,
// without user, query or fragment. The host is lowercased, because servers and proxies that rebuild the signed URL do the same.
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
		if !strings.Contains(u.Host, "%") { // the zone of an address may have capitals
			u.Host = strings.ToLower(u.Host)
		}
		c.baseURL = u.String()
		return nil
	}
}

// WithHTTPClient sends requests through your own HTTP client: for proxies, your own certificates and timeouts, or tests.
// Redirects are refused whatever it says, because the URL is signed.
//
// Default: a client of its own with TLS 1.2 or newer, a minute for each attempt, half of it for the answer's head, and the proxy
// that the environment names. It uses HTTP/2 if the service does: 64 concurrent calls then need one connection instead of 64 with
// their handshakes, and less processor time; and a ping finds a silently dead connection within 8 s, where HTTP/1.1 waits 30 s
// for the head. Otherwise it keeps up to 64 idle connections, and drops them all when an answer has not come in time.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) error {
		c.config.HTTP = client
		return checkGiven("HTTP client", client != nil)
	}
}

// RetryPolicy says how often and when a failed request is sent again. Fields left zero have their defaults.
//
// The policy does not decide which requests may be sent again. Reads may, and so may requests for transactions with a
// PartnerTxID, because the service makes one transaction for each PartnerTxID, however often it is sent. Any other write may
// be sent again only if it cannot have been carried out: the connection was refused, or the answer was 429.
type RetryPolicy struct {
	MaxAttempts   int           // attempts per call, including the first; default 4
	MinBackoff    time.Duration // upper limit of the first pause, doubled for each one after it; default 200 ms
	MaxBackoff    time.Duration // upper limit of any pause; default 10 s
	MaxRetryAfter time.Duration // the longest Retry-After that is followed; default 60 s
	// Budget is how many retries there may be while nothing succeeds, so that an outage is not made worse. Each success
	// gives half an attempt back. Default: 100.
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

// WithRetry changes how often and when requests are sent again; see [RetryPolicy]. MaxAttempts 1 turns retries off for all
// calls, [WithoutRetry] for one. A request that is refused because of the clock is still signed and sent once more, except
// with [WithoutRetry].
func WithRetry(policy RetryPolicy) Option {
	return func(c *Client) (err error) {
		policy, err = policy.withDefaults()
		c.config.Retry = transport.Policy(policy)
		return err
	}
}

// WithRateLimit limits the client to perSecond requests a second, with bursts of up to burst. Calls and the connections of
// feeds wait for their turn, for as long as their context allows. Default: no limit; an answer of 429 always makes the
// whole client pause.
func WithRateLimit(perSecond float64, burst int) Option {
	return func(c *Client) error {
		if !(perSecond > 0) || math.IsInf(perSecond, 1) || burst < 1 {
			return invalid("rate limit", "must be more than zero a second, with a burst of at least 1, is %v and %d", perSecond, burst)
		}
		c.config.Limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
		return nil
	}
}

// WithLogger logs each attempt: method, path, status and duration. Successes are logged at level debug, failures at
// level warn. Bodies, keys and signatures are never logged. Default: no logging.
func WithLogger(log *slog.Logger) Option {
	return func(c *Client) error {
		c.config.Log = log
		return checkGiven("logger", log != nil)
	}
}

// WithClock sets the clock that stamps requests and checks expiries. Default: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(c *Client) error {
		c.clock = &transport.Clock{Source: now} // differs from that of the client it is made from
		c.config.Clock = c.clock
		return checkGiven("clock", now != nil)
	}
}

// WithUserAgent sets the User-Agent header. Default: "qredo-go/" and [Version].
func WithUserAgent(agent string) Option {
	return func(c *Client) error {
		c.header["User-Agent"] = []string{agent}
		return checkHeaderText("user agent", strings.ReplaceAll(agent, " ", ""))
	}
}

// WithMaxResponse limits how many bytes an answer may have. A longer one is an [*Error] that matches [ErrBadAnswer].
// Default: 32 MiB.
func WithMaxResponse(bytes int64) Option {
	return func(c *Client) error {
		if bytes < 1 {
			return invalid("max response", "must be at least 1 byte, is %d", bytes)
		}
		c.config.MaxAnswer = min(bytes, math.MaxInt64-1) // one more byte is read, to detect a longer body
		return nil
	}
}
