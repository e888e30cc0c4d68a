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

// Correct sets the clock by an answer that refused a request for its stamp. Calls that run into this together
// all set the same.
func (c *Clock) Correct(r Result) { c.offset.Store(int64(r.ServiceTime.Sub(c.Source()))) }

// refuteStamp notes the service's own time from an answer that refused a request, if the stamp was too far from it.
func (r *Result) refuteStamp(stamp time.Time) {
	if at, err := http.ParseTime(r.Answer.Header.Get("Date")); err == nil && at.Sub(stamp).Abs() >= clockTolerance {
		r.WrongClock, r.ServiceTime = true, at
	}
}
