package recon

import (
	"math/bits"

	"github.com/qredo-go/qredo"
)

// sum adds amounts exactly, with 128 bits: a sum that exceeds 64 bits in between does not overflow.
type sum struct {
	high, low uint64
}

func (s *sum) add(a qredo.Amount) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, uint64(a), 0)              //nolint:gosec // two's complement
	s.high, _ = bits.Add64(s.high, uint64(int64(a)>>63), carry) //nolint:gosec // its sign, in all bits
}

func (s *sum) addAll(t sum) {
	var carry uint64
	s.low, carry = bits.Add64(s.low, t.low, 0)
	s.high, _ = bits.Add64(s.high, t.high, carry)
}

func (s *sum) subAll(t sum) {
	var borrow uint64
	s.low, borrow = bits.Sub64(s.low, t.low, 0)
	s.high, _ = bits.Sub64(s.high, t.high, borrow)
}

// amount returns the sum, and whether it fits. A sum that does not fit is 0.
func (s *sum) amount() (qredo.Amount, bool) {
	a := qredo.Amount(s.low)            //nolint:gosec // two's complement
	if s.high != uint64(int64(a)>>63) { //nolint:gosec // the sign, in all bits
		return 0, false
	}
	return a, true
}

// makes reports whether amounts add up to a total, without an overflow.
func makes(total qredo.Amount, amounts ...qredo.Amount) bool {
	var s sum
	for _, a := range amounts {
		s.add(a)
	}
	made, fits := s.amount()
	return fits && made == total
}
