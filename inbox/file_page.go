package inbox

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/bits"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/qredo-go/qredo"
)

// page returns up to limit entries, as Page does.
func (t fileTx) page(ctx context.Context, f Filter, after string, limit int) (page []Entry, err error) {
	ids := t.ids(f, after)
	for n := 0; len(page) < limit; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		at, ok := ids.next()
		if !ok {
			break
		}
		if may, err := at.mayMatch(t, f); err != nil || !may {
			if err != nil {
				return nil, err
			}
			continue
		}
		e, err := t.entry(at.id())
		if err == nil && e == nil {
			err = t.damaged("the entry " + at.id() + " is gone")
		}
		if err != nil {
			return nil, err
		}
		if f.Match(*e) {
			page = append(page, *e)
		}
	}
	return page, nil
}

// idMerge goes through the IDs of entries in byte order.
type idMerge []idRange

// idRange goes through one table, whose keys are a prefix and an ID.
type idRange struct {
	cursor        *bolt.Cursor
	table, prefix []byte
	key, value    []byte // the current ID; nil at the end
}

// ids returns the IDs, after a given one, of entries that a filter may select. Reading every entry is expensive, so if a
// filter narrows by anything but the state, it goes through the indexes of all states.
func (t fileTx) ids(f Filter, after string) idMerge {
	if len(f.States) == 0 && f.Source == "" && f.Wallet == "" {
		return idMerge{t.idsIn(entriesTable, nil, after)}
	}
	states := f.States
	if len(states) == 0 {
		states = t.states()
	}
	var m idMerge
	seen := map[State]bool{}
	for _, state := range states {
		if !seen[state] {
			m = append(m, t.idsIn(statesTable, ordered(nil, state), after))
		}
		seen[state] = true
	}
	return m
}

// states returns the states that entries have.
func (t fileTx) states() (list []State) {
	cursor := t.Bucket(statesTable).Cursor()
	for key, _ := cursor.First(); key != nil; {
		state, rest := split(key)
		list = append(list, State(state))
		behind := bytes.Clone(key[:len(key)-len(rest)])
		behind[len(behind)-1]++
		key, _ = cursor.Seek(behind)
	}
	return list
}

func (t fileTx) idsIn(table, prefix []byte, after string) idRange {
	r := idRange{cursor: t.Bucket(table).Cursor(), table: table, prefix: prefix}
	r.at(r.cursor.Seek(append(bytes.Clone(prefix), after...)))
	if r.key != nil && r.id() == after {
		r.at(r.cursor.Next())
	}
	return r
}

func (r *idRange) at(key, value []byte) {
	if !bytes.HasPrefix(key, r.prefix) {
		key, value = nil, nil
	}
	r.key, r.value = key, value
}

func (r *idRange) id() string { return string(r.key[len(r.prefix):]) }

// mayMatch reports whether a filter may select the entry, as far as is known without reading it.
func (r *idRange) mayMatch(t fileTx, f Filter) (bool, error) {
	if len(r.prefix) == 0 { // the entries themselves
		return true, nil
	}
	data, err := t.row(r.table, r.key, r.value)
	if err != nil {
		return false, err
	}
	_, source, wallet := placeIn(data)
	return (f.Source == "" || f.Source == source) && (f.Wallet == "" || string(f.Wallet) == wallet), nil
}

func (m idMerge) next() (at idRange, ok bool) {
	first := -1
	for i := range m {
		if m[i].key != nil && (first < 0 || bytes.Compare(m[i].key[len(m[i].prefix):], m[first].key[len(m[first].prefix):]) < 0) {
			first = i
		}
	}
	if first < 0 {
		return idRange{}, false
	}
	at = m[first]
	m[first].at(m[first].cursor.Next())
	return at, true
}

// waiting returns how many entries of a source wait, and when the oldest was made.
func (t fileTx) waiting(source string) (n int, oldest time.Time, err error) {
	prefix := ordered(nil, StateWaiting)
	err = t.each(statesTable, prefix, nil, func(_, data []byte) (bool, error) {
		at, of, _ := placeIn(data)
		if of != source {
			return true, nil
		}
		if n == 0 || at.Before(oldest) {
			oldest = at
		}
		n++
		return true, nil
	})
	return n, oldest, err
}

// sums adds up what the entries of a source have moved.
func (t fileTx) sums(ctx context.Context, source string) (map[qredo.WalletID]Sum, error) {
	type wide struct {
		asset qredo.AssetCode
		mixed bool
		sums  map[State]*wideSum
	}
	all, prefix, n := map[qredo.WalletID]*wide{}, ordered(nil, source), 0
	err := t.each(movedTable, prefix, nil, func(key, data []byte) (bool, error) {
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		if len(data) < 8 {
			return false, t.damaged("the record of what an entry has moved is missing")
		}
		wallet, _ := split(key[len(prefix):])
		state, asset := split(data[8:])
		w := all[qredo.WalletID(wallet)]
		if w == nil {
			w = &wide{asset: qredo.AssetCode(asset), sums: map[State]*wideSum{}}
			all[qredo.WalletID(wallet)] = w
		}
		w.mixed = w.mixed || string(w.asset) != string(asset)
		if w.sums[State(state)] == nil {
			w.sums[State(state)] = &wideSum{}
		}
		w.sums[State(state)].add(int64(binary.BigEndian.Uint64(data))) //nolint:gosec // as it was put
		return true, nil
	})
	sums := make(map[qredo.WalletID]Sum, len(all))
	for wallet, w := range all {
		s := Sum{Asset: w.asset}
		if w.mixed {
			s.Asset = ""
		}
		s.Done, s.Ready, s.Aside, s.Skipped = w.sums[StateDone].figure(), w.sums[StateReady].figure(), w.sums[StateAside].figure(), w.sums[StateSkipped].figure()
		sums[wallet] = s
	}
	return sums, err
}

// wideSum is a sum of 128 bits, so that it is right if it ends within 64 bits.
type wideSum struct {
	n    int64
	high int64
	low  uint64
}

func (s *wideSum) add(amount int64) {
	low, carry := bits.Add64(s.low, uint64(amount), 0)              //nolint:gosec // the two's complement is meant
	s.n, s.low, s.high = s.n+1, low, s.high+amount>>63+int64(carry) //nolint:gosec // 0 or 1
}

func (s *wideSum) figure() Figure {
	switch {
	case s == nil:
		return Figure{}
	case s.high < -1 || s.high == -1 && s.low < 1<<63:
		return Figure{s.n, math.MinInt64}
	case s.high > 0 || s.high == 0 && s.low > math.MaxInt64:
		return Figure{s.n, math.MaxInt64}
	}
	return Figure{s.n, qredo.Amount(s.low)} //nolint:gosec // the two's complement is meant
}

// sources returns all sources.
func (t fileTx) sources() (list []Source, err error) {
	err = t.each(sourcesTable, nil, nil, func(key, _ []byte) (bool, error) {
		s, err := t.source(string(key))
		list = append(list, s)
		return true, err
	})
	return list, err
}

// begins returns the time from which movements are handed over, if it is known.
func (t fileTx) begins() (from time.Time, known bool, err error) {
	data, err := t.get(formTable, beginRow)
	switch {
	case err != nil || data == nil:
		return time.Time{}, false, err
	case len(data) != 8:
		return time.Time{}, false, t.damaged("it does not say when the inbox began")
	}
	return bytesTime(data), true, nil
}
