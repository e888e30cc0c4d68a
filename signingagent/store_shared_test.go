package signingagent_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

func TestOfTwoThatMakeAStoreOneDoes(t *testing.T) {
	for name, open := range stores() {
		path := filepath.Join(t.TempDir(), "agent")
		var group sync.WaitGroup
		errs := make([]error, 8)
		for i := range errs {
			id := identity(t, byte(i), finished)
			group.Go(func() { errs[i] = open(path).Save(t.Context(), id) })
		}
		group.Wait()
		id, err := open(path).Load(t.Context())
		require.NoError(t, err, name)
		for i, err := range errs {
			if identity(t, byte(i), finished).ID() == id.ID() {
				require.NoError(t, err, name)
			} else {
				require.ErrorIs(t, err, signingagent.ErrIdentityExists, name)
			}
		}
	}
}

// hooked is a sealer that lets something happen before it seals.
type hooked struct {
	signingagent.Sealer
	before func()
}

func (h hooked) Seal(ctx context.Context, plain []byte) ([]byte, error) {
	h.before()
	return h.Sealer.Seal(ctx, plain)
}

func TestAFileThatIsMadeMeanwhileIsNotWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent")
	s := signingagent.QuickPassphrase("open sesame")
	slow := signingagent.NewFileStore(path, hooked{s, func() {
		require.NoError(t, signingagent.NewFileStore(path, s).Save(t.Context(), identity(t, 1, finished)))
	}})
	require.ErrorIs(t, slow.Save(t.Context(), identity(t, 2, finished)), signingagent.ErrIdentityExists)
	id, err := slow.Load(t.Context())
	require.NoError(t, err)
	requireSame(t, identity(t, 1, finished), id)
}

// Two programs continue one interrupted registration. While one of them seals, which may take a key management service a
// while, the other learns that its agent is registered.
func TestAnAgentThatIsRegisteredMeanwhileIsNotWrittenOver(t *testing.T) {
	d := newWorld(t)
	path := filepath.Join(t.TempDir(), "agent")
	s := signingagent.QuickPassphrase("open sesame")
	quick := signingagent.NewFileStore(path, s)
	d.way.set(clienttest.LoseRequest)
	_, err := signingagent.Register(t.Context(), d.rsa, quick, "agent")
	require.Error(t, err)
	d.way.set(nil)
	var seals int
	var agent *signingagent.Agent
	slow := signingagent.NewFileStore(path, hooked{s, func() {
		if seals++; seals == 2 { // the first is that of the seed, again
			agent, err = signingagent.Register(t.Context(), d.rsa, quick, "agent")
			require.NoError(t, err)
		}
	}})
	_, err = signingagent.Register(t.Context(), d.rsa, slow, "agent")
	require.ErrorIs(t, err, signingagent.ErrIdentityExists)
	stored, err := quick.Load(t.Context())
	require.NoError(t, err)
	assert.Equal(t, agent.ID(), stored.ID())
}

func TestOfTwoThatGoOnInAStoreOneDoes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files are not locked there")
	}
	for name, open := range stores() {
		for range 20 {
			path := filepath.Join(t.TempDir(), "agent")
			require.NoError(t, open(path).Save(t.Context(), identity(t, 1, begun)))
			var group sync.WaitGroup
			ids := make([]*signingagent.Identity, 4)
			errs := make([]error, len(ids))
			for i := range ids {
				f := fields(t, 1, finished)
				f["id"] = "account " + string(rune('P'+i))
				var err error
				ids[i], err = parse(t, f)
				require.NoError(t, err)
				group.Go(func() { errs[i] = open(path).Save(t.Context(), ids[i]) })
			}
			group.Wait()
			stored, err := open(path).Load(t.Context())
			require.NoError(t, err, name)
			for i, id := range ids {
				if id.ID() == stored.ID() {
					require.NoError(t, errs[i], name)
				} else {
					require.ErrorIs(t, errs[i], signingagent.ErrIdentityExists, name)
				}
			}
		}
	}
}

// A container may have a link where its configuration is, to a volume that outlives it.
func TestALinkStaysAndWhatItLeadsToIsWritten(t *testing.T) {
	for name, open := range stores() {
		dir := t.TempDir()
		file, link := filepath.Join(dir, "volume", "agent"), filepath.Join(dir, "agent")
		if err := os.Symlink(filepath.Join("volume", "agent"), link); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
		require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
		for step := begun; step <= finished; step++ {
			require.NoError(t, open(link).Save(t.Context(), identity(t, 1, step)), name)
			for _, path := range []string{link, file} {
				id, err := open(path).Load(t.Context())
				require.NoError(t, err)
				requireSame(t, identity(t, 1, step), id)
			}
			info, err := os.Lstat(link)
			require.NoError(t, err)
			require.NotZero(t, info.Mode()&os.ModeSymlink, "%s: the link was replaced", name)
		}
	}
}
