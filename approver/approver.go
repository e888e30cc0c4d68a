package approver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// Approver watches a core client's feed and votes on its actions as a policy says.
type Approver struct {
	client *qredo.Client
	id     qredo.CoreClientID
	policy Policy

	policyHash  string
	store       Store
	audit       *AuditLog
	coordinator Coordinator
	replica     string
	shadow      bool
	observe     func(Entry)
	log         *slog.Logger
	now         func() time.Time
	concurrency int
	feed        []qredo.FeedOption

	pauseMin, pauseMax time.Duration
}

// New returns an approver for a core client. See the package's description for what it needs to be safe: a
// store that lasts and an audit log. A wrong option is a [*qredo.ValidationError].
func New(client *qredo.Client, id qredo.CoreClientID, policy Policy, opts ...Option) (*Approver, error) {
	if client == nil || id == "" || policy == nil {
		return nil, check(false, "approver", "needs a client, a core client's ID and a policy")
	}
	a := &Approver{
		client: client, id: id, policy: policy,
		observe: func(Entry) {}, log: slog.New(slog.DiscardHandler), now: time.Now, concurrency: 4,
		pauseMin: 250 * time.Millisecond, pauseMax: 30 * time.Second,
	}
	if hashed, ok := policy.(interface{ Hash() string }); ok {
		a.policyHash = hashed.Hash()
	}
	for _, opt := range opts {
		if opt == nil {
			return nil, check(false, "option", "must not be nil")
		}
		if err := opt.set(a); err != nil {
			return nil, err
		}
	}
	if a.store == nil || a.shadow {
		a.store = NewMemoryStore(WithClock(a.now))
	}
	if a.shadow {
		a.coordinator = nil
	}
	return a, nil
}

// task is an action on its way to being dealt with.
type task struct {
	id       qredo.ActionID
	expires  time.Time // as the feed said; zero if not known
	attempts int       // that failed for the moment
	logged   bool      // the audit log of this replica says that the decision is carried out
	last     bool      // the action has expired: only what became of it is left to find out
	refused  error     // how the service refused the vote: what became of the action is left to find out
}

// run is one run of an approver.
type run struct {
	*Approver
	work  chan *task
	stop  context.CancelCauseFunc
	group sync.WaitGroup
}

// Run handles the core client's actions until ctx ends, and returns nil then. It is an error if it cannot
// go on: the audit log cannot be written, or the feed has given up. Nothing is approved after that.
//
// What fails for the moment (the service, the network, the store) is tried again, with pauses, until the
// action expires. A small goroutine waits for each such action; other actions go on.
func (a *Approver) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if rules, ok := a.policy.(interface{ Warnings() []string }); ok {
		for _, warning := range rules.Warnings() {
			a.log.WarnContext(ctx, "approver: a rule may not do what it seems to", "warning", warning)
		}
	}
	r := &run{Approver: a, work: make(chan *task), stop: cancel}
	for range a.concurrency {
		r.group.Go(func() { r.handleAll(ctx) })
	}
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

// watch gives what comes over the feed to the workers, until ctx ends or the feed does. It returns the
// feed's last error.
func (r *run) watch(ctx context.Context) error {
	err := errors.New("no more actions come")
	for action, feedErr := range r.client.CoreClients.Feed(ctx, r.id, r.feed...) {
		switch {
		case feedErr != nil:
			err = feedErr
			r.log.ErrorContext(ctx, "approver: feed", "error", feedErr)
		case action.Status == qredo.ApprovalPending:
			r.put(ctx, &task{id: action.ID, expires: action.Expires.Time})
		}
	}
	return err
}

func (r *run) put(ctx context.Context, t *task) {
	select {
	case r.work <- t:
	case <-ctx.Done():
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
			r.attempt(ctx, t)
		}
	}
}

// attempt handles a task once, and puts it back if it is to be handled again.
func (r *run) attempt(ctx context.Context, t *task) {
	err := r.handle(ctx, t)
	claimed, stop := (*ClaimedError)(nil), (*stopError)(nil)
	switch {
	case err == nil || ctx.Err() != nil:
	case errors.As(err, &claimed):
		r.putAfter(ctx, claimed.RetryAfter, t)
	case errors.As(err, &stop):
		r.stop(stop)
	case hopeless(err):
		r.log.ErrorContext(ctx, "approver: an action cannot be handled, it is left to humans", "action", t.id, "error", err)
	case expired(t.expires, r.now()) && t.logged && !t.last:
		t.last = true
		r.putAfter(ctx, 0, t)
	case expired(t.expires, r.now()):
		r.log.ErrorContext(ctx, "approver: an action expired before it could be handled", "action", t.id, "error", err)
	default:
		t.attempts++
		pause := r.pause(t.attempts, err)
		r.log.WarnContext(ctx, "approver: an action is tried again", "action", t.id, "after", pause, "error", err)
		r.putAfter(ctx, pause, t)
	}
}

func expired(expires, now time.Time) bool { return !expires.IsZero() && !now.Before(expires) }
