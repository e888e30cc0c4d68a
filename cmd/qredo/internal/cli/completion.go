package cli

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completion says what one place of the command line can hold: the value of a flag, or an argument.
type completion struct {
	words  []string                              // a closed set; what follows a tab describes the word
	list   func(*lookup, place) ([]thing, error) // what the service has, or the configuration
	names  bool                                  // its names are accepted too, not only IDs
	choose func(*app, place) completion          // depends on the arguments before it
	files  []string                              // with these endings; "" for any
	folder bool                                  // a folder
	free   string                                // why there are no suggestions: its help is shown instead
	cut    string                                // separates its two parts, as in ID=NAME
	after  *completion                           // the second part
}

// place is the place to complete.
type place struct {
	cmd   *cobra.Command
	args  []string // before it
	help  string   // of the flag or argument
	list  bool     // one word can hold several, separated by commas
	head  string   // the part of the word that is complete
	typed string   // the rest of the word
}

// longestCompletion is how long a shell waits for the service.
const longestCompletion = 2 * time.Second

// complete gives each flag and argument of all commands its completion.
func (a *app) complete(root *cobra.Command) {
	a.completions = completionTable()
	nothing := cobra.ShellCompDirectiveNoFileComp
	root.CompletionOptions.DefaultShellCompDirective = &nothing
	root.PersistentFlags().VisitAll(func(f *pflag.Flag) { a.completeFlag(root, f) })
	var each func(*cobra.Command)
	each = func(cmd *cobra.Command) {
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) { a.completeFlag(cmd, f) })
		if names := argumentNames(cmd); len(names) > 0 {
			cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
				name := names[min(len(args), len(names)-1)]
				if len(args) >= len(names) && !strings.HasSuffix(strings.TrimSuffix(cmd.Use, "]"), "...") {
					return nil, cobra.ShellCompDirectiveNoFileComp
				}
				c, _ := a.completionOf(cmd, name)
				return a.completed(c, place{cmd: cmd, args: args, help: name, typed: typed})
			}
		}
		for _, sub := range cmd.Commands() {
			each(sub)
		}
	}
	each(root)
}

func (a *app) completeFlag(cmd *cobra.Command, f *pflag.Flag) {
	c, found := a.completionOf(cmd, "--"+f.Name)
	if !found || f.NoOptDefVal != "" { // a switch
		return
	}
	_ = cmd.RegisterFlagCompletionFunc(f.Name, func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return a.completed(c, place{cmd: cmd, args: args, help: f.Usage, list: f.Value.Type() == "stringSlice", typed: typed})
	})
}

// completionOf finds the completion of a flag or argument: the command's own, its group's, or the one for all commands.
func (a *app) completionOf(cmd *cobra.Command, name string) (completion, bool) {
	key, found := a.completionKey(cmd, name)
	return a.completions[key], found
}

func (a *app) completionKey(cmd *cobra.Command, name string) (string, bool) {
	path := strings.Fields(cmd.CommandPath())[1:]
	for n := len(path); n >= 0; n-- {
		key := strings.Join(append(slices.Clone(path[:n]), name), " ")
		if _, found := a.completions[key]; found {
			return key, true
		}
	}
	return "", false
}

// argumentNames are the names of a command's arguments, from its use line.
func argumentNames(cmd *cobra.Command) []string {
	var names []string
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if name := strings.Trim(word, "[]."); name != "" && !strings.ContainsFunc(name, unicode.IsLower) {
			names = append(names, name)
		}
	}
	return names
}

// completed is what a place can hold, as shells get it. It is empty if that is not known, for whatever reason.
func (a *app) completed(c completion, at place) ([]cobra.Completion, cobra.ShellCompDirective) {
	directive := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	at.typed = strings.ReplaceAll(at.typed, `\ `, " ") // fish passes the word on as it was typed
	if c.choose != nil {
		c = c.choose(a, at)
	}
	if comma := strings.LastIndex(at.typed, ","); at.list && comma >= 0 {
		at.head, at.typed = at.typed[:comma+1], at.typed[comma+1:]
	}
	tail := ""
	if c.cut != "" {
		if first, second, found := strings.Cut(at.typed, c.cut); found {
			at.head, at.typed = at.head+first+c.cut, second
			if c.after == nil {
				return nil, directive
			}
			c = *c.after
		} else if tail = c.cut; c.list != nil {
			directive |= cobra.ShellCompDirectiveNoSpace
		}
	}
	switch {
	case c.folder:
		return nil, cobra.ShellCompDirectiveFilterDirs
	case slices.Equal(c.files, []string{""}):
		return visibleWords(c.words, at), cobra.ShellCompDirectiveDefault
	case c.files != nil:
		return c.files, cobra.ShellCompDirectiveFilterFileExt
	case c.free != "" || at.typed == "" && c.list == nil && c.words == nil && c.cut != "":
		return cobra.AppendActiveHelp(nil, at.help), directive
	case c.list == nil:
		return visibleWords(c.words, at), directive
	}
	return candidates(a.lookedUp(c, at), c.names, at, tail), directive
}

// lookedUp lists things, with a time limit: a key may be read from a pipe that nobody writes to.
func (a *app) lookedUp(c completion, at place) []thing {
	ctx, cancel := context.WithTimeout(at.cmd.Context(), longestCompletion)
	defer cancel()
	done := make(chan []thing, 1)
	go func() {
		things, err := c.list(&lookup{app: a, ctx: ctx}, at)
		if err != nil {
			things = nil
		}
		done <- things
	}()
	select {
	case things := <-done:
		return things
	case <-ctx.Done():
		return nil
	}
}

func visibleWords(words []string, at place) []cobra.Completion {
	var out []cobra.Completion
	for _, w := range words {
		if strings.HasPrefix(w, at.typed) {
			out = append(out, at.head+w)
		}
	}
	return out
}

// candidates are the things that a place can hold: first the names that mean one of them, then the IDs.
func candidates(things []thing, names bool, at place, tail string) []cobra.Completion {
	var out []cobra.Completion
	add := func(text string, about ...string) {
		if text != "" && strings.HasPrefix(text, at.typed) && isTypeable(text, at) {
			out = append(out, strings.TrimSuffix(cobra.CompletionWithDesc(at.head+text+tail, thing{}.about(about...)), "\t"))
		}
	}
	if names {
		times := map[string]int{}
		for _, t := range things {
			times[nameKey(t.Name)]++
			if nameKey(t.Other) != nameKey(t.Name) {
				times[nameKey(t.Other)]++
			}
		}
		for _, t := range things {
			if times[nameKey(t.Name)] == 1 && !isID(t.Name) && !isShortCode(t.Name) {
				add(t.Name, t.About, t.Where, t.ID)
			}
		}
	}
	for _, t := range things {
		add(t.ID, t.Name, t.Other, t.About, t.Where)
	}
	if at.typed == "" {
		return out
	}
	for _, t := range things { // not shown, but completed once you begin to type it
		add(t.Code, t.Name, t.About, t.Where, t.ID)
		if names {
			add(t.Other, t.Name, t.About, t.ID)
		}
	}
	return out
}

// isTypeable reports whether a name can be typed on a command line as it is: it must not look like a flag, hide characters,
// or be a word with a meaning for the shell's part of the completion.
func isTypeable(text string, at place) bool {
	return plain(text) == text && strings.TrimSpace(text) == text && !strings.HasPrefix(text, "-") && !strings.HasPrefix(text, "_activeHelp_") &&
		(!at.list || !strings.ContainsAny(text, `,"`))
}
