package transport

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clockTolerance is how far a clock may be off before the service refuses a timestamp: the service does not document it;
// five minutes is common.
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

// clockLink repeats a request that was refused for its timestamp once, using the service's time. If that helps, the
// service's time is used from then on, and otherwise discarded: a Date header may be wrong as well.
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

// refuteStamp records how far this machine's clock is off, by the response that refused a request, if the timestamp was
// too far from the service's own time. A page of an intermediary, or a cached response, does not show that.
func (r *Result) refuteStamp(stamp time.Time, clock *Clock) {
	at, err := http.ParseTime(r.Answer.Header.Get("Date"))
	if err == nil && at.Sub(stamp).Abs() >= clockTolerance && r.Answer.InOwnWords() {
		r.WrongClock, r.clockOffset = true, at.Sub(clock.Source())
	}
}
