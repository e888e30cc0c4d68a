package approver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
)

// mark is a line up to which a log was verified, and where it is. The checkpoint next to a log contains one.
type mark struct {
	Version int     `json:"version"`
	Head    Head    `json:"head"`   // the line
	Prev    string  `json:"prev"`   // the hash of the line before
	Offset  int64   `json:"offset"` // where it begins in its file
	Sizes   []int64 `json:"sizes"`  // total size of the files before that one
	Epoch   string  `json:"epoch,omitzero"`
	Decided decided `json:"decided,omitzero"` // the last one of that epoch in the store

	Open map[qredo.ActionID]opened `json:"open,omitempty"` // actions whose result the log does not have
}

// markVersion is the version of checkpoints. A checkpoint of version 1 does not have the open actions: then the whole log
// is read again.
const markVersion = 2

// linesBetweenMarks is the maximum number of lines between checkpoints. Right after opening, there are fewer.
const linesBetweenMarks = 1000

func (m *mark) advance(e Entry, hash string, offset int64, sizes []int64) {
	m.Version, m.Head, m.Prev, m.Offset, m.Sizes = markVersion, Head{e.Seq, hash}, e.Prev, offset, sizes
	switch e.Kind {
	case EntryEpoch:
		m.Epoch, m.Decided = e.Epoch, decided{Time: e.Time, Seq: e.StoreSeq}
	case EntryDecision, EntryRepeat:
		if e.StoreSeq >= m.Decided.Seq {
			m.Decided = decided{e.ActionID, e.Time, e.StoreSeq}
		}
	default:
	}
	m.follow(e)
}

func checkpointPath(path string) string { return path + ".head" }

// readMark reads a checkpoint. One that is missing or damaged counts as none.
func readMark(path string) (m mark) {
	data, err := os.ReadFile(checkpointPath(path))
	if err != nil {
		return m
	}
	object, _, ok := unsealed(data)
	if !ok || json.Unmarshal(object, &m) != nil || m.Version < 1 || m.Version > markVersion || m.Head.Seq < 1 {
		return mark{}
	}
	return m
}

// save writes the checkpoint, once its line is on the disk.
func (l *AuditLog) save() error {
	if l.last.Head.Seq == l.saved || l.special() {
		return nil
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	data, _, err := sealed(l.last)
	if err == nil {
		err = durable.Replace(checkpointPath(l.path), data)
	}
	if err != nil {
		return fmt.Errorf("its checkpoint: %w", err)
	}
	l.saved = l.last.Head.Seq
	return nil
}

// special reports whether the log is not a regular file, such as the null device.
func (l *AuditLog) special() bool {
	info, err := l.first.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// logFiles returns the paths of a log's files, in order.
func logFiles(path string) ([]string, error) {
	beside, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	files := []string{path}
	for _, entry := range beside { // in the order of their names
		number, found := strings.CutPrefix(entry.Name(), filepath.Base(path)+".")
		if found && len(number) == len(fileNumber(0)) && strings.Trim(number, "0123456789") == "" {
			files = append(files, path+"."+number)
		}
	}
	return files, nil
}

// filesAt is logFiles for a path that may be a link.
func filesAt(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().IsRegular() {
		path, err = realPath(path)
	}
	if err != nil {
		return nil, err
	}
	return logFiles(path)
}

// fileNumber is the suffix of the name of a file that begins with a given line.
func fileNumber(line int64) string { return fmt.Sprintf("%012d", line) }

// AuditFiles returns all files of an audit log as one, for [VerifyLog] and [ReadLog]. path is the first file, with which the
// log is opened.
func AuditFiles(path string) (io.ReadCloser, error) {
	files, err := filesAt(path)
	if err != nil {
		return nil, fmt.Errorf("approver: audit log: %w", err)
	}
	var all logReader
	var parts []io.Reader
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("approver: audit log: %w", err), all.Close())
		}
		all.files, parts = append(all.files, file), append(parts, file)
	}
	all.Reader = io.MultiReader(parts...)
	return &all, nil
}

type logReader struct {
	io.Reader
	files []*os.File
}

func (r *logReader) Close() error { return closeAll(r.files) }

func closeAll(files []*os.File) (err error) {
	for _, file := range files {
		err = errors.Join(err, file.Close())
	}
	return err
}

// open opens the files, and restores the log to the end of its last complete line.
func (l *AuditLog) open() (err error) {
	if err := checkFile(l.path, l.insecure); err != nil {
		return err
	}
	if l.first, err = os.OpenFile(l.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
		return err
	}
	l.file = l.first
	if l.lock, err = lockFile(l.first, l.path); err != nil {
		return fmt.Errorf("another process may be writing it: %w", err)
	}
	if !l.special() {
		if l.path, err = realPath(l.path); err == nil {
			err = unlessLinked(l.first)
		}
		if err != nil {
			return err
		}
	}
	files, err := logFiles(l.path)
	if err != nil {
		return err
	}
	for _, path := range append(files[:len(files):len(files)], checkpointPath(l.path)) {
		if err := checkFile(path, l.insecure); err != nil {
			return err
		}
	}
	l.files = files
	if n := len(files); n > 1 {
		if l.file, err = os.OpenFile(files[n-1], os.O_RDWR|os.O_APPEND, 0o600); err != nil {
			l.file = nil
			return err
		}
	}
	if err := l.resume(files); err != nil {
		return err
	}
	if err := durable.SyncFolder(filepath.Dir(l.path)); err != nil { // without its name, a file's lines are lost even if they are on the disk
		return err
	}
	l.opened = l.last.Head.Seq
	return l.save()
}

