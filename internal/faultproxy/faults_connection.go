package faultproxy

import (
	"crypto/tls"
	"fmt"
	"net"
	"time"
)

// Point is how far a request has come when something happens.
type Point int

// The points, in their order.
const (
	AfterHead     Point = iota // its head was read
	AfterRequest               // all of it was read, and not passed on
	AfterDelivery              // the server has answered, and nothing of that was passed back
)

// Points are all of them.
var Points = []Point{AfterHead, AfterRequest, AfterDelivery}

func (p Point) String() string {
	return [...]string{"after the head", "after the request", "after delivery"}[p]
}

// until lets a request get this far.
func (x *exchange) until(p Point) {
	switch p {
	case AfterHead:
	case AfterRequest:
		x.receive()
	case AfterDelivery:
		x.deliver()
	}
}

// the ways in which a connection can end.
type ending struct {
	name string
	end  func(*conn)
}

var (
	resetting = ending{"reset", (*conn).reset}
	finishing = ending{"half-closed", (*conn).finish}
	shutting  = ending{"closed", (*conn).shut}
	silencing = ending{"silent", (*conn).silence}
)

func (e ending) at(p Point) Fault {
	return Fault{
		Name: e.name + " " + p.String(), Kind: e.name + " " + p.String(), At: AnyHTTP | WebSocket,
		exchange: func(x *exchange) { x.until(p); e.end(x.conn) },
	}
}

func (e ending) atOnce() Fault {
	name := e.name + " before reading"
	return Fault{Name: name, Kind: name, At: Accepting, connection: e.end}
}

// Reset ends the connection with a RST at a point of a request.
func Reset(p Point) Fault { return resetting.at(p) }

// Finish ends what is sent to the client with a FIN, and goes on reading: the connection is half-closed.
func Finish(p Point) Fault { return finishing.at(p) }

// Shut closes the connection in both directions.
func Shut(p Point) Fault { return shutting.at(p) }

// Silent is a black hole: no byte passes any more, and the connection stays open. Over HTTP/2 pings are not answered
// either. After delivery it is one that swallows what comes from the server only.
func Silent(p Point) Fault { return silencing.at(p) }

// The same as soon as a connection is accepted. The request may be in the client's buffers by then.
var (
	ResetAtOnce  = resetting.atOnce()
	FinishAtOnce = finishing.atOnce()
	ShutAtOnce   = shutting.atOnce()
	SilentAtOnce = silencing.atOnce()
)

// CarriedOutAfter ends the connection when the request was read, and passes it on only then.
func CarriedOutAfter() []Fault {
	var list []Fault
	for _, e := range []ending{resetting, shutting, finishing, silencing} {
		name := e.name + ", carried out later"
		list = append(list, Fault{Name: name, Kind: name, At: AnyHTTP, exchange: func(x *exchange) {
			x.receive()
			x.deliverLater()
			e.end(x.conn)
		}})
	}
	return list
}

// Cut ends the connection after n bytes of the answer, on its way out through TLS and HTTP/2's frames too; before the last
// -n if n is below zero. The bytes are those of the head and the body.
func Cut(n int, reset bool) Fault {
	e := shutting
	if reset {
		e = resetting
	}
	return Fault{Name: fmt.Sprintf("%s within the answer, at byte %d", e.name, n), Kind: e.name + " within the answer", At: AnyHTTP, exchange: func(x *exchange) {
		x.begin(x.deliver(), n)
		e.end(x.conn)
	}}
}

// CutAnywhere is Cut at a byte that is left to chance.
func CutAnywhere(reset bool) Fault {
	f := Cut(0, reset)
	f.Name = f.Kind
	f.exchange = func(x *exchange) { Cut(1+x.random.IntN(400), reset).exchange(x) }
	return f
}

// SilentWithin stops after n bytes of the answer, and leaves the connection open.
func SilentWithin(n int) Fault {
	return Fault{Name: fmt.Sprintf("silent within the answer, at byte %d", n), Kind: "silent within the answer", At: AnyHTTP, exchange: func(x *exchange) {
		x.begin(x.deliver(), n)
		x.silence()
	}}
}

// Slow lets the answer through one byte at a time.
func Slow(pause time.Duration) Fault {
	return Fault{Name: fmt.Sprintf("a byte each %s", pause), Kind: "a byte at a time", At: AnyHTTP, exchange: func(x *exchange) {
		answer := x.deliver()
		x.slowly(pause, func() { x.answer(answer) })
	}}
}

// RefuseFor ends the connection at a point of a request, and refuses new ones for a while.
func RefuseFor(d time.Duration, p Point) Fault {
	name := "reset " + p.String() + ", then refused"
	return Fault{Name: fmt.Sprintf("%s for %s", name, d), Kind: name, At: AnyHTTP, exchange: func(x *exchange) {
		x.until(p)
		resume := x.p.Refuse()
		x.p.wg.Go(func() {
			_ = wait(x.p.ctx, d)
			_ = resume() // it is a port of this machine, which we had a moment ago
		})
		x.reset()
	}}
}

// CloseAfter ends a connection that the answer left open: what the client sends on it next is lost.
var CloseAfter = Fault{Name: "closed after the answer", Kind: "closed after the answer", At: AnyHTTP, exchange: func(x *exchange) {
	x.forward()
	x.shut()
}}

// Faults of the TLS handshake.
var (
	HandshakeReset  = handshakeEnds(resetting)
	HandshakeClosed = handshakeEnds(shutting)
	HandshakeHangs  = Fault{Name: "TLS: no answer to the hello", Kind: "TLS handshake hangs", At: Handshake, connection: (*conn).silence}
	HandshakePlain  = Fault{Name: "TLS: an answer in plain text", Kind: "TLS answered in plain text", At: Handshake, connection: func(c *conn) {
		_ = c.raw([]byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")) // the client may be gone
		c.finish()
	}}
	HandshakeAlert = Fault{Name: "TLS: alert internal_error", Kind: "TLS alert", At: Handshake, connection: func(c *conn) {
		_ = c.raw([]byte{21, 3, 3, 0, 2, 2, 80}) // the client may be gone
		c.finish()
	}}
)

// handshakeEnds ends the connection in the middle of the handshake: the server has sent part of its messages.
func handshakeEnds(e ending) Fault {
	return Fault{Name: "TLS: " + e.name + " within the handshake", Kind: "TLS handshake ends", At: Handshake, connection: func(c *conn) {
		hello := make([]byte, 5)
		if _, err := c.in.Read(hello); err == nil {
			_ = c.raw([]byte{22, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3}) // the beginning of a ServerHello; the client may be gone
		}
		e.end(c)
	}}
}

// WrongCertificates are certificates that the client must not take: of another authority, for another name, expired.
func WrongCertificates() ([]Fault, error) {
	another, err := newIdentity()
	if err != nil {
		return nil, err
	}
	fault := func(name string, of func(id *identity) (*tls.Certificate, error)) Fault {
		return Fault{Name: "TLS: " + name, Kind: "TLS certificate wrong", At: Handshake, connection: func(c *conn) {
			certificate, err := of(c.p.identity)
			if err != nil {
				c.reset()
			}
			c.certificate = certificate
		}}
	}
	here := net.IPv4(127, 0, 0, 1)
	return []Fault{
		fault("certificate of another authority", func(*identity) (*tls.Certificate, error) { return another.right, nil }),
		fault("certificate for another name", func(id *identity) (*tls.Certificate, error) { return id.leaf("example.com", time.Hour) }),
		fault("certificate that has expired", func(id *identity) (*tls.Certificate, error) { return id.leaf("localhost", -time.Hour, here) }),
	}, nil
}
