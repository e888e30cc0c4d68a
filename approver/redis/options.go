package redis

import "time"

// Option changes how a [Store] works.
type Option func(*Store) error

// WithLease sets for how long a replica has an action without a sign of life; 10 seconds unless given. That
// is how long it takes until another goes on after a replica has died.
func WithLease(d time.Duration) Option {
	return func(s *Store) error {
		s.lease = d
		return check(d >= 10*time.Millisecond, "lease", "must be at least 10ms, is %s", d)
	}
}

// WithClock makes windows roll by the caller's clock; unless given, by that of the Redis server. It is for
// tests: with several replicas their clocks would have to agree.
func WithClock(now func() time.Time) Option {
	return func(s *Store) error { s.now = now; return check(now != nil, "clock", "must not be nil") }
}

// WithVolatile takes a server that may forget what it was told: its settings are not looked at. What it forgets as
// a whole is noticed all the same. Unless given, such a server is refused.
func WithVolatile() Option {
	return func(s *Store) error { s.volatile = true; return nil }
}

// WithLossAccepted gives the store another epoch if its own is gone: a person has accepted that limits begin anew. Audit logs
// must be told too: see [approver.AcceptLoss].
func WithLossAccepted() Option {
	return func(s *Store) error { s.accepted = true; return nil }
}
