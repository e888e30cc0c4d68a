package keyfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable/durabletest"
	"github.com/qredo-go/qredo/sandbox/internal/keyfile"
)

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "with it")
	require.NoError(t, keyfile.Write(dir, "key", []byte("first")))
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "key"): 0o600} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
	}
	require.ErrorIs(t, keyfile.Write(dir, "key", []byte("second")), fs.ErrExist)
	data, err := os.ReadFile(filepath.Join(dir, "key"))
	require.NoError(t, err)
	assert.Equal(t, "first", string(data), "it is not written over")

	t.Run("nor through a link", func(t *testing.T) {
		target := filepath.Join(dir, "target")
		if err := os.Symlink(target, filepath.Join(dir, "link")); err != nil {
			t.Skipf("needs symbolic links: %v", err)
		}
		require.ErrorIs(t, keyfile.Write(dir, "link", []byte("x")), fs.ErrExist)
		assert.NoFileExists(t, target)
	})
}

// Where the API key is, the private key is too: also after a crash of the machine.
func TestWriteSyncsTheFolder(t *testing.T) {
	dir := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, dir, func() { require.NoError(t, keyfile.Write(dir, "key", nil)) }))
}

func TestCheckNotAlone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, keyfile.CheckNotAlone(dir, "secret", "apikey"))
	require.NoError(t, keyfile.Write(dir, "secret", []byte("c2VjcmV0")))
	err := keyfile.CheckNotAlone(dir, "secret", "apikey")
	require.ErrorContains(t, err, "has secret and no apikey")
	assert.NotContains(t, err.Error(), "c2VjcmV0")
}

func TestPEM(t *testing.T) {
	assert.Equal(t, "-----BEGIN PUBLIC KEY-----\nAQID\n-----END PUBLIC KEY-----\n", string(keyfile.PEM("PUBLIC KEY", []byte{1, 2, 3})))
}
