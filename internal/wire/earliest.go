package wire

import (
	"bytes"
	"container/heap"
	"fmt"
	"math"
)

// Earliest keeps the earliest elements of a list, whole seconds of them, as far as they have room.
type Earliest struct {
	From int64 // seconds; what is before is not kept
	Most int64 // bytes

	kept  latestFirst
	bytes int64
	cut   int64
	full  bool // something was cut off
}

type moment struct {
	at      int64
	element []byte
}

// overhead is what a kept element takes besides its bytes.
const overhead = 48

// Take keeps an element, unless there are enough that are earlier.
func (e *Earliest) Take(at int64, element []byte) {
	if at < e.From || e.full && at >= e.cut {
		return
	}
	heap.Push(&e.kept, moment{at, element})
	for e.bytes += int64(len(element)) + overhead; e.bytes > e.Most; {
		e.cut, e.full = e.kept[0].at, true
		for len(e.kept) > 0 && e.kept[0].at == e.cut {
			e.bytes -= int64(len(heap.Pop(&e.kept).(moment).element)) + overhead
		}
	}
}

// Cut is the second from which on there is more than what was kept, if there is.
func (e *Earliest) Cut() (second int64, ok bool) { return e.cut, e.full }

// List returns what was kept as a list, and an error where a single second has more than there is room for.
func (e *Earliest) List() ([]byte, error) {
	if e.full && len(e.kept) == 0 {
		return nil, fmt.Errorf("what one second has of the body is longer than the limit of %d bytes", e.Most)
	}
	list := make([][]byte, len(e.kept))
	for i := len(list) - 1; i >= 0; i-- {
		list[i] = heap.Pop(&e.kept).(moment).element
	}
	return append(append([]byte{'['}, bytes.Join(list, []byte{','})...), ']'), nil
}

// Whenever is before any second.
const Whenever = math.MinInt64

// latestFirst is a heap with the latest on top.
type latestFirst []moment

func (l latestFirst) Len() int           { return len(l) }
func (l latestFirst) Less(i, j int) bool { return l[i].at > l[j].at }
func (l latestFirst) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push adds a moment at the end.
func (l *latestFirst) Push(x any) { *l = append(*l, x.(moment)) }

// Pop takes the last one away.
func (l *latestFirst) Pop() any {
	last := (*l)[len(*l)-1]
	(*l)[len(*l)-1] = moment{}
	*l = (*l)[:len(*l)-1]
	return last
}
