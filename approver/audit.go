package approver

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/web3"
)

// EntryKind says what a line of the audit log is about.
type EntryKind string

// The kinds of lines.
const (
	EntryDecision EntryKind = "decision" // a decision was made, and is about to be carried out
	EntryRepeat   EntryKind = "repeat"   // an earlier decision, by this or another replica, is about to be carried out
	EntryResult   EntryKind = "result"   // what became of an action
	EntryShadow   EntryKind = "shadow"   // what would have been decided, or what became of an action; nothing is done
	EntryTorn     EntryKind = "torn"     // an incomplete line, left by a crash, was removed from the end of the log
	EntryReload   EntryKind = "reload"   // other rules, pins or shadow are now in force; or they were refused, as Reason says
	EntryUnread   EntryKind = "unread"   // a feed message or list element was not understood; its action may still come with a list
	EntrySeen     EntryKind = "seen"     // an action not decided yet: it keeps failing, takes long, or the run ends
	EntryEpoch    EntryKind = "epoch"    // the epoch of the store that counts from here on; see Epoch
)

// lineVersion is the format version of lines. Lines written before there were versions have none.
const lineVersion = 2

// Entry is a line of the audit log.
type Entry struct {
	Version    int            `json:"version,omitzero"` // of the line format: 2; older lines have none
	Seq        int64          `json:"seq"`              // 1 for the first line
	Time       time.Time      `json:"time"`
	Kind       EntryKind      `json:"kind"`
	Replica    string         `json:"replica,omitzero"`
	ActionID   qredo.ActionID `json:"action_id,omitzero"`
	Digest     string         `json:"digest,omitzero"` // of what the decision applies to; see [Record]
	PolicyHash string         `json:"policy_hash,omitzero"`
	PinsHash   string         `json:"pins_hash,omitzero"` // of the pins; see [WithPins]
	Epoch      string         `json:"epoch,omitzero"`     // of the store, in lines of this kind
	StoreSeq   int64          `json:"store_seq,omitzero"` // the store's number for a decision; for epochs, its last: see [Record]
	Verdict    Verdict        `json:"verdict,omitzero"`
	Rule       string         `json:"rule,omitzero"`
	Reason     string         `json:"reason,omitzero"`
	Outcome    Outcome        `json:"outcome,omitzero"` // for results
	Expires    time.Time      `json:"expires,omitzero"` // for actions of kind seen; zero if the action does not expire
	About
	Prev string `json:"prev"` // the hash of the previous line; empty in the first
}

// About is what happens if an action is approved, as the service said when the action was last read. Fields that the action
// does not have are empty: an action without an amount has nil, not 0.
type About struct {
	Type          qredo.ActionType `json:"type,omitzero"`
	Wallet        qredo.WalletID   `json:"wallet,omitzero"` // the sending wallet
	Asset         qredo.AssetCode  `json:"asset,omitzero"`
	Amount        *qredo.Amount    `json:"amount,omitzero"` // base units, fees included
	NetAmount     *qredo.Amount    `json:"net_amount,omitzero"`
	Recipient     string           `json:"recipient,omitzero"` // an address, or the ID of a wallet
	WhitelistName string           `json:"whitelist_name,omitzero"`
	ReceiveAsset  qredo.AssetCode  `json:"receive_asset,omitzero"` // for a swap: what is received in exchange
	ReceiveAmount *qredo.Amount    `json:"receive_amount,omitzero"`
	Payment       string           `json:"payment,omitzero"` // for a Web3 payment, in words: value, gas, chain and data
	Reference     string           `json:"reference,omitzero"`
	Sweep         *bool            `json:"sweep,omitzero"` // whether a transfer may be a sweep, if that was looked up
}

func aboutOf(a *qredo.Action) About {
	about := About{Type: a.Type}
	if d := a.Details; d != nil {
		about.Wallet, about.Asset = d.WalletID, d.Asset
		about.Recipient, about.WhitelistName, about.Reference = cmp.Or(d.RecipientAddress, d.RecipientID), d.RecipientAddressName, d.Reference
		if d.Wallet != nil { // a wallet that is to be connected
			about.Wallet, about.Asset = cmp.Or(d.WalletID, d.Wallet.ID), cmp.Or(d.Asset, d.Wallet.Asset)
		}
		if d.Receive != nil {
			about.ReceiveAsset, about.ReceiveAmount = d.Receive.Asset, &d.Receive.Amount
		}
		if a.Type == qredo.ActionExternalSign {
			about.Payment = web3.Of(d).String()
		}
		if d.Amount != 0 {
			about.Amount = &d.Amount
		}
		if d.NetAmount != 0 {
			about.NetAmount = &d.NetAmount
		}
	}
	return about
}

