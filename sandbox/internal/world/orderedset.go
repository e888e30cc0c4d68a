package world

import (
	"cmp"
	"iter"
	"slices"
	"sort"
)

// orderedSet holds elements in their order, in short runs: to put one in or take one out moves the rest of a run only,
// and to read on from any place takes no search through what comes before it.
type orderedSet[T cmp.Ordered] struct {
	runs [][]T // none is empty
	size int
}

// runLength is how long a run is at most.
const runLength = 512

// run is the place of the run that an element belongs to: the last that does not begin behind it.
func (s *orderedSet[T]) run(x T) int {
	return max(0, sort.Search(len(s.runs), func(i int) bool { return s.runs[i][0] > x })-1)
}

// add puts an element in. One that is there already stays there once.
func (s *orderedSet[T]) add(x T) {
	if len(s.runs) == 0 {
		s.runs, s.size = [][]T{{x}}, 1
		return
	}
	r := s.run(x)
	i, found := slices.BinarySearch(s.runs[r], x)
	if found {
		return
	}
	s.size++
	switch run := s.runs[r]; {
	case len(run) < runLength:
		s.runs[r] = slices.Insert(run, i, x)
	case r == len(s.runs)-1 && i == runLength: // behind all there are: runs stay full
		s.runs = append(s.runs, []T{x})
	default:
		s.runs = slices.Insert(s.runs, r+1, slices.Clone(run[runLength/2:]))
		s.runs[r] = run[: runLength/2 : runLength/2]
		if i > runLength/2 {
			r, i = r+1, i-runLength/2
		}
		s.runs[r] = slices.Insert(s.runs[r], i, x)
	}
}

// remove takes an element out, if it is there.
func (s *orderedSet[T]) remove(x T) {
	if len(s.runs) == 0 {
		return
	}
	r := s.run(x)
	i, found := slices.BinarySearch(s.runs[r], x)
	if !found {
		return
	}
	s.size--
	if s.runs[r] = slices.Delete(s.runs[r], i, i+1); len(s.runs[r]) == 0 {
		s.runs = slices.Delete(s.runs, r, r+1)
	}
}

// from gives the elements that are x or behind it, in their order.
func (s *orderedSet[T]) from(x T) iter.Seq[T] {
	return func(yield func(T) bool) {
		if len(s.runs) == 0 {
			return
		}
		first := s.run(x)
		i, _ := slices.BinarySearch(s.runs[first], x)
		for _, run := range s.runs[first:] {
			for ; i < len(run); i++ {
				if !yield(run[i]) {
					return
				}
			}
			i = 0
		}
	}
}

// before gives the elements that come before x, the last one first.
func (s *orderedSet[T]) before(x T) iter.Seq[T] {
	return func(yield func(T) bool) {
		if len(s.runs) == 0 {
			return
		}
		r := s.run(x)
		i, _ := slices.BinarySearch(s.runs[r], x)
		for {
			for i--; i >= 0; i-- {
				if !yield(s.runs[r][i]) {
					return
				}
			}
			if r--; r < 0 {
				return
			}
			i = len(s.runs[r])
		}
	}
}
