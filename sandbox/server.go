package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox/internal/partner"
	"github.com/qredo-go/qredo/sandbox/internal/qredoapi"
)

// Server is a listening sandbox.
type Server struct {
	*Sandbox
	url    string
	server *http.Server
	http   *http.Client // trusts the server's certificate
	done   chan error
}

// WithListen sets the address that [Start] listens on: "127.0.0.1:8765", or "0.0.0.0:8765" for all addresses of this machine,
// so that others can reach it: see [WithControlToken]. Default: 127.0.0.1:0, a free port.
func WithListen(address string) Option {
	return func(s *Sandbox) error { s.listen = address; return nil }
}

// Start creates a sandbox and serves it at the address of [WithListen]; call Close to end it. Default: a free port of
// 127.0.0.1.
func Start(opts ...Option) (*Server, error) {
	s, err := New(opts...)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", s.listen)
	if err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	return s.serve(listener)
}

// serve serves the sandbox on a listener.
func (s *Sandbox) serve(listener net.Listener) (*Server, error) {
	srv := &Server{
		Sandbox: s,
		url:     "http://" + reached(listener.Addr().String()),
		server: &http.Server{
			Addr: listener.Addr().String(), Handler: s.limits.guard(s), ReadHeaderTimeout: s.limits.header, IdleTimeout: s.limits.idle, HTTP2: transport.Pinging(nil),
		},
		http: transport.DefaultHTTP(nil),
		done: make(chan error, 1),
	}
	if s.tlsDir != "" {
		secured, err := srv.secure(listener)
		if err != nil {
			_ = listener.Close()
			_ = s.Close()
			return nil, err
		}
		listener = secured
	}
	s.url = srv.url
	srv.openConsole()
	go func() { srv.done <- srv.server.Serve(listener) }()
	return srv, nil
}

// reached is the address at which this machine's programs reach a listener: "all addresses" is not one.
func reached(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// URL returns the URL at which programs on this machine reach the server, without a path.
func (srv *Server) URL() string { return srv.url }

// BaseURL returns the base URL for a client of the Partner API, which ends in /api/v1/p.
func (srv *Server) BaseURL() string { return srv.url + partner.BasePath }

// Client returns a client of the Partner API that uses the sandbox's own key: see [Sandbox.Auth]. It panics if an option is
// refused.
func (srv *Server) Client(opts ...qredo.Option) *qredo.Client {
	return must(qredo.NewClient(srv.Auth(), srv.clientOptions(srv.BaseURL(), opts)...))
}

// QAPIBaseURL returns the base URL for a client of Qredo API v1, which ends in /qapi/v1.
func (srv *Server) QAPIBaseURL() string { return srv.url + qredoapi.BasePath }

// QAPIClient returns a client of Qredo API v1 that uses the sandbox's own key. It panics if an option is refused.
func (srv *Server) QAPIClient(opts ...qredo.Option) *qapi.Client {
	return must(qapi.NewClient(srv.HMACAuth(), srv.clientOptions(srv.QAPIBaseURL(), opts)...))
}

// clientOptions point a client to this server, unless the caller's options override them.
func (srv *Server) clientOptions(baseURL string, opts []qredo.Option) []qredo.Option {
	return append([]qredo.Option{
		qredo.WithBaseURL(baseURL), qredo.WithClock(srv.clock), qredo.WithHTTPClient(srv.http),
	}, opts...)
}

func must[T any](client T, err error) T {
	if err != nil {
		panic("sandbox: " + err.Error())
	}
	return client
}

// Control returns the control of the sandbox over HTTP, for trying out what another process would do. Within the same process,
// the sandbox's own methods are simpler.
func (srv *Server) Control() *Control {
	return &Control{base: srv.url + controlPath, HTTPClient: srv.http, Token: srv.controlToken}
}

// Close ends all connections and stops listening.
func (srv *Server) Close() error {
	err := srv.server.Close()
	srv.http.CloseIdleConnections()
	if served := <-srv.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	srv.done <- http.ErrServerClosed // so that closing again returns
	return errors.Join(err, srv.Sandbox.Close())
}
