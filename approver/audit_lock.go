package approver

import (
	"errors"
	"os"
	"runtime"

	"github.com/gofrs/flock"
)

// lockFile makes this process the only one to write a file that it has open, until the lock is closed or the process ends, however
// it does. On Windows, where what is locked can be written through the lock alone, it is a file beside that one.
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
