package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
)

// The form in which events are stored: a record holds one, in JSON. The names of the types, of their fields, and of
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

// storedEvent is an event as the journal has it: with the name of the change's type.
type storedEvent struct {
	At     time.Time       `json:"At"`
	Type   string          `json:"Type"`
	Change json.RawMessage `json:"Change"`
}

func encodeEvent(e event) ([]byte, error) {
	name := reflect.TypeOf(e.Change).Name()
	if changes[name] == nil {
		return nil, fmt.Errorf("%s is not registered as a change", name)
	}
	change, err := json.Marshal(e.Change)
	if err != nil {
		return nil, err
	}
	return json.Marshal(storedEvent{At: e.At, Type: name, Change: change})
}

func decodeEvent(data []byte) (event, error) {
	var stored storedEvent
	if err := json.Unmarshal(data, &stored); err != nil {
		return event{}, err
	}
	t := changes[stored.Type]
	if t == nil {
		return event{}, fmt.Errorf("the store has a %q, which this version does not know", stored.Type)
	}
	value := reflect.New(t)
	known := json.NewDecoder(bytes.NewReader(stored.Change))
	known.DisallowUnknownFields() // what another version has written must not be lost without a word
	if err := known.Decode(value.Interface()); err != nil {
		return event{}, fmt.Errorf("a %q that this version does not understand: %w", stored.Type, err)
	}
	return event{At: stored.At, Change: value.Elem().Interface().(change)}, nil
}
