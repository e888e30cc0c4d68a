package sandbox

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"math"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
	"github.com/qredo-go/qredo/sandbox/internal/console"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/live"
	"github.com/qredo-go/qredo/sandbox/internal/partner"
	"github.com/qredo-go/qredo/sandbox/internal/qredoapi"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/store"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Sandbox emulates the service. It is an [http.Handler] that serves the Partner API under /api/v1/p, Qredo API v1 under
// /qapi/v1, and its own control calls under /sandbox/v1/.
type Sandbox struct {
	keys    *access.Keys
	assets  []qredo.Asset
	clock   func() time.Time
	seed    uint64
	choices choices // where the sources disagree

	auth       *qredo.RSAAuth // of its own key
	hmacAuth   *qredo.HMACAuth
	begin      *world.Saved // what it starts with, if anything
	restored   *access.Restored
	snapshots  *store.Named
	storeDir   string     // where the state is kept, if anywhere
	keyDir     string     // where the key is kept, if anywhere
	publicURLs []*url.URL // other base URLs that clients may have signed for

	worldFile string // that it begins with

	gate         control.Gate // before the control calls
	controlToken string
	probe        probe // of the store

	// For Start.
	listen    string
	tlsDir    string
	limits    limits
	noConsole bool
	url       string        // of the server, without a path; empty where there is none
	console   *console.Door // nil where nobody is let in

	world    *world.World
	apis     []api
	feeds    *serve.Feeds
	faults   faults
	requests *requestlog.Ring[requestlog.Packed]
	refused  atomic.Int64 // of the requests since they were last forgotten
	events   *requestlog.Ring[Event]
	live     *live.Hub
}

// Option changes how a sandbox works.
type Option func(*Sandbox) error

// invalid is an option, or an argument, that cannot be right.
func invalid(field, rule string, args ...any) error {
	return &qredo.ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// WithClock sets the clock. [Sandbox.Advance] adds to it. Default: [time.Now].
func WithClock(now func() time.Time) Option {
	return func(s *Sandbox) error {
		if now == nil {
			return invalid("clock", "must not be nil")
		}
		s.clock = now
		return nil
	}
}

// WithSeed sets the random seed: runs with the same seed, the same clock and the same requests have the same identifiers and
// addresses, and the same private keys behind those. API keys and secrets of signing agents are always random. Default: a
// different seed in each run.
func WithSeed(seed uint64) Option {
	return func(s *Sandbox) error { s.seed = seed; return nil }
}

// WithTestnetOnly offers only testnet assets, as the hosted sandbox did. Default: all known assets.
func WithTestnetOnly() Option {
	return func(s *Sandbox) error {
		s.assets = slices.DeleteFunc(s.assets, func(a qredo.Asset) bool { return !a.TestAsset })
		return nil
	}
}

// WithStore keeps the sandbox's state in a folder, so that a later sandbox can continue from it: each request that changes
// something is on disk before it is answered. The provisioned key is kept there too, as by [WithKeyDir], unless that names
// another folder. Only one sandbox at a time can use the folder. Nonces are not kept: a repeated nonce is refused only as long
// as the sandbox runs. A folder keeps its seed, whatever [WithSeed] says later. If something in the folder is not as it was
// written, New refuses it and names the place. Default: the state is in memory, and ends with the sandbox.
func WithStore(dir string) Option {
	return func(s *Sandbox) error { s.storeDir = dir; return nil }
}

// New creates a sandbox without companies, with a key for each API: see [Sandbox.Auth] and [Sandbox.HMACAuth]. A wrong option
// is a [*qredo.ValidationError].
func New(opts ...Option) (*Sandbox, error) {
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	s := &Sandbox{
		keys:   access.NewKeys(),
		assets: knownAssets(),
		clock:  time.Now,
		seed:   binary.LittleEndian.Uint64(seed[:]),
		listen: "127.0.0.1:0",
		limits: usualLimits,

		events:   requestlog.NewRing[Event](mostEvents, math.MaxInt),
		requests: requestlog.NewRing[requestlog.Packed](mostRequests, mostRequestBytes),
		live:     live.NewHub(),
		choices:  choices{Choices: world.Choices{Fees: world.FeeSchedule(defaultFees)}},
	}
	s.feeds = serve.NewFeeds(func() { s.live.Tell(liveFeeds, struct{}{}) })
	for _, opt := range opts {
		if err := opt(s); err != nil {
			return nil, err
		}
	}
	if s.keyDir == "" {
		s.keyDir = s.storeDir
	}
	for _, step := range []func() error{s.provisionKeys, s.openWorld, s.beginWorld} {
		if err := step(); err != nil {
			if s.world != nil {
				_ = s.Close()
			}
			return nil, err
		}
	}
	return s, nil
}

// openWorld makes the world, from its store if there is one, and the APIs that serve it.
func (s *Sandbox) openWorld() error {
	c := world.Config{Clock: s.clock, Seed: s.seed, Choices: s.choices.Choices, Assets: s.assets, Changed: s.changed}
	if s.storeDir != "" {
		folder, err := store.Open(s.storeDir)
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		c.Store = folder
	}
	var err error
	if s.world, err = world.New(c); err != nil {
		if c.Store != nil {
			_ = c.Store.Close()
		}
		return fmt.Errorf("sandbox: %w", err)
	}
	if s.begin != nil && s.world.IsEmpty() {
		if err := s.world.Put(s.begin); err != nil {
			_ = s.world.Close()
			return err
		}
	}
	s.openSnapshots()
	s.apis = []api{
		{partner.API(s.choices.initiators), false, s.authenticatePartner},
		{qredoapi.API(s.choices.wholeUnits), true, s.authenticateHMAC},
	}
	return nil
}

// Now returns the sandbox's time: the clock's, plus what it was advanced by.
func (s *Sandbox) Now() time.Time { return s.world.Now() }

// view runs f with the current world, and converts refusals to the service's form.
func (s *Sandbox) view(f func(v *world.View) error) error { return serve.AsFault(s.world.View(f)) }

// update runs commands, and converts refusals to the service's form.
func (s *Sandbox) update(f func(u *world.Update) error) error {
	return serve.AsFault(s.world.Update(f))
}

// Close ends the feeds and [Sandbox.Live]. A [Server] has its own Close, which does this too.
func (s *Sandbox) Close() error {
	s.live.Close()
	s.feeds.Close()
	return s.world.Close()
}

// Reset deletes everything except the keys, and the nonces that were used with them.
func (s *Sandbox) Reset() error { return s.replace(s.world.Reset) }

// replace replaces this world with another.
func (s *Sandbox) replace(put func() error) error {
	if err := put(); err != nil {
		return err
	}
	s.DropFeeds() // their positions are in a log that no longer exists
	s.live.Tell(liveReset, struct{}{})
	return nil
}
