package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/qredo-go/qredo/internal/pgstore"
)

// The schema, as migrations in the order of their names. A released migration is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock keeps programs that start together from migrating at the same time.
const migrationLock = 0x71696e62 // an arbitrary number of our own

// recordLock is the lock for recording, together with the number of the table.
const recordLock = 0x71696e63

// findSchema determines where the tables are: in the first schema of the search path.
func (s *base) findSchema(ctx context.Context) (err error) {
	if s.schema, err = pgstore.Schema(ctx, s.db.Query); err != nil {
		return err
	}
	table := func(name string) string { return pgstore.Quoted(s.schema, name) }
	lock := fmt.Sprintf(`pg_advisory_xact_lock(%d, '%s'::regclass::oid::int4)`, recordLock, strings.ReplaceAll(table("qredo_inbox"), `'`, `''`))
	s.db.Name(strings.NewReplacer(
		"{entries}", table("qredo_inbox"), "{sources}", table("qredo_inbox_source"), "{begin}", table("qredo_inbox_begin"),
		"{version}", table("qredo_inbox_schema"), "{lock}", lock))
	return nil
}

// migrate brings the schema to the version that this program needs, in one transaction.
func (s *base) migrate(ctx context.Context) error {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	return s.db.Transact(ctx, func(in pgstore.Tx) error {
		if _, err := collect(ctx, in, pgstore.Column[string], `SELECT pg_advisory_xact_lock($1::bigint)::text`, int64(migrationLock)); err != nil {
			return err
		}
		if _, err := s.checkTables(ctx, in); err != nil {
			return err
		}
		if err := in.Exec(ctx, `CREATE TABLE IF NOT EXISTS {version} (version int NOT NULL)`); err != nil {
			return err
		}
		version, err := s.version(ctx, in)
		if err != nil {
			return err
		}
		if version > len(names) {
			return fmt.Errorf("the schema has version %d, this program knows %d: it is too old", version, len(names))
		}
		for ; version < len(names); version++ {
			if err := s.change(ctx, in, names[version], version+1); err != nil {
				return fmt.Errorf("%s: %w", names[version], err)
			}
		}
		found, err := s.checkTables(ctx, in)
		if err == nil && found < len(tables) {
			err = fmt.Errorf("schema %s has only %d of the inbox's tables", s.schema, found)
		}
		return err
	})
}

func (s *base) change(ctx context.Context, in pgstore.Tx, name string, to int) error {
	statements, err := migrations.ReadFile(name)
	if err == nil {
		err = in.Exec(ctx, string(statements))
	}
	if err == nil {
		_, err = collect(ctx, in, pgstore.Column[int64], `INSERT INTO {version} (version) VALUES ($1::bigint) RETURNING version::bigint`, int64(to))
	}
	return err
}

func (s *base) version(ctx context.Context, in pgstore.Runner) (int, error) {
	versions, err := collect(ctx, in, pgstore.Column[int64], `SELECT coalesce(max(version), 0)::bigint FROM {version}`)
	if err != nil {
		return 0, err
	}
	return int(versions[0]), nil
}

// look checks that the tables to read exist.
func (s *base) look(ctx context.Context) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	there, err := collect(ctx, s.db, pgstore.Column[bool], `SELECT to_regclass($1::text) IS NOT NULL`, s.db.Named("{version}"))
	if err != nil {
		return err
	}
	if !there[0] {
		return fmt.Errorf("there is no inbox in schema %s of the database", s.schema)
	}
	version, err := s.version(ctx, s.db)
	if err == nil && version != len(names) {
		err = fmt.Errorf("the schema has version %d, this program knows %d: use a program of the same version as those that write", version, len(names))
	}
	return err
}

var tables = []string{"qredo_inbox", "qredo_inbox_source", "qredo_inbox_begin", "qredo_inbox_schema"}

// checkTables refuses tables that another role, or something in the database, could change, and returns how many there
// are.
func (s *base) checkTables(ctx context.Context, in pgstore.Runner) (int, error) {
	return pgstore.CheckTables(ctx, in.Query, s.schema, tables, nil, "movements could be changed there, or lost")
}

// collect returns the rows of a statement, each read by scan.
func collect[T any](ctx context.Context, in pgstore.Runner, scan func(pgstore.Rows) (T, error), statement string, args ...any) ([]T, error) {
	return pgstore.Collect(ctx, in.Query, scan, statement, args...)
}
