package approver

import (
	"errors"
	"net/http"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// hopelessError is an error that trying again does not change.
type hopelessError struct{ err error }

func (e *hopelessError) Error() string { return e.err.Error() }

// hopeless reports whether trying again cannot change an error: the request is wrong, or the service
// refuses it for a reason that does not pass. What comes from the network or the store passes, and so do
// 408, 425, 429, 5xx, and a refusal that is not in the service's words, which is a proxy's. An answer that was
// cut passes too: votes can be sent again.
func hopeless(err error) bool {
	var (
		own     *hopelessError
		invalid *qredo.ValidationError
		answer  *qredo.Error
	)
	switch {
	case errors.As(err, &own), errors.As(err, &invalid):
		return true
	case !errors.As(err, &answer), answer.Code == 0 && answer.Msg == "":
		return false
	}
	switch answer.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return answer.StatusCode >= 300 && answer.StatusCode < 500
}

// pause is how long to wait before the next attempt, when so many have failed.
func (a *Approver) pause(failed int, err error) time.Duration {
	pause := backoff.Range{Min: a.pauseMin, Max: a.pauseMax}.After(failed)
	if errors.Is(err, qredo.ErrRateLimited) {
		pause = min(4*pause, a.pauseMax) // the service has asked for less
	}
	return backoff.UpperHalf(pause)
}
