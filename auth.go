package qredo

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Authenticator authenticates requests. [RSAAuth] does so for the Partner API, [HMACAuth] for Qredo
// API v1. An implementation must be safe for concurrent use.
type Authenticator interface {
	// Authenticate sets the headers that authenticate one attempt whose body is exactly body.
	Authenticate(req *http.Request, body []byte, now time.Time) error
}

// The headers that authenticate a request to the Partner API.
const (
	headerAPIKey    = "X-Api-Key" //nolint:gosec // the name of a header, not a key
	headerTimestamp = "X-Timestamp"
	headerNonce     = "X-Nonce"
	headerSign      = "X-Sign"
)

// RSAAuth signs requests to the Partner API with an RSA key. It prints as its name only: neither the
// API key nor the private key can be reached through it.
type RSAAuth struct {
	// Functions hold the secrets, because no printer, debugger dump or reflection looks into them.
	apiKey func() string
	sign   func(digest []byte) ([]byte, error)
	nonce  func() string
}

// RSAOption changes how an [RSAAuth] authenticates.
type RSAOption func(*RSAAuth) error

// WithNonce makes requests carry an x-nonce in place of an x-timestamp, so that the clock does not
// matter. next is called once for each attempt, from any goroutine, and must never return the same text
// twice for the same API key, also after a restart; increasing integers are what the service asks for.
func WithNonce(next func() string) RSAOption {
	return func(a *RSAAuth) error {
		a.nonce = next
		return checkGiven("nonce", next != nil)
	}
}

// NewRSAAuth returns an authenticator for an API key and the RSA key registered with it. White space
// around the API key is dropped. The key may be a [crypto.Signer] that holds it elsewhere, such as a
// hardware module: it must sign with PKCS #1 v1.5. A key that is not RSA or is shorter than 2048 bits,
// or an API key that cannot be a header, is a [*ValidationError].
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
		sign: func(digest []byte) ([]byte, error) {
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

// Sign returns the x-sign header for a stamp (the text of the x-timestamp or x-nonce header), the full
// URL with its query, and the exact bytes of the body. The method is not part of what is signed.
func (a *RSAAuth) Sign(stamp, url string, body []byte) (string, error) {
	h := sha256.New()
	h.Write([]byte(stamp))
	h.Write([]byte(url))
	h.Write(body)
	signature, err := a.sign(h.Sum(nil))
	if err != nil {
		return "", fmt.Errorf("qredo: the private key did not sign: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(signature), nil
}

// Authenticate sets X-API-KEY, x-sign, and x-timestamp or x-nonce.
func (a *RSAAuth) Authenticate(req *http.Request, body []byte, now time.Time) error {
	header, unused, stamp := headerTimestamp, headerNonce, strconv.FormatInt(now.Unix(), 10)
	if a.nonce != nil {
		header, unused, stamp = headerNonce, headerTimestamp, a.nonce()
		if problem := headerProblem(stamp); problem != "" {
			return errors.New("the nonce " + problem) // no ValidationError: the request is not what is wrong
		}
	}
	signature, err := a.Sign(stamp, req.URL.String(), body)
	if err != nil {
		return err
	}
	req.Header.Del(unused)
	values := []string{stamp, a.apiKey(), signature} // one allocation for the three
	req.Header[header], req.Header[headerAPIKey], req.Header[headerSign] = values[0:1:1], values[1:2:2], values[2:3:3]
	return nil
}

// String returns the type's name and no secret.
func (a RSAAuth) String() string { return "qredo.RSAAuth(redacted)" }

// GoString returns the type's name and no secret.
func (a RSAAuth) GoString() string { return a.String() }

func checkAPIKey(apiKey string) (string, error) {
	apiKey = strings.TrimSpace(apiKey)
	return apiKey, checkHeaderText("API key", apiKey)
}
