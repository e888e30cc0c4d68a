package faultproxy

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Config is what a proxy does and for whom.
type Config struct {
	Backend string // the server's base URL: http, a host and a port
	TLS     bool   // HTTP/1.1 over TLS
	HTTP2   bool   // HTTP/2 over TLS, and HTTP/1.1 for who asks for that

	Plan        func(Request) Fault    // of each request; none: nothing is broken
	Connections func(Connection) Fault // of each connection, before a byte of it is read; none: nothing is broken
	Seed        uint64                 // of what a fault leaves to chance

	Tag   string        // the header whose value tells the records of one call from those of others
	Pause time.Duration // between bytes that come slowly, and before what comes late; default 1 ms
	Bound int           // most bytes of what has no end; default 64 MiB
}

// Request is what a plan is asked about: the head of a request, before its body is read.
type Request struct {
	N      int // from 1, in the order in which heads arrived
	Layer  Layer
	Method string
	Target string // path and query
	Host   string
	Header http.Header
}

// Connection is a connection that was accepted.
type Connection struct {
	N   int // from 1
	TLS bool
}

// Proxy is running until it is closed.
type Proxy struct {
	config   Config
	backend  *backend
	identity *identity
	address  string

	ctx       context.Context
	cancel    context.CancelFunc
	wg        sync.WaitGroup
	requests  atomic.Int64
	connected atomic.Int64

	truth truth

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	conns    map[*conn]bool
}

// Start returns a proxy that listens on this machine.
func Start(config Config) (*Proxy, error) {
	target, err := url.Parse(config.Backend)
	if err != nil || target.Scheme != "http" || target.Port() == "" {
		return nil, fmt.Errorf("faultproxy: the backend must be http with host and port, is %q", config.Backend)
	}
	if config.Pause == 0 {
		config.Pause = time.Millisecond
	}
	if config.Bound == 0 {
		config.Bound = 64 << 20
	}
	config.TLS = config.TLS || config.HTTP2
	p := &Proxy{config: config, backend: newBackend(target.Host), conns: map[*conn]bool{}}
	p.truth.init()
	if config.TLS {
		if p.identity, err = newIdentity(); err != nil {
			return nil, err
		}
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	err = p.listen("127.0.0.1:0")
	if err != nil {
		p.cancel()
		return nil, err
	}
	p.address = p.listener.Addr().String()
	return p, nil
}

// URL is where the proxy is, without a path.
func (p *Proxy) URL() string {
	if p.config.TLS {
		return "https://" + p.address
	}
	return "http://" + p.address
}

// Close ends the proxy with all its connections, and returns when nothing of it runs any more.
func (p *Proxy) Close() {
	p.cancel()
	p.mu.Lock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for c := range p.conns {
		_ = c.tcp.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
	p.backend.close()
}

// Refuse has connections refused, as by a machine where nothing listens, until the function it returns is called.
func (p *Proxy) Refuse() (resume func() error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return func() error { return nil }
	}
	_ = p.listener.Close()
	p.listener = nil
	return func() error { return p.listen(p.address) }
}

func (p *Proxy) listen(address string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return nil
	}
	var config net.ListenConfig
	l, err := config.Listen(p.ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("faultproxy: %w", err)
	}
	p.listener = l
	p.wg.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) accept(l net.Listener) {
	for {
		accepted, err := l.Accept()
		if err != nil {
			return
		}
		tcp, ok := accepted.(*net.TCPConn)
		if !ok {
			_ = accepted.Close()
			continue
		}
		c := newConn(p, tcp, int(p.connected.Add(1)))
		p.mu.Lock()
		p.conns[c] = true
		ended := p.ctx.Err() != nil
		p.mu.Unlock()
		if ended {
			_ = tcp.Close()
		}
		p.wg.Go(func() {
			c.serve()
			c.cancel()
			_ = c.tcp.Close()
			p.mu.Lock()
			delete(p.conns, c)
			p.mu.Unlock()
		})
	}
}

// wait pauses, unless the context ends before that.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
