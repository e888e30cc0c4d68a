package outbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// State is the state of an entry.
type State string

// The states of an entry. The last four are final.
const (
	StatePending  State = "pending"  // stored; no answer has named a transaction yet
	StateSent     State = "sent"     // there is a transaction, which is being followed
	StateHeld     State = "held"     // waiting for a person, who resolves or retries it; Reason says why
	StateDone     State = "done"     // the transaction was approved
	StateFailed   State = "failed"   // there is no transaction; Reason says why it was refused
	StateRejected State = "rejected" // the transaction was rejected: nothing moved
	StateExpired  State = "expired"  // not approved in time, or not sent in time: nothing moved
)

// Ended reports whether the entry's state is final.
func (s State) Ended() bool { return s != StatePending && s != StateSent && s != StateHeld }

// Entry is a payment in an outbox. Stores keep it as its JSON.
type Entry struct {
	Key         string            `json:"key"`
	Request     Request           `json:"request"`       // as it is sent, with its PartnerTxID
	PartnerTxID qredo.PartnerTxID `json:"partner_tx_id"` // fixed when the entry was made
	State       State             `json:"state"`
	// Brought is true if the PartnerTxID came with the request.
	Brought bool `json:"brought,omitzero"`
	// Unknown is true if an attempt may have made the transaction of a pending or held entry, but no answer has said so. It
	// becomes false again once one has.
	Unknown  bool           `json:"unknown"`
	TxID     qredo.TxID     `json:"tx_id,omitzero"`
	TxStatus qredo.TxStatus `json:"tx_status,omitzero"` // when the transaction was last looked at
	// Named is true if a person has given the TxID: what it moves is no longer compared with the request.
	Named    bool      `json:"named,omitzero"`
	Reason   string    `json:"reason,omitzero"` // why it ended without being completed, or is held
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
	Sent     time.Time `json:"sent,omitzero"`    // when an answer first named the transaction
	Due      time.Time `json:"due"`              // when a worker will next work on it
	Attempts int       `json:"attempts"`         // how often a worker started to send it
	Misses   int       `json:"misses"`           // failed calls since the last successful one
	APIKey   string    `json:"api_key,omitzero"` // a digest of the API key that sent it: see qredo.Client.APIKeyDigest
	Late     bool      `json:"late,omitzero"`    // found to have expired before it was sent, by a clock that may be wrong
	// Carrier is what WithContextCarrier has kept from your context.
	Carrier map[string]string `json:"carrier,omitzero"`
	// Sending is stored before each attempt, and cleared when its result is stored. A worker that finds it set knows that
	// another one did not live to see the result of an attempt.
	Sending bool   `json:"sending,omitzero"`
	Version int    `json:"version"` // grows with each change
	Steps   []Step `json:"steps"`   // what happened, oldest first
}

// Step is something that happened to an entry. If the same thing happens several times in a row, that is one step.
type Step struct {
	At    time.Time `json:"at"` // when it first happened
	Kind  StepKind  `json:"kind"`
	Note  string    `json:"note,omitzero"`
	Times int       `json:"times"`
	Last  time.Time `json:"last,omitzero"` // when it last happened, if more than once
}

// StepKind says what happened.
type StepKind string

// The kinds of steps. When an entry ends, the step has the name of its final state.
const (
	StepEnqueued StepKind = "enqueued" // the entry was stored
	StepDelayed  StepKind = "delayed"  // a call failed and is made again
	StepUnknown  StepKind = "unknown"  // an attempt may have made the transaction, or one that may have is unaccounted for
	StepSent     StepKind = "sent"     // an answer named the transaction
	StepStatus   StepKind = "status"   // the transaction's status has changed
	StepHeld     StepKind = "held"     // the entry was stopped for a person
	StepRetried  StepKind = "retried"  // a person has had it tried again
	StepResolved StepKind = "resolved" // a person has settled an unknown outcome
)

// keptSteps limits an entry's size. Beyond it, the oldest steps except the first are dropped.
const keptSteps = 100

// keptNote is the maximum length of a note, in bytes.
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

// storable removes NUL from text that came from elsewhere, because PostgreSQL's JSON cannot hold it: a NUL in an answer
// must not keep the transaction that it names from being stored.
func storable(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// late reports whether the request has expired: in whole seconds, as the service counts.
func (e *Entry) late(now time.Time) bool { return e.Request.expires().Unix() <= now.Unix() }

type plainEntry Entry // without the methods

// MarshalJSON writes the entry, with its request as an object whose only key is the kind.
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
