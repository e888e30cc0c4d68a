package signingagent_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/signingagent"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return data
}

// stores are both kinds of stores in files, by their name.
func stores() map[string]func(path string) signingagent.Store {
	return map[string]func(path string) signingagent.Store{
		"sealed": func(path string) signingagent.Store {
			return signingagent.NewFileStore(path, signingagent.QuickPassphrase("open sesame"))
		},
		"old": func(path string) signingagent.Store { return signingagent.OpenOldStore(path) },
	}
}

func TestStoresKeepWhatARegistrationHasComeTo(t *testing.T) {
	for name, open := range stores() {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "agent")
			_, err := open(path).Load(t.Context())
			require.ErrorIs(t, err, signingagent.ErrNoIdentity)
			for step := begun; step <= finished; step++ {
				for range 2 {
					require.NoError(t, open(path).Save(t.Context(), identity(t, 1, step)))
				}
				id, err := open(path).Load(t.Context())
				require.NoError(t, err)
				requireSame(t, identity(t, 1, step), id)
				if runtime.GOOS != "windows" {
					info, err := os.Stat(path)
					require.NoError(t, err)
					assert.Equal(t, os.FileMode(0o600), info.Mode())
				}
				left, err := os.ReadDir(filepath.Dir(path))
				require.NoError(t, err)
				assert.Len(t, left, 1, "a file that was written first is left behind")
				for _, secret := range secretsOf(t, 1) {
					assert.NotContains(t, string(read(t, path)), secret)
				}
			}
		})
	}
}

func TestStoresNeverWriteOverAnother(t *testing.T) {
	for name, open := range stores() {
		for stored := begun; stored <= finished; stored++ {
			path := filepath.Join(t.TempDir(), "agent")
			require.NoError(t, open(path).Save(t.Context(), identity(t, 1, stored)))
			before := read(t, path)
			other := fields(t, 1, finished)
			other["id"] = "account Z"
			sameSeed, err := parse(t, other)
			require.NoError(t, err)
			others := []*signingagent.Identity{identity(t, 2, begun), identity(t, 2, answered), identity(t, 2, finished)}
			if stored > begun {
				others = append(others, sameSeed, identity(t, 1, begun))
			}
			for _, id := range others {
				err := open(path).Save(t.Context(), id)
				require.ErrorIs(t, err, signingagent.ErrIdentityExists, name)
				require.Equal(t, string(before), string(read(t, path)), name)
			}
			require.ErrorIs(t, open(path).Save(t.Context(), &signingagent.Identity{}), signingagent.ErrDamaged)
		}
	}
}

func TestAWrongPassphraseOpensAndChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent")
	id := identity(t, 1, begun)
	require.NoError(t, signingagent.NewFileStore(path, signingagent.QuickPassphrase("open sesame")).Save(t.Context(), id))
	before := read(t, path)
	wrong := signingagent.NewFileStore(path, signingagent.QuickPassphrase("close sesame"))
	_, err := wrong.Load(t.Context())
	require.ErrorIs(t, err, signingagent.ErrSealed)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "the passphrase is not the one that it was sealed with")
	assert.NotContains(t, err.Error(), "sesame")
	require.ErrorIs(t, wrong.Save(t.Context(), identity(t, 1, finished)), signingagent.ErrSealed)
	require.Equal(t, before, read(t, path))
}

func TestDamagedFilesAreErrorsThatSayWhatToDo(t *testing.T) {
	for name, open := range stores() {
		dir := t.TempDir()
		path := filepath.Join(dir, "agent")
		id := identity(t, 1, finished)
		require.NoError(t, open(path).Save(t.Context(), id))
		whole := read(t, path)
		damaged := map[string]string{
			"JSON of something else": `{"format":"else"}`, "a list": `[]`, "no JSON": "x", "null": "null",
			"another program's": strings.Repeat("key = value\n", 100), "too long": strings.Repeat(" ", 17<<20),
			"a version of later": strings.Replace(string(whole), `"version":1`, `"version":2`, 1),
		}
		for _, n := range []int{1, len(whole) / 2, len(whole) - 2} {
			damaged["cut after "+string(rune('0'+n%10))] = string(whole[:n])
		}
		for what, text := range damaged {
			if text == string(whole) || name == "old" && what == "JSON of something else" {
				continue // the old store has no version, and holds what others put there
			}
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			_, err := open(path).Load(t.Context())
			require.ErrorIs(t, err, signingagent.ErrDamaged, "%s: %s", name, what)
			require.ErrorContains(t, err, path)
			if what == "a version of later" {
				require.ErrorContains(t, err, "has version 2, and this program knows version 1: use a later program")
			}
			for _, secret := range secretsOf(t, 1) {
				assert.NotContains(t, err.Error(), secret)
			}
			require.ErrorIs(t, open(path).Save(t.Context(), id), signingagent.ErrDamaged, "%s: %s", name, what)
			require.Equal(t, text, string(read(t, path)), "what is damaged may be mended, and is not written over")
		}
	}
	require.Error(t, signingagent.NewFileStore("", nil).Save(t.Context(), identity(t, 1, finished)))
}

func TestFilesOfOthersAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions are lists there")
	}
	insecure := map[string]func(path string) signingagent.Store{
		"sealed": func(path string) signingagent.Store {
			return signingagent.NewFileStore(path, signingagent.QuickPassphrase("open sesame"), approver.WithInsecureFiles())
		},
		"old": func(path string) signingagent.Store {
			return signingagent.OpenOldStore(path, approver.WithInsecureFiles())
		},
	}
	for name, open := range stores() {
		path := filepath.Join(t.TempDir(), "agent")
		require.NoError(t, open(path).Save(t.Context(), identity(t, 1, finished)))
		for mode, want := range map[os.FileMode]any{0o604: new(*durable.OthersCanReadError), 0o602: new(*durable.OthersCanWriteError)} {
			require.NoError(t, os.Chmod(path, mode))
			_, err := open(path).Load(t.Context())
			require.ErrorAs(t, err, want, name)
			require.ErrorContains(t, err, "chmod")
			require.ErrorAs(t, open(path).Save(t.Context(), identity(t, 1, finished)), want, name)
			_, err = insecure[name](path).Load(t.Context())
			require.NoError(t, err)
		}
		require.NoError(t, insecure[name](path).Save(t.Context(), identity(t, 1, finished)))
		_, err := open(path).Load(t.Context())
		require.NoError(t, err, "what is written anew is its owner's alone")
	}
}

func TestImport(t *testing.T) {
	dir := t.TempDir()
	old := signingagent.OpenOldStore(filepath.Join(dir, "ccstore.db"))
	sealed := signingagent.NewFileStore(filepath.Join(dir, "agent"), signingagent.QuickPassphrase("open sesame"))
	_, err := signingagent.Import(t.Context(), old, sealed)
	require.ErrorIs(t, err, signingagent.ErrNoIdentity)
	for step := begun; step < finished; step++ {
		require.NoError(t, old.Save(t.Context(), identity(t, 1, step)))
		_, err = signingagent.Import(t.Context(), old, sealed)
		require.ErrorIs(t, err, signingagent.ErrNoIdentity)
	}
	require.NoError(t, old.Save(t.Context(), identity(t, 1, finished)))
	for range 2 {
		id, err := signingagent.Import(t.Context(), old, sealed)
		require.NoError(t, err)
		requireSame(t, identity(t, 1, finished), id)
	}
	stored, err := sealed.Load(t.Context())
	require.NoError(t, err)
	requireSame(t, identity(t, 1, finished), stored)
	other := signingagent.OpenOldStore(filepath.Join(dir, "other.db"))
	require.NoError(t, other.Save(t.Context(), identity(t, 2, finished)))
	_, err = signingagent.Import(t.Context(), other, sealed)
	require.ErrorIs(t, err, signingagent.ErrIdentityExists)
}

// oldFile is a file as the old program writes it.
func oldFile(t testing.TB, change func(record map[string]any, entries map[string][]byte)) []byte {
	t.Helper()
	f := fields(t, 1, finished)
	record := map[string]any{
		"name": f["name"], "id": f["id"], "bls_seed": f["blsSeed"], "account_code": f["id"], "zkpid": f["zkpID"], "zkptoken": f["zkpToken"], "pending": false,
	}
	pending, err := json.Marshal(map[string]any{"name": "failed", "id": "", "bls_seed": fields(t, 9, begun)["blsSeed"], "pending": true})
	require.NoError(t, err)
	entries := map[string][]byte{"8d1f2f4e-3a67-4d0a-9b2c-1f6d5a7e9c01": pending, "AgentID": []byte(f["id"].(string)), "of a later version": []byte("kept")}
	change(record, entries)
	data, err := json.Marshal(record)
	require.NoError(t, err)
	if _, set := entries["account B"]; !set {
		entries["account B"] = data
	}
	data, err = json.Marshal(entries)
	require.NoError(t, err)
	return data
}

