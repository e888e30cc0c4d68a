package outbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// State tells how far an entry is.
type State string

// The states of an entry. The last four are its end.
const (
	StatePending  State = "pending"  // stored; no answer has named a transaction yet
	StateSent     State = "sent"     // there is a transaction; it is followed
	StateHeld     State = "held"     // stopped for a person, who resolves it or has it tried again: Reason says why
	StateDone     State = "done"     // the transaction was approved
	StateFailed   State = "failed"   // there is no transaction: Reason says why it was refused
	StateRejected State = "rejected" // the transaction was rejected: nothing moved
	StateExpired  State = "expired"  // not approved in time, or not sent in time: nothing moved
)

// Ended reports whether nothing will happen to the entry any more.
func (s State) Ended() bool { return s != StatePending && s != StateSent && s != StateHeld }

// Entry is a payment in an outbox. Its JSON is how stores keep it.
type Entry struct {
	Key         string            `json:"key"`
	Request     Request           `json:"request"`       // with its PartnerTxID, as it is sent
	PartnerTxID qredo.PartnerTxID `json:"partner_tx_id"` // fixed when the entry was made
	State       State             `json:"state"`
	// Brought tells of a PartnerTxID that came with the request.
	Brought bool `json:"brought,omitzero"`
	// Unknown tells of a pending or held entry that an attempt may have made its transaction, though no answer has
	// said so. It is false again once one has.
	Unknown  bool           `json:"unknown"`
	TxID     qredo.TxID     `json:"tx_id,omitzero"`
	TxStatus qredo.TxStatus `json:"tx_status,omitzero"` // when the transaction was last looked at
	// Named tells of a TxID that a person has given: what it moves is not compared with the request any more.
	Named    bool      `json:"named,omitzero"`
	Reason   string    `json:"reason,omitzero"` // why it ended without being done, or is held
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
	Sent     time.Time `json:"sent,omitzero"`    // when an answer first named the transaction
	Due      time.Time `json:"due"`              // when a worker turns to it next
	Attempts int       `json:"attempts"`         // how often a worker began to send it
	Misses   int       `json:"misses"`           // calls that brought nothing since the last that did
	APIKey   string    `json:"api_key,omitzero"` // a digest of the key that it was sent with: see qredo.Client.APIKeyDigest
	Late     bool      `json:"late,omitzero"`    // found to have expired unsent, by a clock that may be wrong
	// Carrier is what WithContextCarrier has kept of the caller's context.
	Carrier map[string]string `json:"carrier,omitzero"`
	// Sending is stored before each attempt and taken back with its result. A worker that finds it knows
	// that another one did not live to see what came of an attempt.
	Sending bool   `json:"sending,omitzero"`
	Version int    `json:"version"` // grows with each change
	Steps   []Step `json:"steps"`   // what happened, oldest first
}

// Step is something that happened to an entry. The same thing several times in a row is one step.
type Step struct {
	At    time.Time `json:"at"` // when it happened first
	Kind  StepKind  `json:"kind"`
	Note  string    `json:"note,omitzero"`
	Times int       `json:"times"`
	Last  time.Time `json:"last,omitzero"` // when it happened last, if it happened more than once
}

// StepKind tells what happened.
type StepKind string

// What can happen to an entry. Its end has a step of the state's name.
const (
	StepEnqueued StepKind = "enqueued" // the entry was stored
	StepDelayed  StepKind = "delayed"  // a call brought nothing and is made again
	StepUnknown  StepKind = "unknown"  // an attempt may have made the transaction, or nothing tells of one that may
	StepSent     StepKind = "sent"     // an answer named the transaction
	StepStatus   StepKind = "status"   // the transaction has another status than before
	StepHeld     StepKind = "held"     // it was stopped for a person
	StepRetried  StepKind = "retried"  // a person has it tried again
	StepResolved StepKind = "resolved" // a person has said how an unknown outcome was
)

// keptSteps bounds an entry's size. Beyond it, the oldest steps but the first go.
const keptSteps = 100

// keptNote bounds a note, in bytes.
const keptNote = 500

func (e *Entry) step(now time.Time, kind StepKind, note string) {
	e.Updated = now
	note = storable(note)
	note = strings.ToValidUTF8(note[:min(len(note), keptNote)], "")
	if n := len(e.Steps); n > 0 && e.Steps[n-1].Kind == kind && e.Steps[n-1].Note == note {
		e.Steps[n-1].Times++
		e.Steps[n-1].Last = now
		return
	}
	e.Steps = append(e.Steps, Step{At: now, Kind: kind, Note: note, Times: 1})
	if len(e.Steps) > keptSteps {
		e.Steps = append(e.Steps[:1:1], e.Steps[2:]...)
	}
}

// storable is a text of others without NUL, which PostgreSQL's JSON cannot hold: an answer with one in it must
// not keep the transaction that it names from being stored.
func storable(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// late reports whether the request has expired: by whole seconds, as the service sees it.
func (e *Entry) late(now time.Time) bool { return e.Request.expires().Unix() <= now.Unix() }

type plainEntry Entry // without the methods

// MarshalJSON writes the entry, and its request as an object whose one key is the kind.
func (e Entry) MarshalJSON() ([]byte, error) {
	request := map[string]Request{}
	if e.Request != nil {
		request[e.Request.kind()] = e.Request
	}
	return json.Marshal(struct {
		plainEntry
		Request map[string]Request `json:"request"`
	}{plainEntry(e), request})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var shape struct {
		plainEntry
		Request struct {
			Transfer   *Transfer   `json:"transfer"`
			Withdrawal *Withdrawal `json:"withdrawal"`
			Sweep      *Sweep      `json:"sweep"`
		} `json:"request"`
	}
	if err := json.Unmarshal(data, &shape); err != nil {
		return err
	}
	*e = Entry(shape.plainEntry)
	switch r := shape.Request; {
	case r.Transfer != nil:
		e.Request = *r.Transfer
	case r.Withdrawal != nil:
		e.Request = *r.Withdrawal
	case r.Sweep != nil:
		e.Request = *r.Sweep
	default:
		return fmt.Errorf("outbox: the entry %q has no request of a known kind", e.Key)
	}
	return nil
}
