package transport

import (
	"context"
	"crypto/fips140"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	upgradeTimeout = time.Minute
	maxRefusal     = 4 << 10 // bytes of a response that is not an upgrade
)

// upgradeLink opens a WebSocket connection.
type upgradeLink struct{ client *http.Client }

func (l upgradeLink) Send(req *Request) Result {
	ctx, cancel := context.WithTimeout(req.HTTP.Context(), upgradeTimeout)
	defer cancel()
	client := refusingRedirects(l.client)
	conn, answer, err := dial(ctx, req.HTTP, &client, req.Pinged)
	switch {
	case err == nil:
		return Result{Conn: conn, OK: true, Attempts: 1}
	case answer == nil:
		return Result{Err: err, Attempts: 1}
	}
	defer answer.Body.Close()
	body, unread := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	if unread != nil {
		body = nil
	}
	return Result{Answer: &Answer{StatusCode: answer.StatusCode, Header: answer.Header, Body: body}, Attempts: 1}
}

// dial makes the handshake. WebSocket needs SHA-1 to recognise the protocol, not for security, but it is forbidden if
// only the algorithms of FIPS 140 are allowed (GODEBUG=fips140=only). Therefore enforcement is switched off for the
// handshake, but not for the connection and its TLS, which are made by a goroutine that was started before.
func dial(ctx context.Context, req *http.Request, client *http.Client, pinged func()) (conn *websocket.Conn, answer *http.Response, err error) {
	options := &websocket.DialOptions{HTTPClient: client, HTTPHeader: req.Header}
	if pinged != nil {
		options.OnPingReceived = func(context.Context, []byte) (answer bool) {
			pinged()
			return true
		}
	}
	if !fips140.Enforced() {
		return websocket.Dial(ctx, req.URL.String(), options)
	}
	enforced := handOver{asked: make(chan *http.Request), answered: make(chan handedBack)}
	defer close(enforced.asked)
	go enforced.work(client.Transport)
	client.Transport = enforced
	fips140.WithoutEnforcement(func() {
		conn, answer, err = websocket.Dial(ctx, req.URL.String(), options) //nolint:bodyclose // who called closes it
	})
	return conn, answer, err
}

// handOver is a transport that has another goroutine make requests.
type handOver struct {
	asked    chan *http.Request
	answered chan handedBack
}

type handedBack struct {
	answer *http.Response
	err    error
}

func (h handOver) RoundTrip(req *http.Request) (*http.Response, error) {
	h.asked <- req
	back := <-h.answered
	return back.answer, back.err
}

// work makes requests until there are no more.
func (h handOver) work(transport http.RoundTripper) {
	if transport == nil {
		transport = http.DefaultTransport
	}
	for req := range h.asked {
		answer, err := transport.RoundTrip(req) //nolint:bodyclose // who asked closes it
		h.answered <- handedBack{answer, err}
	}
}
