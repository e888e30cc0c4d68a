package faultproxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// conn is a connection to a client.
type conn struct {
	p      *Proxy
	n      int
	tcp    *wire
	rw     net.Conn // tcp, or TLS over it
	in     *bufio.Reader
	ctx    context.Context
	cancel context.CancelFunc
	gone   atomic.Bool // ended by a fault
	frames bool        // somebody else reads it: it uses HTTP/2
	// How TLS is used, if a fault has changed that.
	certificate *tls.Certificate
	// The preface of an HTTP/2 connection, if a fault has changed that.
	settings []setting
}

// wire is the transport under a connection, TLS included. It can fall silent, or let bytes through one at a time.
type wire struct {
	*net.TCPConn
	ctx    context.Context
	mute   atomic.Bool
	pause  atomic.Int64 // between bytes
	cancel context.CancelFunc
}

func (w *wire) Write(b []byte) (n int, err error) {
	for range b {
		if w.mute.Load() {
			return len(b), nil
		}
		pause := time.Duration(w.pause.Load())
		if pause == 0 {
			m, err := w.TCPConn.Write(b[n:])
			return n + m, err
		}
		if _, err := w.TCPConn.Write(b[n : n+1]); err != nil {
			return n, err
		}
		n++
		if err := wait(w.ctx, pause); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (w *wire) Close() error {
	w.cancel() // also ends slow bytes
	return w.TCPConn.Close()
}

func newConn(p *Proxy, tcp *net.TCPConn, n int) *conn {
	c := &conn{p: p, n: n}
	c.ctx, c.cancel = context.WithCancel(p.ctx)
	c.tcp = &wire{TCPConn: tcp, ctx: c.ctx, cancel: c.cancel}
	c.over(c.tcp)
	return c
}

func (c *conn) over(rw net.Conn) { c.rw, c.in = rw, bufio.NewReader(rw) }

// serve serves a connection to its end.
func (c *conn) serve() {
	if c.p.config.Connections != nil {
		fault := c.p.config.Connections(Connection{N: c.n, TLS: c.p.config.TLS})
		if fault.connection != nil {
			fault.connection(c)
		}
	}
	if c.gone.Load() {
		return
	}
	if c.p.config.TLS && !c.handshake() {
		return
	}
	if t, ok := c.rw.(*tls.Conn); ok && t.ConnectionState().NegotiatedProtocol == "h2" {
		serveHTTP2(c)
		return
	}
	for !c.gone.Load() && c.serveHTTP1() {
	}
}

// Faults of a whole connection. Each of these returns when it is over.

// reset ends the connection with a RST.
func (c *conn) reset() {
	c.gone.Store(true)
	_ = c.tcp.SetLinger(0) // it may be closed already
	_ = c.tcp.Close()
}

// finish ends the proxy's side with a FIN, without TLS's close_notify, and reads on until the client ends too.
func (c *conn) finish() {
	c.gone.Store(true)
	_ = c.tcp.CloseWrite()
	c.drain()
}

// shut closes both directions.
func (c *conn) shut() {
	c.gone.Store(true)
	_ = c.rw.Close()
	_ = c.tcp.Close()
}

// silence stops all bytes to the client while the connection stays open.
func (c *conn) silence() {
	c.gone.Store(true)
	c.tcp.mute.Store(true)
	c.drain()
}

// drain reads until the client ends the connection or the proxy is closed.
func (c *conn) drain() {
	if c.frames {
		<-c.ctx.Done()
		return
	}
	buffer := make([]byte, 4<<10)
	for c.ctx.Err() == nil {
		_, err := c.tcp.Read(buffer)
		if err != nil && !errors.Is(err, io.ErrNoProgress) {
			return
		}
	}
}

// slowly delays each byte.
func (c *conn) slowly(pause time.Duration, do func()) {
	c.tcp.pause.Store(int64(pause))
	defer c.tcp.pause.Store(0)
	do()
}
