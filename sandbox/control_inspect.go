package sandbox

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// The control calls for inspection: requests, events, and the live stream.
var (
	callRequests = control.Get("/requests", func(s *Sandbox, _ ids, in RequestFilter) (RequestList, error) { return s.Requests(in) })
	callRequest  = control.Get("/requests/{id}", func(s *Sandbox, at ids, _ control.None) (RequestDetail, error) {
		id, err := requestID(at["id"])
		if err != nil {
			return RequestDetail{}, err
		}
		return s.Request(id)
	})
	callRequestsHAR = control.Raw[*Sandbox]{Method: http.MethodGet, Path: "/requests.har", Do: func(s *Sandbox, _ ids, w http.ResponseWriter, r *http.Request) error {
		var filter RequestFilter
		if err := control.ReadQuery(r, &filter); err != nil {
			return err
		}
		if _, err := filter.matcher(); err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Disposition", `attachment; filename="qredo-sandbox.har"`)
		_ = s.RequestsHAR(w, filter) // the client may be gone
		return nil
	}}
	callResend = control.Post("/requests/{id}/resend", func(s *Sandbox, at ids, _ control.None) (RequestDetail, error) {
		id, err := requestID(at["id"])
		if err != nil {
			return RequestDetail{}, err
		}
		return s.Resend(id)
	})
	callEvents        = control.Get("/events", func(s *Sandbox, _ ids, in EventFilter) (EventList, error) { return s.Events(in) })
	callOverview      = control.Get("/overview", func(s *Sandbox, _ ids, _ control.None) (Overview, error) { return s.Overview() })
	callFaults        = control.Get("/faults", func(s *Sandbox, _ ids, _ control.None) (ActiveFaults, error) { return s.Faults() })
	callFeeds         = control.Get("/feeds", func(s *Sandbox, _ ids, _ control.None) (FeedList, error) { return s.Feeds() })
	callClearRequests = control.Post("/requests/clear", func(s *Sandbox, _ ids, _ control.None) (control.OK, error) { return control.Done(s.ClearRequests()) })
)

var inspectCalls = control.Calls[*Sandbox]{callRequests, callRequest, callRequestsHAR, callResend, callClearRequests, callEvents, callOverview, callFaults, callFeeds, callLive, callSend}

// Requests returns the requests to both APIs: see [Sandbox.Requests].
func (c *Control) Requests(ctx context.Context, filter RequestFilter) (RequestList, error) {
	return callRequests.Ask(ctx, c.client(), filter)
}

// Request returns one request of the log: see [Sandbox.Request].
func (c *Control) Request(ctx context.Context, id uint64) (RequestDetail, error) {
	return callRequest.Ask(ctx, c.client(), control.None{}, strconv.FormatUint(id, 10))
}

// ClearRequests empties the request log: see [Sandbox.ClearRequests].
func (c *Control) ClearRequests(ctx context.Context) error {
	return callClearRequests.Tell(ctx, c.client(), control.None{})
}

// Send has the sandbox sign a request and carry it out: see [Sandbox.Send].
func (c *Control) Send(ctx context.Context, r SendRequest) (RequestDetail, error) {
	return callSend.Ask(ctx, c.client(), r)
}

// Resend sends a request of the log again, with a new signature: see [Sandbox.Resend].
func (c *Control) Resend(ctx context.Context, id uint64) (RequestDetail, error) {
	return callResend.Ask(ctx, c.client(), control.None{}, strconv.FormatUint(id, 10))
}

// RequestsHAR writes the requests that a filter selects as an HTTP archive: see [Sandbox.RequestsHAR].
func (c *Control) RequestsHAR(ctx context.Context, w io.Writer, filter RequestFilter) error {
	query, err := control.WriteQuery(filter)
	if err != nil {
		return err
	}
	answer, err := callRequestsHAR.Open(ctx, c.client(), query, nil)
	if err != nil {
		return err
	}
	defer answer.Close()
	return copyAnswer(w, answer)
}

// Events returns the most recent events: see [Sandbox.Events].
func (c *Control) Events(ctx context.Context, filter EventFilter) (EventList, error) {
	return callEvents.Ask(ctx, c.client(), filter)
}

// Overview returns a summary of the sandbox: see [Sandbox.Overview].
func (c *Control) Overview(ctx context.Context) (Overview, error) {
	return callOverview.Ask(ctx, c.client(), control.None{})
}

// Faults returns the faults in force: see [Sandbox.Faults].
func (c *Control) Faults(ctx context.Context) (ActiveFaults, error) {
	return callFaults.Ask(ctx, c.client(), control.None{})
}

// Feeds returns the connected feeds: see [Sandbox.Feeds].
func (c *Control) Feeds(ctx context.Context) (FeedList, error) {
	return callFeeds.Ask(ctx, c.client(), control.None{})
}

// DropFeed closes one feed connection: see [Sandbox.DropFeed].
func (c *Control) DropFeed(ctx context.Context, id uint64) error {
	return callDropFeeds.Tell(ctx, c.client(), feedRequest{id})
}

// FreezeFeed freezes one feed connection: see [Sandbox.FreezeFeed].
func (c *Control) FreezeFeed(ctx context.Context, id uint64) error {
	return callFreezeFeeds.Tell(ctx, c.client(), feedRequest{id})
}
