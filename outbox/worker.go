package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/qredo-go/qredo/internal/backoff"
)

// grace is how long a call may still take when its worker is told to stop, so that stopping a program does not by itself
// make outcomes unknown.
const grace = 5 * time.Second

// Run sends pending entries, resolves unknown outcomes, and follows sent transactions, until ctx ends. It then starts nothing
// new, gives requests in flight up to five seconds, and returns nil. If the service or the store fails, Run waits and tries
// again; if the store is closed, it returns [ErrClosed].
func (o *Outbox) Run(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	waking, stop := context.WithCancel(ctx)
	defer stop()
	if w, ok := o.store.(Waker); ok {
		working.Go(func() { w.Wake(waking, o.enqueued.send) })
	}
	slots := newSlots(o.concurrency)
	for misses, brisk, backlog := 0, 0, false; ; {
		enqueued := o.enqueued.next()
		if !slots.wait(ctx) {
			return nil
		}
		got, full, freed, err := o.claim(ctx, slots, &working, backlog)
		pause := o.poll
		switch {
		case errors.Is(err, ErrClosed):
			return err
		case err != nil && ctx.Err() == nil:
			misses++
			pause = o.pauseAfter(misses)
			o.log.Warn("outbox: claiming work from the store failed", "error", err, "pause", pause)
		case err == nil:
			misses = 0
		}
		if backlog = full; full {
			continue // there may be more
		}
		// After work there is often more, and not every program is notified of it.
		if brisk = max(0, brisk-1); got > 0 {
			brisk = 10
		}
		if brisk > 0 && err == nil {
			pause = o.poll / 10
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-enqueued:
		case <-freed:
			backlog = true
		case <-timer.C:
		}
		timer.Stop()
	}
}

// claim gives each free slot an entry to work on, by the rank of the lanes. It returns how many, and whether a lane may
// have more. If only slots are missing, freed signals the next.
func (o *Outbox) claim(ctx context.Context, slots *slots, working *sync.WaitGroup, backlog bool) (got int, full bool, freed <-chan struct{}, err error) {
	for lane, limit := range slots.shares(o.poll, backlog) {
		if limit == 0 {
			freed = slots.free
			continue
		}
		if ctx.Err() != nil { // nothing more is started
			slots.give(lane, limit)
			continue
		}
		clock, now := time.Now(), o.now()
		asking, asked := o.callContext(ctx) // claims made while this is being stopped must be known, so that they can be given back; otherwise they rest until their leases end
		claims, err := o.store.Claim(asking, Want{Lane: lane, Now: now, Until: now.Add(o.lease), Beyond: o.beyond(now), Limit: limit})
		asked()
		slots.give(lane, limit-len(claims))
		slots.begin(len(claims))
		if err != nil {
			return got, false, nil, err
		}
		for _, c := range claims {
			working.Go(func() {
				defer slots.done()
				called := sync.OnceFunc(func() { slots.give(lane, 1) })
				defer called()
				o.work(ctx, &c, called)
			})
		}
		got += len(claims)
		slots.more[lane], slots.asked[lane] = len(claims) == limit, clock
		full = full || slots.more[lane]
	}
	return got, full, freed, nil
}

// pauseAfter is how long to pause after a number of calls without a result.
func (o *Outbox) pauseAfter(misses int) time.Duration {
	return backoff.UpperHalf(backoff.Range{Min: o.pauseMin, Max: o.pauseMax}.After(misses))
}

// work does the next thing for an entry. It calls called when it needs nothing more from the service: while the store is
// updated, another entry can have the slot.
func (o *Outbox) work(ctx context.Context, c *Claim, called func()) {
	if ctx.Err() != nil { // nothing was started
		o.postpone(ctx, c)
		return
	}
	ctx, end := o.traceWork(o.extract(ctx, c.Entry.Carrier), c.Entry)
	defer func() { end(c.Entry) }()
	if c.Entry.State == StatePending {
		o.send(ctx, c, called)
	} else {
		o.follow(ctx, c, called)
	}
}

// release stores what has become of an entry and gives it up. It returns true if the store refused, because another entry
// has the transaction.
func (o *Outbox) release(ctx context.Context, c *Claim) (taken bool) {
	c.Entry.Version++
	stored := o.stored(ctx, c, func(ctx context.Context, c Claim) error {
		err := o.store.Release(ctx, c)
		taken = errors.Is(err, ErrTxIDTaken)
		return err
	})
	if stored {
		o.tell(ctx, c.Entry)
	}
	return taken
}

// postpone gives up an entry about which nothing new was learnt.
func (o *Outbox) postpone(ctx context.Context, c *Claim) { o.stored(ctx, c, o.store.Postpone) }

// stored has the store complete a claim, even when the worker is told to stop: what it has learnt must not be lost.
func (o *Outbox) stored(ctx context.Context, c *Claim, store func(context.Context, Claim) error) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.lease/4)
	defer cancel()
	err := store(ctx, *c)
	if err != nil && !errors.Is(err, ErrTxIDTaken) {
		o.log.Warn("outbox: an entry could not be stored; it is worked on again", "key", c.Entry.Key, "error", err)
	}
	return err == nil
}

// tell reports a change that is stored.
func (o *Outbox) tell(ctx context.Context, e Entry) {
	o.observe(ctx, e)
	if o.trace.Change != nil {
		o.trace.Change(ctx, e)
	}
	o.changed.send()
}

// callContext returns the context of one call: it ends before the lease does, and a short time after ctx.
func (o *Outbox) callContext(ctx context.Context) (context.Context, context.CancelFunc) {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.lease*3/4)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return call, func() {
		stop()
		cancel()
	}
}

// manyMisses is the number of calls without a result that is worth a warning: about ten minutes, with the default pauses.
const manyMisses = 10

// delay postpones an entry after a call without a result.
func (o *Outbox) delay(e *Entry, kind StepKind, note string) {
	now := o.now()
	e.Misses++
	e.Due = now.Add(o.pauseAfter(e.Misses))
	e.step(now, kind, note)
	if e.Misses == manyMisses {
		o.log.Warn("outbox: calls for an entry keep failing", "key", e.Key, "state", e.State, "error", e.Steps[len(e.Steps)-1].Note)
	}
}
