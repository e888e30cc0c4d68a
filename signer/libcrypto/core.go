package libcrypto

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// core is the state of a Signer. It does not refer to the Signer, which can therefore be collected while the core remains
// to be cleaned up.
type core struct {
	config
	public *rsa.PublicKey
	goKey  *rsa.PrivateKey // nil for a key by URI
	native *nativeKey      // nil if the library was not tried

	slots chan *slot   // free ones
	live  atomic.Int32 // slots that hold memory of the library, or may do so later

	mu     sync.Mutex
	impl   Implementation
	active bool          // the library is in use
	over   bool          // returned slots are freed
	closed bool          // nothing signs any more
	ended  chan struct{} // closed with over
	freed  chan struct{} // closed when the core has nothing left in the library
	broken error         // why the library is no longer used; nil if it is, or never was
}

// slot is room for one signature of the library at a time. The library writes to its memory while it signs, so it must be
// on the heap; it is, as part of a core.
type slot struct {
	contexts  slotContexts
	digest    [64]byte
	signature [maxBits / 8]byte
	length    uintptr
	err       error
	done      chan struct{} // takes one
	state     atomic.Int32
	watched   chan struct{} // closed when the library has finished a signature that nobody waits for any more
}

func newSlot() *slot { return &slot{done: make(chan struct{}, 1)} }

// States of a slot that signs. Whoever comes second leaves the slot to the other.
const (
	stateSigning int32 = iota
	stateDone
	stateLeft
)

// steps is the number of steps of a deadline.
const steps = 5

var (
	errEnded = errors.New("the library is no longer used")
	errLate  = errors.New("the library did not answer in time")
	errWrong = errors.New("the library made a wrong signature")
)

func newCore(cfg *config, public *rsa.PublicKey, goKey *rsa.PrivateKey) *core {
	return &core{config: *cfg, public: public, goKey: goKey, ended: make(chan struct{}), freed: make(chan struct{})}
}

// use starts using the library.
func (c *core) use(native *nativeKey) {
	c.native, c.active = native, true
	c.slots = make(chan *slot, c.parallel)
	c.live.Store(int32(c.parallel)) //nolint:gosec // at most maxParallel
	for range c.parallel {
		c.slots <- newSlot()
	}
}

// sign makes a signature with the library, which Go verifies.
func (c *core) sign(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	s, err := c.take(ctx)
	if err != nil {
		return nil, err
	}
	copy(s.digest[:], digest)
	s.state.Store(stateSigning)
	go c.run(s, hash)
	if _, err = await(ctx, &c.config, s.done, c.ended); err == nil {
		return c.verified(s, hash)
	}
	err = c.explain(err)
	if !c.leave(s) {
		<-s.done
		c.put(s)
	}
	return nil, err
}

// explain says why the wait for the library ended.
func (c *core) explain(err error) error {
	switch {
	case errors.Is(err, errEnded):
		return c.whyEnded()
	case errors.Is(err, errLate):
		return c.failed(err)
	}
	return err // the context's
}

// await receives from a channel, unless the context or the use of the library ends or the deadline passes first. The
// deadline is in steps, so that a program that was suspended, or a machine that slept, does not seem to be a blocked
// library: a suspension counts as one step, however long it lasts.
func await[T any](ctx context.Context, cfg *config, from <-chan T, ended <-chan struct{}) (T, error) {
	var none T
	for range steps {
		step := cfg.timer(cfg.deadline / steps)
		select {
		case got := <-from:
			step.stop()
			return got, nil
		case <-ctx.Done():
			step.stop()
			return none, ctx.Err()
		case <-ended:
			step.stop()
			return none, errEnded
		case <-step.c:
		}
	}
	return none, errLate
}

// take waits for a free slot. With a key of the program's own there is no separate deadline: the signatures in the slots
// have one, and there may be many callers.
func (c *core) take(ctx context.Context) (*slot, error) {
	select {
	case s := <-c.slots:
		return s, nil
	default:
	}
	if c.goKey == nil {
		s, err := await(ctx, &c.config, c.slots, c.ended)
		if err != nil {
			return nil, c.explain(err)
		}
		return s, nil
	}
	select {
	case s := <-c.slots:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.ended:
		return nil, c.whyEnded()
	}
}

// run has the library sign, in a goroutine of its own because nothing can stop it.
func (c *core) run(s *slot, hash crypto.Hash) {
	s.err = c.native.sign(s, hash)
	if s.state.CompareAndSwap(stateSigning, stateDone) {
		s.done <- struct{}{}
		return
	}
	close(s.watched)
	c.put(s)
}

// leave gives up waiting for a slot, and reports whether the library was still signing: then it goes on, and the slot
// comes back if it ever ends.
func (c *core) leave(s *slot) bool {
	done := make(chan struct{})
	s.watched = done
	if !s.state.CompareAndSwap(stateSigning, stateLeft) {
		return false
	}
	if c.goKey == nil {
		return true // only its slot is missing until it ends
	}
	go func() {
		if _, err := await(context.Background(), &c.config, done, c.ended); errors.Is(err, errLate) {
			_ = c.failed(err)
		}
	}()
	return true
}

// verified returns the verified signature of a slot, and gives the slot back.
func (c *core) verified(s *slot, hash crypto.Hash) ([]byte, error) {
	defer c.put(s)
	if s.err != nil {
		return nil, c.failed(s.err)
	}
	signature, err := s.verified(c.public, hash)
	if err != nil {
		return nil, c.failed(err)
	}
	return signature, nil
}

// verified returns the signature, if it is right.
func (s *slot) verified(public *rsa.PublicKey, hash crypto.Hash) ([]byte, error) {
	if s.length != uintptr(public.Size()) {
		return nil, errWrong
	}
	signature := bytes.Clone(s.signature[:s.length])
	if rsa.VerifyPKCS1v15(public, hash, s.digest[:hash.Size()], signature) != nil {
		return nil, errWrong
	}
	return signature, nil
}

// failed says what went wrong. With a key of the program's own, the library is no longer used.
func (c *core) failed(why error) error {
	err := fmt.Errorf("%w: %w", ErrFailed, why)
	if c.goKey == nil {
		return err
	}
	c.mu.Lock()
	if c.broken == nil && !c.closed {
		c.broken = err
		if c.mode == ModeAuto {
			c.impl.Name, c.impl.Reason = ModeGo, why.Error()
		} else {
			c.impl.Reason = why.Error() + ": no more signatures are made"
		}
	}
	c.mu.Unlock()
	c.stop()
	return err
}

func (c *core) whyEnded() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	return c.broken
}

// close stops signing.
func (c *core) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
}

// stop stops using the library, and frees what it has allocated: unused slots at once, and the others when they are given
// back.
func (c *core) stop() {
	c.mu.Lock()
	again := c.over
	c.over, c.active = true, false
	c.mu.Unlock()
	if again {
		return
	}
	close(c.ended)
	for c.native != nil {
		select {
		case s := <-c.slots:
			go c.free(s) // a library that blocks may do so here too
		default:
			return
		}
	}
}

// put gives a slot back.
func (c *core) put(s *slot) {
	clear(s.digest[:])
	c.mu.Lock()
	over := c.over
	if !over {
		c.slots <- s // the channel has room for all of them
	}
	c.mu.Unlock()
	if over {
		go c.free(s)
	}
}

// free frees a slot, and with the last one the key.
func (c *core) free(s *slot) {
	c.native.freeSlot(s)
	if c.live.Add(-1) == 0 {
		c.native.free()
		close(c.freed)
	}
}
