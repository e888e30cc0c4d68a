package cli

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
)

// build describes what the program was built from, as far as the go command recorded it.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitzero"`
	Date     string `json:"date,omitzero"` // of the commit
	Modified bool   `json:"modified"`      // there were uncommitted changes
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: qredo.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (a *app) versionCommand() *cobra.Command {
	return a.command(command{
		use: "version", short: "Print the version and build information",
		long: `Prints the version, the commit that it was built from and its date, the Go version, and the platform. A program that was
not built in its source folder does not know its commit.`,
		example: "qredo version\nqredo version --output json",
		run: func(context.Context, []string) error {
			b := thisBuild()
			if a.errorsAsJSON() {
				return a.show(b, nil)
			}
			fmt.Fprintf(a.out, "qredo %s\n", b.Version)
			if b.Commit != "" {
				changed := ""
				if b.Modified {
					changed = ", changed since"
				}
				fmt.Fprintf(a.out, "commit %s of %s%s\n", b.Commit, b.Date, changed)
			}
			fmt.Fprintf(a.out, "%s %s\n", b.Go, b.Platform)
			return nil
		},
	})
}
