// Package store keeps a world on disk: a snapshot, and a journal of what was committed since. The caller defines their content.
//
// A folder has generations. Generation n is snapshot-n, and journal-n with what was committed after it. To fold a journal,
// journal-n+1 is begun first, then snapshot-n+1 is written in the background, and generation n is removed only when that is
// on disk under its name. So at any moment there is a complete snapshot and all later journals, which are read when the
// folder is opened.
package store

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/qredo-go/qredo/internal/durable"
)

// Store is a folder with a world. It is for one program at a time.
type Store struct {
	dir  string
	lock io.Closer

	mu         sync.Mutex
	generation uint64
	journal    *journal
	snapshot   int64 // bytes of the newest
	failed     error // of the last write, if it failed
	broken     error // nothing is written any more
}

// Names of files in the folder.
const (
	lockFile      = "lock"
	temporaryFile = "snapshot.new"
	snapshotForm  = "snapshot-%08d.jsonl.gz"
	journalForm   = "journal-%08d.log"
)

func (s *Store) path(form string, generation uint64) string {
	return filepath.Join(s.dir, fmt.Sprintf(form, generation))
}

// Open opens or creates a folder. It returns an error if another program has it open.
func Open(dir string) (*Store, error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, err
	}
	lock, err := durable.Lock(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	return &Store{dir: dir, lock: lock}, nil
}

// generations are the numbers of the files of a form, in their order.
func (s *Store) generations(form string) ([]uint64, error) {
	entries, err := os.ReadDir(s.dir) // in the order of names, which have as many digits
	var found []uint64
	for _, entry := range entries {
		var n uint64
		if _, err := fmt.Sscanf(entry.Name(), form, &n); err == nil && entry.Name() == fmt.Sprintf(form, n) {
			found = append(found, n)
		}
	}
	return found, err
}

// Load reads the newest snapshot, if there is one, and each record that was appended since.
func (s *Store) Load(snapshot func(io.Reader) error, record func([]byte) error) error {
	snapshots, err := s.generations(snapshotForm)
	if err != nil {
		return err
	}
	journals, err := s.generations(journalForm)
	if err != nil {
		return err
	}
	if len(snapshots) == 0 {
		if len(journals) > 0 {
			return fmt.Errorf("%s has %s and no snapshot before it: restore the folder from a copy", s.dir, filepath.Base(s.path(journalForm, journals[0])))
		}
		return s.loadOld(record)
	}
	s.generation = snapshots[len(snapshots)-1]
	if err := s.read(snapshot); err != nil {
		return fmt.Errorf("%s: %w", s.path(snapshotForm, s.generation), err)
	}
	for len(journals) > 0 && journals[0] < s.generation {
		journals = journals[1:] // it was folded
	}
	end := int64(0)
	for i, n := range journals {
		if want := s.generation + min(1, uint64(i)); n != want {
			return fmt.Errorf("%s is not there: restore the folder from a copy", s.path(journalForm, want))
		}
		s.generation = n
		if end, err = replay(s.path(journalForm, n), i == len(journals)-1, record); err != nil {
			return err
		}
	}
	if s.journal, err = s.open(s.generation, end); err != nil {
		return err
	}
	if err := s.removeOld(end); err != nil {
		return err
	}
	return s.removeBefore(snapshots[len(snapshots)-1])
}

// read reads the snapshot of the generation.
func (s *Store) read(snapshot func(io.Reader) error) error {
	f, err := os.Open(s.path(snapshotForm, s.generation))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil {
		s.snapshot = info.Size()
	}
	unzipped, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return err
	}
	return snapshot(unzipped)
}

