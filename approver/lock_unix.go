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
