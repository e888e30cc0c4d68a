package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// errLost says why the context of a claim has ended.
var errLost = errors.New("postgres: the lease was lost")

// serverNow is the time of the server, by which leases end.
const serverNow = `(extract(epoch FROM clock_timestamp()) * 1000000)::bigint`

const (
	claimStatement = `
		INSERT INTO {claims} AS c (action_id, token, until) VALUES ($1::text, $2::text, ` + serverNow + ` + $3::bigint)
		ON CONFLICT (action_id) DO UPDATE SET token = excluded.token, until = excluded.until WHERE c.until <= ` + serverNow
	renewStatement = `
		UPDATE {claims} SET until = ` + serverNow + ` + $3::bigint WHERE action_id = $1::text AND token = $2::text AND until > ` + serverNow
	releaseStatement = `DELETE FROM {claims} WHERE action_id = $1::text AND token = $2::text AND $3::bigint > 0`
)

// Claim implements [approver.Coordinator] with a lease that is renewed until the claim is released.
func (s *Store) Claim(ctx context.Context, id qredo.ActionID) (context.Context, func(), error) {
	token, until := rand.Text(), time.Now().Add(s.lease)
	claimed, err := s.claim(ctx, claimStatement, id, token)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("approver: postgres: claiming %s: %w", id, err)
	case !claimed:
		return nil, nil, &approver.ClaimedError{RetryAfter: s.lease / 2}
	}
	held, cancel := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { s.renew(held, cancel, id, token, until) })
	release := func() {
		cancel(nil)
		renewing.Wait()
		// Also when ctx has ended, so that another need not wait for the lease's end.
		giveBack, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lease)
		defer cancel()
		_, _ = s.claim(giveBack, releaseStatement, id, token) // else it ends by itself
	}
	return held, release, nil
}

// claim runs a statement about a claim, and reports whether it has changed one. The server need not bring it to the disk: a
// lease that is lost makes somebody do something again.
func (s *Store) claim(ctx context.Context, statement string, id qredo.ActionID, token string) (changed bool, err error) {
	err = s.transact(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SET LOCAL synchronous_commit TO off`); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, s.names.Replace(statement), string(id), token, s.lease.Microseconds())
		changed = tag.RowsAffected() > 0
		return err
	})
	return changed, err
}

// renew extends a lease until ctx ends. It ends ctx when the lease cannot be extended in time.
func (s *Store) renew(ctx context.Context, cancel context.CancelCauseFunc, id qredo.ActionID, token string, until time.Time) {
	ticker := time.NewTicker(s.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		inTime, stop := context.WithDeadline(ctx, until)
		began := time.Now()
		extended, err := s.claim(inTime, renewStatement, id, token)
		stop()
		switch {
		case extended:
			until = began.Add(s.lease)
		case ctx.Err() != nil:
			return
		case err == nil || !time.Now().Before(until):
			cancel(errLost)
			return
		}
	}
}
