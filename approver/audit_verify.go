package approver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// LogError says where an audit log differs from what was written.
type LogError struct {
	Line    int // the first wrong line, counted from 1
	Problem string

	torn int64  // length of the line, if it is the last and a crash may have left it incomplete
	tail []byte // its bytes, if there are not too many
}

// Error names the line and what is wrong with it.
func (e *LogError) Error() string {
	return fmt.Sprintf("approver: audit log: line %d %s", e.Line, e.Problem)
}

// VerifyOption adds a check to the verification of a log.
type VerifyOption func(*verification)

type verification struct{ heads []Head }

// WithHead requires the log to contain the line that was once its last, as returned by [AuditLog.Head]. The log may have grown
// since. This detects lines that were removed from the end, or a log that was rewritten, which the file alone cannot show.
// Default: a shortened log verifies.
func WithHead(h Head) VerifyOption {
	return func(v *verification) { v.heads = append(v.heads, h) }
}

// VerifyLog reads an audit log ([AuditFiles] returns all its files) and returns nil, or a [*LogError] with the first line that
// was altered, is missing or is in the wrong place. Every byte counts, including line ends. An incomplete last line, which a
// crash leaves behind until the log is opened again, is an error too.
//
// The file alone cannot show that whole lines were removed from its end, or that somebody who can write to it rewrote it from
// some line on: to detect that, keep the log's head elsewhere and pass it with [WithHead].
func VerifyLog(r io.Reader, opts ...VerifyOption) error {
	return verify(r, opts, func(Entry) {})
}

// ReadLog returns the entries of a log, and the error that [VerifyLog] returns; the entries before the error are correct.
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
	for _, h := range v.heads {
		if err := h.check(); err != nil {
			return err
		}
	}
	end, _, err := readLog(r, Head{}, 0, func(e Entry, hash string, _ int64) error {
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

// maxLine is the maximum length of a line. Its content is clipped far below that.
const maxLine = 64 << 10

// readLog checks a log line by line, starting after a head, and calls f with each line and its position, unless f is nil.
// offset is the position of the first line. It returns the log's head and the end of its complete lines.
func readLog(r io.Reader, head Head, offset int64, f func(e Entry, hash string, at int64) error) (Head, int64, error) {
	in := bufio.NewReaderSize(r, maxLine)
	for {
		line, size, err := nextLine(in)
		cut := errors.Is(err, io.EOF)
		switch {
		case cut && size == 0:
			return head, offset, nil
		case err != nil && !cut:
			return head, offset, fmt.Errorf("approver: audit log: %w", err)
		}
		e, hash, problem := readLine(line, size, head)
		if cut {
			problem = wrong(head.Seq+1, "is incomplete: it has no end")
		}
		if problem != nil {
			line = bytes.Clone(line)
			if _, more := in.Peek(1); cut || errors.Is(more, io.EOF) && bytes.IndexByte(line, 0) >= 0 {
				problem.torn, problem.tail = size, line
			}
			return head, offset, problem
		}
		if f != nil {
			if err := f(e, hash, offset); err != nil {
				return head, offset, err
			}
		}
		head = Head{e.Seq, hash}
		offset += size
	}
}

// nextLine reads a line and returns its size. If it is too long, it returns only the beginning.
func nextLine(in *bufio.Reader) (line []byte, size int64, err error) {
	line, err = in.ReadSlice('\n')
	size = int64(len(line))
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, size, err
	}
	line = bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		var more []byte
		more, err = in.ReadSlice('\n')
		size += int64(len(more))
	}
	return line, size, err
}

// readLine checks the line that follows head.
func readLine(line []byte, size int64, head Head) (e Entry, hash string, problem *LogError) {
	n := head.Seq + 1
	if size > maxLine {
		return e, "", wrong(n, "was altered: it is too long")
	}
	object, hash, ok := unsealed(line)
	if !ok {
		return e, "", wrong(n, "was altered: its hash is not that of its content")
	}
	if err := json.Unmarshal(object, &e); err != nil {
		return e, "", wrong(n, "is not an entry: %v", err)
	}
	switch {
	case e.Version > lineVersion:
		return e, "", wrong(n, "has the form %d, which this version of the program does not know", e.Version)
	case e.Seq > n:
		return e, "", wrong(n, "is missing, or stands elsewhere: line %d stands in its place", e.Seq)
	case e.Seq < n:
		return e, "", wrong(n, "is missing, or stands elsewhere: line %d stands in its place again", e.Seq)
	case e.Prev != head.Hash:
		return e, "", wrong(n, "does not follow the line before: one of them was written anew")
	}
	return e, hash, nil
}
