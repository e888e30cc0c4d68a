package transport

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

const (
	upgradeTimeout = time.Minute
	maxRefusal     = 4 << 10 // bytes of an answer that is no upgrade
)

// upgradeLink makes a WebSocket connection.
type upgradeLink struct{ client *http.Client }

func (l upgradeLink) Send(req *Request) Result {
	ctx, cancel := context.WithTimeout(req.HTTP.Context(), upgradeTimeout)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, req.HTTP.URL.String(), &websocket.DialOptions{
		HTTPClient: refusingRedirects(l.client), HTTPHeader: req.HTTP.Header,
	})
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
