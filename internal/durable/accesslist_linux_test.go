package durable_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/durable"
)

// With an access list, the group bits of the mode are the limit for anybody on it, and not those of the owner's group.
func TestAnAccessListIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Chown(path, -1, os.Geteuid()))
	const everybody = 0xffffffff
	list := binary.LittleEndian.AppendUint32(nil, 2)
	for _, entry := range []struct {
		tag, rights uint16
		id          uint32
	}{{1, 6, everybody}, {2, 6, 23456}, {4, 4, everybody}, {16, 6, everybody}, {32, 4, everybody}} { // the owner, a user, the group, the mask, others
		list = binary.LittleEndian.AppendUint16(list, entry.tag)
		list = binary.LittleEndian.AppendUint16(list, entry.rights)
		list = binary.LittleEndian.AppendUint32(list, entry.id)
	}
	if err := syscall.Setxattr(path, "system.posix_acl_access", list, 0); err != nil {
		t.Skip("this file system has no access lists: ", err)
	}
	var others *durable.OthersCanWriteError
	require.ErrorAs(t, durable.CheckWriters(path), &others)
}
