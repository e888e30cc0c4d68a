package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo/internal/backoff"
)

const (
	toldAgain   = time.Minute      // how often a lasting failure is reported
	orderly     = 5 * time.Second  // how long events of a new connection wait for what was missed before
	longestFill = 15 * time.Minute // a list that never answers must not block filling for ever
)

// Run gives events to yield until ctx ends or yield returns false.
func (f *Feed[E]) Run(ctx context.Context, yield func(E, error) bool) {
	ctx, cancel := context.WithCancel(ctx)
	r := &run[E]{
		Feed: f, ctx: ctx, yield: yield, lastGood: time.Now(),
		dialed: make(chan dialed, 1), takes: make(chan taking[E]), filled: make(chan error, 1),
		redial: stopped(), refill: stopped(), release: stopped(),
	}
	defer func() { // even if yield panics
		cancel()
		if r.conn != nil {
			r.conn.close()
		}
		r.group.Wait()
		select {
		case d := <-r.dialed:
			if d.ws != nil {
				_ = d.ws.CloseNow() // nobody has ranged over it
			}
		default:
		}
	}()
	r.dial()
	for ctx.Err() == nil && !r.ended {
		r.step()
	}
}

// run is one run of a feed. All of it belongs to the consumer's goroutine, except for what arrives by channels.
type run[E any] struct {
	*Feed[E]
	ctx   context.Context
	yield func(E, error) bool
	ended bool
	group sync.WaitGroup

	conn      *conn // nil if there is none
	connected time.Time
	gave      bool // it has delivered something
	failures  int  // number of connections in a row
	lastGood  time.Time
	lostTold  time.Time
	dialed    chan dialed
	redial    *time.Timer
	held      bool // its events wait for what was missed before
	release   *time.Timer

	filling      bool
	fillAgain    bool      // the current filling began too early
	fillConn     *conn     // what was open when it began
	fillBegan    time.Time // its first attempt
	fillFound    bool      // something is due
	fillFailures int
	behindTold   time.Time
	caughtUp     bool  // since the connection was made
	came         int64 // how much the connection had delivered at the last filling
	takes        chan taking[E]
	filled       chan error
	refill       *time.Timer
}

type dialed struct {
	ws     *websocket.Conn
	pinged *atomic.Int64 // how many times the peer has pinged
	err    error
}

type taking[E any] struct {
	found func() Batch[E]
	done  chan struct{}
}

// stopped returns a timer that is not running yet.
func stopped() *time.Timer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return timer
}

// step waits until something happens, and handles it.
func (r *run[E]) step() {
	var (
		frames chan frame
		lost   <-chan struct{}
	)
	if r.conn != nil {
		lost = r.conn.ctx.Done()
		if !r.held {
			frames = r.conn.frames
		}
	}
	select {
	case <-r.ctx.Done():
	case d := <-r.dialed:
		r.connect(d)
	case <-r.redial.C:
		r.dial()
	case f := <-frames:
		r.take(f)
	case <-lost:
		r.lose()
	case <-r.release.C:
		r.held = false
	case t := <-r.takes:
		r.give(t)
	case err := <-r.filled:
		r.endFill(err)
	case <-r.refill.C:
		r.fill()
	}
}

// tell yields an event or an error to the consumer.
func (r *run[E]) tell(event E, err error) { r.ended = r.ended || !r.yield(event, err) }

func (r *run[E]) dial() {
	r.group.Go(func() {
		pinged := new(atomic.Int64)
		ws, err := r.Dial(r.ctx, func() { pinged.Add(1) })
		r.dialed <- dialed{ws, pinged, err}
	})
}

// connect starts to use a connection, or tries again later.
func (r *run[E]) connect(d dialed) {
	switch {
	case r.ctx.Err() != nil:
		if d.ws != nil {
			_ = d.ws.CloseNow()
		}
		return
	case d.err != nil:
		first := r.failures == 0
		r.retry(d.err, false)
		if first && !r.ended { // there may be no connection for a long time
			r.fill()
		}
		return
	}
	r.conn = newConn(r.ctx, d.ws, d.pinged, r.Ping)
	r.connected, r.gave, r.caughtUp, r.came = time.Now(), false, false, 0
	r.OnState(Connected, nil)
	if r.held = r.Fill != nil; r.held {
		r.release.Reset(orderly)
	}
	r.fill()
}

// lose ends a connection that cannot go on.
func (r *run[E]) lose() {
	for more := true; more && !r.ended && r.ctx.Err() == nil; { // what it delivered before
		select {
		case f := <-r.conn.frames:
			r.take(f)
		default:
			more = false
		}
	}
	why, good := context.Cause(r.conn.ctx), r.gave || time.Since(r.connected) >= r.Ping
	r.conn.close()
	r.conn, r.held = nil, false
	if !r.ended && r.ctx.Err() == nil {
		r.retry(why, good)
	}
}

