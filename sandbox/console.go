package sandbox

import "github.com/qredo-go/qredo/sandbox/internal/console"

// WithoutConsole makes [Start] serve no console. Default: there is one, for who has [Server.ConsoleURL].
func WithoutConsole() Option {
	return func(s *Sandbox) error { s.noConsole = true; return nil }
}

// ConsoleURL is what a person opens in a browser to see what goes on in the sandbox, and to play the people and the chain.
// Who has it can do all that the control calls can: it holds a token, which is another each time a sandbox starts.
// It is empty if there is no console.
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
