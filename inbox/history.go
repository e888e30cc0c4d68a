package inbox

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/qredo-go/qredo"
)

// walletReader reads a wallet's history. Only its follower uses it.
type walletReader struct {
	*running
	id       qredo.WalletID
	measured time.Time
}

func (w *walletReader) mayHave(id qredo.WalletID) bool { return id == w.id }

// look reads what is new in the history.
func (w *walletReader) look(ctx context.Context, s *Source) (Recorded, error) {
	now, before := time.Now(), *s
	counts, err := w.read(ctx, s)
	if err != nil {
		return counts, err
	}
	s.Whole = true
	if err := w.measure(ctx, s, now, counts); err != nil {
		return counts, err
	}
	if reflect.DeepEqual(before.Reading, s.Reading) {
		return counts, nil
	}
	return counts, w.records.Progress(ctx, *s)
}

// read records what is new in the history.
func (w *walletReader) read(ctx context.Context, s *Source) (counts Recorded, err error) {
	since := w.first()
	if s.Whole {
		since = s.Latest.Add(-overlap)
	}
	options := qredo.HistoryOptions{}
	if since = since.Add(-time.Second); since.Unix() > 0 { // the service leaves out that very second
		options.Since = qredo.TimeOf(since)
	}
	var (
		alike counter
		seen  []Sighting
	)
	record := func() error {
		more, err := w.records.Record(ctx, *s, w.now(), seen)
		counts.add(more)
		s.Rows += int64(more.New)
		seen = seen[:0]
		return err
	}
	for e, err := range w.client.Wallets.HistoryAll(ctx, w.id, options) {
		if err != nil {
			return counts, err
		}
		if e.Fees < 0 && e.Amount > 0 {
			return counts, fmt.Errorf("the history of wallet %s has outgoing amounts as positive, as in the service's schema but not in its example: "+
				"incoming and outgoing movements cannot be distinguished", w.id)
		}
		e.WalletID = cmp.Or(e.WalletID, w.id)
		if m := ofHistory(e); m.Key != "" {
			n := 1
			if !m.Time.Before(w.from) {
				n = alike.count(m.Key)
			}
			seen = append(seen, w.sightings(m, n)...)
			s.latest(m.Time, w.client)
		}
		if len(seen) >= full {
			if err := record(); err != nil {
				return counts, err
			}
		}
	}
	if err := record(); err != nil {
		return counts, err
	}
	return counts, nil
}

// counter counts how many times a key came among the last ten thousand or so.
type counter struct{ now, before map[string]int }

func (c *counter) count(key string) int {
	const most = 8192
	if c.now == nil || len(c.now) >= most {
		c.now, c.before = map[string]int{}, c.now
	}
	n := max(c.now[key], c.before[key]) + 1
	c.now[key] = n
	return n
}
