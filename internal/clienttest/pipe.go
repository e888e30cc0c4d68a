package clienttest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/pipenet"
)

// ServePipes serves a handler to the client that it returns, within the program: no network, so that it works where
// time is not the world's (package synctest).
func ServePipes(t *testing.T, handler http.Handler, opts ...qredo.Option) *qredo.Client {
	t.Helper()
	listener := pipenet.Listen()
	server := &http.Server{Handler: handler} //nolint:gosec // it is not reached from outside
	var served sync.WaitGroup
	served.Go(func() { _ = server.Serve(listener) })
	transport := &http.Transport{DialContext: listener.Dial}
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
