package sandbox

import (
	"context"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/console"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// WithoutConsole makes [Start] serve no console. Default: there is one, for whoever has [Server.ConsoleURL].
func WithoutConsole() Option {
	return func(s *Sandbox) error { s.noConsole = true; return nil }
}

// ConsoleURL returns the URL to open in a browser to see what is happening in the sandbox, and to play the people and the
// chain. Anyone who has the URL can do everything that control calls can: it contains a token, which is different each time a
// sandbox starts. It is empty if there is no console.
func (srv *Server) ConsoleURL() string {
	if srv.console == nil {
		return ""
	}
	return srv.url + console.Path + srv.console.Query()
}

// openConsole makes the console of a server.
func (srv *Server) openConsole() {
	if srv.noConsole {
		return
	}
	c := console.Config{Address: srv.server.Addr, Secure: srv.tlsDir != "", Calls: srv.serveControl}
	for _, u := range srv.publicURLs {
		c.Names = append(c.Names, u.Host)
	}
	srv.console = console.New(c)
}

// callConsole returns the console's path to callers of control calls, who can do the same already.
var callConsole = control.Get("/console", func(s *Sandbox, _ ids, _ control.None) (consolePlace, error) {
	if s.console == nil {
		return consolePlace{}, serve.NotFound("console")
	}
	return consolePlace{console.Path + s.console.Query()}, nil
})

type consolePlace struct {
	Path string `json:"path"` // includes the token
}

// ConsoleURL returns the URL to open in a browser: see [Server.ConsoleURL]. If there is no console, it returns a
// [*ControlError] with status 404.
func (c *Control) ConsoleURL(ctx context.Context) (string, error) {
	place, err := callConsole.Ask(ctx, c.client(), control.None{})
	if err != nil {
		return "", err
	}
	// Any other path could lead to another host: the answer must not choose what the browser opens.
	if !strings.HasPrefix(place.Path, "/") || strings.HasPrefix(place.Path, "//") {
		return "", fmt.Errorf("sandbox: the console's path %q does not begin with one slash: %w", place.Path, qredo.ErrBadAnswer)
	}
	return strings.TrimSuffix(c.base, controlPath) + place.Path, nil
}
