package outbox

import (
	"container/heap"
	"math"
	"sync"
	"time"
)

// queues hold, in memory, what waits for a worker and what is leased: an entry in a lane takes about 150 bytes. Every
// operation takes time logarithmic in the number of entries.
type queues struct {
	mu     sync.Mutex
	all    map[string]*waiting
	lanes  [LaneFollow + 1]lane
	leased ranking // leased entries, the first lease to end first
	token  int64
	latest int64 // the time of the latest claim
}

// lane holds a queue's free entries, by due time, with access to both ends.
type lane struct{ first, last ranking }

// noLane is the lane of entries that no worker may claim: they are in the queues only while they are leased.
const noLane = -1

// waiting is an entry that is in a lane or leased. Times are in microseconds.
type waiting struct {
	key   string
	due   int64
	lease *fileLease // kept when the lease ends, until there is another
	at    [2]int32   // positions in first or leased, and in last; -1 means not there
	lane  Lane
}

type fileLease struct {
	token       int64
	from, until int64
	saving      bool // the stored entry is about to change
}

// clockSkew is by how much clocks may differ. A lease that starts further in the future was made by a wrong clock.
const clockSkew = int64(time.Minute / time.Microsecond)

// laneOf returns the lane of an entry, or noLane.
func laneOf(e *Entry) Lane {
	if e.State != StatePending && e.State != StateSent || e.Request == nil {
		return noLane
	}
	return e.Lane()
}

// over reports whether an entry's lease is over.
func (x *waiting) over(now int64) bool {
	l := x.lease
	return l == nil || !l.saving && (now >= l.until || l.from > now+clockSkew)
}

// micros is a time in microseconds. Times out of range become the nearest possible value.
func micros(t time.Time) int64 {
	switch seconds := t.Unix(); {
	case seconds > math.MaxInt64/2_000_000:
		return math.MaxInt64 / 2
	case seconds < math.MinInt64/2_000_000:
		return math.MinInt64 / 2
	}
	return t.UnixMicro()
}

func fromMicros(t int64) time.Time { return time.UnixMicro(t).UTC() }

func newQueues() *queues {
	q := &queues{all: map[string]*waiting{}, latest: math.MinInt64 / 2}
	byDue := func(a, b *waiting) bool { return a.due < b.due || a.due == b.due && a.key < b.key }
	for i := range q.lanes {
		q.lanes[i].first.before = byDue
		q.lanes[i].last = ranking{before: func(a, b *waiting) bool { return byDue(b, a) }, slot: 1}
	}
	q.leased.before = func(a, b *waiting) bool { return a.lease.until < b.lease.until }
	return q
}

// make makes an entry that is in no ranking.
func (q *queues) make(key string, l Lane, due int64) *waiting {
	x := &waiting{key: key, due: due, lane: l, at: [2]int32{-1, -1}}
	q.all[key] = x
	return x
}

// fill puts an entry into a lane that order sorts later.
func (q *queues) fill(key string, l Lane, due int64) {
	x := q.make(key, l, due)
	q.lanes[l].first.Push(x)
	q.lanes[l].last.Push(x)
}

func (q *queues) order() {
	for i := range q.lanes {
		heap.Init(&q.lanes[i].first)
		heap.Init(&q.lanes[i].last)
	}
}

// enter adds a stored entry to the queue, if it is to wait and is not there yet.
func (q *queues) enter(e *Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l, x := laneOf(e), q.all[e.Key]
	switch {
	case l == noLane:
	case x == nil:
		q.free(q.make(e.Key, l, micros(e.Due)))
	case x.lane == noLane: // somebody has claimed it, perhaps before it was stored
		x.lane, x.due = l, micros(e.Due)
		if x.at[0] < 0 && !x.lease.saving {
			q.free(x)
		}
	}
}

// lift takes an entry out of its ranking.
func (q *queues) lift(x *waiting) {
	switch {
	case x.at[1] >= 0:
		heap.Remove(&q.lanes[x.lane].first, int(x.at[0]))
		heap.Remove(&q.lanes[x.lane].last, int(x.at[1]))
	case x.at[0] >= 0:
		heap.Remove(&q.leased, int(x.at[0]))
	}
}

// hold puts an entry that is in no ranking among the leased ones.
func (q *queues) hold(x *waiting) { heap.Push(&q.leased, x) }

// free puts an entry that is in no ranking into its lane. It may still have a lease that is over.
func (q *queues) free(x *waiting) {
	switch {
	case x.lane != noLane:
		heap.Push(&q.lanes[x.lane].first, x)
		heap.Push(&q.lanes[x.lane].last, x)
	case x.lease == nil:
		delete(q.all, x.key)
	}
}

// tell notes the time. Leases that are over end; if the clock was set back, so do leases that start in the future.
func (q *queues) tell(now int64) {
	if now < q.latest-clockSkew {
		for _, x := range append([]*waiting(nil), q.leased.list...) {
			if x.over(now) {
				q.lift(x)
				q.free(x)
			}
		}
		q.latest = now
	}
	q.latest = max(q.latest, now)
	for q.leased.Len() > 0 && q.leased.list[0].over(now) {
		x := q.leased.list[0]
		q.lift(x)
		q.free(x)
	}
}

