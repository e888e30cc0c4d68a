package approver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
)

// EntryKind tells what a line of the audit log is about.
type EntryKind string

// The kinds of lines.
const (
	EntryDecision EntryKind = "decision" // a decision was taken, and is about to be carried out
	EntryRepeat   EntryKind = "repeat"   // a decision that was taken before, here or by another replica, is about to be carried out
	EntryResult   EntryKind = "result"   // what became of it
	EntryShadow   EntryKind = "shadow"   // what would have been decided; nothing is done
	EntryTorn     EntryKind = "torn"     // a line that a crash had cut off was removed from the end of the log
)

// Entry is a line of the audit log.
type Entry struct {
	Seq        int64          `json:"seq"` // 1 for the first line
	Time       time.Time      `json:"time"`
	Kind       EntryKind      `json:"kind"`
	Replica    string         `json:"replica,omitzero"`
	ActionID   qredo.ActionID `json:"action_id,omitzero"`
	Digest     string         `json:"digest,omitzero"` // of the action's details; see [Digest]
	PolicyHash string         `json:"policy_hash,omitzero"`
	Verdict    Verdict        `json:"verdict,omitzero"`
	Rule       string         `json:"rule,omitzero"`
	Reason     string         `json:"reason,omitzero"`
	Outcome    Outcome        `json:"outcome,omitzero"` // of results
	Prev       string         `json:"prev"`             // the hash of the line before; empty in the first
}

// Outcome tells what became of a decision.
type Outcome string

// The outcomes of decisions.
const (
	OutcomeSent    Outcome = "sent"    // the service took the vote
	OutcomeLeft    Outcome = "left"    // to humans
	OutcomeRefused Outcome = "refused" // the service will not take the vote: the action is pending still
	OutcomeUnknown Outcome = "unknown" // the service does not show the action any more: a vote may have been taken
	OutcomeExpired Outcome = "expired" // before the service took the vote
	OutcomeEnded   Outcome = "ended"   // the action was not pending any more: the vote had arrived, or was not needed
	OutcomeChanged Outcome = "changed" // the details are not those that were decided on: the vote was held back
)

// Head is the end of an audit log: the last line's number and hash. Kept in another place, it shows later
// whether lines were cut off the log's end; see [WithHead].
type Head struct {
	Seq  int64  `json:"seq"` // 0 for an empty log
	Hash string `json:"hash"`
}

// AuditLog is an append-only file of JSON lines. Each line holds the hash of the one before and, as its
// last field, its own: the SHA-256 of the line up to that field. [VerifyLog] checks them.
//
// A log has one writer, which locks the file where the system can do that; each replica has a log of its
// own.
type AuditLog struct {
	now func() time.Time

	mu     sync.Mutex
	file   *os.File
	head   Head
	size   int64
	broken error // after this nothing can be written any more
}

// hashField stands between what is hashed and the hash.
const hashField = `,"hash":"`

const lineEnd = "\"}\n"

// OpenAuditLog opens a log, or makes it, and reads all of it: a log that does not verify is an error, and
// must be put aside by hand. Only at its very end an incomplete line is allowed, which a crash can leave
// behind. It is removed, and a line of kind [EntryTorn] tells so; nothing was sent on account of it. The
// caller closes the log. Lines have the time of [time.Now] unless [WithClock] is given.
func OpenAuditLog(path string, opts ...ClockOption) (*AuditLog, error) {
	now, err := clock(opts)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("approver: audit log: %w", err)
	}
	l := &AuditLog{now: now, file: file}
	err = l.resume()
	if err == nil {
		err = durable.SyncFolder(filepath.Dir(path)) // lines that are on the disk are lost if the file's name is not
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("approver: audit log %s: %w", path, err), file.Close())
	}
	return l, nil
}

// resume brings the log to where its last complete line ends.
func (l *AuditLog) resume() error {
	if err := lockFile(l.file); err != nil {
		return fmt.Errorf("another process may be writing it: %w", err)
	}
	head, complete, err := readLog(l.file, nil)
	torn := 0
	if e := (*LogError)(nil); errors.As(err, &e) && e.torn > 0 {
		torn, err = e.torn, l.file.Truncate(complete)
	}
	if err != nil {
		return err
	}
	l.head, l.size = head, complete
	if torn > 0 {
		_, err = l.append(Entry{Kind: EntryTorn, Reason: fmt.Sprintf("%d bytes of an incomplete line were removed", torn)}, true)
	}
	return err
}

// Head returns the number and hash of the last line.
func (l *AuditLog) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.head
}

// Close closes the file.
func (l *AuditLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = os.ErrClosed
	}
	return l.file.Close()
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
	e.Seq, e.Time, e.Prev = l.head.Seq+1, l.now().UTC(), l.head.Hash
	e.Reason, e.Rule = clip(e.Reason), clip(e.Rule)
	line, hash, err := e.line()
	if err != nil {
		return e, fmt.Errorf("approver: audit log: %w", err)
	}
	if _, err = l.file.Write(line); err == nil && durable {
		err = l.file.Sync()
	}
	if err != nil {
		l.broken = errors.Join(err, l.file.Truncate(l.size)) // a line cut off is found by the next open, too
		return e, fmt.Errorf("approver: audit log: %w", err)
	}
	l.head = Head{e.Seq, hash}
	l.size += int64(len(line))
	return e, nil
}

// line is the entry as it stands in the file, and its hash.
func (e Entry) line() (line []byte, hash string, err error) {
	line, err = json.Marshal(e)
	if err != nil {
		return nil, "", err
	}
	line = bytes.TrimSuffix(line, []byte("}"))
	hash = hashOf(line)
	return append(line, hashField+hash+lineEnd...), hash, nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// clip shortens what a policy or the service wrote, so that a line keeps a reasonable length.
func clip(s string) string {
	const most = 2000
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
