package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/approver"
)

// clock is the time in microseconds since 1970: $1, or that of the server if it is NULL.
const clock = `coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)`

// given is the time of the caller's clock, or nil.
func (s *Store) given() *int64 {
	if s.now == nil {
		return nil
	}
	now := s.now().UnixMicro()
	return &now
}

// usedStatement tells what the windows ($3, in microseconds) of counters ($2) hold.
const usedStatement = `
	WITH t AS MATERIALIZED (SELECT ` + clock + ` AS now)
	SELECT least(coalesce(last.sum - first.sum + first.amount, 0), 9223372036854775807)::bigint, coalesce(last.number - first.number + 1, 0)::bigint
	FROM t CROSS JOIN unnest($2::bytea[], $3::bigint[]) WITH ORDINALITY AS s (counter, size, i)
	LEFT JOIN LATERAL (
		SELECT number, amount, sum FROM {spent} e WHERE e.counter = s.counter AND e.at > t.now - s.size ORDER BY e.at, e.number LIMIT 1
	) first ON true
	LEFT JOIN LATERAL (SELECT number, sum FROM {spent} e WHERE e.counter = s.counter ORDER BY e.at DESC, e.number DESC LIMIT 1) last ON true
	ORDER BY s.i`

func (s *Store) usedArgs(spends []approver.Spend) []any {
	counters, windows := make([][]byte, len(spends)), make([]int64, len(spends))
	for i, spend := range spends {
		counters[i], windows[i] = counterOf(spend.Counter), spend.Window.Microseconds()
	}
	return []any{s.given(), counters, windows}
}

func scanUsage(r pgx.CollectableRow) (u approver.Usage, err error) {
	return u, r.Scan(&u.Amount, &u.Count)
}

func counterOf(name string) []byte {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

// Usage implements [approver.Store].
func (s *Store) Usage(ctx context.Context, spends []approver.Spend) ([]approver.Usage, error) {
	if err := approver.CheckSpends(spends); err != nil {
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	rows, err := s.pool.Query(ctx, s.names.Replace(usedStatement), s.usedArgs(spends)...)
	if err != nil {
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	used, err := pgx.CollectRows(rows, scanUsage)
	if err != nil {
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	return used, nil
}

// spendStatement adds at $1 an entry to each counter ($2) with an amount ($3), which is kept for some time ($4), and for no
// less long than the last one: another replica may count with a longer window.
const spendStatement = `
	INSERT INTO {spent} (counter, at, number, amount, sum, ends)
	SELECT s.counter, greatest($1::bigint, last.at), coalesce(last.number, 0) + 1, s.amount, coalesce(last.sum, 0) + s.amount,
		greatest($1::bigint, last.at) + greatest(s.keep, last.ends - last.at)
	FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS s (counter, amount, keep)
	LEFT JOIN LATERAL (SELECT at, number, sum, ends FROM {spent} e WHERE e.counter = s.counter ORDER BY e.at DESC, e.number DESC LIMIT 1) last ON true`

// forgetSpent drops some entries that ended from $2 to $3, in the order in which they ended, of whatever counter, unless another is at it (the
// lock $1). It returns where the next begins: below that are only rows that are gone, which the server may have to pass.
const forgetSpent = `
	WITH gone AS (
		DELETE FROM {spent} e USING (
			SELECT counter, at, number FROM {spent} WHERE ends >= $2::bigint AND ends <= $3::bigint AND (SELECT pg_try_advisory_xact_lock($1::bigint))
			ORDER BY ends, counter, at, number LIMIT 64
		) o WHERE (e.counter, e.at, e.number) = (o.counter, o.at, o.number) RETURNING e.ends
	) SELECT coalesce(max(ends), $2::bigint) FROM gone`

// forgetRecords is the same for decisions. The last one stays: its number shows whether the database was put back.
const forgetRecords = `
	WITH gone AS (
		DELETE FROM {decisions} e USING (
			SELECT action_id FROM {decisions} WHERE forget >= $2::bigint AND forget <= $3::bigint AND (SELECT pg_try_advisory_xact_lock($1::bigint))
				AND seq < (SELECT max(seq) FROM {decisions})
			ORDER BY forget LIMIT 64
		) o WHERE e.action_id = o.action_id RETURNING e.forget
	) SELECT coalesce(max(forget), $2::bigint) FROM gone`

// spend counts what spends use up, each counter once, and drops some of what is not needed any more.
func (s *Store) spend(ctx context.Context, tx pgx.Tx, now int64, spends []approver.Spend) error {
	batch := &pgx.Batch{}
	var counters [][]byte
	var amounts, keeps []int64
	keep := approver.Retention(spends)
	for _, spend := range spends {
		if kept, first := keep[spend.Counter]; first {
			counters, amounts, keeps = append(counters, counterOf(spend.Counter)), append(amounts, spend.Amount), append(keeps, kept.Microseconds())
			delete(keep, spend.Counter) // else it would be counted again with another window
		}
	}
	if len(counters) > 0 {
		batch.Queue(s.names.Replace(spendStatement), now, counters, amounts, keeps)
	}
	spentGone, recordGone := s.spentGone.Load(), s.recordGone.Load()
	batch.Queue(s.names.Replace(forgetSpent), s.tidyLock, spentGone, now).QueryRow(func(r pgx.Row) error { return r.Scan(&spentGone) })
	batch.Queue(s.names.Replace(forgetRecords), s.tidyLock, recordGone, now).QueryRow(func(r pgx.Row) error { return r.Scan(&recordGone) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	s.spentGone.Store(spentGone)
	s.recordGone.Store(recordGone)
	return nil
}
