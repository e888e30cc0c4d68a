package redis

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-redsync/redsync/v4"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// errLost says why the context of a claim has ended.
var errLost = errors.New("redis: the lease was lost")

// Claim implements [approver.Coordinator] with a lease that is renewed until the claim is released.
func (s *Store) Claim(ctx context.Context, id qredo.ActionID) (context.Context, func(), error) {
	lock := s.locks.NewMutex(s.lockKey(id), redsync.WithExpiry(s.lease))
	err := lock.TryLockContext(ctx)
	if isTaken(err) || errors.Is(err, redsync.ErrFailed) {
		return nil, nil, &approver.ClaimedError{RetryAfter: s.lease / 2}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("redis: claiming %s: %w", id, err)
	}
	held, cancel := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { s.renew(held, cancel, lock) })
	release := func() {
		cancel(nil)
		renewing.Wait()
		// Also when ctx has ended, so that another need not wait for the lease's end.
		giveBack, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lease)
		defer cancel()
		_, _ = lock.UnlockContext(giveBack) // else it ends by itself
	}
	return held, release, nil
}

// renew extends a lease until ctx ends. It ends ctx when the lease cannot be extended in time.
func (s *Store) renew(ctx context.Context, cancel context.CancelCauseFunc, lock *redsync.Mutex) {
	ticker := time.NewTicker(s.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		inTime, stop := context.WithDeadline(ctx, lock.Until())
		extended, err := lock.ExtendContext(inTime)
		stop()
		switch {
		case extended || ctx.Err() != nil:
		case err == nil || errors.Is(err, redsync.ErrExtendFailed) || !time.Now().Before(lock.Until()) || isTaken(err):
			cancel(errLost)
			return
		}
	}
}

func isTaken(err error) bool {
	taken := (*redsync.ErrTaken)(nil)
	return errors.As(err, &taken)
}
