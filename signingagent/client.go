package signingagent

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/internal/wire"
)

// How long calls of the local API may take.
const (
	callTime = 90 * time.Second // agents give the service a minute
	// The old program answers a registration once it has connected to its feed, or has tried to for five minutes.
	registerTime = 7 * time.Minute
)

const localPath = "/api/v1"

// Client calls the local REST API of a signing agent that runs as a separate program: either qredo signing-agent serve or
// Qredo's own program, called the old program here, in the releases of November 2022 to August 2023. It is safe for concurrent
// use.
//
// It is built on [qredo.Client], and retries in the same way: reads are sent again, and anything else only if it cannot have
// reached the agent. A vote or registration that may have been carried out matches [qredo.ErrOutcomeUnknown]. An answer other
// than the success asked for is an [*AgentError].
//
// The old program sometimes says that it has approved or rejected when it has not: see [Client.Approve]. With
// [WithServiceClient] the service is asked instead.
type Client struct {
	core    *qredo.Client
	service *qredo.Client // nil if there is none
	token   bearer
	tls     bool
}

// ClientOption changes how a [Client] works.
type ClientOption func(*clientOptions) error

type clientOptions struct {
	token   string
	tls     *tls.Config
	http    *http.Client
	plain   bool
	log     *slog.Logger
	service *qredo.Client
}

// WithBearerToken sends a token with each request, as qredo signing-agent serve requires. The old program needs none and
// ignores it. Default: no token.
func WithBearerToken(token qredo.Secret) ClientOption {
	return func(o *clientOptions) error {
		o.token = strings.TrimSpace(string(token))
		if o.token == "" || strings.Trim(o.token, tokenCharacters) != "" {
			return invalid("bearer token", "must be letters, digits and -._~+/=")
		}
		return nil
	}
}

const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// WithTLSConfig says which certificates to trust, and which client certificate to send if the agent asks for one. It is for a
// base URL with https. Give either this or [WithHTTPClient], not both.
func WithTLSConfig(config *tls.Config) ClientOption {
	return func(o *clientOptions) error {
		o.tls = config
		return given("TLS config", config != nil)
	}
}

// WithHTTPClient sends requests through your own HTTP client. Its Timeout, and its transport's timeout for headers, should be
// zero: calls are ended by their context, after 90 seconds at most, and [Client.Register] after seven minutes.
func WithHTTPClient(client *http.Client) ClientOption {
	return func(o *clientOptions) error {
		o.http = client
		return given("HTTP client", client != nil)
	}
}

// WithPlainHTTP allows a base URL with http to another machine, because the old program usually runs in a container network.
// Anyone who can read that network's traffic sees the token, and with the old program needs no token to vote. Default: http
// only to this machine.
func WithPlainHTTP() ClientOption {
	return func(o *clientOptions) error {
		o.plain = true
		return nil
	}
}

// WithLogger logs each attempt as [qredo.WithLogger] does, without bodies, tokens and keys. Default: no logging.
func WithLogger(log *slog.Logger) ClientOption {
	return func(o *clientOptions) error {
		o.log = log
		return given("logger", log != nil)
	}
}

// WithServiceClient passes a client of the service, with the RSA key of the company that registered the agent. The client then
// uses it to read actions after votes, and to read what is pending after a feed was disconnected: you get the service's word,
// not the agent's. Default: the agent is believed.
func WithServiceClient(client *qredo.Client) ClientOption {
	return func(o *clientOptions) error {
		o.service = client
		return given("service client", client != nil)
	}
}

func given(what string, ok bool) error {
	if !ok {
		return invalid(what, "must not be nil")
	}
	return nil
}

