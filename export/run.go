package export

import (
	"bytes"
	"context"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
)

// position is a place in the file and in the ledger: after an entry, or at the beginning.
type position struct {
	Bytes   int64  `json:"bytes"`
	Entries int    `json:"entries"`
	Last    int64  `json:"last"` // where the previous entry begins in the file
	Sum     uint32 `json:"sum"`  // CRC-32C of the file up to here
}

// place is what a run knows about its file, and what a checkpoint stores.
type place struct {
	At      position   `json:"at"`      // where the file ends
	Waiting []position `json:"waiting"` // after each entry that may still change, oldest first
	Marks   []position `json:"marks"`   // some of the places to go back to, in order
}

// run is one export in progress.
type run struct {
	*Ledger
	rows   rows
	reader reader
	place
	file   *os.File
	result Result
	keep   func() error // writes a checkpoint
	ahead  *ahead       // nil if nothing is read ahead
	stop   func()       // cancels reading

	kept time.Time     // when the last checkpoint was written
	took time.Duration // how long that took
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// walk writes the entries after the place where the file ends, page by page, oldest first. Each page starts with the last
// entry in the file. If that entry differs, a transaction that was written as pending has ended and moved to the newest
// entries, or an older entry arrived late: what was written since is taken back.
func (x *run) walk(ctx context.Context) error {
	defer func() {
		x.stop() // nobody needs what is read ahead
		x.await()
	}()
	if err := x.reader.orient(); err != nil {
		return err
	}
	if err := x.goTo(x.At); err != nil {
		return err
	}
	const patience = 50 // how many times something is taken back without getting further than before
	for farthest, tries := x.At.Entries, 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		entries, err := x.next(x.At.Entries)
		if err != nil {
			return err
		}
		same := x.At.Entries == 0
		if !same && len(entries) > 0 {
			if same, err = x.holds(x.At, &entries[0]); err != nil {
				return err
			}
			entries = entries[1:]
		}
		before := x.At.Entries
		if same && len(entries) > 0 {
			total := x.reader.total // as long as nothing is read ahead
			x.readAhead(before + len(entries))
			if err = x.write(entries); err != nil {
				return err
			}
			x.tell(Progress{Entries: x.At.Entries, Total: max(total, x.At.Entries), Resumed: x.result.Resumed})
			if x.At.Entries > farthest {
				farthest, tries = x.At.Entries, 0
			}
			continue
		}
		var changed bool
		if changed, err = x.recheck(); err == nil && !changed && !same {
			err = x.goBack()
		}
		switch {
		case err != nil:
			return err
		case same && !changed: // the end, and pending entries are still pending
			x.result.Entries = x.At.Entries
			return nil
		}
		back := before - x.At.Entries
		x.result.Back += back
		x.result.Resumed = min(x.result.Resumed, x.At.Entries)
		x.tell(Progress{Entries: x.At.Entries, Total: max(x.reader.total, x.At.Entries), Resumed: x.result.Resumed, Back: back})
		if tries++; tries > patience {
			return ErrMoves
		}
	}
}

// ahead is the page that is read while the one before it is written.
type ahead struct {
	entries []qredo.LedgerEntry
	err     error
	read    chan struct{} // closed once it is
}

// readAhead reads the next page while the one before it is written. The service is asked for the same pages in the same
// order as without it: writing changes nothing there, and nobody else uses the reader until next or await has returned.
func (x *run) readAhead(n int) {
	a := &ahead{read: make(chan struct{})}
	x.ahead = a
	go func() {
		defer close(a.read)
		a.entries, a.err = x.reader.after(n)
	}()
}

// next returns the page after a place: the one that was read ahead, if it is that one.
func (x *run) next(n int) ([]qredo.LedgerEntry, error) {
	a := x.ahead
	if a == nil {
		return x.reader.after(n)
	}
	x.await()
	return a.entries, a.err
}

// await waits until the read-ahead has finished.
func (x *run) await() {
	if x.ahead != nil {
		<-x.ahead.read
		x.ahead = nil
	}
}