func asItIs(map[string]any, map[string][]byte) {}

func TestTheOldProgramsFileIsReadAndWrittenAsItIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ccstore.db")
	require.NoError(t, os.WriteFile(path, oldFile(t, asItIs), 0o600))
	old := signingagent.OpenOldStore(path)
	id, err := old.Load(t.Context())
	require.NoError(t, err)
	without := fields(t, 1, finished)
	without["idDoc"] = nil // which that program does not keep
	same, err := parse(t, without)
	require.NoError(t, err)
	requireSame(t, same, id)
	require.NoError(t, old.Save(t.Context(), id))
	want := oldFile(t, func(_ map[string]any, entries map[string][]byte) {
		delete(entries, "8d1f2f4e-3a67-4d0a-9b2c-1f6d5a7e9c01")
	})
	var wanted, written map[string][]byte
	require.NoError(t, json.Unmarshal(want, &wanted))
	require.NoError(t, json.Unmarshal(read(t, path), &written))
	assert.JSONEq(t, string(wanted["account B"]), string(written["account B"]))
	delete(wanted, "account B")
	delete(written, "account B")
	assert.Equal(t, wanted, written, "what a registration that failed has left behind goes, all else stays")
}

func TestOldFilesThatAreWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(record map[string]any, entries map[string][]byte)
		want   error
	}{
		"no agent, but a registration that failed": {func(_ map[string]any, e map[string][]byte) { delete(e, "AgentID"); e["account B"] = nil }, signingagent.ErrNoIdentity},
		"an agent that has no record":              {func(_ map[string]any, e map[string][]byte) { e["AgentID"] = []byte("account C") }, signingagent.ErrDamaged},
		"a record that is not JSON":                {func(_ map[string]any, e map[string][]byte) { e["account B"] = []byte("x") }, signingagent.ErrDamaged},
		"a record that is pending":                 {func(r map[string]any, _ map[string][]byte) { r["pending"] = true }, signingagent.ErrDamaged},
		"a record with another account code":       {func(r map[string]any, _ map[string][]byte) { r["account_code"] = "account C" }, signingagent.ErrDamaged},
		"a record with another ID":                 {func(r map[string]any, _ map[string][]byte) { r["id"] = "account C" }, signingagent.ErrDamaged},
		"a record without a seed":                  {func(r map[string]any, _ map[string][]byte) { delete(r, "bls_seed") }, signingagent.ErrDamaged},
		"a record without a token":                 {func(r map[string]any, _ map[string][]byte) { delete(r, "zkptoken") }, signingagent.ErrDamaged},
		"a token that is no point":                 {func(r map[string]any, _ map[string][]byte) { r["zkptoken"] = make([]byte, 97) }, signingagent.ErrDamaged},
	} {
		_, err := signingagent.ReadOld(oldFile(t, c.change))
		require.ErrorIs(t, err, c.want, name)
		for _, secret := range secretsOf(t, 1) {
			assert.NotContains(t, err.Error(), secret)
		}
	}
	_, err := signingagent.ReadOld(nil)
	require.ErrorIs(t, err, signingagent.ErrNoIdentity)
}

func FuzzOldStore(f *testing.F) {
	f.Add(oldFile(f, asItIs))
	f.Add([]byte(`{"AgentID":"eA==","x":"e30="}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		id, err := signingagent.ReadOld(data)
		if err != nil {
			require.True(t, errors.Is(err, signingagent.ErrNoIdentity) || errors.Is(err, signingagent.ErrDamaged), err)
			return
		}
		path := filepath.Join(t.TempDir(), "ccstore.db")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		store := signingagent.OpenOldStore(path)
		require.NoError(t, store.Save(t.Context(), id))
		again, err := store.Load(t.Context())
		require.NoError(t, err)
		requireSame(t, id, again)
	})
}
