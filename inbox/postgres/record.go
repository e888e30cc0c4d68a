package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// Record stores what a source has reported. One statement finds out what is already known; if nothing has changed, that is all.
func (s *Store[Tx]) Record(ctx context.Context, source inbox.Source, now time.Time, seen []inbox.Sighting) (inbox.Recorded, error) {
	write, _, err := s.merge(ctx, s.db, source, now, seen)
	if err != nil || len(write) == 0 {
		return inbox.Recorded{}, err
	}
	pauses, began := backoff.Range{Min: 50 * time.Millisecond, Max: time.Second}, time.Now()
	for changed, busy := 0, 0; changed < tries; {
		var counts inbox.Recorded
		err := s.db.Call(ctx, func() error {
			return s.db.Transact(ctx, func(in pgstore.Tx) (err error) {
				counts, err = s.write(ctx, in, source, now, seen)
				return err
			})
		})
		switch {
		case err == nil:
			return counts, nil
		case pgstore.State(err) == lockNotAvailable: // it waits without blocking other recordings
			if busy++; time.Since(began) > patience || backoff.Wait(ctx, backoff.UpperHalf(pauses.After(busy))) != nil {
				return inbox.Recorded{}, fmt.Errorf("inbox: an entry of %s is being handed over and cannot be recorded meanwhile: %w", source.ID, errors.Join(ctx.Err(), err))
			}
		case !errors.Is(err, errChanging):
			return inbox.Recorded{}, err
		default:
			changed++
		}
	}
	return inbox.Recorded{}, errChanging
}

const (
	// patience is how long handing over may block the recording of a source.
	patience = 10 * time.Second

	lockNotAvailable = "55P03"
)

// known is what a store has of the entries that sightings may be about.
type known struct {
	names    map[string]*inbox.Entry // by ID, or else by alias
	versions map[string]int64
}

// merge determines what to write.
func (s *base) merge(ctx context.Context, in pgstore.Runner, source inbox.Source, now time.Time, seen []inbox.Sighting) (write []row, counts inbox.Recorded, err error) {
	there, err := s.known(ctx, in, source, seen)
	if err != nil {
		return nil, counts, err
	}
	entries, counts, err := inbox.MergeAll(seen, source.ID, now, func(name string) (*inbox.Entry, error) { return there.names[name], nil })
	if err != nil {
		return nil, counts, err
	}
	for _, e := range entries {
		r, err := rowOf(e, there.versions[e.ID])
		if err != nil {
			return nil, counts, err
		}
		write = append(write, r)
	}
	return write, counts, nil
}

func (s *base) known(ctx context.Context, in pgstore.Runner, source inbox.Source, seen []inbox.Sighting) (known, error) {
	there := known{map[string]*inbox.Entry{}, map[string]int64{}}
	names := make([]string, 0, len(seen))
	for _, one := range seen {
		if err := storable(one.ID, one.Alias); err != nil {
			return there, err
		}
		names = append(names, one.ID)
		if one.Alias != "" {
			names = append(names, one.Alias)
		}
	}
	data, err := json.Marshal(names)
	if err != nil {
		return there, err
	}
	held := false
	found, err := collect(ctx, in, func(r pgstore.Rows) (stored, error) {
		var token *int64
		x, err := scanWith(r, &token)
		held = token != nil && *token == source.Token
		return x, err
	}, `
		WITH names AS MATERIALIZED (SELECT ARRAY(SELECT json_array_elements_text($2::text::json)) COLLATE "C" AS list)
		SELECT s.token, `+columns+` FROM (SELECT (SELECT token FROM {sources} WHERE id = $1) AS token) s LEFT JOIN (
			SELECT * FROM {entries} WHERE id = ANY ((SELECT list FROM names)::text[])
			UNION ALL
			SELECT * FROM {entries} WHERE alias = ANY ((SELECT list FROM names)::text[])) e ON true`, source.ID, string(data))
	if err == nil && !held {
		err = inbox.ErrLeaseLost
	}
	if err != nil {
		return there, err
	}
	for _, x := range found {
		if x.id == nil {
			continue
		}
		e, err := x.entry()
		if err != nil {
			return there, err
		}
		there.versions[e.ID] = *x.version
		if e.Alias != "" && there.names[e.Alias] == nil {
			there.names[e.Alias] = &e
		}
		if other := there.names[e.ID]; other == nil || other.ID != e.ID {
			there.names[e.ID] = &e
		}
	}
	return there, nil
}

// write writes the entries. Writers take turns: another might be about to store an entry under one of the same names. If
// an entry was handed over or decided on in the meantime, its version shows it, and everything is done again.
func (s *base) write(ctx context.Context, in pgstore.Tx, source inbox.Source, now time.Time, seen []inbox.Sighting) (counts inbox.Recorded, err error) {
	// Recording must not be blocked by a program that hangs, nor by a slow handler whose entry is to be written.
	_, err = collect(ctx, in, func(r pgstore.Rows) (v [3]string, err error) { return v, r.Scan(&v[0], &v[1], &v[2]) },
		`SELECT set_config('idle_in_transaction_session_timeout', '30s', true), {lock}::text, set_config('lock_timeout', '100ms', true)`)
	if err != nil {
		return counts, err
	}
	write, counts, err := s.merge(ctx, in, source, now, seen)
	if err != nil || len(write) == 0 {
		return inbox.Recorded{}, err
	}
	data, err := json.Marshal(write)
	if err != nil {
		return counts, err
	}
	done, err := collect(ctx, in, func(r pgstore.Rows) (v [2]int64, err error) { return v, r.Scan(&v[0], &v[1]) },
		writeStatement, source.ID, source.Token, int64(counts.New), string(data))
	switch {
	case err != nil:
		return counts, err
	case done[0][0] == 0:
		return counts, inbox.ErrLeaseLost
	case done[0][1] != int64(len(write)):
		return counts, errChanging
	}
	return counts, nil
}

const writeStatement = `
	WITH held AS (
		UPDATE {sources} SET rows = rows + $3::bigint WHERE id = $1 AND token = $2::bigint RETURNING id),
	written AS (
		INSERT INTO {entries} AS e (id, alias, source, wallet, asset, amount, moved, time, state, attempts, due, error, updated, version, movement)
		SELECT r.id, r.alias, r.source, r.wallet, r.asset, r.amount, r.moved, r.time, r.state, r.attempts, r.due, r.error, r.updated, r.version + 1, r.movement::json
		FROM held, json_to_recordset($4::text::json) AS r(id text, alias text, source text, wallet text, asset text, amount bigint, moved boolean,
			time timestamptz, state text, attempts bigint, due timestamptz, error text, updated timestamptz, version bigint, movement text)
		ON CONFLICT (id) DO UPDATE SET alias = excluded.alias, source = excluded.source, wallet = excluded.wallet, asset = excluded.asset,
			amount = excluded.amount, moved = excluded.moved, time = excluded.time, state = excluded.state, attempts = excluded.attempts,
			due = excluded.due, error = excluded.error, updated = excluded.updated, version = excluded.version, movement = excluded.movement
		WHERE e.version = excluded.version - 1
		RETURNING 1)
	SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM written)`
