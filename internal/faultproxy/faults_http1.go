package faultproxy

import (
	"fmt"
	"net/http"
	"strconv"
)

// text is a fault in the syntax of HTTP/1.1: write writes the server's response, then the connection closes.
func text(kind, name string, write func(x *exchange, a *Answer)) Fault {
	return Fault{Name: name, Kind: kind, At: HTTP1, exchange: func(x *exchange) {
		a := x.deliver()
		if a == nil {
			return
		}
		x.note(func(r *Record) { r.answer(a) })
		write(x, a.clone())
		x.shut()
	}}
}

func (x *exchange) rawAnswer(a *Answer, set http.Header, body string) {
	for key, values := range set {
		a.Header[key] = values
	}
	a.Body = []byte(body)
	_ = x.write(a) // the client may be gone
}

// LengthWrong gives the server's answer a Content-Length that is off by so much.
func LengthWrong(off int) Fault {
	kind := "length too long"
	if off < 0 {
		kind = "length too short"
	}
	return text(kind, fmt.Sprintf("length off by %+d", off), func(x *exchange, a *Answer) {
		x.rawAnswer(a, http.Header{"Content-Length": {strconv.Itoa(max(0, len(a.Body)+off))}}, string(a.Body))
	})
}

// Lengths gives the server's answer lengths as they are written here.
func Lengths(values ...string) Fault {
	return text("length invalid", fmt.Sprintf("lengths %q", values), func(x *exchange, a *Answer) {
		x.rawAnswer(a, http.Header{"Content-Length": values}, string(a.Body))
	})
}

// Chunks sends the server's answer in chunks: %x stands for the right size, %s for the body.
func Chunks(kind, format string) Fault {
	return text(kind, fmt.Sprintf("chunks %q", format), func(x *exchange, a *Answer) {
		x.rawAnswer(a, http.Header{"Transfer-Encoding": {"chunked"}}, fmt.Sprintf(format, len(a.Body), a.Body))
	})
}

// The forms of chunks that are not what RFC 9112, section 7.1, has.
var (
	ChunksWithoutEnd  = Chunks("chunks without end", "%x\r\n%s\r\n")
	ChunkSizeInvalid  = Chunks("chunk size invalid", "%[1]xg\r\n%[2]s\r\n0\r\n\r\n")
	ChunkSizeNegative = Chunks("chunk size invalid", "-%x\r\n%s\r\n0\r\n\r\n")
	ChunkSizeHuge     = Chunks("chunk size invalid", "7fffffffffffffff\r\n%[2]s\r\n0\r\n\r\n")
	ChunkTooLong      = Chunks("chunk size invalid", "1%x\r\n%s\r\n0\r\n\r\n")
)

// ChunksForever sends white space in chunks until the client has had enough.
var ChunksForever = text("chunks for ever", "chunks for ever", func(x *exchange, a *Answer) {
	x.rawAnswer(a, http.Header{"Transfer-Encoding": {"chunked"}}, "")
	chunk := []byte(fmt.Sprintf("%x\r\n%4096s\r\n", 4096, ""))
	for n := 0; n < x.p.config.Bound && x.raw(chunk) == nil; n += len(chunk) {
	}
})

// ChunksAndLength sends a Content-Length in addition to chunks.
var ChunksAndLength = text("chunks and length", "chunks and length", func(x *exchange, a *Answer) {
	set := http.Header{"Transfer-Encoding": {"chunked"}, "Content-Length": {strconv.Itoa(len(a.Body) / 2)}}
	x.rawAnswer(a, set, fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(a.Body), a.Body))
})

// Verbatim answers with bytes that may be no HTTP at all, when the request was carried out.
func Verbatim(name, bytes string) Fault {
	return Fault{Name: name, Kind: "no HTTP, carried out", At: HTTP1, exchange: func(x *exchange) {
		x.deliver()
		_ = x.raw([]byte(bytes)) // the client may be gone
		x.shut()
	}}
}

// NotHTTP are answers that are none.
var NotHTTP = []Fault{
	Verbatim("no status line", "<html><body>gateway</body></html>\n"),
	Verbatim("a status that is no number", "HTTP/1.1 OK 200\r\n\r\n"),
	Verbatim("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
	Verbatim("a status beyond 599", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"),
	Verbatim("a head without end", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
	Verbatim("a header without a name", "HTTP/1.1 200 OK\r\n: x\r\nContent-Length: 2\r\n\r\n{}"),
	Verbatim("a header folded", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n folded\r\nContent-Length: 2\r\n\r\n{}"),
	Verbatim("HTTP/1.0 to the end of the connection", "HTTP/1.0 200 OK\r\n\r\n{\"portal\""),
	Verbatim("an alert of TLS", "\x15\x03\x01\x00\x02\x02\x50"),
	Verbatim("settings of HTTP/2", "\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
}

// Switching answers 101 to a request that asked for no other protocol.
func Switching(w When) Fault {
	name := "101 unasked, " + w.String()
	return Fault{Name: name, Kind: name, At: HTTP1, exchange: func(x *exchange) {
		x.instead(w, &Answer{Status: http.StatusSwitchingProtocols, Header: http.Header{"Connection": {"Upgrade"}, "Upgrade": {"raw"}}})
		x.finish()
	}}
}

// LastAnswer says in an answer that the connection ends with it, in the middle of others.
var LastAnswer = Fault{Name: "Connection: close", Kind: "Connection: close", At: HTTP1, exchange: func(x *exchange) {
	a := x.deliver()
	if a != nil {
		a = a.clone()
		a.Header.Set("Connection", "close")
	}
	x.answer(a)
	x.shut()
}}

// Unasked sends a second response after the server's, for which there was no request, and ends the connection, as servers
// do that have waited long enough. A request that the client has sent in the meantime is not read, and may take that
// response for its own.
func Unasked(form Form, status int) Fault {
	return Fault{Name: fmt.Sprintf("unasked %d %s after the answer", status, form.Name), Kind: "unasked answer", At: HTTP1, exchange: func(x *exchange) {
		x.forward()
		_ = x.write(form.page(status)) // the client may be gone
		x.finish()
	}}
}

// UnaskedStale sends the server's answer twice, and goes on. The next request on the connection may take it for its own, and
// so on to the end of the connection.
var UnaskedStale = Fault{
	Name: "the answer twice", Kind: "the answer twice", At: HTTP1, Lies: "an answer is to the request it follows (RFC 9112, 9.3)",
	exchange: func(x *exchange) {
		a := x.deliver()
		x.answer(a)
		x.answer(a)
	},
}
