package inbox

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/qredo-go/qredo/internal/backoff"
)

// putOff reports whether an entry is postponed.
func (r *running) putOff(e Entry) bool {
	now := r.now()
	return e.Due.After(now) && !e.Due.After(now.Add(2*r.pauses.Max)) // an entry that is postponed for longer was postponed by a wrong clock
}

// handOne hands over an entry if it is due. It reports whether the wallet's next one may follow, and otherwise when to
// come back.
func (r *running) handOne(ctx context.Context, e Entry) (due time.Time, next bool) {
	if r.putOff(e) {
		return e.Due, false
	}
	if !e.Movement.Moved && !r.changes {
		return r.leave(ctx, e)
	}
	ctx, end := r.traceHand(ctx, e)
	failed, err := r.hand(ctx, e)
	defer func() { end(e, cmp.Or(failed, err)) }()
	switch {
	case err == nil:
		e.State, e.Updated = StateDone, r.now()
		r.observe(ctx, e)
		return time.Time{}, true
	case errors.As(err, new(*HandlerError)): // also while the program stops: it must not be called again if it has committed
		failed = err
	case failed == nil && errors.Is(err, ErrNotReady): // another program, or a person
		return time.Time{}, true
	case failed == nil && errors.Is(err, ErrClosed), ctx.Err() != nil:
		return time.Time{}, false
	case failed == nil:
		r.log.Warn("inbox: the store could not record that an entry was handed over", "id", e.ID, "error", err)
		return r.now().Add(r.pauses.Min), false
	}
	return r.fail(ctx, &e, failed)
}

// leave makes void an entry that only reports a change and was recorded by a program with WithChanges: this program's
// handler does not expect it, and might book it.
func (r *running) leave(ctx context.Context, e Entry) (due time.Time, next bool) {
	_, err := r.records.Update(ctx, e.ID, StateReady, r.now(), Change{State: StateVoid, Error: "nothing has moved, and this inbox is without WithChanges"})
	switch {
	case err == nil, errors.Is(err, ErrNotReady):
		return time.Time{}, true
	case ctx.Err() == nil:
		r.log.Warn("inbox: an entry that is not to be handed over could not be marked as such", "id", e.ID, "error", err)
	}
	return r.now().Add(r.pauses.Min), false
}

// fail records that the handler has failed, also in e. It reports whether the entry is set aside, or when to try again.
func (r *running) fail(ctx context.Context, e *Entry, failed error) (due time.Time, aside bool) {
	now := r.now()
	change := Change{State: StateReady, Attempts: e.Attempts + 1, Error: clip(failed.Error())}
	var handler *HandlerError
	if change.Attempts >= r.attempts || errors.As(failed, &handler) && handler.Ended {
		change.State = StateAside
	} else {
		change.Due = now.Add(backoff.UpperHalf(r.pauses.After(change.Attempts)))
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	after, err := r.records.Update(noting, e.ID, StateReady, now, change)
	if err != nil {
		r.log.Warn("inbox: a failed attempt could not be recorded", "id", e.ID, "error", err)
		return now.Add(r.pauses.Min), false
	}
	*e = after
	r.observe(noting, after)
	if after.State == StateAside {
		r.log.Error("inbox: a movement is set aside until a person decides", "id", e.ID, "attempts", after.Attempts, "error", failed)
		return time.Time{}, true
	}
	r.log.Warn("inbox: the handler failed", "id", e.ID, "attempts", after.Attempts, "error", failed)
	return after.Due, false
}

// noteTime is how long recording a failure may take, even while the program stops.
const noteTime = 10 * time.Second

// longestError limits how much of an error's text is kept, in bytes.
const longestError = 500

func clip(text string) string {
	if len(text) > longestError {
		text = strings.ToValidUTF8(text[:longestError], "") + " …"
	}
	return text
}
