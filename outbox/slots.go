package outbox

import (
	"context"
	"iter"
	"sync"
	"time"
)

// slots share out how many entries are worked on at once. Looking at what was sent before never takes all of them, so that a
// new payment finds one also while the service is slow; nor does sending, so that what was sent comes to its end.
type slots struct {
	all  int
	mu   sync.Mutex
	used [LaneFollow + 1]int
	work int           // entries that are worked on, also those that only the store is still to be told of
	free chan struct{} // has something when a slot was given back

	// Whether a lane had more when it was asked last, and when that was. For who claims alone, as the next.
	more   [LaneFollow + 1]bool
	asked  [LaneFollow + 1]time.Time
	turned time.Time // when what is not new had its turn
}

func newSlots(n int) *slots { return &slots{all: n, free: make(chan struct{}, 1)} }

// shares takes what each lane may have now, by their rank; nothing, if there may be more than slots. While that is so of what is
// new, a lane that has nothing gets a slot before it once in an interval: what was refused for a while may expire, and what is
// unknown is to be found out. While there is a backlog, lanes that had nothing more are asked now and then only.
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
	if s.work >= 8*s.all { // the store is slow: no more is asked of it
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

// begin says that so many entries are worked on, done that one is not any more.
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

// wait waits until there is a free slot in some lane. It reports false when ctx has ended.
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
