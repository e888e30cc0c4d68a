package pgstore

import "sync"

// Calls counts calls that are under way, so that a store is closed when the last of them has ended, and none after it.
type Calls struct {
	mu     sync.Mutex
	closed bool
	some   sync.WaitGroup
}

// Enter begins a call. It reports false once the store is closed.
func (c *Calls) Enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.some.Add(1)
	}
	return !c.closed
}

// Fork begins another call while one is under way.
func (c *Calls) Fork() { c.some.Add(1) }

// Leave ends a call.
func (c *Calls) Leave() { c.some.Done() }

// End lets no more calls begin and waits for the others.
func (c *Calls) End() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.some.Wait()
}
