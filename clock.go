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

// skew is how far the service's clock was ahead of the stamp of a request that it refused, if that is too
// far.
func (c *clock) skew(x *exchange, resp *Response) (time.Duration, bool) {
	if resp == nil || resp.StatusCode != http.StatusUnauthorized {
		return 0, false
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	skew := date.Sub(x.stamped)
	return skew, skew.Abs() >= clockTolerance
}

// correct sets the clock by an answer that refused a request, if that can be for its stamp. Calls that
// run into this together all set the same.
func (c *clock) correct(x *exchange, resp *Response) bool {
	skew, wrong := c.skew(x, resp)
	if wrong {
		c.offset.Store(int64(x.stamped.Add(skew).Sub(c.source())))
	}
	return wrong
}
