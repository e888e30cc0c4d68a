package approver

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// MemoryStore is a [Store] that lasts as long as the program, and a [Coordinator] for replicas within it.
// After a restart it knows no decision and no sum: limits begin anew. It is meant for tests and for
// trying out; it never forgets while it runs, except what no limit counts any more.
type MemoryStore struct {
	now func() time.Time

	mu      sync.Mutex
	records map[qredo.ActionID]Record
	spent   map[string][]spentEntry // by counter
	claimed map[qredo.ActionID]bool
}

type spentEntry struct {
	at     time.Time
	amount int64
}

// NewMemoryStore returns an empty store. Its windows roll by [time.Now] unless [WithClock] is given. A clock
// that is nil is a panic.
func NewMemoryStore(opts ...ClockOption) *MemoryStore {
	now, err := clock(opts)
	if err != nil {
		panic(err)
	}
	return &MemoryStore{
		now: now, records: map[qredo.ActionID]Record{}, spent: map[string][]spentEntry{}, claimed: map[qredo.ActionID]bool{},
	}
}

// Lookup implements [Store].
func (m *MemoryStore) Lookup(_ context.Context, id qredo.ActionID) (Record, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, found := m.records[id]
	return rec, found, nil
}

// Reserve implements [Store].
func (m *MemoryStore) Reserve(_ context.Context, rec Record, spends []Spend) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
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
		kept := slices.DeleteFunc(m.spent[counter], func(e spentEntry) bool { return now.Sub(e.at) >= keep })
		m.spent[counter] = append(kept, spentEntry{now, amounts[counter]})
	}
	m.records[rec.ActionID] = rec
	return rec, nil
}

func (m *MemoryStore) used(s Spend, now time.Time) Usage {
	var u Usage
	for _, e := range m.spent[s.Counter] {
		if now.Sub(e.at) < s.Window {
			u.add(e.amount)
		}
	}
	return u
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
