package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Errors of files, which are named in the texts of those that are returned.
var (
	ErrInUse   = errors.New("another program has it open")
	ErrClosed  = errors.New("it is closed")
	ErrDamaged = errors.New("it is damaged")
)

// Bolt is a bbolt file. bbolt takes what it finds in a file for right, panics where that cannot be, and reads a mapping of the
// file, where what was cut off is a fault that ends the program. Here, all of this is an error that names the file.
type Bolt struct {
	path   string
	place  string   // absolute path
	file   *os.File // bbolt's own
	db     *bolt.DB
	pages  int64                    // the size of a page, in bytes
	size   atomic.Int64             // the largest known size, in bytes
	last   atomic.Pointer[boltMeta] // of the last commit
	closed atomic.Bool
	broken atomic.Pointer[error] // after a panic that may have left bbolt's locks locked, it is not used any more

	mu      sync.Mutex
	waiting []*update
	storing bool // a goroutine is storing the waiting changes, or is about to

	// Of the last commit, for the goroutine that stores.
	shared int
	took   time.Duration
}

// OpenBolt opens a file for this program alone, or makes it. Another program that has it open is waited for, for a second. A
// file that is cut, that is something else, or whose pages lead astray is an error.
func OpenBolt(path string) (*Bolt, error) {
	if err := createBolt(path); err != nil {
		return nil, err
	}
	b, err := open(path, false)
	if err != nil {
		return nil, err
	}
	if err := SyncFolder(filepath.Dir(path)); err != nil { // otherwise a crash of the machine could lose a new file and its content
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// ReadBolt opens a file to read what no program is about to change: as long as one has it open, it is ErrInUse, and as long as
// it is open here, no program can open it to change it.
func ReadBolt(path string) (*Bolt, error) { return open(path, true) }

func open(path string, readOnly bool) (b *Bolt, err error) {
	b = &Bolt{path: path, place: place(path)}
	err = b.caught(func() error {
		b.db, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout: time.Second, ReadOnly: readOnly, NoStatistics: true,
			OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
				return b.openFile(path, flag, mode, readOnly)
			},
		})
		return err
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		err = fmt.Errorf("another program has %s open: %w", path, ErrInUse)
	case err == nil:
		if err = b.inPlace(); err == nil {
			b.pages = int64(b.db.Info().PageSize) // which panics once the file is closed
			var newest boltMeta
			newest, err = b.newest()
			b.last.Store(&newest)
		}
	}
	if err != nil && b.file != nil {
		_ = b.abandon() // bbolt has closed it, except after a panic
	}
	return b, err
}

