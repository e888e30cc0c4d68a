package store

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/qredo-go/qredo/internal/durable"
)

// Named are named snapshots, in a folder or in memory. Names must be valid file names.
type Named struct {
	dir string

	mu       sync.Mutex
	inMemory map[string]memory
}

type memory struct {
	text []byte
	at   time.Time
}

// NamedSnapshot is one of them.
type NamedSnapshot struct {
	Name  string
	At    time.Time
	Bytes int64
}

const namedEnd = ".jsonl.gz"

// NewNamed finds the snapshots of a folder.
func NewNamed(dir string) *Named { return &Named{dir: dir, inMemory: map[string]memory{}} }

func (n *Named) path(name string) string { return filepath.Join(n.dir, name+namedEnd) }

// Save keeps a snapshot under a name, replacing any older one.
func (n *Named) Save(name string, at time.Time, write func(io.Writer) error) error {
	var b bytes.Buffer
	zipped, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the level is right
	if err := errors.Join(write(zipped), zipped.Close()); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dir == "" {
		n.inMemory[name] = memory{b.Bytes(), at}
		return nil
	}
	if err := durable.MkdirAll(n.dir); err != nil {
		return err
	}
	if err := durable.Replace(n.path(name), b.Bytes()); err != nil {
		return err
	}
	return os.Chtimes(n.path(name), at, at)
}

// List returns them sorted by name.
func (n *Named) List() ([]NamedSnapshot, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []NamedSnapshot
	for name, s := range n.inMemory {
		all = append(all, NamedSnapshot{name, s.at, int64(len(s.text))})
	}
	if n.dir != "" {
		entries, err := os.ReadDir(n.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, entry := range entries {
			name, named := strings.CutSuffix(entry.Name(), namedEnd)
			if info, err := entry.Info(); err == nil && named && !strings.HasPrefix(name, ".") {
				all = append(all, NamedSnapshot{name, info.ModTime(), info.Size()})
			}
		}
	}
	slices.SortFunc(all, func(a, b NamedSnapshot) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// Open reads one. It returns fs.ErrNotExist for an unknown name.
func (n *Named) Open(name string) (io.ReadCloser, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var from io.ReadCloser
	if n.dir == "" {
		s, known := n.inMemory[name]
		if !known {
			return nil, fs.ErrNotExist
		}
		from = io.NopCloser(bytes.NewReader(s.text))
	} else {
		f, err := os.Open(n.path(name))
		if err != nil {
			return nil, err
		}
		from = f
	}
	unzipped, err := gzip.NewReader(bufio.NewReader(from))
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{unzipped, from}, nil
}

// Delete deletes one. It returns fs.ErrNotExist for an unknown name.
func (n *Named) Delete(name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dir != "" {
		if err := os.Remove(n.path(name)); err != nil {
			return err
		}
		return durable.SyncFolder(n.dir)
	}
	if _, known := n.inMemory[name]; !known {
		return fs.ErrNotExist
	}
	delete(n.inMemory, name)
	return nil
}
