package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/seals"
)

// about says which decision an error is about, if there is one.
func about(id qredo.ActionID, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("approver: postgres: decision about %s: %w", id, err)
}

// Lookup implements [approver.Store].
func (s *Store) Lookup(ctx context.Context, id qredo.ActionID) (rec approver.Record, found bool, err error) {
	rec, err = s.read(ctx, s.pool, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return rec, false, nil
	}
	return rec, err == nil, about(id, err)
}

// row is a pool, or a transaction.
type row interface {
	QueryRow(ctx context.Context, statement string, args ...any) pgx.Row
}

func (s *Store) read(ctx context.Context, in row, id qredo.ActionID) (rec approver.Record, err error) {
	var data string
	var seq int64
	var seal []byte
	err = in.QueryRow(ctx, s.names.Replace(`SELECT record::text, seq, seal FROM {decisions} WHERE action_id = $1::text`), string(id)).Scan(&data, &seq, &seal)
	if err == nil {
		err = s.seals.Check(seals.Decision, string(id), []byte(data), seal)
	}
	if err == nil {
		err = json.Unmarshal([]byte(data), &rec)
	}
	if err != nil {
		return approver.Record{}, err
	}
	rec.Seq = seq
	return rec, nil
}

// marshal returns a decision as a row keeps it, and its seal. Its number stands beside it, and is not sealed.
func (s *Store) marshal(rec approver.Record) (text string, seal []byte, err error) {
	rec.Seq = 0
	data, err := json.Marshal(rec)
	return string(data), s.seals.Sum(seals.Decision, string(rec.ActionID), data), err
}

// keepRecord is for how long a decision is kept after its action has expired.
const keepRecord = 24 * time.Hour

// Reserve implements [approver.Store].
func (s *Store) Reserve(ctx context.Context, rec approver.Record, spends []approver.Spend) (stands approver.Record, err error) {
	if err := approver.CheckSpends(spends); err != nil {
		return stands, about(rec.ActionID, err)
	}
	for _, spend := range spends {
		if spend.Amount < 0 {
			return stands, &approver.OverLimitError{Spend: spend}
		}
	}
	known := rec.Seq
	data, seal, err := s.marshal(rec)
	if err != nil {
		return stands, about(rec.ActionID, err)
	}
	err = s.transact(ctx, func(tx pgx.Tx) error {
		stands = rec
		now, seq, windows, err := s.lock(ctx, tx, rec, data, seal, spends)
		if errors.Is(err, errStands) {
			stands, err = s.read(ctx, tx, rec.ActionID)
			return err
		}
		if err != nil {
			return err
		}
		if stands.Seq = seq; seq <= known { // the numbers were set back, and the decisions were not
			return &approver.LostError{Before: s.epoch, Now: s.epoch, Known: known, Last: seq}
		}
		for i, spend := range spends {
			if err := spend.Check(windows[i].used()); err != nil {
				return err
			}
		}
		return s.spend(ctx, tx, now, spends, windows)
	})
	if err != nil {
		return approver.Record{}, about(rec.ActionID, err)
	}
	return stands, nil
}

var errStands = errors.New("the action has a decision already")

// lock stores a decision, locks the counters of spends, and returns what their windows hold, the time, and the decision's number; or errStands. Who holds the
// lock of a counter is alone with it until the transaction ends.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, rec approver.Record, data string, seal []byte, spends []approver.Spend) (now, seq int64, windows []window, err error) {
	var forget *int64
	if !rec.Expires.IsZero() {
		at := rec.Expires.Add(keepRecord).UnixMicro()
		forget = &at
	}
	batch := &pgx.Batch{}
	batch.Queue(s.names.Replace(`SELECT epoch, (` + lastStatement + `) FROM {epoch}`)).QueryRow(func(r pgx.Row) error {
		epoch, last := "", int64(0)
		if err := r.Scan(&epoch, &last); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		switch {
		case epoch != s.epoch:
			return &approver.LostError{Before: s.epoch, Now: epoch}
		case last < rec.Seq:
			return &approver.LostError{Before: s.epoch, Now: s.epoch, Known: rec.Seq, Last: last}
		}
		return nil
	})
	batch.Queue(s.names.Replace(`INSERT INTO {decisions} (action_id, record, forget, seal) VALUES ($1::text, $2::text::json, $3::bigint, $4::bytea)
		ON CONFLICT (action_id) DO NOTHING RETURNING seq`), string(rec.ActionID), data, forget, seal).QueryRow(func(r pgx.Row) error {
		err := r.Scan(&seq)
		if errors.Is(err, pgx.ErrNoRows) {
			return errStands
		}
		return err
	})
	for _, lock := range s.locksOf(spends) {
		batch.Queue(`SELECT pg_advisory_xact_lock($1::bigint)`, lock)
	}
	batch.Queue(`SELECT `+clock, s.given()).QueryRow(func(r pgx.Row) error { return r.Scan(&now) })
	if len(spends) > 0 {
		batch.Queue(s.names.Replace(windowStatement), s.windowArgs(spends)...).Query(func(rows pgx.Rows) (err error) {
			windows, err = s.readWindows(rows, spends)
			return err
		})
	}
	err = tx.SendBatch(ctx, batch).Close() // which sets the others
	return now, seq, windows, err
}

// locksOf are the locks of counters, in an order that is the same for all, so that nobody waits in a circle.
func (s *Store) locksOf(spends []approver.Spend) []int64 {
	locks := make([]int64, 0, len(spends))
	for _, spend := range spends {
		locks = append(locks, lockOf(s.epoch, spend.Counter)) // other schemas have other locks
	}
	slices.Sort(locks)
	return slices.Compact(locks)
}

// lockOf is the number of an advisory lock. Two that are the same cost time only.
func lockOf(of, name string) int64 {
	sum := sha256.Sum256([]byte(of + " " + name))
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // any number will do
}

// lastStatement is the number of the last decision that was committed. The sequence itself would not do: it is ahead of what was
// used after a crash, and on a standby, so that it does not show what was lost.
const lastStatement = `SELECT coalesce(max(seq), 0) FROM {decisions}`

// LastSeq implements [approver.Store].
func (s *Store) LastSeq(ctx context.Context) (last int64, err error) {
	if err = s.pool.QueryRow(ctx, s.names.Replace(lastStatement)).Scan(&last); err != nil {
		return 0, fmt.Errorf("approver: postgres: the number of the last decision: %w", err)
	}
	return last, nil
}

// Finish implements [approver.Store].
func (s *Store) Finish(ctx context.Context, id qredo.ActionID, outcome approver.Outcome) error {
	return about(id, s.transact(ctx, func(tx pgx.Tx) error {
		rec, err := s.read(ctx, tx, id)
		if err != nil {
			return err
		}
		rec.Outcome = outcome
		data, seal, err := s.marshal(rec)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, s.names.Replace(`UPDATE {decisions} SET record = $2::text::json, seal = $3::bytea WHERE action_id = $1::text`), string(id), data, seal)
		return err
	}))
}
