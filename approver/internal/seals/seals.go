// Package seals keeps what is written into an approver's store by somebody else from being taken for the approver's own.
//
// A seal is a sum with a secret key over the store's epoch, what is sealed (a decision, an entry of a counter), its name there (the
// action's ID, the counter) and all of its data. So nothing can be altered, or moved to another action, counter or store.
package seals

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/qredo-go/qredo/internal/seal"
)

// Err is what errors about a missing or wrong seal wrap.
var Err = errors.New("it has no seal of the store's sealing key: somebody without the key has written or changed it, or a program has another key")

// Size is the length of a seal, in bytes.
const Size = seal.Size

// Kind is what is sealed.
type Kind string

// The kinds.
const (
	Store    Kind = "store"
	Decision Kind = "decision"
	Spent    Kind = "spent"
)

// Seals makes and checks the seals of one store. Without a key there are none, and nothing is checked.
type Seals struct {
	keys  seal.Keys
	count int
	epoch string
}

// New returns the seals of keys, of which the first makes seals and all check them. The error says which key is too short.
func New(key []byte, older ...[]byte) (Seals, error) {
	all := append([][]byte{key}, older...)
	for i, key := range all {
		if len(key) < seal.LeastKey {
			return Seals{}, fmt.Errorf("must have %d bytes or more each, number %d has %d", seal.LeastKey, i+1, len(key))
		}
	}
	return Seals{keys: seal.New("qredo approver 1", all...), count: len(all)}, nil
}

// On reports whether there is a key.
func (s Seals) On() bool { return s.count > 0 }

// Rotates reports whether there are older keys.
func (s Seals) Rotates() bool { return s.count > 1 }

// Of returns the seals of the store with an epoch.
func (s Seals) Of(epoch string) Seals {
	s.epoch = epoch
	return s
}

func (s Seals) name(kind Kind, id string) string { return s.epoch + " " + string(kind) + " " + id }

// Sum returns the seal of data; nil if there is no key.
func (s Seals) Sum(kind Kind, id string, data []byte) []byte {
	if !s.On() {
		return nil
	}
	return s.keys.Sum(s.name(kind, id), data)
}

// Check returns an error that wraps [Err] if a seal is not that of data.
func (s Seals) Check(kind Kind, id string, data, sum []byte) error {
	if s.On() && s.keys.By(s.name(kind, id), data, sum) < 0 {
		return Err
	}
	return nil
}

// Current reports whether a seal is that of data by the first key.
func (s Seals) Current(kind Kind, id string, data, sum []byte) bool {
	return !s.On() || s.keys.By(s.name(kind, id), data, sum) == 0
}

// Join returns data with its seal behind it.
func (s Seals) Join(kind Kind, id string, data []byte) []byte {
	return append(append(make([]byte, 0, len(data)+Size), data...), s.Sum(kind, id, data)...)
}

// Split returns the data of what Join has returned.
func (s Seals) Split(kind Kind, id string, value []byte) ([]byte, error) {
	if !s.On() {
		return value, nil
	}
	data, sum := cut(value)
	return data, s.Check(kind, id, data, sum)
}

func cut(value []byte) (data, sum []byte) {
	at := max(len(value)-Size, 0)
	return value[:at], value[at:]
}

// Again returns what Join returns by the first key, for a value that another key has sealed or, if that was accepted, none. It returns nil if
// nothing is to be done. Accept only a value that is whole without a seal, so that what an unknown key has sealed is not sealed on top of that.
func (s Seals) Again(kind Kind, id string, value []byte, accepted bool) ([]byte, error) {
	data, sum := cut(value)
	switch {
	case s.Current(kind, id, data, sum):
		return nil, nil
	case s.Check(kind, id, data, sum) == nil:
		return s.Join(kind, id, data), nil
	case accepted:
		return s.Join(kind, id, value), nil
	}
	return nil, Err
}

// ID is the name of something that goes by bytes.
func ID(bytes []byte) string { return hex.EncodeToString(bytes) }

// Mark returns what a sealed store has beside its epoch; nil without a key.
func (s Seals) Mark() []byte { return s.Sum(Store, "", nil) }

// Open compares the mark of a store that is opened with the keys. With accepted, a store without a mark is about to be sealed, unless there are older
// keys: who gives these says that it is sealed. again reports whether all that the store keeps is to be sealed again, and the mark written.
func (s Seals) Open(mark []byte, accepted bool) (again bool, err error) {
	switch {
	case len(mark) == 0 && !s.On():
		return false, nil
	case !s.On():
		return false, errors.New("the store is sealed: give the key that it was sealed with (WithSealingKey, --sealing-key-file)")
	case len(mark) == 0 && accepted && s.Rotates():
		return false, fmt.Errorf("the store has no seals, though the key of before is given. If it had some, somebody has removed what shows that: find out who could "+
			"write to it, and begin a new one. Else give one key only: %w", Err)
	case len(mark) == 0 && accepted:
		return true, nil
	case len(mark) == 0:
		return false, fmt.Errorf("the store has no seals yet. If nobody can have written to it, stop all approvers and seal what it has: qredo agent seal, "+
			"or the option WithUnsealedAccepted. Else begin a new one: %w", Err)
	case s.Check(Store, "", nil, mark) != nil:
		return false, fmt.Errorf("the store was sealed with another key, or its epoch was changed: %w", Err)
	}
	return s.Rotates(), nil
}
