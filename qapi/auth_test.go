package qapi_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// environment sets the four variables for a test; those not named are empty.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{"QREDO_QAPI_KEY", "QREDO_QAPI_KEY_FILE", "QREDO_QAPI_SECRET", "QREDO_QAPI_SECRET_FILE"} {
		t.Setenv(name, set[name])
	}
}

func TestAuthFromEnv(t *testing.T) {
	keyFile, secretFile := filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(keyFile, []byte(apiKey+"\n"), 0o600))
	require.NoError(t, os.WriteFile(secretFile, []byte(secret+"\n"), 0o600))
	want, err := newAuth(t).Sign("1", http.MethodGet, "https://h", nil)
	require.NoError(t, err)
	for name, set := range map[string]map[string]string{
		"values": {"QREDO_QAPI_KEY": apiKey, "QREDO_QAPI_SECRET": secret},
		"files":  {"QREDO_QAPI_KEY_FILE": keyFile, "QREDO_QAPI_SECRET_FILE": secretFile},
		"both":   {"QREDO_QAPI_KEY": apiKey, "QREDO_QAPI_SECRET_FILE": secretFile},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, set)
			auth, err := qredo.HMACAuthFromEnv()
			require.NoError(t, err)
			req, err := http.NewRequest(http.MethodGet, "https://h", nil)
			require.NoError(t, err)
			require.NoError(t, auth.Authenticate(req, nil, testNow))
			assert.Equal(t, apiKey, req.Header.Get("Qredo-Api-Key"))
			got, err := auth.Sign("1", http.MethodGet, "https://h", nil)
			require.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
}

func TestAuthFromEnvRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		set   map[string]string
		field string
	}{
		"nothing":      {nil, "QREDO_QAPI_KEY"},
		"no secret":    {map[string]string{"QREDO_QAPI_KEY": apiKey}, "QREDO_QAPI_SECRET"},
		"key twice":    {map[string]string{"QREDO_QAPI_KEY": apiKey, "QREDO_QAPI_KEY_FILE": "f"}, "QREDO_QAPI_KEY"},
		"secret twice": {map[string]string{"QREDO_QAPI_KEY": apiKey, "QREDO_QAPI_SECRET": secret, "QREDO_QAPI_SECRET_FILE": "f"}, "QREDO_QAPI_SECRET"},
		"no base64":    {map[string]string{"QREDO_QAPI_KEY": apiKey, "QREDO_QAPI_SECRET": secret + "?"}, "secret"},
		"bad key":      {map[string]string{"QREDO_QAPI_KEY": "a b", "QREDO_QAPI_SECRET": secret}, "API key"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, c.set)
			auth, err := qredo.HMACAuthFromEnv()
			require.Nil(t, auth)
			requireInvalid(t, err, c.field)
			require.NotContains(t, err.Error(), secret)
		})
	}
	environment(t, map[string]string{"QREDO_QAPI_KEY": apiKey, "QREDO_QAPI_SECRET_FILE": "testdata/none"})
	_, err := qredo.HMACAuthFromEnv()
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "QREDO_QAPI_SECRET_FILE")
}