// openFile opens, locks and checks the file before bbolt maps it.
func (b *Bolt) openFile(path string, flag int, mode os.FileMode, readOnly bool) (file *os.File, err error) {
	if file, err = os.OpenFile(path, flag&^os.O_CREATE, mode); err != nil {
		return nil, err
	}
	locked, err := lock(file, !readOnly)
	if err == nil {
		err = checkBolt(file, path, locked)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	b.file = file
	return file, nil
}

func (b *Bolt) closedError() error { return fmt.Errorf("%s: %w", b.path, ErrClosed) }

// Buckets makes the buckets that a file needs and has not. A file that has others, but not the first, is something else.
func (b *Bolt) Buckets(names ...[]byte) error {
	return b.Update(func(tx *bolt.Tx) error {
		if first, _ := tx.Cursor().First(); first != nil && tx.Bucket(names[0]) == nil {
			return fmt.Errorf("%s belongs to another program: it holds %q", b.path, first)
		}
		for _, name := range names {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// View calls read in a transaction. What read gets from it is its own until it returns.
func (b *Bolt) View(read func(*bolt.Tx) error) error { return b.transact(false, read) }

// transact cleans up bbolt after a panic outside do.
func (b *Bolt) transact(writable bool, do func(*bolt.Tx) error) error {
	if broken := b.broken.Load(); broken != nil {
		return *broken
	}
	err := b.inPlace()
	if err == nil && writable {
		err = b.unchanged()
	}
	if err != nil {
		return err
	}
	last := b.last.Load().txID
	var tx *bolt.Tx
	err = b.intact(func() (err error) {
		tx, err = b.db.Begin(writable)
		return err
	})
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return b.closedError()
	}
	if err != nil {
		return err
	}
	id := uint64(tx.ID()) //nolint:gosec // no less than zero
	if id < last || writable && id != last+1 {
		err = b.changed()
	} else {
		err = b.caught(func() error { return do(tx) })
	}
	if err == nil && writable {
		return b.committed(id, b.intact(tx.Commit))
	}
	if undone := b.intact(tx.Rollback); undone != nil {
		return errors.Join(err, undone)
	}
	return err
}

// caught turns a panic into an error, including one from reading beyond the end of the file.
func (b *Bolt) caught(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %v: restore it from a copy: %w", b.path, p, ErrDamaged)
		}
	}()
	return do()
}

// intact is caught for bbolt's own work. If that panics, the state is uncertain.
func (b *Bolt) intact(do func() error) error {
	err := b.caught(do)
	if errors.Is(err, ErrDamaged) {
		b.broken.CompareAndSwap(nil, &err)
	}
	return err
}

// Close closes the file, and waits for transactions. After it, they return ErrClosed.
func (b *Bolt) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	closed := b.closedError()
	if b.broken.Swap(&closed) != nil {
		return b.abandon() // bbolt's Close would wait for its locks
	}
	return b.caught(b.db.Close)
}

// abandon releases the file to other programs. It keeps the mapping, because somebody may be reading it.
func (b *Bolt) abandon() error { return errors.Join(unlock(b.file), b.file.Close()) }

// update is a change that waits to be stored.
type update struct {
	change func(*bolt.Tx) error
	err    error
	leads  chan bool // true: it is this caller's turn to store the waiting changes; false: another caller has stored it
}

// patience is how long a commit waits at most for more changes when several callers are active.
const patience = time.Millisecond

// Update has change change the file, and returns when that is on the disk, or undone with the error of change. Changes that
// come at about the same time share a transaction, so that change may be called several times.
func (b *Bolt) Update(change func(*bolt.Tx) error) error {
	u := &update{change: change, leads: make(chan bool, 1)}
	b.mu.Lock()
	b.waiting = append(b.waiting, u)
	lead := !b.storing
	b.storing = true
	b.mu.Unlock()
	if lead || <-u.leads {
		b.storeWaiting(u, !lead)
	}
	return u.err
}

// storeWaiting stores the waiting changes, and has the first of those that arrived in the meantime do the same. Callers
// whose changes have just been stored usually come again at once, so it waits for them for part of the duration of a
// commit.
func (b *Bolt) storeWaiting(u *update, several bool) {
	if several || b.shared > 1 {
		time.Sleep(min(b.took/4, patience)) //nolint:forbidigo // for callers that may not come
	}
	b.mu.Lock()
	all := b.waiting
	b.waiting = nil
	b.mu.Unlock()
	began := time.Now()
	b.store(all)
	b.shared, b.took = len(all), time.Since(began)
	for _, other := range all {
		if other != u {
			other.leads <- false
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.storing = len(b.waiting) > 0; b.storing {
		b.waiting[0].leads <- true
	}
}

// store stores changes in one transaction, except those that return an error.
func (b *Bolt) store(all []*update) {
	for len(all) > 0 {
		failed := -1
		err := b.transact(true, func(tx *bolt.Tx) error {
			for i, u := range all {
				if u.err = b.caught(func() error { return u.change(tx) }); u.err != nil {
					failed = i
					return u.err
				}
			}
			return nil
		})
		if failed < 0 {
			for _, u := range all {
				u.err = err
			}
			return
		}
		all = append(all[:failed:failed], all[failed+1:]...)
	}
}
