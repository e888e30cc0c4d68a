package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// command describes a command that does something. Its arguments are the words in capitals in use:
// NAME, [NAME] if it is optional, NAME... for one or more.
type command struct {
	use, short, long, example string
	flags                     func(*flagSet)       // adds flags, and marks those that are required; may be nil
	catch                     func() (stop func()) // catches signals before anything else happens; may be nil
	check                     func() error         // further checks of the flags; may be nil
	run                       func(ctx context.Context, args []string) error
}

// command makes a cobra command. Errors in the flags are reported before gaps in the configuration.
func (a *app) command(c command) *cobra.Command {
	cmd := &cobra.Command{
		Use: c.use, Short: c.short, Long: c.long, Example: indent(c.example),
		Args: func(cmd *cobra.Command, args []string) error {
			if err := checkArgs(cmd, c.use, args); err != nil {
				return err
			}
			return given(cmd.Flags()) // before cobra's own check, which words it differently
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.catch != nil {
				defer c.catch()()
			}
			if c.check != nil {
				if err := c.check(); err != nil {
					return err
				}
			}
			if err := a.load(); err != nil {
				return err
			}
			if err := a.prepare(strings.TrimPrefix(cmd.CommandPath(), "qredo ")); err != nil {
				return err
			}
			a.started = true
			ctx, cancel := a.limited(cmd.Context())
			defer cancel()
			if a.watchEvery > 0 && cmd.Flags().Changed("watch") {
				return a.watching(ctx, func(ctx context.Context) error { return c.run(ctx, args) })
			}
			err := a.dry.end(a, c.run(ctx, args))
			if left := a.unpage(); err == nil {
				err = left
			}
			return err
		},
	}
	if c.flags != nil {
		c.flags(cmd.Flags())
	}
	return cmd
}

// group makes a command that only holds others.
func group(use, short, long, example string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short, Long: long, Example: indent(example), Args: cobra.ArbitraryArgs, RunE: showHelp,
	}
	g.AddCommand(commands...)
	return g
}

// showHelp is run by commands that only hold others.
func showHelp(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	cmd.SuggestionsMinimumDistance = 2
	text := fmt.Sprintf("%s has no command %q", cmd.CommandPath(), args[0])
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		text += ": did you mean " + strings.Join(like, " or ") + "?"
	}
	return usageError{text}
}

func checkArgs(cmd *cobra.Command, use string, args []string) error {
	var needed, optional int
	var names []string
	more := false
	for _, word := range strings.Fields(use)[1:] {
		name := strings.Trim(word, "[].")
		if name == "" || strings.ContainsFunc(name, unicode.IsLower) {
			continue
		}
		names = append(names, name)
		if strings.HasPrefix(word, "[") {
			optional++
		} else {
			needed++
		}
		more = more || strings.HasSuffix(word, "...") || strings.HasSuffix(word, "...]")
	}
	switch {
	case len(args) < needed:
		return usagef("%s needs %s", cmd.CommandPath(), strings.Join(names[len(args):needed], " and "))
	case !more && len(args) > needed+optional:
		return usagef("%s takes %d arguments, not %d: %q is too many", cmd.CommandPath(), needed+optional, len(args), args[needed+optional])
	}
	if i := slices.Index(args, ""); i >= 0 && i < len(names) {
		return usagef("%s must not be empty", names[i])
	}
	return nil
}

// indent indents examples as cobra shows them.
func indent(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = "  " + strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
