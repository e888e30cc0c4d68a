package transport

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clockTolerance is how far a clock may be off before the service refuses a stamp: the service does not
// say, five minutes is the common figure.
const clockTolerance = 5 * time.Minute

// Clock is the caller's clock, corrected by what the service's answers say it is off.
type Clock struct {
	Source func() time.Time
	offset atomic.Int64 // nanoseconds
}

// Now is the time as the service has it, as far as is known.
func (c *Clock) Now() time.Time { return c.Source().Add(time.Duration(c.offset.Load())) }

// Earliest is the time by this machine's clock or by the service's, whichever is earlier: what is late by it is late.
func (c *Clock) Earliest() time.Time { return c.Source().Add(min(0, time.Duration(c.offset.Load()))) }

// clockLink sends a request that was refused for its stamp once more, by the service's own time. That is taken for
// true from then on if it has helped, and else forgotten: a date may be wrong as well.
type clockLink struct {
	clock *Clock
	next  Link
}

func (l clockLink) Send(req *Request) Result {
	res := l.next.Send(req)
	if !res.WrongClock || req.Once || req.HTTP.Context().Err() != nil {
		return res
	}
	corrected, offset := *req, res.clockOffset
	corrected.attempt, corrected.offset = req.attempt+res.Attempts, &offset
	again := l.next.Send(&corrected)
	again.Attempts += res.Attempts
	again.follow(res)
	if again.OK || again.Answer != nil && again.Answer.StatusCode != http.StatusUnauthorized && again.Answer.InOwnWords() {
		l.clock.offset.Store(int64(offset))
	}
	return again
}

// refuteStamp notes how far this machine's clock is off by an answer that refused a request, if the stamp was too far
// from the service's own time. A page of something else's, or an answer that was kept for a while, does not tell that.
func (r *Result) refuteStamp(stamp time.Time, clock *Clock) {
	at, err := http.ParseTime(r.Answer.Header.Get("Date"))
	if err == nil && at.Sub(stamp).Abs() >= clockTolerance && r.Answer.InOwnWords() {
		r.WrongClock, r.clockOffset = true, at.Sub(clock.Source())
	}
}
