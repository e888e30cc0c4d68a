package approver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// Version 0.1.0 kept no sums. What it has written is refused, with what to do, and stays as it is.
func TestFileOfFirstVersion(t *testing.T) {
	path := durabletest.Unpack(t, "approver-0.1.0.db")
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = approver.OpenStore(path)
	require.ErrorContains(t, err, path+": it was written by version 0.1.0")
	require.ErrorContains(t, err, "move it away and open a new one")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// TestFileForm fails when this version writes another form 2, or cannot read the one that it wrote.
func TestFileForm(t *testing.T) {
	path := filepath.Join(t.TempDir(), "approver.db")
	clock := trial.NewClock(trial.Start)
	s, err := approver.OpenStore(path, approver.WithClock(clock.Now))
	require.NoError(t, err)
	trial.Fill(t, s)
	require.NoError(t, s.Close())
	text := strings.ReplaceAll(durabletest.Dump(t, path), s.Epoch(), "THE EPOCH")
	durabletest.Is(t, text, "approver-form2.txt")

	path = durabletest.Build(t, "approver-form2.txt")
	for range 2 {
		s, err = approver.OpenStore(path, approver.WithClock(clock.Now))
		require.NoError(t, err)
		assert.Equal(t, "THE EPOCH", s.Epoch())
		trial.CheckFilled(t, s)
		require.NoError(t, s.Close())
	}

	set := func(form []byte) {
		db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			if form == nil {
				return tx.Bucket([]byte("epoch")).Delete([]byte("form"))
			}
			return tx.Bucket([]byte("epoch")).Put([]byte("form"), form)
		}))
		require.NoError(t, db.Close())
	}
	for form, why := range map[string]string{"3": "written by a later version, in form 3", "x": "does not say of which form"} {
		set([]byte(form))
		_, err = approver.OpenStore(path)
		require.ErrorContains(t, err, why)
	}
	set(nil) // as the first of this form
	s, err = approver.OpenStore(path, approver.WithClock(clock.Now))
	require.NoError(t, err)
	trial.CheckFilled(t, s)
	require.NoError(t, s.Close())
}
