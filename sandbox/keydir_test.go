package sandbox_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io/fs"
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
		"apikey is alone":           {map[string]string{"apikey": files["apikey"]}, "put public.pem beside it"},
		"public.pem is another's":   {map[string]string{"private.pem": files["private.pem"], "public.pem": publicPEM(t, "PUBLIC KEY")}, "public.pem does not belong to private.pem"},
		"with an apikey too":        {map[string]string{"apikey": files["apikey"], "private.pem": files["private.pem"], "public.pem": publicPEM(t, "PUBLIC KEY")}, "public.pem does not belong"},
		"public.pem is cut":         {map[string]string{"public.pem": half("public.pem")}, "public.pem"},
		"public.pem is private":     {map[string]string{"public.pem": files["private.pem"]}, "must not be given away"},
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

// publicPEM is a caller's own public key in PEM.
func publicPEM(t *testing.T, kind string) string {
	t.Helper()
	der := x509.MarshalPKCS1PublicKey(&ownKey().PublicKey)
	if kind == "PUBLIC KEY" {
		var err error
		der, err = x509.MarshalPKIXPublicKey(&ownKey().PublicKey)
		require.NoError(t, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func privatePEM(t *testing.T, kind string) string {
	t.Helper()
	der := x509.MarshalPKCS1PrivateKey(ownKey())
	if kind == "PRIVATE KEY" {
		var err error
		der, err = x509.MarshalPKCS8PrivateKey(ownKey())
		require.NoError(t, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
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

// TestKeyDirWithAKeyOfTheCallers: what openssl has made is served as it is, and what is missing is added.
func TestKeyDirWithAKeyOfTheCallers(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		made  []string
		own   bool // the sandbox signs with it too
	}{
		"private.pem, PKCS #1":           {map[string]string{"private.pem": privatePEM(t, "RSA PRIVATE KEY")}, []string{"apikey", "public.pem"}, true},
		"private.pem, PKCS #8":           {map[string]string{"private.pem": privatePEM(t, "PRIVATE KEY")}, []string{"apikey", "public.pem"}, true},
		"both halves":                    {map[string]string{"private.pem": privatePEM(t, "PRIVATE KEY"), "public.pem": publicPEM(t, "PUBLIC KEY")}, []string{"apikey"}, true},
		"apikey and private.pem":         {map[string]string{"apikey": "mine\n", "private.pem": privatePEM(t, "RSA PRIVATE KEY")}, nil, true},
		"all three":                      {map[string]string{"apikey": "mine", "private.pem": privatePEM(t, "RSA PRIVATE KEY"), "public.pem": publicPEM(t, "RSA PUBLIC KEY")}, nil, true},
		"public.pem, PKIX":               {map[string]string{"public.pem": publicPEM(t, "PUBLIC KEY")}, []string{"apikey"}, false},
		"apikey and public.pem, PKIX":    {map[string]string{"apikey": "mine\n", "public.pem": publicPEM(t, "PUBLIC KEY")}, nil, false},
		"apikey and public.pem, PKCS #1": {map[string]string{"apikey": "mine", "public.pem": "\uFEFF" + publicPEM(t, "RSA PUBLIC KEY")}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range test.files {
				require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o400))
			}
			before, err := os.ReadDir(dir)
			require.NoError(t, err)
			srv, err := sandbox.Start(sandbox.WithKeyDir(dir), sandbox.WithClock(newClock().Now))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, srv.Close()) })
			for name, text := range test.files {
				data, err := os.ReadFile(filepath.Join(dir, name))
				require.NoError(t, err)
				assert.Equal(t, text, string(data), "%s is as it was", name)
			}
			after, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, after, len(before)+len(test.made)+len([]string{"qapi-apikey", "qapi-secret"}))
			for _, name := range test.made {
				info, err := os.Stat(filepath.Join(dir, name))
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
			}
			apiKey, err := os.ReadFile(filepath.Join(dir, "apikey"))
			require.NoError(t, err)
			company := signedByOwner(t, srv.Sandbox, string(apiKey)).ok().at("company_id")
			found, err := srv.Client().Companies.Get(t.Context(), qredo.CompanyID(company))
			require.NoError(t, err, "the sandbox's own key is of the same account")
			assert.Equal(t, "Acme", found.Name)
			header := httptest.NewRequest("GET", srv.BaseURL()+"/assets", nil)
			require.NoError(t, srv.Auth().Authenticate(header, nil, startOfTime))
			assert.Equal(t, test.own, header.Header.Get("X-API-KEY") == strings.TrimSpace(string(apiKey)))

			again, err := sandbox.New(sandbox.WithKeyDir(dir), sandbox.WithClock(newClock().Now))
			require.NoError(t, err)
			signedByOwner(t, again, string(apiKey)).ok()
		})
	}
}

func TestKeyFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	public, pkcs1 := file("public.pem", publicPEM(t, "PUBLIC KEY")), file("pkcs1.pem", publicPEM(t, "RSA PUBLIC KEY"))
	start := func(apiKeyFile, publicKeyFile string, more ...sandbox.Option) (*sandbox.Sandbox, error) {
		return sandbox.New(append(more, sandbox.WithClock(newClock().Now), sandbox.WithKeyFiles(apiKeyFile, publicKeyFile))...)
	}
	t.Run("both are there", func(t *testing.T) {
		for _, public := range []string{public, pkcs1} {
			s, err := start(file("known", "known key\n"), public)
			require.NoError(t, err)
			signedByOwner(t, s, "known key").ok()
		}
	})
	t.Run("the API key is made", func(t *testing.T) {
		path := filepath.Join(dir, "made", "apikey")
		s, err := start(path, public)
		require.NoError(t, err)
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		made, err := os.ReadFile(path)
		require.NoError(t, err)
		signedByOwner(t, s, string(made)).ok()
		s, err = start(path, public)
		require.NoError(t, err)
		signedByOwner(t, s, string(made)).ok()
	})
	t.Run("the same again", func(t *testing.T) {
		_, err := start(file("known", "known key"), public, sandbox.WithKey("known key", &ownKey().PublicKey))
		require.NoError(t, err)
	})
	t.Run("the same, for another account", func(t *testing.T) {
		_, err := start(file("known", "known key"), public, sandbox.WithAccountKey("other", "known key", &ownKey().PublicKey))
		require.ErrorContains(t, err, "registered already")
	})
	t.Run("a file that is in the way is not written to", func(t *testing.T) {
		path, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
		if err := os.Symlink(target, path); err != nil {
			t.Skipf("needs symbolic links: %v", err)
		}
		_, err := start(path, public)
		require.ErrorIs(t, err, fs.ErrExist)
		assert.NoFileExists(t, target)
	})
	weak := file("weak.pem", weakPublicKey)
	for name, test := range map[string]struct{ apiKey, public, why string }{
		"no public key":                   {file("k", "k"), filepath.Join(dir, "nothing"), "openssl rsa -in private.pem -pubout"},
		"a private key":                   {file("k", "k"), file("private.pem", privatePEM(t, "PRIVATE KEY")), "must not be given away"},
		"a certificate":                   {file("k", "k"), file("cert.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "holds CERTIFICATE"},
		"no PEM":                          {file("k", "k"), file("text", "ssh-rsa AAAA"), "is not PEM"},
		"a damaged PEM":                   {file("k", "k"), file("damaged", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "damaged"},
		"an elliptic curve's":             {file("k", "k"), file("ec.pem", ecPublicKey), "must be RSA"},
		"a short one":                     {file("k", "k"), weak, "2048 bits"},
		"several lines":                   {file("lines", "AAAA\nAAAA\n"), public, "several lines"},
		"an empty API key":                {file("empty", "\n"), public, "is empty"},
		"an API key that another key has": {file("taken", "second"), public, "registered already"},
		"an API key where nothing can be": {filepath.Join(public, "apikey"), public, "public.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := start(test.apiKey, test.public, sandbox.WithKey("second", &otherKey().PublicKey))
			require.ErrorContains(t, err, test.why)
			assert.NotContains(t, err.Error(), "AAAA", "and does not repeat what it read")
		})
	}
}

// Public keys that cannot be registered, made with openssl.
const (
	ecPublicKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZNK+VTh4H9rwN/Tyfijvsr0nB5El
+/Sq46TBoEJ4bVQXPeXNdKzV7BHQs/+4lyUWIKETbggWU1KVygpoPRp2oQ==
-----END PUBLIC KEY-----
`
	weakPublicKey = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCiId7ksuEo4nxVtQt9B64dhfBy
uHwh6/001UOPuSzR8hvniswYxbTTkUN1oEYWKXrplpZ6gd44rgsmFAE2TmsTrl4s
Xu7cp+PRAT5fb3kX1OHbod0Qos1mAvyRfh+cDSGLbzHmesybcKZT1kR28MjXo7FD
Pexb5aqFu11rzwnIrwIDAQAB
-----END PUBLIC KEY-----
`
)
