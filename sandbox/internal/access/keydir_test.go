package access_test

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
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
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

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}

// leftAsTheyAre demands that files are as they were written.
func leftAsTheyAre(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		data, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, text, string(data), "%s is left as it is", name)
	}
}

func pemBlock(t *testing.T, text, kind string) []byte {
	t.Helper()
	block, rest := pem.Decode([]byte(text))
	require.NotNil(t, block)
	assert.Equal(t, kind, block.Type)
	assert.Empty(t, rest)
	return block.Bytes
}

// signedWith checks a request that is signed with a private key for an API key.
func signedWith(t *testing.T, k *access.Keys, private *rsa.PrivateKey, apiKey string) (*access.Key, error) {
	t.Helper()
	stamp := strconv.FormatInt(now.Unix(), 10)
	return k.Signed(request(map[string]string{"X-API-KEY": apiKey, "x-timestamp": stamp, "x-sign": signature(t, private, stamp, asked, "")}), now, false)
}

// signedBy checks a request that an authenticator has signed, and returns its API key.
func signedBy(t *testing.T, k *access.Keys, auth *qredo.RSAAuth) (apiKey string, err error) {
	t.Helper()
	r := httptest.NewRequest("GET", asked, nil)
	require.NoError(t, auth.Authenticate(r, nil, now))
	_, err = k.Signed(access.Request{Method: "GET", Header: r.Header, URLs: []string{asked}}, now, false)
	return r.Header.Get("X-API-KEY"), err
}

func TestProvisionMakesAKeyForOtherPrograms(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	k := access.NewKeys()
	auth, err := k.Provision(dir, "default")
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

	key, err := signedWith(t, k, private, files["apikey"]) // with the line's end
	require.NoError(t, err)
	assert.Equal(t, "default", key.Account)
	apiKey, err := signedBy(t, k, auth)
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(files["apikey"]), apiKey)

	later, other := access.NewKeys(), access.NewKeys()
	_, err = later.Provision(dir, "default")
	require.NoError(t, err)
	assert.Equal(t, files, keyFiles(t, dir), "it is left as it is")
	_, err = signedWith(t, later, private, files["apikey"])
	require.NoError(t, err)
	_, err = other.Provision("", "default")
	require.NoError(t, err)
	_, err = signedWith(t, other, private, files["apikey"])
	refused(t, err, access.NotProved, "api key")
}

func TestKeyDirsThatCannotBeUsed(t *testing.T) {
	whole := t.TempDir()
	_, err := access.NewKeys().Provision(whole, "default")
	require.NoError(t, err)
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
		"the API key is another's":  {map[string]string{"apikey": "own", "private.pem": files["private.pem"]}, "registered already"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, test.files)
			_, err := newKeys(t).Provision(dir, "default")
			require.ErrorContains(t, err, test.names)
			for _, secret := range []string{strings.TrimSpace(files["apikey"]), files["private.pem"][100:160]} {
				assert.NotContains(t, err.Error(), secret)
			}
			leftAsTheyAre(t, dir, test.files)
		})
	}
	t.Run("the folder is a file", func(t *testing.T) {
		path := filepath.Join(whole, "apikey")
		_, err := access.NewKeys().Provision(path, "default")
		require.ErrorContains(t, err, path)
	})
}

// What openssl has made is taken as it is, and what is missing is added.
func TestKeyDirWithAKeyOfTheCallers(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		made  []string
		own   bool // what is returned signs with it
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
			write(t, dir, test.files)
			k := access.NewKeys()
			auth, err := k.Provision(dir, "default")
			require.NoError(t, err)
			leftAsTheyAre(t, dir, test.files)
			after, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Len(t, after, len(test.files)+len(test.made))
			for _, name := range test.made {
				info, err := os.Stat(filepath.Join(dir, name))
				require.NoError(t, err)
				assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
			}
			apiKey, err := os.ReadFile(filepath.Join(dir, "apikey"))
			require.NoError(t, err)
			callers, err := signedWith(t, k, ownKey(), string(apiKey))
			require.NoError(t, err)
			assert.Equal(t, "default", callers.Account)
			signs, err := signedBy(t, k, auth)
			require.NoError(t, err)
			assert.Equal(t, test.own, signs == strings.TrimSpace(string(apiKey)))

			again := access.NewKeys()
			_, err = again.Provision(dir, "default")
			require.NoError(t, err)
			_, err = signedWith(t, again, ownKey(), string(apiKey))
			require.NoError(t, err)
		})
	}
}

func TestRegisterFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		write(t, dir, map[string]string{name: text})
		return filepath.Join(dir, name)
	}
	public, pkcs1 := file("public.pem", publicPEM(t, "PUBLIC KEY")), file("pkcs1.pem", publicPEM(t, "RSA PUBLIC KEY"))
	t.Run("both are there", func(t *testing.T) {
		for _, public := range []string{public, pkcs1} {
			k := access.NewKeys()
			require.NoError(t, k.RegisterFiles(file("known", "known key\n"), public, "default"))
			_, err := signedWith(t, k, ownKey(), "known key")
			require.NoError(t, err)
		}
	})
	t.Run("the API key is made", func(t *testing.T) {
		path := filepath.Join(dir, "made", "apikey")
		for range 2 {
			k := access.NewKeys()
			require.NoError(t, k.RegisterFiles(path, public, "default"))
			info, err := os.Stat(path)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
			made, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = signedWith(t, k, ownKey(), string(made))
			require.NoError(t, err)
		}
	})
	t.Run("a file that is in the way is not written to", func(t *testing.T) {
		path, target := filepath.Join(dir, "link"), filepath.Join(dir, "target")
		if err := os.Symlink(target, path); err != nil {
			t.Skipf("needs symbolic links: %v", err)
		}
		require.ErrorIs(t, access.NewKeys().RegisterFiles(path, public, "default"), fs.ErrExist)
		assert.NoFileExists(t, target)
	})
	for name, test := range map[string]struct{ apiKey, public, why string }{
		"no public key":                   {file("k", "k"), filepath.Join(dir, "nothing"), "openssl rsa -in private.pem -pubout"},
		"a private key":                   {file("k", "k"), file("private.pem", privatePEM(t, "PRIVATE KEY")), "must not be given away"},
		"no PEM":                          {file("k", "k"), file("text", "ssh-rsa AAAA"), "is not PEM"},
		"which file it was":               {file("k", "k"), file("text", "ssh-rsa AAAA"), filepath.Join(dir, "text")},
		"several lines":                   {file("lines", "AAAA\nAAAA\n"), public, "several lines"},
		"an empty API key":                {file("empty", "\n"), public, "is empty"},
		"an API key that another key has": {file("taken", "second"), public, "registered already"},
		"an API key where nothing can be": {filepath.Join(public, "apikey"), public, "public.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			err := newKeys(t).RegisterFiles(test.apiKey, test.public, "default")
			require.ErrorContains(t, err, test.why)
			assert.NotContains(t, err.Error(), "AAAA", "and does not repeat what it read")
		})
	}
}
