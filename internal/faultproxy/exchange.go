package faultproxy

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// exchange is a request and what is done with it.
type exchange struct {
	*conn
	side
	req    Request
	record *Record
	body   []byte
	random *rand.Rand
	err    error // why the body could not be read
	read   bool
}

// side is the client's side of an exchange, in HTTP/1.1 or HTTP/2.
type side interface {
	readBody() ([]byte, error)
	pass() bool                                       // whether the request may be passed on
	write(a *Answer) error                            // whole, and well formed
	part(a *Answer, n int) error                      // its first n bytes on the connection; all except the last -n if n is negative
	interim(status int, header http.Header) error     // an interim response
	fields(a *Answer, extra func(n int) string) error // with headers as long as extra returns any, then the body
}

func newExchange(c *conn, s side, req Request) *exchange {
	req.N = int(c.p.requests.Add(1))
	x := &exchange{conn: c, side: s, req: req, record: &Record{Request: req, Tag: req.Header.Get(c.p.config.Tag)}}
	x.random = rand.New(rand.NewPCG(c.p.config.Seed, uint64(req.N))) //nolint:gosec // chance from a seed, so that a run can be repeated
	c.p.truth.add(x.record)
	return x
}

// run handles a request according to the plan.
func (x *exchange) run() {
	var fault Fault
	if x.p.config.Plan != nil {
		fault = x.p.config.Plan(x.req)
	}
	x.note(func(r *Record) { r.Fault = fault.Name })
	switch {
	case fault.exchange != nil:
		fault.exchange(x)
	case x.req.Layer == WebSocket:
		openSocket(x, fault)
	default:
		x.forward()
	}
}

func (x *exchange) note(change func(*Record)) {
	x.p.truth.change(func() { change(x.record) })
}

// receive reads the body, and returns whether the whole request has arrived.
func (x *exchange) receive() bool {
	if !x.read {
		x.read = true
		x.body, x.err = x.readBody()
	}
	return x.err == nil
}

// deliver passes the request on and returns the server's response, or a gateway's if the server gave none. It returns nil
// if the client's request never arrived whole.
func (x *exchange) deliver() *Answer {
	if !x.receive() || !x.pass() {
		return nil
	}
	x.p.truth.begin()
	return x.send()
}

// deliverLater passes the request on once the client has had time to do something else.
func (x *exchange) deliverLater() {
	if !x.receive() || !x.pass() {
		return
	}
	x.p.truth.begin()
	x.p.wg.Go(func() {
		_ = wait(x.p.ctx, x.p.config.Pause)
		x.send()
	})
}

// send delivers a request that was counted as under way.
func (x *exchange) send() *Answer {
	// The proxy's own context: what was passed on is carried out, whatever becomes of the client.
	var answer *Answer
	var err error
	if x.req.Layer == WebSocket {
		var server net.Conn
		if server, _, answer, err = x.p.backend.upgrade(x.p.ctx, x.req); server != nil {
			_ = server.Close() // a fault that does not open the socket
		}
	} else {
		answer, err = x.p.backend.send(x.p.ctx, x.req, x.body)
	}
	if err != nil {
		x.p.truth.end(x.record, Delivery{Err: err.Error()}, nil)
		return HTML.page(http.StatusBadGateway)
	}
	x.p.truth.end(x.record, Delivery{Status: answer.Status}, answer)
	return answer
}

// answer sends a whole response to the client.
func (x *exchange) answer(a *Answer) {
	if a == nil { // the client never sent all of it
		return
	}
	x.p.truth.change(func() {
		x.record.answer(a)
		x.p.truth.underWay++
	})
	err := x.write(a)
	x.p.truth.change(func() {
		x.record.Complete = err == nil
		x.p.truth.ended()
	})
}

// forward is what happens without a fault.
func (x *exchange) forward() { x.answer(x.deliver()) }

// begin sends a part of a response.
func (x *exchange) begin(a *Answer, n int) {
	if a == nil {
		return
	}
	x.note(func(r *Record) { r.answer(a) })
	_ = x.part(a, n) // the client may be gone
}

// Form is the format of a page that does not come from the server.
type Form struct {
	Name string
	Type string // its Content-Type
	Body func(status int) string
}

// The forms of pages. What a service's own errors look like is for a test to say.
var (
	HTML = Form{"html", "text/html; charset=utf-8", func(status int) string {
		return "<html><head><title>" + strconv.Itoa(status) + "</title></head><body><h1>" + http.StatusText(status) + "</h1><hr>gateway</body></html>\n"
	}}
	Empty = Form{"empty", "", func(int) string { return "" }}
	JSON  = Form{"json", "application/json", func(status int) string {
		return `{"error":{"status":` + strconv.Itoa(status) + `,"portal":"sign in"}}`
	}}
	Null = Form{"null", "application/json", func(int) string { return "null" }}
	List = Form{"list", "application/json", func(int) string { return "[]" }}
)

func (f Form) page(status int) *Answer {
	a := &Answer{Status: status, Header: http.Header{"Server": {"gateway"}}, Body: []byte(f.Body(status))}
	if f.Type != "" {
		a.Header.Set("Content-Type", f.Type)
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		a.Body = nil
	}
	return a
}

// date sets the time that the response gives.
func (a *Answer) date(off time.Duration) {
	a.Header.Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
}

// first returns the first n bytes; all except the last -n if n is negative.
func first(b []byte, n int) []byte {
	if n < 0 {
		n = max(0, len(b)+n)
	}
	return bytes.Clone(b[:min(n, len(b))])
}
