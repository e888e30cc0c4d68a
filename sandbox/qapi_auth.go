package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
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
// the sandbox makes for itself. It reports on the same account. Without permissions it may do everything.
func WithHMACKey(apiKey, secret string, permissions ...Permission) Option {
	return func(s *Sandbox) error {
		for _, p := range permissions {
			if p != PermissionBalance && p != PermissionRead && p != PermissionWeb3 {
				return fmt.Errorf("sandbox: no permission is called %q", p)
			}
		}
		return s.hmac.register(apiKey, secret, permissions)
	}
}

// hmacKeys are the keys of Qredo API v1. They do not change once the sandbox is made.
type hmacKeys struct {
	keys map[[sha256.Size]byte]*hmacKey // by a digest, so that finding one tells nothing about another
	own  func() *qredo.HMACAuth         // of the provisioned key
}

type hmacKey struct {
	apiKey
	auth        *qredo.HMACAuth // holds the secret
	permissions []Permission    // all if empty
}

func (k *hmacKeys) register(text, secret string, permissions []Permission) error {
	auth, err := qredo.NewHMACAuth(text, secret)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if k.keys == nil {
		k.keys = map[[sha256.Size]byte]*hmacKey{}
	}
	digest := sha256.Sum256([]byte(strings.TrimSpace(text)))
	k.keys[digest] = &hmacKey{
		apiKey: apiKey{id: base64.RawURLEncoding.EncodeToString(digest[:9]), account: defaultAccount},
		auth:   auth, permissions: permissions,
	}
	return nil
}

// verify returns the key that signed a request for one of the URLs with this method and exactly this body.
func (k *hmacKeys) verify(h http.Header, method string, urls []string, body []byte, now time.Time) (*hmacKey, error) {
	text := strings.TrimSpace(h.Get("qredo-api-key"))
	if text == "" {
		return nil, &fault{http.StatusUnauthorized, "Unauthorized", "empty token"}
	}
	key := k.keys[sha256.Sum256([]byte(text))]
	if key == nil {
		return nil, errPartnerAuth("api key")
	}
	stamp := h.Get("qredo-api-ts")
	if stale(wholeSeconds(stamp), now) {
		return nil, errPartnerAuth("timestamp")
	}
	given := []byte(h.Get("qredo-api-sig"))
	for _, url := range urls {
		want, err := key.auth.Sign(stamp, method, url, body)
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

// may reports whether a key has one of the permissions.
func (k *hmacKey) may(permissions []Permission) bool {
	return len(k.permissions) == 0 || slices.ContainsFunc(k.permissions, func(p Permission) bool {
		return slices.Contains(permissions, p)
	})
}

// HMACAuth returns an authenticator for the key of Qredo API v1 that the sandbox was made with.
func (s *Sandbox) HMACAuth() *qredo.HMACAuth { return s.hmac.own() }

// The files of [WithKeyDir] for Qredo API v1.
const (
	hmacKeyFile    = "qapi-apikey"
	hmacSecretFile = "qapi-secret"
)

// provisionHMACKey gives the sandbox its own key of Qredo API v1: from its folder, or a new one.
func (s *Sandbox) provisionHMACKey() error {
	text, secret := newAPIKey(), newSecret()
	if s.keyDir != "" {
		var err error
		if text, secret, err = s.hmacKeyFiles(text, secret); err != nil {
			return err
		}
	}
	if err := s.hmac.register(text, secret, nil); err != nil {
		return err
	}
	s.hmac.own = func() *qredo.HMACAuth {
		auth, err := qredo.NewHMACAuth(text, secret)
		if err != nil {
			panic("sandbox: its own key is refused: " + err.Error())
		}
		return auth
	}
	return nil
}

// hmacKeyFiles reads the key from its folder, or writes it there if there is none. The API key is written
// last: where it is, the secret is too.
func (s *Sandbox) hmacKeyFiles(text, secret string) (string, string, error) {
	known, err := os.ReadFile(filepath.Join(s.keyDir, hmacKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := writeFile(s.keyDir, hmacSecretFile, []byte(secret+"\n")); err != nil {
			return "", "", err
		}
		return text, secret, writeFile(s.keyDir, hmacKeyFile, []byte(text+"\n"))
	}
	if err != nil {
		return "", "", fmt.Errorf("sandbox: %w", err)
	}
	its, err := os.ReadFile(filepath.Join(s.keyDir, hmacSecretFile))
	if err != nil {
		return "", "", fmt.Errorf("sandbox: %w", err)
	}
	return string(known), string(its), nil
}

func newSecret() string {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	return base64.StdEncoding.EncodeToString(secret[:])
}
