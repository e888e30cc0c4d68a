//go:build linux && (amd64 || arm64)

package libcrypto

import (
	"crypto"
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fileURI names a file of testdata.
func fileURI(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	require.NoError(t, err)
	return "file:" + path
}

func TestKeyByURI(t *testing.T) {
	needLibrary(t)
	for bits, uri := range map[int]string{
		2048: fileURI(t, "rsa2048.pem"), 3072: strings.Replace(fileURI(t, "rsa3072.pem"), "file:", "file://", 1), 4096: filepath.Join("testdata", "rsa4096.pem"),
	} {
		s, err := FromURI(uri)
		require.NoError(t, err)
		defer s.Close()
		assert.Equal(t, &testKey(t, bits).PublicKey, s.Public())
		assert.Equal(t, ModeLibcrypto, s.Implementation().Name)
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			signsRight(t, s, testKey(t, bits), hash, "text")
		}
	}
}

func TestURIThatCannotBeUsed(t *testing.T) {
	needLibrary(t)
	own := filepath.Join(t.TempDir(), "openssl.cnf")
	require.NoError(t, os.WriteFile(own, []byte("openssl_conf = none\n[none]\nproviders = p\n[p]\nnowhere = n\n[n]\nactivate = 1\nmodule = /nowhere.so\n"), 0o600))
	for name, c := range map[string]struct {
		uri, reason string
		opts        []Option
	}{
		"no file":          {fileURI(t, "nothing.pem"), "No such file", nil},
		"not RSA":          {fileURI(t, "ec.pem"), "not RSA", nil},
		"too short":        {fileURI(t, "rsa1024.pem"), "must have 2048 to 4096 bits, has 1024", nil},
		"too long":         {fileURI(t, "rsa4352.pem"), "must have 2048 to 4096 bits, has 4352", nil},
		"encrypted":        {fileURI(t, "encrypted.pem"), "failed", nil},
		"several":          {fileURI(t, "two.pem"), "several private keys", nil},
		"none":             {fileURI(t, "certificate.pem"), "no private key", nil},
		"a folder":         {fileURI(t, "."), "", nil},
		"no provider":      {"pkcs11:token=custody;object=qredo?pin-value=987654321", "unregistered scheme", nil},
		"no configuration": {fileURI(t, "rsa2048.pem"), "/nowhere.cnf", []Option{WithConfig("/nowhere.cnf")}},
		"its provider":     {fileURI(t, "rsa2048.pem"), "opening the URI failed", []Option{WithConfig(own)}},
	} {
		s, err := FromURI(c.uri, c.opts...)
		if name == "no provider" && err == nil {
			t.Skip("there is a token here")
		}
		require.ErrorIs(t, err, ErrUnavailable, name)
		require.ErrorContains(t, err, c.reason, name)
		assert.NotContains(t, err.Error(), "987654321", name)
		assert.Nil(t, s, name)
	}
}

func TestOtherSignaturesByURI(t *testing.T) {
	needLibrary(t)
	s, err := FromURI(fileURI(t, "rsa2048.pem"))
	require.NoError(t, err)
	defer s.Close()
	_, err = s.Sign(rand.Reader, make([]byte, 20), crypto.SHA1)
	require.ErrorContains(t, err, "only PKCS #1 v1.5")
}

// TestOwnConfiguration: a configuration file holds for one signer.
func TestOwnConfiguration(t *testing.T) {
	needLibrary(t)
	own := filepath.Join(t.TempDir(), "openssl.cnf")
	require.NoError(t, os.WriteFile(own, []byte("openssl_conf = init\n[init]\nproviders = p\n[p]\ndefault = d\n[d]\nactivate = 1\n"), 0o600))
	s, err := FromURI(fileURI(t, "rsa2048.pem"), WithConfig(own))
	require.NoError(t, err)
	signsRight(t, s, testKey(t, 2048), crypto.SHA256, "text")
	s.Close()
	<-s.core().freed
}

// TestToken signs with a key of SoftHSM, where OpenSSL has a provider for PKCS #11: QREDO_TEST_PKCS11_PROVIDER names it, or it is
// where the library looks.
func TestToken(t *testing.T) {
	needLibrary(t)
	provider := os.Getenv("QREDO_TEST_PKCS11_PROVIDER")
	if provider == "" {
		found, _ := filepath.Glob("/usr/lib/*/ossl-modules/pkcs11.so")
		if len(found) == 0 {
			t.Skip("needs OpenSSL's provider for PKCS #11 (package pkcs11-provider), or QREDO_TEST_PKCS11_PROVIDER with its file")
		}
		provider = found[0]
	}
	const module = "/usr/lib/softhsm/libsofthsm2.so"
	for _, file := range []string{provider, module} {
		if _, err := os.Stat(file); err != nil {
			t.Skip("needs ", file)
		}
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	t.Setenv("SOFTHSM2_CONF", write("softhsm2.conf", "directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"))
	run := func(args ...string) {
		said, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, string(said))
	}
	run("softhsm2-util", "--init-token", "--free", "--label", "custody", "--pin", "1234", "--so-pin", "1234")
	pkcs8 := filepath.Join(dir, "key.pem")
	run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", filepath.Join("testdata", "rsa2048.pem"), "-out", pkcs8)
	run("softhsm2-util", "--import", pkcs8, "--token", "custody", "--label", "qredo", "--id", "01", "--pin", "1234")
	cnf := write("openssl.cnf", "openssl_conf = init\n[init]\nproviders = p\n[p]\ndefault = d\npkcs11 = k\n[d]\nactivate = 1\n[k]\nmodule = "+provider+
		"\npkcs11-module-path = "+module+"\nactivate = 1\n")
	const uri = "pkcs11:token=custody;object=qredo;type=private"
	s, err := FromURI(uri+"?pin-value=1234", WithConfig(cnf))
	require.NoError(t, err)
	defer s.Close()
	assert.Equal(t, &testKey(t, 2048).PublicKey, s.Public())
	for range 20 {
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			signsRight(t, s, testKey(t, 2048), hash, "text")
		}
	}
	_, err = FromURI(uri+"?pin-value=987654321", WithConfig(cnf))
	require.ErrorIs(t, err, ErrUnavailable)
	assert.NotContains(t, err.Error(), "987654321")
}
