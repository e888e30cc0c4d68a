//go:build unix

package approver

import (
	"os"
	"syscall"
)

// links is how many names a file has, or 0 if that is not known.
func links(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink) //nolint:unconvert // it has another size on other systems
	}
	return 0
}
