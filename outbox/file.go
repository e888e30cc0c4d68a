package outbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/qredo-go/qredo/internal/durable"
)

// The buckets of a file. A value of entries is the entry's due time, as in due, and its JSON. A key of due
// is the time and the entry's key, for entries that have not ended.
var (
	entriesBucket = []byte("entries")
	dueBucket     = []byte("due")
)

// FileStore is a [Store] in a file of its own, for one program at a time. Leases are not in the file: since its
// program has ended when another opens it, nobody has what it leased.
type FileStore struct {
	db *bolt.DB

	mu     sync.Mutex
	leases map[string]*fileLease
	token  int64
}

type fileLease struct {
	token  int64
	until  time.Time
	saving bool // what is stored is about to change
}

// OpenStore opens the outbox in a file, or makes it. Another program that has it open is waited for, for a
// second. Changes are on the disk when the methods that make them return.
func OpenStore(path string) (*FileStore, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("outbox: another program has %s open", path)
	}
	if err != nil {
		return nil, fmt.Errorf("outbox: %s: %w", path, err)
	}
	db.MaxBatchDelay = time.Millisecond // how long a change waits for others that could share its fsync
	err = db.Update(func(tx *bolt.Tx) error {
		_, first := tx.CreateBucketIfNotExists(entriesBucket)
		_, second := tx.CreateBucketIfNotExists(dueBucket)
		return errors.Join(first, second)
	})
	if err == nil {
		err = durable.SyncFolder(filepath.Dir(path)) // else a crash of the machine could take a new file, and its payments
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("outbox: %s: %w", path, err), db.Close())
	}
	return &FileStore{db: db, leases: map[string]*fileLease{}}, nil
}

// Close closes the file.
func (f *FileStore) Close() error { return f.db.Close() }

// Add stores an entry unless its key has one.
func (f *FileStore) Add(ctx context.Context, e Entry) (stored Entry, added bool, err error) {
	if stored, err = f.Get(ctx, e.Key); !errors.Is(err, ErrNotFound) {
		return stored, false, err // without a write
	}
	err = f.db.Batch(func(tx *bolt.Tx) error {
		stored, added = e, false
		if value := tx.Bucket(entriesBucket).Get([]byte(e.Key)); value != nil {
			stored, err = decode(value)
			return err
		}
		added = true
		return put(tx, e)
	})
	return stored, added, known(err)
}

// put stores an entry and when it is due.
func put(tx *bolt.Tx, e Entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	entries, due, key := tx.Bucket(entriesBucket), tx.Bucket(dueBucket), []byte(e.Key)
	if old := entries.Get(key); old != nil {
		if err := due.Delete(append(bytes.Clone(old[:8]), key...)); err != nil {
			return err
		}
	}
	at := dueTime(e.Due)
	if !e.State.Ended() {
		if err := due.Put(append(bytes.Clone(at), key...), nil); err != nil {
			return err
		}
	}
	return entries.Put(key, append(at, data...))
}

// dueTime is a time as bytes that sort as the times do. Nothing is due before 1970.
func dueTime(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(max(0, t.UnixMicro())))
}

func decode(value []byte) (e Entry, err error) {
	err = json.Unmarshal(value[8:], &e)
	return e, err
}

// known gives the errors of the database the names of this package.
func known(err error) error {
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Get returns the entry with a key.
func (f *FileStore) Get(_ context.Context, key string) (e Entry, err error) {
	err = f.db.View(func(tx *bolt.Tx) error {
		value := tx.Bucket(entriesBucket).Get([]byte(key))
		if value == nil {
			return ErrNotFound
		}
		e, err = decode(value)
		return err
	})
	return e, known(err)
}

// Page returns some of the entries that match a filter.
func (f *FileStore) Page(_ context.Context, filter Filter, after string, limit int) (page []Entry, err error) {
	err = f.db.View(func(tx *bolt.Tx) error {
		cursor := tx.Bucket(entriesBucket).Cursor()
		key, value := cursor.Seek([]byte(after))
		if string(key) == after {
			key, value = cursor.Next()
		}
		for ; key != nil && len(page) < limit; key, value = cursor.Next() {
			e, err := decode(value)
			if err != nil {
				return err
			}
			if filter.Match(e) {
				page = append(page, e)
			}
		}
		return nil
	})
	return page, known(err)
}

// Claim leases entries that are due.
func (f *FileStore) Claim(_ context.Context, now, until time.Time, limit int) (claims []Claim, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err = f.db.View(func(tx *bolt.Tx) error {
		entries, latest := tx.Bucket(entriesBucket), dueTime(now)
		cursor := tx.Bucket(dueBucket).Cursor()
		for due, _ := cursor.First(); due != nil && len(claims) < limit && bytes.Compare(due[:8], latest) <= 0; due, _ = cursor.Next() {
			if !f.leases[string(due[8:])].over(now) {
				continue
			}
			e, err := decode(entries.Get(due[8:]))
			if err != nil {
				return err
			}
			claims = append(claims, Claim{Entry: e})
		}
		return nil
	})
	if err != nil {
		return nil, known(err)
	}
	for i := range claims {
		claims[i].Token = f.leaseTo(claims[i].Entry.Key, until)
	}
	return claims, nil
}

// over reports whether there is no lease any more.
func (l *fileLease) over(now time.Time) bool { return l == nil || !l.saving && !now.Before(l.until) }

// leaseTo makes a lease and returns its token. f.mu is held.
func (f *FileStore) leaseTo(key string, until time.Time) int64 {
	f.token++
	f.leases[key] = &fileLease{token: f.token, until: until}
	return f.token
}

// Take leases one entry.
func (f *FileStore) Take(ctx context.Context, key string, now, until time.Time) (Claim, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.leases[key].over(now) {
		return Claim{}, ErrBusy
	}
	e, err := f.Get(ctx, key)
	if err != nil {
		return Claim{}, err
	}
	return Claim{Entry: e, Token: f.leaseTo(key, until)}, nil
}

// Save stores a claim's entry and keeps the lease.
func (f *FileStore) Save(_ context.Context, c Claim) error { return f.save(c, false) }

// Release stores a claim's entry and ends the lease.
func (f *FileStore) Release(_ context.Context, c Claim) error { return f.save(c, true) }

func (f *FileStore) save(c Claim, release bool) error {
	lease, err := f.markSaving(c)
	if err != nil {
		return err
	}
	err = f.db.Batch(func(tx *bolt.Tx) error { return put(tx, c.Entry) })
	f.mu.Lock()
	defer f.mu.Unlock()
	lease.saving = false
	if release && err == nil {
		delete(f.leases, c.Entry.Key)
	}
	return known(err)
}

// markSaving keeps others from claiming what is about to be stored, so that none of them works on what was
// there before.
func (f *FileStore) markSaving(c Claim) (*fileLease, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.leases[c.Entry.Key]
	if l == nil || l.token != c.Token || l.saving {
		return nil, ErrClaimLost
	}
	l.saving = true
	return l, nil
}
