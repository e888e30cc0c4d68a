package faultproxy

import (
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http2"
)

// Codes are the error codes of HTTP/2 (RFC 9113, 7).
var Codes = []http2.ErrCode{
	http2.ErrCodeNo, http2.ErrCodeProtocol, http2.ErrCodeInternal, http2.ErrCodeFlowControl, http2.ErrCodeSettingsTimeout, http2.ErrCodeStreamClosed,
	http2.ErrCodeFrameSize, http2.ErrCodeRefusedStream, http2.ErrCodeCancel, http2.ErrCodeCompression, http2.ErrCodeConnect, http2.ErrCodeEnhanceYourCalm,
	http2.ErrCodeInadequateSecurity, http2.ErrCodeHTTP11Required,
}

// stream is the client's side in HTTP/2, for an exchange that uses it.
func (x *exchange) stream() *http2stream {
	s, ok := x.side.(*http2stream)
	if !ok {
		panic("faultproxy: a fault of HTTP/2 in another protocol")
	}
	return s
}

func framed(kind, name string, run func(x *exchange, s *http2stream)) Fault {
	return Fault{Name: name, Kind: kind, At: HTTP2, exchange: func(x *exchange) { run(x, x.stream()) }}
}

const unprocessed = "a stream that is refused was not processed (RFC 9113, 8.7)"

// ResetStream ends the stream with a code at a point.
func ResetStream(code http2.ErrCode, p Point) Fault {
	kind := "RST_STREAM " + p.String()
	f := framed(kind, fmt.Sprintf("RST_STREAM %s %s", code, p), func(x *exchange, s *http2stream) {
		x.until(p)
		_ = s.locked(func() error { return s.framer.WriteRSTStream(s.id, code) }) // the client may be gone
	})
	if code == http2.ErrCodeRefusedStream {
		f.Kind = "RST_STREAM REFUSED_STREAM " + p.String()
		if p == AfterDelivery {
			f.Lies = unprocessed
		}
	}
	return f
}

// ResetStreamWithin ends the stream with a code when the answer's head, and half of its body if half is true, were sent.
func ResetStreamWithin(code http2.ErrCode, half bool) Fault {
	name := "after the head of the answer"
	if half {
		name = "within the answer"
	}
	f := framed("RST_STREAM "+name, fmt.Sprintf("RST_STREAM %s %s", code, name), func(x *exchange, s *http2stream) {
		a := x.deliver()
		if a == nil {
			return
		}
		x.note(func(r *Record) { r.answer(a) })
		_ = s.locked(func() error { return s.headers(s.head(a.Status, a.Header), false) }) // the client may be gone, here and below
		if half {
			_ = s.send(a.Body[:len(a.Body)/2], false)
		}
		_ = s.locked(func() error { return s.framer.WriteRSTStream(s.id, code) })
	})
	if code == http2.ErrCodeRefusedStream {
		f.Kind, f.Lies = "RST_STREAM REFUSED_STREAM "+name, unprocessed
	}
	return f
}

// ResetStreamAfter ends the stream with a code when the whole answer was sent (RFC 9113, 8.1).
func ResetStreamAfter(code http2.ErrCode) Fault {
	return framed("RST_STREAM after the answer", fmt.Sprintf("RST_STREAM %s after the answer", code), func(x *exchange, s *http2stream) {
		x.forward()
		_ = s.locked(func() error { return s.framer.WriteRSTStream(s.id, code) }) // the client may be gone
	})
}

// Last is where the last stream of a GOAWAY lies.
type Last int

// The places, seen from the stream of the request.
const (
	Below Last = iota
	At
	Above
)

func (l Last) String() string { return [...]string{"below", "at", "above"}[l] }

// GoAway says with a code that the connection ends, and ends it. What other streams have been told stays true: the last
// stream is not below one whose request was passed on, but where the fault is a lie.
func GoAway(code http2.ErrCode, last Last, p Point) Fault {
	lies := ""
	if last == Below && p == AfterDelivery {
		lies = "a stream above the last one was not processed (RFC 9113, 6.8)"
	}
	f := framed(fmt.Sprintf("GOAWAY %s the stream, %s", last, p), fmt.Sprintf("GOAWAY %s %s the stream, %s", code, last, p), func(x *exchange, s *http2stream) {
		x.until(p)
		_ = s.goAway(last, code, lies != "") // the client may be gone
		x.finish()
	})
	f.Lies = lies
	return f
}

func (s *http2stream) goAway(last Last, code http2.ErrCode, lie bool) error {
	return s.locked(func() error {
		id := map[Last]uint32{Below: max(s.id, 2) - 2, At: s.id, Above: 1<<31 - 1}[last]
		if !lie {
			id = max(id, s.passed)
		}
		s.last = min(s.last, id) // which never grows (RFC 9113, 6.8): a stream disowned once is not passed on
		return s.framer.WriteGoAway(s.last, code, nil)
	})
}

