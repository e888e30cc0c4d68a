package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// createBolt makes a file that is not there, all of it at once. So a program that is killed leaves no file that is empty, and
// an empty file is one whose content is lost.
func createBolt(path string) (err error) {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil // whatever it is, who opens it is told
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
	db, err := bolt.Open(made.Name(), 0o600, nil) // it fills and syncs what is empty
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	err = link(made.Name(), path)
	if errors.Is(err, fs.ErrExist) { // another program was quicker
		return nil
	}
	return err
}
