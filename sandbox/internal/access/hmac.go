package access

import (
	"crypto/hmac"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/keyfile"
)

// RegisterHMAC makes a key of Qredo API v1 known, with its secret in base64. Without permissions it may do everything.
func (k *Keys) RegisterHMAC(apiKey, account, secret string, permissions ...string) (*qredo.HMACAuth, error) {
	for _, p := range permissions {
		if p != PermissionBalance && p != PermissionRead && p != PermissionWeb3 {
			return nil, &qredo.ValidationError{Field: "permissions", Rule: fmt.Sprintf("none is called %q", p)}
		}
	}
	key, err := hmacKey(apiKey, account, secret, permissions)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	k.hmac.add(apiKey, key)
	return key.hmac, nil
}

// hmacKey makes a key of Qredo API v1.
func hmacKey(apiKey, account, secret string, permissions []string) (Key, error) {
	key := Key{ID: hmacKeyID(apiKey), Account: account, permissions: permissions, apiKey: strings.TrimSpace(apiKey), secret: strings.TrimSpace(secret)}
	var err error
	if key.hmac, err = qredo.NewHMACAuth(apiKey, secret); err == nil {
		key.undecoded, err = qredo.NewHMACAuth(apiKey, base64.StdEncoding.EncodeToString([]byte(key.secret)))
	}
	return key, err
}

// SignedByHMAC returns the key that signed a request to Qredo API v1, at this time.
func (k *Keys) SignedByHMAC(req Request, now time.Time) (*Key, error) {
	key, err := k.hmac.find(req.Header.Get("qredo-api-key"))
	if err != nil {
		return nil, err
	}
	stamp := req.Header.Get("qredo-api-ts")
	if stale(wholeSeconds(stamp), now) {
		return nil, notProved("timestamp")
	}
	given := []byte(req.Header.Get("qredo-api-sig"))
	for _, url := range req.URLs {
		want, err := key.hmac.Sign(stamp, req.Method, url, req.Body)
		if err == nil && hmac.Equal([]byte(want), given) {
			return key, nil
		}
	}
	return nil, notProved("signature")
}

// The files of a folder with a key of Qredo API v1.
const (
	hmacKeyFile    = "qapi-apikey"
	hmacSecretFile = "qapi-secret"
)

// ProvisionHMAC gives an account the key of Qredo API v1 of a folder, or a new one, and returns what signs with it.
func (k *Keys) ProvisionHMAC(dir, account string) (*qredo.HMACAuth, error) {
	text, secret := newHMACKey(), newSecret()
	var err error
	if dir != "" {
		if text, secret, err = hmacKeyFiles(dir, text, secret); err != nil {
			return nil, fmt.Errorf("sandbox: its own key of Qredo API v1: %w", err)
		}
	}
	auth, err := k.RegisterHMAC(text, account, secret)
	if err != nil {
		return nil, fmt.Errorf("sandbox: its own key of Qredo API v1: %w", err)
	}
	k.hmac.of(digestOfKey(text)).ownHMAC = true
	return auth, nil
}

// hmacKeyFiles reads the key from its folder, or writes it there if there is none. The API key is written
// last: where it is, the secret is too.
func hmacKeyFiles(dir, newText, newSecret string) (text, secret string, err error) {
	known, err := os.ReadFile(filepath.Join(dir, hmacKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if err := keyfile.CheckNotAlone(dir, hmacSecretFile, hmacKeyFile); err != nil {
			return "", "", err
		}
		if err := keyfile.Write(dir, hmacSecretFile, []byte(newSecret+"\n")); err != nil {
			return "", "", err
		}
		return newText, newSecret, keyfile.Write(dir, hmacKeyFile, []byte(newText+"\n"))
	}
	if err != nil {
		return "", "", err
	}
	its, err := os.ReadFile(filepath.Join(dir, hmacSecretFile))
	return string(known), string(its), err
}
