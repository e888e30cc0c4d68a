package postgres_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// testTimes has a table of times, as a program that stores the client's values may have: each is read back as it was
// written, through database/sql and through the driver alone.
func testTimes(t *testing.T, database string) {
	ctx := t.Context()
	db, err := sql.Open("pgx", database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	conn, err := pgx.Connect(ctx, database)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(t.Context())) })
	_, err = db.ExecContext(ctx, `CREATE TABLE times (id INT PRIMARY KEY, expires BIGINT, seen TIMESTAMPTZ)`)
	require.NoError(t, err)

	moment := time.Date(2030, 1, 2, 3, 4, 5, 678_000_000, time.FixedZone("CET", 3600))
	for id, at := range []qredo.Time{qredo.TimeOf(moment), qredo.Unix(-1), {}} {
		_, err := db.ExecContext(ctx, `INSERT INTO times VALUES ($1, $2, $3)`, 2*id, at, moment)
		require.NoError(t, err)
		_, err = conn.Exec(ctx, `INSERT INTO times VALUES ($1, $2, $3)`, 2*id+1, at, moment)
		require.NoError(t, err)
		for _, row := range []int{2 * id, 2*id + 1} {
			var expires, seen, driven qredo.Time
			require.NoError(t, db.QueryRowContext(ctx, `SELECT expires, seen FROM times WHERE id = $1`, row).Scan(&expires, &seen))
			require.NoError(t, conn.QueryRow(ctx, `SELECT expires FROM times WHERE id = $1`, row).Scan(&driven))
			require.True(t, at == expires && at == driven, "%v became %v and %v", at, expires, driven)
			require.Equal(t, qredo.TimeOf(moment), seen)
			var null bool
			require.NoError(t, db.QueryRowContext(ctx, `SELECT expires IS NULL FROM times WHERE id = $1`, row).Scan(&null))
			require.Equal(t, at == qredo.Time{}, null)
		}
	}
	var later int
	require.NoError(t, db.QueryRowContext(ctx, `SELECT count(*) FROM times WHERE expires > $1`, qredo.Unix(0)).Scan(&later))
	require.Zero(t, later, "a time that is not given is NULL, which is no bound")
	require.NoError(t, db.QueryRowContext(ctx, `SELECT count(*) FROM times WHERE expires > $1`, qredo.Unix(1)).Scan(&later))
	require.Equal(t, 2, later)
}
