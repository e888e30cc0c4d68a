package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/qredo-go/qredo/internal/durable"
)

// formBucket holds the file's format.
var formBucket = []byte("outbox")

// Its keys.
var (
	formVersion = []byte("version")
	formSeal    = []byte("seal") // a checksum that only the sealing key can produce
)

// fileVersion is the version of the file format. Files of 0.1.0, the first version, had no format bucket.
const fileVersion = 2

// open turns a new file into an outbox, or verifies that a file is one.
func (t fileTx) open(path string) error {
	if first, _ := t.Cursor().First(); first == nil {
		return t.create()
	}
	if t.isFirst() {
		return t.convert(path)
	}
	return t.check(path)
}

// check verifies that a file is an outbox.
func (t fileTx) check(path string) error {
	form := t.Bucket(formBucket)
	if form == nil {
		return t.foreign(path)
	}
	version, err := strconv.Atoi(string(form.Get(formVersion)))
	switch {
	case err != nil || version < fileVersion:
		return fmt.Errorf("%s does not say of which version it is: restore it from a copy", path)
	case version > fileVersion:
		return fmt.Errorf("%s was made by a later version of this package, in form %d: this one knows form %d, so use that version", path, version, fileVersion)
	case !bytes.Equal(form.Get(formSeal), t.seal()):
		return fmt.Errorf("%s was made with another sealing key, or with none: use the one that it was made with", path)
	}
	// Version 0.1.0 opens any file with such buckets. What it enqueues there, nobody else would find.
	if due := t.Bucket(dueBucket); due != nil {
		if first, _ := due.Cursor().First(); first != nil {
			return fmt.Errorf("version 0.1.0 has written to %s since this form was made: let it bring those entries to their end, and restore the file from a copy of before", path)
		}
	}
	return nil
}

func (t fileTx) seal() []byte { return t.records.sum("", formSeal) }

// foreign describes a file that is not an outbox.
func (t fileTx) foreign(path string) error {
	if t.isFirst() {
		return fmt.Errorf("%s was made by version 0.1.0: open it once with a program that sends, or with qredo outbox retry, and it gets this version's form", path)
	}
	name, _ := t.Cursor().First()
	if name == nil {
		return fmt.Errorf("%s is not an outbox yet: the program that created it did not finish", path)
	}
	return fmt.Errorf("%s is not an outbox: it has the bucket %q of another program", path, name)
}

func (t fileTx) create() error {
	for _, name := range [][]byte{formBucket, entriesBucket, begunBucket, statesBucket, changesBucket, transactionsBucket, partnersBucket, countsBucket} {
		if _, err := t.CreateBucket(name); err != nil {
			return err
		}
	}
	form := t.Bucket(formBucket)
	return errors.Join(form.Put(formVersion, []byte(strconv.Itoa(fileVersion))), form.Put(formSeal, t.seal()))
}

// load fills the queues with the waiting entries. An entry that the index has lost would silently never be sent, so that
// is an error.
func (t fileTx) load(q *queues) error {
	begun, states := t.Bucket(begunBucket), t.Bucket(statesBucket).Cursor()
	for c := range classes {
		if state := c.state(); state != StatePending && state != StateSent {
			continue
		}
		rows := 0
		for key, value := states.Seek([]byte{byte(c)}); key != nil && class(key[0]) == c; key, value = states.Next() {
			r, ok := readRow(key, value)
			if rows++; !ok {
				rows = -1
				break
			}
			lane := LaneNew
			switch {
			case c.state() == StateSent:
				lane = LaneFollow
			case r.attempted || begun.Get(key[1:]) != nil:
				lane = LaneRetry
			}
			q.fill(string(key[1:]), lane, r.due)
		}
		if rows != t.counted(c) {
			return fmt.Errorf("some waiting entries are missing from the index of %s: restore it from a copy: %w", t.DB().Path(), durable.ErrDamaged)
		}
	}
	q.order()
	return nil
}
