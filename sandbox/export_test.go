package sandbox

import (
	"net/http"
	"time"
)

// Serve is what [Start] does with the listener that it makes.
var Serve = (*Sandbox).serve

// WithLimits sets how long the server waits for a client: for a header, a body, the reading of an answer, and the next request.
func WithLimits(header, body, answer, idle time.Duration) Option {
	return func(s *Sandbox) error { s.limits = limits{header, body, answer, idle}; return nil }
}

// LimitAnswer is what a server's answers are written through.
func LimitAnswer(w http.ResponseWriter, patience time.Duration) http.ResponseWriter {
	return &limitedWriter{w, http.NewResponseController(w), patience}
}
