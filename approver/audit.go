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

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/web3"
)

// EntryKind tells what a line of the audit log is about.
type EntryKind string

// The kinds of lines.
const (
	EntryDecision EntryKind = "decision" // a decision was taken, and is about to be carried out
	EntryRepeat   EntryKind = "repeat"   // a decision that was taken before, here or by another replica, is about to be carried out
	EntryResult   EntryKind = "result"   // what became of an action
	EntryShadow   EntryKind = "shadow"   // what would have been decided, or became of an action; nothing is done
	EntryTorn     EntryKind = "torn"     // a line that a crash had cut off was removed from the end of the log
	EntryReload   EntryKind = "reload"   // other rules, pins or shadow are in force from here on; or were refused, as Reason says
	EntryUnread   EntryKind = "unread"   // a message of the feed, or an element of its list, was not understood: its action comes once a list has it that is
	EntrySeen     EntryKind = "seen"     // a run was told of an action that it has not decided yet: it fails for the moment, takes long, or the run ends
	EntryEpoch    EntryKind = "epoch"    // which memory of limits and decisions counts from here on; see Epoch
)

// lineVersion is the form that lines are written in. Those of before there were versions have none.
const lineVersion = 2

// Entry is a line of the audit log.
type Entry struct {
	Version    int            `json:"version,omitzero"` // of the line's form: 2; lines of before it had one have none
	Seq        int64          `json:"seq"`              // 1 for the first line
	Time       time.Time      `json:"time"`
	Kind       EntryKind      `json:"kind"`
	Replica    string         `json:"replica,omitzero"`
	ActionID   qredo.ActionID `json:"action_id,omitzero"`
	Digest     string         `json:"digest,omitzero"` // of what the decision holds for; see [Record]
	PolicyHash string         `json:"policy_hash,omitzero"`
	PinsHash   string         `json:"pins_hash,omitzero"` // of what is pinned; see [WithPins]
	Epoch      string         `json:"epoch,omitzero"`     // of the store, in lines of this kind
	StoreSeq   int64          `json:"store_seq,omitzero"` // of decisions and repeats: the store's number for the decision; of epochs: its last; see [Record]
	Verdict    Verdict        `json:"verdict,omitzero"`
	Rule       string         `json:"rule,omitzero"`
	Reason     string         `json:"reason,omitzero"`
	Outcome    Outcome        `json:"outcome,omitzero"` // of results
	Expires    time.Time      `json:"expires,omitzero"` // of an action that was seen; zero if it does not expire
	About
	Prev string `json:"prev"` // the hash of the line before; empty in the first
}

// About is what an action would let happen, as the service said when it was looked at last. What the action does not have
// is empty: one without an amount has none, and not one of 0.
type About struct {
	Type          qredo.ActionType `json:"type,omitzero"`
	Wallet        qredo.WalletID   `json:"wallet,omitzero"` // from which
	Asset         qredo.AssetCode  `json:"asset,omitzero"`
	Amount        *qredo.Amount    `json:"amount,omitzero"` // base units, fees included
	NetAmount     *qredo.Amount    `json:"net_amount,omitzero"`
	Recipient     string           `json:"recipient,omitzero"` // an address, or the ID of a wallet
	WhitelistName string           `json:"whitelist_name,omitzero"`
	ReceiveAsset  qredo.AssetCode  `json:"receive_asset,omitzero"` // of a swap: what it is exchanged for
	ReceiveAmount *qredo.Amount    `json:"receive_amount,omitzero"`
	Payment       string           `json:"payment,omitzero"` // of a Web3 payment, in words: value, gas, chain and data
	Reference     string           `json:"reference,omitzero"`
	Sweep         *bool            `json:"sweep,omitzero"` // whether a transfer may be a sweep, where that was looked up
}

func aboutOf(a *qredo.Action) About {
	about := About{Type: a.Type}
	if d := a.Details; d != nil {
		about.Wallet, about.Asset = d.WalletID, d.Asset
		about.Recipient, about.WhitelistName, about.Reference = cmp.Or(d.RecipientAddress, d.RecipientID), d.RecipientAddressName, d.Reference
		if d.Wallet != nil { // one that is to be connected
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

// Outcome tells what became of an action.
type Outcome string

// The outcomes. An action that was never decided has one too, in a line without a verdict: it had expired or ended
// before, or could not be handled.
const (
	OutcomeSent    Outcome = "sent"    // the service says that it took the vote
	OutcomeLeft    Outcome = "left"    // to humans
	OutcomeRefused Outcome = "refused" // the service refused the vote until the action expired
	OutcomeUnknown Outcome = "unknown" // the action could not be looked at until it expired: a vote may have been taken
	OutcomeExpired Outcome = "expired" // before the service took the vote
	OutcomeEnded   Outcome = "ended"   // the action was not pending any more: the vote had arrived, or was not needed
	OutcomeChanged Outcome = "changed" // the details are not those that were decided on: no vote is sent on them
)

// final reports whether an outcome leaves nothing to do. That an action has expired is what one replica has found, maybe by a
// clock that is wrong: the others look for themselves.
func (o Outcome) final() bool { return o != "" && o != OutcomeExpired && o != OutcomeRefused }

// Head is the end of an audit log: the last line's number and hash. Kept in another place, it shows later
// whether lines were cut off the log's end; see [WithHead].
type Head struct {
	Seq  int64  `json:"seq"` // 0 for an empty log
	Hash string `json:"hash"`
}

// String returns the head as NUMBER:HASH, for [ParseHead].
func (h Head) String() string { return strconv.FormatInt(h.Seq, 10) + ":" + h.Hash }

// ParseHead reads what [Head.String] wrote. Anything else is a [*qredo.ValidationError].
func ParseHead(text string) (h Head, err error) {
	number, hash, _ := strings.Cut(text, ":")
	h.Hash = hash
	if h.Seq, err = strconv.ParseInt(number, 10, 64); err != nil {
		h.Seq = -1
	}
	return h, h.check()
}

// check refuses what is no head, and so would be found in any log.
func (h Head) check() error {
	digits := len(h.Hash) == 2*sha256.Size && strings.Trim(h.Hash, "0123456789abcdef") == ""
	return check(h == Head{} || h.Seq > 0 && digits, "head",
		"must be a line's number and its hash of 64 digits 0 to f, or 0 and none of an empty log, is %q", h)
}

// AuditLog is an append-only log of JSON lines. Each line holds the hash of the one before and, as its
// last field, its own: the SHA-256 of the line up to that field. [VerifyLog] checks them.
//
// It begins in the file that it is opened by. When that has its size (see [WithRotation]) the chain goes on in another file
// beside it, whose name has the number of its first line besides: audit.jsonl, audit.jsonl.000000104858. All of them belong
// to the log, and are locked by the first. [AuditFiles] reads them as one.
//
// A path through symbolic links is that of the file which it leads to: the other files stand beside that one. A file that has
// hard links is refused, as it has several places. Where a container has only the first file, the others are lost with it: give it the folder.
//
// A log has one writer, which locks it where the system can do that; each replica has a log of its own. What moves, removes, cuts or
// writes its files while it is open, such as logrotate, is an error of the next line, after which nothing is written.
type AuditLog struct {
	path    string // of the first file, without links
	now     func() time.Time
	maxSize int64 // of a file

	insecure bool // files that others can write are taken

	mu     sync.Mutex
	first  *os.File // which is locked
	file   *os.File // which is written
	files  []string // the paths of all
	sizes  []int64  // of the files before that one
	turn   int      // which of these was looked at last
	size   int64    // of that one
	last   mark     // the last line
	opened int64    // the number of the last line when it was opened
	saved  int64    // of the line that the checkpoint on the disk is about
	broken error    // after this nothing can be written any more
}

// AuditOption changes how an audit log works. [WithClock] and [WithInsecureFiles] are such options.
type AuditOption interface{ setLog(l *AuditLog) error }

type auditOption func(l *AuditLog) error

func (o auditOption) setLog(l *AuditLog) error { return o(l) }

// WithRotation sets how large a file of the log becomes, before the chain goes on in the next one. Default: 64 MiB.
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

// OpenAuditLog opens a log, or makes it. A log that does not verify is an error, and must be put aside by hand. Only at its
// very end an incomplete line is allowed, which a crash can leave behind: one of which no more than its end is missing gets
// that; else it is removed, and a line of kind [EntryTorn] tells so; nothing was sent on account of it. The caller closes the
// log. Lines have the time of [time.Now] unless [WithClock] is given. Files that others can write are refused, unless
// [WithInsecureFiles] is given.
//
// Not all of a log is read each time: beside it, in a file whose name ends in .head, stands how far it was verified the
// last time, or written, and which line is there. That one and all after it are read, and the files before it must have their sizes. Is
// there no such file, or does it not fit, all of the log is read; a log that has not come as far is an error. It is written after the first
// line, the second, the fourth and so on, at least each 1000 lines, when the log is closed, and when it takes nothing more: what is cut off after a kill is
// known as far as that. [VerifyLog] always reads all of it.
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

// append writes a line, and waits until it is on the disk if it must be durable. It sets the entry's
// number, time and Prev. After an error the log takes no more lines, since it cannot be known what is on
// the disk.
func (l *AuditLog) append(e Entry, durable bool) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return e, fmt.Errorf("approver: audit log: %w", l.broken)
	}
	e, err := l.write(e, durable)
	if err != nil {
		l.broken = errors.Join(err, l.save()) // so that who opens it next finds what was cut off now
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
		return e, errors.Join(err, l.file.Truncate(l.size)) // a line cut off is found by the next open, too
	}
	l.last.advance(e, hash, l.size, l.sizes)
	l.size += int64(len(line))
	if durable { // what is done on account of it is not to begin if it was moved meanwhile
		return e, l.inPlace()
	}
	return e, nil
}

// hashField stands between what is hashed and the hash.
const hashField = `,"hash":"`

const lineEnd = "\"}\n"

// sealed is a JSON object as it stands in a file, with its hash, and the hash.
func sealed(object any) (line []byte, hash string, err error) {
	line, err = json.Marshal(object)
	if err != nil {
		return nil, "", err
	}
	line = bytes.TrimSuffix(line, []byte("}"))
	hash = hashOf(line)
	return append(line, hashField+hash+lineEnd...), hash, nil
}

// unsealed reads what sealed has written. It reports false if that was altered.
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

// What a policy or the service wrote is shortened to this, in bytes. With all of it, each byte as an escape of six, a line
// stays below maxLine.
const longText, shortText = 2000, 300

func clip(s string, most int) string {
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
