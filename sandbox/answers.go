package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// invalid is an option, or an argument, that cannot be right.
func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// fault is an answer that is not a success, in the service's form.
type fault struct {
	status      int
	msg, reason string
}

func (f *fault) Error() string {
	return fmt.Sprintf("sandbox: %d %s: %s", f.status, http.StatusText(f.status), f.reason)
}

// Is lets callers of the control methods tell faults apart as they do those of the service.
func (f *fault) Is(target error) bool { return (&qredo.Error{StatusCode: f.status}).Is(target) }

func badRequest(reason string, args ...any) error {
	return &fault{http.StatusBadRequest, "", fmt.Sprintf(reason, args...)}
}

func notFound(what string) error {
	return &fault{http.StatusNotFound, "", "no such " + what}
}

func conflict(reason string, args ...any) error {
	return &fault{http.StatusConflict, "", fmt.Sprintf(reason, args...)}
}

// authFault is what the service answers a request that is not let in.
func authFault(refused *access.Refusal) *fault {
	switch refused.Kind {
	case access.NoCredentials:
		return &fault{http.StatusUnauthorized, "Unauthorized", refused.Reason}
	case access.NotAllowed:
		return &fault{http.StatusForbidden, "", refused.Reason}
	default:
		return &fault{http.StatusUnauthorized, "errPartnerAuth", refused.Reason}
	}
}

func writeFault(w http.ResponseWriter, err error) {
	var f *fault
	var refused *access.Refusal
	var call *control.Refusal
	switch {
	case errors.As(err, &refused):
		f = authFault(refused)
	case errors.As(err, &call):
		f = &fault{call.Status, "", call.Reason}
	case !errors.As(err, &f):
		f = &fault{http.StatusInternalServerError, "", err.Error()}
	}
	writeJSON(w, f.status, struct {
		Code   int               `json:"code"`
		Msg    string            `json:"msg"`
		Detail map[string]string `json:"detail"`
	}{f.status, cmp.Or(f.msg, http.StatusText(f.status)), map[string]string{"reason": f.reason}})
}

// ok is the body of a success that has nothing to say.
var ok = map[string]any{"code": http.StatusOK, "msg": "OK"}

// wireTime is a moment as the APIs have it: to the second.
func wireTime(t time.Time) qredo.Time { return qredo.Unix(t.Unix()) }

// counted is an answer with a list, and how much it holds.
func counted[T any](count, name string, list []T) map[string]any {
	return map[string]any{count: len(list), name: list}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"code":500,"msg":"Internal Server Error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that has gone needs no answer
}