// claim leases up to limit due entries of a lane. It returns their keys and due times.
func (q *queues) claim(w Want, limit int) (claims []Claim) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, l := micros(w.Now), &q.lanes[w.Lane]
	q.tell(now)
	beyond := max(micros(w.Beyond), now)
	for w.Lane != LaneNew && !w.Beyond.IsZero() && l.last.Len() > 0 && l.last.list[0].due > beyond {
		x := l.last.list[0]
		q.lift(x)
		x.due = now
		q.free(x)
	}
	for l.first.Len() > 0 && len(claims) < limit {
		x := l.first.list[0]
		if w.Lane != LaneNew && x.due > now {
			break
		}
		q.lift(x)
		if x.over(now) {
			claims = append(claims, q.lease(x, now, micros(w.Until)))
		} else { // its lease only seemed to be over, by a clock that was ahead
			q.hold(x)
		}
	}
	return claims
}

// take leases an entry unless it is leased.
func (q *queues) take(key string, now, until int64) (c Claim, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.all[key]
	if x == nil {
		x = q.make(key, noLane, 0)
	}
	if !x.over(now) {
		return c, false
	}
	q.lift(x)
	return q.lease(x, now, until), true
}

// lease leases an entry that is in no ranking.
func (q *queues) lease(x *waiting, now, until int64) Claim {
	q.token++
	x.lease = &fileLease{token: q.token, from: now, until: until}
	q.hold(x)
	return Claim{Entry: Entry{Key: x.key, Due: fromMicros(x.due)}, Token: q.token}
}

// holder returns the entry of a claim, or an error if the claim is lost. q.mu is held.
func (q *queues) holder(c Claim) (*waiting, error) {
	x := q.all[c.Entry.Key]
	if x == nil || x.lease == nil || x.lease.token != c.Token || x.lease.saving {
		return nil, ErrClaimLost
	}
	return x, nil
}

// settle changes an entry and ends the lease of a claim, unless the claim is lost.
func (q *queues) settle(c Claim, change func(*waiting)) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	x, err := q.holder(c)
	if err != nil {
		return err
	}
	q.lift(x)
	change(x)
	x.lease = nil
	q.free(x)
	return nil
}

// giveUp ends the leases of claims.
func (q *queues) giveUp(claims []Claim) {
	for _, c := range claims {
		_ = q.settle(c, func(*waiting) {})
	}
}

// saving keeps others from claiming an entry that is about to be stored, so that none of them works on the old version.
func (q *queues) saving(c Claim) (x *waiting, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if x, err = q.holder(c); err == nil {
		q.lift(x)
		x.lease.saving = true
	}
	return x, err
}

// saved ends saving, and keeps or drops the lease.
func (q *queues) saved(x *waiting, change func(*waiting) (keep bool)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x.lease.saving = false
	if change(x) {
		q.hold(x)
		return
	}
	x.lease = nil
	q.free(x)
}

// due says when an entry in a lane is due, which may have been postponed since it was stored. While the entry is being
// stored, the stored time counts: the one in memory is out of date.
func (q *queues) due(e *Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.all[e.Key]
	if x == nil || x.lane == noLane || x.lease != nil && x.lease.saving || laneOf(e) == noLane {
		return
	}
	if x.due != micros(e.Due) {
		e.Due = fromMicros(x.due)
	}
}

// oldest returns the earliest due time of all lanes.
func (q *queues) oldest() (due int64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	due = math.MaxInt64
	for i := range q.lanes {
		if first := q.lanes[i].first.list; len(first) > 0 {
			due = min(due, first[0].due)
		}
	}
	for _, x := range q.leased.list {
		if x.lane != noLane {
			due = min(due, x.due)
		}
	}
	return due, due != math.MaxInt64
}

// ranking is a heap whose entries know their positions in it.
type ranking struct {
	list   []*waiting
	before func(a, b *waiting) bool
	slot   int
}

func (r *ranking) Len() int           { return len(r.list) }
func (r *ranking) Less(i, j int) bool { return r.before(r.list[i], r.list[j]) }

func (r *ranking) Swap(i, j int) {
	r.list[i], r.list[j] = r.list[j], r.list[i]
	r.list[i].at[r.slot], r.list[j].at[r.slot] = int32(i), int32(j) //nolint:gosec // there is not enough memory for more
}

func (r *ranking) Push(x any) {
	w := x.(*waiting)                 //nolint:forcetypeassert // there are no others
	w.at[r.slot] = int32(len(r.list)) //nolint:gosec // as above
	r.list = append(r.list, w)
}

func (r *ranking) Pop() any {
	n := len(r.list) - 1
	x := r.list[n]
	r.list[n] = nil
	r.list = r.list[:n]
	x.at[r.slot] = -1
	return x
}
