package postgres

import (
	"sync"
	"time"

	"github.com/qredo-go/qredo/outbox"
)

// fronts remember, per lane, the time from which entries are due, so that a claim starts looking there. Before it, the
// index may have dead rows for as long as another transaction reads old versions, and each claim would have to skip them.
// Free rows before the front are found by whole looks: at once if a lease of this store has ended, and otherwise, such as
// for a payment from a long transaction, as soon as whole looks take no more than a tenth of the time, and at least once
// a minute.
type fronts struct {
	mu     sync.Mutex
	lanes  [noLane]front
	leases map[int64]lease // by token: leases of this store
}

type front struct {
	from   time.Time
	put    time.Time // the earliest due time that was added since the last look began
	looked time.Time // when the last whole look began
	took   time.Duration
}

type lease struct {
	lane  outbox.Lane
	until time.Time
}

// begin returns where to start looking, and whether it is a whole look.
func (f *fronts) begin(lane outbox.Lane, clock, now time.Time) (from time.Time, whole bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	front := &f.lanes[lane]
	front.put = latest
	// A look may also have taken long because it waited for a lock, or for the server.
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

// end reports the result of a look: no free row is due before a time.
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

// leased reports a lease.
func (f *fronts) leased(token int64, lane outbox.Lane, until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.leases == nil {
		f.leases = map[int64]lease{}
	}
	f.leases[token] = lease{lane, until}
}

// moved reports that a leased entry is now in another lane.
func (f *fronts) moved(token int64, lane outbox.Lane) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if l, ok := f.leases[token]; ok {
		f.leases[token] = lease{lane, l.until}
	}
}

// over reports that a lease has ended.
func (f *fronts) over(token int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.leases, token)
}

// add reports an entry that waits in a lane, if it does.
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
