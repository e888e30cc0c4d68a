package export

import (
	"errors"
	"slices"

	"github.com/qredo-go/qredo"
)

// ErrMoves ends an export whose ledger changes faster than it can be read. What to do: try again later; it goes on.
var ErrMoves = errors.New("export: the ledger changes faster than it can be read")

// reader reads a ledger from its oldest entry on, whichever end the service starts with. If the newest come first, places
// are counted from the end, so that new entries do not shift them.
type reader struct {
	ask         func(offset, limit int) (*qredo.LedgerPage, error)
	limit       int // entries to ask for at a time
	newestFirst bool
	total       int  // entries, as far as is known
	uncounted   bool // the service's total is missing or does not count all entries: search for the end
}

// orient finds out which end the service starts with. If all entries have the same time, it assumes the newest, as in the
// service's examples.
func (r *reader) orient() error {
	page, err := r.ask(0, r.limit)
	if err != nil {
		return err
	}
	r.total, r.uncounted = page.Total, false
	if len(page.Entries) == 0 {
		return nil
	}
	if n := len(page.Entries); page.Total <= n { // all of them; or the service counts those of the page, or none
		again, err := r.ask(n-1, 2)
		if err != nil {
			return err
		}
		if r.uncounted = again.Total < n || n <= 2; r.uncounted {
			if err := r.count(n); err != nil {
				return err
			}
		}
	}
	first, last := page.Entries[0], page.Entries[len(page.Entries)-1]
	if r.total > len(page.Entries) {
		end, err := r.ask(r.total-1, 1)
		if err != nil {
			return err
		}
		if len(end.Entries) > 0 {
			last = end.Entries[0]
		}
	}
	r.newestFirst = !last.Time.After(first.Time.Time)
	return nil
}

// count finds the number of entries, of which at least known exist.
func (r *reader) count(known int) error {
	step, beyond := 1, -1 // a place beyond the end
	for beyond < 0 || beyond > known {
		at := known + step - 1
		if beyond >= 0 {
			at = known + (beyond-known)/2
		}
		page, err := r.ask(at, 1)
		switch {
		case err != nil:
			return err
		case len(page.Entries) == 0:
			beyond = at
		case at > 1<<30: // on systems with a 32-bit int, too
			return errors.New("export: the ledger has no end")
		default:
			known, step = at+1, 2*step
		}
	}
	r.total = known
	return nil
}

// from returns the entry at a place, counted from the oldest, and some after it, oldest first. It returns none at the end
// of the ledger.
func (r *reader) from(n int) ([]qredo.LedgerEntry, error) {
	if !r.newestFirst {
		page, err := r.ask(n, r.limit)
		if err != nil {
			return nil, err
		}
		r.total = max(page.Total, n+len(page.Entries))
		return page.Entries, nil
	}
	const attempts = 50
	for range attempts {
		end := min(n+r.limit, r.total)
		offset := r.total - end
		page, err := r.ask(offset, max(end-n, 1))
		if err != nil {
			return nil, err
		}
		if !r.uncounted {
			r.total = page.Total
		} else if err := r.count(r.total); err != nil {
			return nil, err
		}
		oldest := r.total - offset - len(page.Entries) // how many come before the oldest of the page
		switch {
		case n >= r.total:
			return nil, nil
		case len(page.Entries) > 0 && oldest <= n:
			slices.Reverse(page.Entries)
			return page.Entries[min(max(n-oldest, 0), len(page.Entries)):], nil
		case len(page.Entries) > 0 && len(page.Entries) < end-n: // the service returns no more at a time
			r.limit = len(page.Entries)
		}
		// Otherwise some have arrived, and the requested entries are further on.
	}
	return nil, ErrMoves
}

// after is from for the entry before n, and returns at least one more entry unless the ledger ends.
func (r *reader) after(n int) ([]qredo.LedgerEntry, error) {
	if n == 0 {
		return r.from(0)
	}
	for range 50 {
		entries, err := r.from(n - 1)
		if err != nil || len(entries) != 1 || r.total <= n && r.newestFirst {
			return entries, err
		}
		more, err := r.from(n) // the service returns one at a time, or the ledger ends
		if err != nil || len(more) == 0 {
			return entries, err
		}
		again, err := r.from(n - 1)
		if err != nil {
			return nil, err
		}
		if len(again) > 0 && again[0] == entries[0] {
			return append(entries, more...), nil
		}
	}
	return nil, ErrMoves
}
