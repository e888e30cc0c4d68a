package outbox

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
)

// Files of version 0.1.0 do not say what they are. They have the buckets entries and due: key → due time, JSON; and time, key → nothing.
var dueBucket = []byte("due")

// isFirst reports whether a file was written by version 0.1.0.
func (t fileTx) isFirst() bool {
	return t.Bucket(formBucket) == nil && t.Bucket(entriesBucket) != nil && t.Bucket(dueBucket) != nil
}

// convert brings a file of version 0.1.0 into this version's form: all of its entries, or with an error none.
func (t fileTx) convert(path string) error {
	var entries []Entry
	err := t.Bucket(entriesBucket).ForEach(func(key, value []byte) error {
		const dueSize = 8
		if len(value) < dueSize {
			return fmt.Errorf("%s: what is stored under %q is damaged: restore the file from a copy", path, key)
		}
		e, err := t.records.DecodeFirst(string(key), value[dueSize:])
		if err != nil {
			return fmt.Errorf("%s was made by version 0.1.0, and is left as it is: %w", path, err)
		}
		entries = append(entries, e)
		return nil
	})
	for _, bucket := range [][]byte{entriesBucket, dueBucket} {
		if err == nil {
			err = t.DeleteBucket(bucket)
		}
	}
	if err == nil {
		err = t.create()
	}
	PartFirst(entries)
	for _, e := range entries {
		if err == nil {
			_, _, err = t.add(e)
		}
		if err != nil {
			return fmt.Errorf("%s was made by version 0.1.0, and is left as it is: %q cannot be taken over: %w", path, e.Key, err)
		}
	}
	return err
}

// firstPartnerTxID is what version 0.1.0 derived. It differs from what this version derives where there are letters beyond ASCII, and may differ
// between versions of Go where a letter is new to one.
func firstPartnerTxID(key, essence string) qredo.PartnerTxID {
	sum := sha256.Sum256(fmt.Appendf(nil, "qredo outbox 1 %q %q", key, essence))
	return qredo.PartnerTxID(base32.StdEncoding.EncodeToString(sum[:20]))
}

// DecodeFirst returns an entry that version 0.1.0 has stored, without a checksum: a store calls it when it brings what it has from that version
// into its own form. With a sealing key it is an error, since anyone could have written the entry. The PartnerTxID stays as it is,
// also if this version would derive another one.
func (r Records) DecodeFirst(key string, data []byte) (Entry, error) {
	if r.sealed {
		return Entry{}, errors.New("version 0.1.0 sealed nothing: use no sealing key")
	}
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Entry{}, fmt.Errorf("what is stored under %q is no entry of version 0.1.0: %w", key, err)
	}
	what, err := essence(e.Request)
	if err != nil {
		return Entry{}, err
	}
	if _, ok := classOf(e.State, e.Unknown); !ok || e.Key != key || e.PartnerTxID == "" || e.Request.partner() != e.PartnerTxID {
		return Entry{}, fmt.Errorf("what is stored under %q is no entry of version 0.1.0", key)
	}
	e.Brought = e.PartnerTxID != derivePartnerTxID(key, what) // see firstPartnerTxID
	return e, nil
}

// PartFirst leaves each transaction to the first of the entries that version 0.1.0 has stored with it: that version let several have
// one, after a mixed-up answer or a person's mistake. The others are held, since theirs may have been made or not; those that have ended stay so.
// A store calls it with all that DecodeFirst has returned.
func PartFirst(entries []Entry) {
	keys := map[qredo.TxID]string{}
	for i := range entries {
		e := &entries[i]
		first, shared := keys[e.TxID]
		if e.TxID == "" || !shared {
			keys[e.TxID] = e.Key
			continue
		}
		note := fmt.Sprintf("version 0.1.0 has stored transaction %s, which is that of %q too: find out which of them it was made for", e.TxID, first)
		e.TxID, e.TxStatus, e.Sent, e.Version = "", "", time.Time{}, e.Version+1
		if e.State.Ended() {
			e.step(e.Updated, StepUnknown, note)
			continue
		}
		e.State, e.Unknown = StateHeld, true
		e.step(e.Updated, StepHeld, note)
		e.Reason = e.Steps[len(e.Steps)-1].Note
	}
}
