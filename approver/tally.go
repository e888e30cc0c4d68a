package approver

import (
	"math"
	"math/bits"
)

// tally is what a counter has counted from its beginning up to an entry. Each entry keeps the tally with it, so that what a
// window holds is a difference of two, however many entries there are. The sum has 128 bits, which 2^63 entries of the
// largest amount do not fill.
type tally struct{ high, low, count uint64 }

// plus is the tally with one more entry. The amount is no less than zero.
func (t tally) plus(amount int64) tally {
	low, carry := bits.Add64(t.low, uint64(amount), 0) //nolint:gosec // Check refuses negative amounts
	return tally{t.high + carry, low, t.count + 1}
}

// before is the tally without its last entry, which had this amount.
func (t tally) before(amount int64) tally {
	low, borrow := bits.Sub64(t.low, uint64(amount), 0) //nolint:gosec // as in plus
	return tally{t.high - borrow, low, t.count - 1}
}

// since is what was counted after another tally.
func (t tally) since(before tally) Usage {
	low, borrow := bits.Sub64(t.low, before.low, 0)
	high, _ := bits.Sub64(t.high, before.high, borrow)
	u := Usage{Amount: math.MaxInt64, Count: int64(t.count - before.count)} //nolint:gosec // there are not so many
	if high == 0 && low < math.MaxInt64 {
		u.Amount = int64(low)
	}
	return u
}
