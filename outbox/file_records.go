package outbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// The buckets of a file. A class at the start of a key is one byte, and a time is eight.
var (
	entriesBucket      = []byte("entries")      // key → checksum, JSON
	begunBucket        = []byte("begun")        // key → checksum, what Begin has stored since
	statesBucket       = []byte("states")       // class, key → row
	changesBucket      = []byte("changes")      // class, time of the last change, key → nothing
	transactionsBucket = []byte("transactions") // digest of a TxID → key
	partnersBucket     = []byte("partners")     // digest of a PartnerTxID given by the caller → key
	countsBucket       = []byte("counts")       // class → number of its entries
)

// class is an entry's state and whether its outcome is unknown, in one byte.
type class byte

var classStates = [...]State{StatePending, StateSent, StateHeld, StateDone, StateFailed, StateRejected, StateExpired}

const (
	classes = class(2 * len(classStates))
	aside   = class(5) // held and unknown, the class of damaged entries
)

func classOf(state State, unknown bool) (c class, ok bool) {
	i := slices.Index(classStates[:], state)
	if i < 0 {
		return 0, false
	}
	c = class(2 * i) //nolint:gosec // there are few
	if unknown {
		c++
	}
	return c, true
}

func (c class) state() State  { return classStates[c/2] }
func (c class) unknown() bool { return c%2 == 1 }

// key is the key of an entry in an index.
func (c class) key(parts ...[]byte) []byte {
	return slices.Concat(append([][]byte{{byte(c)}}, parts...)...)
}

// fileRow is what is known about an entry without its record, which may be unreadable.
type fileRow struct {
	attempted    bool // it was sent, may have been sent, or was postponed
	due, updated int64
	txID         []byte // a digest, or empty
}

// bytes encodes a row for the index under a key, with a checksum, since the index alone gets a payment sent.
func (r fileRow) bytes(key []byte) []byte {
	data := []byte{0}
	if r.attempted {
		data[0] = 1
	}
	data = slices.Concat(data, timeBytes(r.due), timeBytes(r.updated), r.txID)
	return binary.BigEndian.AppendUint32(data, rowSum(key, data))
}

func rowSum(key, data []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(key), crc32.IEEETable, data)
}

// readRow decodes a row. It returns false if the row or its key was changed.
func readRow(key, data []byte) (r fileRow, ok bool) {
	end := len(data) - 4
	if end < 17 || binary.BigEndian.Uint32(data[end:]) != rowSum(key, data[:end]) {
		return fileRow{attempted: true}, false // due
	}
	return fileRow{data[0] != 0, bytesTime(data[1:]), bytesTime(data[9:]), slices.Clone(data[17:end])}, true
}

// timeBytes is a time as bytes that sort in time order.
func timeBytes(t int64) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t)^1<<63) //nolint:gosec // all are used
}

func bytesTime(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ 1<<63) } //nolint:gosec // as above

// digest turns an ID into a key of bounded length.
func digest[T ~string](id T) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:]
}

// fileTx is a transaction in the file.
type fileTx struct {
	*bolt.Tx
	records Records
}

// begunRecord is what Begin stores, so that it need not store the whole entry.
type begunRecord struct {
	Sending  bool   `json:"sending"`
	Attempts int    `json:"attempts"`
	APIKey   string `json:"api_key"`
}

// begunKey is the key that goes into its checksum. No entry has such a key.
func begunKey(key string) string { return "begun\x00" + key }

func (t fileTx) begin(e Entry) error {
	data, err := json.Marshal(begunRecord{e.Sending, e.Attempts, e.APIKey}) //nolint:gosec // a digest of it
	if err != nil {
		return err
	}
	return t.Bucket(begunBucket).Put([]byte(e.Key), append(t.records.sum(begunKey(e.Key), data), data...))
}

// get returns the entry with a key, which may be a damaged one.
func (t fileTx) get(key string) (Entry, error) {
	value := t.Bucket(entriesBucket).Get([]byte(key))
	if value == nil {
		if _, _, ok := t.find(key, aside); !ok {
			return Entry{}, ErrNotFound
		}
	}
	return t.decode(key, value), nil
}

// decode returns the entry that is in a value. To a damaged one it adds what the index has.
func (t fileTx) decode(key string, value []byte) Entry {
	e, err := t.read(key, value)
	if err == nil {
		return e
	}
	e = t.records.Damaged(key, err)
	if _, r, ok := t.find(key, aside); ok {
		e.Updated, e.Due = fromMicros(r.updated), fromMicros(r.due)
	}
	return e
}

func (t fileTx) read(key string, value []byte) (Entry, error) {
	if len(value) < SumSize {
		return Entry{}, errors.New("what was stored under " + key + " is gone")
	}
	e, err := t.records.Decode(key, value[SumSize:], value[:SumSize])
	if err != nil {
		return e, err
	}
	if value := t.Bucket(begunBucket).Get([]byte(key)); value != nil {
		var b begunRecord
		if len(value) < SumSize || string(t.records.sum(begunKey(key), value[SumSize:])) != string(value[:SumSize]) || json.Unmarshal(value[SumSize:], &b) != nil {
			return e, errors.New("the attempt to send that was begun under " + key + " was changed")
		}
		e.Sending, e.Attempts, e.APIKey = b.Sending, b.Attempts, b.APIKey
	}
	return e, nil
}

