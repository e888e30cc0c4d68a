package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
	"github.com/qredo-go/qredo/sandbox"
)

// failure is why a command failed, in a form for programs.
type failure struct {
	Kind           string            `json:"kind"`
	Message        string            `json:"message"`
	Status         int               `json:"status,omitzero"` // of HTTP
	Code           int               `json:"code,omitzero"`   // the service's own
	Reason         string            `json:"reason,omitzero"`
	Field          string            `json:"field,omitzero"`
	Operation      string            `json:"operation,omitzero"`
	Attempts       int               `json:"attempts,omitzero"`
	RetryAfter     *int64            `json:"retry_after,omitzero"` // seconds
	TxID           qredo.TxID        `json:"tx_id,omitzero"`
	IdempotencyKey qredo.PartnerTxID `json:"idempotency_key,omitzero"`
	RequestID      string            `json:"request_id,omitzero"`
	ExitCode       int               `json:"exit_code"`
	Hint           string            `json:"hint,omitzero"`
}

// failureOf collects what is known about the error that ended a command.
func (a *app) failureOf(err error, cmd *cobra.Command) failure {
	f := failure{Message: strings.TrimPrefix(err.Error(), "qredo: ")}
	f.Kind, f.ExitCode = classify(err)
	sent := a.traffic.sent()
	if !a.started && f.ExitCode == exitFailed {
		f.Kind, f.ExitCode = kindUsage, exitUsage
	}
	if sent.open() && (f.ExitCode == exitService || f.ExitCode > exitSignal) { // clients report it themselves for their own requests
		f.Kind, f.ExitCode = kindUnknown, exitUnknown
		f.Message += "; it may have been carried out all the same"
	}
	f.TxID, f.IdempotencyKey = sent.tx, sent.key
	a.describe(&f, err, sent)
	f.Hint = a.hintFor(f, err, cmd, sent)
	return f
}

// describe adds the details of an error.
func (a *app) describe(f *failure, err error, sent sent) {
	var (
		answer  *qredo.Error
		control *sandbox.ControlError
		invalid *qredo.ValidationError
		unknown *qredo.UnknownOutcomeError
		ended   *qredo.TxError
		waiting waitError
	)
	switch {
	case errors.As(err, &answer):
		f.Status, f.Code, f.Reason, f.Operation, f.Attempts = answer.StatusCode, answer.Code, answer.Reason, answer.Operation, answer.Attempts
	case errors.As(err, &control):
		f.Status, f.Reason, f.Operation, f.Attempts = control.Status, control.Reason, control.Call, 1
	case sent.last.Err != nil && errors.Is(err, sent.last.Err):
		f.Operation, f.Attempts = sent.last.Operation, sent.last.Number
	}
	if errors.As(err, &invalid) {
		f.Field = invalid.Field
	}
	if errors.As(err, &unknown) {
		f.IdempotencyKey = cmp.Or(unknown.PartnerTxID, f.IdempotencyKey)
	}
	if errors.As(err, &ended) {
		f.TxID = ended.TxID
	}
	if errors.As(err, &waiting) {
		f.TxID = waiting.tx
	}
	if f.Status != 0 && f.Status == sent.status {
		f.RequestID = requestID(sent.header)
		if wait, ok := retryAfter(sent.header, a.now()); ok {
			f.RetryAfter = &wait
		}
	}
}

// hintFor says what to do next, where the message does not.
func (a *app) hintFor(f failure, err error, cmd *cobra.Command, sent sent) string {
	var unknown *qredo.UnknownOutcomeError
	switch {
	case errors.As(err, &unknown) && unknown.PartnerTxID != "":
		return "The outcome is unknown. To find out, run the same command with --idempotency-key " + visible.Shell(string(unknown.PartnerTxID))
	case errors.As(err, new(codedError)):
		return ""
	case f.Kind == kindUnknown:
		return "The outcome is unknown. Check what exists before you run it again."
	case f.Kind == kindUsage && !a.started:
		return "See " + cmd.CommandPath() + " --help."
	case f.Kind == kindSignal && sent.answered == 0 && !sent.unclear():
		return "Nothing was changed."
	case f.Kind == kindSignal:
		return "Earlier requests were carried out: check what exists before you run it again."
	case f.Kind == kindLimited && f.RetryAfter != nil:
		return fmt.Sprintf("Try again after %d s.", *f.RetryAfter)
	case foreign(err) && f.Status < 500:
		return "The response is not in the service's form: check the base URL, and proxies on the way."
	case f.Kind == "unauthorized", f.Kind == "bad_signature", f.Kind == "clock_skew", f.Kind == kindNetwork:
		return "To find out why, run qredo doctor."
	}
	return ""
}

// report prints why a command ended, and returns the exit code that goes with it.
func (a *app) report(err error, cmd *cobra.Command) int {
	f := a.failureOf(err, cmd)
	if f.ExitCode == exitSignal+int(syscall.SIGPIPE) {
		return f.ExitCode // nobody reads the output any more, as with "| head": programs that the signal ends say nothing either
	}
	a.tell(f, errorLines(err, f.Message))
	return f.ExitCode
}

// tell prints the failure.
func (a *app) tell(f failure, lines []string) {
	if a.errorsAsJSON() {
		f.Message, f.Reason = plain(f.Message), plain(f.Reason) // JSON is shown on terminals too
		if data, err := json.Marshal(f); err == nil {
			fmt.Fprintf(a.err, "%s\n", data)
		}
		return
	}
	fmt.Fprintf(a.err, "qredo: %s\n", strings.Join(lines, "\n  "))
	if f.Hint != "" {
		fmt.Fprintln(a.err, f.Hint)
	}
}

// errorLines are the lines of an error's message. Only errors about the user's own files have several: a line break in
// text from outside does not start one.
func errorLines(err error, message string) []string {
	_, joined := err.(interface{ Unwrap() []error }) // only the outermost error has lines
	if !joined && !errors.As(err, new(usageError)) && !errors.As(err, new(*sandbox.ControlError)) {
		return []string{plain(message)}
	}
	var lines []string
	for line := range strings.SplitSeq(message, "\n") {
		lines = append(lines, plain(line))
	}
	return lines
}

// printError is a failure to write to standard output.
type printError struct{ error }

func (e printError) Unwrap() error { return e.error }

// printing is standard output. Its errors can be told from those of other files and connections.
type printing struct{ *os.File }

func (p printing) Write(b []byte) (int, error) {
	n, err := p.File.Write(b)
	if err != nil {
		return n, printError{err}
	}
	return n, nil
}

// errorsAsJSON reports whether errors are for programs, because the output is JSON or YAML. If the command line or the
// settings could not be read, it goes by as much of them as can be seen.
func (a *app) errorsAsJSON() bool {
	output := outputIn(a.args)
	if a.settings == nil && output == "" {
		_ = a.load() // its errors are reported elsewhere
	}
	switch {
	case a.settings != nil:
		output = a.settings.get(keyOutput).value
	case output == "":
		output = a.env(keyOutput.env)
	}
	return slices.Contains([]string{"json", "yaml"}, output)
}

// outputIn is the value of --output in arguments that may be wrong. The last one counts.
func outputIn(args []string) string {
	output := ""
	for i, arg := range args {
		if arg == "--" {
			break
		}
		next := ""
		if i+1 < len(args) {
			next = args[i+1]
		}
		name, value, given := strings.Cut(arg, "=")
		switch {
		case name == "--output" || name == "-o":
			if !given {
				value = next
			}
			output = value
		case strings.HasPrefix(arg, "-o"):
			output = strings.TrimPrefix(arg, "-o")
		}
	}
	return output
}
