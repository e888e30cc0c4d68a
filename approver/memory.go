package approver

import (
	"context"
	"sort"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// MemoryStore is a [Store] that lasts as long as the program, and a [Coordinator] for replicas within it. After a restart it
// knows no decisions and no sums: limits start from zero. It is for tests and for trying things out. While it runs, it forgets
// only what no limit counts any more.
type MemoryStore struct {
	now func() time.Time

	mu      sync.Mutex
	records map[qredo.ActionID]Record
	seq     int64                   // of the last decision
	spent   map[string][]spentEntry // by counter
	sweepAt int                     // how many counters there are when those that nobody uses are looked for
	claimed map[qredo.ActionID]bool
}

// spentEntry is what an action has spent, as [FileStore] keeps it too. The entries of a counter are in the order of time.
type spentEntry struct {
	at     time.Time
	ends   time.Time // when no window holds it any more; no sooner than that of the entry before
	amount int64
	sum    tally // with this entry
}

// NewMemoryStore returns an empty store. Its windows roll by the clock of [WithClock]; a nil clock panics. Default: [time.Now].
func NewMemoryStore(opts ...ClockOption) *MemoryStore {
	now, err := clock(opts)
	if err != nil {
		panic(err)
	}
	return &MemoryStore{
		now: now, records: map[qredo.ActionID]Record{}, spent: map[string][]spentEntry{}, sweepAt: leastSweep, claimed: map[qredo.ActionID]bool{},
	}
}

// leastSweep is for how few counters none are looked for that nobody uses.
const leastSweep = 64

// Epoch implements [Store]. It is empty, because nothing outlives the program.
func (m *MemoryStore) Epoch() string { return "" }

// Lookup implements [Store].
func (m *MemoryStore) Lookup(_ context.Context, id qredo.ActionID) (Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, found := m.records[id]
	return rec, found, nil
}

// Reserve implements [Store].
func (m *MemoryStore) Reserve(_ context.Context, rec Record, spends []Spend) (Record, error) {
	if err := CheckSpends(spends); err != nil {
		return Record{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seq < rec.Seq {
		return Record{}, &LostError{Known: rec.Seq, Last: m.seq}
	}
	if first, found := m.records[rec.ActionID]; found {
		return first, nil
	}
	now := m.now()
	for _, s := range spends {
		if err := s.Check(m.used(s, now)); err != nil {
			return Record{}, err
		}
	}
	amounts := map[string]int64{}
	for _, s := range spends {
		amounts[s.Counter] = s.Amount
	}
	for counter, keep := range Retention(spends) {
		entries, last := ended(m.spent[counter], now), spentEntry{}
		if len(entries) > 0 {
			last = entries[len(entries)-1]
		}
		m.spent[counter] = append(entries, last.next(amounts[counter], now, keep))
	}
	m.sweep(now)
	m.seq++
	rec.Seq = m.seq
	m.records[rec.ActionID] = rec
	return rec, nil
}

// next is the entry after e. If the clock was set back, it has the time of e. It is kept for no less long than e: what
// counts with a longer window may be a replica with other rules, or the rules of tomorrow.
func (e spentEntry) next(amount int64, now time.Time, keep time.Duration) spentEntry {
	n := spentEntry{at: now, amount: amount, sum: e.sum.plus(amount)}
	if n.at.Before(e.at) {
		n.at = e.at
	}
	n.ends = n.at.Add(max(keep, e.ends.Sub(e.at)))
	return n
}

// ended drops the first entries, which no window holds any more.
func ended(entries []spentEntry, now time.Time) []spentEntry {
	for len(entries) > 0 && !now.Before(entries[0].ends) {
		entries = entries[1:]
	}
	return entries
}

// sweep drops counters that hold nothing any more, once there are twice as many as the last time.
func (m *MemoryStore) sweep(now time.Time) {
	if len(m.spent) < m.sweepAt {
		return
	}
	for counter, entries := range m.spent {
		if !now.Before(entries[len(entries)-1].ends) {
			delete(m.spent, counter)
		}
	}
	m.sweepAt = max(leastSweep, 2*len(m.spent))
}

func (m *MemoryStore) used(s Spend, now time.Time) Usage {
	entries := m.spent[s.Counter]
	first := sort.Search(len(entries), func(i int) bool { return now.Sub(entries[i].at) < s.Window })
	if first == len(entries) {
		return Usage{}
	}
	return entries[len(entries)-1].sum.since(entries[first].sum.before(entries[first].amount))
}

// LastSeq implements [Store].
func (m *MemoryStore) LastSeq(context.Context) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seq, nil
}

// Finish implements [Store].
func (m *MemoryStore) Finish(_ context.Context, id qredo.ActionID, outcome Outcome) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, found := m.records[id]
	if !found {
		return errNoRecord
	}
	rec.Outcome = outcome
	m.records[id] = rec
	return nil
}

// Usage implements [Store].
func (m *MemoryStore) Usage(_ context.Context, spends []Spend) ([]Usage, error) {
	if err := CheckSpends(spends); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	used := make([]Usage, len(spends))
	for i, s := range spends {
		used[i] = m.used(s, m.now())
	}
	return used, nil
}

// Claim implements [Coordinator] for replicas that share the store.
func (m *MemoryStore) Claim(ctx context.Context, id qredo.ActionID) (context.Context, func(), error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.claimed[id] {
		return nil, nil, &ClaimedError{RetryAfter: 50 * time.Millisecond}
	}
	m.claimed[id] = true
	return ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.claimed, id)
	}, nil
}
