// Package store keeps what happened on the disk: records, in the order in which they were made. What a record says
// is its caller's.
package store

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/internal/durable"
)

// journalFile is what the file of the records is called.
const journalFile = "journal.db"

// Journal is a folder's file of records. What Append has returned from without an error is on the disk.
type Journal struct{ db *bolt.DB }

var bucket = []byte("events")

// Open opens the journal of a folder, or makes both. One that another program has open is an error.
func Open(dir string) (*Journal, error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, journalFile)
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err == nil {
		err = durable.SyncFolder(dir) // else a crash of the machine could take a new file, and what was answered with it
	}
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Journal{db}, nil
}

// Append stores records, all or none, and returns when they are on the disk.
func (j *Journal) Append(records ...[]byte) error {
	return j.db.Update(func(tx *bolt.Tx) error {
		stored := tx.Bucket(bucket)
		stored.FillPercent = 1 // keys only grow, so that pages need no room for others between them
		for _, record := range records {
			n, err := stored.NextSequence()
			if err != nil {
				return err
			}
			if err := stored.Put(binary.BigEndian.AppendUint64(nil, n), record); err != nil {
				return err
			}
		}
		return nil
	})
}

// Replay calls f with each record, oldest first, until f returns an error. A record is f's until it returns.
func (j *Journal) Replay(f func(record []byte) error) error {
	return j.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(key, record []byte) error {
			if err := f(record); err != nil {
				return fmt.Errorf("event %d: %w", binary.BigEndian.Uint64(key), err)
			}
			return nil
		})
	})
}

// Reset forgets all records.
func (j *Journal) Reset() error {
	return j.db.Update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket(bucket); err != nil {
			return err
		}
		_, err := tx.CreateBucket(bucket)
		return err
	})
}

// Close closes the file.
func (j *Journal) Close() error { return j.db.Close() }
