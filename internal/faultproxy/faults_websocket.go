package faultproxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// errStruck ends a socket whose fault has struck.
var errStruck = errors.New("faultproxy: done")

// onMessage is a fault that strikes each data frame of the server.
func onMessage(kind, name string, strike func(s *socket, f frame) error) Fault {
	return Fault{Name: name, Kind: kind, At: WebSocket, socket: func(s *socket) {
		s.down = func(f frame) error {
			if f.data() {
				return strike(s, f)
			}
			return s.send(f)
		}
	}}
}

// onOpen is a fault that strikes when the socket is open.
func onOpen(kind, name string, strike func(s *socket)) Fault {
	return Fault{Name: name, Kind: kind, At: WebSocket, socket: strike}
}

// WrongAccept completes the handshake with a key that is not that of the client's.
var WrongAccept = handshakeAltered("wrong accept key", func(a *Answer) { a.Header.Set("Sec-WebSocket-Accept", "c2FtcGxlIG5vdCB0aGUgcmlnaHQgMTYhISE=") })

// AlteredHandshakes are other handshakes that a client must not take (RFC 6455, 4.1).
var AlteredHandshakes = []Fault{
	WrongAccept,
	handshakeAltered("no accept key", func(a *Answer) { a.Header.Del("Sec-WebSocket-Accept") }),
	handshakeAltered("no upgrade", func(a *Answer) { a.Header.Del("Upgrade") }),
	handshakeAltered("no connection", func(a *Answer) { a.Header.Del("Connection") }),
	handshakeAltered("an extension that was not asked for", func(a *Answer) { a.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate; x") }),
	handshakeAltered("a protocol that was not asked for", func(a *Answer) { a.Header.Set("Sec-WebSocket-Protocol", "portal") }),
}

func handshakeAltered(name string, change func(*Answer)) Fault {
	return Fault{Name: "101 with " + name, Kind: "handshake of the socket wrong", At: WebSocket, exchange: func(x *exchange) {
		if a := x.deliver(); a != nil {
			change(a)
			x.answer(a)
			x.finish()
		}
	}}
}

// ResetMidFrame ends the connection within the nth data frame of the server.
func ResetMidFrame(n int) Fault {
	return onMessage("reset within a frame", fmt.Sprintf("reset within frame %d", n), func(s *socket, f frame) error {
		if s.messages < n {
			return s.send(f)
		}
		whole := f.encode()
		_ = s.x.raw(whole[:max(1, len(whole)/2)]) // the client may be gone
		s.x.reset()
		return errStruck
	})
}

// CutFrame ends the connection after a number of bytes of the nth data frame.
func CutFrame(n, at int) Fault {
	return onMessage("closed within a frame", fmt.Sprintf("closed at byte %d of frame %d", at, n), func(s *socket, f frame) error {
		if s.messages < n {
			return s.send(f)
		}
		_ = s.x.raw(first(f.encode(), at)) // the client may be gone
		s.x.shut()
		return errStruck
	})
}

// Fragmented sends each message of the server in frames of a given size, with a ping between them.
func Fragmented(size int) Fault {
	return onMessage("fragmented", fmt.Sprintf("fragments of %d bytes", size), func(s *socket, f frame) error {
		op, end := f.op(), f.head&fin
		for rest := f.payload; ; {
			n := min(size, len(rest))
			piece := frame{head: op, payload: rest[:n]}
			rest, op = rest[n:], opContinuation
			if len(rest) == 0 {
				piece.head |= end
				return s.send(piece)
			}
			if err := s.send(piece, frame{head: fin | opPing, payload: []byte("between")}); err != nil {
				return err
			}
		}
	})
}

// Endless makes the first message of the server one without end.
func Endless(size int) Fault {
	return onMessage("message without end", fmt.Sprintf("a message without end, in frames of %d bytes", size), func(s *socket, f frame) error {
		if err := s.send(frame{head: f.op(), payload: f.payload}); err != nil {
			return err
		}
		space := frame{head: opContinuation, payload: bytes.Repeat([]byte(" "), size)}
		for n := 0; n < s.x.p.config.Bound; n += size + 2 {
			if err := s.send(space); err != nil {
				return err
			}
		}
		return errStruck
	})
}

// EndlessSlowly is a message without end whose frames are a byte each, with a pause between them. Pings are answered.
func EndlessSlowly(pause time.Duration) Fault {
	return onMessage("message without end, slowly", fmt.Sprintf("a message without end, a byte each %s", pause), func(s *socket, f frame) error {
		if s.messages > 1 {
			return nil
		}
		s.x.p.wg.Go(func() {
			more := frame{head: f.op(), payload: f.payload}
			for s.send(more) == nil && wait(s.x.ctx, pause) == nil {
				more = frame{head: opContinuation, payload: []byte(" ")}
			}
		})
		return nil
	})
}

// SlowFrames lets each byte of the server's frames wait.
func SlowFrames(pause time.Duration) Fault {
	return onOpen("a byte at a time", fmt.Sprintf("frames, a byte each %s", pause), func(s *socket) {
		s.x.tcp.pause.Store(int64(pause))
	})
}

// Unsolicited sends unsolicited pings and pongs before each message.
func Unsolicited(count int) Fault {
	return onMessage("pings and pongs unasked", fmt.Sprintf("%d pings and pongs unasked", count), func(s *socket, f frame) error {
		for n := range count {
			if err := s.send(frame{head: fin | opPing, payload: []byte{byte(n)}}, frame{head: fin | opPong, payload: []byte("nobody asked")}); err != nil {
				return err
			}
		}
		return s.send(f)
	})
}

// PingsUnanswered keeps the client's pings from the server, while data flows.
var PingsUnanswered = onOpen("pings unanswered, data flows", "pings unanswered, data flows", func(s *socket) {
	s.up = func(f frame) error {
		if f.op() == opPing {
			return nil
		}
		return s.pass(f)
	}
})

// DataHeldBack withholds the server's messages from the client, except the first n; pings are answered.
func DataHeldBack(n int) Fault {
	return onMessage("pings answered, no data", fmt.Sprintf("pings answered, no data after %d messages", n), func(s *socket, f frame) error {
		if s.messages > n {
			return nil
		}
		return s.send(f)
	})
}

// SocketSilent is a black hole after n messages: to the client, to the server, or both.
func SocketSilent(n int, toClient, toServer bool) Fault {
	name := fmt.Sprintf("silent after %d messages (to client %t, to server %t)", n, toClient, toServer)
	return onOpen("socket silent", name, func(s *socket) {
		s.down = func(f frame) error {
			if toClient && s.messages > n {
				return nil
			}
			return s.send(f)
		}
		if toServer {
			s.up = func(frame) error { return nil }
		}
	})
}

// ClosedWith ends the socket with a close frame of a code before the nth message; 0 is one without.
func ClosedWith(code uint16, reason string, n int) Fault {
	return onMessage("close frame", fmt.Sprintf("close %d %q before message %d", code, reason, n), func(s *socket, f frame) error {
		if s.messages < n {
			return s.send(f)
		}
		end := frame{head: fin | opClose}
		if code != 0 {
			end.payload = append(binary.BigEndian.AppendUint16(nil, code), reason...)
		}
		_ = s.send(end) // the client may be gone
		s.x.finish()
		return errStruck
	})
}

// CloseCodes are those that a client may meet, and some that must not be sent (RFC 6455, 7.4).
var CloseCodes = []uint16{0, 1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 3000, 4000, 4999, 1, 999, 5000, 65535}

// verbatimFrame sends bytes in place of the first message. The connection stays open.
func verbatimFrame(name string, bytesOf func(f frame) []byte) Fault {
	return onMessage("frame invalid", name, func(s *socket, f frame) error {
		if err := s.x.raw(bytesOf(f)); err != nil {
			return err
		}
		s.x.drain()
		return errStruck
	})
}

func length(head byte, n uint64) func(frame) []byte {
	return func(frame) []byte {
		return append(binary.BigEndian.AppendUint64([]byte{head, 127}, n), "{}"...)
	}
}

// InvalidFrames are those that a client must refuse (RFC 6455, 5).
var InvalidFrames = []Fault{
	verbatimFrame("a masked frame", func(f frame) []byte {
		mask := []byte{1, 2, 3, 4}
		payload := bytes.Clone(f.payload)
		for i := range payload {
			payload[i] ^= mask[i%4]
		}
		return frame{head: f.head, mask: mask, payload: payload}.encode()
	}),
	verbatimFrame("a reserved bit", func(f frame) []byte { return frame{head: f.head | rsv1, payload: f.payload}.encode() }),
	verbatimFrame("a reserved opcode", func(f frame) []byte { return frame{head: fin | 3, payload: f.payload}.encode() }),
	verbatimFrame("text that is not UTF-8", func(frame) []byte {
		return frame{head: fin | opText, payload: []byte("{\"a\":\"\xff\xfe\"}")}.encode()
	}),
	verbatimFrame("a continuation of nothing", func(f frame) []byte { return frame{head: fin | opContinuation, payload: f.payload}.encode() }),
	verbatimFrame("a message within a message", func(f frame) []byte {
		return append(frame{head: opText, payload: []byte("{")}.encode(), f.encode()...)
	}),
	verbatimFrame("a ping in fragments", func(frame) []byte { return frame{head: opPing, payload: []byte("x")}.encode() }),
	verbatimFrame("a ping of 126 bytes", func(frame) []byte { return frame{head: fin | opPing, payload: make([]byte, 126)}.encode() }),
	verbatimFrame("a close of one byte", func(frame) []byte { return frame{head: fin | opClose, payload: []byte{3}}.encode() }),
	verbatimFrame("a length of 2^63-1", length(fin|opText, 1<<63-1)),
	verbatimFrame("a length of 2^63", length(fin|opText, 1<<63)),
	verbatimFrame("a length of 2^40 in binary", length(fin|opBinary, 1<<40)),
	verbatimFrame("an answer of HTTP", func(frame) []byte { return []byte("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n") }),
}

// Binary sends the server's messages as binary ones.
var Binary = onMessage("binary", "binary messages", func(s *socket, f frame) error {
	if f.op() == opText {
		f.head = f.head&fin | opBinary
	}
	return s.send(f)
})

// Foreign sends a message in front of each of the server's that is not of the server.
func Foreign(name, message string) Fault {
	return onMessage("foreign message", "foreign message: "+name, func(s *socket, f frame) error {
		return s.send(frame{head: fin | opText, payload: []byte(message)}, f)
	})
}

// Repeated sends each message several times.
func Repeated(times int) Fault {
	return onMessage("repeated", fmt.Sprintf("each message %d times", times), func(s *socket, f frame) error {
		for range times {
			if err := s.send(f); err != nil {
				return err
			}
		}
		return nil
	})
}

// HandshakePages are responses to the handshake that do not open a socket.
func HandshakePages(form Form) []Fault {
	var list []Fault
	for _, status := range []int{200, 204, 301, 307, 400, 401, 403, 404, 407, 408, 426, 429, 500, 502, 503, 504} {
		f := Page(status, form, Never, http.Header{"Location": {"/portal"}})
		f.Name, f.Kind, f.At = fmt.Sprintf("handshake answered %d %s", status, form.Name), "handshake of the socket answered by a page", WebSocket
		list = append(list, f)
	}
	return list
}
