package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	bolterrors "go.etcd.io/bbolt/errors"
)

// Lock makes a file, if it is not there, and locks it for this program alone, as long as it is open. It is ErrInUse where another
// program has it for longer than a second. Not every system has such locks: there, nobody is kept out.
func Lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = lock(file, true); errors.Is(err, bolterrors.ErrTimeout) {
		err = fmt.Errorf("another program has %s open: %w", filepath.Dir(path), ErrInUse)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
