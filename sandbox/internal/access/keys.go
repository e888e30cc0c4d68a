package access

import (
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
)

// Keys are the keys of both APIs, and the nonces that were used with them.
type Keys struct {
	// Unsigned also lets requests in that carry an API key of the Partner API alone.
	Unsigned bool

	partner, hmac keyring

	mu     sync.Mutex
	nonces map[nonce]struct{}
}

// NewKeys returns no keys.
func NewKeys() *Keys {
	return &Keys{partner: newKeyring(), hmac: newKeyring(), nonces: map[nonce]struct{}{}}
}

// Key is an API key, and what is known of it.
type Key struct {
	ID      string // names the key without giving it away
	Account string // whose companies it sees

	public      *rsa.PublicKey
	verifier    *verifier       // of public
	hmac        *qredo.HMACAuth // of Qredo API v1, in place of a public key: holds the secret
	undecoded   *qredo.HMACAuth // its secret taken as it stands, which is a slip that can be explained
	permissions []string        // of Qredo API v1: all if empty

	// For exports that are to have them.
	apiKey, secret string
	own            *rsa.PrivateKey // of what the sandbox was provisioned with
	ownHMAC        bool
}

// keyring holds the keys of one API, by a digest, so that finding one tells nothing about another.
type keyring struct {
	mu   *sync.RWMutex
	keys map[[sha256.Size]byte]*Key
}

func newKeyring() keyring { return keyring{&sync.RWMutex{}, map[[sha256.Size]byte]*Key{}} }

func digestOfKey(apiKey string) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.TrimSpace(apiKey)))
}

func (k keyring) add(apiKey string, key Key) {
	key.apiKey = strings.TrimSpace(apiKey)
	k.put(digestOfKey(apiKey), key)
}

func (k keyring) put(digest [sha256.Size]byte, key Key) {
	if key.ID == "" {
		key.ID = base64.RawURLEncoding.EncodeToString(digest[:9])
	}
	if key.public != nil {
		key.verifier = newVerifier(key.public)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.keys[digest]; known != nil && key.apiKey == "" {
		key.apiKey, key.own = known.apiKey, known.own // an export without them has come back
	}
	k.keys[digest] = &key
}

// all are the keys with their digests.
func (k keyring) all() map[[sha256.Size]byte]*Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return maps.Clone(k.keys)
}

// find returns the key that a header names.
func (k keyring) find(apiKey string) (*Key, error) {
	if strings.TrimSpace(apiKey) == "" {
		return nil, errNoCredentials
	}
	key := k.of(digestOfKey(apiKey))
	if key == nil {
		return nil, notProved("api key")
	}
	return key, nil
}

func (k keyring) of(digest [sha256.Size]byte) *Key {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.keys[digest]
}

// Register makes a key of the Partner API known. An API key can be registered for one public key and account only.
func (k *Keys) Register(apiKey, account string, public *rsa.PublicKey) error {
	if apiKey == "" || public == nil || account == "" {
		return &qredo.ValidationError{Field: "key", Rule: "needs an account, an API key and a public key"}
	}
	if known, err := k.partner.find(apiKey); err == nil && (known.Account != account || !known.public.Equal(public)) {
		return &qredo.ValidationError{
			Field: "key", Rule: "the API key is registered already, with another public key or account: each key needs an API key of its own",
		}
	}
	k.partner.add(apiKey, Key{Account: account, public: public})
	return nil
}

// RegisterPEM makes a public key of the Partner API known, in PEM, and returns the new API key for it.
func (k *Keys) RegisterPEM(publicPEM []byte, account string) (apiKey string, err error) {
	public, err := ParsePublicKey(publicPEM)
	if err != nil {
		return "", err
	}
	apiKey = newAPIKey()
	return apiKey, k.Register(apiKey, account, public)
}

// The permissions that a key of Qredo API v1 can be limited to.
const (
	PermissionBalance = "balance"
	PermissionRead    = "read-only"
	PermissionWeb3    = "web3"
)

// Demand refuses a key that has none of the permissions that are needed. Where none is, any key will do.
func (k *Key) Demand(needed ...string) error {
	has := func(permission string) bool { return slices.Contains(needed, permission) }
	if len(needed) == 0 || len(k.permissions) == 0 || slices.ContainsFunc(k.permissions, has) {
		return nil
	}
	return &Refusal{NotAllowed, "insufficient privileges"}
}
