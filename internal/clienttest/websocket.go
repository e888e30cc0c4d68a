package clienttest

import (
	"context"
	"crypto/fips140"
	"net/http"

	"github.com/coder/websocket"
)

// AcceptWebSocket is [websocket.Accept], where only the algorithms of FIPS 140 are allowed too: the handshake needs
// SHA-1.
func AcceptWebSocket(w http.ResponseWriter, r *http.Request, options *websocket.AcceptOptions) (ws *websocket.Conn, err error) {
	fips140.WithoutEnforcement(func() { ws, err = websocket.Accept(w, r, options) })
	return ws, err
}

// DialWebSocket is [websocket.Dial], as [AcceptWebSocket] is Accept.
func DialWebSocket(ctx context.Context, url string, options *websocket.DialOptions) (ws *websocket.Conn, answer *http.Response, err error) {
	fips140.WithoutEnforcement(func() { ws, answer, err = websocket.Dial(ctx, url, options) }) //nolint:bodyclose // who called closes it
	return ws, answer, err
}
