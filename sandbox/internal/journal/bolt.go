package journal

import (
	"encoding/binary"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Codec turns events into bytes and back.
type Codec[E any] interface {
	Encode(e E) ([]byte, error)
	Decode(data []byte) (E, error)
}

// Bolt is a journal in a file. What Append has returned from is on the disk.
type Bolt[E any] struct {
	db    *bolt.DB
	codec Codec[E]
}

var bucket = []byte("events")

// OpenBolt opens the journal in a file, or makes it. A file that another program has open is an error.
func OpenBolt[E any](path string, codec Codec[E]) (*Bolt[E], error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b := &Bolt[E]{db: db, codec: codec}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Append stores events, all or none, and returns when they are on the disk.
func (b *Bolt[E]) Append(events []E) error {
	return b.db.Update(func(tx *bolt.Tx) error {
		entries := tx.Bucket(bucket)
		entries.FillPercent = 1 // keys only grow, so that pages need no room for others between them
		for _, e := range events {
			data, err := b.codec.Encode(e)
			if err != nil {
				return err
			}
			n, err := entries.NextSequence()
			if err != nil {
				return err
			}
			if err := entries.Put(binary.BigEndian.AppendUint64(nil, n), data); err != nil {
				return err
			}
		}
		return nil
	})
}

// Replay calls f with each event, oldest first.
func (b *Bolt[E]) Replay(f func(E) error) error {
	return b.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(key, data []byte) error {
			e, err := b.codec.Decode(data)
			if err == nil {
				err = f(e)
			}
			if err != nil {
				return fmt.Errorf("event %d: %w", binary.BigEndian.Uint64(key), err)
			}
			return nil
		})
	})
}

// Reset forgets all events.
func (b *Bolt[E]) Reset() error {
	return b.db.Update(func(tx *bolt.Tx) error {
		if err := tx.DeleteBucket(bucket); err != nil {
			return err
		}
		_, err := tx.CreateBucket(bucket)
		return err
	})
}

// Close closes the file.
func (b *Bolt[E]) Close() error { return b.db.Close() }
