package inbox

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
)

// ledgerWalk is one walk from the newest entry of a ledger back to a time.
type ledgerWalk struct {
	*fundReader
	source  *Source
	until   time.Time
	known   time.Time // the latest entry of earlier walks
	first   int       // how many entries to ask for at first
	most    int       // how many entries the service returns per page
	turned  int
	overlap int // how many entries of the last page the next one repeats
	counts  Recorded
	newest  int64 // the ledger's count when its newest entries were read

	top    part // the newest entries, if they were read first
	alike  counter
	missed map[string]alikes // identical movements, by key: those of which the walk has more than any one of its pages
}

// part is a part of a ledger as it was read.
type part struct {
	at    span
	list  []qredo.LedgerEntry
	total int
}

// alikes are identical movements.
type alikes struct {
	seen      Sighting // the first
	page, all int      // how many there are on one page, and on all pages
}

// span is a part of a ledger.
type span struct{ offset, limit int }

// pages reads page after page. It returns true if the ledger has the opposite order.
//
// While a ledger is read, new entries and those that end go to its newest end. Pages are read from there towards the
// oldest, so that nothing is skipped: the next walk finds what has moved behind this one. If the newest come first, new
// entries push others to where the walk is going; if they come last, the offsets of older entries stay the same, or
// shrink by what has left.
func (w *ledgerWalk) pages(ctx context.Context) (turn bool, err error) {
	at := span{0, w.first}
	if w.source.Oldest {
		at.offset = max(0, int(w.source.Rows+w.source.Skipped+w.source.Missed)-w.first/2)
	}
	var last []qredo.LedgerEntry
	end := 0 // of the entries that existed when the page was requested; newer ones are left to the next walk
	reached, probed := -1, false
	for top, tries, same := true, 0, 0; ; tries++ {
		page, err := w.client.Funds.ListLedger(ctx, w.company, w.fund, qredo.LedgerOptions{Offset: at.offset, Limit: at.limit})
		if err != nil {
			return false, err
		}
		list, total := page.Entries, page.Total
		n := len(list)
		if w.source.Oldest && top && total == 0 && !probed { // the end with the newest entries is not known yet
			if n > 0 {
				if err := w.record(ctx, list, 0); err != nil {
					return false, err
				}
				w.alike, at = counter{}, span{at.offset + n, full}
				continue
			}
			probed, at = true, span{max(0, at.offset-w.most), min(at.offset, w.most)}
			if at.limit == 0 {
				return false, nil
			}
			continue
		}
		if short, newer := n < at.limit && total > at.offset+n, top && cmp.Or(end, total) > at.offset+n; w.source.Oldest && (short || newer) && reached != at.offset+n {
			reached = at.offset + n // if no more come the next time, the ledger ends there, whatever it counts
			if tries > 10 || n == 0 {
				return false, fmt.Errorf("the ledger of fund %s counts %d entries but does not return the last of them", w.fund, total)
			}
			if n < at.limit {
				w.most = n
			}
			if end = at.offset + at.limit; top {
				end = total
			}
			at = span{max(0, end-w.most), min(end, w.most)}
			continue
		}
		if tries = 0; n == 0 {
			return false, nil
		}
		if top && w.turned == 1 && !slices.ContainsFunc(list, func(e qredo.LedgerEntry) bool { return !e.Time.Before(w.known.Add(-overlap)) }) {
			return true, nil // the newest in this order is older than what is known: the order is the opposite after all
		}
		if top {
			w.top = part{at, list, total}
			w.newest = int64(min(total, at.offset+n))
			if !w.source.Oldest {
				w.newest = int64(total)
			}
		}
		if total > 0 && at.offset >= total { // its count differs
			w.newest = 0
		}
		if err := w.record(ctx, list, w.again(last, list)); err != nil {
			return false, err
		}
		if order := list[0].Time.Compare(list[n-1].Time.Time); order != 0 && order < 0 != w.source.Oldest && w.turned < 2 && (total == 0 || n < total || at.offset > 0) {
			return true, nil
		}
		if same++; top || !reflect.DeepEqual(list, last) {
			same = 0
		}
		if same == 3 && (total == 0 || !uniform(list)) { // once or twice, new entries may have pushed it there
			return false, fmt.Errorf("the ledger of fund %s returns the same page for several offsets", w.fund)
		}
		top, last = false, list
		if at = w.next(list, at, total); at.limit == 0 {
			return false, nil
		}
	}
}

// uniform reports whether all entries of a page are identical, as when one transaction on the chain pays a wallet again
// and again.
func uniform(list []qredo.LedgerEntry) bool {
	for _, e := range list {
		if e != list[0] || e.TxID != "" {
			return false
		}
	}
	return true
}

// again returns how many entries at the newer end of a page are there because next asked for them again.
func (w *ledgerWalk) again(last, list []qredo.LedgerEntry) int {
	if last == nil {
		return 0
	}
	return min(w.overlap, len(list))
}

