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

// WithKeyDir keeps the key of the Partner API in a folder, so that other programs can sign with it and a later
// sandbox has the same: the API key in the file apikey, the private key in private.pem (PKCS #1), the public
// key in public.pem; for Qredo API v1 the files qapi-apikey and qapi-secret. What is missing is made, and what
// is there is never changed: a folder with a private.pem of the caller's own, or with a public.pem alone, gets
// an apikey beside it. Without it the key ends with the sandbox, unless [WithStore] names a folder.
func WithKeyDir(dir string) Option {
	return func(s *Sandbox) error { s.keyDir = dir; return nil }
}

// WithKeyFiles registers a caller's own key from files, as the service's web page did: a public key in PEM
// (BEGIN PUBLIC KEY or BEGIN RSA PUBLIC KEY), and the API key for it. If there is no file of the API key, one is
// made. The key belongs to the same account as the provisioned one.
func WithKeyFiles(apiKeyFile, publicKeyFile string) Option {
	return func(s *Sandbox) error {
		public, err := readPublicKey(publicKeyFile)
		if errors.Is(err, fs.ErrNotExist) {
			return invalid("public key", "there is no file %s: make one with openssl rsa -in private.pem -pubout -out public.pem", publicKeyFile)
		}
		if err != nil {
			return err
		}
		text, err := readAPIKey(apiKeyFile)
		if errors.Is(err, fs.ErrNotExist) {
			text = newAPIKey()
			err = writeFile(filepath.Dir(apiKeyFile), filepath.Base(apiKeyFile), []byte(text+"\n"))
		}
		if err != nil {
			return fmt.Errorf("sandbox: API key: %w", err)
		}
		return s.register(text, clientKey{Account: defaultAccount, public: public})
	}
}

// register makes a key known. An API key can be registered once.
func (s *Sandbox) register(apiKey string, key clientKey) error {
	if known, err := s.verifier.keys.find(apiKey); err == nil && (known.Account != key.Account || !known.public.Equal(key.public)) {
		return invalid("key", "the API key is registered already, with another public key or account: each key needs an API key of its own")
	}
	s.verifier.keys.add(apiKey, key)
	return nil
}

// provisionKey gives the sandbox its own key: from its folder, or a new one. A folder that has a public key
// alone has a key for others to sign with; the sandbox makes another for itself, which nobody else has.
func (s *Sandbox) provisionKey() error {
	text, key, err := newAPIKey(), (*rsa.PrivateKey)(nil), error(nil)
	if s.keyDir != "" {
		var found folderKey
		if found, err = openKeyDir(s.keyDir); err != nil {
			return fmt.Errorf("sandbox: the key in %s: %w", s.keyDir, err)
		}
		if err = s.register(found.apiKey, clientKey{Account: defaultAccount, public: found.public}); err != nil {
			return fmt.Errorf("sandbox: the key in %s: %w", s.keyDir, err)
		}
		if key = found.private; key != nil {
			text = found.apiKey
		}
	}
	if key == nil {
		if key, err = processKey(); err != nil {
			return fmt.Errorf("sandbox: its own key: %w", err)
		}
		s.verifier.keys.add(text, clientKey{Account: defaultAccount, public: &key.PublicKey})
	}
	if s.auth, err = qredo.NewRSAAuth(text, key); err != nil {
		return fmt.Errorf("sandbox: its own key: %w", err)
	}
	return nil
}

// folderKey is what a folder holds of a key.
type folderKey struct {
	apiKey  string
	public  *rsa.PublicKey
	private *rsa.PrivateKey // nil where only its owner has it
}

// openKeyDir reads the key of a folder, and writes what it lacks: the API key last, since where it is, the
// rest is too.
func openKeyDir(dir string) (key folderKey, err error) {
	if key, err = readKeyDir(dir); err != nil || key.apiKey != "" {
		return key, err
	}
	var missing []keyFile
	if key.public == nil {
		if key.private == nil {
			if key.private, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
				return folderKey{}, err
			}
			missing = append(missing, keyFile{privateKeyFile, encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key.private))})
		}
		key.public = &key.private.PublicKey
		der, err := x509.MarshalPKIXPublicKey(key.public)
		if err != nil {
			return folderKey{}, err
		}
		missing = append(missing, keyFile{publicKeyFile, encodePEM("PUBLIC KEY", der)})
	}
	key.apiKey = newAPIKey()
	for _, file := range append(missing, keyFile{apiKeyFile, []byte(key.apiKey + "\n")}) {
		if err := writeFile(dir, file.name, file.data); err != nil {
			return folderKey{}, err
		}
	}
	return key, nil
}

// keyFile is a file to be written.
type keyFile struct {
	name string
	data []byte
}

// readKeyDir reads what there is of a key. Where there is an API key, there is a public key.
func readKeyDir(dir string) (key folderKey, err error) {
	if key.apiKey, err = readAPIKey(filepath.Join(dir, apiKeyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return folderKey{}, err
	}
	if key.private, err = qredo.LoadPrivateKey(filepath.Join(dir, privateKeyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return folderKey{}, err
	}
	if key.public, err = readPublicKey(filepath.Join(dir, publicKeyFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return folderKey{}, err
	}
	switch {
	case key.private != nil && key.public != nil && !key.private.PublicKey.Equal(key.public):
		return folderKey{}, fmt.Errorf("%s does not belong to %s: move it away, or put the right one there", publicKeyFile, privateKeyFile)
	case key.private != nil && key.apiKey != "":
		key.public = &key.private.PublicKey
	case key.public == nil && key.apiKey != "":
		return folderKey{}, fmt.Errorf("it has %s alone: put %s beside it (or %s), or move %[1]s away for a new key", apiKeyFile, publicKeyFile, privateKeyFile)
	}
	return key, nil
}

func readAPIKey(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return "", fmt.Errorf("%s is empty: write the API key to it, or remove it for a new one", path)
	}
	if strings.ContainsAny(text, "\r\n") {
		return "", fmt.Errorf("%s has several lines: it must hold the API key alone", path)
	}
	return text, nil
}

// checkNoneAlone refuses a folder that has a secret without its API key: the secret would be written over.
func checkNoneAlone(dir, secret, apiKey string) error {
	if _, err := os.Stat(filepath.Join(dir, secret)); err == nil {
		return fmt.Errorf("%s has %s and no %s: put that beside it, or move it away for a new one; it is not written over", dir, secret, apiKey)
	}
	return nil
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// writeFile writes a new file that only its owner can read, in a folder that is made if need be.
func writeFile(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
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
