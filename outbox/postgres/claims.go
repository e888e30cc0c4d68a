package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// noLane is the lane of entries that no worker may claim.
const noLane = outbox.LaneFollow + 1

// laneOf returns the lane of an entry, or noLane.
func laneOf(e outbox.Entry) outbox.Lane {
	if e.State == outbox.StatePending || e.State == outbox.StateSent {
		return e.Lane()
	}
	return noLane
}

// free is the condition that a row of work is not leased at the time $1: a lease that starts after $2 was made by a wrong
// clock.
const free = `(leased_until IS NULL OR leased_until <= $1::timestamptz OR leased_from > $2::timestamptz)`

// unsynced makes a statement not wait for the disk. It is used for leases only: Begin does wait, and its commit includes
// the lease before it, so nothing is sent under a lease that a crash of the server could undo.
const unsynced = `set_config('synchronous_commit', 'off', true) AS unsynced`

// claimStatement leases up to $8 rows of a lane ($4) that are due from $5 to $6 or after $7. Entries are read as they
// were when it began: if checksums differ, they have changed since.
const claimStatement = `
	WITH due AS MATERIALIZED (
		SELECT key FROM {work} WHERE lane = $4::bigint AND due >= $5::timestamptz AND due <= $6::timestamptz AND ` + free + `
		ORDER BY due LIMIT $8::bigint FOR UPDATE SKIP LOCKED),
	far AS MATERIALIZED (
		SELECT key FROM {work} WHERE lane = $4::bigint AND due > $7::timestamptz AND ` + free + `
		ORDER BY due DESC LIMIT $8::bigint FOR UPDATE SKIP LOCKED),
	leased AS (
		UPDATE {work} SET token = {token}, leased_from = $1::timestamptz, leased_until = $3::timestamptz
		WHERE key = ANY (ARRAY(SELECT key FROM due UNION ALL SELECT key FROM far LIMIT $8::bigint))
		RETURNING *)
	SELECT w.token, w.sum, w.due, ` + columns + ` FROM ` + unsynced + `, leased w LEFT JOIN {entries} o ON o.key = w.key ORDER BY w.due`

type claimed struct {
	stored
	token int64
	sum   []byte // the entry's, now
	due   time.Time
}

func scanClaimed(r pgstore.Rows) (c claimed, err error) {
	c.stored, err = scanWith(r, &c.token, &c.sum, &c.due)
	return c, err
}

// Claim leases due entries.
func (s *Store) Claim(ctx context.Context, w outbox.Want) ([]outbox.Claim, error) {
	var claims []outbox.Claim
	for w.Limit > len(claims) {
		found, err := s.lease(ctx, w, w.Limit-len(claims))
		if err != nil {
			return nil, err
		}
		aside := false
		for _, c := range found {
			if e, ok := s.claimedEntry(ctx, c); ok {
				claims = append(claims, outbox.Claim{Entry: e, Token: c.token})
			} else {
				aside = true
			}
		}
		if !aside {
			break
		}
	}
	return claims, nil
}

// lease leases due rows of work.
func (s *Store) lease(ctx context.Context, w outbox.Want, limit int) ([]claimed, error) {
	to, beyond := w.Now, w.Beyond
	if beyond.IsZero() || w.Lane == outbox.LaneNew {
		beyond = latest
	}
	if w.Lane == outbox.LaneNew {
		to = latest
	}
	began := time.Now()
	from, whole := s.fronts.begin(w.Lane, began, w.Now)
	found, err := collect(ctx, s.db, scanClaimed, claimStatement,
		micro(w.Now), micro(w.Now.Add(wrongClock)), micro(w.Until), int64(w.Lane), micro(from), micro(to), micro(beyond), int64(limit))
	if err != nil {
		return nil, err
	}
	seen := w.Now.Add(-late)
	if n := len(found); n == limit && n > 0 && !found[n-1].due.After(to) {
		seen = found[n-1].due
	}
	for _, c := range found {
		s.fronts.leased(c.token, w.Lane, w.Until)
	}
	s.fronts.end(w.Lane, began, time.Since(began), whole, seen)
	return found, nil
}

// claimedEntry returns the entry of a leased row. An entry that cannot be read is set aside; if that fails, or it is not
// available now, it comes again when the lease ends.
func (s *Store) claimedEntry(ctx context.Context, c claimed) (e outbox.Entry, ok bool) {
	if !bytes.Equal(c.sum, c.stored.sum) { // changed while it was being leased, which is no longer possible
		again, err := s.read(ctx, s.db, c.key)
		if err != nil && !errors.Is(err, outbox.ErrNotFound) {
			return outbox.Entry{}, false
		}
		c.stored = again
	}
	e = s.entry(c.stored)
	if e.Request == nil || !bytes.Equal(c.sum, c.stored.sum) {
		_, _ = collect(ctx, s.db, pgstore.Column[string], `
			WITH gone AS (DELETE FROM {work} WHERE key = $1 AND token = $2::bigint RETURNING key)
			UPDATE {entries} o SET state = $3, unknown = true FROM gone WHERE o.key = gone.key RETURNING o.key`,
			c.key, c.token, string(outbox.StateHeld))
		return outbox.Entry{}, false
	}
	return e, true
}

