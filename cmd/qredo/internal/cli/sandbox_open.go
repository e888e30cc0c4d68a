package cli

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
)

func (a *app) sandboxOpen() *cobra.Command {
	var printed bool
	return a.command(command{
		use: "open", short: "Open a sandbox's console in the browser",
		long: `Opens the console of the sandbox at the base URL in this machine's browser: the page where people see what happens in it,
approve, and play the chain. With --print, or without a browser, it prints the address.

Whoever has the address can do everything in that sandbox. It contains a token, which changes each time the sandbox starts.
Others on this machine can see it in the list of processes while the browser starts; they can make control calls anyway.`,
		example: "qredo sandbox open\nqredo sandbox open --print",
		flags:   func(f *flagSet) { f.BoolVar(&printed, "print", false, "print the address, but open nothing") },
		run: func(ctx context.Context, _ []string) error {
			control, err := a.control()
			if err != nil {
				return err
			}
			address, err := control.ConsoleURL(ctx)
			if err != nil {
				return err
			}
			if !printed {
				opener := browser()
				err := exec.CommandContext(ctx, opener[0], append(opener[1:], address)...).Run() //nolint:gosec // G204: one of three programs
				if err == nil {
					return nil
				}
				fmt.Fprintf(a.err, "no browser could be started (%v): open this address in one\n", err)
			}
			fmt.Fprintln(a.out, address)
			return nil
		},
	})
}

// browser is this system's program for opening an address, with its arguments.
func browser() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []string{"xdg-open"}
}
