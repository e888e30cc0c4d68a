package qredotest

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// TestingT is what this package needs from a test: a [*testing.T], a [*testing.B], or the equivalent in other frameworks.
type TestingT interface {
	Helper()                           // marks a helper function, whose lines are not reported
	Errorf(format string, args ...any) // fails the test, which continues
	FailNow()                          // ends it
}

// Clock is a clock that stands still until a test moves it. Pass its method Now to the WithClock options of the client, the
// outbox, the inbox, the approver and the sandbox. It is safe for concurrent use.
//
// It provides the time of day: for expiries, timestamps, and when something is due. Waiting uses real timers, which no clock
// moves: a pause before a retry, the interval of a Wait method, or that of an idle outbox or inbox. If a test must not wait for
// those, run it in a bubble of [testing/synctest], which has its own time for both, and needs no Clock.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows the given time.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward, and returns the time that it then shows. It panics if by is negative, because programs must
// never see the same time twice.
func (c *Clock) Advance(by time.Duration) time.Time {
	if by < 0 {
		panic("qredotest: a clock does not go back")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
	return c.now
}

// EventuallyOption changes how [Eventually] works.
type EventuallyOption func(*eventually)

type eventually struct {
	within, every time.Duration
	advance       func(time.Duration)
	now           func() time.Time
}

// Within sets how long [Eventually] keeps looking. Default: 10 s; with [Advancing], one hour.
func Within(d time.Duration) EventuallyOption { return func(e *eventually) { e.within = d } }

// Every sets how long [Eventually] waits between two looks. Default: 10 ms; with [Advancing], one second.
func Every(d time.Duration) EventuallyOption { return func(e *eventually) { e.every = d } }

// Advancing makes [Eventually] advance a clock between two looks instead of waiting: for things that depend only on the time of
// day, such as an expiry. What other goroutines do meanwhile takes real time; to wait for that, use a bubble of
// [testing/synctest].
func Advancing(c *Clock) EventuallyOption {
	return func(e *eventually) {
		e.within, e.every = time.Hour, time.Second
		e.advance, e.now = func(d time.Duration) { c.Advance(d) }, c.Now
	}
}

// Eventually calls look until it returns nil, and ends the test if that does not happen in time, or ctx ends first. The error
// of look says what is not yet as it should be; the test's failure shows the last one. In a bubble of [testing/synctest] the
// waiting takes no real time. Options are applied from left to right.
func Eventually(ctx context.Context, t TestingT, look func(ctx context.Context) error, opts ...EventuallyOption) {
	t.Helper()
	e := eventually{within: 10 * time.Second, every: 10 * time.Millisecond, now: time.Now}
	for _, opt := range opts {
		opt(&e)
	}
	if e.every <= 0 {
		t.Errorf("qredotest: the interval of Eventually must be more than zero, is %s", e.every)
		t.FailNow()
		return
	}
	began := e.now()
	for looks := 1; ; looks++ {
		state := look(ctx)
		if state == nil {
			return
		}
		passed := e.now().Sub(began)
		if ctx.Err() == nil && passed < e.within {
			e.wait(ctx, min(e.every, e.within-passed))
			continue
		}
		ended := ""
		if ctx.Err() != nil {
			ended = fmt.Sprintf(" the context ended (%v):", context.Cause(ctx))
		}
		t.Errorf("not so after %s, %s:%s %v", passed.Round(time.Millisecond), count(looks, "look"), ended, state)
		t.FailNow()
		return
	}
}

func (e eventually) wait(ctx context.Context, d time.Duration) {
	if e.advance != nil {
		e.advance(d)
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
