package postgres_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/internal/pgtest"
)

// testLostCommit has a connection end after the server was told to commit and before it has said that it has.
func testLostCommit(t *testing.T, database string, open func(*testing.T, string) opened) {
	exec(t, database, `CREATE TABLE bookings (key TEXT PRIMARY KEY)`)
	proxy := newProxy(t, database)
	s := open(t, proxy.database)
	record(t, s, storetest.Seen("a"), storetest.Seen("b"))
	err := s.hand(t.Context(), "a", func(_ context.Context, tx transaction, m inbox.Movement) error {
		proxy.cut()
		return tx.exec(book, m.Key)
	})
	require.ErrorContains(t, err, "whether a was committed is unknown")
	assertBooked(t, s, database, true, true)
	err = s.hand(t.Context(), "a", func(context.Context, transaction, inbox.Movement) error {
		assert.Fail(t, "it is handed over again")
		return nil
	})
	require.ErrorIs(t, err, inbox.ErrNotReady)
}

// proxy stands between a store and the server.
type proxy struct {
	database string

	mu      sync.Mutex
	cutting bool
}

// cut has the next connection end on which a commit is answered.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutting = true
}

// cuts reports whether a client's message is the commit after which the connection ends.
func (p *proxy) cuts(sent []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cutting || !strings.Contains(strings.ToLower(string(sent)), "commit\x00") {
		return false
	}
	p.cutting = false
	return true
}

func newProxy(t *testing.T, database string) *proxy {
	t.Helper()
	config, err := pgx.ParseConfig(database)
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	network, address := "tcp", net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") {
		network, address = "unix", config.Host+"/.s.PGSQL."+strconv.Itoa(int(config.Port))
	}
	p := &proxy{}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	p.database = pgtest.With(pgtest.With(pgtest.With(database, "host", "127.0.0.1"), "port", port), "sslmode", "disable")
	var relays sync.WaitGroup
	relays.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := (&net.Dialer{}).DialContext(context.WithoutCancel(t.Context()), network, address)
			if !assert.NoError(t, err) { //nolint:testifylint // require ends only the test's own goroutine
				assert.NoError(t, client.Close())
				return
			}
			relays.Go(func() { p.relay(client, server) })
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		relays.Wait()
	})
	return p
}

// relay copies what goes to and fro until one side ends.
func (p *proxy) relay(client, server net.Conn) {
	defer func() { _, _ = client.Close(), server.Close() }()
	ends := make(chan struct{})
	defer func() { <-ends }()
	var mu sync.Mutex
	deaf := false
	go func() {
		defer close(ends)
		buffer := make([]byte, 1<<16)
		for {
			n, err := server.Read(buffer)
			mu.Lock()
			lost := deaf
			mu.Unlock()
			if err != nil || lost { // the server has committed, but its answer is lost
				_ = client.Close()
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			_ = server.Close() // ends the other direction
			return
		}
		mu.Lock()
		deaf = deaf || p.cuts(buffer[:n])
		mu.Unlock()
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}
