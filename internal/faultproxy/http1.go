package faultproxy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// http1 is the client's side of an exchange in HTTP/1.1.
type http1 struct {
	*conn
	in   *http.Request
	last bool // the connection ends after this response, as the client wants
}

// serveHTTP1 serves one request, and returns whether there may be another.
func (c *conn) serveHTTP1() bool {
	in, err := http.ReadRequest(c.in)
	if err != nil {
		return false
	}
	req := Request{Layer: HTTP1, Method: in.Method, Target: in.RequestURI, Host: in.Host, Header: in.Header}
	if strings.EqualFold(in.Header.Get("Upgrade"), "websocket") {
		req.Layer = WebSocket
	}
	h := &http1{conn: c, in: in, last: in.Close}
	x := newExchange(c, h, req)
	x.run()
	if c.gone.Load() || in.Close || req.Layer == WebSocket {
		return false
	}
	return x.receive() // the rest of the request precedes the next one
}

const mostBody = 64 << 20

func (h *http1) readBody() ([]byte, error) {
	if strings.EqualFold(h.in.Header.Get("Expect"), "100-continue") {
		if err := h.raw([]byte("HTTP/1.1 100 Continue\r\n\r\n")); err != nil {
			return nil, err
		}
	}
	body, err := io.ReadAll(io.LimitReader(h.in.Body, mostBody+1))
	if err == nil && len(body) > mostBody {
		err = errors.New("faultproxy: the request is too large")
	}
	return body, err
}

func (c *conn) raw(b []byte) error {
	_, err := c.rw.Write(b)
	return err
}

func (h *http1) pass() bool { return true }

func (h *http1) write(a *Answer) error { return h.raw(h.encode(a)) }

func (h *http1) part(a *Answer, n int) error { return h.raw(first(h.encode(a), n)) }

// encode is the response as sent. A Content-Length or Transfer-Encoding header that a fault has set stays.
func (h *http1) encode(a *Answer) []byte {
	var b bytes.Buffer
	b.Write(h.head(a))
	b.WriteString("\r\n")
	if h.in.Method != http.MethodHead {
		b.Write(a.Body)
	}
	return b.Bytes()
}

// head is the status line and the headers, without the empty line after them.
func (h *http1) head(a *Answer) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", a.Status, http.StatusText(a.Status))
	writeHeader(&b, a.Header)
	bodiless := a.Status < 200 || a.Status == http.StatusNoContent || a.Status == http.StatusNotModified
	if !bodiless && a.Header["Content-Length"] == nil && a.Header["Transfer-Encoding"] == nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(a.Body))
	}
	if h.last && a.Header["Connection"] == nil {
		b.WriteString("Connection: close\r\n")
	}
	return b.Bytes()
}

func writeHeader(b *bytes.Buffer, header http.Header) {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range header[name] {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
}

func (h *http1) interim(status int, header http.Header) error {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n")
	writeHeader(&b, header)
	b.WriteString("\r\n")
	return h.raw(b.Bytes())
}

func (h *http1) fields(a *Answer, extra func(n int) string) error {
	if err := h.raw(h.head(a)); err != nil {
		return err
	}
	for n := 0; ; n++ {
		value := extra(n)
		if value == "" {
			break
		}
		if err := h.raw([]byte("X-Flood-" + strconv.Itoa(n) + ": " + value + "\r\n")); err != nil {
			return err
		}
	}
	return h.raw(append([]byte("\r\n"), a.Body...))
}
