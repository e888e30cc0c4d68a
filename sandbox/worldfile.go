package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
	"github.com/qredo-go/qredo/sandbox/internal/worldfile"
)

// MadeWorld maps the names in a hand-written world file to what was created for them: users by e-mail, funds and wallets by
// COMPANY/FUND and COMPANY/FUND/WALLET, payments by name or reference.
type MadeWorld struct {
	Name        string                           `json:"name"`
	Description string                           `json:"description"`
	Users       map[string]qredo.TrustedEntityID `json:"users"`
	CoreClients map[string]qredo.CoreClientID    `json:"core_clients"`
	Companies   map[string]qredo.CompanyID       `json:"companies"`
	Funds       map[string]qredo.FundID          `json:"funds"`
	Wallets     map[string]qredo.WalletID        `json:"wallets"`
	Payments    map[string]qredo.TxID            `json:"payments"`
}

// NamedWorld is a world that is included with the sandbox.
type NamedWorld struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// WorldFileError lists everything that is wrong with a world file.
type WorldFileError struct {
	File     string // empty if it was not read from a file
	Problems []WorldProblem
}

// WorldProblem is something that is wrong with a world file, and where. Line and column are counted from 1, and are 0 for a
// problem with the file as a whole.
type WorldProblem struct {
	Line, Column int
	Text         string
}

// Error returns a line for each problem, with its place in a form that editors find.
func (e *WorldFileError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		var place strings.Builder
		place.WriteString(e.File)
		for _, n := range []int{p.Line, p.Column} {
			if n > 0 {
				fmt.Fprintf(&place, ":%d", n)
			}
		}
		lines[i] = strings.TrimPrefix(strings.TrimPrefix(place.String(), ":")+": "+p.Text, ": ")
	}
	return strings.Join(lines, "\n")
}

// Is makes it match [qredo.ErrBadRequest], as it does over HTTP.
func (e *WorldFileError) Is(target error) bool { return target == qredo.ErrBadRequest }

// WithWorldFile starts with the world in a file: companies, people, groups, funds, balances and payments, as docs/worlds.md
// describes. If there is something wrong with it, New returns a [*WorldFileError]. A sandbox that continues from a store
// ([WithStore]) with companies or users in it is left as it is.
func WithWorldFile(path string) Option {
	return func(s *Sandbox) error { s.worldFile = path; return nil }
}

// beginWorld makes the world of [WithWorldFile] where there is none.
func (s *Sandbox) beginWorld() error {
	if s.worldFile == "" {
		return nil
	}
	data, err := os.ReadFile(s.worldFile)
	if err != nil {
		return fmt.Errorf("sandbox: its world: %w", err)
	}
	_, scratch, err := s.checkWorld(s.worldFile, data)
	if err != nil {
		return err
	}
	begun := false
	err = s.view(func(v *world.View) error {
		begun = len(v.Companies()) > 0 || len(v.Users()) > 0
		return nil
	})
	if err != nil || begun {
		return err
	}
	return s.world.Put(scratch.Saved()) // all of it at once: killed half-way, the store has none of it
}

// worldMaker is who asks for the payments of a world that was written by hand.
func (s *Sandbox) worldMaker() world.Caller { return world.Caller{Account: defaultAccount} }

// checkWorld reads a world, and makes it where nobody sees it to find out what is wrong.
func (s *Sandbox) checkWorld(name string, data []byte) (MadeWorld, *world.World, error) {
	file, problems := worldfile.Read(data)
	scratch, err := s.world.Scratch()
	var made worldfile.Made
	if err == nil && len(problems) == 0 {
		made, problems, err = worldfile.Make(file, scratch, s.worldMaker())
	}
	if err != nil {
		return MadeWorld{}, nil, err
	}
	if len(problems) == 0 {
		return MadeWorld(made), scratch, nil
	}
	wrong := &WorldFileError{File: name}
	for _, p := range problems {
		wrong.Problems = append(wrong.Problems, WorldProblem{p.Line, p.Column, p.Text})
	}
	return MadeWorld{}, nil, wrong
}

