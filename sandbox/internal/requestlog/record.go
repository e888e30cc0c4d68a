package requestlog

import (
	"net/http"
	"time"
)

// MostBody is how many bytes of a body are kept.
const MostBody = 64 << 10

// Answer says what became of an answer on its way.
type Answer string

// The fates of an answer.
const (
	Sent     Answer = "sent"
	Cut      Answer = "cut"      // within its body
	NotSent  Answer = "not_sent" // the connection was cut in its place
	Replaced Answer = "replaced" // another was sent in its place
)

// Record is a request, and how it was answered.
type Record struct {
	ID        uint64
	At, Clock time.Time // in the sandbox; Clock without what its time was advanced by
	Took      time.Duration
	QAPI      bool // to Qredo API v1
	Operation string
	IDs       map[string]string // what stands at the placeholders of its path
	Method    string
	URL       string
	Proto     string
	Header    http.Header // as it came; nobody changes it
	Body      Body

	Status       int // 0 if none was sent
	AnswerHeader []Header
	AnswerBody   Body // what was sent
	Answer       Answer
	Handled      *Handled // what would have been answered, where something else was, or nothing
	Fault        string   // that hit it
	ResentFrom   uint64
}

// Handled is what a request was answered by what handled it.
type Handled struct {
	Status int
	Body   Body
}

// Header is a line of a header.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Body is what is kept of a body.
type Body struct {
	Bytes []byte
	Size  int // in all
}

// Cut reports whether there was more.
func (b Body) Cut() bool { return b.Size > len(b.Bytes) }

// KeepBody is the beginning of a body, as much of it as is kept.
func KeepBody(body []byte) Body { return Body{body[:min(len(body), MostBody)], len(body)} }

// add keeps what of more there is room for.
func (b *Body) add(more []byte) {
	if room := MostBody - len(b.Bytes); room > 0 {
		b.Bytes = append(b.Bytes, more[:min(room, len(more))]...)
	}
	b.Size += len(more)
}

// Writer notes what is answered, in a record that can be used again.
type Writer struct {
	http.ResponseWriter
	Record Record
}

// Begin notes another answer.
func (w *Writer) Begin(to http.ResponseWriter) {
	header, body := w.Record.AnswerHeader[:0], w.Record.AnswerBody.Bytes[:0]
	*w = Writer{ResponseWriter: to}
	w.Record.AnswerHeader, w.Record.AnswerBody.Bytes = header, body
}

// WriteHeader notes the status and the headers.
func (w *Writer) WriteHeader(status int) {
	w.Record.Status = status
	for name, values := range w.Header() {
		for _, value := range values {
			w.Record.AnswerHeader = append(w.Record.AnswerHeader, Header{name, value})
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the body.
func (w *Writer) Write(data []byte) (int, error) {
	w.Record.AnswerBody.add(data)
	return w.ResponseWriter.Write(data)
}

// Unwrap is for [http.ResponseController].
func (w *Writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }
