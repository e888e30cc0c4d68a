package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// createBolt creates a complete file atomically. A killed program therefore never leaves an empty file, and an empty file
// means that its content is lost.
func createBolt(path string) (err error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // opening it will report the error, whatever it is
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", path, err)
		}
	}()
	made, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(made.Name())) }()
	if err := made.Close(); err != nil {
		return err
	}
	db, err := bolt.Open(made.Name(), 0o600, nil) // it fills and syncs an empty file
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	err = link(made.Name(), path)
	if errors.Is(err, fs.ErrExist) { // another program was faster
		return nil
	}
	return err
}