// mostWorld is how large a world's file may be, in bytes.
const mostWorld = 16 << 20

// MakeWorld replaces everything, as [Sandbox.Reset] does, with the world described in YAML, as in docs/worlds.md. If there is
// something wrong with it, it returns a [*WorldFileError], and nothing has changed.
func (s *Sandbox) MakeWorld(r io.Reader) (MadeWorld, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostWorld+1))
	if err != nil {
		return MadeWorld{}, fmt.Errorf("sandbox: a world: %w", err)
	}
	if len(data) > mostWorld {
		return MadeWorld{}, &WorldFileError{Problems: []WorldProblem{{Text: fmt.Sprintf("it is over %d bytes", mostWorld)}}}
	}
	made, scratch, err := s.checkWorld("", data)
	if err != nil {
		return MadeWorld{}, err
	}
	return made, s.replace(func() error { return s.world.Put(scratch.Saved()) })
}

// MakeNamedWorld creates one of the worlds included with the sandbox: see [Sandbox.MakeWorld] and [Sandbox.Worlds].
func (s *Sandbox) MakeNamedWorld(name string) (MadeWorld, error) {
	data := worldfile.BuiltIn()[name]
	if data == nil {
		return MadeWorld{}, serve.NotFound("world")
	}
	return s.MakeWorld(bytes.NewReader(data))
}

// Worlds lists the worlds that are included with the sandbox.
func (s *Sandbox) Worlds() []NamedWorld {
	builtIn := worldfile.BuiltIn()
	list := []NamedWorld{}
	for _, name := range slices.Sorted(maps.Keys(builtIn)) {
		file, _ := worldfile.Read(builtIn[name]) // tested to be right
		list = append(list, NamedWorld{name, file.Description.Value})
	}
	return list
}

type worldList struct {
	Worlds []NamedWorld `json:"worlds"`
}

var (
	callWorlds     = control.Get("/worlds", func(s *Sandbox, _ ids, _ control.None) (worldList, error) { return worldList{s.Worlds()}, nil })
	callNamedWorld = control.Post("/worlds/{name}", func(s *Sandbox, at ids, _ control.None) (MadeWorld, error) { return s.MakeNamedWorld(at["name"]) })
	callMakeWorld  = control.Raw[*Sandbox]{Method: http.MethodPost, Path: "/worlds", Do: func(s *Sandbox, _ ids, w http.ResponseWriter, r *http.Request) error {
		made, err := s.MakeWorld(http.MaxBytesReader(w, r.Body, mostWorld+1))
		if wrong := (*WorldFileError)(nil); errors.As(err, &wrong) {
			return serve.BadRequest("%s", wrong)
		} else if err != nil {
			return err
		}
		serve.WriteJSON(w, http.StatusOK, made)
		return nil
	}}
)

// worldCalls make worlds.
var worldCalls = control.Calls[*Sandbox]{callWorlds, callNamedWorld, callMakeWorld}

// Worlds lists the worlds that are included with the sandbox: see [Sandbox.Worlds].
func (c *Control) Worlds(ctx context.Context) ([]NamedWorld, error) {
	list, err := callWorlds.Ask(ctx, c.client(), control.None{})
	return list.Worlds, err
}

// MakeNamedWorld creates one of the worlds included with the sandbox: see [Sandbox.MakeNamedWorld].
func (c *Control) MakeNamedWorld(ctx context.Context, name string) (MadeWorld, error) {
	return callNamedWorld.Ask(ctx, c.client(), control.None{}, name)
}

// MakeWorld creates the world described in YAML: see [Sandbox.MakeWorld].
func (c *Control) MakeWorld(ctx context.Context, r io.Reader) (made MadeWorld, err error) {
	err = callMakeWorld.Ask(ctx, c.client(), "", r, &made)
	return made, err
}
