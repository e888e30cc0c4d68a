package outbox

import (
	"context"
	"iter"
	"sync"
	"time"
)

// slots limit how many entries are worked on at once. Following what was sent earlier never takes all slots, so that a
// new payment finds one even while the service is slow; nor does sending, so that sent entries are followed to their end.
type slots struct {
	all  int
	mu   sync.Mutex
	used [LaneFollow + 1]int
	work int           // entries that are being worked on, including those that only wait for the store
	free chan struct{} // receives when a slot is given back

	// Whether a lane had more at the last claim, and when that was. Used only by the goroutine that claims, like the next
	// field.
	more   [LaneFollow + 1]bool
	asked  [LaneFollow + 1]time.Time
	turned time.Time // when lanes other than the new one last had their turn
}

func newSlots(n int) *slots { return &slots{all: n, free: make(chan struct{}, 1)} }

// shares returns the number of slots each lane may take now, by rank; none if there may be more entries than slots. While
// the new lane has such a backlog, a lane without slots gets one before it once per interval: refused entries may expire,
// and unknown outcomes must be settled. During a backlog, lanes that had nothing left are asked only now and then.
func (s *slots) shares(interval time.Duration, backlog bool) iter.Seq2[Lane, int] {
	return func(share func(Lane, int) bool) {
		now := time.Now()
		if s.more[LaneNew] && now.Sub(s.turned) >= interval {
			s.turned = now
			for _, lane := range []Lane{LaneRetry, LaneFollow} {
				if s.takeFirst(lane) && !share(lane, 1) {
					return
				}
			}
		}
		for _, lane := range []Lane{LaneNew, LaneRetry, LaneFollow} {
			if backlog && !s.more[lane] && now.Sub(s.asked[lane]) < interval/10 {
				continue
			}
			if n := s.take(lane); (n > 0 || s.more[lane]) && !share(lane, n) {
				return
			}
		}
	}
}

// takeFirst takes a slot for a lane that has none, if one is free.
func (s *slots) takeFirst(lane Lane) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used[lane] > 0 || s.work >= 8*s.all || s.all == s.used[LaneNew]+s.used[LaneRetry]+s.used[LaneFollow] {
		return false
	}
	s.used[lane]++
	return true
}

// take takes all slots that a lane may have now.
func (s *slots) take(lane Lane) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.left(lane)
	s.used[lane] += n
	return n
}

func (s *slots) left(lane Lane) int {
	if s.work >= 8*s.all { // the store is slow: do not load it further
		return 0
	}
	free := s.all - s.used[LaneNew] - s.used[LaneRetry] - s.used[LaneFollow]
	if s.all < 4 { // too few to reserve any
		return free
	}
	forFollow := max(0, 1-s.used[LaneFollow])
	switch forNew := max(0, s.all/4-s.used[LaneNew]); lane {
	case LaneNew:
		free -= forFollow
	case LaneRetry:
		free -= forFollow + forNew
	case LaneFollow:
		free -= forNew
	}
	return max(0, free)
}

// give gives slots back.
func (s *slots) give(lane Lane, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[lane] -= n
	s.tell()
}

// begin counts entries that are now being worked on; done says that one no longer is.
func (s *slots) begin(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work += n
}

func (s *slots) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.work--
	s.tell()
}

func (s *slots) tell() {
	select {
	case s.free <- struct{}{}:
	default:
	}
}

// wait waits until some lane has a free slot. It returns false when ctx has ended.
func (s *slots) wait(ctx context.Context) bool {
	for ctx.Err() == nil {
		s.mu.Lock()
		some := s.left(LaneNew)+s.left(LaneRetry)+s.left(LaneFollow) > 0
		s.mu.Unlock()
		if some {
			return true
		}
		select {
		case <-ctx.Done():
		case <-s.free:
		}
	}
	return false
}
