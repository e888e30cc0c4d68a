package world

import (
	"hash/maphash"
	"iter"
)

// index finds transactions by texts that belong to one each. It holds digests in place of the texts, so that a million of
// them need little: who finds a number must look whether it is the right one.
type index struct {
	slots []uint64 // a digest, and below it a number above 0; 0 is free
	used  int
}

var indexSeed = maphash.MakeSeed()

// indexKey is the digest of a text that has parts.
func indexKey(parts ...string) uint32 {
	var h maphash.Hash
	h.SetSeed(indexSeed)
	for _, part := range parts {
		_, _ = h.WriteString(part) // never fails
		_ = h.WriteByte(0)
	}
	return uint32(h.Sum64()) //nolint:gosec // a part of it will do
}

func (x *index) add(key, number uint32) {
	if 4*(x.used+1) > 3*len(x.slots) {
		old := x.slots
		x.slots, x.used = make([]uint64, max(64, 2*len(old))), 0
		for _, slot := range old {
			if slot != 0 {
				x.put(slot)
			}
		}
	}
	x.put(uint64(key)<<32 | uint64(number+1))
}

func (x *index) put(slot uint64) {
	at := int(slot>>32) & (len(x.slots) - 1)
	for x.slots[at] != 0 {
		at = (at + 1) & (len(x.slots) - 1)
	}
	x.slots[at] = slot
	x.used++
}

// find gives the numbers that were added with a key's digest.
func (x *index) find(key uint32) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		if len(x.slots) == 0 {
			return
		}
		for at := int(key) & (len(x.slots) - 1); x.slots[at] != 0; at = (at + 1) & (len(x.slots) - 1) {
			if slot := x.slots[at]; uint32(slot>>32) == key && !yield(uint32(slot)-1) { //nolint:gosec // both halves
				return
			}
		}
	}
}
