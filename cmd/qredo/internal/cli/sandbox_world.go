package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/internal/durable"
	"github.com/qredo-go/qredo/sandbox"
)

func (a *app) controlExport() *cobra.Command {
	var out string
	var keys, force bool
	return a.command(command{
		use: "export", short: "Write the sandbox's whole state to a file",
		long: `Writes the sandbox's whole state as one text that "import" reads: a test fixture, or part of a bug report. The same state
always gives the same text. It contains public keys; with --keys also private keys and secrets, and then only the file's
owner can read it. Without them, core clients get new keys on import, and wallets cannot sign Web3 transactions.`,
		example: "qredo sandbox export --out world.jsonl\nqredo sandbox export | sha256sum",
		flags: func(f *flagSet) {
			f.StringVar(&out, "out", "", "file to write (default standard output)")
			f.BoolVar(&keys, "keys", false, "include API keys, secrets and private keys")
			f.BoolVar(&force, "force", false, "replace an existing file")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, _ []string) error {
			var opts []sandbox.ExportOption
			if keys {
				opts = append(opts, sandbox.WithPrivateKeys())
			}
			if out == "" || out == "-" {
				return c.Export(ctx, a.out, opts...)
			}
			return exportTo(out, force, func(w io.Writer) error { return c.Export(ctx, w, opts...) })
		}),
	})
}

// exportTo writes a file, which gets its name when it is complete.
func exportTo(path string, force bool, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); !force && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already: give --force to replace it", plain(path))
	}
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = durable.Rename(file, path)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(file.Name()) // fails if it has been renamed already
	}
	return err
}

func (a *app) controlImport() *cobra.Command {
	var yes bool
	return a.command(command{
		use: "import FILE", short: "Replace the sandbox's state with an exported one",
		long: `Replaces everything except the sandbox's own keys with what "export" wrote; FILE is - for standard input. A file that was
cut off or changed, or written by a later version, is refused with the line number, and nothing changes. It asks for
confirmation unless --yes is given.`,
		example: "qredo sandbox import world.jsonl --yes",
		flags:   func(f *flagSet) { f.BoolVarP(&yes, "yes", "y", false, "do not ask for confirmation") },
		check: func() error {
			return a.canAsk(yes, "replaces everything")
		},
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			from := a.in
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer func() { _ = file.Close() }()
				from = file
			}
			if !yes {
				if err := a.ask(ctx, "Replace everything with "+plain(args[0])+"?"); err != nil {
					return err
				}
			}
			return a.done(c.Import(ctx, from), "the sandbox now has the exported state")
		}),
	})
}
