package approver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// Approver watches a core client's feed and votes on its actions as a policy decides.
type Approver struct {
	client *qredo.Client
	id     qredo.CoreClientID
	voter  Voter

	store       *watchedStore // of what is not in shadow
	audit       *AuditLog
	coordinator Coordinator
	replica     string
	pins        pinFile
	insecure    bool // pins that others can write are taken
	observer    observer
	trace       Trace
	log         *slog.Logger
	now         func() time.Time
	concurrency int
	feed        []qredo.FeedOption

	pauseMin, pauseMax time.Duration
	timeout            time.Duration // of the policy, and of claims

	reloading sync.Mutex // held while something else is put in force
	mu        sync.Mutex
	inForce   setup
	ended     []*sync.WaitGroup // of what was in force before, and may still be at work
	braked    atomic.Int64      // how often shadow was asked for by Shadow; changed while mu is held
	parked    parked
}

// New returns an approver for a core client. To be safe it needs a permanent store and an audit log: see the package
// documentation. A wrong option is a [*qredo.ValidationError].
func New(client *qredo.Client, id qredo.CoreClientID, policy Policy, opts ...Option) (*Approver, error) {
	if client == nil || id == "" || !given(policy) {
		return nil, check(false, "approver", "needs a client, a core client's ID and a policy")
	}
	a := &Approver{
		client: client, id: id, voter: coreVoter{client.CoreClients, id}, parked: parked{wake: make(chan struct{}, 1)},
		log: slog.New(slog.DiscardHandler), now: time.Now, concurrency: 4,
		pauseMin: 250 * time.Millisecond, pauseMax: 30 * time.Second, timeout: time.Minute,
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt.set(a); err != nil {
			return nil, err
		}
	}
	a.observer.log, a.observer.f = a.log, both(a.observer.f, a.trace.Entry)
	if a.store == nil {
		a.store = &watchedStore{Store: NewMemoryStore(WithClock(a.now))}
	}
	var err error
	if a.inForce, err = a.setUp(policy, a.inForce.shadow); err != nil {
		return nil, err
	}
	return a, nil
}

// task is an action on its way to being dealt with.
type task struct {
	id       qredo.ActionID
	expires  time.Time // as the feed said, then as the action does; zero if not known
	attempts int       // that failed for the moment
	last     bool      // the action has expired: only what became of it is left to find out
	in       setup     // what is in force in this attempt
	about    About     // what the action would let happen, as it was looked at last

	connected *connections // to the core client: what may be swept, if that was asked for

	rec       Record    // the decision, once there is one
	undecided bool      // the store said in this attempt that there is none
	bound     string    // what a vote would sign that the decision holds for
	accepted  bool      // a vote was answered by a success
	logged    bool      // the audit log of this replica says that the decision is carried out
	refused   error     // how the service refused the last vote, if it did: that was not taken
	before    opened    // what the audit log knew of it when this attempt began
	told      bool      // it knew something
	own       bool      // the decision was made by this task
	outcome   Outcome   // that was written down in this attempt
	confirmed string    // the digest of the approval that this task has made, or the policy has approved again
	denied    *Decision // what the policy has decided in this attempt, if that is no approval
	mayStand  bool      // a vote may have been taken, so far as is known
	end       *ending
}

// run is one run of an approver.
type run struct {
	*Approver
	work  chan *task
	stop  context.CancelCauseFunc
	group sync.WaitGroup

	resumed sync.Map // the IDs of actions that were open when the run began, and are not done
}