// resume reads what follows the checkpoint, or everything, and repairs the end.
func (l *AuditLog) resume(files []string) error {
	saved := readMark(l.path)
	from := mark{}
	if saved.fits(files) {
		from, l.saved = saved, saved.Head.Seq
	}
	torn, err := l.read(files, from, saved.Head)
	completed := false
	if err == nil && torn != nil {
		completed, err = l.complete(torn.tail)
	}
	switch {
	case err != nil:
		return err
	case l.last.Head.Seq < saved.Head.Seq:
		return wrong(l.last.Head.Seq+1, "is missing: the log had %d lines when it was read or written the last time, and lines were cut off its end, or files of it "+
			"are gone. Put them back, see by qredo agent verify-log that all lines are there, and start again. If they are lost, find out what was approved "+
			"since line %d, then move all of %s away, with %s, and begin a new log", saved.Head.Seq, l.last.Head.Seq, l.path, checkpointPath(l.path))
	case torn == nil || completed:
		return nil
	}
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	_, err = l.append(Entry{Kind: EntryTorn, Reason: fmt.Sprintf("%d bytes of an incomplete line were removed", torn.torn)}, true)
	return err
}

// complete adds a missing line end to the last line: what the line says may have been carried out.
func (l *AuditLog) complete(tail []byte) (bool, error) {
	for i := range lineEnd {
		line := append(bytes.Clone(tail), lineEnd[i:]...)
		e, hash, problem := readLine(line, int64(len(line)), l.last.Head)
		if problem != nil {
			continue
		}
		_, err := l.file.WriteString(lineEnd[i:])
		if err == nil {
			err = l.file.Sync()
		}
		l.last.advance(e, hash, l.size, l.sizes)
		l.size += int64(len(line))
		return true, err
	}
	return false, nil
}

// fits reports whether a checkpoint belongs to a log: the files before its line have the same sizes, and its line is
// where it was.
func (m *mark) fits(files []string) bool {
	if m.Version != markVersion || m.Head.Seq == 0 || len(m.Sizes) >= len(files) {
		return false
	}
	for i, size := range m.Sizes {
		if info, err := os.Stat(files[i]); err != nil || info.Size() != size {
			return false
		}
	}
	file, err := os.Open(files[len(m.Sizes)])
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it was only read
	found := errors.New("it is there")
	_, _, err = readLog(io.NewSectionReader(file, m.Offset, maxLine), m.before(), 0, func(_ Entry, hash string, _ int64) error {
		if hash == m.Head.Hash {
			return found
		}
		return io.ErrUnexpectedEOF
	})
	return errors.Is(err, found)
}

// before is the head of the log before the line of a mark.
func (m *mark) before() Head {
	if m.Head.Seq == 0 {
		return Head{}
	}
	return Head{m.Head.Seq - 1, m.Prev}
}

// read reads the files from a mark on. A line that is known must not have changed. It returns an incomplete line at the
// very end.
func (l *AuditLog) read(files []string, from mark, known Head) (torn *LogError, err error) {
	l.last = mark{Head: from.before(), Epoch: from.Epoch, Decided: from.Decided, Open: maps.Clone(from.Open)}
	l.sizes = slices.Clone(from.Sizes)
	offset := from.Offset
	for i := len(from.Sizes); i < len(files); i++ {
		file, err := os.Open(files[i])
		if err != nil {
			return nil, err
		}
		_, l.size, err = readLog(io.NewSectionReader(file, offset, 1<<62), l.last.Head, offset, func(e Entry, hash string, at int64) error {
			if e.Seq == known.Seq && hash != known.Hash {
				return wrong(e.Seq, "is not the line that it was when the log was read the last time: the log was written anew")
			}
			l.last.advance(e, hash, at, l.sizes)
			return nil
		})
		_ = file.Close() // it was only read
		if errors.As(err, &torn) && torn.torn > 0 && i == len(files)-1 {
			break
		}
		if err != nil {
			return nil, err
		}
		if i < len(files)-1 {
			l.sizes = append(l.sizes, l.size)
		}
		offset = 0
	}
	return torn, nil
}

// rotate starts the next file.
func (l *AuditLog) rotate() error {
	if l.special() {
		return nil
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	name := l.path + "." + fileNumber(l.last.Head.Seq+1)
	next, err := os.OpenFile(name, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	full := l.file
	l.file, l.sizes, l.size = next, append(l.sizes[:len(l.sizes):len(l.sizes)], l.size), 0
	l.files = append(l.files, name)
	if full != l.first {
		err = full.Close()
	}
	return errors.Join(err, durable.SyncFolder(filepath.Dir(l.path)))
}

// closeFiles closes all open files.
func (l *AuditLog) closeFiles() (err error) {
	if l.file != nil && l.file != l.first {
		err = l.file.Close()
	}
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	if l.first != nil {
		err = errors.Join(err, l.first.Close())
	}
	return err
}
