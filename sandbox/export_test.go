package sandbox

import "time"

// Serve is what [Start] does with the listener that it makes.
var Serve = (*Sandbox).serve

// WithLimits sets how long the server waits for a client: for a header, a body, the reading of an answer, and the next request.
func WithLimits(header, body, answer, idle time.Duration) Option {
	return func(s *Sandbox) error { s.limits = limits{header, body, answer, idle}; return nil }
}