// GoAwayGracefully answers the requests that have come, and ends the connection as RFC 9113, 6.8, advises: with a GOAWAY
// that names no stream, then one that does.
var GoAwayGracefully = framed("GOAWAY gracefully", "GOAWAY gracefully", func(x *exchange, s *http2stream) {
	_ = s.goAway(Above, http2.ErrCodeNo, false) // the client may be gone, here and below
	x.forward()
	_ = s.locked(func() error {
		s.last = min(s.last, s.latest)
		return s.framer.WriteGoAway(s.last, http2.ErrCodeNo, nil)
	})
})

// StreamSilent never answers, on a connection that is alive: pings are answered.
func StreamSilent(p Point) Fault {
	return framed("stream silent "+p.String(), "stream silent "+p.String(), func(x *exchange, s *http2stream) {
		x.until(p)
		<-s.ctx.Done()
	})
}

// Flood sends frames that ask for nothing, then the answer.
func Flood(name string, count int) Fault {
	return framed("flood of frames", fmt.Sprintf("%d %s", count, name), func(x *exchange, s *http2stream) {
		for range count {
			err := s.locked(func() error {
				switch name {
				case "SETTINGS":
					return s.framer.WriteSettings()
				case "PING":
					return s.framer.WritePing(false, [8]byte{7})
				case "PING answers":
					return s.framer.WritePing(true, [8]byte{7})
				default:
					return s.framer.WriteWindowUpdate(0, 1)
				}
			})
			if err != nil {
				break
			}
		}
		x.forward()
	})
}

// MaxStreams says, with the answer, how many streams the client may have open from now on.
func MaxStreams(n uint32) Fault {
	return framed("most streams", fmt.Sprintf("at most %d streams", n), func(x *exchange, s *http2stream) {
		_ = s.locked(func() error { // the client may be gone
			return s.framer.WriteSettings(setting{ID: http2.SettingMaxConcurrentStreams, Val: n})
		})
		x.forward()
	})
}

// ZeroWindow has a connection begin with a window of 0 for what the client sends, and never opens it.
var ZeroWindow = Fault{Name: "window of 0 for ever", Kind: "window of 0 for ever", At: Accepting, connection: func(c *conn) {
	c.settings = []setting{{ID: http2.SettingInitialWindowSize, Val: 0}}
}}

// NoStreams has a connection begin with no stream allowed.
var NoStreams = Fault{Name: "no streams for ever", Kind: "no streams for ever", At: Accepting, connection: func(c *conn) {
	c.settings = []setting{{ID: http2.SettingMaxConcurrentStreams, Val: 0}}
}}

// ContinuationWithoutEnd begins the head of the answer and goes on with it until the client has had enough.
var ContinuationWithoutEnd = framed("CONTINUATION without end", "CONTINUATION without end", func(x *exchange, s *http2stream) {
	a := x.deliver()
	if a == nil {
		return
	}
	header := a.Header.Clone()
	header.Set("X-Flood", strings.Repeat("x", 12<<10))
	_ = s.locked(func() error {
		block := s.head(a.Status, header)
		err := s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block})
		for n := 0; err == nil && n < x.p.config.Bound; n += len(block) {
			block = s.head(a.Status, header)
			err = s.framer.WriteContinuation(s.id, false, block)
		}
		return err
	})
	x.reset()
})

// DataTooLong sends more than the length that the head of the answer says; DataTooShort less.
var (
	DataTooLong  = dataOff("DATA longer than its length", -1)
	DataTooShort = dataOff("DATA shorter than its length", +1)
)

func dataOff(name string, off int) Fault {
	return framed(name, name, func(x *exchange, s *http2stream) {
		a := x.deliver()
		if a == nil {
			return
		}
		a = a.clone()
		a.Header.Set("Content-Length", fmt.Sprint(max(0, len(a.Body)+off)))
		x.note(func(r *Record) { r.answer(a) })
		_ = s.write(a) // the client may be gone
	})
}

// DataAlone sends a body without a head.
var DataAlone = framed("DATA without HEADERS", "DATA without HEADERS", func(x *exchange, s *http2stream) {
	if a := x.deliver(); a != nil {
		_ = s.send(append(a.Body, ' '), true) // the client may be gone
	}
})

// HeadAlone ends the stream with the head of the answer.
var HeadAlone = framed("stream ends with the head", "stream ends with the head", func(x *exchange, s *http2stream) {
	if a := x.deliver(); a != nil {
		_ = s.locked(func() error { return s.headers(s.head(a.Status, http.Header{}), true) }) // the client may be gone
	}
})

// EvenStream sends frames on a stream that the client never opened: the connection is in error (RFC 9113, 5.1.1).
var EvenStream = framed("frames on no stream", "frames on no stream", func(x *exchange, s *http2stream) {
	x.deliver()
	_ = s.locked(func() error { return s.framer.WriteData(s.id+1000, true, []byte("{}")) }) // the client may be gone
	<-s.ctx.Done()
})
