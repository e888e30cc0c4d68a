//go:build unix

package approver

import (
	"os"
	"syscall"
)

// lockFile makes this process the only one to write a file, until it is closed or the process ends.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// links is how many names a file has, or 0 if that is not known.
func links(info os.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink) //nolint:unconvert // it has another size on other systems
	}
	return 0
}
