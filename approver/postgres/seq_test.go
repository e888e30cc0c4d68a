package postgres_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// decide reserves a decision for who knows the store's numbers up to one, over connections that may have been cut.
func decide(t *testing.T, s *postgres.Store, id string, known int64) (rec approver.Record, err error) {
	t.Helper()
	require.Eventually(t, func() bool {
		rec, err = s.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(id), Seq: known}, nil)
		return err == nil || errors.As(err, new(*approver.LostError))
	}, time.Minute, 10*time.Millisecond, "the server does not answer")
	return rec, err
}

// A server is put back to a backup while approvers are at work. Its sequence is beyond what was lost: the server writes it down
// in advance.
func TestAServerThatIsPutBackIsNoticed(t *testing.T) {
	server := pgtest.Start(t)
	config, err := pgx.ParseConfig(server.Database())
	require.NoError(t, err)
	s := open(t, server.Database())
	first, err := s.Reserve(t.Context(), approver.Record{ActionID: "a"}, nil)
	require.NoError(t, err)
	backup, data := filepath.Join(server.Dir, "backup"), filepath.Join(server.Dir, "data")
	server.Run("pg_basebackup", "-h", config.Host, "-p", fmt.Sprint(config.Port), "-U", config.User, "-D", backup, "--checkpoint", "fast", "--no-sync")
	second, err := decide(t, s, "b", first.Seq)
	require.NoError(t, err)

	server.Crash()
	require.NoError(t, os.Rename(data, data+".away"))
	require.NoError(t, os.Rename(backup, data))
	server.Restart()
	_, err = decide(t, s, "c", second.Seq)
	var lost *approver.LostError
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, approver.LostError{Before: s.Epoch(), Now: s.Epoch(), Known: second.Seq, Last: first.Seq}, *lost)
	last, err := open(t, server.Database()).LastSeq(t.Context())
	require.NoError(t, err)
	assert.Equal(t, first.Seq, last, "which an audit log is held against")
	third, err := decide(t, s, "c", first.Seq)
	require.NoError(t, err)
	assert.Greater(t, third.Seq, second.Seq, "the sequence alone does not show it")
}

// A crash loses nothing, and is not taken for that.
func TestNumbersGoOnAfterACrash(t *testing.T) {
	server := pgtest.Start(t)
	s := open(t, server.Database())
	var known int64
	for i := range 3 {
		rec, err := decide(t, s, fmt.Sprint(i), known)
		require.NoError(t, err)
		require.Greater(t, rec.Seq, known)
		known = rec.Seq
		server.Crash()
		server.Restart()
	}
}

// What was decided is gone, or the sequence was set back.
func testNumbers(t *testing.T, database string) {
	s := open(t, database)
	decide := func(id string, known int64) (approver.Record, error) {
		return s.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(id), Seq: known}, nil)
	}
	for i := range 3 {
		_, err := decide(fmt.Sprint(i), int64(i))
		require.NoError(t, err)
	}
	exec(t, database, `DELETE FROM qredo_approver_decision WHERE action_id = '2'`)
	var lost *approver.LostError
	_, err := decide("3", 3)
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, [2]int64{3, 2}, [2]int64{lost.Known, lost.Last})
	exec(t, database, `ALTER TABLE qredo_approver_decision ALTER COLUMN seq RESTART WITH 1`)
	_, err = decide("3", 2)
	require.ErrorContains(t, err, "qredo_approver_decision_seq", "no number is given twice")
	exec(t, database, `DELETE FROM qredo_approver_decision WHERE action_id = '0'; ALTER TABLE qredo_approver_decision ALTER COLUMN seq RESTART WITH 1`)
	_, err = decide("3", 2)
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, [2]int64{2, 1}, [2]int64{lost.Known, lost.Last})
	_, found, err := s.Lookup(t.Context(), "3")
	require.NoError(t, err)
	assert.False(t, found)
}

// Tables of before decisions had numbers get them, and programs of then go on with them.
func testFirstVersion(t *testing.T, database string) {
	first := open(t, database)
	require.NoError(t, reserve(t, first, "a"))
	exec(t, database, `ALTER TABLE qredo_approver_decision DROP COLUMN seq, DROP COLUMN seal; ALTER TABLE qredo_approver_spent DROP COLUMN seal;
		ALTER TABLE qredo_approver DROP COLUMN seal; UPDATE qredo_approver SET version = 1`)
	for range 2 {
		s := open(t, database)
		require.Equal(t, first.Epoch(), s.Epoch())
		require.Equal(t, 3, count(t, database, `SELECT version FROM qredo_approver`))
		last, err := s.LastSeq(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, last)
		require.ErrorAs(t, reserve(t, s, "b"), new(*approver.OverLimitError), "what was counted stays")
	}
	exec(t, database, `INSERT INTO qredo_approver_decision (action_id, record, forget) VALUES ('c', '{"action_id":"c"}', NULL) ON CONFLICT DO NOTHING`)
	rec, found, err := first.Lookup(t.Context(), "c")
	require.NoError(t, err)
	require.True(t, found)
	assert.Greater(t, rec.Seq, int64(1))
}
