package postgres

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// The schema, as migrations in the order of their names. A released migration is never changed.
//
//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock keeps programs that start together from migrating at the same time.
const migrationLock = 0x71726564 // an arbitrary number of our own

// findSchema determines where the tables are: in the first schema of the search path. They are always qualified with it,
// so that a table of the same name elsewhere is never used by mistake.
func (s *Store) findSchema(ctx context.Context) error {
	schema, err := pgstore.Schema(ctx, s.db.Query)
	if err != nil {
		return err
	}
	s.schema = schema
	table := func(name string) string { return pgstore.Quoted(schema, name) }
	// A crash of the server may set a sequence back by some numbers, and with it leases that had not begun anything. A
	// random second part keeps a new lease from being mistaken for one of those.
	token := `(nextval('` + strings.ReplaceAll(table("qredo_outbox_token"), `'`, `''`) + `'::regclass) * 1048576 + floor(random() * 1048576)::bigint)`
	s.db.Name(strings.NewReplacer(
		"{entries}", table("qredo_outbox"), "{work}", table("qredo_outbox_work"), "{version}", table("qredo_outbox_schema"),
		"{tokens}", table("qredo_outbox_token"), "{token}", token))
	return nil
}

// migrate brings the schema to the version that this program needs, in one transaction.
func (s *Store) migrate(ctx context.Context) error {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		return err
	}
	return s.db.Transact(ctx, func(in pgstore.Tx) error {
		if _, err := collect(ctx, in, pgstore.Column[string], `SELECT pg_advisory_xact_lock($1::bigint)::text`, int64(migrationLock)); err != nil {
			return err
		}
		if err := s.checkTables(ctx, in, 0); err != nil {
			return err
		}
		entries, err := s.takeFirst(ctx, in)
		if err != nil {
			return err
		}
		if err := in.Exec(ctx, `CREATE TABLE IF NOT EXISTS {version} (version int NOT NULL, entry json, sum bytea)`); err != nil {
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
		if err := s.checkSeal(ctx, in); err != nil {
			return err
		}
		if err := s.putFirst(ctx, in, entries); err != nil {
			return err
		}
		return s.checkTables(ctx, in, 4)
	})
}

func (s *Store) version(ctx context.Context, in pgstore.Runner) (int, error) {
	versions, err := collect(ctx, in, pgstore.Column[int64], `SELECT coalesce(max(version), 0)::bigint FROM {version}`)
	if err != nil {
		return 0, err
	}
	return int(versions[0]), nil
}

// look checks that the tables to read exist.
func (s *Store) look(ctx context.Context) error {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	there, err := collect(ctx, s.db, pgstore.Column[bool], `SELECT to_regclass($1::text) IS NOT NULL`, s.db.Named("{version}"))
	if err != nil {
		return err
	}
	if !there[0] {
		return fmt.Errorf("there is no outbox in schema %s of the database", s.schema)
	}
	if first, err := s.isFirst(ctx, s.db); err != nil || first {
		return cmp.Or(err, fmt.Errorf("schema %s has the outbox of version 0.1.0: open it once with a program that sends, and it gets this version's tables", s.schema))
	}
	version, err := s.version(ctx, s.db)
	if err == nil && version != len(names) {
		err = fmt.Errorf("the schema has version %d, this program knows %d: use a program of the same version as those that write", version, len(names))
	}
	if err != nil {
		return err
	}
	return s.checkSeal(ctx, s.db)
}

// change brings the schema to the next version, and records it with a sealed entry, which shows whether a program has the
// same sealing key.
func (s *Store) change(ctx context.Context, tx pgstore.Tx, name string, to int) error {
	statements, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	if err := tx.Exec(ctx, string(statements)); err != nil {
		return err
	}
	data, sum, err := s.records.Encode(outbox.Entry{
		Key: sealKey, PartnerTxID: sealKey, Brought: true, State: outbox.StateDone, Version: 1,
		Request: outbox.Transfer{TransferRequest: qredo.TransferRequest{PartnerTxID: sealKey}},
	})
	if err != nil {
		return err
	}
	_, err = collect(ctx, tx, pgstore.Column[int64],
		`INSERT INTO {version} (version, entry, sum) VALUES ($1::bigint, $2::text::json, $3::bytea) RETURNING version::bigint`, int64(to), string(data), sum)
	return err
}

const sealKey = "seal"

func (s *Store) checkSeal(ctx context.Context, in pgstore.Runner) error {
	seals, err := collect(ctx, in, func(r pgstore.Rows) (x stored, err error) { return x, r.Scan(&x.data, &x.sum) },
		`SELECT entry::text, sum FROM {version} ORDER BY version LIMIT 1`)
	if err != nil {
		return err
	}
	if _, err := s.records.Decode(sealKey, seals[0].data, seals[0].sum); err != nil {
		return errors.New("the outbox was made with another sealing key, or without one: see WithSealingKey")
	}
	return nil
}
