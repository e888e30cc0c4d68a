package qapi

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// TransactionEvent is a status that a transaction has reached.
type TransactionEvent struct {
	StatusUpdate
	Transaction Transaction `json:"transaction"` // as reported with the status, or as it is now if a gap was filled
}

// Key identifies the transaction and its status, for [qredo.WithKnown].
func (e TransactionEvent) Key() string {
	return string(e.Transaction.ID) + ":" + string(e.Status.known())
}

// ofKey parses what Key returns.
func ofKey(key string) (id qredo.TxID, status Status, ok bool) {
	at := strings.LastIndexByte(key, ':')
	if at <= 0 || at == len(key)-1 {
		return "", "", false
	}
	return qredo.TxID(key[:at]), Status(key[at+1:]), true
}

// Feed returns each status that a transaction of the account reaches, once, until ctx ends. It begins with all events so far of
// the transactions that it follows: those that this client has created or read, and that have not ended. It also follows
// transactions that the feed reports.
//
// After each connection, and also from time to time ([qredo.WithFillEvery]), it asks for the status of the transactions that it
// follows, so none of their events is lost. A transaction that somebody else has created and finished in the meantime is not
// found, because the service has no list of transactions. After a restart, pass [qredo.WithKnown] with the keys of the events
// received so far: these are not delivered again, and transactions that had not ended are followed. You need not keep the keys
// of transactions that have ended.
//
// The feed yields an error for a message that was not understood, or if the service refuses the feed. It continues afterwards,
// for as long as you range over it.
//
// API: GET /transactions/feed
func (s *TransactionsService) Feed(ctx context.Context, opts ...qredo.FeedOption) iter.Seq2[TransactionEvent, error] {
	return func(yield func(TransactionEvent, error) bool) {
		given := givenEvents{of: map[qredo.TxID]map[Status]bool{}}
		if err := s.goOn(&given, qredo.KnownKeys(opts...)); err != nil {
			yield(TransactionEvent{}, err)
			return
		}
		for m, err := range qredo.Feed(ctx, s.client.core, "/transactions/feed", s.statuses, opts...) {
			if err != nil {
				if !yield(TransactionEvent{}, err) {
					return
				}
				continue
			}
			for _, event := range s.read(m) {
				if given.add(event.Transaction.ID, event.Status) && !yield(event, nil) {
					return
				}
			}
		}
	}
}

// goOn takes over what the consumer got from an earlier feed, and follows the transactions that had not ended then.
func (s *TransactionsService) goOn(given *givenEvents, keys []string) error {
	var order []qredo.TxID
	ended := map[qredo.TxID]bool{}
	for _, key := range keys {
		id, status, ok := ofKey(key)
		if !ok {
			return invalid("known", "must be keys of this feed's events, one is %.100q", key)
		}
		given.add(id, status)
		order = append(order, id)
		ended[id] = ended[id] || status.Ended()
	}
	for _, id := range order {
		if !ended[id] {
			s.followed.follow(id)
		}
	}
	return nil
}

// message is an item of the feed: a transaction that it reports, or what was found when filling a gap.
type message struct {
	told  Transaction
	found []TransactionEvent
}

// Key is empty: events are recognised by their parts.
func (message) Key() string { return "" }

// UnmarshalJSON decodes a transaction.
func (m *message) UnmarshalJSON(data []byte) error { return wire.UnmarshalAnswer(data, &m.told) }

// read returns the events in a message, oldest first.
func (s *TransactionsService) read(m message) []TransactionEvent {
	if m.found != nil {
		return m.found
	}
	s.followed.see(&m.told)
	return m.told.history()
}

// statuses returns, as one message, the events so far of the followed transactions, oldest first, and why some could not
// be read.
func (s *TransactionsService) statuses(ctx context.Context) ([]message, error) {
	all := []TransactionEvent{}
	var unread error
	for _, id := range s.followed.list() {
		tx, err := s.Get(ctx, id)
		switch {
		case errors.Is(err, qredo.ErrNotFound):
			s.followed.drop(id)
		case err != nil:
			unread = cmp.Or(unread, err)
		default:
			all = append(all, tx.history()...)
		}
	}
	slices.SortStableFunc(all, func(a, b TransactionEvent) int { return a.Time.Compare(b.Time.Time) })
	return []message{{found: all}}, unread
}

// history returns what has happened to a transaction, oldest first. The last event is its current status.
func (t *Transaction) history() []TransactionEvent {
	all := make([]TransactionEvent, 0, len(t.Events)+1)
	current := t.Status == ""
	for _, event := range t.Events {
		if event.Status != "" {
			all = append(all, TransactionEvent{event, *t})
			current = current || event.Status == t.Status
		}
	}
	slices.SortStableFunc(all, func(a, b TransactionEvent) int { return a.Time.Compare(b.Time.Time) })
	if !current {
		all = append(all, TransactionEvent{StatusUpdate{Status: t.Status, Time: t.Timestamps[t.Status]}, *t})
	}
	return all
}

// givenEvents are the events that the consumer of a feed has.
type givenEvents struct {
	of    map[qredo.TxID]map[Status]bool
	ended []qredo.TxID // oldest first
}

// keptEnded is how many transactions that have ended are remembered, in case they are reported again.
const keptEnded = 8192

// add reports whether an event is new, and remembers it.
func (g *givenEvents) add(id qredo.TxID, status Status) bool {
	status = status.known()
	if g.of[id] == nil {
		g.of[id] = map[Status]bool{}
	}
	if g.of[id][status] {
		return false
	}
	g.of[id][status] = true
	if !status.Ended() {
		return true
	}
	if g.ended = append(g.ended, id); len(g.ended) > keptEnded {
		delete(g.of, g.ended[0])
		g.ended = g.ended[1:]
	}
	return true
}

// followed are transactions that have not ended as far as is known, oldest first. It is safe for concurrent use.
type followed struct {
	mu  sync.Mutex
	ids []qredo.TxID
}

// mostFollowed is how many transactions are followed at most; the oldest are dropped for new ones.
const mostFollowed = 4096

// see follows a transaction, or stops following it if it has ended.
func (f *followed) see(tx *Transaction) {
	if tx.Status.Ended() {
		f.drop(tx.ID)
		return
	}
	f.follow(tx.ID)
}

func (f *followed) follow(id qredo.TxID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(f.ids, id) {
		return
	}
	if f.ids = append(f.ids, id); len(f.ids) > mostFollowed {
		f.ids = f.ids[1:]
	}
}

func (f *followed) drop(id qredo.TxID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = slices.DeleteFunc(f.ids, func(known qredo.TxID) bool { return known == id })
}

func (f *followed) list() []qredo.TxID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ids)
}