// retry connects again after a pause. Each lost connection is reported; repeated failures to connect are reported now and
// then.
func (r *run[E]) retry(why error, good bool) {
	now := time.Now()
	if wasOpen := !r.connected.IsZero(); wasOpen || now.Sub(r.lostTold) >= toldAgain {
		r.lostTold, r.connected = now, time.Time{}
		r.OnState(Lost, why)
	}
	r.failures++
	switch {
	case good:
		r.failures, r.lastGood = 1, now
	case r.GiveUp > 0 && now.Sub(r.lastGood) >= r.GiveUp:
		r.tell(*new(E), &GivenUpError{r.GiveUp, why})
		r.ended = true
		return
	case r.Refused(why):
		r.tell(*new(E), why) // trying again will not help, so the consumer must hear of it
	}
	r.redial.Reset(backoff.Below(r.Pauses.After(r.failures)))
}

// take yields the content of a frame to the consumer.
func (r *run[E]) take(f frame) {
	r.gave = true
	event, err := read[E](f)
	if err == nil && r.Fresh != nil && !r.Fresh(event) {
		return
	}
	r.tell(event, err)
}

// fill starts to read what the consumer may have missed. If that is already in progress, it is done again afterwards.
func (r *run[E]) fill() {
	switch {
	case r.Fill == nil:
		switch came := r.cameSoFar(); {
		case r.conn != nil && !r.caughtUp:
			r.caughtUp = true
			r.OnState(CaughtUp, nil)
		case r.conn != nil && r.Renew && came == r.came:
			r.conn.fail(fmt.Errorf("nothing came for %s: connected again, to receive what is pending", r.Every))
		default:
			r.came = came
		}
		r.refill.Reset(r.Every)
		return
	case r.filling:
		r.fillAgain = true
		return
	}
	again := r.fillFailures > 0 && r.fillConn == r.conn && time.Since(r.fillBegan) < r.Every
	if !again {
		r.fillBegan = time.Now()
	}
	r.filling, r.fillAgain, r.fillConn, r.fillFound = true, false, r.conn, false
	r.refill.Stop()
	r.group.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, longestFill)
		defer cancel()
		r.filled <- r.Fill(ctx, again, r.handOver)
	})
}

// handOver passes what was found to the consumer's goroutine.
func (r *run[E]) handOver(found func() Batch[E]) {
	t := taking[E]{found, make(chan struct{})}
	select {
	case r.takes <- t:
		<-t.done
	case <-r.ctx.Done():
	}
}

// give yields to the consumer what filling has found.
func (r *run[E]) give(t taking[E]) {
	defer close(t.done) // even if yield panics
	batch := t.found()
	r.fillFound = r.fillFound || batch.Due && len(batch.Events) > 0
	for _, event := range batch.Events {
		if r.ended || r.ctx.Err() != nil {
			break
		}
		r.tell(event, nil)
	}
	for _, err := range batch.Unread { // last: a consumer may leave at the first error
		if r.ended || r.ctx.Err() != nil {
			break
		}
		r.tell(*new(E), &UnreadError{err})
	}
}

func (r *run[E]) cameSoFar() int64 {
	if r.conn == nil {
		return 0
	}
	return r.conn.came.Load()
}

// errDeaf ends a connection that answers pings but delivers nothing.
var errDeaf = errors.New("the connection is open but delivers nothing: something new did not arrive by it")

func (r *run[E]) endFill(err error) {
	if r.filling, r.held = false, false; r.ctx.Err() != nil {
		return
	}
	if err != nil {
		r.fillFailures++
		r.caughtUp = false
		if now := time.Now(); now.Sub(r.behindTold) >= toldAgain {
			r.behindTold = now
			r.OnState(Behind, err)
		}
		if r.Refused(err) {
			r.tell(*new(E), err)
		}
		r.refill.Reset(backoff.Below(r.Pauses.After(r.fillFailures)))
		return
	}
	r.fillFailures, r.behindTold = 0, time.Time{}
	if r.fillAgain {
		r.fill()
		return
	}
	if r.conn != nil && r.fillConn == r.conn {
		came := r.cameSoFar()
		switch {
		case !r.caughtUp:
			r.caughtUp = true
			r.OnState(CaughtUp, nil)
		case r.fillFound && came == r.came:
			r.conn.doubt(r.Ping, errDeaf)
		}
		r.came = came
	}
	r.refill.Reset(r.Every)
}
