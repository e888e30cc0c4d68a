package redis

import "time"

// Option changes how a [Store] works.
type Option func(*Store) error

// WithLease sets how long a replica keeps an action without a sign of life: after a replica dies, another takes over when
// this time has passed. Default: 10 s.
func WithLease(d time.Duration) Option {
	return func(s *Store) error {
		s.lease = d
		return check(d >= 10*time.Millisecond, "lease", "must be at least 10ms, is %s", d)
	}
}

// WithClock makes the windows of limits follow your own clock. It is for tests: the clocks of all replicas would have to
// agree. Default: the clock of the Redis server.
func WithClock(now func() time.Time) Option {
	return func(s *Store) error { s.now = now; return check(now != nil, "clock", "must not be nil") }
}

// WithVolatile accepts a server that may lose data: its settings are not checked. If it loses everything, that is still
// noticed. Default: such a server is refused.
func WithVolatile() Option {
	return func(s *Store) error { s.volatile = true; return nil }
}

// WithLossAccepted gives the store a new epoch if its own is gone: a person has accepted that limits start from zero. The audit
// logs must be told too: see [approver.AcceptLoss].
func WithLossAccepted() Option {
	return func(s *Store) error { s.accepted = true; return nil }
}