// recordAlike records identical movements on several pages, if nothing moved while they were read: what moves, and what
// is new, goes to the newest end, which then differs; and entries that arrive late, among older ones, change the count.
func (w *ledgerWalk) recordAlike(ctx context.Context) error {
	if len(w.missed) == 0 {
		return nil
	}
	now, err := w.client.Funds.ListLedger(ctx, w.company, w.fund, qredo.LedgerOptions{Offset: w.top.at.offset, Limit: w.top.at.limit})
	if err != nil || now.Total != w.top.total || !slices.Equal(now.Entries, w.top.list) {
		return err // the next walk will see
	}
	for _, key := range slices.Sorted(maps.Keys(w.missed)) {
		var seen []Sighting
		a := w.missed[key]
		for n := a.page + 1; n <= a.all; n++ {
			s := a.seen
			s.ID = numbered(key, n)
			s.Movement.Key = s.ID
			seen = append(seen, s)
			if len(seen) == full || n == a.all {
				if err := w.store(ctx, seen); err != nil {
					return err
				}
				seen = seen[:0]
			}
		}
	}
	return nil
}

// next says which page to read after one; limit 0 means none. It repeats those entries of the last page that are as old
// as its oldest, so that identical ones are counted within one page.
func (w *ledgerWalk) next(list []qredo.LedgerEntry, at span, total int) span {
	oldest, n := list[len(list)-1].Time, len(list)
	if w.source.Oldest {
		oldest = list[0].Time
	}
	if oldest.Before(w.until) {
		return span{}
	}
	again := 0
	for _, e := range list {
		if e.Time.Equal(oldest.Time) {
			again++
		}
	}
	if again == n { // all of the same second
		again = n / 2
	}
	if total == 0 && !w.source.Oldest { // an empty page is the end
		again = 0
	}
	w.overlap = again
	short := n < at.limit
	if short && at.offset > 0 && at.offset+n == total {
		w.countsAll = true // from here on, a full page that reaches as far need not be followed by another to show that it was the last
	}
	switch end := at.offset + again; {
	case w.source.Oldest && at.offset == 0, !w.source.Oldest && total > 0 && at.offset+n >= total && (short || w.countsAll):
		return span{}
	case w.source.Oldest:
		return span{max(0, end-w.most), min(end, w.most)}
	}
	return span{at.offset + n - again, full}
}

// record stores the entries of a page, of which the given number at its newer end were on the page before.
func (w *ledgerWalk) record(ctx context.Context, list []qredo.LedgerEntry, again int) error {
	seen := make([]Sighting, 0, len(list))
	inPage := map[string]int{}
	for i, e := range list {
		if e.Amount < 0 || e.Fees < 0 || e.NetAmount < 0 {
			return fmt.Errorf("the ledger of fund %s has a negative figure although the type gives the direction: what has moved is unclear", w.fund)
		}
		repeated := i < again
		if w.source.Oldest {
			repeated = i >= len(list)-again
		}
		if e.WalletID == "" && e.IsDeposit() {
			id, err := w.walletOf(ctx, e)
			if err != nil {
				return err
			}
			if e.WalletID = id; id == "" {
				continue // it is looked for again
			}
		}
		m := ofLedger(w.company, w.fund, e)
		if m.Key == "" {
			if !w.nameless {
				w.log.Error("inbox: a ledger has an entry without an ID, which cannot be handed over once", "source", w.source.ID)
			}
			w.nameless = true
			continue
		}
		w.source.latest(m.Time, w.client)
		if e.TxID != "" || m.Time.Before(w.from) {
			seen = append(seen, w.sightings(m, 1)...)
			continue
		}
		key := m.Key
		inPage[key]++
		seen = append(seen, w.sightings(m, inPage[key])...)
		if !repeated {
			if all := w.alike.count(key); all > inPage[key] {
				if w.missed == nil {
					w.missed = map[string]alikes{}
				}
				w.missed[key] = alikes{w.sightings(m, 1)[0], max(inPage[key], w.missed[key].page), all}
			}
		}
	}
	for key, a := range w.missed {
		a.page = max(a.page, inPage[key])
		w.missed[key] = a
	}
	return w.store(ctx, seen)
}

func (w *ledgerWalk) store(ctx context.Context, seen []Sighting) error {
	counts, err := w.records.Record(ctx, *w.source, w.now(), seen)
	w.counts.add(counts)
	w.source.Rows += int64(counts.New)
	return err
}

// latest records the time of an entry. An entry ahead of the service's clock would cause later ones to be skipped.
func (s *Source) latest(at time.Time, client *qredo.Client) {
	now := qredo.TimeOf(time.Now())
	if service := now.Add(-client.Until(now)); at.After(service) {
		at = service.UTC()
	}
	if at.After(s.Latest) {
		s.Latest = at
	}
}
