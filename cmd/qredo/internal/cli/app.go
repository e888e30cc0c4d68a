// Package cli is the qredo command: what it understands, does and prints.
package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/qredo-go/qredo"
)

// app is one run of the command.
type app struct {
	in       *os.File
	out      *bufio.Writer // what was asked for: flushed at the end, and by what streams
	err      io.Writer     // everything else that is said to the user
	env      func(string) string
	now      func() time.Time
	terminal struct{ in, out, err bool }
	colour   bool
	width    int // of the terminal that is written to, in characters; 0 if there is none

	root     *cobra.Command
	noHelp   error // help was asked for with what is no command
	global   globalFlags
	started  bool // the command line was understood; what goes wrong from here on is no mistake in its use
	asked    bool // a transaction was confirmed, and may have been asked for since
	settings *settings
	assets   assetBook
	client   *qredo.Client
}

// Main runs the command with the arguments of the process and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{
		in: os.Stdin, out: bufio.NewWriter(os.Stdout), err: os.Stderr, env: os.Getenv, now: time.Now,
	}
	a.terminal.in = isTerminal(os.Stdin)
	a.terminal.out = isTerminal(os.Stdout)
	a.terminal.err = isTerminal(os.Stderr)
	if a.terminal.out {
		a.width, _, _ = term.GetSize(int(os.Stdout.Fd()))
	}
	a.colour = a.terminal.out && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return a.run(ctx, os.Args[1:])
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd()))
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.commands()
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.noHelp
	}
	switch flushed := a.out.Flush(); {
	case flushed != nil && a.asked && exitCode(err) == exitFailed:
		err = outputError{flushed}
	case err == nil:
		err = flushed
	}
	if err == nil {
		return exitDone
	}
	return a.report(err)
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
	}
	root.SetVersionTemplate("qredo {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err.Error()} })
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
	add("other", a.qapiCommands(), a.configCommands(), a.versionCommand())
	root.AddCommand(helpTopics()...)
	a.strictHelp(root)
	return root
}

// strictHelp refuses to help with what is no command: cobra shows the help of the command above it.
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

func (a *app) versionCommand() *cobra.Command {
	return a.command(command{
		use: "version", short: "Print the version",
		long:    "Prints the version of the command, as --version does.",
		example: "qredo version",
		run: func(context.Context, []string) error {
			fmt.Fprintf(a.out, "qredo %s\n", qredo.Version)
			return nil
		},
	})
}