// Outcome is what became of an action.
type Outcome string

// The outcomes. An action that was never decided has one too, in a line without a verdict: it had already expired or ended, or
// could not be handled.
const (
	OutcomeSent    Outcome = "sent"    // the service said that it accepted the vote
	OutcomeLeft    Outcome = "left"    // left to people
	OutcomeRefused Outcome = "refused" // the service refused the vote until the action expired
	OutcomeUnknown Outcome = "unknown" // the action could not be read before it expired: a vote may have been accepted
	OutcomeExpired Outcome = "expired" // it expired before the service accepted the vote
	OutcomeEnded   Outcome = "ended"   // the action was no longer pending: the vote had arrived, or was not needed
	OutcomeChanged Outcome = "changed" // the details differ from those decided on, so no vote is sent
)

// final reports whether an outcome leaves nothing to do. That an action has expired is what one replica found, perhaps by
// a wrong clock: the others check for themselves.
func (o Outcome) final() bool { return o != "" && o != OutcomeExpired && o != OutcomeRefused }

// Head is the end of an audit log: the last line's number and hash. If you keep it elsewhere, it shows later whether lines were
// removed from the end of the log; see [WithHead].
type Head struct {
	Seq  int64  `json:"seq"` // 0 for an empty log
	Hash string `json:"hash"`
}

// String returns the head as NUMBER:HASH, for [ParseHead].
func (h Head) String() string { return strconv.FormatInt(h.Seq, 10) + ":" + h.Hash }

// ParseHead parses the output of [Head.String]. Anything else is a [*qredo.ValidationError].
func ParseHead(text string) (h Head, err error) {
	number, hash, _ := strings.Cut(text, ":")
	h.Hash = hash
	if h.Seq, err = strconv.ParseInt(number, 10, 64); err != nil {
		h.Seq = -1
	}
	return h, h.check()
}

// check refuses an invalid head, which would match any log.
func (h Head) check() error {
	digits := len(h.Hash) == 2*sha256.Size && strings.Trim(h.Hash, "0123456789abcdef") == ""
	return check(h == Head{} || h.Seq > 0 && digits, "head",
		"must be a line's number and its hash of 64 digits 0 to f, or 0 and none of an empty log, is %q", h)
}

// AuditLog is an append-only log of JSON lines. Each line contains the hash of the previous one and, as its last field, its
// own: the SHA-256 of the line up to that field. [VerifyLog] checks them.
//
// The log starts in the file that it is opened with. When that file reaches its maximum size (see [WithRotation]), the chain
// continues in another file next to it, with the number of its first line added to the name: audit.jsonl,
// audit.jsonl.000000104858. All these files belong to the log, and a lock on the first one protects them. [AuditFiles] reads
// them as one.
//
// If the path contains symbolic links, the other files are next to the file that it leads to. A file with hard links is
// refused, because it is in several places. If a container is given only the first file, the others are lost with the
// container: give it the folder.
//
// A log has one writer, which locks it if the system supports that; each replica has its own log. If something such as
// logrotate moves, removes, truncates or writes to the files while they are open, writing the next line fails, and nothing is
// written after that.
type AuditLog struct {
	path    string // path of the first file, with links resolved
	now     func() time.Time
	maxSize int64 // maximum size of a file

	insecure bool // accept files that others can write

	mu     sync.Mutex
	first  *os.File
	lock   *flock.Flock // the first file
	file   *os.File     // the file that is written
	files  []string     // paths of all files
	sizes  []int64      // total size of the files before the current one
	turn   int          // which of these was checked last
	size   int64        // size of the current file
	last   mark         // the last line
	opened int64        // the number of the last line when the log was opened
	saved  int64        // the line that the checkpoint on the disk describes
	broken error        // after this error nothing can be written any more
}

// AuditOption changes how an audit log works. [WithClock] and [WithInsecureFiles] are such options.
type AuditOption interface{ setLog(l *AuditLog) error }

type auditOption func(l *AuditLog) error

func (o auditOption) setLog(l *AuditLog) error { return o(l) }

// WithRotation sets how large a file of the log may become before the chain continues in the next one. Default: 64 MiB.
func WithRotation(bytes int64) AuditOption {
	return auditOption(func(l *AuditLog) error {
		l.maxSize = bytes
		return check(bytes > 0, "rotation", "must be more than zero bytes, is %d", bytes)
	})
}

func (c ClockOption) setLog(l *AuditLog) (err error) {
	l.now, err = clock([]ClockOption{c})
	return err
}

