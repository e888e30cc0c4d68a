package signingagent_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/signingagent"
)

// TestIdentityForm fails when this version writes another identity of version 1, or cannot open the files that it wrote, whatever sealed
// them. What is sealed is another text each time, so the files are written once.
func TestIdentityForm(t *testing.T) {
	id := identity(t, 1, finished)
	plain, err := id.MarshalWithSecrets()
	require.NoError(t, err)
	durabletest.Is(t, string(plain)+"\n", "identity-1-plain.json")
	for name, sealer := range map[string]signingagent.Sealer{
		"passphrase": signingagent.Passphrase("open sesame"), "rsa": signingagent.SignerKey(clienttest.PrivateKey(t)), "ed25519": signingagent.SignerKey(edKey(1)),
	} {
		golden := filepath.Join("testdata", "identity-1-"+name+".json")
		if os.Getenv(durabletest.Update) != "" {
			path := filepath.Join(t.TempDir(), "agent.json")
			require.NoError(t, signingagent.NewFileStore(path, sealer).Save(t.Context(), id))
			require.NoError(t, os.WriteFile(golden, read(t, path), 0o600))
		}
		path := filepath.Join(t.TempDir(), "agent.json")
		require.NoError(t, os.WriteFile(path, read(t, golden), 0o600))
		found, err := signingagent.NewFileStore(path, sealer).Load(t.Context())
		require.NoError(t, err, name)
		got, err := found.MarshalWithSecrets()
		require.NoError(t, err)
		require.Equal(t, plain, got, name)
	}
}
