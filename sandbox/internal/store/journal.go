package store

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strconv"
)

// A journal is a file of records that only grows. A record is a line of text:
//
//	8 digits    CRC-32C of what follows, with the newline
//	8 digits    length of what follows these, with the newline
//	10 digits   where the file ended, as far as it was synced when this was written
//	the record  without a newline
//
// with a space after each, and the digits hexadecimal. No record has a zero byte, which is what a disk shows where it was to write
// and has not.
type journal struct {
	path   string
	file   file
	end    int64 // of what was appended
	synced int64 // end, as it was when it was synced last
}

// file is what a journal needs of a file.
type file interface {
	io.WriterAt
	Sync() error
	Truncate(size int64) error
	Close() error
}

// openFile can be replaced by tests.
var openFile = func(path string, flag int) (file, error) { return os.OpenFile(path, flag, 0o600) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// headLen is the length of a line before its record.
const headLen = 9 + 9 + 11

// frame makes the line of a record.
func frame(record []byte, synced int64) []byte {
	line := fmt.Appendf(make([]byte, 0, headLen+len(record)+1), "........ %08x %010x ", 11+len(record)+1, synced)
	line = append(append(line, record...), '\n')
	copy(line, checksum(line[9:]))
	return line
}

func checksum(text []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli)) }

// append writes a record. If that fails, the file is unchanged, or an error says that it is not.
func (j *journal) append(record []byte) (err, broken error) {
	line := frame(record, j.synced)
	_, err = j.file.WriteAt(line, j.end)
	if err != nil {
		return err, j.file.Truncate(j.end)
	}
	j.end += int64(len(line))
	return nil, nil
}

// damage is an unreadable place in a journal.
type damage struct {
	path string
	at   int64
	why  string
}

func (d *damage) Error() string {
	return fmt.Sprintf("%s, byte %d: %s: restore the folder from a copy", d.path, d.at, d.why)
}

// replay calls take with each record of a journal and returns where the last one ends. The end of the newest journal may be
// torn: a record that was being written when the power failed was never acknowledged, and is left out. Any other damage is
// an error that says where.
func replay(path string, newest bool, take func(record []byte) error) (end int64, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for at := 0; at < len(text); {
		record, size := parse(text[at:])
		if record == nil {
			why := "a record is damaged"
			if newest {
				if why = whole(text, at); why == "" {
					return int64(at), nil
				}
			}
			return 0, &damage{path, int64(at), why}
		}
		if err := take(record); err != nil {
			return 0, fmt.Errorf("%s, byte %d: %w", path, at, err)
		}
		at += size
	}
	return int64(len(text)), nil
}

// parse returns the record at the beginning of a text and the size of its line, or nil.
func parse(text []byte) (record []byte, size int) {
	length, _, ok := head(text)
	size = 18 + length
	if !ok || size > len(text) || string(text[:8]) != checksum(text[9:size]) || text[size-1] != '\n' {
		return nil, 0
	}
	return text[headLen : size-1], size
}

// head reads the beginning of a line, without its checksum.
func head(text []byte) (length int, synced int64, ok bool) {
	if len(text) < headLen || text[8] != ' ' || text[17] != ' ' || text[headLen-1] != ' ' {
		return 0, 0, false
	}
	n, err1 := strconv.ParseInt(string(text[9:17]), 16, 32)
	synced, err2 := strconv.ParseInt(string(text[18:headLen-1]), 16, 64)
	return int(n), synced, errors.Join(err1, err2) == nil && n > 11
}

// whole says why a damaged place cannot be the torn end of a journal, or "" if it can.
func whole(text []byte, at int) (why string) {
	// Later records say whether this place had been synced by then.
	for next := at; ; {
		newline := bytes.IndexByte(text[next:], '\n')
		if newline < 0 {
			break
		}
		next += newline + 1
		if record, _ := parse(text[next:]); record != nil {
			if _, synced, _ := head(text[next:]); synced > int64(at) {
				return "later records were written after this was on disk"
			}
		}
	}
	tail := text[at:]
	length, _, ok := head(tail)
	switch {
	case bytes.IndexByte(tail, '\n') < 0 && (!ok || 18+length > len(tail)): // it ends before its end
	case tail[len(tail)-1] == 0, unwritten(text, at):
	default:
		return "it is complete, but changed"
	}
	return ""
}

// unwritten reports whether a part of the disk was never written, which is a block of zeros.
func unwritten(text []byte, from int) bool {
	const block = 512
	for at := (from + block - 1) / block * block; at+block <= len(text); at += block {
		if len(bytes.Trim(text[at:at+block], "\x00")) == 0 {
			return true
		}
	}
	return false
}
