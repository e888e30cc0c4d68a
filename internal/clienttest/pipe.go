package clienttest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
)

// ServePipes serves a handler to the client that it returns, within the program: no network, so that it works where
// time is not the world's (package synctest).
func ServePipes(t *testing.T, handler http.Handler, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	listener := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: handler} //nolint:gosec // it is not reached from outside
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		served.Wait()
	})
	client, err := qredo.NewClient(NewAuth(t), append([]qredo.Option{
		qredo.WithBaseURL("http://127.0.0.1"), qredo.WithHTTPClient(&http.Client{Transport: transport}),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// Elapse waits until so much time has passed in a bubble of it, or ctx has ended.
func Elapse(ctx context.Context, d time.Duration) {
	_ = backoff.Wait(ctx, d) // it does not matter which
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (p *pipes) Close() error {
	p.close.Do(func() { close(p.done) })
	return nil
}

// Addr is of no use.
func (p *pipes) Addr() net.Addr { return &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)} }
