package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"syscall"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/visible"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

// The exit codes, which scripts depend on. "qredo help exit-codes" says what they mean.
const (
	exitDone     = 0
	exitFailed   = 1 // a check found something, or an error that none of the others covers
	exitUsage    = 2 // the command line cannot be right: nothing was sent
	exitUnknown  = 3 // it may or may not have been done, or waiting ended before the transaction did
	exitEnded    = 4 // the transaction was rejected or has expired
	exitRefused  = 5 // by the service
	exitNotFound = 6
	exitLimited  = 7 // too many requests
	exitService  = 8 // the service failed or could not be reached
	exitSignal   = 128
)

// The kinds of failure. They match the exit codes, but are finer.
const (
	kindCheck    = "check"
	kindFailed   = "failed"
	kindOutput   = "output"
	kindUsage    = "usage"
	kindInvalid  = "validation"
	kindUnknown  = "unknown"
	kindPending  = "pending"
	kindRejected = "rejected"
	kindExpired  = "expired"
	kindRefused  = "refused"
	kindNotFound = "not_found"
	kindConflict = "conflict"
	kindLimited  = "rate_limited"
	kindServer   = "server"
	kindAnswer   = "bad_answer"
	kindNetwork  = "unreachable"
	kindTimeout  = "timeout"
	kindSignal   = "interrupted"
)

// usageError is a mistake in how the command was called.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// codedError is an error of the command itself, with its kind and exit code, that says what to do.
type codedError interface {
	error
	kind() (kind string, exitCode int)
}

// statedError is a failure that the command itself detected.
type statedError struct {
	text, kindName string
	code           int
}

func (e statedError) Error() string       { return e.text }
func (e statedError) kind() (string, int) { return e.kindName, e.code }

// foundf is the error of a check that found something.
func foundf(format string, args ...any) error {
	return statedError{fmt.Sprintf(format, args...), kindCheck, exitFailed}
}

// notFoundf is the error about something that does not exist.
func notFoundf(format string, args ...any) error {
	return statedError{fmt.Sprintf(format, args...), kindNotFound, exitNotFound}
}

// conflictf is the error about something that was decided or done before.
func conflictf(format string, args ...any) error {
	return statedError{fmt.Sprintf(format, args...), kindConflict, exitRefused}
}

// outputError is the error of an action that was done, but whose result could not be printed.
type outputError struct {
	tx  qredo.TxID // the one that was made; empty if none, or not known
	err error
}

func (e outputError) Error() string {
	if e.tx != "" {
		return fmt.Sprintf("transaction %s was made, but its result could not be printed: %v", plain(string(e.tx)), e.err)
	}
	return fmt.Sprintf("it was done, or may have been made, but its result could not be printed: %v", e.err)
}

func (outputError) kind() (string, int) { return kindOutput, exitUnknown }

func (e outputError) Unwrap() error { return e.err }

// waitError is the error if waiting ends before the transaction does.
type waitError struct {
	tx     qredo.TxID
	resume string // the command that continues to wait
	err    error
}

func (e waitError) Error() string {
	goOn := "continue with: " + e.resume + " " + visible.Shell(string(e.tx))
	if errors.Is(e.err, context.DeadlineExceeded) || errors.Is(e.err, context.Canceled) {
		return fmt.Sprintf("transaction %s is still pending; %s", plain(string(e.tx)), goOn)
	}
	return fmt.Sprintf("looking at transaction %s: %v; %s", plain(string(e.tx)), e.err, goOn)
}

// The kind of a refused request is that of the refusal: what does not exist, or not for this key, is not pending.
func (e waitError) kind() (string, int) {
	if kind, code := classify(e.err); code == exitRefused || code == exitNotFound {
		return kind, code
	}
	return kindPending, exitUnknown
}

func (e waitError) Unwrap() error { return e.err }

