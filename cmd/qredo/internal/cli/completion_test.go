package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
)

// places calls f with each flag that takes a value, and each argument, of all commands.
func places(a *app, f func(cmd *cobra.Command, name string)) {
	root := a.commands()
	root.PersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.NoOptDefVal == "" {
			f(root, "--"+flag.Name)
		}
	})
	walk(root, func(cmd *cobra.Command) {
		cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
			if flag.NoOptDefVal == "" {
				f(cmd, "--"+flag.Name)
			}
		})
		for _, name := range argumentNames(cmd) {
			f(cmd, name)
		}
	})
}

// TestCompletionTable demands that each flag that takes a value, and each argument, of every command has a completion, or
// is said to be free text for a reason; and that nothing in the table is left from a place that there was.
func TestCompletionTable(t *testing.T) {
	a := newTestApp()
	used := map[string]bool{}
	n := 0
	places(a, func(cmd *cobra.Command, name string) {
		n++
		key, found := a.completionKey(cmd, name)
		if !assert.True(t, found, "%s %s: say in completionTable what can stand there", cmd.CommandPath(), name) {
			return
		}
		used[key] = true
		c := a.completions[key]
		says := 0
		for _, said := range []bool{c.words != nil || c.files != nil, c.list != nil, c.choose != nil, c.folder, c.free != "", c.after != nil && c.list == nil} {
			if said {
				says++
			}
		}
		assert.Equal(t, 1, says, "%s", key)
		if strings.HasPrefix(name, "--") {
			_, registered := cmd.GetFlagCompletionFunc(strings.TrimPrefix(name, "--"))
			assert.True(t, registered, "%s %s", cmd.CommandPath(), name)
		} else {
			assert.NotNil(t, cmd.ValidArgsFunction, cmd.CommandPath())
		}
	})
	for key := range a.completions {
		assert.True(t, used[key], "%s: there is no such place", key)
	}
	t.Logf("%d places", n)
}
