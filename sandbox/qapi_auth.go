package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Permission is what a key of Qredo API v1 can be limited to.
type Permission string

// The permissions of a key.
const (
	PermissionBalance Permission = "balance"   // GET /balance
	PermissionRead    Permission = "read-only" // all that reads
	PermissionWeb3    Permission = "web3"      // Web3 transactions: making and following them
)

// WithHMACKey registers a caller's own key for Qredo API v1, with its secret in base64, beside the one that
// the sandbox makes for itself. It reports on the same account, an organization's unless [WithPersonalAccount] is
// given. Without permissions it may do everything.
func WithHMACKey(apiKey, secret string, permissions ...Permission) Option {
	return func(s *Sandbox) error {
		for _, p := range permissions {
			if p != PermissionBalance && p != PermissionRead && p != PermissionWeb3 {
				return invalid("permissions", "none is called %q", p)
			}
		}
		_, err := s.addHMACKey(apiKey, secret, permissions)
		return err
	}
}

func (s *Sandbox) addHMACKey(apiKey, secret string, permissions []Permission) (*qredo.HMACAuth, error) {
	auth, err := qredo.NewHMACAuth(apiKey, secret)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s.hmacKeys.add(apiKey, clientKey{ID: hmacKeyID(apiKey), Account: defaultAccount, hmac: auth, permissions: permissions})
	return auth, nil
}

// hmacKeyID is what answers call a key: the API key itself where it has the form of the service's, which are no
// secrets, else what stands for it in that form.
func hmacKeyID(apiKey string) string {
	text := strings.TrimSpace(apiKey)
	if raw, err := base64.RawURLEncoding.DecodeString(text); err == nil && len(raw) == hmacKeyBytes {
		return text
	}
	digest := digestOfKey(text)
	return base64.RawURLEncoding.EncodeToString(digest[:hmacKeyBytes])
}

// verifyHMAC returns the key that signed a request for one of the URLs with this method and exactly this body.
func (k keyring) verifyHMAC(h http.Header, method string, urls []string, body []byte, now time.Time) (*clientKey, error) {
	key, err := k.find(h.Get("qredo-api-key"))
	if err != nil {
		return nil, err
	}
	stamp := h.Get("qredo-api-ts")
	if stale(wholeSeconds(stamp), now) {
		return nil, errPartnerAuth("timestamp")
	}
	given := []byte(h.Get("qredo-api-sig"))
	for _, url := range urls {
		want, err := key.hmac.Sign(stamp, method, url, body)
		if err == nil && hmac.Equal([]byte(want), given) {
			return key, nil
		}
	}
	return nil, errPartnerAuth("signature")
}

// wholeSeconds cuts a stamp in nanoseconds, as one client sent it, to seconds.
func wholeSeconds(stamp string) string {
	const nanoseconds = 16 // digits and more; a stamp in seconds will have 10 for long
	if len(stamp) < nanoseconds {
		return stamp
	}
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatInt(n/int64(time.Second), 10)
}

// May reports whether a key has one of the permissions.
func (k *clientKey) May(permissions []Permission) bool {
	return len(k.permissions) == 0 || slices.ContainsFunc(k.permissions, func(p Permission) bool {
		return slices.Contains(permissions, p)
	})
}

// The files of [WithKeyDir] for Qredo API v1.
const (
	hmacKeyFile    = "qapi-apikey"
	hmacSecretFile = "qapi-secret"
)

// provisionHMACKey gives the sandbox its own key of Qredo API v1: from its folder, or a new one.
func (s *Sandbox) provisionHMACKey() error {
	text, secret := newHMACKey(), newSecret()
	var err error
	if s.keyDir != "" {
		if text, secret, err = hmacKeyFiles(s.keyDir, text, secret); err != nil {
			return fmt.Errorf("sandbox: its own key of Qredo API v1: %w", err)
		}
	}
	if s.hmacAuth, err = s.addHMACKey(text, secret, nil); err != nil {
		return fmt.Errorf("sandbox: its own key of Qredo API v1: %w", err)
	}
	return nil
}

// hmacKeyFiles reads the key from its folder, or writes it there if there is none. The API key is written
// last: where it is, the secret is too.
func hmacKeyFiles(dir, newText, newSecret string) (text, secret string, err error) {
	known, err := os.ReadFile(filepath.Join(dir, hmacKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := checkNoneAlone(dir, hmacSecretFile, hmacKeyFile); err != nil {
			return "", "", err
		}
		if err := writeFile(dir, hmacSecretFile, []byte(newSecret+"\n")); err != nil {
			return "", "", err
		}
		return newText, newSecret, writeFile(dir, hmacKeyFile, []byte(newText+"\n"))
	}
	if err != nil {
		return "", "", err
	}
	its, err := os.ReadFile(filepath.Join(dir, hmacSecretFile))
	return string(known), string(its), err
}

const hmacKeyBytes = 10 // 14 characters

// newHMACKey has the form of the service's own: 14 characters of base64. None begins with a hyphen here, which a
// command would take for a flag.
func newHMACKey() string {
	var key [hmacKeyBytes]byte
	_, _ = rand.Read(key[:]) // never fails
	key[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(key[:])
}

// newSecret has the form of the service's own: base64 of what looks like a hash of bcrypt. It needs no padding, and is
// the same in base64's two alphabets, so that any program decodes it. Its 53 random characters are 318 bits.
func newSecret() string {
	const begin, alphabet = "$2a$04$", "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var text [53]byte
	_, _ = rand.Read(text[:]) // never fails
	for i, b := range text {
		text[i] = alphabet[b%byte(len(alphabet))] // of 64, which divides 256
	}
	return base64.StdEncoding.EncodeToString(append([]byte(begin), text[:]...))
}
