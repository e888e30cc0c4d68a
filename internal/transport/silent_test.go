package transport_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// If all HTTP/1.1 connections are silently dead, a call waits for one of them, but not for the others too.
func TestAllSilentConnectionsAreLeft(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		const pool = 8
		var (
			mu                sync.Mutex
			dialled, answered int
			serving, calls    sync.WaitGroup
			open              []net.Conn
		)
		all := make(chan struct{}) // closed when each connection of the pool has a request
		serve := func(conn net.Conn, number int) {
			for r := bufio.NewReader(conn); ; {
				if _, err := http.ReadRequest(r); err != nil {
					return
				}
				mu.Lock()
				answered++
				n := answered
				mu.Unlock()
				switch {
				case n == pool:
					close(all)
				case n > pool && number <= pool:
					_, _ = io.Copy(io.Discard, conn) // data is accepted, but nothing is sent any more
					return
				}
				<-all
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"assets\":[]}")
			}
		}
		transport := &http.Transport{
			MaxIdleConnsPerHost: pool, ResponseHeaderTimeout: 30 * time.Second,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				mu.Lock()
				defer mu.Unlock()
				dialled++
				number := dialled
				open = append(open, ours, theirs)
				serving.Go(func() { serve(theirs, number) })
				return ours, nil
			},
		}
		defer func() {
			for _, conn := range open {
				_ = conn.Close()
			}
			serving.Wait()
		}()
		client := clienttest.NewQuickClient(t, transport, qredo.WithBaseURL("http://localhost/api/v1/p"))
		for range pool {
			calls.Go(func() {
				_, err := client.Assets.List(t.Context())
				assert.NoError(t, err)
			})
		}
		calls.Wait()
		require.Equal(t, pool, dialled)

		start := time.Now()
		_, err := client.Assets.List(t.Context())
		require.NoError(t, err)
		assert.Less(t, time.Since(start), 35*time.Second, "one attempt waits, the next is on a new connection")
	})
}

// A call that is not answered in time leaves the connections alone by which others were answered meanwhile.
func TestSlowCallsLeaveOtherConnections(t *testing.T) {
	var dialled atomic.Int32
	waits := make(chan struct{})
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body) // otherwise nobody notices that the caller has gone
			close(waits)
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"assets":[]}`)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			dialled.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	client := clienttest.NewQuickClient(t, nil, qredo.WithBaseURL(srv.URL+"/api/v1/p"),
		qredo.WithHTTPClient(&http.Client{Transport: &http.Transport{}, Timeout: time.Second}))
	failed := make(chan error)
	go func() {
		_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme"}, qredo.WithoutRetry())
		failed <- err
	}()
	<-waits
	_, err := client.Assets.List(t.Context())
	require.NoError(t, err)
	require.Error(t, <-failed)
	_, err = client.Assets.List(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 2, dialled.Load())
}
