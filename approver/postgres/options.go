package postgres

import (
	"time"

	"github.com/qredo-go/qredo/approver/internal/seals"
)

// Option changes how a [Store] works.
type Option func(*Store) error

// WithLease sets how long a replica keeps an action without a sign of life: after a replica dies, another takes over when this
// time has passed. Default: 10 s.
func WithLease(d time.Duration) Option {
	return func(s *Store) error {
		s.lease = d
		return check(d >= 10*time.Millisecond, "lease", "must be at least 10ms, is %s", d)
	}
}

// WithClock makes the windows of limits follow your own clock. It is for tests: the clocks of all replicas would have to agree.
// Default: the clock of the server.
func WithClock(now func() time.Time) Option {
	return func(s *Store) error { s.now = now; return check(now != nil, "clock", "must not be nil") }
}

// WithLossAccepted gives the store a new epoch if its own is gone: a person has accepted that limits start from zero. The audit
// logs must be told too: see [approver.AcceptLoss]. With a sealing key, what was sealed in the earlier epoch is removed. Default:
// a store without its epoch is refused.
func WithLossAccepted() Option {
	return func(s *Store) error { s.accepted = true; return nil }
}

// WithSealingKey seals each decision and each entry of a limit's counter with a secret key of at least 16 bytes: what somebody
// without the key has written into the tables, changed in them, or moved is refused. All programs that share the tables need the
// key. To change it, give the new one first and the old one after it: see [approver.WithSealingKey]. Default: no key; a stored
// approval that a replica's audit log does not have is carried out only if its policy still approves, and counters are believed.
func WithSealingKey(key []byte, older ...[]byte) Option {
	return func(s *Store) (err error) {
		if s.seals, err = seals.New(key, older...); err != nil {
			return check(false, "sealing key", "%s", err)
		}
		return nil
	}
}

// WithUnsealedAccepted seals tables that have no seals yet, with everything in them, when they are opened with [WithSealingKey]: a
// person has accepted that nobody else has written to them. Stop all approvers first, and do not leave the option in a program:
// it would also accept tables from which somebody has removed what shows that they are sealed. If the tables are sealed, the
// option changes nothing. Default: tables without seals are refused.
func WithUnsealedAccepted() Option {
	return func(s *Store) error { s.unsealed = true; return nil }
}
