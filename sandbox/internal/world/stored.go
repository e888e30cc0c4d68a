package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// The form in which events are stored: a record holds those of a commit, in JSON. The names of the types, of their fields, and of
// what these hold are part of it, so that a store of before can be read.

// changes are the types of events that a journal can hold.
var changes = changesByName(
	addressWhitelisted{}, agentFinished{}, chainRefusing{}, clockAdvanced{}, companyCreated{}, companyUpdated{}, coreClientCreated{},
	exchangeListed{}, fundCreated{}, masterDrawn{}, partyAccepted{}, partyAdded{}, partyRemoved{}, swapListed{}, swapOffered{},
	swapSettled{}, transactionCreated{}, transactionEnded{}, transferAuthorized{}, userCreated{}, voted{}, walletsAdded{}, web3Signed{},
)

func changesByName(examples ...change) map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, example := range examples {
		t := reflect.TypeOf(example)
		types[t.Name()] = t
	}
	return types
}

// storedEvent is an event with the name of the change's type. In the form of before, each was stored by itself, with its time.
type storedEvent struct {
	At     time.Time       `json:"At,omitzero"`
	Type   string          `json:"Type"`
	Change json.RawMessage `json:"Change"`
}

// storedCommit is what is stored at once: all events of a command.
type storedCommit struct {
	Number uint64        `json:"commit"` // how many there were before
	At     moment        `json:"time"`
	Events []storedEvent `json:"events"`
}

// encodeCommit makes the record of the changes that come next.
func (st *state) encodeCommit(at time.Time, changes []change) ([]byte, error) {
	c := storedCommit{Number: st.commits, At: moment{at}, Events: make([]storedEvent, len(changes))}
	for i, change := range changes {
		var err error
		if c.Events[i], err = encodeEvent(change); err != nil {
			return nil, err
		}
	}
	return json.Marshal(c)
}

// decodeCommit reads a record, which must be that of the changes that come next.
func (st *state) decodeCommit(record []byte) (at time.Time, changes []change, err error) {
	var c storedCommit
	if err := json.Unmarshal(record, &c); err != nil {
		return at, nil, err
	}
	if c.Events == nil { // the form of before
		c.Events, c.Number = make([]storedEvent, 1), st.commits
		if err := json.Unmarshal(record, &c.Events[0]); err != nil {
			return at, nil, err
		}
		c.At = moment{c.Events[0].At.UTC()}
	}
	if c.Number != st.commits {
		return at, nil, fmt.Errorf("commit %d stands where %d is to: a part is missing", c.Number, st.commits)
	}
	for _, stored := range c.Events {
		change, err := decodeEvent(stored)
		if err != nil {
			return at, nil, err
		}
		changes = append(changes, change)
	}
	return c.At.Time, changes, nil
}

func encodeEvent(c change) (storedEvent, error) {
	name := reflect.TypeOf(c).Name()
	if changes[name] == nil {
		return storedEvent{}, fmt.Errorf("%s is not registered as a change", name)
	}
	data, err := json.Marshal(c)
	return storedEvent{Type: name, Change: data}, err
}

func decodeEvent(stored storedEvent) (change, error) {
	t := changes[stored.Type]
	if t == nil {
		return nil, fmt.Errorf("the store has a %q, which this version does not know", stored.Type)
	}
	value := reflect.New(t)
	known := json.NewDecoder(bytes.NewReader(stored.Change))
	known.DisallowUnknownFields() // what another version has written must not be lost without a word
	if err := known.Decode(value.Interface()); err != nil {
		return nil, fmt.Errorf("a %q that this version does not understand: %w", stored.Type, err)
	}
	return value.Elem().Interface().(change), nil
}
