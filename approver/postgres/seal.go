package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/approver/internal/seals"
)

// checkSeals compares the mark of tables that are there with the key, and seals them again if that is to be.
func (s *Store) checkSeals(ctx context.Context, tx pgx.Tx) error {
	var mark []byte
	if err := tx.QueryRow(ctx, s.names.Replace(`SELECT seal FROM {epoch}`)).Scan(&mark); err != nil {
		return err
	}
	s.seals = s.seals.Of(s.epoch)
	again, err := s.seals.Open(mark, s.unsealed)
	if err != nil || !again {
		return err
	}
	accepted := len(mark) == 0
	if err := s.sealDecisions(ctx, tx, accepted); err != nil {
		return err
	}
	if err := s.sealSpent(ctx, tx, accepted); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, s.names.Replace(`UPDATE {epoch} SET seal = $1::bytea`), s.seals.Mark())
	return err
}

// outdated reports whether something must be sealed again. With accepted, that may have no seal.
func (s *Store) outdated(kind seals.Kind, id string, data, seal []byte, accepted bool) (bool, error) {
	if s.seals.Current(kind, id, data, seal) {
		return false, nil
	}
	if err := s.seals.Check(kind, id, data, seal); err != nil && (!accepted || len(seal) > 0) {
		return false, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	return true, nil
}

func (s *Store) sealDecisions(ctx context.Context, tx pgx.Tx, accepted bool) error {
	rows, err := tx.Query(ctx, s.names.Replace(`SELECT action_id, record::text, seal FROM {decisions} FOR UPDATE`))
	if err != nil {
		return err
	}
	var id, data string
	var seal []byte
	batch := &pgx.Batch{}
	_, err = pgx.ForEachRow(rows, []any{&id, &data, &seal}, func() error {
		outdated, err := s.outdated(seals.Decision, id, []byte(data), seal, accepted)
		if outdated {
			batch.Queue(s.names.Replace(`UPDATE {decisions} SET seal = $2::bytea WHERE action_id = $1::text`), id, s.seals.Sum(seals.Decision, id, []byte(data)))
		}
		return err
	})
	if err != nil {
		return err
	}
	return tx.SendBatch(ctx, batch).Close()
}

func (s *Store) sealSpent(ctx context.Context, tx pgx.Tx, accepted bool) error {
	rows, err := tx.Query(ctx, s.names.Replace(`SELECT counter, at, number, amount, sum::text, ends, seal FROM {spent} FOR UPDATE`))
	if err != nil {
		return err
	}
	var counter []byte
	var sum string
	var e entry
	batch := &pgx.Batch{}
	_, err = pgx.ForEachRow(rows, []any{&counter, &e.at, &e.number, &e.amount, &sum, &e.ends, &e.seal}, func() error {
		if _, ok := e.sum.SetString(sum, 10); !ok {
			return fmt.Errorf("an entry of a counter has the sum %q", sum)
		}
		outdated, err := s.outdated(seals.Spent, seals.ID(counter), e.text(), e.seal, accepted)
		if outdated {
			batch.Queue(s.names.Replace(`UPDATE {spent} SET seal = $4::bytea WHERE counter = $1::bytea AND at = $2::bigint AND number = $3::bigint`),
				append([]byte(nil), counter...), e.at, e.number, s.seals.Sum(seals.Spent, seals.ID(counter), e.text()))
		}
		return err
	})
	if err != nil {
		return err
	}
	return tx.SendBatch(ctx, batch).Close()
}
