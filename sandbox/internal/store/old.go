package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/internal/durable"
)

// oldFile is what stores of before had: a bbolt file of events. It is read once, into a snapshot, and kept beside it under another name.
const oldFile = "journal.db"

var oldBucket = []byte("events")

// loadOld reads a store of before, if there is one.
func (s *Store) loadOld(event func([]byte) error) error {
	path := filepath.Join(s.dir, oldFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	db, err := durable.OpenBolt(path)
	if err != nil {
		return err
	}
	err = db.View(func(tx *bolt.Tx) error {
		stored := tx.Bucket(oldBucket)
		if stored == nil {
			return fmt.Errorf("%s is something else's", path)
		}
		return stored.ForEach(func(key, record []byte) error {
			if err := event(record); err != nil {
				return fmt.Errorf("event %d: %w", binary.BigEndian.Uint64(key), err)
			}
			return nil
		})
	})
	return errors.Join(err, db.Close())
}

// removeOld gives a store of before another name, once there is a snapshot of it and nothing more was appended. Later it is one that a
// program of before has made since.
func (s *Store) removeOld(appended int64) error {
	path := filepath.Join(s.dir, oldFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if s.generation > 1 || appended > 0 {
		return fmt.Errorf("%s was made by an older version of the sandbox, after this folder had got a newer form: move it away, or all else in the folder", path)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		return err
	}
	return durable.SyncFolder(s.dir)
}
