package serve

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Fault is an answer that is not a success, in the service's form.
type Fault struct {
	Status      int
	Msg, Reason string // Msg is the status in words if empty
}

func (f *Fault) Error() string {
	return fmt.Sprintf("sandbox: %d %s: %s", f.Status, http.StatusText(f.Status), f.Reason)
}

// Is lets callers in the same process tell faults apart as they do those of the service.
func (f *Fault) Is(target error) bool { return (&qredo.Error{StatusCode: f.Status}).Is(target) }

// BadRequest is the fault of a request that cannot be right.
func BadRequest(reason string, args ...any) error {
	return &Fault{http.StatusBadRequest, "", fmt.Sprintf(reason, args...)}
}

// NotFound is the fault of a request for what there is not.
func NotFound(what string) error {
	return &Fault{http.StatusNotFound, "", "no such " + what}
}

// AsFault gives the refusals of the layers below the service's form. Other errors it leaves as they are.
func AsFault(err error) error {
	var refused *access.Refusal
	var denied *world.Error
	switch {
	case errors.As(err, &refused):
		return accessFault(refused)
	case errors.As(err, &denied):
		return &Fault{statuses[denied.Kind], "", denied.Reason}
	}
	return err
}

var statuses = map[world.ErrorKind]int{
	world.Invalid:   http.StatusBadRequest,
	world.NotFound:  http.StatusNotFound,
	world.Conflict:  http.StatusConflict,
	world.Forbidden: http.StatusForbidden,
}

// accessFault is what the service answers a request that is not let in.
func accessFault(refused *access.Refusal) *Fault {
	switch refused.Kind {
	case access.NoCredentials:
		return &Fault{http.StatusUnauthorized, "Unauthorized", refused.Reason}
	case access.NotAllowed:
		return &Fault{http.StatusForbidden, "", refused.Reason}
	default:
		return &Fault{http.StatusUnauthorized, "errPartnerAuth", refused.Reason}
	}
}

// FaultOf is the fault that an error is answered with: 500 where it is no refusal.
func FaultOf(err error) *Fault {
	f := &Fault{http.StatusInternalServerError, "", err.Error()}
	errors.As(AsFault(err), &f)
	return f
}

// Answer is what a client reads of a fault.
func (f *Fault) Answer() any {
	return struct {
		Code   int               `json:"code"`
		Msg    string            `json:"msg"`
		Detail map[string]string `json:"detail"`
	}{f.Status, cmp.Or(f.Msg, http.StatusText(f.Status)), map[string]string{"reason": f.Reason}}
}

// WriteFault answers with an error.
func WriteFault(w http.ResponseWriter, err error) {
	f := FaultOf(err)
	WriteJSON(w, f.Status, f.Answer())
}
