package approver_test

import (
	"encoding/binary"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
)

// A file whose name is not on the disk is gone after a crash of the machine. That the folder is synced cannot
// be seen from here, but that it is opened, which nothing else does.
func TestTheFolderOfANewFileIsSynced(t *testing.T) {
	folder := t.TempDir()
	watch, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	require.NoError(t, err)
	defer func() { assert.NoError(t, syscall.Close(watch)) }()
	_, err = syscall.InotifyAddWatch(watch, folder, syscall.IN_OPEN)
	require.NoError(t, err)

	s, err := approver.OpenStore(filepath.Join(folder, "store"))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.True(t, folderOpened(t, watch), "by OpenStore")

	log, err := approver.OpenAuditLog(filepath.Join(folder, "log"))
	require.NoError(t, err)
	require.NoError(t, log.Close())
	assert.True(t, folderOpened(t, watch), "by OpenAuditLog")
}

// folderOpened reads what has happened since it was asked last.
func folderOpened(t *testing.T, watch int) (opened bool) {
	t.Helper()
	events := make([]byte, 4096)
	n, err := syscall.Read(watch, events)
	require.NoError(t, err)
	for rest := events[:n]; len(rest) >= syscall.SizeofInotifyEvent; {
		mask, name := binary.NativeEndian.Uint32(rest[4:]), binary.NativeEndian.Uint32(rest[12:])
		opened = opened || mask&syscall.IN_ISDIR != 0
		rest = rest[syscall.SizeofInotifyEvent+name:]
	}
	return opened
}
