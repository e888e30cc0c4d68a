package inbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// reader reads the ledger of a fund or the history of a wallet.
type reader interface {
	// look records what is new since the last look, and updates s.
	look(ctx context.Context, s *Source) (Recorded, error)
	// mayHave reports whether a movement of a wallet may be found here.
	mayHave(w qredo.WalletID) bool
}

// follower follows one source: while this program has its lease, it looks and hands over.
type follower struct {
	*running
	source string
	from   reader
	kicked chan struct{} // look at once
}

func (f *follower) kick() {
	select {
	case f.kicked <- struct{}{}:
	default: // it was already kicked
	}
}

func (f *follower) run(ctx context.Context) {
	for misses := 0; ctx.Err() == nil; {
		asking, asked := f.asking(ctx)
		s, err := f.records.Lease(asking, f.source, f.holder, f.lease)
		asked()
		pause, leased := f.lease/4, (*LeasedError)(nil)
		switch {
		case err == nil:
			misses = 0
			f.hold(ctx, s)
			pause = f.poll.Min
		case errors.Is(err, ErrClosed):
			f.stop(err)
			return
		case errors.As(err, &leased):
			pause = max(min(pause, leased.For), time.Millisecond)
		case ctx.Err() == nil:
			misses++
			pause = f.pauses.After(misses)
			f.log.Warn("inbox: leasing a source from the store failed", "source", f.source, "error", err, "pause", pause)
		}
		_ = backoff.Wait(ctx, backoff.UpperHalf(pause)) // the loop sees that ctx has ended
	}
}

// asking is a context to ask for a lease in. It outlives ctx by a moment: a lease that is granted while this stops must
// be known, so that it can be given back.
func (f *follower) asking(ctx context.Context) (context.Context, context.CancelFunc) {
	asking, asked := context.WithTimeout(context.WithoutCancel(ctx), f.lease/4)
	const moment = 2 * time.Second
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(moment, asked) })
	return asking, func() { stop(); asked() }
}

// hold follows the source for as long as this program has the lease.
func (f *follower) hold(ctx context.Context, s Source) {
	ctx, lose := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	token := s.Token // s changes as it is read
	renewing.Go(func() { f.renew(ctx, token, lose) })
	handing := newHandover(f.running, f.source)
	renewing.Go(func() { handing.run(ctx, lose) })
	err := f.rounds(ctx, &s, handing)
	lose(err)
	renewing.Wait()
	if errors.Is(err, ErrClosed) {
		f.stop(err)
		return
	}
	if errors.Is(err, ErrLeaseLost) {
		f.log.Warn("inbox: a lease is lost: the store was not reached in time, or its pool had no connection left, or another program has it", "source", f.source)
	}
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(f.lease/4, 5*time.Second))
	defer cancel()
	if err := f.records.Release(release, s); err != nil {
		f.log.Warn("inbox: a lease could not be given back", "source", f.source, "error", err)
	}
}

// renew renews the lease until ctx ends. The lease is lost when another program has it, or when it may have ended.
func (f *follower) renew(ctx context.Context, token int64, lose context.CancelCauseFunc) {
	for renewed := time.Now(); ; {
		if backoff.Wait(ctx, f.lease/4) != nil {
			return
		}
		began := time.Now()
		call, cancel := context.WithTimeout(ctx, f.lease/4)
		s, err := f.records.Lease(call, f.source, f.holder, f.lease)
		cancel()
		switch {
		case err == nil && s.Token == token:
			renewed = began
		case err == nil, errors.As(err, new(*LeasedError)), time.Since(renewed) >= f.lease*3/4:
			lose(ErrLeaseLost)
			return
		}
	}
}

// reload reads the source from the store again.
func (f *follower) reload(ctx context.Context, s *Source) error {
	stored, err := f.records.Lease(ctx, f.source, f.holder, f.lease)
	switch {
	case err == nil && stored.Token == s.Token:
		*s = stored
		return nil
	case err == nil, errors.As(err, new(*LeasedError)):
		return ErrLeaseLost
	}
	return err
}

// kickEvery is how often at most a source is looked at because of the wallets feed.
const kickEvery = time.Second

// rounds looks, and triggers handing over, until ctx ends or the lease is lost.
func (f *follower) rounds(ctx context.Context, s *Source, handing *handover) error {
	for quiet, misses := 0, 0; ; {
		var counts Recorded
		var err error
		handing.pause() // a look reports the newest first
		if misses > 0 { // a failed call may have been stored all the same
			err = f.reload(ctx, s)
		}
		looked := time.Now()
		if err == nil {
			looking, end := f.traceLook(ctx, f.source)
			counts, err = f.from.look(looking, s)
			end(counts, err)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ErrClosed), errors.Is(err, ErrLeaseLost):
			return err
		case err != nil:
			misses++
			f.log.Warn("inbox: a source could not be read", "source", f.source, "error", err, "misses", misses)
		default:
			misses = 0
		}
		quiet++
		if counts.New+counts.Changed > 0 {
			quiet = 0
		}
		next := f.poll.After(quiet + 1)
		if misses > 0 {
			next = f.poll.After(misses)
		}
		if s.Whole && misses == 0 { // otherwise there may be earlier ones that were not found yet
			handing.resume()
		}
		timer := time.NewTimer(next - next/10 + backoff.Below(next/5+1))
		select {
		case <-ctx.Done():
		case <-f.kicked: // not more often than without the feed
			quiet = 0
			_ = backoff.Wait(ctx, min(f.poll.Min, kickEvery)-time.Since(looked)) // rounds sees that ctx has ended
		case <-timer.C:
		}
		timer.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
