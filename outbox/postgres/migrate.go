package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
)

// The schema, as changes in the order of their names. One that was released is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock keeps programs that start together from changing the schema together.
const migrationLock = 0x71726564 // any number of our own

// migrate brings the schema to what this version needs, in one transaction.
func (s *Store) migrate(ctx context.Context) error {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, migrationLock); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS qredo_outbox_schema (version int NOT NULL)`); err != nil {
			return err
		}
		var version int
		if err := tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM qredo_outbox_schema`).Scan(&version); err != nil {
			return err
		}
		if version > len(names) {
			return fmt.Errorf("the schema has version %d, this program knows %d: it is too old", version, len(names))
		}
		for ; version < len(names); version++ {
			change, err := migrations.ReadFile(names[version])
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, string(change)); err != nil {
				return fmt.Errorf("%s: %w", names[version], err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO qredo_outbox_schema VALUES ($1)`, version+1); err != nil {
				return err
			}
		}
		return nil
	})
}