// write adds entries to the file, and a checkpoint if one is due.
func (x *run) write(entries []qredo.LedgerEntry) error {
	x.rows.data = x.rows.data[:0]
	if x.At.Bytes == 0 {
		x.rows.head()
	}
	before := x.place
	begin, sum, from := x.At.Bytes, x.At.Sum, 0
	for i := range entries {
		entry := &entries[i]
		here := len(x.rows.data)
		if err := x.rows.add(entry); err != nil {
			x.place = before
			return err
		}
		sum = crc32.Update(sum, castagnoli, x.rows.data[from:])
		from = len(x.rows.data)
		x.At = position{begin + int64(from), x.At.Entries + 1, begin + int64(here), sum}
		if !final(entry) {
			x.Waiting = append(x.Waiting, x.At)
		}
	}
	if _, err := x.file.Write(x.rows.data); err != nil {
		x.place = before // the next run cuts off what is behind it in the file
		return err
	}
	x.mark()
	const share = 10 // checkpoints may take only a limited part of the time
	if x.now().Sub(x.kept) < max(x.checkpoints, share*x.took) {
		return nil
	}
	return x.checkpoint()
}

func (x *run) checkpoint() error {
	began := x.now()
	err := x.keep()
	x.kept = x.now()
	x.took = x.kept.Sub(began)
	return err
}

// mark makes the end of the file a place to go back to. If there are many, every other one is dropped.
func (x *run) mark() {
	const most = 4096
	if x.Marks = append(x.Marks, x.At); len(x.Marks) > most {
		for i := range most / 2 {
			x.Marks[i] = x.Marks[2*i]
		}
		x.Marks = append(x.Marks[:most/2], x.At)
	}
}

// holds reports whether the file has an entry before a place.
func (x *run) holds(p position, entry *qredo.LedgerEntry) (bool, error) {
	again := rows{format: x.format, zone: x.zone, assets: x.rows.assets}
	if err := again.add(entry); err != nil {
		return false, err
	}
	have := make([]byte, p.Bytes-p.Last)
	if _, err := x.file.ReadAt(have, p.Last); err != nil {
		return false, err
	}
	return bytes.Equal(have, again.data), nil
}

// recheck looks at the entries that were pending when they were written. It takes back the first that has changed, with
// everything after it, and reports whether there was one.
func (x *run) recheck() (changed bool, err error) {
	var entries []qredo.LedgerEntry
	first := 0 // the place of the first of them in the ledger
	for _, p := range x.Waiting {
		at := p.Entries - 1
		if at < first || at >= first+len(entries) {
			if entries, err = x.reader.from(at); err != nil {
				return false, err
			}
			first = at
		}
		same := len(entries) > 0
		if same {
			if same, err = x.holds(p, &entries[at-first]); err != nil {
				return false, err
			}
		}
		if !same {
			return true, x.backTo(x.before(p))
		}
	}
	return false, nil
}

// before returns the last mark before the entry that precedes p.
func (x *run) before(p position) position {
	i, _ := slices.BinarySearchFunc(x.Marks, p.Entries, func(m position, n int) int { return m.Entries - n })
	if i == 0 {
		return position{}
	}
	return x.Marks[i-1]
}

// goBack finds the last mark up to which the file agrees with the ledger.
func (x *run) goBack() error {
	good, bad := position{}, len(x.Marks)
	for low := 0; low < bad; {
		middle := (low + bad) / 2
		p := x.Marks[middle]
		entries, err := x.reader.from(p.Entries - 1)
		if err != nil {
			return err
		}
		same := false
		if len(entries) > 0 && p.Entries < x.At.Entries {
			if same, err = x.holds(p, &entries[0]); err != nil {
				return err
			}
		}
		if same {
			good, low = p, middle+1
		} else {
			bad = middle
		}
	}
	return x.backTo(good)
}

// backTo takes back what is after a place.
func (x *run) backTo(p position) error {
	x.At = p
	behind := func(q position) bool { return q.Entries > p.Entries }
	x.Waiting = slices.DeleteFunc(x.Waiting, behind)
	x.Marks = slices.DeleteFunc(x.Marks, behind)
	if err := x.checkpoint(); err != nil { // first, so that no other run continues from where the file is wrong
		return err
	}
	if p.Entries == 0 {
		if err := x.reader.orient(); err != nil { // the order may have been guessed wrong
			return err
		}
	}
	return x.goTo(p)
}

// goTo makes the file end at a place.
func (x *run) goTo(p position) error {
	if err := x.file.Truncate(p.Bytes); err != nil {
		return err
	}
	_, err := x.file.Seek(p.Bytes, io.SeekStart)
	return err
}
