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

// core is what a Signer has. It does not hold the Signer, which can so be collected and leaves the core to be cleared up.
type core struct {
	config
	public *rsa.PublicKey
	goKey  *rsa.PrivateKey // nil for a key by URI
	native *nativeKey      // nil where the library was not tried

	slots chan *slot   // free ones
	live  atomic.Int32 // slots that hold memory of the library, or may come to

	mu     sync.Mutex
	impl   Implementation
	active bool          // the library signs
	over   bool          // slots that come back are freed
	closed bool          // nothing signs any more
	ended  chan struct{} // closed with over
	freed  chan struct{} // closed when nothing in the library is the core's any more
	broken error         // why the library is used no more; nil if it is, or never was
}

// slot is room for one signature of the library at a time. Its memory is the library's to write to while it signs, for which it
// must be on the heap, which it is as part of a core.
type slot struct {
	contexts  slotContexts
	digest    [64]byte
	signature [maxBits / 8]byte
	length    uintptr
	err       error
	done      chan struct{} // takes one
	state     atomic.Int32
	watched   chan struct{} // closed when the library is done with what nobody waits for any more
}

func newSlot() *slot { return &slot{done: make(chan struct{}, 1)} }

// The states of a slot that signs. Who finds the other's leaves the slot to it.
const (
	stateSigning int32 = iota
	stateDone
	stateLeft
)

// steps are those of a deadline.
const steps = 5

var (
	errEnded = errors.New("the library is used no more")
	errLate  = errors.New("the library did not answer in time")
	errWrong = errors.New("the library made a wrong signature")
)

func newCore(cfg *config, public *rsa.PublicKey, goKey *rsa.PrivateKey) *core {
	return &core{config: *cfg, public: public, goKey: goKey, ended: make(chan struct{}), freed: make(chan struct{})}
}

// use begins to use the library.
func (c *core) use(native *nativeKey) {
	c.native, c.active = native, true
	c.slots = make(chan *slot, c.parallel)
	c.live.Store(int32(c.parallel)) //nolint:gosec // at most maxParallel
	for range c.parallel {
		c.slots <- newSlot()
	}
}

// sign makes a signature with the library, verified by Go.
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

// explain is why the library was not waited for.
func (c *core) explain(err error) error {
	switch {
	case errors.Is(err, errEnded):
		return c.whyEnded()
	case errors.Is(err, errLate):
		return c.failed(err)
	}
	return err // the context's
}

// await takes what comes from a channel, unless the context or the library's use ends or the deadline passes before. The deadline is in steps, so
// that a program that was stopped, or a machine that slept, does not take the library for blocked: that takes one step, whatever it lasts.
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

// take waits for a free slot. With a key of the program's own that has no end of its own: those who have the slots have one, and they
// may be many.
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

// leave gives up waiting for a slot, and reports whether the library was still signing: then it goes on, and is found out if it never ends.
func (c *core) leave(s *slot) bool {
	done := make(chan struct{})
	s.watched = done
	if !s.state.CompareAndSwap(stateSigning, stateLeft) {
		return false
	}
	if c.goKey == nil {
		return true // its slot is missing until it ends, and no more
	}
	go func() {
		if _, err := await(context.Background(), &c.config, done, c.ended); errors.Is(err, errLate) {
			_ = c.failed(err)
		}
	}()
	return true
}

// verified is the signature in a slot, which is given back.
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

// verified is the signature, if it is right.
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

// failed says what went wrong. With a key of the program's own the library is used no more.
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

// close makes an end of signing.
func (c *core) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
}

// stop makes an end of the library, and frees what the library has: at once what is not in use, and the rest as it comes back.
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
		c.slots <- s // which has room for all
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
