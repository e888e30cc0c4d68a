package postgres

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo/internal/pgstore"
	"github.com/qredo-go/qredo/outbox"
)

// keptBatch limits how many changes go into one statement.
const keptBatch = 256

// combiner makes changes that several goroutines ask for at the same time in one statement: while one runs, the next one
// collects.
type combiner struct {
	calls *pgstore.Calls
	apply func(context.Context, []change) []error

	mu      sync.Mutex
	waiting []*asked
	running bool
}

type asked struct {
	change
	ctx  context.Context // of the caller
	done chan error
}

// do makes one change.
func (c *combiner) do(ctx context.Context, ch change) error {
	if !c.calls.Enter() {
		return outbox.ErrClosed
	}
	defer c.calls.Leave()
	a := &asked{ctx: ctx, change: ch, done: make(chan error, 1)}
	c.mu.Lock()
	c.waiting = append(c.waiting, a)
	first := !c.running
	c.running = true
	c.mu.Unlock()
	if first {
		c.calls.Fork()
		go c.run()
	}
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run makes the collected changes until there are none left.
func (c *combiner) run() {
	defer c.calls.Leave()
	for batch := c.next(); len(batch) > 0; batch = c.next() {
		c.carryOut(batch)
	}
}

func (c *combiner) next() []*asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.waiting), keptBatch)
	batch := c.waiting[:n:n]
	c.waiting = c.waiting[n:]
	c.running = n > 0
	return batch
}

// carryOut makes a batch of changes. It may take as long as the most patient caller waits.
func (c *combiner) carryOut(batch []*asked) {
	batch = slices.DeleteFunc(batch, func(a *asked) bool { return a.ctx.Err() != nil })
	if len(batch) == 0 {
		return // all have given up
	}
	changes, until := make([]change, len(batch)), time.Time{}
	for i, a := range batch {
		deadline, limited := a.ctx.Deadline()
		if !limited {
			deadline = time.Now().Add(time.Minute)
		}
		if changes[i] = a.change; deadline.After(until) {
			until = deadline
		}
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(batch[0].ctx), until)
	defer cancel()
	for i, err := range c.apply(ctx, changes) {
		batch[i].done <- err
	}
}
