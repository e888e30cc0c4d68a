package postgres

import (
	"context"
	"fmt"

	"github.com/qredo-go/qredo/internal/pgstore"
)

// collect returns the rows of a statement, each read by scan.
func collect[T any](ctx context.Context, in pgstore.Runner, scan func(pgstore.Rows) (T, error), statement string, args ...any) ([]T, error) {
	return pgstore.Collect(ctx, in.Query, scan, statement, args...)
}

// checkTables refuses tables that another role, or something in the database, could change. wanted is the number of
// tables there must be.
func (s *Store) checkTables(ctx context.Context, in pgstore.Runner, wanted int) error {
	tables := []string{"qredo_outbox", "qredo_outbox_work", "qredo_outbox_schema"}
	found, err := pgstore.CheckTables(ctx, in.Query, s.schema, tables, []string{"qredo_outbox_token"}, "payments could be changed there, or lost")
	if err == nil && found < wanted {
		err = fmt.Errorf("schema %s has only %d of the outbox's tables", s.schema, found)
	}
	return err
}

func (s *Store) checkDurable(ctx context.Context) error { return pgstore.CheckDurable(ctx, s.db.Query) }
