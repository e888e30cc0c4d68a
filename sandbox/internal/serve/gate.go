package serve

import (
	"bufio"
	"net"
	"net/http"
	"sync"
)

// gate is a response writer whose connection, once it is hijacked for a WebSocket, can be frozen.
type gate struct {
	http.ResponseWriter
	feeds  *Feeds
	about  FeedInfo
	conn   *gatedConn
	joined bool
}

// Hijack takes the connection over. Its buffered writer is replaced, because the old one would write past
// the gate. Taking over tells the client that it is connected: from then on its connection is among the
// open ones.
func (g *gate) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	g.feeds.mu.Lock()
	defer g.feeds.mu.Unlock()
	conn, buffered, err := http.NewResponseController(g.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	g.feeds.last++
	g.about.ID = g.feeds.last
	g.conn = &gatedConn{Conn: conn, about: g.about, frozen: make(chan struct{}), closed: make(chan struct{})}
	if g.joined = !g.feeds.closed; g.joined {
		g.feeds.open[g.conn] = true
		g.feeds.done.Add(1)
	}
	return g.conn, bufio.NewReadWriter(buffered.Reader, bufio.NewWriter(g.conn)), nil
}

// gatedConn is a connection that can be frozen: it stays open, and no bytes pass.
type gatedConn struct {
	net.Conn
	about             FeedInfo // guarded by the lock of the feeds
	freezing, closing sync.Once
	frozen, closed    chan struct{}
}

// freeze is called with the lock of the feeds.
func (c *gatedConn) freeze() {
	c.freezing.Do(func() { close(c.frozen) })
	c.about.Frozen = true
}

// pass returns false once the connection is closed; while it is frozen it does not return before.
func (c *gatedConn) pass() bool {
	select {
	case <-c.frozen:
		<-c.closed
		return false
	case <-c.closed:
		return false
	default:
		return true
	}
}

// Read reads, unless the gate is frozen.
func (c *gatedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err == nil && !c.pass() {
		return 0, net.ErrClosed
	}
	return n, err
}

// Write writes, unless the gate is frozen.
func (c *gatedConn) Write(p []byte) (int, error) {
	if !c.pass() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

// Close closes the connection.
func (c *gatedConn) Close() error {
	c.closing.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
