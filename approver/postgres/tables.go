package postgres

import (
	"context"
	"crypto/rand"
	_ "embed" // for the tables
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// tables are the names of the tables, by what statements call them.
var tables = map[string]string{
	"epoch": "qredo_approver", "decisions": "qredo_approver_decision", "spent": "qredo_approver_spent", "claims": "qredo_approver_claim",
}

//go:embed tables.sql
var makeTables string

// numberDecisions is how version 2 of the tables differs from version 1.
const numberDecisions = `
	ALTER TABLE {decisions} ADD COLUMN seq bigint GENERATED ALWAYS AS IDENTITY;
	CREATE UNIQUE INDEX qredo_approver_decision_seq ON {decisions} (seq);
	UPDATE {epoch} SET version = 2`

// sealThem is how version 3 differs from version 2.
const sealThem = `
	ALTER TABLE {epoch} ADD COLUMN seal bytea;
	ALTER TABLE {decisions} ADD COLUMN seal bytea;
	ALTER TABLE {spent} ADD COLUMN seal bytea;
	UPDATE {epoch} SET version = 3`

const (
	version = 3
	// makeLock keeps programs that start together from making the tables together.
	makeLock = 0x61707072 // any number of our own
)

// begin makes the tables with an epoch, or reads the epoch of those that are there.
func (s *Store) begin(ctx context.Context, tx pgx.Tx, schema string) error {
	if _, err := tx.Exec(ctx, fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, makeLock)); err != nil {
		return err
	}
	names := make([]string, 0, len(tables))
	for _, table := range tables {
		names = append(names, table)
	}
	there := func() (int, error) {
		return pgstore.CheckTables(ctx, queryIn(tx), schema, names, nil, "limits could be let pass there, or be forgotten")
	}
	found, err := there()
	if err == nil && found == 0 {
		if _, err = tx.Exec(ctx, s.names.Replace(makeTables)); err == nil {
			err = s.draw(ctx, tx)
		}
		if err == nil {
			found, err = there()
		}
	}
	switch {
	case err != nil:
		return err
	case found < len(tables):
		return fmt.Errorf("schema %s has only %d of the approver's %d tables", schema, found, len(tables))
	}
	of := 0
	switch err := tx.QueryRow(ctx, s.names.Replace(`SELECT version, epoch FROM {epoch}`)).Scan(&of, &s.epoch); {
	case errors.Is(err, pgx.ErrNoRows) && s.accepted:
		return s.beginAnew(ctx, tx)
	case errors.Is(err, pgx.ErrNoRows):
		return &approver.LostError{}
	case err != nil:
		return err
	case of > version:
		return fmt.Errorf("the tables have version %d, this program knows %d: it is too old", of, version)
	}
	for at, change := range map[int]string{1: numberDecisions + "; " + sealThem, 2: sealThem} {
		if at != of {
			continue
		}
		if _, err := tx.Exec(ctx, s.names.Replace(change)); err != nil {
			return err
		}
	}
	return s.checkSeals(ctx, tx)
}

// draw gives the tables an epoch.
func (s *Store) draw(ctx context.Context, tx pgx.Tx) error {
	s.epoch = rand.Text()
	s.seals = s.seals.Of(s.epoch)
	_, err := tx.Exec(ctx, s.names.Replace(`INSERT INTO {epoch} (version, epoch, seal) VALUES ($1::int, $2::text, $3::bytea)`), version, s.epoch, s.seals.Mark())
	return err
}

// beginAnew gives tables an epoch that have lost theirs. What they have was sealed for that one.
func (s *Store) beginAnew(ctx context.Context, tx pgx.Tx) error {
	if s.seals.On() {
		if _, err := tx.Exec(ctx, s.names.Replace(`DELETE FROM {spent}; DELETE FROM {decisions}`)); err != nil {
			return err
		}
	}
	return s.draw(ctx, tx)
}
