// Package store keeps what happened on the disk: records, in the order in which they were made. What a record says
// is its caller's.
package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/internal/durable"
)

// journalFile is what the file of the records is called.
const journalFile = "journal.db"

// Journal is a folder's file of records. What Append has returned from without an error is on the disk.
type Journal struct{ db *durable.Bolt }

var bucket = []byte("events")

// Open opens the journal of a folder, or makes both. One that another program has open is an error.
func Open(dir string) (*Journal, error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, err
	}
	db, err := durable.OpenBolt(filepath.Join(dir, journalFile))
	if err != nil {
		return nil, err
	}
	if err := db.Buckets(bucket); err != nil {
		return nil, errors.Join(err, db.Close())
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
