//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package durable

import (
	"errors"
	"os"
	"syscall"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"
)

// lock locks a file as bbolt does, so that bbolt finds it locked by its own process: it could be checked neither after
// bbolt has locked it, nor without a lock.
func lock(file *os.File, exclusive bool) (locked bool, err error) {
	how := syscall.LOCK_NB | syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_NB | syscall.LOCK_EX
	}
	for range 20 {
		err = syscall.Flock(int(file.Fd()), how)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return true, err
		}
		time.Sleep(50 * time.Millisecond) //nolint:forbidigo // no system waits for a lock for some time
	}
	return false, bolterrors.ErrTimeout
}

// unlock unlocks a file, because closing it does not while it is mapped.
func unlock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_UN) }
