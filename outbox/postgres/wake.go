package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/pgstore"
)

// channel is the notification channel. The payload is the schema of the outbox.
const channel = "qredo_outbox"

// told limits how often this program notifies workers, because PostgreSQL lets only one notifying transaction commit at a
// time.
type told struct {
	mu   sync.Mutex
	last time.Time
}

// next reports whether the next transaction is to notify.
func (t *told) next() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.last) < 100*time.Millisecond {
		return false // workers that were notified then look often for a while
	}
	t.last = time.Now()
	return true
}

// Wake calls wake soon after a payment was committed, until ctx ends. It returns at once if it would never be told anything:
// behind a connection pooler, or with a driver other than pgx. It uses a connection of its own.
func (s *Store) Wake(ctx context.Context, wake func()) {
	if !s.db.Listens() || !s.db.Enter() {
		return
	}
	defer s.db.Leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.open, cancel)()
	pauses := backoff.Range{Min: 100 * time.Millisecond, Max: time.Minute}
	for failures := 1; ctx.Err() == nil; failures++ {
		err := s.db.Conn(ctx, true, func(c *pgx.Conn) error {
			_, err := c.Exec(ctx, "LISTEN "+channel)
			if err == nil {
				failures = 0
				err = s.listen(ctx, c, wake)
			}
			return err
		})
		if errors.Is(err, pgstore.ErrNoConn) {
			return
		}
		_ = backoff.Wait(ctx, backoff.UpperHalf(pauses.After(failures)))
	}
}

// listen calls wake when workers are notified, until the connection is lost or ctx ends.
func (s *Store) listen(ctx context.Context, c *pgx.Conn, wake func()) error {
	wake() // for what was added before
	for {
		waiting, cancel := context.WithTimeout(ctx, time.Minute)
		said, err := c.WaitForNotification(waiting)
		quiet := waiting.Err() != nil
		cancel()
		switch {
		case err == nil:
			if said == nil || said.Payload == s.schema { // nil if a handler of the caller's takes it
				wake()
			}
		case ctx.Err() != nil || !quiet:
			return err
		default: // nothing heard for long: is the connection still alive?
			asking, cancel := context.WithTimeout(ctx, 10*time.Second)
			err := c.Ping(asking)
			cancel()
			if err != nil {
				return err
			}
		}
	}
}
