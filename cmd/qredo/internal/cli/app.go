// Package cli is the qredo command: what it understands, does and prints.
package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/qredo-go/qredo"
)

// app is one run of the command.
type app struct {
	in       *os.File
	out      *bufio.Writer // results: flushed at the end, and by commands that stream
	err      io.Writer     // everything else that the user is told
	env      func(string) string
	now      func() time.Time
	terminal struct{ in, out, err bool }
	colour   bool
	width    int // of the terminal, in characters; 0 without one
	height   int

	root     *cobra.Command
	noHelp   error // help was asked for about something that is not a command
	global   globalFlags
	started  bool // the command line was understood: errors from here on are not mistakes in its use
	args     []string
	traffic  traffic
	settings *settings
	assets   assetBook
	dry      dryRun
	lists    map[string][]thing // lists that were read to find names in
	client   *qredo.Client

	completions map[string]completion

	format     format    // of what is printed
	stdout     io.Writer // where out goes without a pager
	pager      *pager
	watched    *watch
	watchEvery time.Duration
}

// Main runs the command with the arguments of the process and returns its exit code.
func Main() int {
	a := &app{
		in: os.Stdin, out: bufio.NewWriter(printing{os.Stdout}), stdout: printing{os.Stdout}, err: os.Stderr, env: os.Getenv, now: time.Now,
	}
	a.terminal.in = isTerminal(os.Stdin)
	a.terminal.out = isTerminal(os.Stdout)
	a.terminal.err = isTerminal(os.Stderr)
	if a.terminal.out {
		a.width, a.height, _ = term.GetSize(int(os.Stdout.Fd()))
	}
	a.colour = a.terminal.out && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	ctx, stop := a.catchSignals(context.Background())
	defer stop()
	return a.run(ctx, os.Args[1:])
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd()))
}

func (a *app) run(ctx context.Context, args []string) int {
	a.args = args
	root := a.commands()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	cmd, err := root.ExecuteContextC(ctx)
	err = interrupted(ctx, cmp.Or(err, a.noHelp))
	if flushed := a.out.Flush(); err == nil {
		err = flushed
	}
	if sent := a.traffic.sent(); sent.answered > 0 && errors.As(err, new(printError)) {
		err = outputError{sent.tx, err}
	}
	if err == nil {
		return exitDone
	}
	return a.report(err, cmd)
}

// commands is the whole tree of commands.
func (a *app) commands() *cobra.Command {
	root := &cobra.Command{
		Use:           "qredo",
		Short:         "Work with Qredo's APIs, and with a sandbox that emulates them",
		Long:          rootHelp,
		Example:       rootExamples,
		Version:       qredo.Version,
		Args:          cobra.ArbitraryArgs,
		RunE:          showHelp,
		SilenceErrors: true,
		SilenceUsage:  true,

		DisableAutoGenTag: true, // it would put the day of generation on the page
	}
	root.SetVersionTemplate("qredo {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		if strings.Contains(err.Error(), "-----BEGIN") {
			return usageError{"there is a key where a flag or a file name should be"}
		}
		return usageError{err.Error()}
	})
	root.SetHelpTemplate(root.HelpTemplate() + exitCodesLine)
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), globalFlagsListed, globalFlagsNamed, 1))
	a.root = root
	a.global.add(root)
	root.AddGroup(
		&cobra.Group{ID: "resources", Title: "Resources of the Partner API:"},
		&cobra.Group{ID: "debug", Title: "Requests and keys:"},
		&cobra.Group{ID: "books", Title: "Books:"},
		&cobra.Group{ID: "sandbox", Title: "Sandbox:"},
		&cobra.Group{ID: "other", Title: "The rest:"},
	)
	root.SetHelpCommandGroupID("other")
	root.SetCompletionCommandGroupID("other")
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("resources", a.companyCommands(), a.partyCommands(), a.fundCommands(), a.walletCommands(),
		a.transferCommands(), a.withdrawCommands(), a.swapCommands(), a.hubCommands(), a.assetCommands(),
		a.feeCommand(), a.agentCommands(), a.signingAgentCommands())
	add("debug", a.signCommand(), a.sendCommand(), a.listenCommand(), a.keysCommands(), a.doctorCommand())
	add("books", a.ledgerCommands(), a.reconcileCommand(), a.outboxCommands(), a.inboxCommands())
	add("sandbox", a.sandboxCommands())
	add("other", a.qapiCommands(), a.configCommands(), a.versionCommand(), a.manCommand())
	root.AddCommand(helpTopics()...)
	a.dry.add(root)
	a.addWatch(root)
	a.complete(root)
	a.strictHelp(root)
	return root
}

// strictHelp refuses help topics that are not commands: cobra would show the help of the command above.
func (a *app) strictHelp(root *cobra.Command) {
	show := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if words := cmd.Flags().Args(); cmd.HasSubCommands() && len(words) > 0 {
			a.noHelp = showHelp(cmd, words)
			return
		}
		show(cmd, args)
	})
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Args = func(_ *cobra.Command, words []string) error {
				if found, rest, _ := root.Find(words); len(rest) > 0 {
					return showHelp(found, rest)
				}
				return nil
			}
		}
	}
}