// OpenAuditLog opens a log, or creates it. It returns an error for a log that does not verify; move such a log away by hand.
// Only an incomplete last line is accepted, because a crash can leave one behind: if only its line end is missing, that is
// added; otherwise the line is removed, and a line of kind [EntryTorn] says so. Nothing was sent on its account. Close the log
// when you are done. Files that others can write are refused, unless you give [WithInsecureFiles]. Lines have the time of
// [WithClock]. Default: [time.Now].
//
// A log is not read completely each time. A file next to it, whose name ends in .head, records how far the log was last
// verified or written, and which line is there. That line and all lines after it are read, and the files before it must have
// the recorded sizes. If there is no such file, or it does not match, the whole log is read; a log that is shorter than
// recorded is an error. The .head file is written after lines 1, 2, 4 and so on, at least every 1000 lines, when the log is
// closed, and when the log accepts no more lines: after a kill, truncation is detected up to that point. [VerifyLog] always
// reads the whole log.
func OpenAuditLog(path string, opts ...AuditOption) (*AuditLog, error) {
	l := &AuditLog{path: path, now: time.Now, maxSize: 64 << 20}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt.setLog(l); err != nil {
			return nil, err
		}
	}
	if err := l.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("approver: audit log %s: %w", path, err), l.closeFiles())
	}
	return l, nil
}

// Head returns the number and hash of the last line.
func (l *AuditLog) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.Head
}

// Close closes the files.
func (l *AuditLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	if l.broken == nil {
		err = l.save()
		l.broken = os.ErrClosed
	}
	return errors.Join(err, l.closeFiles())
}

// append writes a line, and waits until it is on the disk if it must be durable. It sets the entry's number, time and
// Prev. After an error the log accepts no more lines, because what is on the disk is unknown.
func (l *AuditLog) append(e Entry, durable bool) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return e, fmt.Errorf("approver: audit log: %w", l.broken)
	}
	e, err := l.write(e, durable)
	if err != nil {
		l.broken = errors.Join(err, l.save()) // so that the next open finds what was cut off now
		return e, fmt.Errorf("approver: audit log: %w", l.broken)
	}
	if l.last.Head.Seq-l.saved >= min(linesBetweenMarks, max(1, l.saved-l.opened)) {
		_ = l.save() // without it, the next open reads more
	}
	return e, nil
}

func (l *AuditLog) write(e Entry, durable bool) (Entry, error) {
	if err := l.inPlace(); err != nil {
		return e, err
	}
	if l.size >= l.maxSize {
		if err := l.rotate(); err != nil {
			return e, err
		}
	}
	e.Version, e.Seq, e.Time, e.Prev = lineVersion, l.last.Head.Seq+1, l.now().UTC(), l.last.Head.Hash
	e.Reason, e.Rule = clip(e.Reason, longText), clip(e.Rule, longText)
	for _, text := range []*string{
		(*string)(&e.ActionID), (*string)(&e.Type), (*string)(&e.Wallet), (*string)(&e.Asset), (*string)(&e.ReceiveAsset),
		&e.Replica, &e.Epoch, &e.Recipient, &e.WhitelistName, &e.Reference, &e.Payment,
	} {
		*text = clip(*text, shortText)
	}
	line, hash, err := sealed(e)
	if err != nil {
		return e, err
	}
	if _, err = l.file.Write(line); err == nil && durable {
		err = l.file.Sync()
	}
	if err != nil {
		return e, errors.Join(err, l.file.Truncate(l.size)) // the next open also finds a line that was cut off
	}
	l.last.advance(e, hash, l.size, l.sizes)
	l.size += int64(len(line))
	if durable { // nothing may be done on the strength of this line if the log was moved in the meantime
		return e, l.inPlace()
	}
	return e, nil
}

// hashField separates what is hashed from the hash.
const hashField = `,"hash":"`

const lineEnd = "\"}\n"

// sealed returns a JSON object in the form of a line, with its hash, and the hash.
func sealed(object any) (line []byte, hash string, err error) {
	line, err = json.Marshal(object)
	if err != nil {
		return nil, "", err
	}
	line = bytes.TrimSuffix(line, []byte("}"))
	hash = hashOf(line)
	return append(line, hashField+hash+lineEnd...), hash, nil
}

// unsealed decodes what sealed has written. It returns false if that was altered.
func unsealed(line []byte) (object []byte, hash string, ok bool) {
	i := bytes.LastIndex(line, []byte(hashField))
	hashed := line[:max(i, 0)]
	hash = hashOf(hashed)
	return append(bytes.Clone(hashed), '}'), hash, i >= 0 && string(line[i:]) == hashField+hash+lineEnd
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Texts of a policy or the service are shortened to this, in bytes. Even with six bytes for each of theirs, a line stays
// below maxLine.
const longText, shortText = 2000, 300

func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
