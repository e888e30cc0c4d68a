package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/store"
)

// Sandbox is the service, emulated. It is an [http.Handler] that serves the Partner API under /api/v1/p,
// Qredo API v1 under /qapi/v1, and its own control calls under /sandbox/v1/.
type Sandbox struct {
	keys    *access.Keys
	assets  []qredo.Asset
	clock   func() time.Time
	seed    uint64
	choices choices // where the sources disagree

	auth       *qredo.RSAAuth // of its own key, and
	hmacAuth   *qredo.HMACAuth
	storeDir   string     // where the state is kept, if anywhere
	keyDir     string     // where the key is kept, if anywhere
	publicURLs []*url.URL // that clients may have signed for, besides the one asked for

	// For Start.
	listen string
	tlsDir string

	write   sync.Mutex // one writer at a time: held from checking a command until it has taken effect
	ids     *idSource
	journal *store.Journal // nil: what happens is kept in memory only

	feeds  *feeds
	faults faults

	mu    sync.RWMutex // held while the state is read or changed, never while anything is stored
	state *state
}

// Option changes how a sandbox works.
type Option func(*Sandbox) error

// WithClock sets where the time comes from: [time.Now] unless it is given. [Sandbox.Advance] adds to it.
func WithClock(now func() time.Time) Option {
	return func(s *Sandbox) error {
		if now == nil {
			return invalid("clock", "must not be nil")
		}
		s.clock = now
		return nil
	}
}

// WithSeed sets the seed of randomness: runs with the same seed, the same clock and the same requests have
// the same identifiers and addresses. Without it they are others each run. Keys are random in any case.
func WithSeed(seed uint64) Option {
	return func(s *Sandbox) error { s.seed = seed; return nil }
}

// WithTestnetOnly offers testnet assets only, as the hosted sandbox did: all known ones unless it is given.
func WithTestnetOnly() Option {
	return func(s *Sandbox) error {
		s.assets = slices.DeleteFunc(s.assets, func(a qredo.Asset) bool { return !a.TestAsset })
		return nil
	}
}

// New makes a sandbox with no companies in it and a key for each API: see [Sandbox.Auth] and
// [Sandbox.HMACAuth]. A wrong option is a [*qredo.ValidationError].
func New(opts ...Option) (*Sandbox, error) {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	s := &Sandbox{
		keys:    access.NewKeys(),
		assets:  knownAssets(),
		clock:   time.Now,
		seed:    binary.LittleEndian.Uint64(seed[:]),
		listen:  "127.0.0.1:0",
		feeds:   newFeeds(),
		state:   newState(),
		choices: choices{fees: defaultFees},
	}
	for _, opt := range opts {
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	if s.keyDir == "" {
		s.keyDir = s.storeDir
	}
	for _, step := range []func() error{s.provisionKeys, s.openStore} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Now returns the time in the sandbox: the clock's, and what it was advanced by.
func (s *Sandbox) Now() time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.now()
}

func (s *Sandbox) now() time.Time { return s.clock().Add(s.state.offset) }

// view runs f with the state as it is now, after what has expired by now has done so.
func (s *Sandbox) view(f func(st *state, now time.Time) error) error {
	for {
		s.mu.RLock()
		if now := s.now(); !s.state.due(now) {
			defer s.mu.RUnlock()
			return f(s.state, now)
		}
		s.mu.RUnlock()
		// Any command lets what is due expire, also one that does nothing.
		if err := s.update(func(*state, time.Time) ([]change, error) { return nil, nil }); err != nil {
			return err
		}
	}
}

// update runs a command: f checks it against the state, which it must not change, and returns what is to
// change. That is stored and then takes effect, all of it or, with an error, none.
func (s *Sandbox) update(f func(st *state, now time.Time) ([]change, error)) error {
	s.write.Lock()
	defer s.write.Unlock()
	// No lock on the state is needed for reading it here: only a writer changes it, and there is one.
	now := s.now()
	if ends := s.state.expired(now); len(ends) > 0 {
		if err := s.commit(ends, now); err != nil {
			return err
		}
	}
	changes, err := f(s.state, now)
	if err != nil {
		return err
	}
	return s.commit(changes, now)
}

func (s *Sandbox) commit(changes []change, now time.Time) error {
	if len(changes) == 0 {
		return nil
	}
	events := make([]event, len(changes))
	for i, c := range changes {
		events[i] = event{At: now, Change: c}
	}
	if err := s.store(events); err != nil {
		return fmt.Errorf("sandbox: storing: %w", err)
	}
	s.mu.Lock()
	for _, e := range events {
		e.Change.apply(s.state, e.At)
	}
	s.mu.Unlock()
	s.feeds.tell()
	return nil
}

// Close ends the feeds. A [Server] is closed by its own Close, which does this too.
func (s *Sandbox) Close() error {
	s.feeds.close()
	if s.journal == nil {
		return nil
	}
	return s.journal.Close()
}

// Reset forgets everything but the keys, and the nonces that were used with them.
func (s *Sandbox) Reset() error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.journal != nil {
		if err := s.journal.Reset(); err != nil {
			return fmt.Errorf("sandbox: reset: %w", err)
		}
	}
	s.mu.Lock()
	s.state = newState()
	s.mu.Unlock()
	s.DropFeeds() // their places are in a log that is gone
	return nil
}
