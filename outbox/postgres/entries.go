package postgres

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// columns are the columns of a stored: of an entry o and its row of work w, if it has one.
const columns = `coalesce(o.key, w.key), coalesce(o.entry::text, ''), coalesce(o.sum, ''), o.updated,
	CASE WHEN w.lane < 3 THEN w.due END, w.sending, w.attempts, w.api_key`

// stored is an entry as it is read. The row of work overrides the entry's JSON.
type stored struct {
	key       string
	data, sum []byte
	updated   *time.Time
	due       *time.Time
	sending   *bool
	attempts  *int64
	apiKey    *string
}

// scanWith scans a row that ends with the columns of a stored.
func scanWith(r pgstore.Rows, before ...any) (x stored, err error) {
	err = r.Scan(append(before, &x.key, &x.data, &x.sum, &x.updated, &x.due, &x.sending, &x.attempts, &x.apiKey)...)
	return x, err
}

func scanStored(r pgstore.Rows) (stored, error) { return scanWith(r) }

// entry returns the entry, or a placeholder for one that cannot be read.
func (s *Store) entry(x stored) outbox.Entry {
	e, err := s.records.Decode(x.key, x.data, x.sum)
	if err != nil {
		e = s.records.Damaged(x.key, err)
		if x.updated != nil {
			e.Updated = x.updated.UTC() // so that a listing in the order of changes goes on after it
		}
		return e
	}
	if x.due != nil {
		e.Due = x.due.UTC()
	}
	if x.attempts != nil {
		e.Attempts = int(*x.attempts)
	}
	if x.sending != nil {
		e.Sending = *x.sending
	}
	if x.apiKey != nil {
		e.APIKey = *x.apiKey
	}
	return e
}

// kept is an entry in the form of the columns.
type kept struct {
	State   outbox.State `json:"state"`
	Unknown bool         `json:"unknown"`
	TxID    *string      `json:"tx_id"`
	Updated time.Time    `json:"updated"`
	Entry   string       `json:"entry"`
	Sum     string       `json:"sum"`
}

func (s *Store) keep(e outbox.Entry) (kept, error) {
	data, sum, err := s.records.Encode(e)
	k := kept{State: e.State, Unknown: e.Unknown, Updated: micro(e.Updated), Entry: string(data), Sum: `\x` + hex.EncodeToString(sum)}
	if e.TxID != "" {
		id := string(e.TxID)
		k.TxID = &id
	}
	return k, err
}

// place is the store, or a transaction of the caller's in it.
type place struct {
	s  *Store
	in pgstore.Runner
	// notify makes PostgreSQL notify the workers when the transaction is committed.
	notify bool
}

// addStatement adds an entry and its row of work, and returns what is then stored.
const addStatement = `
	WITH added AS (
		INSERT INTO {entries} (key, state, unknown, tx_id, partner_tx_id, updated, entry, sum)
		VALUES ($1, $2, $3::boolean, nullif($4::text, ''), nullif($5::text, ''), $6::timestamptz, $7::text::json, $8::bytea)
		ON CONFLICT DO NOTHING RETURNING key, state, unknown, entry, sum),
	queued AS (
		INSERT INTO {work} (key, lane, due, token, sum)
		SELECT key, $9::bigint, $10::timestamptz, 0, sum FROM added WHERE $9::bigint < 3
		ON CONFLICT (key) DO UPDATE SET lane = excluded.lane, due = excluded.due, token = excluded.token, sum = excluded.sum,
			leased_from = NULL, leased_until = NULL, sending = NULL, attempts = NULL, api_key = NULL
		RETURNING lane, due, sum)
	SELECT added.entry::text, added.sum,
		added.key = $1 AND added.state = $2 AND added.unknown = $3::boolean AND
			($9::bigint = 3 OR queued.lane = $9::bigint AND queued.due = $10::timestamptz AND queued.sum = $8::bytea),
		CASE WHEN $11::boolean THEN pg_notify('` + channel + `', $12)::text END
	FROM added LEFT JOIN queued ON true`

// addTries limits how often Add is tried while others add and remove the same key.
const addTries = 12

