package durable_test

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
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

// TestHoldLock is the other process of TestLockBetweenProcesses.
func TestHoldLock(t *testing.T) {
	durabletest.Hold(t, func(path string) (io.Closer, error) { return durable.Lock(path) })
}

// A lock that another process has, which ends in good order or is killed.
func TestLockBetweenProcesses(t *testing.T) {
	for _, kill := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed %t", kill), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lock")
			end := durabletest.InProcess(t, "TestHoldLock", path)
			_, err := durable.Lock(path)
			require.ErrorIs(t, err, durable.ErrInUse)
			end(kill)
			lock, err := durable.Lock(path)
			require.NoError(t, err)
			require.NoError(t, lock.Close())
		})
	}
}
