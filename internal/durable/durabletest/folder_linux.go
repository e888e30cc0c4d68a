// Package durabletest sees whether a folder is synced, and holds files open in another process.
package durabletest

import (
	"encoding/binary"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// SyncsFolder reports whether a function syncs a folder. From outside, that cannot be seen, but that the folder is
// opened, which nothing else does for a file that is made, written or renamed in it.
func SyncsFolder(t *testing.T, dir string, do func()) bool {
	t.Helper()
	watch, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	require.NoError(t, err)
	defer func() { assert.NoError(t, syscall.Close(watch)) }()
	_, err = syscall.InotifyAddWatch(watch, dir, syscall.IN_OPEN)
	require.NoError(t, err)
	do()
	events := make([]byte, 64<<10)
	n, err := syscall.Read(watch, events)
	if err != nil {
		require.ErrorIs(t, err, syscall.EAGAIN) // nothing was opened
		return false
	}
	for rest := events[:n]; len(rest) >= syscall.SizeofInotifyEvent; {
		mask, name := binary.NativeEndian.Uint32(rest[4:]), binary.NativeEndian.Uint32(rest[12:])
		if mask&syscall.IN_ISDIR != 0 && name == 0 { // not a folder in it
			return true
		}
		rest = rest[syscall.SizeofInotifyEvent+name:]
	}
	return false
}
