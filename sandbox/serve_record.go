package sandbox

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// recording is a request in progress, for the log.
type recording struct {
	requestlog.Writer
	log   *Sandbox // nil: it is not logged
	began time.Time
	rule  FaultRule // that hits it
}

// recordings are reused: each has a buffer for an answer.
var recordings = sync.Pool{New: func() any { return &recording{} }}

// record begins to note a request: what is written to what it returns is noted, unless nothing is.
func (s *Sandbox) record(w http.ResponseWriter, r *http.Request, resentFrom uint64) (*recording, http.ResponseWriter) {
	rec := recordings.Get().(*recording)
	rec.Begin(w)
	rec.log, rec.began, rec.rule = nil, time.Now(), FaultRule{}
	rec.Record.URL, rec.Record.Header = access.RequestURL(r), r.Header
	if s.requests == nil {
		return rec, w
	}
	rec.log = s
	rec.Record.At, rec.Record.Clock = s.world.Now(), s.clock()
	rec.Record.Method, rec.Record.Proto, rec.Record.ResentFrom = r.Method, r.Proto, resentFrom
	return rec, rec
}

// handled records an answer that a fault keeps from the client.
func (r *recording) handled(status int, reply any, err error) {
	switch r.rule.Kind {
	case FaultDropAnswer, FaultCutBody, FaultErrorHandled, FaultHTML, FaultNoTxID:
	default:
		return
	}
	if err != nil {
		f := serve.FaultOf(err)
		status, reply = f.Status, f.Answer()
	}
	if data, err := json.Marshal(reply); err == nil {
		r.Record.Handled = &requestlog.Handled{Status: status, Body: requestlog.KeepBody(data)}
	}
}

// end logs the request, once.
func (r *recording) end() {
	s := r.log
	if s == nil {
		return
	}
	r.log = nil
	rec := &r.Record
	rec.Took, rec.Fault, rec.Answer = time.Since(r.began), string(r.rule.Kind), requestlog.Sent
	switch {
	case rec.Status == 0:
		rec.Answer = requestlog.NotSent
	case r.rule.Kind == FaultCutBody:
		rec.Answer = requestlog.Cut
	case rec.Handled != nil:
		rec.Answer = requestlog.Replaced
	}
	if isRefused(rec.Status) {
		s.refused.Add(1)
	}
	s.live.Tell(liveRequest, s.requests.Add(func(number uint64) (*requestlog.Packed, int) {
		if own, isOwn := r.ResponseWriter.(*sentHere); isOwn {
			own.id = number
		}
		p := rec.Pack(number)
		return p, p.Bytes()
	}))
}

// release makes the recording available to another request.
func (r *recording) release() {
	r.Begin(nil)
	recordings.Put(r)
}
