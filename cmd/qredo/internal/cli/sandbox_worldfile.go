package cli

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo/internal/visible"
	"github.com/qredo-go/qredo/sandbox"
)

// begin creates the world that --seed or --world names if there is none yet, and returns shell lines that describe what a
// sandbox that started with a world contains.
func (s serving) begin(srv *sandbox.Server) ([]string, error) {
	if s.seed == "" && s.world == "" {
		return nil, nil
	}
	state, err := srv.State()
	if err == nil && s.seed != "" && len(state.Companies) == 0 {
		if _, err = srv.MakeNamedWorld(s.seed); err == nil {
			state, err = srv.State()
		}
	}
	if err != nil || len(state.Companies) == 0 {
		return nil, err
	}
	return contents(srv.Sandbox, state)
}

// contents describes what a sandbox contains: only part of it if it is large.
func contents(s *sandbox.Sandbox, state sandbox.State) ([]string, error) {
	const most = 10
	lines := []string{"export QREDO_COMPANY=" + visible.Shell(string(state.Companies[0].ID))}
	comment := func(text string) { lines = append(lines, "# "+plain(text)) }
	for _, c := range state.Companies[:min(most, len(state.Companies))] {
		comment(c.Name + ": company " + string(c.ID))
		for _, f := range c.Funds[:min(most, len(c.Funds))] {
			var wallets []string
			for _, w := range f.Wallets[:min(most, len(f.Wallets))] {
				wallets = append(wallets, string(w.ID)+" ("+w.Name+")")
			}
			comment("  " + f.Name + ": fund " + string(f.ID) + ", wallets " + strings.Join(wallets, ", "))
		}
	}
	var asked []string
	for _, u := range state.Users[:min(most, len(state.Users))] {
		pending, err := s.Pending(string(u.ID))
		if err != nil {
			return nil, err
		}
		if len(pending) > 0 {
			asked = append(asked, u.Email)
		}
	}
	if len(asked) > 0 {
		comment("approvals wait for " + strings.Join(asked, " and ") + ": qredo sandbox pending " + asked[0])
	}
	return lines, nil
}

func (a *app) sandboxWorld() *cobra.Command {
	return a.command(command{
		use: "world FILE|NAME", short: "Start again with a world that a file describes",
		long: `Replaces everything except keys with the world that a YAML file describes, or with one that comes with the sandbox (demo).
Errors in the file are reported with line and column, and then nothing changes. docs/worlds.md describes the format.`,
		example: "qredo sandbox world payroll.yaml\nqredo sandbox world demo",
		run: a.withControl(func(ctx context.Context, c *sandbox.Control, args []string) error {
			made, err := makeWorld(ctx, c, args[0])
			if err == nil && a.json() {
				return a.jsonLine(made)
			}
			return a.done(err, "%d companies, %d users, %d core clients, %d wallets, %d payments",
				len(made.Companies), len(made.Users), len(made.CoreClients), len(made.Wallets), len(made.Payments))
		}),
	})
}

// makeWorld makes the world of a file, or the named one if there is no such file.
func makeWorld(ctx context.Context, c *sandbox.Control, name string) (sandbox.MadeWorld, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && filepath.Base(name) == name && !slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(name)) {
		return c.MakeNamedWorld(ctx, name)
	}
	if err != nil {
		return sandbox.MadeWorld{}, err
	}
	return c.MakeWorld(ctx, bytes.NewReader(data))
}
