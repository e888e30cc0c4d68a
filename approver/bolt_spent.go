package approver

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
)

// What counters have counted: in the bucket sums an entry for each action, in the bucket lasts the last entry of each counter
// once more. A counter goes by the first 16 bytes of its name's SHA-256. A key of sums is that, the moment of the entry as timeKey has it,
// and its number within the counter, from 1; the value is the amount, the sum with it in 16 bytes, and when the entry ends. So
// what a window holds takes two looks, whatever lies in it.
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

func (e spentEntry) value() []byte {
	value := binary.BigEndian.AppendUint64(nil, uint64(e.amount)) //nolint:gosec // Check refuses negative amounts
	value = binary.BigEndian.AppendUint64(value, e.sum.high)
	value = binary.BigEndian.AppendUint64(value, e.sum.low)
	return append(value, timeKey(e.ends, nil)...)
}

func readSpent(key, value []byte) (spentEntry, error) {
	if len(key) != spentSize || len(value) != spentSize {
		return spentEntry{}, fmt.Errorf("an entry of a counter has %d and %d bytes: it is damaged", len(key), len(value))
	}
	return spentEntry{
		at: keyTime(key[counterSize:]), ends: keyTime(value[24:]), amount: int64(binary.BigEndian.Uint64(value)), //nolint:gosec // was an int64
		sum: tally{binary.BigEndian.Uint64(value[8:]), binary.BigEndian.Uint64(value[16:]), binary.BigEndian.Uint64(key[24:])},
	}, nil
}

// lastSpent returns a counter's last entry, or the zero value.
func lastSpent(tx *bbolt.Tx, counter []byte) (spentEntry, error) {
	data := tx.Bucket(lastsBucket).Get(counter)
	if data == nil {
		return spentEntry{}, nil
	}
	at := min(spentSize, len(data))
	return readSpent(data[:at], data[at:])
}

func usedIn(tx *bbolt.Tx, s Spend, now time.Time) (Usage, error) {
	counter := counterKey(s.Counter)
	last, err := lastSpent(tx, counter)
	if err != nil {
		return Usage{}, err
	}
	// Forward only: a cursor that goes back stops at a page that what this transaction has deleted left empty.
	key, value := tx.Bucket(sumsBucket).Cursor().Seek(append(bytes.Clone(counter), timeKey(now.Add(time.Microsecond-s.Window), nil)...))
	if !bytes.HasPrefix(key, counter) {
		return Usage{}, nil
	}
	first, err := readSpent(key, value)
	return last.sum.since(first.sum.before(first.amount)), err
}

func putSpent(tx *bbolt.Tx, s Spend, now time.Time, keep time.Duration) error {
	counter := counterKey(s.Counter)
	last, err := lastSpent(tx, counter)
	if err != nil {
		return err
	}
	e := last.next(s.Amount, now, keep)
	key, value := e.key(counter), e.value()
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
