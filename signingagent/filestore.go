package signingagent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/durable"
)

// FileStore is a [Store] in an encrypted file.
type FileStore struct {
	path     string
	sealer   func() Sealer // a function, because no printer looks into one: somebody's own Sealer may have its key in a field
	insecure bool
}

// NewFileStore returns the store in a file, which need not exist yet. The file is written for its owner only (mode 0600),
// completely or not at all; if the path is a symbolic link, its target is written. Several programs may have it open: none
// overwrites what another has written since it last read the file, except on Windows, where files are not locked, if both write
// at the same instant. A file that others can read, write or replace is refused, unless you give [approver.WithInsecureFiles];
// on Windows none is refused. Nothing is read before the first Load or Save.
func NewFileStore(path string, s Sealer, insecure ...approver.InsecureFilesOption) *FileStore {
	return &FileStore{path, func() Sealer { return s }, len(insecure) > 0}
}

// Format prints the path, whatever the verb.
func (f FileStore) Format(s fmt.State, _ rune) { fmt.Fprintf(s, "signingagent.FileStore(%q)", f.path) }

// sealedFile is the file's content.
type sealedFile struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Sealed  []byte `json:"sealed"`
}

const (
	fileFormat  = "qredo-signing-agent"
	fileVersion = 1
	mostBytes   = 16 << 20 // of a file
)

var errNoFileStore = &qredo.ValidationError{Field: "file store", Rule: "needs a path and a sealer"}

// Load reads the identity. It returns [ErrDamaged] for a damaged file, and [ErrSealed] if the sealer cannot open it.
func (f *FileStore) Load(ctx context.Context) (*Identity, error) {
	if f.path == "" || f.sealer == nil || f.sealer() == nil {
		return nil, errNoFileStore
	}
	data, err := readPrivate(f.path, f.insecure)
	if err != nil {
		return nil, err
	}
	id, err := f.read(ctx, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return id, nil
}

// read unseals the file's content.
func (f *FileStore) read(ctx context.Context, data []byte) (*Identity, error) {
	var file sealedFile
	switch err := json.Unmarshal(data, &file); {
	case err != nil || file.Format != fileFormat || len(file.Sealed) == 0:
		return nil, fmt.Errorf("%w: it is not the file of a signing agent of this package: restore it from a copy, or import it if it is the old program's", ErrDamaged)
	case file.Version != fileVersion:
		return nil, fmt.Errorf("%w: the file has version %d, and this program knows version %d: use a later program, or put it back from a copy", ErrDamaged, file.Version, fileVersion)
	}
	plain, err := f.sealer().Open(ctx, file.Sealed)
	if err != nil {
		return nil, err
	}
	return ParseIdentity(plain)
}

// Save writes the identity.
func (f *FileStore) Save(ctx context.Context, id *Identity) error {
	if f.path == "" || f.sealer == nil || f.sealer() == nil {
		return errNoFileStore
	}
	return savePrivate(f.path, f.insecure, func(was []byte) ([]byte, error) {
		if was != nil {
			stored, err := f.read(ctx, was)
			if err == nil {
				err = CheckReplace(stored, id)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.path, err)
			}
		}
		plain, err := id.MarshalWithSecrets()
		if err != nil {
			return nil, err
		}
		sealed, err := f.sealer().Seal(ctx, plain)
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(sealedFile{fileFormat, fileVersion, sealed})
		return append(data, '\n'), err
	})
}

// readPrivate reads a file, unless others can read it.
func readPrivate(path string, insecure bool) ([]byte, error) {
	if !insecure {
		if err := durable.CheckPrivate(path); err != nil {
			return nil, fmt.Errorf("signingagent: %w", err)
		}
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no %s", ErrNoIdentity, path)
	}
	if err != nil {
		return nil, fmt.Errorf("signingagent: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(file, mostBytes+1))
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("signingagent: %w", err)
	}
	if len(data) > mostBytes {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrDamaged, path, mostBytes)
	}
	return data, nil
}

// savePrivate writes what next makes of a file's content, nil if there is no file. If another program writes in the
// meantime, next is called again. It writes or creates the target of a symbolic link, and keeps the link.
func savePrivate(path string, insecure bool, next func(was []byte) ([]byte, error)) error {
	for {
		was, err := readPrivate(path, insecure)
		if err != nil && !errors.Is(err, ErrNoIdentity) {
			return err
		}
		data, err := next(was)
		if err != nil {
			return err
		}
		at, err := durable.Follow(path)
		switch {
		case err != nil:
		case was != nil:
			err = durable.Exchange(at, was, data)
		default:
			if err = durable.MkdirAll(filepath.Dir(at)); err == nil {
				err = durable.CreateWhole(at, data)
			}
		}
		switch {
		case errors.Is(err, durable.ErrChanged):
			continue
		case errors.Is(err, fs.ErrExist):
			return fmt.Errorf("%w: %s was made just now by another program", ErrIdentityExists, at)
		case err != nil:
			return fmt.Errorf("signingagent: %s: %w", path, err)
		}
		return nil
	}
}
