package qredo

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"
	"unicode"

	"golang.org/x/time/rate"
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
	defaultTimeout      = 60 * time.Second // of one attempt, from dialling to the last byte
	defaultMaxResponse  = 32 << 20         // bytes of one answer
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

	base        *url.URL
	baseURL     string // base as text
	auth        Authenticator
	http        *http.Client
	log         *slog.Logger
	clock       *clock
	retry       RetryPolicy
	limiter     *rate.Limiter
	userAgent   []string // as the header has it
	maxResponse int64
	chain       handler
}

// Option changes how a [Client] works.
type Option func(*Client) error

// NewClient returns a client that authenticates with auth. Without options it calls [EnvironmentProduction] with
// an HTTP client of its own, whose attempts end after a minute. A wrong option is a [*ValidationError].
func NewClient(auth Authenticator, opts ...Option) (*Client, error) {
	if isNil(auth) {
		return nil, invalid("auth", "must not be nil: see NewRSAAuth and AuthFromEnv")
	}
	c := &Client{auth: auth, clock: &clock{}}
	defaults := []Option{
		WithEnvironment(EnvironmentProduction), WithHTTPClient(defaultHTTPClient()), WithRetry(RetryPolicy{}), WithClock(time.Now),
		WithLogger(slog.New(slog.DiscardHandler)), WithUserAgent("qredo-go/" + Version), WithMaxResponse(defaultMaxResponse),
	}
	for _, opt := range append(defaults, opts...) {
		if opt == nil {
			return nil, invalid("option", "must not be nil")
		}
		if err := opt(c); err != nil {
			return nil, err
		}
	}
	c.baseURL = c.base.String()
	var chain handler = httpHandler{c.http, c.maxResponse}
	chain = authHandler{c.auth, c.clock, chain}
	chain = rateHandler{c.limiter, &stop{}, c.retry.MaxRetryAfter, chain}
	chain = logHandler{c.log, chain}
	chain = errorHandler{c.clock, chain}
	c.chain = retryHandler{c.retry, &retryBudget{halves: 2 * c.retry.Budget, most: 2 * c.retry.Budget}, c.clock, chain}
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

// isNil also finds a nil pointer in the interface, which would panic at the first call.
func isNil(auth Authenticator) bool {
	v := reflect.ValueOf(auth)
	return auth == nil || v.Kind() == reflect.Pointer && v.IsNil()
}

func defaultHTTPClient() *http.Client {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the program has put its own in place, to trace or to mock
		return &http.Client{Transport: http.DefaultTransport, Timeout: defaultTimeout}
	}
	transport := standard.Clone()
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{}
	}
	transport.TLSClientConfig.MinVersion = max(transport.TLSClientConfig.MinVersion, tls.VersionTLS12)
	transport.ResponseHeaderTimeout = defaultTimeout / 2
	transport.MaxIdleConnsPerHost = 64 // all calls go to one host
	return &http.Client{Transport: transport, Timeout: defaultTimeout}
}

// WithEnvironment selects one of the service's installations; [EnvironmentProduction] unless it or [WithBaseURL] is
// given, of which the last counts.
func WithEnvironment(env Environment) Option { return WithBaseURL(string(env)) }

