package faultproxy

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// When is when a request is carried out that something else than the server answers.
type When int

// The times.
const (
	Never  When = iota // it is not passed on
	Before             // it was carried out before the answer
	After              // it is carried out after the answer
)

func (w When) String() string {
	return [...]string{"not carried out", "carried out", "carried out later"}[w]
}

// instead answers in the server's place.
func (x *exchange) instead(w When, a *Answer) {
	if !x.receive() {
		return
	}
	switch w {
	case Never:
	case Before:
		x.deliver()
	case After:
		if !x.pass() {
			return
		}
		x.p.truth.begin() // before the answer, so that it cannot be missed
		defer x.p.wg.Go(func() {
			_ = wait(x.p.ctx, x.p.config.Pause)
			x.send()
		})
	}
	x.answer(a)
}

// Page is an answer in the server's place. With date it has one that is so far off; header is added to it.
func Page(status int, form Form, w When, header http.Header, date ...time.Duration) Fault {
	kind := fmt.Sprintf("page %dxx %s, %s", status/100, form.Name, w)
	name := fmt.Sprintf("page %d %s, %s", status, form.Name, w)
	for key, values := range header {
		name += ", " + key + " " + strings.Join(values, " ")
	}
	if len(date) > 0 {
		kind, name = kind+", with a date", fmt.Sprintf("%s, date %+d s off", name, int(date[0]/time.Second))
	}
	return Fault{Name: name, Kind: kind, At: AnyHTTP | WebSocket, exchange: func(x *exchange) {
		a := form.page(status)
		for key, values := range header {
			a.Header[http.CanonicalHeaderKey(key)] = values
		}
		if len(date) > 0 {
			a.date(date[0])
		}
		x.instead(w, a)
	}}
}

// AnyPage is a page with a status from 200 to 599 that is left to chance.
func AnyPage(class int, form Form, w When) Fault {
	kind := fmt.Sprintf("page %dxx %s, %s", class, form.Name, w)
	return Fault{Name: kind, Kind: kind, At: AnyHTTP, exchange: func(x *exchange) {
		f := Page(class*100+x.random.IntN(100), form, w, nil)
		x.note(func(r *Record) { r.Fault = f.Name })
		f.exchange(x)
	}}
}

// Redirect sends the client elsewhere.
func Redirect(status int, location string, w When) Fault {
	f := Page(status, HTML, w, http.Header{"Location": {location}})
	f.Kind = "redirect, " + w.String()
	return f
}

// Altered is the server's own answer, changed on its way.
func Altered(kind, name string, change func(*Answer)) Fault {
	return Fault{Name: name, Kind: kind, At: AnyHTTP, exchange: func(x *exchange) {
		a := x.deliver()
		if a != nil {
			a = a.clone()
			change(a)
		}
		x.answer(a)
	}}
}

// WrongDate changes the Date of the server's answer.
func WrongDate(off time.Duration) Fault {
	return Altered("date wrong", fmt.Sprintf("date %+d s off", int(off/time.Second)), func(a *Answer) { a.date(off) })
}

// NoDate removes it.
var NoDate = Altered("date missing", "date missing", func(a *Answer) { a.Header.Del("Date") })

// Aged makes the server's answer one that a cache has kept.
func Aged(age time.Duration) Fault {
	return Altered("aged", fmt.Sprintf("aged %d s", int(age/time.Second)), func(a *Answer) {
		a.date(-age)
		a.Header.Set("Age", strconv.Itoa(int(age/time.Second)))
	})
}

// EmptyBody takes the body off the server's answer.
var EmptyBody = Altered("empty body", "empty body", func(a *Answer) { a.Body = nil })

// OtherBody puts another in its place, with the status that the server gave.
func OtherBody(form Form) Fault {
	name := "the server's status, " + form.Name + " body"
	return Altered(name, name, func(a *Answer) {
		a.Body = []byte(form.Body(a.Status))
		a.Header.Set("Content-Type", form.Type)
	})
}

// Duplicate delivers a request twice, and gives the client the first or the second answer.
func Duplicate(second bool) Fault {
	name := "delivered twice, first answer"
	if second {
		name = "delivered twice, second answer"
	}
	return Fault{Name: name, Kind: name, At: AnyHTTP, exchange: func(x *exchange) {
		a := x.deliver()
		if b := x.deliver(); second {
			a = b
		}
		x.answer(a)
	}}
}

