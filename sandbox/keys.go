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
// is no apikey; a folder that has one needs private.pem too.
func WithKeyDir(dir string) Option {
	return func(s *Sandbox) error {
		s.keyDir = dir
		return nil
	}
}

// provisionKey gives the sandbox its own key: from its folder, or a new one.
func (s *Sandbox) provisionKey() error {
	if s.keyDir == "" {
		s.apiKey = newAPIKey()
		var err error
		if s.privateKey, err = processKey(); err != nil {
			return fmt.Errorf("sandbox: making a key: %w", err)
		}
		return nil
	}
	text, err := os.ReadFile(filepath.Join(s.keyDir, apiKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s.newKeyFiles()
	}
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if s.apiKey = strings.TrimSpace(string(text)); s.apiKey == "" {
		return fmt.Errorf("sandbox: %s is empty", filepath.Join(s.keyDir, apiKeyFile))
	}
	if s.privateKey, err = qredo.LoadPrivateKey(filepath.Join(s.keyDir, privateKeyFile)); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// newKeyFiles makes a key that only this folder holds. The API key is written last: where it is, the
// others are too.
func (s *Sandbox) newKeyFiles() error {
	if _, err := os.Stat(filepath.Join(s.keyDir, privateKeyFile)); err == nil {
		return fmt.Errorf("sandbox: %s has %s and no %s: it is not written over", s.keyDir, privateKeyFile, apiKeyFile)
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return fmt.Errorf("sandbox: making a key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return fmt.Errorf("sandbox: making a key: %w", err)
	}
	s.privateKey, s.apiKey = key, newAPIKey()
	for _, file := range []struct {
		name string
		data []byte
	}{
		{privateKeyFile, encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))},
		{publicKeyFile, encodePEM("PUBLIC KEY", public)},
		{apiKeyFile, []byte(s.apiKey + "\n")},
	} {
		if err := writeFile(s.keyDir, file.name, file.data); err != nil {
			return err
		}
	}
	return nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeFile writes a file that only its owner can read, in a folder that is made if need be.
func writeFile(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
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
