// Package live tells those who listen what happens, as it happens. Who is too slow to hear is left: nobody waits for
// them.
package live

import (
	"sync"
	"sync/atomic"
)

// waiting is how much may wait for who listens.
const waiting = 512

// Message is something that happened.
type Message struct {
	Kind string
	Item any
}

// Hub is where it is told.
type Hub struct {
	mu        sync.Mutex
	listeners map[*Listener]bool
	count     atomic.Int32
	closed    bool
}

// NewHub makes a hub at which nobody listens.
func NewHub() *Hub { return &Hub{listeners: map[*Listener]bool{}} }

// Listener hears what is told from when it began. C is closed when it was too slow, or at the end.
type Listener struct {
	C   <-chan Message
	c   chan Message
	hub *Hub
}

// Listen begins to listen.
func (h *Hub) Listen() *Listener {
	c := make(chan Message, waiting)
	l := &Listener{c, c, h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(c)
		return l
	}
	h.listeners[l] = true
	h.count.Store(int32(len(h.listeners))) //nolint:gosec // as many as connections
	return l
}

// next returns what has been told already, an empty message if that is nothing, and false once there is no more to come.
func (l *Listener) next() (m Message, open bool) {
	select {
	case m, open = <-l.C:
		return m, open
	default:
		return Message{}, true
	}
}

// Leave ends listening.
func (l *Listener) Leave() {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	l.hub.leave(l)
}

func (h *Hub) leave(l *Listener) {
	if h.listeners[l] {
		delete(h.listeners, l)
		h.count.Store(int32(len(h.listeners))) //nolint:gosec // as many as connections
		close(l.c)
	}
}

// Tell tells all who listen.
func (h *Hub) Tell(kind string, item any) {
	if h.count.Load() == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		select {
		case l.c <- Message{kind, item}:
		default:
			h.leave(l)
		}
	}
}

// Close ends listening for all.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for l := range h.listeners {
		h.leave(l)
	}
}
