package approver

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/approver/internal/seals"
)

// Sealed reports whether the store has a sealing key, so that it returns only decisions that a program with the key has stored.
func (s *FileStore) Sealed() bool { return s.seals.On() }

// sealAll seals everything again that the first key has not sealed. With accepted, also what has no seal.
func (s *FileStore) sealAll(tx *bbolt.Tx, accepted bool) error {
	isSpent := func(value []byte) bool { return len(value) == spentSize }
	all := func(key, value []byte) (id, sealed, before []byte) { return key, value, nil }
	for _, of := range []struct {
		bucket []byte
		kind   seals.Kind
		name   func(id []byte) string
		whole  func(value []byte) bool // without a seal
		split  func(key, value []byte) (id, sealed, before []byte)
	}{
		{decisionsBucket, seals.Decision, func(id []byte) string { return string(id) }, json.Valid, all},
		{sumsBucket, seals.Spent, seals.ID, isSpent, all},
		{lastsBucket, seals.Spent, seals.ID, isSpent, func(_, value []byte) (id, sealed, before []byte) { // an entry of sums with its key
			at := min(spentSize, len(value))
			return value[:at], value[at:], value[:at]
		}},
	} {
		type change struct{ key, value []byte }
		var changes []change // a bucket is not changed while it is read
		bucket := tx.Bucket(of.bucket)
		err := bucket.ForEach(func(key, value []byte) error {
			id, sealed, before := of.split(key, value)
			again, err := s.seals.Again(of.kind, of.name(id), sealed, accepted && of.whole(sealed))
			if err != nil {
				return fmt.Errorf("%s %x: %w", of.kind, id, err)
			}
			if again != nil {
				changes = append(changes, change{bytes.Clone(key), append(bytes.Clone(before), again...)})
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, c := range changes {
			if err := bucket.Put(c.key, c.value); err != nil {
				return err
			}
		}
	}
	return nil
}