// WithBaseURL selects a service by its base URL, which must be https, or http to this machine, and have
// neither user, query nor fragment. A path is kept: https://example.com/api/v1/p.
func WithBaseURL(base string) Option {
	return func(c *Client) error {
		u, err := url.Parse(strings.TrimRight(strings.TrimSpace(base), "/"))
		switch { // The URL is not repeated: it may hold a password, or an API key as a user.
		case err != nil:
			return invalid("base URL", "must be a URL such as https://example.com/api/v1/p")
		case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
			return invalid("base URL", "must begin with https:// or, to this machine only, http://")
		case u.Hostname() == "" || u.Opaque != "" || strings.ContainsFunc(u.Host, func(r rune) bool { return r > '~' }):
			return invalid("base URL", "must name a host, in ASCII")
		case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(base, "#"):
			return invalid("base URL", "must have neither user, query nor fragment")
		}
		c.base = u
		return nil
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// WithHTTPClient makes requests through the caller's HTTP client: for proxies, own certificates, own
// timeouts, tests. Unless it is given, a client has one of its own: TLS 1.2 or newer, a minute for an
// attempt, the environment's proxy. Redirects are refused whatever it says, because the URL is signed.
func WithHTTPClient(client *http.Client) Option {
	return func(c *Client) error {
		c.http = client
		return checkGiven("HTTP client", client != nil)
	}
}

// WithRetry changes how often and when requests are sent again; see [RetryPolicy]. One attempt turns
// retries off for all calls, [WithoutRetry] for one. What is refused for a wrong clock is signed and sent
// once more all the same, unless by [WithoutRetry].
func WithRetry(policy RetryPolicy) Option {
	return func(c *Client) (err error) {
		c.retry, err = policy.withDefaults()
		return err
	}
}

// WithRateLimit keeps the client below a number of requests a second, of which so many may be sent at
// once. Calls wait for their turn, no longer than their context. There is no limit unless it is set; an
// answer of 429 stops the whole client for a while in any case.
func WithRateLimit(perSecond float64, burst int) Option {
	return func(c *Client) error {
		if !(perSecond > 0) || math.IsInf(perSecond, 1) || burst < 1 {
			return invalid("rate limit", "must be more than zero a second, with a burst of at least 1, is %v and %d", perSecond, burst)
		}
		c.limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
		return nil
	}
}

// WithLogger logs each attempt: method, path, status, duration. Bodies, keys and signatures are never
// logged. Successes have level debug, failures level warn. Unless it is given nothing is logged.
func WithLogger(log *slog.Logger) Option {
	return func(c *Client) error {
		c.log = log
		return checkGiven("logger", log != nil)
	}
}

// WithClock sets where the time comes from: for the timestamp of requests and for checking expiries;
// [time.Now] unless set.
func WithClock(now func() time.Time) Option {
	return func(c *Client) error {
		c.clock.source = now
		return checkGiven("clock", now != nil)
	}
}

// WithUserAgent sets the User-Agent header; "qredo-go/" and [Version] unless set.
func WithUserAgent(agent string) Option {
	return func(c *Client) error {
		c.userAgent = []string{agent}
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
		c.maxResponse = min(bytes, math.MaxInt64-1) // one more is read, to tell whether there is more
		return nil
	}
}

// Response is how the service answered a call: what [WithResponse] fills.
type Response struct {
	StatusCode int
	Header     http.Header
	Body       []byte // the whole body as it came
	Attempts   int    // how often the request was sent
}

// CallOption changes one call. Every method takes them last.
type CallOption func(*callOptions)

type callOptions struct {
	header        http.Header
	response      *Response
	pollInterval  time.Duration
	noRetry       bool
	noPartnerTxID bool
	problem       error // with one of the options
}

// WithHeader adds a header to one call. The headers that authenticate it cannot be set, nor can an
// Idempotency-Key: the service knows a PartnerTxID only, and net/http would send the request again by
// itself. A header that cannot be sent is a [*ValidationError].
func WithHeader(key, value string) CallOption {
	return func(o *callOptions) {
		switch name := strings.ToLower(key); {
		case name == "idempotency-key" || name == "x-idempotency-key":
			o.problem = invalid("header "+key, "must not be set: a request is made safe to repeat by its PartnerTxID")
		case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" || strings.ContainsFunc(value, unicode.IsControl):
			o.problem = invalid("header", "must have a name of letters, digits and hyphens and a value in one line, the name is %q", clip(key, 100))
		}
		if o.header == nil {
			o.header = http.Header{}
		}
		o.header.Add(key, value)
	}
}

// WithResponse fills r with how the service answered, also when the call returns an error. A call that
// got no answer leaves r as it is.
func WithResponse(r *Response) CallOption {
	return func(o *callOptions) { o.response = r }
}

// WithoutRetry makes one attempt, whatever happens.
func WithoutRetry() CallOption {
	return func(o *callOptions) { o.noRetry = true }
}

// WithPollInterval sets how long the Wait methods pause between two looks; two seconds unless set.
func WithPollInterval(d time.Duration) CallOption {
	return func(o *callOptions) { o.pollInterval = d }
}

func newCallOptions(opts []CallOption) callOptions {
	o := callOptions{pollInterval: defaultPollInterval}
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	return o
}

// Do sends any request through the same chain as the services' methods: for endpoints this package does
// not know. path is below the base URL and may have a query: "/company/search?query=big". body is sent
// as JSON; a []byte or [json.RawMessage] is sent as it is, and nil sends none. The answer is read into
// out with the tolerance of the rest of the package; a *[]byte or *json.RawMessage gets it as it came,
// and nil ignores it. In a map or any, numbers become [json.Number], so that none is rounded.
func (c *Client) Do(ctx context.Context, method, path string, body, out any, opts ...CallOption) error {
	rel, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || rel.Host != "" || rel.Fragment != "" {
		return invalid("path", "must begin with one / and be below the base URL, is %q", clip(path, 200))
	}
	if strings.ContainsFunc(rel.RawQuery, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return invalid("path", "must have its query encoded (see url.Values), is %q", clip(path, 200))
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(rel.Path, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." {
			return invalid("path", "must have no empty, . or .. element, is %q", clip(path, 200))
		}
	}
	method = strings.ToUpper(method)
	return c.run(ctx, operation{
		method: method, path: rel.EscapedPath(), query: rel.RawQuery, body: body,
		repeatable: method == http.MethodGet || method == http.MethodHead,
	}, out, opts)
}
