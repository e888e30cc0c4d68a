package approver_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

func openStore(t *testing.T, path string, now func() time.Time) *approver.FileStore {
	t.Helper()
	s, err := approver.OpenStore(path, approver.WithClock(now))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestMemoryStore(t *testing.T) {
	trial.TestStore(t, func(_ *testing.T, now func() time.Time) approver.Store {
		return approver.NewMemoryStore(approver.WithClock(now))
	})
}

func TestFileStore(t *testing.T) {
	trial.TestStore(t, func(t *testing.T, now func() time.Time) approver.Store {
		t.Helper()
		return openStore(t, filepath.Join(t.TempDir(), "store"), now)
	})
}

func TestFileStoreKeepsWhatItHas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	clock := trial.NewClock(noon)
	s, err := approver.OpenStore(path, approver.WithClock(clock.Now))
	require.NoError(t, err)
	spend := approver.Spend{Counter: "c", Amount: 5, Window: time.Hour, MaxAmount: 10}
	rec := approver.Record{ActionID: "a", Verdict: approver.Approve, Decided: noon, Expires: noon.Add(time.Hour), Token: "t"}
	_, err = s.Reserve(t.Context(), rec, []approver.Spend{spend})
	require.NoError(t, err)
	_, err = approver.OpenStore(path, approver.WithClock(clock.Now))
	require.Error(t, err, "another process may use it")
	require.NoError(t, s.Close())

	s = openStore(t, path, clock.Now)
	stands, found, err := s.Lookup(t.Context(), "a")
	require.NoError(t, err)
	assert.True(t, found)
	rec.Seq = 1
	assert.Equal(t, rec, stands)
	used, err := s.Usage(t.Context(), []approver.Spend{spend})
	require.NoError(t, err)
	assert.Equal(t, []approver.Usage{{Amount: 5, Count: 1}}, used)
}

// A file that has lost something must not be taken for one that has counted less.
func TestFileStoreThatIsDamaged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s, err := approver.OpenStore(path)
	require.NoError(t, err)
	for i := range 50 {
		rec := approver.Record{ActionID: qredo.ActionID(fmt.Sprint(i)), Expires: noon.Add(time.Hour), Token: strings.Repeat("t", 1000)}
		_, err = s.Reserve(t.Context(), rec, nil)
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, size := range []int{0, len(whole) / 8, len(whole) / 4} {
		require.NoError(t, os.WriteFile(path, whole[:size], 0o600))
		_, err = approver.OpenStore(path)
		require.ErrorContains(t, err, path)
	}

	require.NoError(t, os.WriteFile(path, whole, 0o600))
	s = openStore(t, path, time.Now)
	require.NoError(t, os.Truncate(path, 8192))
	_, err = s.Reserve(t.Context(), approver.Record{ActionID: "after"}, nil)
	require.ErrorContains(t, err, path)
	_, _, err = s.Lookup(t.Context(), "49")
	require.ErrorContains(t, err, path)
}

// A file whose name is not on the disk is gone after a crash of the machine, and its sums with it.
func TestTheFolderOfANewFileIsSynced(t *testing.T) {
	folder := t.TempDir()
	assert.True(t, durabletest.SyncsFolder(t, folder, func() {
		s, err := approver.OpenStore(filepath.Join(folder, "store"))
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}), "by OpenStore")
	assert.True(t, durabletest.SyncsFolder(t, folder, func() {
		log, err := approver.OpenAuditLog(filepath.Join(folder, "log"))
		require.NoError(t, err)
		require.NoError(t, log.Close())
	}), "by OpenAuditLog")
}

func TestFileStoreForgetsWhatCannotComeAgain(t *testing.T) {
	clock := trial.NewClock(noon)
	s := openStore(t, filepath.Join(t.TempDir(), "store"), clock.Now)
	for i := range 20 {
		expires := noon.Add(time.Hour)
		if i == 0 {
			expires = time.Unix(9223372036825516800, 0).UTC() // as far as the wire goes
		}
		rec := approver.Record{ActionID: qredo.ActionID(fmt.Sprint(i)), Verdict: approver.Reject, Expires: expires}
		_, err := s.Reserve(t.Context(), rec, nil)
		if i == 0 {
			require.Error(t, err, "such a time is not written")
			rec.Expires = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
			_, err = s.Reserve(t.Context(), rec, nil)
		}
		require.NoError(t, err)
	}
	clock.Forward(25 * time.Hour)
	for i := range 20 {
		_, err := s.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(fmt.Sprint("later", i)), Expires: clock.Now()}, nil)
		require.NoError(t, err)
	}
	for i := range 20 {
		_, found, err := s.Lookup(t.Context(), qredo.ActionID(fmt.Sprint(i)))
		require.NoError(t, err)
		assert.Equal(t, i == 0, found, i)
	}
}

// Recipients come once each, and not again: what was counted of them goes.
func TestFileStoreForgetsCountersThatNobodyUses(t *testing.T) {
	clock := trial.NewClock(noon)
	path := filepath.Join(t.TempDir(), "store")
	s, err := approver.OpenStore(path, approver.WithClock(clock.Now))
	require.NoError(t, err)
	round := func(name string) {
		for i := range 100 {
			rec := approver.Record{ActionID: qredo.ActionID(fmt.Sprint(name, i)), Expires: noon}
			_, err := s.Reserve(t.Context(), rec, []approver.Spend{{Counter: fmt.Sprint(name, i), Window: time.Hour, MaxCount: 3}})
			require.NoError(t, err)
		}
	}
	round("first")
	clock.Forward(2 * time.Hour)
	round("second")
	require.NoError(t, s.Close())
	db, err := durable.ReadBolt(path)
	require.NoError(t, err)
	defer func() { assert.NoError(t, db.Close()) }()
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		for _, bucket := range []string{"sums", "lasts", "ends"} {
			assert.Equal(t, 100, tx.Bucket([]byte(bucket)).Inspect().KeyN, bucket)
		}
		return nil
	}))
}

// A store that others can write lets any limit pass.
func TestFileStoreThatCannotBeTrusted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s, err := approver.OpenStore(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	if runtime.GOOS != "windows" { // where the mode does not tell who can write
		require.NoError(t, os.Chmod(path, 0o666))
		_, err = approver.OpenStore(path)
		require.ErrorContains(t, err, "chmod go-w "+path)
		require.NoError(t, os.Chmod(path, 0o600))
	}
}

// TestTheJSONOfRecordsAndEntries holds what is stored, and what people read in a log, to its names.
func TestTheJSONOfRecordsAndEntries(t *testing.T) {
	for _, stored := range []any{
		approver.Record{ActionID: "a", PolicyHash: "h", Outcome: approver.OutcomeSent},
		approver.Entry{ActionID: "a", PolicyHash: "h", Outcome: approver.OutcomeSent},
	} {
		data, err := json.Marshal(stored)
		require.NoError(t, err)
		for _, field := range []string{`"action_id":"a"`, `"policy_hash":"h"`, `"outcome":"sent"`} {
			assert.Contains(t, string(data), field)
		}
	}
}
