package qredo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

const (
	maxFrame    = 64 << 10 // bytes; the service's messages have a few hundred
	queuedFrame = 128      // frames read ahead of the consumer
)

// frame is a message as it came, or what was wrong with it.
type frame struct {
	data    []byte
	problem error
}

// feedConn is one connection of a feed. A goroutine reads, another pings.
type feedConn struct {
	ws     *websocket.Conn
	frames chan frame
	behind atomic.Bool  // the queue is full: the reader waits for the consumer
	came   atomic.Int64 // frames so far
	cancel context.CancelCauseFunc
	ctx    context.Context
	done   sync.WaitGroup
}

// dialFeed makes a signed WebSocket connection.
func (c *Client) dialFeed(ctx context.Context, path string, ping time.Duration) (*feedConn, error) {
	ws, err := c.upgrade(ctx, path)
	if errors.Is(err, ErrClockSkew) { // which has been corrected
		ws, err = c.upgrade(ctx, path)
	}
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1) // read limits frames by itself, without ending the connection
	conn := &feedConn{ws: ws, frames: make(chan frame, queuedFrame)}
	conn.ctx, conn.cancel = context.WithCancelCause(ctx)
	conn.done.Go(conn.read)
	conn.done.Go(func() { conn.ping(ping) })
	return conn, nil
}

func (c *Client) upgrade(ctx context.Context, path string) (*websocket.Conn, error) {
	base := *c.base
	base.Scheme = "ws" + strings.TrimPrefix(base.Scheme, "http")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.String()+path, nil)
	if err != nil {
		return nil, fmt.Errorf("qredo: %w", err)
	}
	req.Header["User-Agent"] = c.userAgent
	x := &exchange{req: req, path: path}
	signed, err := x.authenticate(c.auth, c.clock.now())
	if err != nil {
		return nil, fmt.Errorf("qredo: feed %s: %w", path, err)
	}
	dialCtx, cancelDial := context.WithTimeout(ctx, defaultTimeout)
	defer cancelDial()
	ws, resp, err := websocket.Dial(dialCtx, req.URL.String(), &websocket.DialOptions{
		HTTPClient: refusingRedirects(c.http), HTTPHeader: signed.Header,
	})
	if err != nil {
		return nil, c.refusedFeed(x, resp, err)
	}
	return ws, nil
}

// refusedFeed is the error of an upgrade that failed: the service's own, if it answered. If it was for the
// clock, that is corrected.
func (c *Client) refusedFeed(x *exchange, resp *http.Response, err error) error {
	if resp == nil {
		return fmt.Errorf("qredo: feed %s: %w", x.path, err)
	}
	defer resp.Body.Close()
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, keptBody))
	if readErr != nil {
		body = nil
	}
	answer := &Response{StatusCode: resp.StatusCode, Header: resp.Header, Body: body, Attempts: 1}
	e := newError(x, answer, nil)
	e.wrongClock = c.clock.correct(x, answer)
	return e
}

// next returns the next frame, or why there will be none.
func (c *feedConn) next(ctx context.Context) (frame, error) {
	select {
	case f := <-c.frames:
		return f, nil
	default:
	}
	select {
	case f := <-c.frames:
		return f, nil
	case <-c.ctx.Done():
		return frame{}, context.Cause(c.ctx)
	case <-ctx.Done():
		return frame{}, ctx.Err()
	}
}

// close ends the connection and waits for its goroutines.
func (c *feedConn) close() {
	c.cancel(net.ErrClosed)
	_ = c.ws.CloseNow() // nobody is left to tell
	c.done.Wait()
}

func (c *feedConn) read() {
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

// readFrame reads a message. What is beyond the limit is read and dropped.
func (c *feedConn) readFrame() (frame, error) {
	_, r, err := c.ws.Reader(c.ctx)
	if err != nil {
		return frame{}, err
	}
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

// ping tests the connection once a period, and ends it when neither an answer nor a frame comes within
// three quarters of one: the answer may have to wait for frames. So a connection that is dead is noticed
// within two periods with some to spare, also on a busy machine. While the reader waits for the consumer no
// answer can be seen, so none is asked for.
func (c *feedConn) ping(period time.Duration) {
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
		before := c.came.Load()
		ctx, cancel := context.WithTimeout(c.ctx, patience)
		err := c.ws.Ping(ctx)
		cancel()
		if err != nil && !c.behind.Load() && c.came.Load() == before {
			c.cancel(fmt.Errorf("no answer to a ping within %s: %w", patience, err))
			_ = c.ws.CloseNow() // wakes the reader
			return
		}
	}
}
