package inbox

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

const (
	// overlap is how far before the latest entry a ledger or history is read again: entries need not arrive in time
	// order.
	overlap = 5 * time.Minute
	// deepEvery is how often a ledger is read back to the oldest pending entry, for services where an entry that ends
	// does not move.
	deepEvery = 5 * time.Minute
	// wholeEvery is how often at most it is read to its end while it counts more entries than were found. The interval
	// doubles each time, up to 16-fold.
	wholeEvery = 10 * time.Minute

	brief = 100 // entries per page when little is expected
	full  = 500 // otherwise; 1,000 would need more than 16 MiB of memory on their way into a store
)

// fundReader reads a fund's ledger. Only its follower uses it.
type fundReader struct {
	*running
	fundID
	deep, whole, measured time.Time                 // when it was last read back to what is pending
	addresses             map[string]qredo.WalletID // wallets that receive deposits, by asset and address
	addressed             time.Time                 // when they were last read
	wholes                int                       // how many times it was read whole for that
	deeps                 int                       // how many times it was read back to what is pending
	nameless              bool                      // there was an entry without a key
	countsAll             bool                      // its total has been seen to count all entries, and not those of a page
}

func (f *fundReader) mayHave(qredo.WalletID) bool { return true }

// look reads the ledger from its newest entry back to what is known.
func (f *fundReader) look(ctx context.Context, s *Source) (Recorded, error) {
	now, before := time.Now(), *s
	until, err := f.until(ctx, s, now)
	if err != nil {
		return Recorded{}, err
	}
	counts, total, err := f.read(ctx, s, until)
	if err != nil {
		return counts, err
	}
	if !s.Whole && !f.from.IsZero() {
		s.Skipped = max(0, total-s.Rows)
	}
	s.Whole = true
	if total > s.Rows+s.Skipped && now.Sub(f.whole) >= wholeEvery<<min(f.wholes, 4) {
		f.whole = now
		f.wholes++
		more, all, err := f.read(ctx, s, f.first())
		counts.add(more)
		if err != nil {
			return counts, err
		}
		if total = all; total > s.Rows+s.Skipped+s.Missed {
			missed := total - s.Rows - s.Skipped - s.Missed
			s.Missed += missed
			f.log.Error("inbox: a ledger counts entries that are missing from it or cannot be distinguished; see Check", "source", s.ID, "entries", missed)
		}
	} else if total <= s.Rows+s.Skipped {
		f.wholes = 0
	}
	if more := s.Rows + s.Skipped + s.Missed - total; total > 0 && more > 0 { // what was missing is found, or was pending before the inbox began
		found := min(more, s.Missed)
		s.Missed -= found
		s.Skipped = max(0, s.Skipped-(more-found))
	}
	if err := f.measure(ctx, s, now, counts); err != nil {
		return counts, err
	}
	if reflect.DeepEqual(before.Reading, s.Reading) {
		return counts, nil
	}
	return counts, f.records.Progress(ctx, *s)
}

// first is how far back the ledger is of interest.
func (r *running) first() time.Time {
	if r.from.IsZero() {
		return time.Time{}
	}
	return r.from.Add(-overlap)
}

// until says how far back to read.
func (f *fundReader) until(ctx context.Context, s *Source, now time.Time) (time.Time, error) {
	if !s.Whole {
		return f.first(), nil
	}
	until := s.Latest.Add(-overlap)
	if now.Sub(f.deep) < deepEvery<<min(f.deeps, 4) {
		return until, nil
	}
	f.deeps++
	n, oldest, err := f.records.Waiting(ctx, s.ID)
	if err != nil {
		return time.Time{}, err
	}
	f.deep = now
	if n > 0 && oldest.Before(until) {
		until = oldest.Add(-time.Second)
	}
	return until, nil
}

// read records what the ledger has back to a time, and returns how many entries it counted at the beginning, 0 if that is
// unknown.
func (f *fundReader) read(ctx context.Context, s *Source, until time.Time) (counts Recorded, total int64, err error) {
	w := ledgerWalk{fundReader: f, source: s, until: until, known: s.Latest, most: full, first: full}
	if s.Whole && !until.Before(s.Latest.Add(-overlap)) {
		w.first = brief
	}
	for {
		w.newest = 0
		turn, err := w.pages(ctx)
		if err == nil && !turn {
			err = w.recordAlike(ctx)
		}
		if err != nil || !turn {
			return w.counts, w.newest, err
		}
		w.alike, w.missed = counter{}, nil
		s.Oldest = !s.Oldest
		w.turned++
	}
}

// sightings are what to store of a movement, the nth of identical ones.
func (r *running) sightings(m Movement, n int) []Sighting {
	s := Sighting{Old: m.Time.Before(r.from)}
	if m.TxID != "" { // it may be reported before it has an ID on the chain, or its wallet
		s.Alias = numbered(qredo.HistoryEntry{TxID: m.TxID, Amount: m.Amount, Fees: -m.Fees}.Key(), n)
	}
	m.Key = numbered(m.Key, n)
	s.ID, s.Movement = m.Key, m
	if !r.changes || m.Moved || s.Old {
		return []Sighting{s}
	}
	told := m
	told.Amount, told.Fees = 0, 0
	return []Sighting{s, {ID: m.Key + "@" + string(m.Status), Movement: told, Tell: true}}
}

// numbered is the key of the nth movement with the same key.
func numbered(key string, n int) string {
	if n == 1 {
		return key
	}
	return fmt.Sprintf("%s#%d", key, n)
}

// addressesEvery is how often at most a fund's wallets are read for an address that none of them has.
const addressesEvery = time.Minute

// walletOf returns the wallet with the address of a deposit, or nothing if that is unclear: then the deposit cannot be
// identified for good, and is not handed over yet.
func (f *fundReader) walletOf(ctx context.Context, e qredo.LedgerEntry) (qredo.WalletID, error) {
	place := addressKey(e.Asset, e.Address)
	if id := f.addresses[place]; id != "" || e.Address == "" || time.Since(f.addressed) < addressesEvery {
		return id, nil
	}
	fund, err := f.client.Funds.Get(ctx, f.company, f.fund)
	if err != nil {
		return "", err
	}
	f.addressed = time.Now()
	listed := map[string]qredo.WalletID{}
	for _, w := range fund.Wallets {
		key := addressKey(w.Asset, w.Address)
		if other, shared := listed[key]; shared && other != w.ID {
			w.ID = ""
		}
		listed[key] = w.ID
	}
	if f.addresses == nil {
		f.addresses = map[string]qredo.WalletID{}
	}
	maps.Copy(f.addresses, listed) // wallets that are no longer listed stay known
	if f.addresses[place] == "" {
		f.log.Error("inbox: a deposit came to an address that belongs to no wallet of the fund; it is handed over once a wallet has the address", "source", "fund:"+string(f.company)+":"+string(f.fund))
	}
	return f.addresses[place], nil
}

func addressKey(asset qredo.AssetCode, address string) string {
	if strings.HasPrefix(address, "0x") || strings.HasPrefix(address, "0X") {
		address = strings.ToLower(address)
	}
	return string(asset) + " " + address
}
