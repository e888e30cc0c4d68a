// Package feed gives the events of a WebSocket to a consumer, each once, over as many connections as it takes. It
// knows connections, and nothing of what the events are about.
package feed

import (
	"context"
	"errors"
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
)

// Feed is what one feed is made of. A consumer that is slow loses nothing: frames wait in a queue of fixed size and
// then on the network, since nothing more is read; if the service cuts such a connection off, the next one fills
// the gap.
type Feed[E any] struct {
	Ping    time.Duration // how often the connection is tested
	Pauses  backoff.Range // between connections
	GiveUp  time.Duration // after so long without one; never if 0
	OnState func(status Status, why error)

	Dial func(ctx context.Context) (*websocket.Conn, error)
	// Refused reports whether an error is a refusal that does not pass by itself.
	Refused func(err error) bool
	// Prepare notes where the feed begins, before the first connection. It may be nil.
	Prepare func(ctx context.Context) error
	// Fill returns what the consumer may have missed, after a connection was made. It may be nil.
	Fill func(ctx context.Context) ([]E, error)
	// Fresh reports whether the consumer does not have an event yet, and remembers it. If it is nil, all are fresh.
	Fresh func(event E) bool
}

// GivenUpError ends a feed that could not be connected for as long as it may.
type GivenUpError struct {
	After time.Duration
	Err   error // why it was not connected
}

func (e *GivenUpError) Error() string { return fmt.Sprintf("not connected for %s: %v", e.After, e.Err) }

// UnreadError is about a message that is no event. The feed goes on.
type UnreadError struct{ Err error }

func (e *UnreadError) Error() string { return e.Err.Error() }

// errConsumerDone says that whoever ranges over the feed has stopped.
var errConsumerDone = errors.New("the consumer is done")

// Run gives events to yield until ctx ends or yield returns false.
func (f *Feed[E]) Run(ctx context.Context, yield func(E, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures, lastGood := 0, time.Now()
	for {
		good, err := f.session(ctx, yield)
		failures++
		switch {
		case errors.Is(err, errConsumerDone) || ctx.Err() != nil:
			return
		case good:
			failures, lastGood = 1, time.Now()
		case f.GiveUp > 0 && time.Since(lastGood) >= f.GiveUp:
			yield(*new(E), &GivenUpError{f.GiveUp, err})
			return
		case f.Refused(err):
			// Trying again will not help by itself, so the consumer must hear of it.
			if !yield(*new(E), err) {
				return
			}
		}
		if backoff.Wait(ctx, backoff.Below(f.Pauses.After(failures))) != nil {
			return
		}
	}
}

// session makes one connection, catches up and gives events until the connection is lost. It was good if it gave an
// event, or did not end at once.
func (f *Feed[E]) session(ctx context.Context, yield func(E, error) bool) (good bool, err error) {
	if f.Prepare != nil {
		if err := f.Prepare(ctx); err != nil {
			return false, err
		}
		f.Prepare = nil
	}
	ws, err := f.Dial(ctx)
	if err != nil {
		return false, err
	}
	conn := newConn(ctx, ws, f.Ping)
	defer conn.close()
	connected := time.Now()
	f.OnState(Connected, nil)
	defer func() {
		if !errors.Is(err, errConsumerDone) && ctx.Err() == nil {
			f.OnState(Lost, err)
		}
	}()
	if f.Fill != nil {
		missed, err := f.Fill(ctx)
		if err != nil {
			return false, err
		}
		for _, event := range missed {
			if f.fresh(event) && !yield(event, nil) {
				return false, errConsumerDone
			}
		}
	}
	f.OnState(CaughtUp, nil)
	for {
		frame, err := conn.next(ctx)
		if err != nil {
			return good || time.Since(connected) >= f.Ping, err
		}
		good = true
		event, err := read[E](frame)
		if err == nil && !f.fresh(event) {
			continue
		}
		if !yield(event, err) {
			return good, errConsumerDone
		}
	}
}

func (f *Feed[E]) fresh(event E) bool { return f.Fresh == nil || f.Fresh(event) }

// read reads a frame's event. A frame that is no event leaves the feed as it is.
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
