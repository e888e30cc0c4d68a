package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// Version 0.1.0 had one table, with the name of one of today's, and a number of its schema that is one of today's too.

// isFirst reports whether the tables are those of version 0.1.0.
func (s *Store) isFirst(ctx context.Context, in pgstore.Runner) (bool, error) {
	found, err := collect(ctx, in, pgstore.Column[string], `
		SELECT attname::text FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass($1::text) AND attname = 'ended' AND NOT attisdropped`,
		s.db.Named("{entries}"))
	return len(found) > 0, err
}

// takeFirst removes the tables of version 0.1.0, if they are there, and returns what they had. Programs of that version, whose claims wait
// for this transaction, then find no table.
func (s *Store) takeFirst(ctx context.Context, in pgstore.Tx) ([]outbox.Entry, error) {
	if first, err := s.isFirst(ctx, in); err != nil || !first {
		return nil, err
	}
	if err := in.Exec(ctx, `LOCK TABLE {entries} IN ACCESS EXCLUSIVE MODE`); err != nil {
		return nil, err
	}
	entries, err := collect(ctx, in, func(r pgstore.Rows) (e outbox.Entry, err error) {
		var key, data string
		if err = r.Scan(&key, &data); err == nil {
			e, err = s.records.DecodeFirst(key, []byte(data))
		}
		return e, err
	}, `SELECT key, entry::text FROM {entries} ORDER BY key`)
	if err != nil {
		return nil, fmt.Errorf("schema %s has the outbox of version 0.1.0, and is left as it is: %w", s.schema, err)
	}
	outbox.PartFirst(entries)
	return entries, in.Exec(ctx, `DROP TABLE {entries}, {version}`)
}

// putFirst adds what version 0.1.0 had.
func (s *Store) putFirst(ctx context.Context, in pgstore.Tx, entries []outbox.Entry) error {
	for _, e := range entries {
		_, added, err := place{s: s, in: in}.Add(ctx, e)
		if err == nil && !added {
			err = errors.New("there is another")
		}
		if err != nil {
			return fmt.Errorf("schema %s has the outbox of version 0.1.0, and is left as it is: %q cannot be taken over: %w", s.schema, e.Key, err)
		}
	}
	return nil
}
