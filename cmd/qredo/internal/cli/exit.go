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
	exitFailed   = 1 // a check has found something, or what is none of the others
	exitUsage    = 2 // the command line cannot be right: it was not sent
	exitUnknown  = 3 // it may have been done or not, or waiting has ended before the transaction
	exitEnded    = 4 // the transaction was rejected, or has expired
	exitRefused  = 5 // by the service
	exitNotFound = 6
	exitLimited  = 7 // too many requests
	exitService  = 8 // it failed, or could not be reached
	exitSignal   = 128
)

// The kinds of failure. They go with the exit codes, and are finer.
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

// codedError is an error of the command's own that has a place among the kinds and exit codes, and says itself what to do.
type codedError interface {
	error
	kind() (kind string, exitCode int)
}

// statedError is a failure that a command has seen for itself.
type statedError struct {
	text, kindName string
	code           int
}

func (e statedError) Error() string       { return e.text }
func (e statedError) kind() (string, int) { return e.kindName, e.code }

// foundf is the end of a check: all is not as it should be.
func foundf(format string, args ...any) error {
	return statedError{fmt.Sprintf(format, args...), kindCheck, exitFailed}
}

// notFoundf says that there is no such thing.
func notFoundf(format string, args ...any) error {
	return statedError{fmt.Sprintf(format, args...), kindNotFound, exitNotFound}
}

// conflictf says that it was decided or done before.
func conflictf(format string, args ...any) error {
	return statedError{fmt.Sprintf(format, args...), kindConflict, exitRefused}
}

// outputError is what was done, and whose result could not be printed.
type outputError struct {
	tx  qredo.TxID // that was made; empty if it was none, or is not known
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

// waitError is the end of waiting for a transaction that has not ended.
type waitError struct {
	tx     qredo.TxID
	resume string // the command that waits on
	err    error
}

func (e waitError) Error() string {
	goOn := "go on with: " + e.resume + " " + visible.Shell(string(e.tx))
	if errors.Is(e.err, context.DeadlineExceeded) || errors.Is(e.err, context.Canceled) {
		return fmt.Sprintf("transaction %s is still pending; %s", plain(string(e.tx)), goOn)
	}
	return fmt.Sprintf("looking at transaction %s: %v; %s", plain(string(e.tx)), e.err, goOn)
}

// kind of a look that was refused is that of the refusal: what is not there, or not for this key, is not pending.
func (e waitError) kind() (string, int) {
	if kind, code := classify(e.err); code == exitRefused || code == exitNotFound {
		return kind, code
	}
	return kindPending, exitUnknown
}

func (e waitError) Unwrap() error { return e.err }

// classify tells the kind and the exit code of an error.
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
	case errors.As(err, &stopped): // also while it waited, to send again what had been refused or had failed
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

// refusals are what services say no with, the special ones first.
var refusals = []struct {
	is   error
	kind string
}{
	{qredo.ErrBadSignature, "bad_signature"}, {qredo.ErrClockSkew, "clock_skew"}, {qredo.ErrUnauthorized, "unauthorized"},
	{qredo.ErrForbidden, "forbidden"}, {qredo.ErrConflict, kindConflict}, {qredo.ErrBadRequest, "bad_request"},
}

// classifyAnswer tells the kind and the exit code of an answer that is no success.
func classifyAnswer(err error) (kind string, exitCode int) {
	switch {
	case errors.Is(err, qredo.ErrRateLimited):
		return kindLimited, exitLimited
	// That there is no such thing only the service can say: a gateway without one behind it answers 404 too, and a script
	// would make again what is there.
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

// foreign reports whether an error is about an answer that is not in the words of the service, or of the sandbox.
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

// statusOf is the status of the answer that an error is about, 0 if it is about none.
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

// classifyRest tells the kind and the exit code of what is no answer.
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
