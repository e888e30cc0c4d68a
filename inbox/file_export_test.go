package inbox

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// SetFileVersion has a file say that it is of another version.
func SetFileVersion(t *testing.T, path, version string) {
	t.Helper()
	f, err := OpenStore(path)
	require.NoError(t, err)
	require.NoError(t, f.change(func(tx fileTx) error { return tx.put(formTable, versionRow, []byte(version)) }))
	require.NoError(t, f.Close())
}
