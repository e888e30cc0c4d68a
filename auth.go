package qredo

import (
	"context"
	"crypto"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Authenticator authenticates requests: [RSAAuth] for the Partner API, [HMACAuth] for Qredo API v1. An implementation must be
// safe for concurrent use.
type Authenticator interface {
	// Authenticate sets the headers that authenticate one attempt with exactly this body.
	Authenticate(req *http.Request, body []byte, now time.Time) error
}

// Headers that authenticate a request to the Partner API.
const (
	headerAPIKey    = "X-Api-Key" //nolint:gosec // the name of a header, not a key
	headerTimestamp = "X-Timestamp"
	headerNonce     = "X-Nonce"
	headerSign      = "X-Sign"
)

// RSAAuth signs requests to the Partner API with an RSA key. When printed it shows only its type name, never the API key or the
// private key.
type RSAAuth struct {
	// Secrets are held in functions, because no printer, debugger dump or reflection looks into those.
	apiKey func() string
	sign   func(ctx context.Context, digest []byte) ([]byte, error)
	nonce  func() string
	turn   chan struct{} // of requests with a nonce, which are sent one at a time
}

// RSAOption changes how an [RSAAuth] authenticates.
type RSAOption func(*RSAAuth) error

// WithNonce sends an x-nonce instead of an x-timestamp, so that the clock does not matter. next is called once for each attempt
// and must never return the same text twice for the same API key, even after a restart; the service asks for increasing
// integers. To make them arrive in that order, requests of all clients that sign with this RSAAuth are sent one at a time: each
// waits for the previous answer. [WithNonceInAnyOrder] does not wait.
func WithNonce(next func() string) RSAOption {
	return func(a *RSAAuth) error {
		a.nonce, a.turn = next, make(chan struct{}, 1)
		return checkGiven("nonce", next != nil)
	}
}

// WithNonceInAnyOrder is [WithNonce] for services that accept nonces in any order: requests are sent concurrently, and next may
// be called from any goroutine.
func WithNonceInAnyOrder(next func() string) RSAOption {
	return func(a *RSAAuth) error {
		a.nonce, a.turn = next, nil
		return checkGiven("nonce", next != nil)
	}
}

// NewRSAAuth returns an authenticator for an API key and the RSA key registered with it. White space around the API key is
// removed. The key may be a [crypto.Signer] that holds it elsewhere, such as a hardware module; it must sign with PKCS #1 v1.5.
// If it has a method SignContext(ctx, rand, digest, opts), that is called with the call's context, so that a slow signature
// ends with the call. It returns a [*ValidationError] if the key is not RSA or has fewer than 2048 bits, or if the API key
// cannot be a header value.
func NewRSAAuth(apiKey string, key crypto.Signer, opts ...RSAOption) (*RSAAuth, error) {
	apiKey, err := checkAPIKey(apiKey)
	if err != nil {
		return nil, err
	}
	if k, ok := key.(*rsa.PrivateKey); key == nil || ok && k == nil {
		return nil, invalid("private key", "must not be nil")
	}
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return nil, invalid("private key", "must be an RSA key, is %T", key.Public())
	}
	if err := checkKeySize(public); err != nil {
		return nil, err
	}
	a := &RSAAuth{
		apiKey: func() string { return apiKey },
		sign: func(ctx context.Context, digest []byte) ([]byte, error) {
			if remote, ok := key.(contextSigner); ok {
				return remote.SignContext(ctx, rand.Reader, digest, crypto.SHA256)
			}
			return key.Sign(rand.Reader, digest, crypto.SHA256)
		},
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, invalid("option", "must not be nil")
		}
		if err := opt(a); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Sign returns the x-sign header for a stamp (the text of the x-timestamp or x-nonce header), the full URL with its query, and
// the exact bytes of the body. The method is not signed.
func (a *RSAAuth) Sign(stamp, url string, body []byte) (string, error) {
	return a.signContext(context.Background(), stamp, url, body)
}

// contextSigner is a [crypto.Signer] that asks another program, and can be cancelled.
type contextSigner interface {
	SignContext(ctx context.Context, rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

func (a *RSAAuth) signContext(ctx context.Context, stamp, url string, body []byte) (string, error) {
	signed := append(make([]byte, 0, 1024), stamp...) // on the stack, except for a long body
	signed = append(append(signed, url...), body...)
	digest := sha256.Sum256(signed)
	signature, err := a.sign(ctx, digest[:])
	if err != nil {
		return "", fmt.Errorf("qredo: the private key did not sign: %w", err)
	}
	var text [683]byte // room for a key of 4096 bits, on the stack
	return string(base64.RawURLEncoding.AppendEncode(text[:0], signature)), nil
}

// Authenticate sets X-API-KEY, x-sign, and x-timestamp or x-nonce.
func (a *RSAAuth) Authenticate(req *http.Request, body []byte, now time.Time) error {
	header, unused, stamp := headerTimestamp, headerNonce, strconv.FormatInt(now.Unix(), 10)
	if a.nonce != nil {
		header, unused, stamp = headerNonce, headerTimestamp, a.nonce()
		if problem := headerProblem(stamp); problem != "" {
			return errors.New("the nonce " + problem) // not a ValidationError: the request is not at fault
		}
	}
	signature, err := a.signContext(req.Context(), stamp, req.URL.String(), body)
	if err != nil {
		return err
	}
	req.Header.Del(unused)
	values := []string{stamp, a.apiKey(), signature} // one allocation for all three
	req.Header[header], req.Header[headerAPIKey], req.Header[headerSign] = values[0:1:1], values[1:2:2], values[2:3:3]
	return nil
}

// APIKeyDigest distinguishes API keys without revealing them: see [Client.APIKeyDigest].
func (a *RSAAuth) APIKeyDigest() string {
	sum := sha256.Sum256([]byte("qredo api key " + a.apiKey()))
	return hex.EncodeToString(sum[:8])
}

// String returns the type's name, and no secret.
func (a RSAAuth) String() string { return "qredo.RSAAuth(redacted)" }

// GoString returns the type's name, and no secret.
func (a RSAAuth) GoString() string { return a.String() }

func checkAPIKey(apiKey string) (string, error) {
	apiKey = strings.TrimSpace(apiKey)
	return apiKey, checkHeaderText("API key", apiKey)
}

// Headers that authenticate a request to Qredo API v1.
const (
	headerHMACKey  = "Qredo-Api-Key"
	headerHMACTime = "Qredo-Api-Ts"
	headerHMACSign = "Qredo-Api-Sig"
)

// HMACAuth signs requests to Qredo API v1 with a shared secret. When printed it shows only its type name.
type HMACAuth struct {
	apiKey func() string // functions, for the reason given at RSAAuth
	sum    func(parts ...string) []byte
}

// NewHMACAuth returns an authenticator for an API key and its secret, which is base64: standard or URL-safe, with or without
// padding. White space around both is removed. It returns a [*ValidationError] if the secret is not base64, or is shorter than
// 14 bytes when only FIPS 140 is allowed (GODEBUG=fips140=only).
func NewHMACAuth(apiKey, secret string) (*HMACAuth, error) {
	apiKey, err := checkAPIKey(apiKey)
	if err != nil {
		return nil, err
	}
	text := strings.TrimRight(strings.TrimSpace(secret), "=")
	key, err := base64.RawURLEncoding.Strict().DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(text))
	if err != nil || len(key) == 0 || strings.ContainsAny(text, "\r\n") {
		return nil, invalid("secret", "must be base64, standard or URL-safe, and not empty")
	}
	if len(key) < 14 && fips140.Enforced() { // signing would otherwise panic
		return nil, invalid("secret", "must have at least 14 bytes with GODEBUG=fips140=only, has %d", len(key))
	}
	return &HMACAuth{
		apiKey: func() string { return apiKey },
		sum: func(parts ...string) []byte {
			h := hmac.New(sha256.New, key)
			for _, part := range parts {
				h.Write([]byte(part))
			}
			return h.Sum(nil)
		},
	}, nil
}

// Sign returns the qredo-api-sig header for a stamp (the text of the qredo-api-ts header), the method,
// the full URL with its query, and the exact bytes of the body.
func (a *HMACAuth) Sign(stamp, method, url string, body []byte) (string, error) {
	if stamp == "" || method == "" || url == "" {
		return "", invalid("signature", "needs a stamp, a method and a URL")
	}
	sum := a.sum(stamp, strings.ToUpper(method), url, string(body))
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// Authenticate sets qredo-api-key, qredo-api-ts and qredo-api-sig.
func (a *HMACAuth) Authenticate(req *http.Request, body []byte, now time.Time) error {
	stamp := strconv.FormatInt(now.Unix(), 10)
	signature, err := a.Sign(stamp, req.Method, req.URL.String(), body)
	if err != nil {
		return err
	}
	req.Header.Set(headerHMACKey, a.apiKey())
	req.Header.Set(headerHMACTime, stamp)
	req.Header.Set(headerHMACSign, signature)
	return nil
}

// String returns the type's name, and no secret.
func (a HMACAuth) String() string { return "qredo.HMACAuth(redacted)" }

// GoString returns the type's name, and no secret.
func (a HMACAuth) GoString() string { return a.String() }

// PreparedRequest is a signed request that has not been sent, to be sent by another program or from another machine. It must be
// sent exactly as it is. The service accepts it once, within a few minutes or, with a nonce, when its turn comes.
type PreparedRequest struct {
	Method string
	URL    string
	Header http.Header // includes what authenticates the request: secret until it is sent
	Body   []byte
}

// Format prints the method and the URL whatever the verb, because the headers are secret.
func (p PreparedRequest) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "%s %s %s", p.Method, p.URL, redacted)
}

// LogValue returns what Format prints.
func (p PreparedRequest) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(p)) }

