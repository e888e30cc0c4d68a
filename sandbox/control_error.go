package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/qredo-go/qredo"
)

// ControlError is returned by [Control] for a control call that was not answered with success. Use [errors.Is] with
// [qredo.ErrNotFound], [qredo.ErrConflict] and so on, as for the methods of [Sandbox]. A call that changes something matches
// [qredo.ErrOutcomeUnknown] unless the sandbox itself said that nothing was done.
type ControlError struct {
	Call   string // method and URL
	Status int    // HTTP status
	Reason string // why, in the sandbox's words; otherwise the beginning of the answer

	own bool
}

// InOwnWords reports whether the sandbox itself refused the call: a proxy, or another server at its address, may answer with
// the same status.
func (e *ControlError) InOwnWords() bool { return e.own }

// Error says which call was refused, and why.
func (e *ControlError) Error() string {
	return fmt.Sprintf("sandbox: %s: %d %s: %s", e.Call, e.Status, http.StatusText(e.Status), e.Reason)
}

// Is reports whether the status corresponds to target.
func (e *ControlError) Is(target error) bool { return (&qredo.Error{StatusCode: e.Status}).Is(target) }

// refusedCall reads why a control call was refused. An answer that is not from a sandbox has another form.
func refusedCall(call string, status int, answer []byte) (own bool, err error) {
	var fault struct {
		Code   int `json:"code"`
		Detail struct {
			Reason string `json:"reason"`
		} `json:"detail"`
	}
	reason := string(answer[:min(len(answer), 500)])
	if json.Unmarshal(answer, &fault) == nil && fault.Detail.Reason != "" {
		reason, own = fault.Detail.Reason, fault.Code == status
	}
	return own, &ControlError{call, status, reason, own}
}
