package approver

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
)

// FileStore is a [Store] in one file, for one process at a time. What it has stored survives a crash of
// the program and, as far as the disk keeps what it was told to, of the machine. Decisions are dropped a
// day after their action has expired.
type FileStore struct {
	db  *bbolt.DB
	now func() time.Time
}

var (
	decisionsBucket = []byte("decisions") // action ID → record
	expiriesBucket  = []byte("expiries")  // expiry, action ID → nothing
	spentBucket     = []byte("spent")     // counter → moment, action ID → amount
)

// OpenStore opens the store in a file, or makes it. The windows of limits roll by [time.Now] unless
// [WithClock] is given. It is an error if another process has the file open. The caller closes the store.
func OpenStore(path string, opts ...ClockOption) (*FileStore, error) {
	now, err := clock(opts)
	if err != nil {
		return nil, err
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("approver: store %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{decisionsBucket, expiriesBucket, spentBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = durable.SyncFolder(filepath.Dir(path)) // else a crash of the machine could take a new file, and its sums
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("approver: store %s: %w", path, err), db.Close())
	}
	return &FileStore{db: db, now: now}, nil
}

// Close closes the file.
func (s *FileStore) Close() error { return s.db.Close() }

// Lookup implements [Store].
func (s *FileStore) Lookup(_ context.Context, id qredo.ActionID) (rec Record, found bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		rec, err = record(tx, id)
		return err
	})
	if errors.Is(err, errNoRecord) {
		return rec, false, nil
	}
	return rec, err == nil, err
}

// record returns the record of an action, or errNoRecord.
func record(tx *bbolt.Tx, id qredo.ActionID) (rec Record, err error) {
	data := tx.Bucket(decisionsBucket).Get([]byte(id))
	if data == nil {
		return rec, errNoRecord
	}
	if err := json.Unmarshal(data, &rec); err != nil {
		return rec, fmt.Errorf("the stored decision about %s: %w", id, err)
	}
	return rec, nil
}

func putRecord(tx *bbolt.Tx, rec Record) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return tx.Bucket(decisionsBucket).Put([]byte(rec.ActionID), data)
}

// Reserve implements [Store].
func (s *FileStore) Reserve(_ context.Context, rec Record, spends []Spend) (stands Record, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		first, err := record(tx, rec.ActionID)
		if !errors.Is(err, errNoRecord) {
			stands = first
			return err
		}
		now := s.now()
		for _, spend := range spends {
			if err := spend.Check(usedIn(tx, spend, now)); err != nil {
				return err
			}
		}
		stands = rec
		err = errors.Join(forgetExpired(tx, now), putRecord(tx, rec)) // an error undoes all of it
		if !rec.Expires.IsZero() {
			err = errors.Join(err, tx.Bucket(expiriesBucket).Put(timeKey(rec.Expires, rec.ActionID), nil))
		}
		keep := Retention(spends)
		for _, spend := range spends {
			err = errors.Join(err, putSpent(tx, spend, rec.ActionID, now, keep[spend.Counter]))
		}
		return err
	})
	return stands, err
}

// timeKey sorts by time, to the microsecond. Times before 1970 and after 9999 are taken for these.
func timeKey(at time.Time, id qredo.ActionID) []byte {
	at = time.Unix(min(max(at.Unix(), 0), 253402300799), int64(at.Nanosecond()))
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro())), id...)
}

func keyTime(key []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(key))) //nolint:gosec // was an int64
}

func putSpent(tx *bbolt.Tx, s Spend, id qredo.ActionID, now time.Time, keep time.Duration) error {
	counter, err := tx.Bucket(spentBucket).CreateBucketIfNotExists([]byte(s.Counter))
	if err != nil {
		return err
	}
	cursor := counter.Cursor()
	for key, _ := cursor.First(); key != nil && now.Sub(keyTime(key)) >= keep; key, _ = cursor.First() {
		if err := counter.Delete(key); err != nil {
			return err
		}
	}
	return counter.Put(timeKey(now, id), binary.BigEndian.AppendUint64(nil, uint64(s.Amount))) //nolint:gosec // Check refuses negative amounts
}

func usedIn(tx *bbolt.Tx, s Spend, now time.Time) Usage {
	var u Usage
	counter := tx.Bucket(spentBucket).Bucket([]byte(s.Counter))
	if counter == nil {
		return u
	}
	cursor := counter.Cursor()
	for key, amount := cursor.Seek(timeKey(now.Add(time.Microsecond-s.Window), "")); key != nil; key, amount = cursor.Next() {
		u.add(int64(binary.BigEndian.Uint64(amount))) //nolint:gosec // was an int64
	}
	return u
}

// forgetExpired drops some decisions about actions that expired long ago.
func forgetExpired(tx *bbolt.Tx, now time.Time) error {
	const atOnce = 4 // more than are added, so that none pile up
	expiries := tx.Bucket(expiriesBucket)
	for range atOnce {
		key, _ := expiries.Cursor().First()
		if key == nil || now.Sub(keyTime(key)) < keepRecord {
			return nil
		}
		if err := errors.Join(tx.Bucket(decisionsBucket).Delete(key[8:]), expiries.Delete(key)); err != nil {
			return err
		}
	}
	return nil
}

// Finish implements [Store].
func (s *FileStore) Finish(_ context.Context, id qredo.ActionID, outcome Outcome) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		rec, err := record(tx, id)
		if err != nil {
			return err
		}
		rec.Outcome = outcome
		return putRecord(tx, rec)
	})
}

// Usage implements [Store].
func (s *FileStore) Usage(_ context.Context, spends []Spend) ([]Usage, error) {
	used := make([]Usage, len(spends))
	err := s.db.View(func(tx *bbolt.Tx) error {
		for i, spend := range spends {
			used[i] = usedIn(tx, spend, s.now())
		}
		return nil
	})
	return used, err
}
