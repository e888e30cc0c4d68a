package outbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Records turns entries into what stores keep, and back. With each goes a sum over the key and every byte: what was
// changed in the store, by a fault of the disk or by somebody, is not taken for an entry, and never sent. The sum keeps out
// people only where it has a key that they do not have.
type Records struct {
	key func() []byte // a function, because no printer looks into one
}

// NewRecords returns Records whose sums are made with a secret key: all programs that share a store need the same. Without a
// key, whoever can write to the store can make sums too.
func NewRecords(key []byte) Records {
	own := append([]byte("qredo outbox 2"), key...)
	return Records{func() []byte { return own }}
}

// Format prints the type's name and no secret.
func (Records) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "outbox.Records(redacted)") }

// SumSize is the length of a sum, in bytes.
const SumSize = 16

// Encode returns an entry as JSON, and the sum that belongs to it.
func (r Records) Encode(e Entry) (data, sum []byte, err error) {
	data, err = json.Marshal(e)
	return data, r.sum(e.Key, data), err
}

func (r Records) sum(key string, data []byte) []byte {
	var secret []byte
	if r.key != nil {
		secret = r.key()
	}
	mac := hmac.New(sha256.New, secret)
	_, _ = fmt.Fprintf(mac, "%d %s", len(key), key)
	_, _ = mac.Write(data)
	return mac.Sum(nil)[:SumSize]
}

// Decode returns the entry of a key, or an error that says what is wrong with it. An entry's PartnerTxID must be the one that
// follows from its key and its payment, or one that the caller has brought.
func (r Records) Decode(key string, data, sum []byte) (Entry, error) {
	if !hmac.Equal(sum, r.sum(key, data)) {
		return Entry{}, fmt.Errorf("what is stored under %q was changed, or belongs to another sealing key", key)
	}
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return Entry{}, fmt.Errorf("what is stored under %q is no entry of this version: %w", key, err)
	}
	what, err := essence(e.Request)
	if err != nil {
		return Entry{}, err
	}
	if e.Key != key || e.Request.partner() != e.PartnerTxID || !e.Brought && e.PartnerTxID != derivePartnerTxID(key, what) {
		return Entry{}, fmt.Errorf("what is stored under %q is another payment than was enqueued", key)
	}
	return e, nil
}

// Damaged stands for an entry that Decode has refused. It is held, without a request, and unknown, since nobody can tell
// what became of it.
func (r Records) Damaged(key string, problem error) Entry {
	return Entry{Key: key, State: StateHeld, Unknown: true, Reason: storable(problem.Error()), Version: 1, Created: time.Time{}}
}
