package clienttest

import (
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// FIPS140Only reports whether only the algorithms of FIPS 140 are allowed. If not, it has run the test once more, with
// GODEBUG=fips140=only, and the test must have passed.
func FIPS140Only(t *testing.T) bool {
	t.Helper()
	if fips140.Enforced() {
		return true
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v") //nolint:gosec // this very test
	again.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := again.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}

// ShortKey is an RSA key of 1024 bits, which is too short.
func ShortKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	var key *rsa.PrivateKey
	fips140.WithoutEnforcement(func() {
		var err error
		key, err = rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // that is the point
		require.NoError(t, err)
	})
	return key
}
