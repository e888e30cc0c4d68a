package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo"
)

// The exit codes, which scripts depend on.
const (
	exitDone    = 0 // what was asked for is done
	exitFailed  = 1 // refused or failed: nothing was changed
	exitUsage   = 2 // the command line cannot be right: nothing was sent
	exitUnknown = 3 // it may have been done or not: the answer was lost, or waiting has ended before the transaction
	exitEnded   = 4 // the transaction was rejected, or has expired
)

// usageError is a mistake in how the command was called.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// outputError is a transaction that was asked for, and whose result could not be printed.
type outputError struct{ err error }

func (e outputError) Error() string {
	return fmt.Sprintf("the transaction may have been made, but its result could not be printed: %v", e.err)
}

func (e outputError) Unwrap() error { return e.err }

// waitError is the end of waiting for a transaction that has not ended.
type waitError struct {
	tx     qredo.TxID
	resume string // the command that waits on
	err    error
}

func (e waitError) Error() string {
	goOn := "go on with: " + e.resume + " " + string(e.tx)
	if errors.Is(e.err, context.DeadlineExceeded) || errors.Is(e.err, context.Canceled) {
		return fmt.Sprintf("transaction %s is still pending; %s", e.tx, goOn)
	}
	return fmt.Sprintf("looking at transaction %s: %v; %s", e.tx, e.err, goOn)
}

func (e waitError) Unwrap() error { return e.err }

// codedError is an error that has an exit code of its own, and says itself what to do.
type codedError interface {
	error
	exitCode() int
}

// report prints an error and returns the exit code that goes with it.
func (a *app) report(err error) int {
	code := exitCode(err)
	if !a.started && code != exitUnknown {
		code = exitUsage
	}
	fmt.Fprintf(a.err, "qredo: %s\n", strings.TrimPrefix(err.Error(), "qredo: "))
	unknown := (*qredo.UnknownOutcomeError)(nil)
	switch {
	case errors.As(err, &unknown) && unknown.PartnerTxID != "":
		fmt.Fprintf(a.err, "The outcome is unknown. To find out, run the same command with --idempotency-key %s\n", unknown.PartnerTxID)
	case code == exitUnknown && !errors.As(err, new(waitError)) && !errors.As(err, new(codedError)):
		fmt.Fprintln(a.err, "The outcome is unknown. Look at what there is before doing it again.")
	case code == exitUsage && !a.started:
		fmt.Fprintln(a.err, "See qredo --help, and --help of the command.")
	}
	return code
}

func exitCode(err error) int {
	var (
		usage   usageError
		waiting waitError
		invalid *qredo.ValidationError
		ended   *qredo.TxError
		coded   codedError
	)
	switch {
	case errors.As(err, &coded):
		return coded.exitCode()
	case errors.As(err, &usage), errors.As(err, &invalid):
		return exitUsage
	case errors.Is(err, qredo.ErrOutcomeUnknown), errors.As(err, &waiting), errors.As(err, new(outputError)):
		return exitUnknown
	case errors.As(err, &ended):
		return exitEnded
	}
	return exitFailed
}
