package agentserver

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// The limits of a hub's memory.
const (
	maxQueued       = 256      // frames that a subscriber may be behind
	maxPending      = 10_000   // actions that are kept for later subscribers
	maxPendingBytes = 16 << 20 // and their bytes
	maxSubscribers  = 128
)

// Hub gives frames to subscribers, and remembers those of actions that are pending.
type Hub struct {
	now func() time.Time

	mu          sync.Mutex
	subscribers map[*Subscriber]struct{}
	pending     map[qredo.ActionID]kept
	bytes       int
	next        int64 // numbers what is kept, to preserve the order
	behind      int64 // how many times a queue was full
	forgotten   int64 // how many actions were dropped to make room
}

// kept is the frame of a pending action.
type kept struct {
	frame   []byte
	number  int64
	expires qredo.Time
}

// Subscriber is one of those who are given the frames.
type Subscriber struct {
	hub    *Hub
	wake   chan struct{}
	queue  [][]byte
	limit  int
	behind bool // instead of the queue, it is sent what is pending
}

// NewHub makes a hub. By now it tells what has expired.
func NewHub(now func() time.Time) *Hub {
	return &Hub{now: now, subscribers: map[*Subscriber]struct{}{}, pending: map[qredo.ActionID]kept{}}
}

// Publish gives a frame to all subscribers, and keeps it if it is of an action that is pending. It never waits.
func (h *Hub) Publish(frame []byte) {
	var action qredo.Action
	known := qredo.Unmarshal(frame, &action) == nil && action.ID != ""
	h.mu.Lock()
	defer h.mu.Unlock()
	if known {
		h.drop(action.ID)
		if action.Status == qredo.ApprovalPending && h.lives(action.Expires) {
			h.keep(action.ID, kept{frame, h.next, action.Expires})
			h.next++
		}
	}
	for s := range h.subscribers {
		s.put(frame)
	}
}

// Decided forgets an action: it is pending no more.
func (h *Hub) Decided(id qredo.ActionID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(id)
}

// Reset forgets all actions: the service is about to report again which are pending.
func (h *Hub) Reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.pending)
	h.bytes = 0
}

// Subscribe adds a subscriber, who is given what is pending first. It reports false if there are too many.
func (h *Hub) Subscribe() (*Subscriber, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.subscribers) >= maxSubscribers {
		return nil, false
	}
	s := &Subscriber{hub: h, wake: make(chan struct{}, 1)}
	s.fill()
	h.subscribers[s] = struct{}{}
	return s, true
}

// Leave takes a subscriber away.
func (s *Subscriber) Leave() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subscribers, s)
	s.queue = nil
}

// Next returns the next frame, and waits for it until ctx ends.
func (s *Subscriber) Next(ctx context.Context) ([]byte, error) {
	for {
		if frame := s.take(); frame != nil {
			return frame, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.wake:
		}
	}
}

func (s *Subscriber) take() []byte {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.behind {
		s.fill()
	}
	if len(s.queue) == 0 {
		return nil
	}
	frame := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	return frame
}

// fill queues what is pending. That alone must not fill the queue, or the subscriber would never get further.
func (s *Subscriber) fill() {
	s.behind, s.queue = false, s.hub.frames()
	s.limit = maxQueued + len(s.queue)
}

// put queues a frame. A subscriber whose queue is full will be sent what is pending when it reads again.
func (s *Subscriber) put(frame []byte) {
	switch {
	case s.behind:
	case len(s.queue) >= s.limit:
		s.behind, s.queue = true, nil
		s.hub.behind++
	default:
		s.queue = append(s.queue, frame)
	}
	select {
	case s.wake <- struct{}{}:
	default: // it is already awake
	}
}

// frames are the frames of everything pending, oldest first.
func (h *Hub) frames() (frames [][]byte) {
	h.expire()
	for _, k := range slices.SortedFunc(maps.Values(h.pending), func(a, b kept) int { return cmp.Compare(a.number, b.number) }) {
		frames = append(frames, k.frame)
	}
	return frames
}

func (h *Hub) lives(expires qredo.Time) bool { return !expires.IsZero() && expires.After(h.now()) }

func (h *Hub) expire() {
	for id, k := range h.pending {
		if !h.lives(k.expires) {
			h.drop(id)
		}
	}
}

func (h *Hub) drop(id qredo.ActionID) {
	h.bytes -= len(h.pending[id].frame)
	delete(h.pending, id)
}

// keep keeps a frame. If there are too many, the oldest are dropped: later subscribers do not get them, and everything
// else goes on.
func (h *Hub) keep(id qredo.ActionID, k kept) {
	full := func() bool { return len(h.pending) >= maxPending || h.bytes+len(k.frame) > maxPendingBytes }
	if full() {
		h.expire()
	}
	for full() && len(h.pending) > 0 {
		var oldest qredo.ActionID
		for id, one := range h.pending {
			if oldest == "" || one.number < h.pending[oldest].number {
				oldest = id
			}
		}
		h.drop(oldest)
		h.forgotten++
	}
	h.pending[id] = k
	h.bytes += len(k.frame)
}

// hubFigures describe a hub's state.
type hubFigures struct {
	subscribers, pending int
	behind, forgotten    int64
}

func (h *Hub) figures() hubFigures {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expire()
	return hubFigures{len(h.subscribers), len(h.pending), h.behind, h.forgotten}
}