// DuplicateLater delivers a request once more when its answer was given.
var DuplicateLater = Fault{Name: "delivered again later", Kind: "delivered again later", At: AnyHTTP, exchange: func(x *exchange) {
	a := x.deliver()
	x.deliverLater()
	x.answer(a)
}}

// DuplicateLost delivers a request twice and loses both answers.
var DuplicateLost = Fault{Name: "delivered twice, both answers lost", Kind: "delivered twice, both answers lost", At: AnyHTTP, exchange: func(x *exchange) {
	x.deliver()
	x.deliver()
	x.reset()
}}

// Stale gives an answer that the server gave to an earlier request: to one of the same method to the same kind of target,
// where like is true, else to one of another method. Where there is none the connection is reset.
func Stale(like bool, w When) Fault {
	kind := "stale answer to another method, " + w.String()
	lies := ""
	if like {
		kind = "stale answer to the same kind of request, " + w.String()
		lies = "an answer is to the request it follows (RFC 9112, 9.3)"
	}
	return Fault{Name: kind, Kind: kind, Lies: lies, At: AnyHTTP, exchange: func(x *exchange) {
		mine := shape(x.req.Method, x.req.Target)
		fits := func(k kept) bool { return k.method != x.req.Method }
		if like {
			fits = func(k kept) bool { return shape(k.method, k.target) == mine }
		}
		a := x.p.truth.stale(x.random.IntN(8), fits)
		if a == nil {
			if w == Before {
				x.deliver()
			}
			x.reset()
			return
		}
		x.instead(w, a)
	}}
}

// shape is what requests of one kind have in common: identifiers are long or have digits.
func shape(method, target string) string {
	path, _, _ := strings.Cut(target, "?")
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if len(part) > 20 || len(part) > 3 && strings.ContainsAny(part, "0123456789") {
			parts[i] = "*"
		}
	}
	return method + " " + strings.Join(parts, "/")
}

// Interim sends answers before the answer.
func Interim(status, times int) Fault {
	return Fault{Name: fmt.Sprintf("%d interim answers of %d", times, status), Kind: "interim answers", At: AnyHTTP, exchange: func(x *exchange) {
		for range times {
			if x.interim(status, http.Header{"Link": {"</style.css>; rel=preload"}}) != nil {
				break
			}
		}
		x.forward()
	}}
}

// InterimEndless sends answers before the answer, and none after them.
func InterimEndless(status int) Fault {
	return Fault{Name: fmt.Sprintf("interim answers of %d without end", status), Kind: "interim answers without end", At: AnyHTTP, exchange: func(x *exchange) {
		x.deliver()
		for n := 0; n < x.p.config.Bound && x.interim(status, nil) == nil && x.ctx.Err() == nil; n += 100 {
		}
		x.reset()
	}}
}

// ManyHeaders adds a number of headers to the server's response.
func ManyHeaders(count, size int) Fault {
	value := strings.Repeat("x", size)
	return Fault{Name: fmt.Sprintf("%d headers of %d bytes", count, size), Kind: "header flood", At: AnyHTTP, exchange: func(x *exchange) {
		a := x.deliver()
		if a == nil {
			return
		}
		x.note(func(r *Record) { r.answer(a) })
		_ = x.fields(a, func(n int) string { // the client has had enough
			if n == count {
				return ""
			}
			return value
		})
	}}
}

// Zeros replaces the server's response by a success with a body of zeros; on request compressed, so that few bytes on the
// connection become many at the client.
func Zeros(size int, compressed bool, w When) Fault {
	name := fmt.Sprintf("body of %d zeros", size)
	body := func() []byte { return make([]byte, size) }
	if compressed {
		name += ", compressed"
		body = sync.OnceValue(func() []byte { return squeeze(size) })
	}
	return Fault{Name: name + ", " + w.String(), Kind: "bomb, " + w.String(), At: AnyHTTP, exchange: func(x *exchange) {
		a := JSON.page(http.StatusOK)
		if compressed {
			a.Header.Set("Content-Encoding", "gzip")
		}
		a.Body = body()
		x.instead(w, a)
	}}
}

func squeeze(size int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.CopyN(z, zeros{}, int64(size))
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err) // to memory
	}
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// Early answers before the body of the request was read, and passes it on all the same.
func Early(status int) Fault {
	return Fault{Name: fmt.Sprintf("answer %d before the body was read", status), Kind: "early answer", At: AnyHTTP, exchange: func(x *exchange) {
		x.answer(HTML.page(status))
		x.deliver()
	}}
}
