package qredo

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clockTolerance is how far a clock may be off before the service refuses a stamp: the service does not
// say, five minutes is the common figure.
const clockTolerance = 5 * time.Minute

// clock is the caller's clock, corrected by what the service's answers say it is off.
type clock struct {
	source func() time.Time
	offset atomic.Int64 // nanoseconds
}

func (c *clock) now() time.Time { return c.source().Add(time.Duration(c.offset.Load())) }

// refuted returns the service's own time from an answer that refused a request, if the stamp of that was too
// far from it.
func (c *clock) refuted(x *exchange, resp *Response) (at time.Time, wrong bool) {
	if resp == nil || resp.StatusCode != http.StatusUnauthorized {
		return at, false
	}
	at, err := http.ParseTime(resp.Header.Get("Date"))
	return at, err == nil && at.Sub(x.stamped).Abs() >= clockTolerance
}

// correct sets the clock by an answer that refused a request, if that can be for its stamp. Calls that
// run into this together all set the same.
func (c *clock) correct(x *exchange, resp *Response) bool {
	at, wrong := c.refuted(x, resp)
	if wrong {
		c.offset.Store(int64(at.Sub(c.source())))
	}
	return wrong
}
