package inbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/qredo-go/qredo/internal/durable"
)

// fileVersion is the version of the file format.
const fileVersion = 1

// The tables of a file. The comments show the parts of keys; texts before the last part are encoded by ordered.
var (
	formTable    = []byte("inbox")   // what kind of file it is
	entriesTable = []byte("entries") // ID → JSON
	aliasesTable = []byte("aliases") // alias → ID
	readyTable   = []byte("ready")   // source, wallet, time, ID → nothing: what is to be handed over, in order
	statesTable  = []byte("states")  // state, ID → time, source, wallet
	movedTable   = []byte("moved")   // source, wallet, ID → amount, state, asset
	sourcesTable = []byte("sources") // ID → JSON

	tables = [][]byte{entriesTable, aliasesTable, readyTable, statesTable, movedTable, sourcesTable} // all except the first
)

// The rows of the first table. It also has the number of rows of each table, under its name.
var (
	versionRow = []byte(" version")
	beginRow   = []byte(" begin") // the time from which movements are handed over
)

// fileTx is a transaction in the file. Each row ends with a checksum over its table, key and data, since bbolt has none:
// if a key changed on the disk, a movement would seem new and be handed over again.
type fileTx struct {
	*bolt.Tx
	more map[string]int64 // by table, how many rows this transaction has added, less those it removed
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

func rowSum(table, key, data []byte) uint32 {
	sum := crc32.Checksum(table, castagnoli)
	sum = crc32.Update(sum, castagnoli, binary.BigEndian.AppendUint32(nil, uint32(len(key)))) //nolint:gosec // bbolt's keys are short
	sum = crc32.Update(sum, castagnoli, key)
	return crc32.Update(sum, castagnoli, data)
}

// row returns the data in a value.
func (t fileTx) row(table, key, value []byte) ([]byte, error) {
	end := len(value) - sumSize
	if end < 0 || binary.BigEndian.Uint32(value[end:]) != rowSum(table, key, value[:end]) {
		return nil, t.damaged(fmt.Sprintf("what is stored under %q was changed", key))
	}
	return value[:end:end], nil
}

func (t fileTx) damaged(what string) error {
	return fmt.Errorf("%s: %s: restore the file from a copy: %w", t.DB().Path(), what, durable.ErrDamaged)
}

// get returns what is stored under a key, or nil. It is valid only in the transaction.
func (t fileTx) get(table, key []byte) ([]byte, error) {
	value := t.Bucket(table).Get(key)
	if value == nil {
		return nil, nil
	}
	return t.row(table, key, value)
}

func (t fileTx) put(table, key, data []byte) error {
	bucket := t.Bucket(table)
	if bucket.Get(key) == nil {
		t.more[string(table)]++
	}
	err := bucket.Put(key, binary.BigEndian.AppendUint32(bytes.Clone(data), rowSum(table, key, data)))
	if errors.Is(err, bolterrors.ErrKeyTooLarge) {
		return fmt.Errorf("inbox: %.40q... is too long to be stored in a file", key)
	}
	return err
}

func (t fileTx) delete(table, key []byte) error {
	bucket := t.Bucket(table)
	if bucket.Get(key) != nil {
		t.more[string(table)]--
	}
	return bucket.Delete(key)
}

// each visits the rows whose keys have a prefix, starting at one, until visit returns false.
func (t fileTx) each(table, prefix, from []byte, visit func(key, data []byte) (bool, error)) error {
	cursor := t.Bucket(table).Cursor()
	if bytes.Compare(from, prefix) < 0 {
		from = prefix
	}
	for key, value := cursor.Seek(from); key != nil && bytes.HasPrefix(key, prefix); key, value = cursor.Next() {
		data, err := t.row(table, key, value)
		if err != nil {
			return err
		}
		if more, err := visit(key, data); err != nil || !more {
			return err
		}
	}
	return nil
}

// open turns a new file into an inbox, or verifies that it is a complete one.
func (t fileTx) open(path string) error {
	if first, _ := t.Cursor().First(); first == nil {
		return t.create()
	}
	if err := t.check(path); err != nil {
		return err
	}
	for _, table := range tables {
		n := int64(0)
		err := t.each(table, nil, nil, func([]byte, []byte) (bool, error) { n++; return true, nil })
		if err != nil {
			return err
		}
		counted, err := t.counted(table)
		if err != nil {
			return err
		}
		if counted != n {
			return t.damaged(fmt.Sprintf("it has %d %s, and had %d", n, table, counted))
		}
	}
	return nil
}

// check verifies that a file is an inbox.
func (t fileTx) check(path string) error {
	if t.Bucket(formTable) == nil {
		name, _ := t.Cursor().First()
		if name == nil {
			return fmt.Errorf("%s is not an inbox yet: the program that created it did not finish", path)
		}
		return fmt.Errorf("%s is not an inbox: it has the bucket %q of another program", path, name)
	}
	data, err := t.get(formTable, versionRow)
	if err != nil {
		return err
	}
	version, err := strconv.Atoi(string(data))
	switch {
	case err != nil || version < 1:
		return t.damaged("it does not say of which version it is")
	case version > fileVersion:
		return fmt.Errorf("%s was made by a later version of this package, in form %d: this one knows form %d, so use that version", path, version, fileVersion)
	}
	for _, table := range tables {
		if t.Bucket(table) == nil {
			return t.damaged(fmt.Sprintf("it has no %s", table))
		}
	}
	return nil
}

func (t fileTx) create() error {
	for _, table := range append([][]byte{formTable}, tables...) {
		if _, err := t.CreateBucket(table); err != nil {
			return err
		}
	}
	return t.put(formTable, versionRow, []byte(strconv.Itoa(fileVersion)))
}

func (t fileTx) counted(table []byte) (int64, error) {
	data, err := t.get(formTable, table)
	if err != nil || data == nil {
		return 0, err
	}
	return strconv.ParseInt(string(data), 10, 64)
}

// count stores how many rows the tables have now.
func (t fileTx) count() error {
	for _, table := range tables {
		more := t.more[string(table)]
		if more == 0 {
			continue
		}
		n, err := t.counted(table)
		if err != nil {
			return err
		}
		if err := t.put(formTable, table, strconv.AppendInt(nil, n+more, 10)); err != nil {
			return err
		}
	}
	return nil
}

// ordered appends a text to a key so that keys sort as their texts do, whatever bytes follow: no encoded text is a prefix
// of another.
func ordered[T ~string](key []byte, text T) []byte {
	for _, b := range []byte(text) {
		if key = append(key, b); b == 0 {
			key = append(key, 0xff)
		}
	}
	return append(key, 0, 1)
}

// split returns the text at the start of a key, and the rest.
func split(key []byte) (text string, rest []byte) {
	var b []byte
	for i := 0; i+1 < len(key); i++ {
		switch {
		case key[i] != 0:
			b = append(b, key[i])
		case key[i+1] == 1:
			return string(b), key[i+2:]
		default:
			b = append(b, 0)
			i++
		}
	}
	return string(b), nil
}
