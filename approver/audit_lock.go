package approver

import (
	"errors"
	"os"
	"runtime"

	"github.com/gofrs/flock"
)

// lockFile makes this process the only writer of an open file, until the lock is closed or the process ends in any way.
// On Windows, where a locked file can be written only through the lock, the lock is a separate file next to it.
func lockFile(file *os.File, path string) (*flock.Flock, error) {
	beside := runtime.GOOS == "windows"
	if beside {
		path += ".lock"
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDWR|os.O_CREATE|os.O_APPEND))
	switch locked, err := lock.TryLock(); {
	case err != nil:
		return nil, err
	case !locked:
		return nil, errors.New("it is locked")
	case beside:
		return lock, nil
	}
	at, err := lock.Stat()
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if opened, err := file.Stat(); err != nil || !os.SameFile(at, opened) {
		return nil, errors.Join(errors.New("another file has taken its place"), err, lock.Close())
	}
	return lock, nil
}
