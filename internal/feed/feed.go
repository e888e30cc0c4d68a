// Package feed gives the events of a WebSocket to a consumer, each once, over as many connections as it takes. It
// knows connections, and nothing of what the events are about.
package feed

import (
	"context"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/wire"
)

// Status tells how a feed's connection stands.
type Status string

// The states of a feed.
const (
	Connected Status = "connected" // events may be missing that happened before
	CaughtUp  Status = "caught up" // they have been given
	Lost      Status = "lost"      // it will connect again
	Behind    Status = "behind"    // what may have been missed could not be read; that will be tried again
)

// Feed is what one feed is made of. A consumer that is slow loses nothing: frames wait in a queue of fixed size and
// then on the network, since nothing more is read; if the service cuts such a connection off, filling closes the gap.
//
// New events do not wait for filling, which may keep failing, nor does filling wait for the connection.
type Feed[E any] struct {
	Ping    time.Duration // how often the connection is tested
	Pauses  backoff.Range // between connections, and between attempts to fill
	GiveUp  time.Duration // after so long without one; never if 0
	Every   time.Duration // how often it is filled, besides after each connection
	OnState func(status Status, why error)

	// Dial makes a connection. It has pinged called whenever the other side pings.
	Dial func(ctx context.Context, pinged func()) (*websocket.Conn, error)
	// Refused reports whether an error is a refusal that does not pass by itself.
	Refused func(err error) bool
	// Fill gives what the consumer may have missed to take, which may be called at any time and by several goroutines. If it
	// is called again since it failed, what it has read need not be read once more. It may be nil.
	Fill func(ctx context.Context, again bool, take Take[E]) error
	// Renew is for feeds without Fill that report everything again after each connection: a connection that has delivered
	// nothing for Every is replaced.
	Renew bool
	// Fresh reports whether the consumer does not have an event of the connection yet, and remembers it. If it is nil, all
	// are fresh.
	Fresh func(event E) bool
}

// Take has the consumer's goroutine call found, which may so use what Fresh uses, and give what it returns. It comes back
// when that is done, or the feed has ended.
type Take[E any] func(found func() Batch[E])

// Do has the consumer's goroutine call f, and gives nothing.
func (t Take[E]) Do(f func()) {
	t(func() (none Batch[E]) {
		f()
		return none
	})
}

// Batch is what filling has found that the consumer does not have.
type Batch[E any] struct {
	Events []E
	Due    bool    // a connection that is open should have brought it
	Unread []error // what else is reported: elements that could not be read, next to those that could
}

// GivenUpError ends a feed that could not be connected for as long as it may.
type GivenUpError struct {
	After time.Duration
	Err   error // why it was not connected
}

func (e *GivenUpError) Error() string { return fmt.Sprintf("not connected for %s: %v", e.After, e.Err) }

// UnreadError is about a message that is not an event, or a list element that is not one. The feed goes on.
type UnreadError struct{ Err error }

func (e *UnreadError) Error() string { return e.Err.Error() }

// read decodes a frame's event. A frame that is not an event leaves the feed unchanged.
func read[E any](f frame) (event E, err error) {
	err = f.problem
	if err == nil {
		err = wire.UnmarshalAnswer(f.data, &event)
	}
	if err != nil {
		return *new(E), &UnreadError{err}
	}
	return event, nil
}
