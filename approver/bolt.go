package approver

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver/internal/seals"
	"github.com/qredo-go/qredo/internal/durable"
)

// FileStore is a [Store] in one file, for one process at a time. What it has stored survives a crash of the program and,
// provided the disk is reliable, of the machine. Decisions that come at about the same time share a write to the disk.
// Decisions are removed a day after their action has expired.
type FileStore struct {
	db    *durable.Bolt
	now   func() time.Time
	epoch string
	seals seals.Seals
}

var (
	decisionsBucket = []byte("decisions") // action ID → record; its sequence is the number of the last one
	expiriesBucket  = []byte("expiries")  // expiry, action ID → nothing
	sumsBucket      = []byte("sums")      // what counters have counted: see bolt_spent.go
	lastsBucket     = []byte("lasts")     // counter → the last of its entries in sums
	endsBucket      = []byte("ends")      // end of an entry of sums, its key → nothing
	epochBucket     = []byte("epoch")     // epochKey → epoch
	earlierBucket   = []byte("spent")     // of version 0.1.0, which kept no sums

	epochKey = []byte("epoch")
	formKey  = []byte("form") // in the same bucket, as are the others
	markKey  = []byte("seal") // if the store is sealed
)

// fileForm is the version of the file's form. Version 1, of 0.1.0, did not say so, and neither did the first files of version 2.
const fileForm = 2

// OpenStore opens the store in a file, or creates it. It returns an error if another process has the file open, if others can
// write to it ([WithInsecureFiles]), or if it is damaged or not a store: its counts must not be lost silently. Close the store
// when you are done. The windows of limits roll by the clock of [WithClock]. Default: [time.Now].
func OpenStore(path string, opts ...FileOption) (*FileStore, error) {
	f, err := newFileOptions(opts)
	if err != nil {
		return nil, err
	}
	if err := checkFile(path, f.insecure); err != nil {
		return nil, fmt.Errorf("approver: store: %w", err)
	}
	db, err := durable.OpenBolt(path)
	if err != nil {
		return nil, fmt.Errorf("approver: store: %w", err)
	}
	s := &FileStore{db: db, now: f.now, seals: f.seals}
	err = checkFile(path, f.insecure) // in a folder such as /tmp, somebody may have been there first
	if err == nil {
		err = db.View(checkForm) // before anything is changed
	}
	if err == nil {
		err = db.Buckets(decisionsBucket, expiriesBucket, sumsBucket, lastsBucket, endsBucket, epochBucket)
	}
	if err == nil {
		err = db.Update(func(tx *bbolt.Tx) error { return s.begin(tx, f.unsealed) })
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("approver: store %s: %w", path, err), db.Close())
	}
	return s, nil
}

// checkForm refuses a file of another version.
func checkForm(tx *bbolt.Tx) error {
	if tx.Bucket(earlierBucket) != nil {
		return errors.New("it was written by version 0.1.0, which kept no sums: once the actions that it has decided are over, move it away and open a new one. " +
			"Limits begin anew then: wait until their windows are over, or lower them")
	}
	epochs := tx.Bucket(epochBucket)
	if epochs == nil {
		return nil
	}
	switch form, err := strconv.Atoi(cmp.Or(string(epochs.Get(formKey)), "2")); {
	case err != nil:
		return fmt.Errorf("it does not say of which form it is: restore it from a copy: %w", durable.ErrDamaged)
	case form > fileForm:
		return fmt.Errorf("it was written by a later version, in form %d: this program knows form %d, so use that version", form, fileForm)
	}
	return nil
}

// begin reads the store's epoch, or gives one to a store that has just been made.
func (s *FileStore) begin(tx *bbolt.Tx, unsealed bool) error {
	epochs := tx.Bucket(epochBucket)
	if epochs.Get(formKey) == nil {
		if err := epochs.Put(formKey, []byte(strconv.Itoa(fileForm))); err != nil {
			return err
		}
	}
	s.epoch = string(epochs.Get(epochKey))
	isNew := s.epoch == ""
	if isNew {
		s.epoch = rand.Text()
		if err := epochs.Put(epochKey, []byte(s.epoch)); err != nil {
			return err
		}
	}
	s.seals = s.seals.Of(s.epoch)
	unmarked := epochs.Get(markKey) == nil
	if !isNew || !unmarked || !s.seals.On() { // else it is sealed from the start
		if again, err := s.seals.Open(epochs.Get(markKey), unsealed); err != nil || !again {
			return err
		}
	}
	return errors.Join(s.sealAll(tx, unsealed && unmarked && !s.seals.Rotates()), epochs.Put(markKey, s.seals.Mark()))
}

