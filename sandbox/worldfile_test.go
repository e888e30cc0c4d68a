package sandbox_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// documented is the example of docs/worlds.md, whole.
func documented(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "worlds.md"))
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, blocks, 1)
	return blocks[0][1]
}

func TestDocumentedWorld(t *testing.T) {
	s := newService(t)
	made, err := s.MakeWorld(strings.NewReader(documented(t)))
	require.NoError(t, err)
	assert.Equal(t, "payroll", made.Name)
	state, err := s.State()
	require.NoError(t, err)
	require.Len(t, state.Companies, 2)
	wallets := map[string]sandbox.WalletState{}
	for _, c := range state.Companies {
		for _, f := range c.Funds {
			for _, w := range f.Wallets {
				wallets[c.Name+"/"+f.Name+"/"+w.Name] = w
			}
		}
	}
	require.Len(t, wallets, 4)
	for path, w := range wallets {
		assert.Equal(t, w.ID, made.Wallets[path])
	}
	main := wallets["Acme/Payroll/Main"]
	assert.Equal(t, []qredo.Amount{123_456_789, 10_010_000}, []qredo.Amount{main.Balance, main.Held}, "1.23456789 exactly, and 0.1 with what it costs")
	for user, waiting := range map[string]int{"ann@acme.example": 0, "ben@acme.example": 1, "cleo@acme.example": 0} {
		pending, err := s.Pending(user)
		require.NoError(t, err)
		assert.Len(t, pending, waiting, user)
	}
	assert.Len(t, made.Payments, 2)
	require.NoError(t, s.Approve("ben@acme.example", string(made.Payments["salaries"])))
	client := made.CoreClients["Night desk"]
	assert.NotEmpty(t, client)
	require.NoError(t, s.Accept("cleo@acme.example", made.Companies["Acme"]), "who was invited can accept")
}

func TestWorldsByControlCalls(t *testing.T) {
	s := newService(t).Sandbox
	c := controlOf(t, s)
	list, err := c.Worlds(t.Context())
	require.NoError(t, err)
	assert.Equal(t, s.Worlds(), list)
	require.Len(t, list, 1)
	assert.Equal(t, "demo", list[0].Name)
	assert.NotEmpty(t, list[0].Description)

	made, err := c.MakeNamedWorld(t.Context(), "demo")
	require.NoError(t, err)
	assert.Len(t, made.Wallets, 5)
	_, err = c.MakeNamedWorld(t.Context(), "nonsense")
	require.ErrorIs(t, err, qredo.ErrNotFound)

	made, err = c.MakeWorld(t.Context(), strings.NewReader(documented(t)))
	require.NoError(t, err)
	assert.Len(t, made.Wallets, 4, "in place of what there was")
	state, err := s.State()
	require.NoError(t, err)
	assert.Len(t, state.Companies, 2)

	_, err = c.MakeWorld(t.Context(), strings.NewReader("companies:\n  - {name: A, nome: B}\nusers: [{}]\n"))
	require.ErrorIs(t, err, qredo.ErrBadRequest)
	require.ErrorContains(t, err, "2:15: a company has no key \"nome\"")
	require.ErrorContains(t, err, "3:9: a user must have the key email")
	after, err := s.State()
	require.NoError(t, err)
	assert.Equal(t, state, after, "nothing has changed")
}

func TestWithWorldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "world.yaml")
	require.NoError(t, os.WriteFile(path, []byte(documented(t)), 0o600))
	store := filepath.Join(dir, "store")
	s, err := sandbox.New(sandbox.WithWorldFile(path), sandbox.WithStore(store))
	require.NoError(t, err)
	before, err := s.State()
	require.NoError(t, err)
	assert.Len(t, before.Companies, 2)
	require.NoError(t, s.Close())
	journals, err := filepath.Glob(filepath.Join(store, "journal-*.log"))
	require.NoError(t, err)
	require.Len(t, journals, 1)
	journal, err := os.ReadFile(journals[0])
	require.NoError(t, err)
	assert.Empty(t, string(journal), "it is stored at once: a sandbox that is killed on the way has none of it, and begins again")

	s, err = sandbox.New(sandbox.WithWorldFile(path), sandbox.WithStore(store))
	require.NoError(t, err)
	after, err := s.State()
	require.NoError(t, err)
	assert.Equal(t, before.Companies, after.Companies, "it is not made twice")
	require.NoError(t, s.Close())

	require.NoError(t, os.WriteFile(path, []byte("companies: 1\n"), 0o600))
	other := filepath.Join(dir, "other")
	_, err = sandbox.New(sandbox.WithWorldFile(path), sandbox.WithStore(other))
	var wrong *sandbox.WorldFileError
	require.ErrorAs(t, err, &wrong)
	require.ErrorIs(t, err, qredo.ErrBadRequest)
	assert.Equal(t, path+":1:12: companies must be a list: it is a single value", err.Error())
	s, err = sandbox.New(sandbox.WithStore(other)) // which was let go
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = sandbox.New(sandbox.WithWorldFile(filepath.Join(dir, "none")))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Two worlds with the same seed and clock are the same, so that a test can know its IDs.
func TestWorldFilesAreMadeAlikeByTheSameSeed(t *testing.T) {
	var made [2]sandbox.MadeWorld
	for i := range made {
		s := newService(t, sandbox.WithSeed(7))
		var err error
		made[i], err = s.MakeWorld(strings.NewReader(documented(t)))
		require.NoError(t, err)
	}
	assert.Equal(t, made[0], made[1])
}
