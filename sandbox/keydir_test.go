package sandbox_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// keyFiles are the files of a key as another program reads them.
func keyFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"apikey", "private.pem", "public.pem"} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		files[name] = string(data)
	}
	return files
}

func pemBlock(t *testing.T, text, kind string) []byte {
	t.Helper()
	block, rest := pem.Decode([]byte(text))
	require.NotNil(t, block)
	assert.Equal(t, kind, block.Type)
	assert.Empty(t, rest)
	return block.Bytes
}

func TestKeyDirIsWhatOtherProgramsSignWith(t *testing.T) {
	for name, option := range map[string]func(dir string) sandbox.Option{
		"a folder for keys": sandbox.WithKeyDir, "the folder of the store": sandbox.WithStore,
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "made")
			c := newClock()
			first, err := sandbox.New(option(dir), sandbox.WithClock(c.Now))
			require.NoError(t, err)
			files := keyFiles(t, dir)
			private, err := x509.ParsePKCS1PrivateKey(pemBlock(t, files["private.pem"], "RSA PRIVATE KEY"))
			require.NoError(t, err)
			assert.Equal(t, 2048, private.N.BitLen())
			public, err := x509.ParsePKIXPublicKey(pemBlock(t, files["public.pem"], "PUBLIC KEY"))
			require.NoError(t, err)
			assert.True(t, private.PublicKey.Equal(public.(*rsa.PublicKey)))
			raw, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(files["apikey"]))
			require.NoError(t, err)
			var form struct {
				KeyID   string `json:"key_id"`
				Key     string `json:"key"`
				Sandbox bool   `json:"sandbox"`
			}
			require.NoError(t, json.Unmarshal(raw, &form))
			assert.True(t, form.Sandbox)
			assert.NotEmpty(t, form.KeyID)
			assert.NotEmpty(t, form.Key)

			send := func(s *sandbox.Sandbox) answer {
				t.Helper()
				const url = "http://any.example" + basePath + "/assets"
				req := newSigned(t, startOfTime, "GET", url, "")
				req.header["X-API-KEY"] = files["apikey"] // with the line's end
				req.header["x-sign"] = signature(t, private, req.header["x-timestamp"], url, "")
				rec := httptest.NewRecorder()
				s.ServeHTTP(rec, withHeader(httptest.NewRequest("GET", url, nil), req))
				return readAnswer(t, rec.Result())
			}
			send(first).ok()
			require.NoError(t, first.Close())
			second, err := sandbox.New(option(dir), sandbox.WithClock(c.Now))
			require.NoError(t, err)
			assert.Equal(t, files, keyFiles(t, dir), "a later sandbox has the same")
			send(second).ok()
			require.NoError(t, second.Close())
			other, err := sandbox.New(sandbox.WithClock(c.Now))
			require.NoError(t, err)
			send(other).refused(401, "api key")
		})
	}
	t.Run("keys apart from the store", func(t *testing.T) {
		keys, store := t.TempDir(), t.TempDir()
		s, err := sandbox.New(sandbox.WithKeyDir(keys), sandbox.WithStore(store))
		require.NoError(t, err)
		require.NoError(t, s.Close())
		keyFiles(t, keys)
		assert.NoFileExists(t, filepath.Join(store, "apikey"))
	})
}

func TestKeyDirsThatCannotBeUsed(t *testing.T) {
	whole := t.TempDir()
	s, err := sandbox.New(sandbox.WithKeyDir(whole))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	files := keyFiles(t, whole)
	half := func(name string) string { return files[name][:len(files[name])/2] }
	for name, test := range map[string]struct {
		files map[string]string
		names string // what the error names
	}{
		"private.pem is cut":        {map[string]string{"apikey": files["apikey"], "private.pem": half("private.pem")}, "private.pem"},
		"private.pem is empty":      {map[string]string{"apikey": files["apikey"], "private.pem": ""}, "private.pem"},
		"private.pem is missing":    {map[string]string{"apikey": files["apikey"]}, "private.pem"},
		"private.pem is public.pem": {map[string]string{"apikey": files["apikey"], "private.pem": files["public.pem"]}, "private.pem"},
		"apikey is empty":           {map[string]string{"apikey": "", "private.pem": files["private.pem"]}, "apikey"},
		"apikey is a line's end":    {map[string]string{"apikey": "\n", "private.pem": files["private.pem"]}, "apikey"},
		"apikey is missing":         {map[string]string{"private.pem": files["private.pem"]}, "apikey"},
		"qapi-apikey is missing":    {map[string]string{"qapi-secret": "c2VjcmV0\n"}, "has qapi-secret and no qapi-apikey"},
		"qapi-secret is missing":    {map[string]string{"qapi-apikey": "c2VjcmV0\n"}, "qapi-secret"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
			}
			_, err := sandbox.New(sandbox.WithKeyDir(dir))
			require.ErrorContains(t, err, test.names)
			for _, secret := range []string{strings.TrimSpace(files["apikey"]), files["private.pem"][100:160], "c2VjcmV0"} {
				assert.NotContains(t, err.Error(), secret)
			}
			for name, text := range test.files {
				data, err := os.ReadFile(filepath.Join(dir, name))
				require.NoError(t, err)
				assert.Equal(t, text, string(data), "%s is left as it is", name)
			}
		})
	}
	t.Run("the folder is a file", func(t *testing.T) {
		path := filepath.Join(whole, "apikey")
		_, err := sandbox.New(sandbox.WithKeyDir(path))
		require.ErrorContains(t, err, path)
	})
}
