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

// oldFile is the bbolt file of older stores. It is read once, into a snapshot, and kept beside it under another name.
const oldFile = "journal.db"

var oldBucket = []byte("events")

// loadOld reads an older store, if there is one.
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

// removeOld renames an older store once there is a snapshot of it and nothing more was appended. If there is one later, an
// older program has made it since.
func (s *Store) removeOld(appended int64) error {
	path := filepath.Join(s.dir, oldFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if s.generation > 1 || appended > 0 {
		return fmt.Errorf("%s was made by an older version of the sandbox after this folder had been converted: move it away, or everything else in the folder", path)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		return err
	}
	return durable.SyncFolder(s.dir)
}
