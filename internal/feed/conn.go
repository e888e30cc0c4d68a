package feed

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo/internal/backoff"
)

const (
	maxFrame     = 64 << 10         // bytes; the service's messages are a few hundred bytes long
	frameTime    = 30 * time.Second // from a message's first byte to its last
	queuedFrames = 128              // frames read ahead of the consumer
)

// frame is a message as it was received, or what was wrong with it.
type frame struct {
	data    []byte
	problem error
}

// conn is one connection of a feed. A goroutine reads, another pings.
type conn struct {
	ws     *websocket.Conn
	frames chan frame
	behind atomic.Bool   // the queue is full: the reader waits for the consumer
	came   atomic.Int64  // number of frames so far
	pinged *atomic.Int64 // number of the peer's pings so far
	cancel context.CancelCauseFunc
	ctx    context.Context
	done   sync.WaitGroup
}

func newConn(ctx context.Context, ws *websocket.Conn, pinged *atomic.Int64, ping time.Duration) *conn {
	ws.SetReadLimit(-1) // read limits frames itself, without ending the connection
	c := &conn{ws: ws, frames: make(chan frame, queuedFrames), pinged: pinged}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	c.done.Go(c.read)
	c.done.Go(func() { c.ping(ping) })
	return c
}

// fail ends the connection with an error.
func (c *conn) fail(why error) {
	c.cancel(why)
	_ = c.ws.CloseNow() // wakes the reader
}

// doubt ends the connection unless something arrives within a time.
func (c *conn) doubt(patience time.Duration, why error) {
	before := c.came.Load()
	c.done.Go(func() {
		if backoff.Wait(c.ctx, patience) == nil && c.came.Load() == before && !c.behind.Load() {
			c.fail(why)
		}
	})
}

// close ends the connection and waits for its goroutines.
func (c *conn) close() {
	c.cancel(net.ErrClosed)
	_ = c.ws.CloseNow() // nobody is left to report to
	c.done.Wait()
}

func (c *conn) read() {
	for {
		f, err := c.readFrame()
		if err != nil {
			c.cancel(fmt.Errorf("feed: %w", err))
			return
		}
		c.came.Add(1)
		select {
		case c.frames <- f:
			continue
		default:
		}
		c.behind.Store(true)
		select {
		case c.frames <- f:
			c.behind.Store(false)
		case <-c.ctx.Done():
			return
		}
	}
}

// readFrame reads a message. It reads and drops anything beyond the limit. A message that does not end in time ends the
// connection, since pings are answered between its parts.
func (c *conn) readFrame() (frame, error) {
	_, r, err := c.ws.Reader(c.ctx)
	if err != nil {
		return frame{}, err
	}
	late := time.AfterFunc(frameTime, func() { c.fail(fmt.Errorf("a message did not end within %s", frameTime)) })
	defer late.Stop()
	data, err := io.ReadAll(io.LimitReader(r, maxFrame+1))
	if err != nil {
		return frame{}, err
	}
	if len(data) <= maxFrame {
		return frame{data: data}, nil
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return frame{}, err
	}
	return frame{problem: fmt.Errorf("a message is longer than %d bytes", maxFrame)}, nil
}

// heard counts everything that shows that the peer is alive.
func (c *conn) heard() int64 { return c.came.Load() + c.pinged.Load() }

// ping tests the connection once per period, and ends it if no answer, frame or ping arrives within three quarters of a
// period: the answer may have to wait for frames, and some servers ping but never answer. So a dead connection is noticed
// within two periods with some margin, even on a busy machine. While the reader waits for the consumer, no answer can be
// seen, so no ping is sent.
func (c *conn) ping(period time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	patience := max(period*3/4, 1)
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-ticker.C:
		}
		if c.behind.Load() {
			continue
		}
		before := c.heard()
		ctx, cancel := context.WithTimeout(c.ctx, patience)
		err := c.ws.Ping(ctx)
		cancel()
		if err != nil && !c.behind.Load() && c.heard() == before {
			c.fail(fmt.Errorf("no answer to a ping within %s: %w", patience, err))
			return
		}
	}
}