// Take leases one entry.
func (s *Store) Take(ctx context.Context, key string, now, until time.Time) (outbox.Claim, error) {
	tokens, err := collect(ctx, s.db, pgstore.Column[int64], `
		INSERT INTO {work} AS w (key, lane, due, token, leased_from, leased_until, sum)
		SELECT key, $5::bigint, updated, {token}, $1::timestamptz, $3::timestamptz, sum FROM {entries} WHERE key = $4
		ON CONFLICT (key) DO UPDATE SET token = excluded.token, leased_from = excluded.leased_from, leased_until = excluded.leased_until
		WHERE `+strings.ReplaceAll(free, "leased_", "w.leased_")+`
		RETURNING token`,
		micro(now), micro(now.Add(wrongClock)), micro(until), key, int64(noLane))
	if err != nil {
		return outbox.Claim{}, err
	}
	e, err := s.Get(ctx, key) // now nobody else can change it
	if err == nil && len(tokens) == 0 {
		err = outbox.ErrBusy
	}
	if err != nil {
		return outbox.Claim{}, err
	}
	return outbox.Claim{Entry: e, Token: tokens[0]}, nil
}

// change is the result of a claim, as part of a batch.
type change struct {
	Key      string      `json:"key"`
	Token    int64       `json:"token"`
	Lane     outbox.Lane `json:"lane"`
	Due      time.Time   `json:"due"`
	Sending  bool        `json:"sending,omitzero"`
	Attempts int         `json:"attempts,omitzero"`
	Digest   string      `json:"digest,omitzero"` // of the API key
	kept
}

const beginStatement = `
	UPDATE {work} w SET sending = c.sending, attempts = c.attempts, api_key = c.digest, lane = c.lane
	FROM json_to_recordset($1::text::json) AS c(key text, token bigint, lane smallint, sending boolean, attempts integer, digest text)
	WHERE w.key = c.key AND w.token = c.token RETURNING c.token`

const postponeStatement = `
	UPDATE {work} w SET due = c.due, token = 0, leased_from = NULL, leased_until = NULL
	FROM ` + unsynced + `, json_to_recordset($1::text::json) AS c(key text, token bigint, due timestamptz)
	WHERE w.key = c.key AND w.token = c.token RETURNING c.token`

const releaseStatement = `
	WITH c AS MATERIALIZED (
		SELECT * FROM json_to_recordset($1::text::json) AS c(key text, token bigint, lane smallint, due timestamptz,
			state text, unknown boolean, tx_id text, updated timestamptz, entry text, sum bytea)),
	waits AS (
		UPDATE {work} w SET lane = c.lane, due = c.due, sum = c.sum, token = 0, leased_from = NULL, leased_until = NULL,
			sending = NULL, attempts = NULL, api_key = NULL
		FROM c WHERE w.key = c.key AND w.token = c.token AND c.lane < 3 RETURNING c.token),
	gone AS (DELETE FROM {work} w USING c WHERE w.key = c.key AND w.token = c.token AND c.lane = 3 RETURNING w.token)
	UPDATE {entries} o SET state = c.state, unknown = c.unknown, tx_id = c.tx_id, updated = c.updated, entry = c.entry::json, sum = c.sum
	FROM c WHERE o.key = c.key AND c.token IN (SELECT token FROM waits UNION ALL SELECT token FROM gone) RETURNING c.token`

// Begin records that an attempt begins.
func (s *Store) Begin(ctx context.Context, c outbox.Claim) error {
	lane := laneOf(c.Entry)
	err := s.begins.do(ctx, change{
		Key: c.Entry.Key, Token: c.Token, Lane: lane,
		Sending: c.Entry.Sending, Attempts: c.Entry.Attempts, Digest: c.Entry.APIKey,
	})
	if err == nil {
		s.fronts.moved(c.Token, lane)
	}
	return err
}

// Postpone ends the lease of an unchanged entry.
func (s *Store) Postpone(ctx context.Context, c outbox.Claim) error {
	return s.giveUp(ctx, &s.postpones, change{Key: c.Entry.Key, Token: c.Token, Lane: laneOf(c.Entry), Due: micro(c.Entry.Due)})
}

// Release stores a claim's entry and ends the lease.
func (s *Store) Release(ctx context.Context, c outbox.Claim) error {
	stored, err := s.keep(c.Entry)
	if err != nil {
		return err
	}
	return s.giveUp(ctx, &s.releases, change{Key: c.Entry.Key, Token: c.Token, Lane: laneOf(c.Entry), Due: micro(c.Entry.Due), kept: stored})
}

// giveUp makes a change that ends a lease.
func (s *Store) giveUp(ctx context.Context, by *combiner, ch change) error {
	err := by.do(ctx, ch)
	if err == nil || errors.Is(err, outbox.ErrClaimLost) {
		s.fronts.over(ch.Token)
	}
	if err == nil {
		s.fronts.add(ch.Lane, ch.Due)
	}
	return err
}

// batch returns a function that makes changes in one statement. If the server refuses one of them, they are tried one by
// one, so that only that one fails.
func (s *Store) batch(statement string) func(context.Context, []change) []error {
	var apply func(ctx context.Context, changes []change) []error
	apply = func(ctx context.Context, changes []change) []error {
		errs := make([]error, len(changes))
		data, err := json.Marshal(changes)
		var done []int64
		if err == nil {
			done, err = collect(ctx, s.db, pgstore.Column[int64], statement, string(data))
		}
		one := len(changes) == 1
		for i, ch := range changes {
			switch {
			case err == nil && !slices.Contains(done, ch.Token):
				errs[i] = outbox.ErrClaimLost
			case err == nil:
			case !one && refused(err):
				errs[i] = apply(ctx, changes[i:i+1])[0]
			case one && pgstore.State(err) == uniqueViolation:
				errs[i] = outbox.ErrTxIDTaken
			default:
				errs[i] = err
			}
		}
		return errs
	}
	return apply
}

const uniqueViolation = "23505"

// refused reports whether an error is about the data to be stored: classes 22, 23 and 54 of SQLSTATE.
func refused(err error) bool {
	state := pgstore.State(err)
	return strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23") || strings.HasPrefix(state, "54")
}
