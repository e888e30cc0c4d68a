package inbox

import (
	"context"
	"errors"
	"sync"
)

// handing keeps an entry from being changed while it is handed over, and from being handed over twice. Changes hold mu
// for reading until they are stored; a handover registers with mu locked, so that it sees all earlier changes.
type handing struct {
	mu     sync.RWMutex
	ids    map[string]chan struct{} // closed when it has ended
	closed bool
}

// begin waits until an ID is free, and takes it.
func (h *handing) begin(ctx context.Context, id string) error {
	for {
		h.mu.Lock()
		if h.closed {
			h.mu.Unlock()
			return ErrClosed
		}
		other := h.ids[id]
		if other == nil {
			if h.ids == nil {
				h.ids = map[string]chan struct{}{}
			}
			h.ids[id] = make(chan struct{})
			h.mu.Unlock()
			return nil
		}
		h.mu.Unlock()
		if err := wait(ctx, other); err != nil {
			return err
		}
	}
}

func (h *handing) end(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.ids[id])
	delete(h.ids, id)
}

// change calls change until it returns no ID to wait for. In the meantime no handover begins.
func (h *handing) change(ctx context.Context, change func() (wait <-chan struct{}, err error)) error {
	for {
		h.mu.RLock()
		other, err := change()
		h.mu.RUnlock()
		if other == nil {
			return err
		}
		if err := wait(ctx, other); err != nil {
			return err
		}
	}
}

// close prevents new handovers, and waits for those in progress.
func (h *handing) close() {
	h.mu.Lock()
	h.closed = true
	var rest []chan struct{}
	for _, one := range h.ids {
		rest = append(rest, one)
	}
	h.mu.Unlock()
	for _, one := range rest {
		<-one
	}
}

func wait(ctx context.Context, other <-chan struct{}) error {
	select {
	case <-other:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errBusy rolls back a change to an entry that is being handed over.
var errBusy = errors.New("inbox: is being handed over")
