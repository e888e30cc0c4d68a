package approver

import (
	"errors"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// hopelessError is an error that trying again does not change.
type hopelessError struct{ err error }

func (e *hopelessError) Error() string { return e.err.Error() }

// hopeless reports whether trying again cannot change an error, since the request cannot be right. All else may pass,
// also what the service refuses: permissions are given, actions come to be, keys are registered.
func hopeless(err error) bool {
	return errors.Is(err, ErrUnsealed) || errors.As(err, new(*hopelessError)) || errors.As(err, new(*qredo.ValidationError))
}

// notPending reports whether a vote was refused since the action is not pending, for this approver at least.
func notPending(err error) bool {
	return errors.Is(err, qredo.ErrBadRequest) || errors.Is(err, qredo.ErrNotFound) || errors.Is(err, qredo.ErrConflict)
}

// pause is how long to wait before the next attempt, when so many have failed.
func (a *Approver) pause(failed int, err error) time.Duration {
	pause := backoff.Range{Min: a.pauseMin, Max: a.pauseMax}.After(failed)
	if errors.Is(err, qredo.ErrRateLimited) {
		pause = min(4*pause, a.pauseMax) // the service has asked for less
	}
	return backoff.UpperHalf(pause)
}
