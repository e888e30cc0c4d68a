package postgres

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/seals"
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

// windowStatement tells the first entry that lies in a window ($3, in microseconds) of counters ($2), and the last of the counter.
const windowStatement = `
	WITH t AS MATERIALIZED (SELECT ` + clock + ` AS now)
	SELECT first.counter IS NOT NULL, coalesce(first.at, 0), coalesce(first.number, 0), coalesce(first.amount, 0), coalesce(first.sum, 0)::text, coalesce(first.ends, 0), first.seal,
		last.counter IS NOT NULL, coalesce(last.at, 0), coalesce(last.number, 0), coalesce(last.amount, 0), coalesce(last.sum, 0)::text, coalesce(last.ends, 0), last.seal
	FROM t CROSS JOIN unnest($2::bytea[], $3::bigint[]) WITH ORDINALITY AS s (counter, size, i)
	LEFT JOIN LATERAL (
		SELECT * FROM {spent} e WHERE e.counter = s.counter AND e.at > t.now - s.size ORDER BY e.at, e.number LIMIT 1
	) first ON true
	LEFT JOIN LATERAL (SELECT * FROM {spent} e WHERE e.counter = s.counter ORDER BY e.at DESC, e.number DESC LIMIT 1) last ON true
	ORDER BY s.i`

func (s *Store) windowArgs(spends []approver.Spend) []any {
	counters, windows := make([][]byte, len(spends)), make([]int64, len(spends))
	for i, spend := range spends {
		counters[i], windows[i] = counterOf(spend.Counter), spend.Window.Microseconds()
	}
	return []any{s.given(), counters, windows}
}

// entry is what an action has spent.
type entry struct {
	found              bool
	at, number, amount int64
	sum                big.Int // with the amount
	ends               int64
	seal               []byte
}

// text is what is sealed.
func (e *entry) text() []byte {
	return fmt.Appendf(nil, "%d %d %d %s %d", e.at, e.number, e.amount, &e.sum, e.ends)
}

// next is the entry after e, at a time or, if the clock was set back, at that of e. It is kept for no less long than e: another replica may count with a
// longer window.
func (e *entry) next(now, amount, keep int64) *entry {
	n := &entry{at: max(now, e.at), number: e.number + 1, amount: amount}
	n.sum.Add(&e.sum, big.NewInt(amount))
	n.ends = n.at + max(keep, e.ends-e.at)
	return n
}

// window is what a window of a counter begins with, and what the counter ends with.
type window struct{ first, last entry }

func (w *window) used() approver.Usage {
	if !w.first.found {
		return approver.Usage{}
	}
	sum := new(big.Int).Sub(&w.last.sum, &w.first.sum)
	u := approver.Usage{Amount: math.MaxInt64, Count: w.last.number - w.first.number + 1}
	if sum.Add(sum, big.NewInt(w.first.amount)).IsInt64() {
		u.Amount = sum.Int64()
	}
	return u
}

func (s *Store) readWindows(rows pgx.Rows, spends []approver.Spend) ([]window, error) {
	windows, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (w window, err error) {
		f, l, sums := &w.first, &w.last, [2]string{}
		err = r.Scan(&f.found, &f.at, &f.number, &f.amount, &sums[0], &f.ends, &f.seal, &l.found, &l.at, &l.number, &l.amount, &sums[1], &l.ends, &l.seal)
		for i, e := range []*entry{f, l} {
			if _, ok := e.sum.SetString(sums[i], 10); !ok && err == nil {
				err = fmt.Errorf("an entry of a counter has the sum %q", sums[i])
			}
		}
		return w, err
	})
	for i, w := range windows {
		for _, e := range []*entry{&w.first, &w.last} {
			if !e.found {
				continue
			}
			if err := s.seals.Check(seals.Spent, seals.ID(counterOf(spends[i].Counter)), e.text(), e.seal); err != nil {
				return nil, fmt.Errorf("counter %s: %w", spends[i].Counter, err)
			}
		}
	}
	return windows, err
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
	rows, err := s.pool.Query(ctx, s.names.Replace(windowStatement), s.windowArgs(spends)...)
	if err != nil {
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	windows, err := s.readWindows(rows, spends)
	if err != nil {
		return nil, fmt.Errorf("approver: postgres: %w", err)
	}
	used := make([]approver.Usage, len(windows))
	for i, w := range windows {
		used[i] = w.used()
	}
	return used, nil
}

// spendStatement adds an entry each to counters.
const spendStatement = `
	INSERT INTO {spent} (counter, at, number, amount, sum, ends, seal)
	SELECT counter, at, number, amount, sum::numeric, ends, seal
	FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bytea[])
		AS s (counter, at, number, amount, sum, ends, seal)`

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
func (s *Store) spend(ctx context.Context, tx pgx.Tx, now int64, spends []approver.Spend, windows []window) error {
	batch := &pgx.Batch{}
	var counters, seal [][]byte
	var ats, numbers, amounts, ends []int64
	var sums []string
	keep := approver.Retention(spends)
	for i, spend := range spends {
		kept, first := keep[spend.Counter]
		if !first {
			continue
		}
		delete(keep, spend.Counter) // else it would be counted again with another window
		counter, e := counterOf(spend.Counter), windows[i].last.next(now, spend.Amount, kept.Microseconds())
		counters, ats, numbers, amounts = append(counters, counter), append(ats, e.at), append(numbers, e.number), append(amounts, e.amount)
		sums, ends, seal = append(sums, e.sum.String()), append(ends, e.ends), append(seal, s.seals.Sum(seals.Spent, seals.ID(counter), e.text()))
	}
	if len(counters) > 0 {
		batch.Queue(s.names.Replace(spendStatement), counters, ats, numbers, amounts, sums, ends, seal)
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
