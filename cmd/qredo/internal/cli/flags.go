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

// required marks flags as required, and says so in their help.
func required(f *flagSet, names ...string) {
	for _, name := range names {
		if err := cobra.MarkFlagRequired(f, name); err != nil {
			panic(err) // no such flag
		}
		f.Lookup(name).Usage += " (required)"
	}
}

func isRequired(flag *pflag.Flag) bool { return flag.Annotations[cobra.BashCompOneRequiredFlag] != nil }

// given refuses a command line that lacks required flags, or has them without a value, which cobra accepts. It names them
// in the order in which the command declares them.
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
	return usagef("--%s must be %s, not %q", flag, strings.Join(values, ", "), value)
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
		return time.Time{}, usagef("--%s must be a time such as 2026-01-31T15:04:05Z, or a duration before now, such as 24h; not %q", flag, text)
	}
	return at, nil
}

// listVar adds a flag that takes several texts, separated by commas or by repeating the flag.
func listVar(f *flagSet, to *[]string, name, usage string) { f.Var(&listFlag{to: to}, name, usage) }

// listFlag is like pflag's list, which drops everything after a line end.
type listFlag struct {
	to  *[]string
	set bool
}

func (l *listFlag) Set(text string) error {
	if strings.ContainsAny(text, "\r\n") {
		return errors.New("it has several lines: separate the texts by commas, or repeat the flag")
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

func (l *listFlag) Type() string { return "stringSlice" } // the name that completion knows

func (l *listFlag) String() string {
	if l.to == nil {
		return "[]"
	}
	return "[" + strings.Join(*l.to, ",") + "]"
}
