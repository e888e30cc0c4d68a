package postgres

import (
	"sync"
	"time"

	"github.com/qredo-go/qredo/outbox"
)

// fronts remember from which time on entries of each lane are due, so that a claim begins to look there. The index has more
// before it for as long as somebody reads what was there earlier: dead rows, which a claim would have to pass each time. What
// is free there nevertheless is found by whole looks: at once where a lease of this store's is over, and else, such as for a
// payment of a long transaction, as soon as whole looks take no more than a tenth of the time, and in any case every minute.
type fronts struct {
	mu     sync.Mutex
	lanes  [noLane]front
	leases map[int64]lease // by token: those of this store
}

type front struct {
	from   time.Time
	put    time.Time // the earliest that was put there since the last look began
	looked time.Time // when the last whole look began
	took   time.Duration
}

type lease struct {
	lane  outbox.Lane
	until time.Time
}

// begin returns from when on to look, and whether it is a whole look.
func (f *fronts) begin(lane outbox.Lane, clock, now time.Time) (from time.Time, whole bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	front := &f.lanes[lane]
	front.put = latest
	// A look may also have taken long because a lock was waited for, or the server.
	whole = clock.Sub(front.looked) >= min(10*front.took, time.Minute) || front.from.After(now)
	for token, l := range f.leases {
		if l.lane == lane && !l.until.After(now) {
			delete(f.leases, token)
			whole = true
		}
	}
	if whole {
		return time.Time{}, true
	}
	return front.from, false
}

// end tells what a look has shown: nothing that is free is due before a time.
func (f *fronts) end(lane outbox.Lane, clock time.Time, took time.Duration, whole bool, seen time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	front := &f.lanes[lane]
	if whole {
		front.looked, front.took = clock, took
	}
	if whole || seen.After(front.from) {
		front.from = seen
	}
	front.from = earlier(front.from, front.put)
}

// leased tells of a lease.
func (f *fronts) leased(token int64, lane outbox.Lane, until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leases == nil {
		f.leases = map[int64]lease{}
	}
	f.leases[token] = lease{lane, until}
}

// moved tells of a leased entry that is in another lane now.
func (f *fronts) moved(token int64, lane outbox.Lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l, ok := f.leases[token]; ok {
		f.leases[token] = lease{lane, l.until}
	}
}

// over tells of a lease that has ended.
func (f *fronts) over(token int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.leases, token)
}

// add tells of an entry that waits in a lane, if it is one.
func (f *fronts) add(lane outbox.Lane, due time.Time) {
	if lane >= noLane {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	front := &f.lanes[lane]
	front.from, front.put = earlier(front.from, due), earlier(front.put, due)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
