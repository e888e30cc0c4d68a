package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/qredo-go/qredo/internal/visible"
)

// signalError is the error of a command that a signal ended.
type signalError struct{ signal os.Signal }

func (e signalError) Error() string {
	if e.signal == os.Interrupt {
		return "interrupted"
	}
	return "ended by a signal: " + e.signal.String()
}

// Is makes it match the end of a context, for callers that check the cause.
func (signalError) Is(target error) bool { return target == context.Canceled }

// exitCode is the shell's code for programs that a signal ends.
func (e signalError) exitCode() int {
	if s, ok := e.signal.(syscall.Signal); ok {
		return exitSignal + int(s)
	}
	return exitSignal + int(syscall.SIGINT)
}

// catchSignals returns a context that the first signal ends. The second ends the program at once.
func (a *app) catchSignals(ctx context.Context) (context.Context, context.CancelFunc) {
	// A pipe that nobody reads becomes a write error: the program must not die silently after it made a transaction.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case s := <-signals:
			cancel(signalError{s})
		case <-ctx.Done():
			return
		}
		os.Exit(a.endAtOnce(signalError{<-signals}))
	}()
	return ctx, func() { cancel(nil) }
}

// endAtOnce prints what is known, and returns the exit code.
func (a *app) endAtOnce(s signalError) int {
	f := failure{Kind: kindSignal, Message: "ended at once", ExitCode: s.exitCode()}
	sent := a.traffic.sent()
	f.IdempotencyKey, f.TxID = sent.key, sent.tx
	switch {
	case sent.tx != "":
		f.Kind, f.ExitCode = kindPending, exitUnknown
		f.Hint = "Transaction " + plain(string(sent.tx)) + " was made. It continues without this command."
	case sent.unclear() && sent.key != "":
		f.Kind, f.ExitCode = kindUnknown, exitUnknown
		f.Hint = "The outcome is unknown. To find out, run the same command with --idempotency-key " + visible.Shell(string(sent.key))
	case sent.unclear():
		f.Kind, f.ExitCode = kindUnknown, exitUnknown
		f.Hint = "The outcome is unknown. Check what exists before you run it again."
	case sent.answered > 0:
		f.Hint = "Earlier requests were carried out: check what exists before you run it again."
	default:
		f.Hint = "Nothing was changed."
	}
	a.tell(f, []string{f.Message})
	return f.ExitCode
}

// interrupted marks an error as caused by a signal, if it was.
func interrupted(ctx context.Context, err error) error {
	var cause signalError
	if !errors.As(context.Cause(ctx), &cause) || !errors.Is(err, context.Canceled) {
		return err
	}
	return interruptedError{cause, err}
}

// interruptedError is an error caused by a signal. Its text is the signal's if the other adds nothing.
type interruptedError struct {
	signal signalError
	err    error
}

func (e interruptedError) Error() string {
	if kind, _ := classify(e.err); kind == kindUnknown || kind == kindPending {
		return e.signal.Error() + ": " + strings.TrimPrefix(e.err.Error(), "qredo: ")
	}
	return e.signal.Error()
}

func (e interruptedError) Unwrap() error { return e.err }
