package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/exact"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// Begin stores the time from which movements are handed over.
func (s *Store[Tx]) Begin(ctx context.Context, from time.Time) (time.Time, error) {
	for {
		begun, err := collect(ctx, s.db, pgstore.Column[time.Time], `SELECT at FROM {begin}`)
		switch {
		case err != nil:
			return time.Time{}, err
		case len(begun) > 0:
			return begun[0].UTC(), nil
		}
		_, err = collect(ctx, s.db, pgstore.Column[bool], `
			INSERT INTO {begin} (one, at) VALUES (true, $1::timestamptz) ON CONFLICT DO NOTHING RETURNING one`, micro(from))
		if err != nil {
			return time.Time{}, err
		}
	}
}

const sourceColumns = `s.id, s.holder, s.token, s.until, s.rows, s.reading::text`

func scanSource(r pgstore.Rows) (s inbox.Source, err error) {
	var (
		until   *time.Time
		reading string
	)
	if err = r.Scan(&s.ID, &s.Holder, &s.Token, &until, &s.Rows, &reading); err != nil {
		return s, err
	}
	if until != nil {
		s.Until = until.UTC()
	}
	if err = json.Unmarshal([]byte(reading), &s.Reading); err != nil {
		err = fmt.Errorf("inbox: how far %s was read is not stored in the form of this version: %w", s.ID, err)
	}
	return s, err
}

// Lease gives a source to a holder, or renews its lease, by the server's clock.
func (s *Store[Tx]) Lease(ctx context.Context, source, holder string, lease time.Duration) (inbox.Source, error) {
	if source == "" {
		return inbox.Source{}, errors.New("inbox: a source without an ID cannot be leased")
	}
	if err := storable(source, holder); err != nil {
		return inbox.Source{}, err
	}
	for range tries {
		leased, err := collect(ctx, s.db, scanSource, `
			INSERT INTO {sources} AS s (id, holder, token, until, rows, reading)
			VALUES ($1, $2, 1, clock_timestamp() + $3::bigint * interval '1 microsecond', 0, '{}')
			ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, until = excluded.until,
				token = s.token + CASE WHEN s.holder = excluded.holder THEN 0 ELSE 1 END
			WHERE s.holder = excluded.holder OR s.until IS NULL OR s.until <= clock_timestamp()
			RETURNING `+sourceColumns, source, holder, lease.Microseconds())
		if err != nil {
			return inbox.Source{}, err
		}
		if len(leased) > 0 {
			return leased[0], nil
		}
		refused, err := collect(ctx, s.db, func(r pgstore.Rows) (e inbox.LeasedError, err error) {
			e.Source = source
			var rest *int64
			err = r.Scan(&e.Holder, &rest)
			if rest != nil {
				e.For = time.Duration(*rest) * time.Microsecond
			}
			return e, err
		}, `SELECT holder, (extract(epoch FROM until - clock_timestamp()) * 1000000)::bigint FROM {sources} WHERE id = $1`, source)
		if err != nil {
			return inbox.Source{}, err
		}
		if len(refused) > 0 && refused[0].Holder != holder && refused[0].For > 0 { // otherwise it has ended since
			return inbox.Source{}, &refused[0]
		}
	}
	return inbox.Source{}, errors.New("inbox: others take the lease all the time: try again")
}

// Release ends a lease.
func (s *Store[Tx]) Release(ctx context.Context, source inbox.Source) error {
	_, err := collect(ctx, s.db, pgstore.Column[bool], `
		UPDATE {sources} SET until = NULL WHERE id = $1 AND token = $2::bigint AND until IS NOT NULL RETURNING true`, source.ID, source.Token)
	return err
}

// Progress stores how far a source has been read.
func (s *Store[Tx]) Progress(ctx context.Context, source inbox.Source) error {
	source.Latest = micro(source.Latest)
	reading, err := exact.JSON(source.Reading)
	if err != nil {
		return err
	}
	held, err := collect(ctx, s.db, pgstore.Column[bool], `
		WITH changed AS (
			UPDATE {sources} SET reading = $3::text::json WHERE id = $1 AND token = $2::bigint AND reading::text <> $3::text RETURNING id)
		SELECT reading::text = $3::text OR EXISTS (SELECT FROM changed) FROM {sources} WHERE id = $1 AND token = $2::bigint`,
		source.ID, source.Token, string(reading))
	if err == nil && (len(held) == 0 || !held[0]) {
		err = inbox.ErrLeaseLost
	}
	return err
}

// Sources returns all sources.
func (s *Store[Tx]) Sources(ctx context.Context) ([]inbox.Source, error) {
	return collect(ctx, s.db, scanSource, `SELECT `+sourceColumns+` FROM {sources} s ORDER BY s.id`)
}
