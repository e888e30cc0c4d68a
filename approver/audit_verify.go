package approver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// LogError says where an audit log is not as it was written.
type LogError struct {
	Line    int // the first line that is wrong, counted from 1
	Problem string

	torn int // how many bytes of the line there are, if it is the last and has no end
}

// Error names the line and what is wrong with it.
func (e *LogError) Error() string {
	return fmt.Sprintf("approver: audit log: line %d %s", e.Line, e.Problem)
}

// VerifyOption says what else is checked of a log.
type VerifyOption func(*verification)

type verification struct{ heads []Head }

// WithHead demands that the log holds the line that was its last once, as [AuditLog.Head] told. It may
// have grown since. This finds lines that were cut off the end, or a log that was written anew: which
// cannot be seen from the file alone. Unless given, a log that is shorter than it was verifies.
func WithHead(h Head) VerifyOption {
	return func(v *verification) { v.heads = append(v.heads, h) }
}

// VerifyLog reads an audit log and returns nil, or a [*LogError] with the first line that was altered, is
// missing or stands in another place. Every byte counts, the ends of lines too. An incomplete line at the
// end, which a crash leaves behind until the log is opened again, is an error as well.
//
// The file alone cannot show that whole lines were cut off its end, or that somebody who can write it made
// it anew from some line on: for that, keep the log's head elsewhere and give it as [WithHead].
func VerifyLog(r io.Reader, opts ...VerifyOption) error {
	return verify(r, opts, func(Entry) {})
}

// ReadLog returns the entries of a log, and the error that [VerifyLog] returns: up to there they are right.
func ReadLog(r io.Reader, opts ...VerifyOption) ([]Entry, error) {
	var entries []Entry
	err := verify(r, opts, func(e Entry) { entries = append(entries, e) })
	return entries, err
}

func verify(r io.Reader, opts []VerifyOption, each func(Entry)) error {
	var v verification
	for _, opt := range opts {
		opt(&v)
	}
	end, _, err := readLog(r, func(e Entry, hash string) error {
		for _, h := range v.heads {
			if h.Seq == e.Seq && h.Hash != hash {
				return wrong(e.Seq, "is not the line that was the last once: the log was written anew")
			}
		}
		each(e)
		return nil
	})
	if err != nil {
		return err
	}
	for _, h := range v.heads {
		if h.Seq > end.Seq {
			return wrong(end.Seq+1, "is missing: the log had %d lines once", h.Seq)
		}
	}
	return nil
}

func wrong(line int64, problem string, args ...any) *LogError {
	return &LogError{Line: int(line), Problem: fmt.Sprintf(problem, args...)}
}

// maxLine is how long a line can be. What goes into one is clipped far below that.
const maxLine = 64 << 10

// readLog checks a log line by line and gives each to f, which may be nil. It returns the log's head and how
// many bytes its complete lines have.
func readLog(r io.Reader, f func(e Entry, hash string) error) (head Head, complete int64, err error) {
	in := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return head, complete, nil
		case errors.Is(err, io.EOF):
			return head, complete, &LogError{Line: int(head.Seq) + 1, Problem: "is incomplete: it has no end", torn: len(line)}
		case errors.Is(err, bufio.ErrBufferFull):
			return head, complete, wrong(head.Seq+1, "was altered: it is too long")
		case err != nil:
			return head, complete, fmt.Errorf("approver: audit log: %w", err)
		}
		e, hash, err := readLine(line, head)
		if err == nil && f != nil {
			err = f(e, hash)
		}
		if err != nil {
			return head, complete, err
		}
		head = Head{e.Seq, hash}
		complete += int64(len(line))
	}
}

// readLine checks the line that comes after head.
func readLine(line []byte, head Head) (e Entry, hash string, err error) {
	n := head.Seq + 1
	i := bytes.LastIndex(line, []byte(hashField))
	hashed := line[:max(i, 0)]
	hash = hashOf(hashed)
	if i < 0 || string(line[i:]) != hashField+hash+lineEnd {
		return e, "", wrong(n, "was altered: its hash is not that of its content")
	}
	if err := json.Unmarshal(append(bytes.Clone(hashed), '}'), &e); err != nil {
		return e, "", wrong(n, "is not an entry: %v", err)
	}
	switch {
	case e.Seq > n:
		return e, "", wrong(n, "is missing, or stands elsewhere: line %d stands in its place", e.Seq)
	case e.Seq < n:
		return e, "", wrong(n, "is missing, or stands elsewhere: line %d stands in its place again", e.Seq)
	case e.Prev != head.Hash:
		return e, "", wrong(n, "does not follow the line before: one of them was written anew")
	}
	return e, hash, nil
}
