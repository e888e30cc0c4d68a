package cli

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newTestApp() *app {
	return &app{out: bufio.NewWriter(&bytes.Buffer{}), err: &bytes.Buffer{}, env: func(string) string { return "" }}
}

// walk calls f with each command of the program's own.
func walk(c *cobra.Command, f func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		if sub.Name() == "help" || sub.Name() == "completion" {
			continue
		}
		f(sub)
		walk(sub, f)
	}
}

// TestHelp demands that each command says in full what it does, and that its examples are right: they name
// commands and flags that there are, with as many arguments as are needed.
func TestHelp(t *testing.T) {
	commands, examples := 0, 0
	walk(newTestApp().commands(), func(c *cobra.Command) {
		if !c.Runnable() { // a page of help
			assert.NotEmpty(t, c.Long, c.CommandPath())
			return
		}
		commands++
		assert.NotEmpty(t, c.Short, c.CommandPath())
		assert.NotEqual(t, c.Short, c.Long, c.CommandPath())
		assert.NotEmpty(t, c.Long, c.CommandPath())
		assert.False(t, strings.HasSuffix(c.Short, "."), c.CommandPath())
		assert.NotEmpty(t, c.Example, c.CommandPath())
		for line := range strings.SplitSeq(c.Example, "\n") {
			line = strings.TrimSpace(line)
			words := shellWords(line)
			if len(words) == 0 || words[0] != "qredo" {
				continue // it begins with another program
			}
			examples++
			t.Run(line, func(t *testing.T) { checkExample(t, words[1:]) })
		}
		c.Flags().VisitAll(func(f *pflag.Flag) { assert.NotEmpty(t, f.Usage, "%s --%s", c.CommandPath(), f.Name) })
	})
	t.Logf("%d commands, %d examples", commands, examples)
}

// TestNeeds demands that a flag that is required is asked for, before anything else, and that its help says so.
func TestNeeds(t *testing.T) {
	needed := 0
	walk(newTestApp().commands(), func(c *cobra.Command) {
		var names []string
		c.Flags().SortFlags = false
		c.Flags().VisitAll(func(f *pflag.Flag) {
			said := strings.Count(f.Usage, "(required)")
			if isRequired(f) {
				names = append(names, "--"+f.Name)
				assert.True(t, said == 1 && strings.HasSuffix(f.Usage, " (required)"), "%s --%s: %s", c.CommandPath(), f.Name, f.Usage)
			} else {
				assert.Zero(t, said, "%s --%s is not required: mark it by required", c.CommandPath(), f.Name)
			}
		})
		if len(names) == 0 {
			return
		}
		needed += len(names)
		arguments := strings.FieldsFunc(c.Use, func(r rune) bool { return r == ' ' })[1:]
		require.EqualError(t, c.Args(c, arguments), strings.Join(names, " and ")+" must be given", c.CommandPath())
		for _, name := range names {
			require.NoError(t, c.Flags().Set(strings.TrimPrefix(name, "--"), ""))
		}
		require.EqualError(t, c.Args(c, arguments), strings.Join(names, " and ")+" must be given", "%s, with empty values", c.CommandPath())
	})
	assert.Greater(t, needed, 40)
}

func checkExample(t *testing.T, words []string) {
	t.Helper()
	root := newTestApp().commands()
	for i, w := range words { // what comes after a pipe, or is where the output goes, is not ours
		if w == "|" || strings.HasPrefix(w, ">") {
			words = words[:i]
			break
		}
	}
	cmd, args, err := root.Find(words)
	require.NoError(t, err)
	require.True(t, cmd.Runnable())
	require.NoError(t, cmd.ParseFlags(args))
	require.NoError(t, cmd.ValidateArgs(cmd.Flags().Args()))
	if cmd.HasSubCommands() {
		assert.Empty(t, cmd.Flags().Args(), "there is no such command")
	}
}

// shellWords splits a line as a shell does, as far as examples need it.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quote, begun := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if begun {
		words = append(words, word.String())
	}
	return words
}
