package sandbox_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// What folders and files of keys may hold is tested beside what reads them. These tests hold that the options lead
// there.

// keyDir is a folder with the public half of a caller's own key, ownKey.
func keyDir(t *testing.T, apiKey string) (dir, apiKeyFile, publicKeyFile string) {
	t.Helper()
	dir = t.TempDir()
	apiKeyFile, publicKeyFile = filepath.Join(dir, "apikey"), filepath.Join(dir, "public.pem")
	require.NoError(t, os.WriteFile(apiKeyFile, []byte(apiKey+"\n"), 0o600))
	require.NoError(t, os.WriteFile(publicKeyFile, publicPEM(t), 0o600))
	return dir, apiKeyFile, publicKeyFile
}

// publicPEM is ownKey's public half.
func publicPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&ownKey().PublicKey)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// signedByOwner sends a request that the caller's own key has signed.
func signedByOwner(t *testing.T, s *sandbox.Sandbox, apiKey string) answer {
	t.Helper()
	const url = "http://any.example" + basePath + "/company"
	req := newSigned(t, startOfTime, "POST", url, `{"name":"Acme"}`)
	req.header["X-API-KEY"] = apiKey
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, withHeader(httptest.NewRequest("POST", url, strings.NewReader(req.body)), req))
	return readAnswer(t, rec.Result())
}

func TestKeyDir(t *testing.T) {
	for name, option := range map[string]func(dir string) sandbox.Option{
		"a folder for keys": sandbox.WithKeyDir, "the folder of the store": sandbox.WithStore,
	} {
		t.Run(name, func(t *testing.T) {
			dir, _, _ := keyDir(t, "mine")
			srv, err := sandbox.Start(option(dir), sandbox.WithClock(newClock().Now))
			require.NoError(t, err)
			defer func() { require.NoError(t, srv.Close()) }()
			company := signedByOwner(t, srv.Sandbox, "mine").ok().at("company_id")
			found, err := srv.Client().Companies.Get(t.Context(), qredo.CompanyID(company))
			require.NoError(t, err, "the sandbox's own key is of the same account")
			assert.Equal(t, "Acme", found.Name)
			for _, name := range []string{"qapi-apikey", "qapi-secret"} {
				assert.FileExists(t, filepath.Join(dir, name))
			}
		})
	}
	t.Run("keys apart from the store", func(t *testing.T) {
		keys, store := t.TempDir(), t.TempDir()
		s, err := sandbox.New(sandbox.WithKeyDir(keys), sandbox.WithStore(store))
		require.NoError(t, err)
		require.NoError(t, s.Close())
		assert.FileExists(t, filepath.Join(keys, "apikey"))
		assert.NoFileExists(t, filepath.Join(store, "apikey"))
	})
	t.Run("one that cannot be used", func(t *testing.T) {
		dir, _, public := keyDir(t, "mine")
		require.NoError(t, os.Remove(public))
		_, err := sandbox.New(sandbox.WithKeyDir(dir))
		require.ErrorContains(t, err, "put public.pem beside it")
	})
}

func TestKeyFiles(t *testing.T) {
	_, apiKey, public := keyDir(t, "mine")
	s, err := sandbox.New(sandbox.WithClock(newClock().Now), sandbox.WithKeyFiles(apiKey, public), sandbox.WithKey("mine", &ownKey().PublicKey))
	require.NoError(t, err, "the same again")
	signedByOwner(t, s, "mine").ok()
	_, err = sandbox.New(sandbox.WithKeyFiles(apiKey, public), sandbox.WithAccountKey("other", "mine", &ownKey().PublicKey))
	require.ErrorContains(t, err, "registered already", "the same, for another account")
}

func TestKeyOptionsRefuseWhatIsMissing(t *testing.T) {
	public := &ownKey().PublicKey
	for name, opt := range map[string]sandbox.Option{
		"no API key":         sandbox.WithKey("", public),
		"no public key":      sandbox.WithKey("key", nil),
		"no account":         sandbox.WithAccountKey("", "key", public),
		"no clock":           sandbox.WithClock(nil),
		"no secret":          sandbox.WithHMACKey("k", ""),
		"no such permission": sandbox.WithHMACKey("k", "c2VjcmV0", "admin"),
	} {
		_, err := sandbox.New(opt)
		var problem *qredo.ValidationError
		require.ErrorAs(t, err, &problem, name)
	}
}

func TestParsePublicKey(t *testing.T) {
	key, err := sandbox.ParsePublicKey(publicPEM(t))
	require.NoError(t, err)
	assert.True(t, key.Equal(&ownKey().PublicKey))
	_, err = sandbox.ParsePublicKey([]byte("no PEM"))
	var problem *qredo.ValidationError
	require.ErrorAs(t, err, &problem)
}
