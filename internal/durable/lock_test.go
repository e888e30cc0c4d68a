package durable_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable"
)

func TestLockIsForOneProgram(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "lock")
	first, err := durable.Lock(path)
	require.NoError(t, err)
	_, err = durable.Lock(path)
	require.ErrorIs(t, err, durable.ErrInUse)
	require.ErrorContains(t, err, "another program has "+dir+" open")
	require.NoError(t, first.Close())
	second, err := durable.Lock(path)
	require.NoError(t, err)
	require.NoError(t, second.Close())
	_, err = durable.Lock(filepath.Join(dir, "nowhere", "lock"))
	require.Error(t, err)
}
