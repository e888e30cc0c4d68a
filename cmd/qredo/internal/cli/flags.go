package cli

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/qredo-go/qredo"
)

// flagSet are the flags of a command.
type flagSet = pflag.FlagSet

// given refuses a command line that lacks required flags, or has them without a value.
func given(f *flagSet) error {
	var missing []string
	f.SortFlags = false // they are told in the order that the command declares them in
	f.VisitAll(func(flag *pflag.Flag) {
		if strings.HasSuffix(flag.Usage, "(required)") && strings.Trim(flag.Value.String(), " []") == "" { // brackets: of a list
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
