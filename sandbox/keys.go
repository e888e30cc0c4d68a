package sandbox

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
)

// The files of [WithKeyDir].
const (
	apiKeyFile     = "apikey"
	privateKeyFile = "private.pem"
	publicKeyFile  = "public.pem"
)

// WithKeyDir keeps the provisioned key in a folder, so that other programs can sign with it and a later
// sandbox has the same: the API key in the file apikey, the private key in private.pem (PKCS #1), the
// public key in public.pem; for Qredo API v1 the files qapi-apikey and qapi-secret. They are made where there
// is no apikey; a folder that has one needs private.pem too. Without it the key ends with the sandbox, unless
// [WithStore] names a folder.
func WithKeyDir(dir string) Option {
	return func(s *Sandbox) error { s.keyDir = dir; return nil }
}

// provisionKey gives the sandbox its own key: from its folder, or a new one.
func (s *Sandbox) provisionKey() error {
	text, key, err := newAPIKey(), (*rsa.PrivateKey)(nil), error(nil)
	if s.keyDir == "" {
		key, err = processKey()
	} else {
		text, key, err = keyFiles(s.keyDir, text)
	}
	if err != nil {
		return fmt.Errorf("sandbox: its own key: %w", err)
	}
	if s.auth, err = qredo.NewRSAAuth(text, key); err != nil {
		return fmt.Errorf("sandbox: its own key: %w", err)
	}
	s.verifier.keys.add(text, clientKey{account: defaultAccount, public: &key.PublicKey})
	return nil
}

// keyFiles reads the key from its folder. If there is none, a new one is written there: the API key last,
// since where it is, the others are too.
func keyFiles(dir, newText string) (string, *rsa.PrivateKey, error) {
	known, err := os.ReadFile(filepath.Join(dir, apiKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		key, err := newKeyFiles(dir, newText)
		return newText, key, err
	}
	if err != nil {
		return "", nil, err
	}
	text := strings.TrimSpace(string(known))
	if text == "" {
		return "", nil, fmt.Errorf("%s is empty", filepath.Join(dir, apiKeyFile))
	}
	key, err := qredo.LoadPrivateKey(filepath.Join(dir, privateKeyFile))
	return text, key, err
}

// newKeyFiles makes a key that only this folder holds.
func newKeyFiles(dir, text string) (*rsa.PrivateKey, error) {
	if err := checkNoneAlone(dir, privateKeyFile, apiKeyFile); err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, err
	}
	for _, file := range []struct {
		name string
		data []byte
	}{
		{privateKeyFile, encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))},
		{publicKeyFile, encodePEM("PUBLIC KEY", public)},
		{apiKeyFile, []byte(text + "\n")},
	} {
		if err := writeFile(dir, file.name, file.data); err != nil {
			return nil, err
		}
	}
	return key, nil
}

// checkNoneAlone refuses a folder that has a secret without its API key: the secret would be written over.
func checkNoneAlone(dir, secret, apiKey string) error {
	if _, err := os.Stat(filepath.Join(dir, secret)); err == nil {
		return fmt.Errorf("%s has %s and no %s: it is not written over", dir, secret, apiKey)
	}
	return nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeFile writes a file that only its owner can read, in a folder that is made if need be.
func writeFile(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), data, 0o600)
}

const keyBits = 2048 // as the service's keys

// processKey is made once for all sandboxes of a program, because making one takes longer than
// anything else that a sandbox does.
var processKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) })

// newAPIKey has the form of the service's own sandbox keys.
func newAPIKey() string {
	var id, key [16]byte
	_, _ = rand.Read(id[:])
	_, _ = rand.Read(key[:])
	text, _ := json.Marshal(struct { //nolint:errchkjson // two strings and a boolean
		KeyID   string `json:"key_id"`
		Key     string `json:"key"`
		Sandbox bool   `json:"sandbox"`
	}{hex.EncodeToString(id[:]), hex.EncodeToString(key[:]), true})
	return base64.RawURLEncoding.EncodeToString(text)
}
