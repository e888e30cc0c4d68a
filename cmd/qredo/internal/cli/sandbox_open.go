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
		long: `Opens the console of the sandbox that the base URL names in this machine's browser: the page where people see what goes on
in it, approve, and play the chain. With --print, or where there is no browser, its address is printed.

Whoever has the address can do everything in that sandbox. It has a token, which is another each time the sandbox starts, and which others on
this machine can see in the list of processes while the browser starts; they can make control calls anyway.`,
		example: "qredo sandbox open\nqredo sandbox open --print",
		flags:   func(f *flagSet) { f.BoolVar(&printed, "print", false, "print the address, and open nothing") },
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

// browser is the program of this system that opens an address, with its arguments.
func browser() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []string{"xdg-open"}
}
