package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/qredo-go/qredo/internal/backoff"
)

// grace is how long a call may still take when its worker is told to stop, so that stopping a program does
// not by itself make outcomes unknown.
const grace = 5 * time.Second

// Run sends what is pending, finds out what is unknown, and follows what is sent, until ctx ends. Then it
// begins nothing more, gives requests that are on their way up to five seconds, and returns nil. Failures
// of the service and of the store are waited out; [ErrClosed] is returned.
func (o *Outbox) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	slots := make(chan struct{}, o.concurrency)
	for misses := 0; ; {
		enqueued := o.enqueued.next()
		free := takeSlots(ctx, slots)
		if free == 0 {
			return nil
		}
		now := o.now()
		claims, err := o.store.Claim(ctx, now, now.Add(o.lease), free)
		for range free - len(claims) {
			<-slots
		}
		for _, c := range claims {
			working.Go(func() {
				defer func() { <-slots }()
				o.work(ctx, &c)
			})
		}
		pause := o.poll
		switch {
		case errors.Is(err, ErrClosed):
			return err
		case err != nil && ctx.Err() == nil:
			misses++
			pause = o.pauseAfter(misses)
			o.log.Warn("outbox: the store gives no work", "error", err, "pause", pause)
		case err == nil:
			misses = 0
		}
		if err == nil && len(claims) == free {
			continue // there may be more
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-enqueued:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// takeSlots waits until a slot is free and takes all that are. It returns 0 when ctx ends.
func takeSlots(ctx context.Context, slots chan struct{}) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case slots <- struct{}{}:
	}
	for n := 1; ; n++ {
		select {
		case slots <- struct{}{}:
		default:
			return n
		}
	}
}

// pauseAfter is how long to rest after so many calls that brought nothing.
func (o *Outbox) pauseAfter(misses int) time.Duration {
	return backoff.UpperHalf(backoff.Range{Min: o.pauseMin, Max: o.pauseMax}.After(misses))
}

// work does the next thing that is to do for an entry.
func (o *Outbox) work(ctx context.Context, c *Claim) {
	switch {
	case ctx.Err() != nil: // nothing was begun
	case c.Entry.State == StatePending:
		if !o.send(ctx, c) {
			return
		}
	default:
		o.follow(ctx, c)
	}
	o.keep(ctx, c, o.store.Release)
}

// keep stores what has become of an entry.
func (o *Outbox) keep(ctx context.Context, c *Claim, store func(context.Context, Claim) error) bool {
	// Also when the worker is to stop: what it has learnt must not be lost.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.lease/4)
	defer cancel()
	c.Entry.Version++
	if err := store(ctx, *c); err != nil {
		o.log.Warn("outbox: an entry could not be stored; it is worked on again", "key", c.Entry.Key, "error", err)
		return false
	}
	o.changed.send()
	return true
}

// callContext is for one call: it ends before the lease does, and a while after ctx.
func (o *Outbox) callContext(ctx context.Context) (context.Context, context.CancelFunc) {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.lease*3/4)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return call, func() {
		stop()
		cancel()
	}
}

// delay has an entry rest after a call that brought nothing.
func (o *Outbox) delay(e *Entry, kind StepKind, note string) {
	now := o.now()
	e.Misses++
	e.Due = now.Add(o.pauseAfter(e.Misses))
	e.step(now, kind, note)
}
