package sandbox

import (
	"io"
	"net/http"
	"time"
)

// limits are how long the server waits for a client, so that clients that send or read nothing, or nearly nothing, cannot
// hold its connections. Feeds and live streams stay open as long as the client reads.
type limits struct {
	header time.Duration // until the header has arrived
	body   time.Duration // until the body has arrived, plus the time for slowLine
	answer time.Duration // until a part of the answer is read
	idle   time.Duration // until the next request
}

var usualLimits = limits{header: 10 * time.Second, body: 20 * time.Second, answer: 30 * time.Second, idle: 2 * time.Minute}

// slowLine is the minimum speed of a body: a large one may take longer.
const slowLine = 64 << 10 // bytes a second

// guard applies the limits to the requests of a handler.
func (l limits) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		if r.ContentLength != 0 { // also where the handler does not read it: what is left of it is read after that
			body := &limitedBody{ReadCloser: r.Body, conn: conn, until: time.Now().Add(l.body)}
			_ = conn.SetReadDeadline(body.until)
			r.Body = body
		}
		h.ServeHTTP(&limitedWriter{w, conn, l.answer}, r)
	})
}

// limitedBody is the body of a request, which must arrive in time.
type limitedBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	until time.Time
}

// Read reads, and gives more time for what has come.
func (b *limitedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.until = b.until.Add(time.Duration(n) * time.Second / slowLine)
	if err == io.EOF {
		_ = b.conn.SetReadDeadline(time.Time{}) // the handler may take its time
	} else {
		_ = b.conn.SetReadDeadline(b.until)
	}
	return n, err
}

// limitedWriter writes an answer. The client must read each part in time.
type limitedWriter struct {
	http.ResponseWriter
	conn     *http.ResponseController
	patience time.Duration
}

// part is how much of an answer must be read in time: a long one may take as long as it is read.
const part = 256 << 10

// Write writes, and waits for so long for each part.
func (w *limitedWriter) Write(p []byte) (n int, err error) {
	for {
		_ = w.conn.SetWriteDeadline(time.Now().Add(w.patience))
		next := p[:min(len(p), part)]
		written, err := w.ResponseWriter.Write(next)
		n += written
		if p = p[len(next):]; err != nil || len(p) == 0 {
			return n, err
		}
	}
}

// Unwrap is for [http.ResponseController].
func (w *limitedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