// Prepare signs a request without sending it, for keys on an offline machine. Its arguments are those of [Client.Do]. body may
// be a request of this package, such as [TransferRequest], which is then checked as the method that sends it would. Give such a
// request a PartnerTxID.
func (c *Client) Prepare(ctx context.Context, method, path string, body any, opts ...CallOption) (*PreparedRequest, error) {
	options := newCallOptions(opts)
	if known, ok := body.(request); ok {
		if err := known.validate(c.clock.Earliest()); err != nil {
			return nil, err
		}
	}
	op, err := anyOperation(method, path, body)
	if err != nil {
		return nil, err
	}
	req, err := c.prepare(ctx, op, options)
	if err != nil {
		return nil, err
	}
	req.HTTP.Header = maps.Clone(req.HTTP.Header)
	if err := c.config.Auth.Authenticate(req.HTTP, req.Body, c.clock.Now()); err != nil {
		return nil, fmt.Errorf("qredo: authenticating: %w", err)
	}
	return &PreparedRequest{Method: req.HTTP.Method, URL: req.HTTP.URL.String(), Header: req.HTTP.Header, Body: req.Body}, nil
}

// ProofAuth authenticates a signing agent's own calls, with a proof in the header x-api-zkp and nothing else. A proof says who
// and when, not what is requested: anyone who sees one can use it for some minutes, as often as they like.
type ProofAuth struct {
	proof func(method, url string, body []byte, now time.Time) (string, error)
}

// NewProofAuth returns an authenticator that calls proof for the header of each attempt, and of each connection of a feed. The
// service's proofs depend only on what the agent was given and on now; method, url and body are for other kinds of services.
// Package signingagent makes them. An error from proof ends the attempt.
func NewProofAuth(proof func(method, url string, body []byte, now time.Time) (string, error)) (*ProofAuth, error) {
	if proof == nil {
		return nil, invalid("proof", "must not be nil")
	}
	return &ProofAuth{proof}, nil
}

// Authenticate sets x-api-zkp.
func (a *ProofAuth) Authenticate(req *http.Request, body []byte, now time.Time) error {
	proof, err := a.proof(req.Method, req.URL.String(), body, now)
	if err != nil {
		return err
	}
	if problem := headerProblem(proof); problem != "" {
		return errors.New("the proof " + problem)
	}
	req.Header.Set("X-Api-Zkp", proof)
	return nil
}
