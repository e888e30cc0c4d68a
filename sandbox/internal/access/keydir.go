package access

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/keyfile"
)

// The files of a folder with a key of the Partner API.
const (
	apiKeyFile     = "apikey"
	privateKeyFile = "private.pem"
	publicKeyFile  = "public.pem"
)

// RegisterFiles makes a caller's own key known from files: a public key in PEM, and the API key for it, which is made
// if there is no file of it.
func (k *Keys) RegisterFiles(apiKeyFile, publicKeyFile, account string) error {
	public, err := readPublicKey(publicKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return &qredo.ValidationError{Field: "public key", Rule: fmt.Sprintf(
			"there is no file %s: make one with openssl rsa -in private.pem -pubout -out public.pem", publicKeyFile)}
	}
	if err != nil {
		return err
	}
	text, err := readAPIKey(apiKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		text = newAPIKey()
		err = keyfile.Write(filepath.Dir(apiKeyFile), filepath.Base(apiKeyFile), []byte(text+"\n"))
	}
	if err != nil {
		return fmt.Errorf("sandbox: API key: %w", err)
	}
	return k.Register(text, account, public)
}

// Provision gives an account the key of a folder, or a new one where no folder is named, and returns what signs with
// it. A folder that has a public key alone has a key for others to sign with; what is returned is then another, which
// nobody else has.
func (k *Keys) Provision(dir, account string) (*qredo.RSAAuth, error) {
	text, key, err := newAPIKey(), (*rsa.PrivateKey)(nil), error(nil)
	if dir != "" {
		var found folderKey
		if found, err = openKeyDir(dir); err != nil {
			return nil, fmt.Errorf("sandbox: the key in %s: %w", dir, err)
		}
		if err = k.Register(found.apiKey, account, found.public); err != nil {
			return nil, fmt.Errorf("sandbox: the key in %s: %w", dir, err)
		}
		if key = found.private; key != nil {
			text = found.apiKey
		}
	}
	if key == nil {
		if key, err = processKey(); err != nil {
			return nil, fmt.Errorf("sandbox: its own key: %w", err)
		}
	}
	k.partner.add(text, Key{Account: account, public: &key.PublicKey, own: key})
	auth, err := qredo.NewRSAAuth(text, key)
	if err != nil {
		return nil, fmt.Errorf("sandbox: its own key: %w", err)
	}
	return auth, nil
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
	var missing []missingFile
	if key.public == nil {
		if key.private == nil {
			if key.private, err = rsa.GenerateKey(rand.Reader, keyBits); err != nil {
				return folderKey{}, err
			}
			missing = append(missing, missingFile{privateKeyFile, keyfile.PEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key.private))})
		}
		key.public = &key.private.PublicKey
		der, err := x509.MarshalPKIXPublicKey(key.public)
		if err != nil {
			return folderKey{}, err
		}
		missing = append(missing, missingFile{publicKeyFile, keyfile.PEM("PUBLIC KEY", der)})
	}
	key.apiKey = newAPIKey()
	for _, file := range append(missing, missingFile{apiKeyFile, []byte(key.apiKey + "\n")}) {
		if err := keyfile.Write(dir, file.name, file.data); err != nil {
			return folderKey{}, err
		}
	}
	return key, nil
}

// missingFile is a file to be written.
type missingFile struct {
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
