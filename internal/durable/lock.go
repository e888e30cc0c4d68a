package durable

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// Lock makes a file, if it is not there, and locks it for this program alone until it is closed, or the program ends, however it
// does. It is ErrInUse where another program has it for longer than a second.
//
// The lock of bbolt's files, and of files that are exchanged, is in bolt_unix.go: it must be of the very descriptor that is read,
// and flock opens its own.
func Lock(path string) (*flock.Flock, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	lock := flock.New(path)
	locked, err := lock.TryLockContext(ctx, 50*time.Millisecond)
	if errors.Is(err, context.DeadlineExceeded) || err == nil && !locked {
		return nil, fmt.Errorf("another program has %s open: %w", filepath.Dir(path), ErrInUse)
	}
	if err != nil {
		return nil, err
	}
	return lock, nil
}
