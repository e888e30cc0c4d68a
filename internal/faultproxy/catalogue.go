package faultproxy

import (
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http2"
)

// AtOnce are the faults of connections before a byte is read.
var AtOnce = []Fault{ResetAtOnce, FinishAtOnce, ShutAtOnce, SilentAtOnce}

// OfTLS are the faults of the handshake.
func OfTLS() ([]Fault, error) {
	wrong, err := WrongCertificates()
	return append(wrong, HandshakeReset, HandshakeClosed, HandshakeHangs, HandshakePlain, HandshakeAlert), err
}

// OfConnections are the faults that end a connection, or stop it, at a point of a request.
func OfConnections() []Fault {
	list := CarriedOutAfter()
	for _, p := range Points {
		list = append(list, Reset(p), Finish(p), Shut(p), Silent(p), RefuseFor(3*time.Millisecond, p))
	}
	for _, n := range []int{0, 1, 8, 12, 40, 100, 150, 200, -60, -20, -2, -1} {
		list = append(list, Cut(n, false), Cut(n, true), SilentWithin(n))
	}
	return append(list, CutAnywhere(false), CutAnywhere(true), Slow(20*time.Microsecond), CloseAfter)
}

// OfAnswers are the faults of requests and answers, which are the same in each version of HTTP. Pages have each of the
// forms; own is what the server's own errors look like, which no client can tell from them.
func OfAnswers(own Form) []Fault {
	list := []Fault{
		Duplicate(false), Duplicate(true), DuplicateLater, DuplicateLost, NoDate, EmptyBody, OtherBody(HTML), OtherBody(JSON), OtherBody(Null), OtherBody(List),
		Stale(false, Never), Stale(false, Before), Stale(true, Never), Stale(true, Before), InterimEndless(103), Early(200), Early(413), Early(503),
		ManyHeaders(300, 20), ManyHeaders(10_000, 1000), ManyHeaders(1, 10<<20),
	}
	for _, w := range []When{Never, Before, After} {
		for _, form := range []Form{HTML, Empty, JSON, own} {
			for class := 2; class <= 5; class++ {
				f := AnyPage(class, form, w)
				if form.Name == own.Name && (class == 2 || w != Never && class < 5) {
					f.Lies = "the words are the server's own" // a 5xx of the server promises nothing
				}
				list = append(list, f)
			}
		}
		for _, status := range []int{301, 302, 303, 307, 308} {
			list = append(list, Redirect(status, "/portal", w), Redirect(status, "http://127.0.0.1:1/", w))
		}
		list = append(list, Zeros(8<<20, true, w), Zeros(1<<20, false, w))
		for _, after := range []string{"0", "1", "-1", "99999999999999999999", "soon", "Fri, 31 Dec 1999 23:59:59 GMT"} {
			for _, status := range []int{429, 503} {
				f := Page(status, HTML, w, http.Header{"Retry-After": {after}})
				f.Kind = "Retry-After odd, " + w.String()
				list = append(list, f)
			}
		}
		for _, off := range []time.Duration{0, -26 * time.Hour, 25 * time.Hour, 400 * 24 * time.Hour, 90 * time.Second} {
			for _, status := range []int{200, 401, 403, 503} {
				list = append(list, Page(status, HTML, w, nil, off), Page(status, Empty, w, http.Header{"Age": {"86400"}}, off))
			}
		}
	}
	for _, off := range []time.Duration{-26 * time.Hour, -6 * time.Hour, 6 * time.Hour, 25 * time.Hour, 400 * 24 * time.Hour} {
		list = append(list, WrongDate(off))
	}
	list = append(list, Aged(time.Hour), Aged(36*time.Hour))
	for _, times := range []int{1, 3, 40} {
		list = append(list, Interim(http.StatusEarlyHints, times), Interim(http.StatusProcessing, times), Interim(http.StatusContinue, times))
	}
	return list
}

// OfHTTP1 are the faults of HTTP/1.1's own form.
func OfHTTP1(own Form) []Fault {
	refused := Unasked(own, 400)
	refused.Kind, refused.Lies = "unasked answer in the server's own words", "the words are the server's own"
	return slices.Concat(NotHTTP, []Fault{
		LengthWrong(-1), LengthWrong(-10), LengthWrong(+1), LengthWrong(+1000), Lengths("-1"), Lengths("2", "3"), Lengths("1e2"),
		ChunksWithoutEnd, ChunkSizeInvalid, ChunkSizeNegative, ChunkSizeHuge, ChunkTooLong, ChunksAndLength, ChunksForever,
		Switching(Never), Switching(Before), Switching(After), LastAnswer, Unasked(HTML, 408), Unasked(Empty, 200), refused, UnaskedStale,
	})
}

// OfHTTP2 are the faults of HTTP/2's own form.
func OfHTTP2() []Fault {
	list := []Fault{
		GoAwayGracefully, StreamSilent(AfterHead), StreamSilent(AfterRequest), StreamSilent(AfterDelivery), MaxStreams(0), MaxStreams(1),
		DataTooLong, DataTooShort, DataAlone, HeadAlone, EvenStream, ContinuationWithoutEnd,
		Flood("SETTINGS", 100), Flood("PING", 100), Flood("PING answers", 100), Flood("windows", 100),
	}
	for _, code := range Codes {
		for _, p := range Points {
			list = append(list, ResetStream(code, p))
		}
		list = append(list, ResetStreamWithin(code, false), ResetStreamWithin(code, true), ResetStreamAfter(code))
	}
	for _, code := range []http2.ErrCode{http2.ErrCodeNo, http2.ErrCodeProtocol, http2.ErrCodeInternal, http2.ErrCodeEnhanceYourCalm} {
		for _, last := range []Last{Below, At, Above} {
			for _, p := range Points {
				list = append(list, GoAway(code, last, p))
			}
		}
	}
	return list
}

// OfSockets are the faults of WebSockets that are open. Foreign messages are those that the server sends on another path.
func OfSockets(foreign string) []Fault {
	list := slices.Concat(InvalidFrames, []Fault{
		ResetMidFrame(1), ResetMidFrame(2), Fragmented(1), Fragmented(7), Endless(1), Endless(1 << 16), EndlessSlowly(time.Millisecond),
		SlowFrames(100 * time.Microsecond), Unsolicited(20), PingsUnanswered, DataHeldBack(0), DataHeldBack(1),
		SocketSilent(0, true, false), SocketSilent(1, true, true), SocketSilent(0, false, true), Binary, Repeated(2),
		Foreign("another kind", foreign), Foreign("empty", ""), Foreign("null", "null"), Foreign("list", "[]"), Foreign("html", "<html></html>"),
	})
	for _, at := range []int{0, 1, 2, 3, 10, -1} {
		list = append(list, CutFrame(1, at))
	}
	for _, code := range CloseCodes {
		list = append(list, ClosedWith(code, "", 1), ClosedWith(code, "going", 2))
	}
	return slices.Concat(list, AlteredHandshakes, HandshakePages(HTML), HandshakePages(Empty))
}
