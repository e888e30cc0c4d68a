package qredo

import (
	"fmt"
	"strings"
)

// errorHandler turns an answer that is not a success into an [*Error], and says of any other failure
// which request it was.
type errorHandler struct {
	clock *clock
	next  handler
}

func (h errorHandler) handle(x *exchange) (*Response, error) {
	resp, err := h.next.handle(x)
	switch {
	case resp == nil && strings.HasSuffix(x.req.URL.Hostname(), ".qredo.network"):
		return nil, fmt.Errorf("qredo: %s %s: %w; the hosted service is retired: give a sandbox's URL, by WithBaseURL", x.req.Method, x.path, err)
	case resp == nil:
		return nil, fmt.Errorf("qredo: %s %s: %w", x.req.Method, x.path, err)
	case err != nil || resp.StatusCode < 200 || resp.StatusCode > 299:
		e := newError(x, resp, err)
		_, e.wrongClock = h.clock.refuted(x, resp)
		return resp, e
	}
	return resp, nil
}
