package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/store"
)

// WithStore keeps the sandbox's state in a folder, so that a later one goes on from it: each request that
// changes something is on the disk before it is answered. The provisioned key is kept there too, as by
// [WithKeyDir], unless that names another folder. One sandbox at a time can have the folder. Nonces are
// not kept: they are refused a second time as long as the sandbox runs. Without it the state is in memory
// and ends with the sandbox.
func WithStore(dir string) Option {
	return func(s *Sandbox) error { s.storeDir = dir; return nil }
}

// openStore opens the journal, where there is one, and brings the state to where it ended.
func (s *Sandbox) openStore() error {
	events := uint64(0)
	if s.storeDir != "" {
		stored, err := store.Open(s.storeDir)
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		err = stored.Replay(func(record []byte) error {
			e, err := decodeEvent(record)
			if err != nil {
				return err
			}
			e.Change.apply(s.state, e.At)
			events++
			return nil
		})
		if err != nil {
			_ = stored.Close()
			return fmt.Errorf("sandbox: %w", err)
		}
		s.journal = stored
	}
	// The same seed must not make the same identifiers once more.
	const spread = 0x9e3779b97f4a7c15
	s.ids = newIDSource(s.seed + events*spread)
	return nil
}

// store puts events on the disk, all or none, where there is a journal.
func (s *Sandbox) store(events []event) error {
	if s.journal == nil {
		return nil
	}
	records := make([][]byte, len(events))
	for i, e := range events {
		var err error
		if records[i], err = encodeEvent(e); err != nil {
			return err
		}
	}
	return s.journal.Append(records...)
}

// changes are the types of events that a journal can hold.
var changes = changesByName(
	addressWhitelisted{}, agentFinished{}, chainRefusing{}, clockAdvanced{}, companyCreated{}, companyUpdated{}, coreClientCreated{},
	exchangeListed{}, fundCreated{}, partyAccepted{}, partyAdded{}, partyRemoved{}, swapListed{}, swapOffered{},
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
