package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/qredo-go/qredo"
)

// ControlError is a control call that the sandbox refused: what [Control] returns for it. [errors.Is] tells its kind,
// as it does for the methods of [Sandbox]: [qredo.ErrNotFound], [qredo.ErrConflict] and the like.
type ControlError struct {
	Call   string // method and URL
	Status int    // of HTTP
	Reason string // why, in the sandbox's words
}

// Error says which call was refused, and why.
func (e *ControlError) Error() string {
	return fmt.Sprintf("sandbox: %s: %d %s: %s", e.Call, e.Status, http.StatusText(e.Status), e.Reason)
}

// Is reports whether the status is one that target stands for.
func (e *ControlError) Is(target error) bool { return (&qredo.Error{StatusCode: e.Status}).Is(target) }

// refusedCall reads why a control call was refused: what did not come from a sandbox says something else.
func refusedCall(call string, status int, answer []byte) error {
	var fault struct {
		Detail struct {
			Reason string `json:"reason"`
		} `json:"detail"`
	}
	reason := string(answer[:min(len(answer), 500)])
	if json.Unmarshal(answer, &fault) == nil && fault.Detail.Reason != "" {
		reason = fault.Detail.Reason
	}
	return &ControlError{call, status, reason}
}
