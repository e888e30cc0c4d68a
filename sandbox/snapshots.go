package sandbox

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/store"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Snapshot is a saved state with a name.
type Snapshot struct {
	Name         string    `json:"name"`
	At           time.Time `json:"at"` // when it was taken, by the sandbox's clock
	Bytes        int64     `json:"bytes"`
	Transactions int       `json:"transactions"`
}

// snapshotName is the form of a snapshot's name, which becomes a file name.
var snapshotName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// openSnapshots finds the snapshots that have names. They are in the folder of the store, where there is one.
func (s *Sandbox) openSnapshots() {
	dir := ""
	if s.storeDir != "" {
		dir = filepath.Join(s.storeDir, "snapshots")
	}
	s.snapshots = store.NewNamed(dir)
}

// TakeSnapshot saves the current state under a name, replacing an older snapshot of that name. Names consist of letters and
// digits, with . _ and - in between. The snapshot ends with the sandbox, unless there is a store ([WithStore]).
func (s *Sandbox) TakeSnapshot(name string) error {
	if !snapshotName.MatchString(name) {
		return serve.BadRequest("name must consist of at most 64 letters, digits and ._-, and begin with a letter or digit")
	}
	snapshot, err := s.world.Snapshot()
	if err != nil {
		return err
	}
	return s.snapshots.Save(name, s.Now(), snapshot.Write)
}

// Snapshots lists the snapshots, sorted by name.
func (s *Sandbox) Snapshots() ([]Snapshot, error) {
	named, err := s.snapshots.List()
	all := make([]Snapshot, 0, len(named))
	for _, n := range named {
		from, err := s.openSnapshot(n.Name)
		if err != nil {
			continue // it was deleted meanwhile, or is something else
		}
		transactions, err := world.Transactions(bufio.NewReader(from))
		if err == nil {
			all = append(all, Snapshot{n.Name, n.At.UTC().Truncate(time.Millisecond), n.Bytes, transactions})
		}
		_ = from.Close()
	}
	return all, err
}

func (s *Sandbox) openSnapshot(name string) (io.ReadCloser, error) {
	if !snapshotName.MatchString(name) {
		return nil, serve.NotFound("snapshot")
	}
	from, err := s.snapshots.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, serve.NotFound("snapshot")
	}
	return from, err
}

// RestoreSnapshot replaces everything except the keys with the state saved under a name.
func (s *Sandbox) RestoreSnapshot(name string) error {
	from, err := s.openSnapshot(name)
	if err != nil {
		return err
	}
	defer from.Close()
	return s.Import(from)
}

// DeleteSnapshot deletes a snapshot.
func (s *Sandbox) DeleteSnapshot(name string) error {
	from, err := s.openSnapshot(name)
	if err != nil {
		return err
	}
	_ = from.Close()
	return s.snapshots.Delete(name)
}

type (
	snapshotList struct {
		Snapshots []Snapshot `json:"snapshots"`
	}
	snapshotRequest struct {
		Name string `json:"name"`
	}
)

var (
	callSnapshots = control.Get("/snapshots", func(s *Sandbox, _ ids, _ control.None) (snapshotList, error) {
		all, err := s.Snapshots()
		return snapshotList{all}, err
	})
	callTakeSnapshot = control.Post("/snapshots", func(s *Sandbox, _ ids, in snapshotRequest) (control.OK, error) {
		return control.Done(s.TakeSnapshot(in.Name))
	})
	callRestoreSnapshot = control.Post("/snapshots/{name}/restore", func(s *Sandbox, at ids, _ control.None) (control.OK, error) {
		return control.Done(s.RestoreSnapshot(at["name"]))
	})
	callDeleteSnapshot = control.Post("/snapshots/{name}/delete", func(s *Sandbox, at ids, _ control.None) (control.OK, error) {
		return control.Done(s.DeleteSnapshot(at["name"]))
	})
)

// TakeSnapshot saves the current state under a name: see [Sandbox.TakeSnapshot].
func (c *Control) TakeSnapshot(ctx context.Context, name string) error {
	return callTakeSnapshot.Tell(ctx, c.client(), snapshotRequest{name})
}

// Snapshots lists the snapshots: see [Sandbox.Snapshots].
func (c *Control) Snapshots(ctx context.Context) ([]Snapshot, error) {
	list, err := callSnapshots.Ask(ctx, c.client(), control.None{})
	return list.Snapshots, err
}

// RestoreSnapshot goes back to a snapshot: see [Sandbox.RestoreSnapshot].
func (c *Control) RestoreSnapshot(ctx context.Context, name string) error {
	return callRestoreSnapshot.Tell(ctx, c.client(), control.None{}, name)
}

// DeleteSnapshot deletes a snapshot: see [Sandbox.DeleteSnapshot].
func (c *Control) DeleteSnapshot(ctx context.Context, name string) error {
	return callDeleteSnapshot.Tell(ctx, c.client(), control.None{}, name)
}
