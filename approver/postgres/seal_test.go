package postgres_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

var sealingKey = []byte("0123456789abcdef")

// place is a schema, in which somebody else can write too.
type place struct{ database string }

func (p *place) Open(t *testing.T, now func() time.Time, keys [][]byte, unsealed bool) (approver.Store, func(), error) {
	t.Helper()
	opts := []postgres.Option{postgres.WithClock(now)}
	if keys != nil {
		opts = append(opts, postgres.WithSealingKey(keys[0], keys[1:]...))
	}
	if unsealed {
		opts = append(opts, postgres.WithUnsealedAccepted())
	}
	s, err := postgres.Open(t.Context(), p.database, opts...)
	return s, func() { require.NoError(t, s.Close()) }, err
}

func (p *place) run(t *testing.T, do func(conn *pgx.Conn) error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.database)
	require.NoError(t, err)
	require.NoError(t, do(conn))
	require.NoError(t, conn.Close(t.Context()))
}

func (p *place) Read(t *testing.T, id qredo.ActionID) (r trial.Raw) {
	t.Helper()
	p.run(t, func(conn *pgx.Conn) error {
		var text string
		err := conn.QueryRow(t.Context(), `SELECT record::text, seal FROM qredo_approver_decision WHERE action_id = $1`, string(id)).Scan(&text, &r.Seal)
		r.Data = []byte(text)
		return err
	})
	return r
}

func (p *place) Write(t *testing.T, id qredo.ActionID, r trial.Raw) {
	t.Helper()
	if n := len(r.Data); r.Data[n-1] == 0 { // a seal behind it, as other stores have it
		r.Data = r.Data[:n-16]
	}
	p.run(t, func(conn *pgx.Conn) error {
		_, err := conn.Exec(t.Context(), `INSERT INTO qredo_approver_decision (action_id, record, seal) VALUES ($1, $2::text::json, $3)
			ON CONFLICT (action_id) DO UPDATE SET record = excluded.record, seal = excluded.seal`, string(id), string(r.Data), r.Seal)
		return err
	})
}

func (p *place) Lower(t *testing.T, counter string) {
	t.Helper()
	p.run(t, func(conn *pgx.Conn) error {
		tag, err := conn.Exec(t.Context(), `UPDATE qredo_approver_spent SET amount = 0, sum = 0 WHERE counter = sha256($1::text::bytea) AND amount = 60 AND sum = 60`, counter)
		require.EqualValues(t, 1, tag.RowsAffected())
		return err
	})
}

func (p *place) Unmark(t *testing.T) {
	t.Helper()
	exec(t, p.database, `UPDATE qredo_approver SET seal = NULL`)
}

func (p *place) Move(t *testing.T, from, to string) {
	t.Helper()
	exec(t, p.database, `DELETE FROM qredo_approver_spent WHERE counter = sha256('`+to+`'::bytea);
		UPDATE qredo_approver_spent SET counter = sha256('`+to+`'::bytea) WHERE counter = sha256('`+from+`'::bytea)`)
}

func TestSealed(t *testing.T) {
	database := pgtest.Database(t)
	trial.TestSeals(t, func(t *testing.T) trial.Place { t.Helper(); return &place{pgtest.Schema(t, database)} })
	trial.TestStore(t, func(t *testing.T, now func() time.Time) approver.Store {
		t.Helper()
		return open(t, pgtest.Schema(t, database), postgres.WithClock(now), postgres.WithSealingKey(sealingKey))
	})
	for _, change := range []string{
		// An entry that lies before all others of a window, with no number, would make it hold nothing.
		`INSERT INTO qredo_approver_spent (counter, at, number, amount, sum, ends) SELECT counter, at - 1, 0, 0, 0, ends FROM qredo_approver_spent`,
		`UPDATE qredo_approver_spent SET at = at - 7200000000`,
		`UPDATE qredo_approver_spent SET number = number + 1`,
		`UPDATE qredo_approver_spent SET ends = ends - 1`,
	} {
		t.Run(change, func(t *testing.T) {
			database := pgtest.Schema(t, database)
			s := open(t, database, postgres.WithSealingKey(sealingKey))
			require.NoError(t, reserve(t, s, "a"))
			exec(t, database, change)
			require.ErrorIs(t, reserve(t, s, "b"), approver.ErrUnsealed)
		})
	}
	t.Run("the epoch", func(t *testing.T) {
		database := pgtest.Schema(t, database)
		s := open(t, database, postgres.WithSealingKey(sealingKey))
		require.NoError(t, reserve(t, s, "a"))
		exec(t, database, `UPDATE qredo_approver SET epoch = 'another'`)
		_, err := postgres.Open(t.Context(), database, postgres.WithSealingKey(sealingKey))
		require.ErrorIs(t, err, approver.ErrUnsealed)
		exec(t, database, `DELETE FROM qredo_approver`)
		_, err = postgres.Open(t.Context(), database, postgres.WithSealingKey(sealingKey))
		require.ErrorAs(t, err, new(*approver.LostError))
		s = open(t, database, postgres.WithSealingKey(sealingKey), postgres.WithLossAccepted())
		_, found, err := s.Lookup(t.Context(), "a")
		require.NoError(t, err)
		assert.False(t, found, "it was of the epoch before")
		require.NoError(t, reserve(t, s, "a"))
	})
}
