package cli

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/qredo-go/qredo"
)

// flagSet are the flags of a command.
type flagSet = pflag.FlagSet

// required marks flags that must be given, and says so in their help.
func required(f *flagSet, names ...string) {
	for _, name := range names {
		if err := cobra.MarkFlagRequired(f, name); err != nil {
			panic(err) // there is no such flag
		}
		f.Lookup(name).Usage += " (required)"
	}
}

func isRequired(flag *pflag.Flag) bool { return flag.Annotations[cobra.BashCompOneRequiredFlag] != nil }

// given refuses a command line that lacks required flags, or has them without a value, which cobra takes. It names them in the
// order that the command declares them in.
func given(f *flagSet) error {
	var missing []string
	f.SortFlags = false
	f.VisitAll(func(flag *pflag.Flag) {
		if isRequired(flag) && strings.Trim(flag.Value.String(), " []") == "" { // brackets: of a list
			missing = append(missing, "--"+flag.Name)
		}
	})
	if len(missing) == 0 {
		return nil
	}
	return usagef("%s must be given", strings.Join(missing, " and "))
}

// oneOf checks a flag with few values.
func oneOf(flag, value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return usagef("--%s must be %s, is %q", flag, strings.Join(values, ", "), value)
}

// since reads --since: a time as RFC 3339, or as a duration before now.
func (a *app) since(text string) (qredo.Time, error) {
	at, err := a.instant("since", text)
	return qredo.TimeOf(at), err
}

// instant reads a time as since does, with fractions of a second.
func (a *app) instant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return a.now().Add(-ago), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usagef("--%s must be a time such as 2026-01-31T15:04:05Z, or how long ago, such as 24h; is %q", flag, text)
	}
	return at, nil
}

// listVar adds a flag of several texts, with commas between them or one at each time.
func listVar(f *flagSet, to *[]string, name, usage string) { f.Var(&listFlag{to: to}, name, usage) }

// listFlag is like pflag's list, which drops what stands behind a line's end.
type listFlag struct {
	to  *[]string
	set bool
}

func (l *listFlag) Set(text string) error {
	if strings.ContainsAny(text, "\r\n") {
		return errors.New("it has several lines: put commas between the texts, or repeat the flag")
	}
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !l.set {
		*l.to, l.set = nil, true
	}
	*l.to = append(*l.to, fields...)
	return nil
}

func (l *listFlag) Type() string { return "stringSlice" } // as completion knows it

func (l *listFlag) String() string {
	if l.to == nil {
		return "[]"
	}
	return "[" + strings.Join(*l.to, ",") + "]"
}
