// Package postgres keeps an outbox in PostgreSQL, so that programs on several machines share it.
//
// Each of them calls [Open] with the same database and runs a worker. A worker claims what nobody else has
// (FOR UPDATE SKIP LOCKED), for the length of its lease; each claim has a number, and what is stored under
// an older number than the last is refused. Entries are rows of the table qredo_outbox, in the first schema
// of the connection's search path. They are JSON, for people to query; only the outbox may change them.
package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/puddle/v2"

	"github.com/qredo-go/qredo/outbox"
)

// Store is an [outbox.Store] in a PostgreSQL database.
type Store struct {
	pool *pgxpool.Pool
}

// Open connects to a database, named as a URL or by keywords ("host=... dbname=..."), and makes the tables
// or brings them to this version. The server must keep synchronous_commit on, as it is by default:
// otherwise a crash of it could lose what was acknowledged, and Open refuses it.
func Open(ctx context.Context, database string) (*Store, error) {
	pool, err := pgxpool.New(ctx, database)
	if e := (*pgconn.ParseConfigError)(nil); errors.As(err, &e) {
		// Its text repeats what it was given, and does not find every password in it to leave it out.
		return nil, errors.New("outbox: the database's URL or keywords cannot be read, and are not repeated for the password in them")
	}
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	s := &Store{pool: pool}
	err = s.checkDurable(ctx)
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("outbox: %w", err)
	}
	return s, nil
}

func (s *Store) checkDurable(ctx context.Context) error {
	var commit, fsync string
	err := s.pool.QueryRow(ctx, `SELECT current_setting('synchronous_commit'), current_setting('fsync')`).Scan(&commit, &fsync)
	if err == nil && (commit == "off" || fsync == "off") {
		return fmt.Errorf("the database has synchronous_commit %s and fsync %s: what is stored might be lost", commit, fsync)
	}
	return err
}

// Close closes the connections. It waits for those that are in use.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// row is an entry as the columns have it.
func row(e outbox.Entry) (pgx.NamedArgs, error) {
	data, err := json.Marshal(e)
	return pgx.NamedArgs{
		"key": e.Key, "state": string(e.State), "unknown": e.Unknown, "ended": e.State.Ended(), "due": e.Due, "entry": string(data),
	}, err
}

// Add stores an entry unless its key has one.
func (s *Store) Add(ctx context.Context, e outbox.Entry) (stored outbox.Entry, added bool, err error) {
	args, err := row(e)
	if err != nil {
		return outbox.Entry{}, false, err
	}
	tag, err := s.pool.Exec(ctx, `
		INSERT INTO qredo_outbox (key, state, unknown, ended, due, entry)
		VALUES (@key, @state, @unknown, @ended, @due, @entry)
		ON CONFLICT (key) DO NOTHING`, args)
	switch {
	case err != nil:
		return outbox.Entry{}, false, known(err)
	case tag.RowsAffected() == 1:
		return e, true, nil
	}
	stored, err = s.Get(ctx, e.Key)
	return stored, false, err
}

// Get returns the entry with a key.
func (s *Store) Get(ctx context.Context, key string) (outbox.Entry, error) {
	found, err := query(ctx, s, scanEntry, `SELECT entry FROM qredo_outbox WHERE key = $1`, key)
	switch {
	case err != nil:
		return outbox.Entry{}, err
	case len(found) == 0:
		return outbox.Entry{}, outbox.ErrNotFound
	}
	return found[0], nil
}

// query returns what a statement returns, each row as scan reads it.
func query[T any](ctx context.Context, s *Store, scan pgx.RowToFunc[T], statement string, args ...any) ([]T, error) {
	rows, err := s.pool.Query(ctx, statement, args...)
	if err != nil {
		return nil, known(err)
	}
	list, err := pgx.CollectRows(rows, scan)
	return list, known(err)
}

func scanEntry(r pgx.CollectableRow) (e outbox.Entry, err error) {
	var data []byte
	if err = r.Scan(&data); err == nil {
		err = json.Unmarshal(data, &e)
	}
	return e, err
}

func scanClaim(r pgx.CollectableRow) (c outbox.Claim, err error) {
	var data []byte
	if err = r.Scan(&data, &c.Token); err == nil {
		err = json.Unmarshal(data, &c.Entry)
	}
	return c, err
}

// Page returns some of the entries that match a filter.
func (s *Store) Page(ctx context.Context, f outbox.Filter, after string, limit int) ([]outbox.Entry, error) {
	states := make([]string, len(f.States))
	for i, state := range f.States {
		states[i] = string(state)
	}
	return query(ctx, s, scanEntry, `
		SELECT entry FROM qredo_outbox
		WHERE key > @after AND (cardinality(@states::text[]) = 0 OR state = ANY (@states)) AND (unknown OR NOT @unknown)
		ORDER BY key LIMIT @limit`,
		pgx.NamedArgs{"after": after, "states": states, "unknown": f.Unknown, "limit": limit})
}

// Claim leases entries that are due.
func (s *Store) Claim(ctx context.Context, now, until time.Time, limit int) ([]outbox.Claim, error) {
	return query(ctx, s, scanClaim, `
		WITH next AS MATERIALIZED (
			SELECT key FROM qredo_outbox
			WHERE NOT ended AND due <= @now AND leased_until <= @now
			ORDER BY due LIMIT @limit FOR UPDATE SKIP LOCKED)
		UPDATE qredo_outbox SET token = token + 1, leased_until = @until
		FROM next WHERE qredo_outbox.key = next.key
		RETURNING entry, token`,
		pgx.NamedArgs{"now": now, "until": until, "limit": limit})
}

// Take leases one entry.
func (s *Store) Take(ctx context.Context, key string, now, until time.Time) (outbox.Claim, error) {
	claims, err := query(ctx, s, scanClaim, `
		UPDATE qredo_outbox SET token = token + 1, leased_until = @until
		WHERE key = @key AND leased_until <= @now
		RETURNING entry, token`,
		pgx.NamedArgs{"key": key, "now": now, "until": until})
	if err != nil {
		return outbox.Claim{}, err
	}
	if len(claims) == 1 {
		return claims[0], nil
	}
	_, err = s.Get(ctx, key)
	return outbox.Claim{}, cmp.Or(err, outbox.ErrBusy) // it is there, so that somebody must have it
}

// Save stores a claim's entry and keeps the lease.
func (s *Store) Save(ctx context.Context, c outbox.Claim) error { return s.save(ctx, c, false) }

// Release stores a claim's entry and ends the lease.
func (s *Store) Release(ctx context.Context, c outbox.Claim) error { return s.save(ctx, c, true) }

func (s *Store) save(ctx context.Context, c outbox.Claim, release bool) error {
	args, err := row(c.Entry)
	if err != nil {
		return err
	}
	args["token"], args["release"] = c.Token, release
	tag, err := s.pool.Exec(ctx, `
		UPDATE qredo_outbox SET state = @state, unknown = @unknown, ended = @ended, due = @due, entry = @entry,
			leased_until = CASE WHEN @release::boolean THEN '-infinity' ELSE leased_until END
		WHERE key = @key AND token = @token`, args)
	if err == nil && tag.RowsAffected() == 0 {
		return outbox.ErrClaimLost
	}
	return known(err)
}

// known gives the errors of the pool the names of package outbox.
func known(err error) error {
	if errors.Is(err, puddle.ErrClosedPool) {
		return outbox.ErrClosed
	}
	return err
}