// Add stores an entry unless its key has one.
func (p place) Add(ctx context.Context, e outbox.Entry) (there outbox.Entry, added bool, err error) {
	data, sum, err := p.s.records.Encode(e)
	if err != nil {
		return outbox.Entry{}, false, err
	}
	brought := ""
	if e.Brought {
		brought = string(e.PartnerTxID)
	}
	lane := laneOf(e)
	as := func(r pgstore.Rows) (same bool, err error) {
		var (
			gotData, gotSum []byte
			told            *string
		)
		err = r.Scan(&gotData, &gotSum, &same, &told)
		return same && bytes.Equal(gotData, data) && bytes.Equal(gotSum, sum), err
	}
	for range addTries {
		same, err := collect(ctx, p.in, as, addStatement, e.Key, string(e.State), e.Unknown, string(e.TxID), brought, micro(e.Updated),
			string(data), sum, int64(lane), micro(e.Due), p.notify && lane < noLane, p.s.schema)
		switch {
		case err != nil:
			return outbox.Entry{}, false, err
		case len(same) == 1 && !same[0]:
			return outbox.Entry{}, false, fmt.Errorf("the database has changed %q as it was stored: something in it meddles with the tables of the outbox", e.Key)
		case len(same) == 1:
			return e, true, nil
		}
		if there, err = p.Get(ctx, e.Key); !errors.Is(err, outbox.ErrNotFound) {
			return there, false, err
		}
		taken, err := collect(ctx, p.in, pgstore.Column[bool], `SELECT coalesce(tx_id = $1, false) FROM {entries} WHERE tx_id = $1 OR partner_tx_id = $2`, string(e.TxID), brought)
		switch {
		case err != nil:
			return outbox.Entry{}, false, err
		case len(taken) == 0: // the conflicting entry was removed in the meantime
		case taken[0]:
			return outbox.Entry{}, false, outbox.ErrTxIDTaken
		default:
			return outbox.Entry{}, false, outbox.ErrPartnerTxIDTaken
		}
	}
	return outbox.Entry{}, false, errors.New("others add and remove the key all the time")
}

// Get returns the entry with a key.
func (p place) Get(ctx context.Context, key string) (outbox.Entry, error) {
	x, err := p.s.read(ctx, p.in, key)
	if err != nil {
		return outbox.Entry{}, err
	}
	return p.s.entry(x), nil
}

func (s *Store) read(ctx context.Context, in pgstore.Runner, key string) (stored, error) {
	found, err := collect(ctx, in, scanStored, `
		SELECT `+columns+` FROM {entries} o LEFT JOIN {work} w ON w.key = o.key WHERE o.key = $1`, key)
	switch {
	case err != nil:
		return stored{}, err
	case len(found) == 0:
		return stored{}, outbox.ErrNotFound
	}
	return found[0], nil
}

// Add stores an entry unless there is already one with its key.
func (s *Store) Add(ctx context.Context, e outbox.Entry) (there outbox.Entry, added bool, err error) {
	there, added, err = place{s, s.db, s.told.next()}.Add(ctx, e)
	if added {
		s.fronts.add(laneOf(e), micro(e.Due))
	}
	return there, added, err
}

// Get returns the entry with the given key.
func (s *Store) Get(ctx context.Context, key string) (outbox.Entry, error) {
	return place{s: s, in: s.db}.Get(ctx, key)
}

// Remove removes those of the given entries that have ended. One that cannot be read is set aside instead.
func (s *Store) Remove(ctx context.Context, keys []string) error {
	data, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	ended, err := collect(ctx, s.db, scanStored, `
		SELECT `+columns+` FROM {entries} o LEFT JOIN {work} w ON w.key = o.key
		WHERE o.key IN (SELECT json_array_elements_text($1::text::json)) AND o.state NOT IN ('pending', 'sent', 'held')`, string(data))
	if err != nil {
		return err
	}
	good, bad := []string{}, []string{}
	for _, x := range ended {
		if s.entry(x).Request != nil {
			good = append(good, x.key)
		} else {
			bad = append(bad, x.key)
		}
	}
	for statement, keys := range map[string][]string{
		`WITH gone AS (DELETE FROM {entries} WHERE ` + theseEnded + ` RETURNING key)
			DELETE FROM {work} WHERE key IN (SELECT key FROM gone) RETURNING key`: good,
		`UPDATE {entries} SET state = 'held', unknown = true WHERE ` + theseEnded + ` RETURNING key`: bad,
	} {
		if data, err = json.Marshal(keys); err == nil {
			_, err = collect(ctx, s.db, pgstore.Column[string], statement, string(data))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

const theseEnded = `key IN (SELECT json_array_elements_text($1::text::json)) AND state NOT IN ('pending', 'sent', 'held')`

// times of PostgreSQL: it keeps microseconds.
func micro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// latest is later than any due time.
var latest = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
