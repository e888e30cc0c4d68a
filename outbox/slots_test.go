package outbox

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSlots(t *testing.T) {
	for all, want := range map[int]struct{ alone, beside [3]int }{
		1:  {[3]int{1, 1, 1}, [3]int{0, 0, 0}},
		3:  {[3]int{3, 3, 3}, [3]int{0, 0, 0}},
		4:  {[3]int{3, 2, 3}, [3]int{1, 1, 1}},
		8:  {[3]int{7, 5, 6}, [3]int{2, 1, 1}},
		64: {[3]int{63, 47, 48}, [3]int{16, 1, 1}},
	} {
		for _, lane := range []Lane{LaneNew, LaneRetry, LaneFollow} {
			assert.Equal(t, want.alone[lane], newSlots(all).take(lane), "lane %d of %d, alone", lane, all)
		}
		full := newSlots(all)
		full.take(LaneFollow)
		full.take(LaneRetry)
		assert.Equal(t, want.beside[LaneNew], full.take(LaneNew), "what is left to new ones of %d", all)
		full = newSlots(all)
		full.take(LaneNew)
		assert.Equal(t, want.beside[LaneFollow], full.take(LaneFollow), "what is left to looks, of %d", all)
		assert.Zero(t, full.take(LaneNew)+full.take(LaneRetry)+full.take(LaneFollow))
		full.give(LaneFollow, want.beside[LaneFollow])
		full.give(LaneNew, all-want.beside[LaneFollow])
		assert.Equal(t, want.alone[LaneNew], full.take(LaneNew), "all are given back")
	}
}
