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
		use: "export", short: "Write everything that the sandbox knows to a file",
		long: `Writes everything that the sandbox knows as one text, which "import" reads: a test's fixture, or a part of a bug report. The
same state is the same text. Public keys are in it; with --keys also what signs, and then the file is for its owner alone. Where it is imported
without, core clients get new keys, and wallets sign no Web3 transactions.`,
		example: "qredo sandbox export --out world.jsonl\nqredo sandbox export | sha256sum",
		flags: func(f *flagSet) {
			f.StringVar(&out, "out", "", "file to write (default the standard output)")
			f.BoolVar(&keys, "keys", false, "with API keys, secrets and private keys")
			f.BoolVar(&force, "force", false, "replace a file that exists")
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

// exportTo writes a file, which has its name once it is whole.
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
		_ = os.Remove(file.Name()) // gone, where it has its name already
	}
	return err
}

func (a *app) controlImport() *cobra.Command {
	var yes bool
	return a.command(command{
		use: "import FILE", short: "Put what was exported in the place of everything",
		long: `Puts what "export" has written in the place of everything but the sandbox's own keys; FILE is - for the standard input. A
file that was cut or changed, or that a later version has written, is refused with the line, and nothing is changed. It asks before,
unless --yes is given.`,
		example: "qredo sandbox import world.jsonl --yes",
		flags:   func(f *flagSet) { f.BoolVarP(&yes, "yes", "y", false, "do not ask") },
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
				if err := a.ask(ctx, "Put "+plain(args[0])+" in the place of everything?"); err != nil {
					return err
				}
			}
			return a.done(c.Import(ctx, from), "the sandbox has what was exported")
		}),
	})
}