// classify returns the kind and the exit code of an error.
func classify(err error) (kind string, exitCode int) {
	var (
		coded   codedError
		usage   usageError
		invalid *qredo.ValidationError
		ended   *qredo.TxError
		stopped interruptedError
	)
	switch {
	case errors.As(err, &coded):
		return coded.kind()
	case errors.As(err, &usage):
		return kindUsage, exitUsage
	case errors.Is(err, qredo.ErrOutcomeUnknown):
		return kindUnknown, exitUnknown
	case errors.As(err, &stopped): // also while it waited before a retry
		return kindSignal, stopped.signal.exitCode()
	case errors.As(err, &invalid):
		return kindInvalid, exitUsage
	case errors.As(err, &ended):
		if ended.Status == qredo.TxExpired {
			return kindExpired, exitEnded
		}
		return kindRejected, exitEnded
	}
	if kind, code := classifyAnswer(err); code != exitDone {
		return kind, code
	}
	return classifyRest(err)
}

// refusals are the errors with which services refuse, the special ones first.
var refusals = []struct {
	is   error
	kind string
}{
	{qredo.ErrBadSignature, "bad_signature"}, {qredo.ErrClockSkew, "clock_skew"}, {qredo.ErrUnauthorized, "unauthorized"},
	{qredo.ErrForbidden, "forbidden"}, {qredo.ErrConflict, kindConflict}, {qredo.ErrBadRequest, "bad_request"},
}

// classifyAnswer returns the kind and the exit code of an unsuccessful response.
func classifyAnswer(err error) (kind string, exitCode int) {
	switch {
	case errors.Is(err, qredo.ErrRateLimited):
		return kindLimited, exitLimited
	// Only the service itself can say that something does not exist: a gateway with no service behind it answers 404 too, and
	// a script would then create again what exists.
	case statusOf(err) == http.StatusNotFound && foreign(err):
		return kindAnswer, exitService
	case errors.Is(err, qredo.ErrNotFound), errors.Is(err, outbox.ErrNotFound), errors.Is(err, inbox.ErrNotFound):
		return kindNotFound, exitNotFound
	case errors.Is(err, qredo.ErrServer):
		return kindServer, exitService
	}
	for _, refusal := range refusals {
		if errors.Is(err, refusal.is) {
			return refusal.kind, exitRefused
		}
	}
	if status := statusOf(err); status >= http.StatusBadRequest {
		return kindRefused, exitRefused
	} else if status != 0 || errors.Is(err, qredo.ErrBadAnswer) {
		return kindAnswer, exitService
	}
	return "", exitDone
}

// foreign reports whether an error is about a response in neither the service's form nor the sandbox's.
func foreign(err error) bool {
	var answer *qredo.Error
	var control *sandbox.ControlError
	switch {
	case errors.As(err, &answer):
		return !answer.InOwnWords() && (answer.Code == 0 || answer.Msg == "")
	case errors.As(err, &control):
		return !control.InOwnWords()
	}
	return false
}

// statusOf is the status of the response that an error is about, or 0.
func statusOf(err error) int {
	var answer *qredo.Error
	var control *sandbox.ControlError
	switch {
	case errors.As(err, &answer):
		return answer.StatusCode
	case errors.As(err, &control):
		return control.Status
	}
	return 0
}

// classifyRest returns the kind and the exit code of an error without a response.
func classifyRest(err error) (kind string, exitCode int) {
	var network *url.Error
	switch {
	case errors.As(err, new(printError)):
		if errors.Is(err, syscall.EPIPE) {
			return kindOutput, exitSignal + int(syscall.SIGPIPE)
		}
		return kindOutput, exitFailed
	case errors.Is(err, context.DeadlineExceeded):
		return kindTimeout, exitService
	case errors.As(err, &network) && network.Op != "parse":
		if network.Timeout() {
			return kindTimeout, exitService
		}
		return kindNetwork, exitService
	}
	return kindFailed, exitFailed
}
