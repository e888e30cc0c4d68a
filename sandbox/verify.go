package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// tolerance is how far a timestamp may be off.
const tolerance = 5 * time.Minute

// clientKey is what the sandbox knows of one API key.
type clientKey struct {
	ID          string // names the key without giving it away
	Account     string // whose companies it sees
	public      *rsa.PublicKey
	hmac        *qredo.HMACAuth // of Qredo API v1, in place of a public key: holds the secret
	permissions []Permission    // of Qredo API v1: all if empty
}

// keyring holds the keys of one API, by a digest, so that finding one tells nothing about another. It does
// not change once the sandbox is made.
type keyring map[[sha256.Size]byte]*clientKey

func digestOfKey(apiKey string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.TrimSpace(apiKey)))
}

func (k keyring) add(apiKey string, key clientKey) {
	digest := digestOfKey(apiKey)
	if key.ID == "" {
		key.ID = base64.RawURLEncoding.EncodeToString(digest[:9])
	}
	k[digest] = &key
}

// find returns the key that a header names.
func (k keyring) find(apiKey string) (*clientKey, error) {
	if strings.TrimSpace(apiKey) == "" {
		return nil, &fault{http.StatusUnauthorized, "Unauthorized", "empty token"}
	}
	key := k[digestOfKey(apiKey)]
	if key == nil {
		return nil, errPartnerAuth("api key")
	}
	return key, nil
}

// verifier checks that requests come from who holds the private key of a registered public key.
type verifier struct {
	unsigned bool
	keys     keyring

	mu     sync.Mutex
	nonces map[nonce]struct{}
}

type nonce struct {
	key  *clientKey
	text string
}

func newVerifier() *verifier { return &verifier{keys: keyring{}, nonces: map[nonce]struct{}{}} }

// verify returns the key that signed a request for one of the URLs with exactly this body. What must be
// signed is, also where other requests need not be.
func (v *verifier) verify(h http.Header, urls []string, body []byte, now time.Time, mustSign bool) (*clientKey, error) {
	key, err := v.keys.find(h.Get("X-API-KEY"))
	if err != nil {
		return nil, err
	}
	timestamp, once, sign := h.Get("x-timestamp"), h.Get("x-nonce"), h.Get("x-sign")
	switch unsigned := timestamp == "" && once == "" && sign == ""; {
	case unsigned && mustSign:
		return nil, errPartnerAuth("signature: this request must be signed, also with --unsigned")
	case unsigned && v.unsigned:
		return key, nil
	case unsigned:
		return nil, errPartnerAuth("signature: the request is not signed; with --unsigned (WithUnsigned) the sandbox takes it")
	}
	stamp := timestamp + once
	switch {
	case timestamp != "" && once != "", stamp == "":
		return nil, errPartnerAuth("timestamp or nonce: exactly one must be given")
	case timestamp != "" && stale(timestamp, now):
		return nil, errPartnerAuth("timestamp")
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(sign)
	if err != nil || !key.signed(stamp, urls, body, signature) {
		return nil, errPartnerAuth("signature")
	}
	if once != "" && !v.useOnce(nonce{key, once}) {
		return nil, errPartnerAuth("nonce")
	}
	return key, nil
}

// signed reports whether a signature is the key's over stamp, one of the URLs, and body.
func (k *clientKey) signed(stamp string, urls []string, body, signature []byte) bool {
	for _, url := range urls {
		digest := sha256.New()
		digest.Write([]byte(stamp))
		digest.Write([]byte(url))
		digest.Write(body)
		if rsa.VerifyPKCS1v15(k.public, crypto.SHA256, digest.Sum(nil), signature) == nil {
			return true
		}
	}
	return false
}

func stale(timestamp string, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return true
	}
	off := now.Unix() - seconds
	limit := int64(tolerance / time.Second)
	return off > limit || off < -limit
}

func (v *verifier) useOnce(n nonce) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, used := v.nonces[n]
	v.nonces[n] = struct{}{}
	return !used
}

// requestURL is the URL that a client asked for, as it must have signed it.
func requestURL(r *http.Request) string {
	scheme := "http"
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		scheme = "ws"
	}
	if r.TLS != nil {
		scheme += "s"
	}
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") { // made in this process, or as a proxy's client writes it
		target = r.URL.RequestURI()
	}
	return scheme + "://" + r.Host + target
}
