package cli

import (
	"errors"
	"slices"

	"github.com/qredo-go/qredo"
)

// ledgerReader reads a ledger from its oldest entry on, whichever end the service begins with. Where the newest
// come first, places are counted from the end: there what arrives does not shift them.
type ledgerReader struct {
	ask         func(offset, limit int) (*qredo.LedgerPage, error)
	limit       int // entries to ask for at a time
	newestFirst bool
	total       int // as the service said last
}

// orient finds out which end the service begins with. Where all entries have one time, it is the newest, as the
// service's examples have it.
func (r *ledgerReader) orient() error {
	page, err := r.ask(0, r.limit)
	if err != nil || len(page.Entries) == 0 {
		r.total = 0
		return err
	}
	first, last := page.Entries[0], page.Entries[len(page.Entries)-1]
	if page.Total > len(page.Entries) {
		end, err := r.ask(page.Total-1, 1)
		if err != nil {
			return err
		}
		if len(end.Entries) > 0 {
			last = end.Entries[0]
		}
	}
	r.total, r.newestFirst = page.Total, !last.Time.After(first.Time.Time)
	if r.newestFirst && page.Total < len(page.Entries) {
		return errors.New("the service does not say how many entries the ledger has, and gives the newest first: its oldest cannot be found")
	}
	return nil
}

// from returns the entry that so many older ones come before, and some after it, oldest first. None are returned
// where the ledger ends.
func (r *ledgerReader) from(n int) ([]qredo.LedgerEntry, error) {
	if !r.newestFirst {
		page, err := r.ask(n, r.limit)
		if err != nil {
			return nil, err
		}
		r.total = page.Total
		return page.Entries, nil
	}
	const attempts = 50
	for range attempts {
		end := min(n+r.limit, r.total)
		if end <= n {
			return nil, nil
		}
		offset := r.total - end
		page, err := r.ask(offset, end-n)
		if err != nil {
			return nil, err
		}
		r.total = page.Total
		oldest := page.Total - offset - len(page.Entries)
		switch {
		case oldest <= n:
			slices.Reverse(page.Entries)
			return page.Entries[min(n-oldest, len(page.Entries)):], nil
		case len(page.Entries) == 0:
			return nil, nil
		case len(page.Entries) < end-n: // the service gives no more at a time
			r.limit = len(page.Entries)
		}
		// Otherwise some have arrived, and what was asked for is further on.
	}
	return nil, errors.New("entries arrive faster than the ledger can be read: try again, with a larger --page")
}

// after returns what from does, for the entry that stands before n, and at least one more unless the ledger ends.
func (r *ledgerReader) after(n int) ([]qredo.LedgerEntry, error) {
	if n == 0 {
		return r.from(0)
	}
	entries, err := r.from(n - 1)
	if err != nil || len(entries) != 1 || r.total <= n {
		return entries, err
	}
	more, err := r.from(n) // the service gives one at a time
	return append(entries, more...), err
}
