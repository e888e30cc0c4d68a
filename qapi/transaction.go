package qapi

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// Transaction is an EVM transaction, from its request until it is on the chain.
type Transaction struct {
	ID         qredo.TxID     `json:"txID" required:"true"`
	Status     Status         `json:"status"`
	From       string         `json:"from"`     // the Web3 wallet's address
	To         string         `json:"to"`       // an address or a contract
	Value      BigInt         `json:"value"`    // wei, never negative: see TransactionRequest
	GasLimit   BigInt         `json:"gasLimit"` // units of gas
	GasPrice   BigInt         `json:"gasPrice"` // wei per unit of gas; not given if the two EIP-1559 fees are
	Nonce      BigInt         `json:"nonce"`    // not given until the service has chosen it
	Data       string         `json:"data"`     // 0x and hexadecimal
	ChainID    BigInt         `json:"chainID"`
	Network    string         `json:"network"`  // usually empty
	RawTx      string         `json:"rawTX"`    // the transaction with an empty signature, in hexadecimal or base64, as received
	SignedTx   string         `json:"signedTx"` // "0x" or empty until signed: see SignedBytes; the feed may omit it
	TxHash     string         `json:"txHash"`   // of the signed transaction
	AccountID  string         `json:"accountID"`
	CreatedBy  string         `json:"createdBy"` // an API key's ID, or a user's
	Timestamps Timestamps     `json:"timestamps"`
	Events     []StatusUpdate `json:"events"`
}

// ErrNotSigned is returned by [Transaction.SignedBytes] for a transaction that is not signed yet.
var ErrNotSigned = errors.New("qapi: the transaction is not signed")

// Signed reports whether the transaction carries its signed form.
func (t *Transaction) Signed() bool {
	text := strings.TrimSpace(t.SignedTx)
	return text != "" && !strings.EqualFold(text, "0x")
}

// SignedBytes returns the signed transaction in the form that a chain accepts, for example with eth_sendRawTransaction: RLP,
// preceded by the type's byte if the type is not 0. If the service has wrapped it in an RLP string, as it did with rawTX, it is
// unwrapped, because no chain accepts that. It returns [ErrNotSigned] until enough approvers have approved.
func (t *Transaction) SignedBytes() ([]byte, error) {
	if !t.Signed() {
		return nil, ErrNotSigned
	}
	text := strings.TrimSpace(t.SignedTx)
	if len(text) > 2 && strings.EqualFold(text[:2], "0x") {
		text = text[2:]
	}
	if raw, err := hex.DecodeString(text); err == nil {
		return unwrap(raw), nil
	}
	// The service's other format; hexadecimal is base64 too, but not the other way round.
	standard := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	raw, err := base64.RawStdEncoding.DecodeString(standard)
	if err != nil {
		return nil, errors.New("qapi: signedTx is neither hexadecimal nor base64")
	}
	return unwrap(raw), nil
}

// unwrap removes the header of an RLP string that contains a typed transaction. Any other bytes are returned unchanged: a
// transaction of type 0 is an RLP list, whose first byte no string starts with.
func unwrap(raw []byte) []byte {
	const short, long, list = 0x80, 0xb7, 0xc0 // first bytes: of strings up to 55 bytes, of longer ones, of lists
	if len(raw) < 2 || raw[0] <= short || raw[0] >= list {
		return raw
	}
	content, size := raw[1:], int(raw[0])-short
	if raw[0] > long {
		digits := int(raw[0]) - long
		if digits > min(3, len(content)) { // no transaction needs more than three length bytes
			return raw
		}
		size = 0
		for _, b := range content[:digits] {
			size = size<<8 | int(b)
		}
		content = content[digits:]
	}
	if len(content) != size || size == 0 || content[0] >= short {
		return raw
	}
	return content
}

// Status is the state of a Web3 transaction. The service has more states than it documents, so other values are possible. Known
// ones are in lower case, however they were received.
type Status string

// The states of a Web3 transaction.
const (
	StatusPending    Status = "pending"
	StatusCreated    Status = "created"
	StatusAuthorized Status = "authorized"
	StatusApproved   Status = "approved"
	StatusExpired    Status = "expired"
	StatusCancelled  Status = "cancelled"
	StatusRejected   Status = "rejected"
	StatusQueued     Status = "queued"
	StatusSigned     Status = "signed"
	StatusScheduled  Status = "scheduled"
	StatusPushed     Status = "pushed"
	StatusConfirmed  Status = "confirmed"
	StatusMined      Status = "mined"
	StatusFailed     Status = "failed"
)

