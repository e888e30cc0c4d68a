package sandbox_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// closing tells when the connections that it accepts are closed by the server.
type closing struct {
	net.Listener
	closed chan struct{}
}

type closingConn struct {
	net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l closing) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &closingConn{Conn: conn, closed: l.closed}, nil
}

func (c *closingConn) Close() error {
	c.once.Do(func() { c.closed <- struct{}{} })
	return c.Conn.Close()
}

// impatient is a server that waits for its clients for a moment only, but for what it is asked to be patient with.
func impatient(t *testing.T, header, body, answer, idle time.Duration) (*sandbox.Server, chan struct{}) {
	t.Helper()
	s, err := sandbox.New(sandbox.WithLimits(header, body, answer, idle), sandbox.WithUnsigned(), sandbox.WithKey("own", &ownKey().PublicKey))
	require.NoError(t, err)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := make(chan struct{}, 1000)
	srv, err := sandbox.Serve(s, closing{listener, closed})
	require.NoError(t, err)
	t.Cleanup(func() { srv.Close() })
	return srv, closed
}

func dialTo(t *testing.T, srv *sandbox.Server) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(srv.URL(), "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func isClosed(t *testing.T, closed chan struct{}) {
	t.Helper()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Fatal("the connection is still held")
	}
}

const moment, long = 50 * time.Millisecond, time.Hour

func TestSlowBodiesAreEnded(t *testing.T) {
	for _, path := range []string{"/api/v1/p/company", "/sandbox/v1/faults", "/sandbox/v1/nothing", "/console/api/reset", "/nowhere"} {
		t.Run(path, func(t *testing.T) {
			srv, closed := impatient(t, long, moment, long, long)
			const many = 20
			for range many { // none of which says who it is, or ends
				conn := dialTo(t, srv)
				_, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 1000\r\n\r\n{", path, strings.TrimPrefix(srv.URL(), "http://"))
				require.NoError(t, err)
				go func() {
					ticker := time.NewTicker(moment / 10)
					defer ticker.Stop()
					for range ticker.C { // a byte at a time
						if _, err := conn.Write([]byte(" ")); err != nil {
							return
						}
					}
				}()
			}
			for range many {
				isClosed(t, closed)
			}
		})
	}
}

func TestBodiesThatComeInTimeAreRead(t *testing.T) {
	srv, _ := impatient(t, long, 10*time.Second, long, long)
	body := `{"name":"` + strings.Repeat("x", 900_000) + `"}`
	resp := newBrowser(t, srv).send("POST", srv.BaseURL()+"/company", body, nil)
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
	assert.Contains(t, bodyOf(t, resp), "empty token")
}

func TestSlowHeadersAndIdleConnectionsAreEnded(t *testing.T) {
	srv, closed := impatient(t, moment, long, long, long)
	_, err := io.WriteString(dialTo(t, srv), "GET /api/v1/p/assets HTTP/1.1\r\nHost: ")
	require.NoError(t, err)
	isClosed(t, closed)

	srv, closed = impatient(t, long, long, long, moment)
	conn := dialTo(t, srv)
	_, err = io.WriteString(conn, "GET /api/v1/p/assets HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	isClosed(t, closed)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusUnauthorized, resp.StatusCode, "it was answered before")
}

func TestAnswersThatNobodyReadsAreEnded(t *testing.T) {
	srv, closed := impatient(t, long, long, moment, long)
	conn := dialTo(t, srv)
	go func() { // answers of 20 KB each, until the connection takes no more
		for {
			if _, err := io.WriteString(conn, "GET /api/v1/p/assets HTTP/1.1\r\nHost: x\r\nX-Api-Key: own\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	isClosed(t, closed)
}

// TestFeedsAndStreamsAreNotEnded shows that what waits for something to tell may wait longer than any of the limits.
func TestFeedsAndStreamsAreNotEnded(t *testing.T) {
	srv, closed := impatient(t, moment, moment, moment, moment)
	b := newBrowser(t, srv)
	stream := b.get("/sandbox/v1/live")
	lines := bufio.NewScanner(stream.Body)
	next := func(want string) {
		t.Helper()
		for lines.Scan() {
			if lines.Text() == want {
				return
			}
		}
		t.Fatal(lines.Err())
	}
	next(": live")
	conn := dialTo(t, srv)
	_, err := io.WriteString(conn, "GET /api/v1/p/wallets/feed HTTP/1.1\r\nHost: x\r\nX-Api-Key: own\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
	next("event: feeds")
	for range 4 { // idle connections beside them come and go meanwhile, each after a limit
		_, err := io.WriteString(dialTo(t, srv), "GET /sandbox/v1/state HTTP/1.1\r\nHost: "+strings.TrimPrefix(srv.URL(), "http://")+"\r\n\r\n")
		require.NoError(t, err)
		isClosed(t, closed)
	}
	list, err := srv.Feeds()
	require.NoError(t, err)
	assert.Len(t, list.Feeds, 1)
	require.NoError(t, srv.Reset())
	next("event: reset")
}
