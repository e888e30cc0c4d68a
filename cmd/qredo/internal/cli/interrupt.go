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

// signalError is the end of a command by a signal.
type signalError struct{ signal os.Signal }

func (e signalError) Error() string {
	if e.signal == os.Interrupt {
		return "interrupted"
	}
	return "ended by a signal: " + e.signal.String()
}

// Is says that it is the end of a context, for those that look at its cause.
func (signalError) Is(target error) bool { return target == context.Canceled }

// exitCode is what shells say of programs that end by a signal.
func (e signalError) exitCode() int {
	if s, ok := e.signal.(syscall.Signal); ok {
		return exitSignal + int(s)
	}
	return exitSignal + int(syscall.SIGINT)
}

// catchSignals returns a context that ends with the first signal that asks for it. With the second the program ends at once.
func (a *app) catchSignals(ctx context.Context) (context.Context, context.CancelFunc) {
	// A pipe that nobody reads is an error of writing: a transaction that was made must not end in silence.
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

// endAtOnce says what is known, and returns the exit code.
func (a *app) endAtOnce(s signalError) int {
	f := failure{Kind: kindSignal, Message: "ended at once", ExitCode: s.exitCode()}
	sent := a.traffic.sent()
	f.IdempotencyKey, f.TxID = sent.key, sent.tx
	switch {
	case sent.tx != "":
		f.Kind, f.ExitCode = kindPending, exitUnknown
		f.Hint = "Transaction " + plain(string(sent.tx)) + " was made. It goes on without this command."
	case sent.unclear() && sent.key != "":
		f.Kind, f.ExitCode = kindUnknown, exitUnknown
		f.Hint = "The outcome is unknown. To find out, run the same command with --idempotency-key " + visible.Shell(string(sent.key))
	case sent.unclear():
		f.Kind, f.ExitCode = kindUnknown, exitUnknown
		f.Hint = "The outcome is unknown. Look at what there is before doing it again."
	case sent.answered > 0:
		f.Hint = "What was answered before stands: look at what there is before doing it again."
	default:
		f.Hint = "Nothing was changed."
	}
	a.tell(f, []string{f.Message})
	return f.ExitCode
}

// interrupted says of an error that it came of a signal, if it did.
func interrupted(ctx context.Context, err error) error {
	var cause signalError
	if !errors.As(context.Cause(ctx), &cause) || !errors.Is(err, context.Canceled) {
		return err
	}
	return interruptedError{cause, err}
}

// interruptedError is an error that came of a signal. Its text is that of the signal where the other says nothing more.
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
