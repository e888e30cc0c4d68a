// Package requestlog keeps the last requests, with how they were answered, and shows them: without the secrets that are
// in them, as a line for curl, and as an HTTP archive. What is not looked at costs little: all but the bytes is made when
// somebody asks.
package requestlog

import "sync"

// Ring keeps the last items that were added, numbered from 1. One that is nil has none.
type Ring[T any] struct {
	mu              sync.Mutex
	most, mostBytes int
	items           []kept[T] // oldest first
	bytes           int
	last            uint64 // number
}

type kept[T any] struct {
	item  *T
	bytes int
}

// NewRing makes a ring of at most so many items, of at most so many bytes together.
func NewRing[T any](most, bytes int) *Ring[T] { return &Ring[T]{most: most, mostBytes: bytes} }

// Add adds an item, which is made with its number, and does not change from then on, and says how many bytes it has.
func (r *Ring[T]) Add(item func(number uint64) (*T, int)) *T {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	made, bytes := item(r.last)
	added := kept[T]{made, bytes}
	r.bytes += bytes
	drop := 0
	for drop < len(r.items) && (len(r.items)-drop >= r.most || r.bytes > r.mostBytes) {
		r.bytes -= r.items[drop].bytes
		r.items[drop] = kept[T]{}
		drop++
	}
	r.items = append(r.items[drop:], added) // which moves them to another array when this one is used up
	return added.item
}

// Items are those that are kept, oldest first, and the number of the first.
func (r *Ring[T]) Items() (items []*T, first uint64) {
	if r == nil {
		return nil, 1
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	items = make([]*T, len(r.items))
	for i, k := range r.items {
		items[i] = k.item
	}
	return items, r.last - uint64(len(r.items)) + 1
}

// Get returns the item with a number, nil if it is kept no more.
func (r *Ring[T]) Get(number uint64) *T {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if first := r.last - uint64(len(r.items)) + 1; number < first || number > r.last {
		return nil
	}
	return r.items[uint64(len(r.items))-1-(r.last-number)].item
}

// Len is how many are kept.
func (r *Ring[T]) Len() int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.items)
}

// Last is the number of the latest.
func (r *Ring[T]) Last() uint64 {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// Clear forgets all. Numbers go on.
func (r *Ring[T]) Clear() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.items, r.bytes = nil, 0
}
