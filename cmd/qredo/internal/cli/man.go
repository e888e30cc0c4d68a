package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/durable"
)

func (a *app) manCommand() *cobra.Command {
	var dir string
	return a.command(command{
		use: "man [COMMAND...]", short: "Print the manual page of a command, or write all of them",
		long: `Prints the manual page of a command (default: of qredo itself) in the format that man reads. With --dir it writes a page
for each command, such as qredo-transfer-create.1, to a folder, for packages or for MANPATH. The content is the same as
that of "--help".`,
		example: `qredo man transfer create | man -l -
			qredo man --dir ~/.local/share/man/man1`,
		flags: func(f *flagSet) {
			f.StringVar(&dir, "dir", "", "folder to write all pages to; created if necessary")
		},
		run: func(_ context.Context, args []string) error {
			if dir == "" {
				return a.manPage(args)
			}
			if len(args) > 0 {
				return usagef("--dir writes all pages: do not name a command")
			}
			if err := durable.MkdirAll(dir); err != nil {
				return err
			}
			return writePages(a.root, dir)
		},
	})
}

// writePages writes the pages of a command and of those below it. An existing file with a page's name is replaced; a link
// is not followed.
func writePages(cmd *cobra.Command, dir string) error {
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := writePages(c, dir); err != nil {
			return err
		}
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	file, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return err
	}
	const readable = 0o644 // by everyone, since man needs that
	err = errors.Join(doc.GenMan(cmd, manHeader(), file), file.Chmod(readable), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

func (a *app) manPage(words []string) error {
	found, rest, err := a.root.Find(words)
	if err != nil || len(rest) > 0 {
		return usagef("there is no command %q", fmt.Sprint(words))
	}
	return doc.GenMan(found, manHeader(), a.out)
}

// manHeader dates pages by the program: the same program writes the same pages.
func manHeader() *doc.GenManHeader {
	h := &doc.GenManHeader{Section: "1", Source: "qredo " + qredo.Version, Manual: "Qredo's APIs"}
	if at, err := time.Parse(time.RFC3339, thisBuild().Date); err == nil {
		h.Date = &at
	}
	return h
}