// Run handles the core client's actions until ctx ends, and then returns nil. It returns an error if it cannot go on: the audit
// log cannot be written, the store has lost data ([*LostError], also if the audit log was written with another store), or the
// feed has given up. Nothing is approved after that.
//
// If something fails (the service, the network, the store) or is refused, it is retried with pauses until the action expires. A
// small goroutine waits for each such action; other actions continue.
func (a *Approver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer a.observer.wait()
	a.warn(a.current().policy)
	r := &run{Approver: a, work: make(chan *task), stop: cancel}
	if !a.current().shadow {
		if err := a.waitForStore(ctx); err != nil {
			return err
		}
	}
	for range a.concurrency {
		r.group.Go(func() { r.handleAll(ctx) })
	}
	r.resume(ctx)
	r.group.Go(func() { r.takeUp(ctx) })
	feedErr := r.watch(ctx)
	ended := context.Cause(ctx)
	cancel(nil)
	r.group.Wait()
	if stop := (*stopError)(nil); errors.As(ended, &stop) {
		return stop.err
	}
	if ended == nil {
		return fmt.Errorf("approver: the feed has ended: %w", feedErr)
	}
	return nil
}

// stopError is why a run cannot go on.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }
func (e *stopError) Unwrap() error { return e.err }

// watch gives what comes over the feed to the workers, until ctx ends or the feed does. It returns the
// feed's last error.
func (r *run) watch(ctx context.Context) error {
	err := errors.New("no more actions come")
	for action, feedErr := range r.voter.Feed(ctx, r.feed...) {
		switch {
		case feedErr != nil:
			err = feedErr
			r.log.ErrorContext(ctx, "approver: feed", "error", feedErr)
			if errors.Is(feedErr, qredo.ErrBadAnswer) { // it may have been about an action
				if stop := r.note(Entry{Kind: EntryUnread, Reason: feedErr.Error()}, false); stop != nil {
					r.stop(stop)
				}
			}
		case action.Status == qredo.ApprovalPending:
			if _, resumed := r.resumed.Load(action.ID); resumed {
				continue
			}
			r.put(ctx, &task{id: action.ID, expires: action.Expires.Time})
		}
	}
	return err
}

func (r *run) put(ctx context.Context, t *task) {
	select {
	case r.work <- t:
	case <-ctx.Done():
		r.see(t)
	}
}

func (r *run) putAfter(ctx context.Context, pause time.Duration, t *task) {
	r.group.Go(func() {
		if backoff.Wait(ctx, pause) == nil {
			r.put(ctx, t)
		}
	})
}

func (r *run) handleAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-r.work:
			done, seen, end := make(chan struct{}), task{id: t.id, expires: t.expires}, new(ending)
			t.end = end
			r.group.Go(func() {
				defer close(done)
				r.attempt(ctx, t)
				_ = end.reached(func() error { return nil })
			})
			slow := time.NewTimer(patience)
			select {
			case <-done:
			case <-slow.C:
				end.unlessReached(func() { r.see(&seen) })
			}
			slow.Stop()
		}
	}
}

// patience is how long an attempt holds up others.
const patience = time.Second

// attempt handles a task once, and puts it back if it is to be handled again.
func (r *run) attempt(ctx context.Context, t *task) {
	err := r.traced(ctx, t)
	claimed, stop, lost := (*ClaimedError)(nil), (*stopError)(nil), (*LostError)(nil)
	late := r.expired(t.expires)
	if err == nil {
		r.resumed.Delete(t.id)
	} else if !isClaimed(err) && !hopeless(err) {
		r.see(t)
	}
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.As(err, &claimed):
		r.putAfter(ctx, claimed.RetryAfter, t)
	case errors.As(err, &stop):
		r.stop(stop)
	case errors.As(err, &lost):
		r.stop(&stopError{fmt.Errorf("approver: %w", err)})
	case hopeless(err), late && t.last:
		r.giveUp(ctx, t, err)
		r.resumed.Delete(t.id)
	case late:
		t.last = true
		r.putAfter(ctx, 0, t)
	default:
		t.attempts++
		pause := r.pause(t.attempts, err)
		r.log.WarnContext(ctx, "approver: an action is tried again", "action", t.id, "after", pause, "error", err)
		r.putAfter(ctx, pause, t)
	}
}

// expired reports whether an action has expired, by the client's clock: which the service's answers correct.
func (a *Approver) expired(at time.Time) bool {
	return !at.IsZero() && a.client.Expired(qredo.TimeOf(at))
}
