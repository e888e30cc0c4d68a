package approver

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/approver/internal/seals"
)

// The counts of counters: the bucket sums has an entry for each action, the bucket lasts a copy of each counter's last entry.
// A counter is identified by the first 16 bytes of its name's SHA-256. A key of sums is that, the moment of the entry as timeKey has it,
// and its number within the counter, from 1; the value is the amount, the sum with it in 16 bytes, when the entry ends and, in a store
// with a key, a seal over all that. So reading a window takes two lookups, however many entries it has.
const (
	counterSize = 16
	spentSize   = 32 // of a key, and of a value
)

func counterKey(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:counterSize]
}

func (e spentEntry) key(counter []byte) []byte {
	key := append(bytes.Clone(counter), timeKey(e.at, nil)...)
	return binary.BigEndian.AppendUint64(key, e.sum.count)
}

func (s *FileStore) value(e spentEntry, key []byte) []byte {
	value := binary.BigEndian.AppendUint64(nil, uint64(e.amount)) //nolint:gosec // Check refuses negative amounts
	value = binary.BigEndian.AppendUint64(value, e.sum.high)
	value = binary.BigEndian.AppendUint64(value, e.sum.low)
	value = append(value, timeKey(e.ends, nil)...)
	return s.seals.Join(seals.Spent, seals.ID(key), value)
}

func (s *FileStore) readSpent(key, value []byte) (spentEntry, error) {
	data, err := s.seals.Split(seals.Spent, seals.ID(key), value)
	if err != nil {
		return spentEntry{}, fmt.Errorf("an entry of a counter: %w", err)
	}
	if len(key) != spentSize || len(data) != spentSize {
		return spentEntry{}, fmt.Errorf("an entry of a counter has %d and %d bytes: it is damaged", len(key), len(data))
	}
	return spentEntry{
		at: keyTime(key[counterSize:]), ends: keyTime(data[24:]), amount: int64(binary.BigEndian.Uint64(data)), //nolint:gosec // was an int64
		sum: tally{binary.BigEndian.Uint64(data[8:]), binary.BigEndian.Uint64(data[16:]), binary.BigEndian.Uint64(key[24:])},
	}, nil
}

// lastSpent returns a counter's last entry, or the zero value.
func (s *FileStore) lastSpent(tx *bbolt.Tx, counter []byte) (spentEntry, error) {
	data := tx.Bucket(lastsBucket).Get(counter)
	if data == nil {
		return spentEntry{}, nil
	}
	if !bytes.HasPrefix(data, counter) {
		return spentEntry{}, fmt.Errorf("the last entry of a counter is another counter's: %w", ErrUnsealed)
	}
	at := min(spentSize, len(data))
	return s.readSpent(data[:at], data[at:])
}

func (s *FileStore) usedIn(tx *bbolt.Tx, spend Spend, now time.Time) (Usage, error) {
	counter := counterKey(spend.Counter)
	last, err := s.lastSpent(tx, counter)
	if err != nil {
		return Usage{}, err
	}
	// Forward only: a cursor that goes back stops at a page that what this transaction has deleted left empty.
	key, value := tx.Bucket(sumsBucket).Cursor().Seek(append(bytes.Clone(counter), timeKey(now.Add(time.Microsecond-spend.Window), nil)...))
	if !bytes.HasPrefix(key, counter) {
		return Usage{}, nil
	}
	first, err := s.readSpent(key, value)
	return last.sum.since(first.sum.before(first.amount)), err
}

func (s *FileStore) putSpent(tx *bbolt.Tx, spend Spend, now time.Time, keep time.Duration) error {
	counter := counterKey(spend.Counter)
	last, err := s.lastSpent(tx, counter)
	if err != nil {
		return err
	}
	e := last.next(spend.Amount, now, keep)
	key := e.key(counter)
	value := s.value(e, key)
	ends := tx.Bucket(endsBucket)
	ends.FillPercent = 0.9 // it grows at its end
	return errors.Join(tx.Bucket(sumsBucket).Put(key, value), ends.Put(timeKey(e.ends, key), nil), tx.Bucket(lastsBucket).Put(counter, append(key, value...)))
}

// forgetSpent drops some entries that no window holds any more, in the order in which they ended, of whatever counter: so that
// of one that nobody uses again nothing stays. An entry of a counter ends no sooner than the one before it, so that the
// last one goes last.
func forgetSpent(tx *bbolt.Tx, now time.Time, atOnce int) error {
	ends, sums, lasts := tx.Bucket(endsBucket), tx.Bucket(sumsBucket), tx.Bucket(lastsBucket)
	for range atOnce {
		end, _ := ends.Cursor().First()
		if end == nil || now.Before(keyTime(end)) {
			return nil
		}
		key := bytes.Clone(end[8:])
		err := errors.Join(sums.Delete(key), ends.Delete(end))
		if counter := key[:counterSize]; bytes.HasPrefix(lasts.Get(counter), key) {
			err = errors.Join(err, lasts.Delete(counter))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