// open opens the journal of a generation where it ends, without what comes after.
func (s *Store) open(generation uint64, end int64) (*journal, error) {
	path := s.path(journalForm, generation)
	f, err := openFile(path, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	err = f.Truncate(end)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = durable.SyncFolder(s.dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &journal{path: path, file: f, end: end, synced: end}, nil
}

// removeBefore removes older generations.
func (s *Store) removeBefore(generation uint64) error {
	var err error
	for _, form := range []string{snapshotForm, journalForm} {
		old, _ := s.generations(form)
		for _, n := range old {
			if n < generation {
				err = errors.Join(err, os.Remove(s.path(form, n)))
			}
		}
	}
	if removed := os.Remove(filepath.Join(s.dir, temporaryFile)); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// Append writes a record, which is on disk once Sync has returned without an error. After an error of Append the record is
// not in the journal.
func (s *Store) Append(record []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	err, broken := s.journal.append(record)
	s.failed = err
	if broken != nil {
		s.broken = fmt.Errorf("%s: %w", s.journal.path, errors.Join(err, broken))
	}
	return err
}

// Sync brings everything appended before to disk. After an error its state is unknown, and nothing more is written.
func (s *Store) Sync() error {
	s.mu.Lock()
	j, end, err := s.journal, s.journal.end, s.broken
	s.mu.Unlock()
	if err != nil {
		return err
	}
	err = j.file.Sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		j.synced = max(j.synced, end)
	case j == s.journal: // else it was folded, which has synced it
		s.broken = err
	default:
		err = nil
	}
	return err
}

// least is the size at which a journal is folded. Tests change it.
var least int64 = 16 << 20

// Grown reports whether the journal is large enough to fold.
func (s *Store) Grown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken == nil && s.journal.end > max(least, s.snapshot/4)
}

// Fold begins a generation: what was appended until now is synced, and further records go to the next journal. The returned
// function writes the snapshot of everything until now, which can happen while more is appended.
func (s *Store) Fold() (finish func(write func(io.Writer) error) error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	if err := s.journal.file.Sync(); err != nil {
		s.broken = err
		return nil, err
	}
	next, err := s.open(s.generation+1, 0)
	if err != nil { // the end of this one may be torn, as long as no other comes after it
		if removed := os.Remove(s.path(journalForm, s.generation+1)); !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
		return nil, err
	}
	_ = s.journal.file.Close() // it is synced
	s.generation++
	s.journal = next
	generation := s.generation
	return func(write func(io.Writer) error) error {
		if err := s.write(generation, write); err != nil {
			return err
		}
		return s.removeBefore(generation)
	}, nil
}

// Replace replaces everything with a snapshot. Its journal is begun afterwards: if it is interrupted, nothing has changed.
func (s *Store) Replace(write func(io.Writer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	generation := s.generation + 1
	s.mu.Unlock()
	err := s.write(generation, write)
	var next *journal
	if err == nil {
		next, err = s.open(generation, 0)
	}
	s.mu.Lock()
	if s.failed = err; err != nil {
		if _, there := os.Stat(s.path(snapshotForm, generation)); there == nil {
			s.broken = err // it has its name, and nobody knows for how long: nothing may follow on the one of before
		}
		return err
	}
	if s.journal != nil {
		_ = s.journal.file.Close() // nobody needs it
	}
	s.generation++
	s.journal = next
	if err := s.removeOld(0); err != nil {
		return err
	}
	return s.removeBefore(s.generation)
}

// write writes the snapshot of a generation. It gets its name when it is complete.
func (s *Store) write(generation uint64, write func(io.Writer) error) error {
	path := filepath.Join(s.dir, temporaryFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	zipped, _ := gzip.NewWriterLevel(f, gzip.BestSpeed) // the level is right
	err = write(zipped)
	if err == nil {
		err = zipped.Close()
	}
	if err == nil {
		err = durable.Rename(f, s.path(snapshotForm, generation))
	}
	size, _ := f.Seek(0, io.SeekCurrent)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshot = size
	return nil
}

// Close closes the folder. Unsynced records are lost.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(s.broken, durable.ErrClosed) {
		return nil
	}
	s.broken = fmt.Errorf("%s: %w", s.dir, durable.ErrClosed)
	var err error
	if s.journal != nil {
		err = s.journal.file.Close()
	}
	return errors.Join(err, s.lock.Close())
}