// find returns the index row of a key. It looks in the likeliest class first.
func (t fileTx) find(key string, likely class) (c class, r fileRow, ok bool) {
	states, k := t.Bucket(statesBucket), []byte(key)
	at := func(c class) (class, fileRow, bool) {
		data := states.Get(c.key(k))
		r, _ := readRow(c.key(k), data)
		return c, r, data != nil
	}
	if c, r, ok = at(likely); ok {
		return c, r, true
	}
	for c = range classes {
		if c, r, ok = at(c); ok {
			return c, r, true
		}
	}
	return 0, fileRow{}, false
}

// add stores an entry unless its key exists, or its PartnerTxID belongs to another entry.
func (t fileTx) add(e Entry) (stored Entry, added bool, err error) {
	if value := t.Bucket(entriesBucket).Get([]byte(e.Key)); value != nil {
		return t.decode(e.Key, value), false, nil
	}
	if e.Brought {
		partners, id := t.Bucket(partnersBucket), digest(e.PartnerTxID)
		if partners.Get(id) != nil {
			return Entry{}, false, ErrPartnerTxIDTaken
		}
		err = partners.Put(id, []byte(e.Key))
	}
	return e, true, errors.Join(err, t.put(e))
}

// replace stores a new version of an entry.
func (t fileTx) replace(e Entry) error {
	if t.Bucket(entriesBucket).Get([]byte(e.Key)) == nil {
		return ErrClaimLost // it was removed
	}
	return t.put(e)
}

// put stores an entry and updates the index.
func (t fileTx) put(e Entry) error {
	c, ok := classOf(e.State, e.Unknown)
	if !ok || e.Request == nil {
		return errors.New("outbox: an entry of this state, or without a request, cannot be stored")
	}
	if e.TxID != "" {
		if owner := t.Bucket(transactionsBucket).Get(digest(e.TxID)); owner != nil && string(owner) != e.Key {
			return ErrTxIDTaken
		}
	}
	data, sum, err := t.records.Encode(e)
	if err != nil {
		return err
	}
	r := fileRow{attempted: e.Lane() != LaneNew, due: micros(e.Due), updated: micros(e.Updated)}
	if e.TxID != "" {
		r.txID = digest(e.TxID)
	}
	return errors.Join(
		t.index(e.Key, c, &r),
		t.Bucket(begunBucket).Delete([]byte(e.Key)),
		t.Bucket(entriesBucket).Put([]byte(e.Key), append(sum, data...)),
	)
}

// index moves an entry to its place in the index, or removes it if there is no row.
func (t fileTx) index(key string, now class, r *fileRow) error {
	states, changes, transactions, k := t.Bucket(statesBucket), t.Bucket(changesBucket), t.Bucket(transactionsBucket), []byte(key)
	was, old, ok := t.find(key, now)
	var err error
	if ok {
		err = changes.Delete(was.key(timeBytes(old.updated), k))
		if r == nil || was != now {
			err = errors.Join(err, states.Delete(was.key(k)), t.count(was, -1))
		}
		if len(old.txID) > 0 && (r == nil || string(old.txID) != string(r.txID)) {
			err = errors.Join(err, transactions.Delete(old.txID))
		}
	}
	if r == nil {
		return err
	}
	if !ok || was != now {
		err = errors.Join(err, t.count(now, 1))
	}
	if len(r.txID) > 0 {
		err = errors.Join(err, transactions.Put(r.txID, k))
	}
	return errors.Join(err, changes.Put(now.key(timeBytes(r.updated), k), nil), states.Put(now.key(k), r.bytes(now.key(k))))
}

func (t fileTx) count(c class, more int) error {
	n := t.counted(c) + more
	return t.Bucket(countsBucket).Put([]byte{byte(c)}, binary.BigEndian.AppendUint64(nil, uint64(n))) //nolint:gosec // as it comes back
}

func (t fileTx) counted(c class) int {
	data := t.Bucket(countsBucket).Get([]byte{byte(c)})
	if len(data) != 8 {
		return 0
	}
	return int(binary.BigEndian.Uint64(data)) //nolint:gosec // as it was put
}

// setAside puts a damaged entry among the held ones whose outcome is unknown. Its record is left as it is.
func (t fileTx) setAside(key string, now int64) error {
	_, r, _ := t.find(key, aside)
	r.updated = now
	return t.index(key, aside, &r)
}

// remove deletes an entry that has ended.
func (t fileTx) remove(key string) error {
	value := t.Bucket(entriesBucket).Get([]byte(key))
	if value == nil {
		return nil
	}
	e, err := t.read(key, value)
	if err != nil || !e.State.Ended() {
		return nil //nolint:nilerr // a damaged one stays: nobody can tell what became of it
	}
	if e.Brought {
		err = t.Bucket(partnersBucket).Delete(digest(e.PartnerTxID))
	}
	c, _ := classOf(e.State, e.Unknown)
	return errors.Join(err, t.index(key, c, nil), t.Bucket(begunBucket).Delete([]byte(key)), t.Bucket(entriesBucket).Delete([]byte(key)))
}
