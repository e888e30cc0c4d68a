package signingagent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// OldStore is a [Store] in the file of Qredo's own signing agent, in its format: that program, once stopped, and this package
// can replace each other. Nothing in the file is encrypted. It is better to [Import] the identity into a [FileStore] and
// destroy the file.
type OldStore struct {
	path     string
	insecure bool
}

// OpenOldStore returns the store in a file; in the old program's configuration it is called ccstore.db by default. The file
// need not exist. One that others can read or write is refused, as by [NewFileStore]. Each Save writes it completely or not at
// all, and drops what failed registrations have left behind, with their seeds.
func OpenOldStore(path string, insecure ...approver.InsecureFilesOption) *OldStore {
	return &OldStore{path, len(insecure) > 0}
}

// agentIDKey is the key under which the map has the agent's ID, as bare text.
const agentIDKey = "AgentID"

// registrationKey is the key of this package's registration in progress. It has the form of the old program's own, which
// it leaves alone.
const registrationKey = "7f0c2a4e-5b1d-4c3e-9a68-3d1f0b7e5c21"

// oldRecord is the value under an agent's ID, and under a UUID during the registration.
type oldRecord struct {
	Name    string             `json:"name"`
	ID      qredo.CoreClientID `json:"id"`
	Seed    []byte             `json:"bls_seed"`
	Account qredo.CoreClientID `json:"account_code,omitzero"`
	ZKPID   []byte             `json:"zkpid,omitempty"`
	Token   []byte             `json:"zkptoken,omitempty"`
	Pending bool               `json:"pending"`

	// This package's own.
	IDDoc    []byte `json:"id_doc,omitempty"`
	Inferred bool   `json:"inferred,omitzero"`
}

// Load reads the registered agent or, if there is none, this package's registration in progress.
func (o *OldStore) Load(context.Context) (*Identity, error) {
	data, err := readPrivate(o.path, o.insecure)
	if err != nil {
		return nil, err
	}
	entries, err := entriesOf(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.path, err)
	}
	id, err := identityIn(entries)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.path, err)
	}
	return id, nil
}

func entriesOf(data []byte) (map[string][]byte, error) {
	entries := map[string][]byte{}
	if len(data) == 0 { // the file of a program that has stored nothing
		return entries, nil
	}
	if json.Unmarshal(data, &entries) != nil || entries == nil { // the error may contain parts of it
		return nil, fmt.Errorf("%w: it is not the file of an old signing agent: restore it from a copy", ErrDamaged)
	}
	return entries, nil
}

// identityIn finds the identity in the map.
func identityIn(entries map[string][]byte) (*Identity, error) {
	account, registered := entries[agentIDKey]
	key := string(account)
	if !registered {
		key = registrationKey
	}
	data, found := entries[key]
	switch {
	case !found && !registered:
		return nil, ErrNoIdentity
	case !found:
		return nil, fmt.Errorf("%w: it names an agent but has no record of it: restore the file from a copy", ErrDamaged)
	}
	var r oldRecord
	switch {
	case json.Unmarshal(data, &r) != nil:
		return nil, fmt.Errorf("%w: the agent's record is not JSON of that", ErrDamaged)
	case registered && (r.Pending || string(r.Account) != key || r.ID != r.Account):
		return nil, fmt.Errorf("%w: the agent's record belongs to another agent, or to an unfinished registration", ErrDamaged)
	}
	id := (&kept{
		Version: identityVersion, Name: r.Name, Seed: r.Seed, ID: r.Account, ZKPID: r.ZKPID, Token: r.Token, IDDoc: r.IDDoc, Finished: registered, Inferred: r.Inferred,
	}).identity()
	return id, id.check()
}

// Save writes the identity.
func (o *OldStore) Save(_ context.Context, id *Identity) error {
	if err := id.check(); err != nil {
		return err
	}
	return savePrivate(o.path, o.insecure, func(was []byte) ([]byte, error) {
		data, err := withIdentity(was, id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.path, err)
		}
		return data, nil
	})
}

// withIdentity puts an identity into the content of a file, or into an empty one.
func withIdentity(was []byte, id *Identity) ([]byte, error) {
	entries, err := entriesOf(was)
	if err != nil {
		return nil, err
	}
	stored, err := identityIn(entries)
	if err == nil {
		err = CheckReplace(stored, id)
	}
	if err != nil && !errors.Is(err, ErrNoIdentity) {
		return nil, err
	}
	k := id.kept()
	record, err := json.Marshal(oldRecord{
		Name: k.Name, ID: k.ID, Seed: k.Seed, Account: k.ID, ZKPID: k.ZKPID, Token: k.Token, Pending: !k.Finished, IDDoc: k.IDDoc, Inferred: k.Inferred,
	})
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(entries, func(key string, value []byte) bool { return key != agentIDKey && leftBehind(value) })
	if k.Finished {
		entries[string(k.ID)], entries[agentIDKey] = record, []byte(k.ID)
	} else {
		entries[registrationKey] = record
	}
	return json.Marshal(entries)
}

// leftBehind reports whether an entry belongs to an unfinished registration.
func leftBehind(value []byte) bool {
	var r oldRecord
	return json.Unmarshal(value, &r) == nil && r.Pending && len(r.Seed) > 0
}