func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// NewClient returns a client for the agent at a base URL such as http://127.0.0.1:8007. It must be https, or http to this
// machine ([WithPlainHTTP] allows others). If it has no path, /api/v1 is added. A wrong option is a [*qredo.ValidationError].
func NewClient(baseURL string, opts ...ClientOption) (*Client, error) {
	var o clientOptions
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("option", "must not be nil")
		}
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	if o.http != nil && o.tls != nil {
		return nil, invalid("TLS config", "must not be given together with an HTTP client: set it there")
	}
	if o.http == nil {
		o.http = localHTTP(o.tls)
	}
	base := strings.TrimRight(strings.TrimSpace(baseURL), "/")
	if u, err := url.Parse(base); err == nil {
		if u.Path == "" && u.Host != "" {
			u.Path = localPath
		}
		if o.plain && u.Scheme == "http" {
			u.Scheme = "https" // as the core client needs it; localTransport undoes it
		} else {
			o.plain = false
		}
		base = u.String()
	}
	client := *o.http
	client.Transport = localTransport{o.http, o.plain}
	core := []qredo.Option{qredo.WithBaseURL(base), qredo.WithHTTPClient(&client)}
	if o.log != nil {
		core = append(core, qredo.WithLogger(o.log))
	}
	c := &Client{service: o.service, token: bearer(func() string { return o.token }), tls: strings.HasPrefix(base, "https:") && !o.plain}
	var err error
	c.core, err = qredo.NewClient(c.token, core...)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// bearer authenticates by a token, or not at all: the old program has no authentication. It is a function because no
// printer looks into one.
type bearer func() string

// Authenticate sets the token.
func (b bearer) Authenticate(req *http.Request, _ []byte, _ time.Time) error {
	if token := b(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}

// localHTTP is the default HTTP client: the engine's without its time limits, which a registration with the old program
// would exceed.
func localHTTP(config *tls.Config) *http.Client {
	client := transport.DefaultHTTP(nil)
	client.Timeout = 0
	own, ok := client.Transport.(*http.Transport)
	if !ok && config == nil {
		return client
	}
	if !ok { // the program has replaced the default transport by one that would ignore the config
		own = &http.Transport{ForceAttemptHTTP2: true}
		client.Transport = own
	}
	own.ResponseHeaderTimeout = 0
	if config != nil {
		own.TLSClientConfig = config.Clone()
		own.TLSClientConfig.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	}
	return client
}

// localTransport makes requests as the old program's local API needs them.
type localTransport struct {
	client *http.Client
	plain  bool // without TLS, whatever the URL says
}

// RoundTrip makes a request. If an upgrade is answered by a success that is not an upgrade, as the old program does while
// it is not connected to the service, it returns an error: the state is temporary, and not a refusal that the consumer of
// a feed must hear of.
func (t localTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	next := t.client.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	if t.plain {
		req = req.Clone(req.Context())
		req.URL.Scheme = "http"
	}
	res, err := next.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK || req.Header.Get("Upgrade") == "" {
		return res, err
	}
	const longest = 64 // bytes
	start, err := io.ReadAll(io.LimitReader(res.Body, longest))
	if body := string(bytes.TrimSpace(start)); err == nil && (body == "" || body == `{"Code":200,"Msg":"OK"}`) {
		return nil, errors.Join(ErrNotConnected, res.Body.Close())
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), res.Body), res.Body}
	return res, nil
}

// local is a call of the local API.
type local struct {
	method, name, path string // the operation's name has the placeholder, the path does not
	body               []byte
	secrets            []string // of the body
	time               time.Duration
	check              func() error // of the response that was read
}

// call makes a call and decodes its response into out. A response is never put into an error before secrets have been
// removed from it.
func (c *Client) call(ctx context.Context, l local, out any, opts []qredo.CallOption) error {
	if l.time == 0 {
		l.time = callTime
	}
	ctx, cancel := context.WithTimeout(ctx, l.time)
	defer cancel()
	var answer []byte
	named := append([]qredo.CallOption{qredo.WithOperation(l.method + " " + l.name)}, opts...)
	if err := c.core.Do(ctx, l.method, l.path, l.body, &answer, named...); err != nil {
		return c.problem(l, err)
	}
	err := wire.UnmarshalAnswerContext(ctx, answer, out)
	if err == nil && l.check != nil {
		err = l.check()
	}
	if err != nil {
		return &AgentError{Operation: l.method + " " + l.name, StatusCode: http.StatusOK, unknown: l.writes(), cause: err}
	}
	return nil
}

func (l local) writes() bool { return l.method != http.MethodGet }
