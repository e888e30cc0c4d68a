package faultproxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Answer is a whole answer of HTTP, of the server or in its place.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

func (a *Answer) clone() *Answer {
	return &Answer{Status: a.Status, Header: a.Header.Clone(), Body: bytes.Clone(a.Body)}
}

// hopByHop are the headers that belong to one connection (RFC 9110, 7.6.1).
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"}

// backend is the way to the server.
type backend struct {
	host      string
	transport *http.Transport
}

func newBackend(host string) *backend {
	return &backend{host: host, transport: &http.Transport{
		DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 10 * time.Second, MaxResponseHeaderBytes: 16 << 20,
	}}
}

func (b *backend) close() { b.transport.CloseIdleConnections() }

// send delivers a request once: the transport cannot send it again, because it has no copy of the body.
func (b *backend) send(ctx context.Context, req Request, body []byte) (*Answer, error) {
	out, err := http.NewRequestWithContext(ctx, req.Method, "http://"+b.host+req.Target, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	out.Host, out.Header = req.Host, req.Header.Clone()
	for _, name := range hopByHop {
		out.Header.Del(name)
	}
	res, err := b.transport.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	defer res.Body.Close()
	a := &Answer{Status: res.StatusCode, Header: res.Header}
	for _, name := range hopByHop {
		a.Header.Del(name)
	}
	if a.Body, err = io.ReadAll(res.Body); err != nil {
		return nil, fmt.Errorf("faultproxy: %w", err)
	}
	return a, nil
}