var statuses = []Status{
	StatusPending, StatusCreated, StatusAuthorized, StatusApproved, StatusExpired, StatusCancelled, StatusRejected,
	StatusQueued, StatusSigned, StatusScheduled, StatusPushed, StatusConfirmed, StatusMined, StatusFailed,
}

// known normalises the spelling of a status, if it is one of the above.
func (s Status) known() Status {
	if lower := Status(strings.ToLower(string(s))); slices.Contains(statuses, lower) {
		return lower
	}
	return s
}

// UnmarshalJSON reads a status without regard to case.
func (s *Status) UnmarshalJSON(data []byte) error {
	var text string
	if err := wire.Unmarshal(data, &text); err != nil {
		return err
	}
	*s = Status(strings.TrimSpace(text)).known()
	return nil
}

// Failed reports whether the transaction has ended without being completed.
func (s Status) Failed() bool {
	return slices.Contains([]Status{StatusExpired, StatusCancelled, StatusRejected, StatusFailed}, s.known())
}

// Ended reports whether the status will not change any more: the transaction has failed, or is on its chain.
func (s Status) Ended() bool {
	known := s.known()
	return known == StatusMined || known == StatusConfirmed || s.Failed()
}

// Timestamps are the times at which a transaction reached its states.
type Timestamps map[Status]qredo.Time

// UnmarshalJSON reads an object whose keys are states. A time of 0 means that a state has not been reached.
func (t *Timestamps) UnmarshalJSON(data []byte) error {
	var raw map[Status]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return &wire.FieldError{Problem: "is not an object"}
	}
	read := Timestamps{}
	for status, text := range raw {
		var at qredo.Time
		if err := at.UnmarshalJSON(text); err != nil {
			return &wire.FieldError{Field: string(status), Problem: err.Error()}
		}
		if !at.IsZero() {
			read[status.known()] = at
		}
	}
	*t = read
	return nil
}

// StatusUpdate is a change of a transaction's status.
type StatusUpdate struct {
	ID      string     `json:"id"` // the event's; empty if a status is reported without an event
	Status  Status     `json:"status"`
	Message string     `json:"message"`   // for people; may be empty
	Time    qredo.Time `json:"timestamp"` // when it reached the status; zero if the service does not say
}

// Approval is one approver's answer so far.
type Approval struct {
	TxID        qredo.TxID        `json:"txID"`
	ActionID    qredo.ActionID    `json:"actionID"`
	UserID      string            `json:"userID"`
	FirstName   string            `json:"firstName"`
	LastName    string            `json:"lastName"`
	Email       string            `json:"email"`
	Username    string            `json:"username"`
	AccountCode string            `json:"accountCode"`
	External    bool              `json:"external"` // undocumented
	Status      ApprovalStatus    `json:"status"`
	Signature   string            `json:"signature"`           // base64
	Signatures  map[string]string `json:"signatures,omitzero"` // legacy; undocumented
}

// ApprovalStatus is an approver's answer. On the wire it is a number or text; known numbers become text, and unknown ones their
// digits. The service may return other values.
type ApprovalStatus string

// The states of an approval.
const (
	ApprovalPending  ApprovalStatus = "pending"  // 1
	ApprovalExpired  ApprovalStatus = "expired"  // 2
	ApprovalApproved ApprovalStatus = "approved" // 3
	ApprovalRejected ApprovalStatus = "rejected" // 4
	ApprovalUnknown  ApprovalStatus = "unknown"  // no number
)

// approvalStatuses are the states that have numbers, indexed by them.
var approvalStatuses = []ApprovalStatus{1: ApprovalPending, 2: ApprovalExpired, 3: ApprovalApproved, 4: ApprovalRejected}

// UnmarshalJSON reads a number, a string that contains one, or a word.
func (s *ApprovalStatus) UnmarshalJSON(data []byte) error {
	status, err := readWord(data, approvalStatuses)
	if strings.EqualFold(string(status), string(ApprovalUnknown)) {
		status = ApprovalUnknown
	}
	*s = status
	return err
}

// MarshalJSON writes the number if the state has one.
func (s ApprovalStatus) MarshalJSON() ([]byte, error) { return writeWord(s, approvalStatuses) }
