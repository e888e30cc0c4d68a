package outbox

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/qredo-go/qredo/internal/seal"
)

// Records converts entries to what stores keep, and back. Each comes with a checksum over the key and every byte: what was
// changed in the store, by a disk fault or by somebody, is not accepted as an entry, and never sent. The checksum protects
// against people only if it uses a key that they do not have.
type Records struct {
	keys   seal.Keys
	sealed bool // with a secret key
}

// NewRecords returns Records whose checksums use a secret key: all programs that share a store need the same one. Without a
// key, anyone who can write to the store can also compute checksums.
func NewRecords(key []byte) Records {
	return Records{seal.New("qredo outbox 2", key), len(key) > 0}
}

// Format prints the type's name, and no secret.
func (Records) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "outbox.Records(redacted)") }

// SumSize is the length of a checksum, in bytes.
const SumSize = seal.Size

// Encode returns an entry as JSON, and its checksum.
func (r Records) Encode(e Entry) (data, sum []byte, err error) {
	data, err = json.Marshal(e)
	return data, r.sum(e.Key, data), err
}

func (r Records) sum(key string, data []byte) []byte { return r.keys.Sum(key, data) }

// Decode returns the entry with the given key, or an error that says what is wrong with it. An entry's PartnerTxID must be the
// one derived from its key and payment, or one that came with the request.
func (r Records) Decode(key string, data, sum []byte) (Entry, error) {
	if r.keys.By(key, data, sum) < 0 {
		return Entry{}, fmt.Errorf("what is stored under %q was changed, or belongs to another sealing key", key)
	}
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Entry{}, fmt.Errorf("what is stored under %q is not an entry of this version: %w", key, err)
	}
	what, err := essence(e.Request)
	if err != nil {
		return Entry{}, err
	}
	if e.Key != key || e.Request.partner() != e.PartnerTxID || !e.Brought && e.PartnerTxID != derivePartnerTxID(key, what) {
		return Entry{}, fmt.Errorf("what is stored under %q is not the payment that was enqueued", key)
	}
	return e, nil
}

// Damaged returns a stand-in for an entry that Decode has refused. It is held, without a request, and its outcome is unknown,
// since nobody can tell what became of it.
func (r Records) Damaged(key string, problem error) Entry {
	return Entry{Key: key, State: StateHeld, Unknown: true, Reason: storable(problem.Error()), Version: 1, Created: time.Time{}}
}