// Epoch implements [Store].
func (s *FileStore) Epoch() string { return s.epoch }

// Close closes the file.
func (s *FileStore) Close() error { return s.db.Close() }

// Lookup implements [Store].
func (s *FileStore) Lookup(_ context.Context, id qredo.ActionID) (rec Record, found bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		rec, err = s.record(tx, id)
		return err
	})
	if errors.Is(err, errNoRecord) {
		return rec, false, nil
	}
	return rec, err == nil, err
}

// record returns the record of an action, or errNoRecord.
func (s *FileStore) record(tx *bbolt.Tx, id qredo.ActionID) (rec Record, err error) {
	data := tx.Bucket(decisionsBucket).Get([]byte(id))
	if data == nil {
		return rec, errNoRecord
	}
	data, err = s.seals.Split(seals.Decision, string(id), data)
	if err == nil {
		err = json.Unmarshal(data, &rec)
	}
	if err != nil {
		return Record{}, fmt.Errorf("the stored decision about %s: %w", id, err)
	}
	return rec, nil
}

func (s *FileStore) putRecord(tx *bbolt.Tx, rec Record) error {
	data, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	return tx.Bucket(decisionsBucket).Put([]byte(rec.ActionID), s.seals.Join(seals.Decision, string(rec.ActionID), data))
}

// Reserve implements [Store].
func (s *FileStore) Reserve(_ context.Context, rec Record, spends []Spend) (stands Record, err error) {
	if err := CheckSpends(spends); err != nil {
		return Record{}, err
	}
	var refused error // not an error of the change: that would undo, and do again, what others store with it
	err = s.db.Update(func(tx *bbolt.Tx) error {
		stands, refused = Record{}, nil
		decisions := tx.Bucket(decisionsBucket)
		if last := lastSeq(decisions); last < rec.Seq {
			refused = &LostError{Before: s.epoch, Now: s.epoch, Known: rec.Seq, Last: last}
			return nil
		}
		first, err := s.record(tx, rec.ActionID)
		if !errors.Is(err, errNoRecord) {
			stands = first
			return err
		}
		now := s.now()
		for _, spend := range spends {
			used, err := s.usedIn(tx, spend, now)
			if err != nil {
				return err
			}
			if refused = spend.Check(used); refused != nil {
				return nil //nolint:nilerr // it is returned below
			}
		}
		number, err := decisions.NextSequence()
		if err != nil {
			return err
		}
		stands = rec
		stands.Seq = int64(number)                                                                              //nolint:gosec // there are not so many
		err = errors.Join(forgetExpired(tx, now), forgetSpent(tx, now, 4*len(spends)), s.putRecord(tx, stands)) // an error undoes all of it
		if !rec.Expires.IsZero() {
			err = errors.Join(err, tx.Bucket(expiriesBucket).Put(timeKey(rec.Expires, []byte(rec.ActionID)), nil))
		}
		keep := Retention(spends)
		for _, spend := range spends {
			if keep[spend.Counter] == 0 { // it was counted with another window
				continue
			}
			err = errors.Join(err, s.putSpent(tx, spend, now, keep[spend.Counter]))
			keep[spend.Counter] = 0
		}
		return err
	})
	if err == nil {
		err = refused
	}
	return stands, err
}

func lastSeq(decisions *bbolt.Bucket) int64 {
	return int64(decisions.Sequence()) //nolint:gosec // there are not so many
}

// LastSeq implements [Store].
func (s *FileStore) LastSeq(context.Context) (last int64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		last = lastSeq(tx.Bucket(decisionsBucket))
		return nil
	})
	return last, err
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

// timeKey sorts by time, to the microsecond. Times before 1970 and after 9999 are taken for these.
func timeKey(at time.Time, rest []byte) []byte {
	at = time.Unix(min(max(at.Unix(), 0), 253402300799), int64(at.Nanosecond()))
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro())), rest...)
}

func keyTime(key []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(key))) //nolint:gosec // was an int64
}

// Finish implements [Store].
func (s *FileStore) Finish(_ context.Context, id qredo.ActionID, outcome Outcome) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		rec, err := s.record(tx, id)
		if err != nil {
			return err
		}
		rec.Outcome = outcome
		return s.putRecord(tx, rec)
	})
}

// Usage implements [Store].
func (s *FileStore) Usage(_ context.Context, spends []Spend) ([]Usage, error) {
	if err := CheckSpends(spends); err != nil {
		return nil, err
	}
	used := make([]Usage, len(spends))
	err := s.db.View(func(tx *bbolt.Tx) (err error) {
		for i, spend := range spends {
			if used[i], err = s.usedIn(tx, spend, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
	return used, err
}
