package qredo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers that authenticate a request to Qredo API v1.
const (
	headerHMACKey  = "Qredo-Api-Key"
	headerHMACTime = "Qredo-Api-Ts"
	headerHMACSign = "Qredo-Api-Sig"
)

// HMACAuth signs requests to Qredo API v1 with a shared secret. It prints as its name only.
type HMACAuth struct {
	apiKey func() string // functions for the reason given at RSAAuth
	sum    func(parts ...string) []byte
}

// NewHMACAuth returns an authenticator for an API key and its secret, which is base64: standard or
// URL-safe, padded or not. White space around both is dropped. A secret that is not base64 is a
// [*ValidationError].
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

// String returns the type's name and no secret.
func (a HMACAuth) String() string { return "qredo.HMACAuth(redacted)" }

// GoString returns the type's name and no secret.
func (a HMACAuth) GoString() string { return a.String() }
