package sandbox

import (
	"context"
	"strconv"

	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// The control calls that look at what goes on: requests, what happened, and what is told live.
var (
	callRequests = control.Get("/requests", func(s *Sandbox, _ ids, in RequestFilter) (RequestList, error) { return s.Requests(in) })
	callRequest  = control.Get("/requests/{id}", func(s *Sandbox, at ids, _ control.None) (RequestDetail, error) {
		id, err := requestID(at["id"])
		if err != nil {
			return RequestDetail{}, err
		}
		return s.Request(id)
	})
	callClearRequests = control.Post("/requests/clear", func(s *Sandbox, _ ids, _ control.None) (control.OK, error) { return control.Done(s.ClearRequests()) })
)

var inspectCalls = control.Calls[*Sandbox]{callRequests, callRequest, callClearRequests, callLive, callSend}

// Requests are the requests to both APIs: see [Sandbox.Requests].
func (c *Control) Requests(ctx context.Context, filter RequestFilter) (RequestList, error) {
	return callRequests.Ask(ctx, c.client(), filter)
}

// Request is one of the requests of the log: see [Sandbox.Request].
func (c *Control) Request(ctx context.Context, id uint64) (RequestDetail, error) {
	return callRequest.Ask(ctx, c.client(), control.None{}, strconv.FormatUint(id, 10))
}

// ClearRequests forgets the requests there were: see [Sandbox.ClearRequests].
func (c *Control) ClearRequests(ctx context.Context) error {
	return callClearRequests.Tell(ctx, c.client(), control.None{})
}

// Send has the sandbox sign a request and carry it out: see [Sandbox.Send].
func (c *Control) Send(ctx context.Context, r SendRequest) (RequestDetail, error) {
	return callSend.Ask(ctx, c.client(), r)
}
