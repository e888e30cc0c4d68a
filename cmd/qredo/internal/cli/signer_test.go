package cli

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
)

func TestSigner(t *testing.T) {
	env := map[string]string{
		"QREDO_API_KEY": clienttest.APIKey, "QREDO_PRIVATE_KEY": string(clienttest.ReadTestdata(t, "private.pkcs8.pem")),
		"QREDO_CONFIG": filepath.Join(t.TempDir(), "none"),
	}
	digest := sha256.Sum256([]byte("text"))
	for value, says := range map[string]string{"": "Go", "go": "Go: asked for", "auto": "", "libcrypto": ""} {
		a := newTestApp()
		env["QREDO_SIGNER"] = value
		a.env = func(name string) string { return env[name] }
		require.NoError(t, a.load())
		key, err := a.privateKey()
		require.NoError(t, err)
		signer, what, err := a.signer(key)
		if value == signerLibcrypto && err != nil {
			require.ErrorContains(t, err, "QREDO_SIGNER: ")
			t.Log(err)
			continue
		}
		require.NoError(t, err)
		assert.Contains(t, what, says)
		if value == signerLibcrypto {
			assert.Contains(t, what, "OpenSSL")
		}
		signature, err := signer.Sign(rand.Reader, digest[:], crypto.SHA256)
		require.NoError(t, err)
		require.NoError(t, rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature))
		_, err = a.rsaAuth()
		require.NoError(t, err)
	}
	a := newTestApp()
	env["QREDO_SIGNER"] = "fast"
	a.env = func(name string) string { return env[name] }
	require.NoError(t, a.load())
	_, err := a.rsaAuth()
	require.EqualError(t, err, `QREDO_SIGNER must be auto, go, libcrypto, not "fast"`)
}

// TestStaticProgram: without cgo the command is one static program on Linux, unless libcrypto is asked for.
func TestStaticProgram(t *testing.T) {
	for tags, linked := range map[string]bool{"": false, "libcrypto": true} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		out, err := cmd.Output()
		require.NoError(t, err)
		assert.Equal(t, linked, strings.Contains(string(out), "ebitengine/purego"), "tags %q", tags)
	}
}
