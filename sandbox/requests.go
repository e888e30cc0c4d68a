package sandbox

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// The log keeps the latest requests, up to this number and size.
const (
	mostRequests     = 10_000
	mostRequestBytes = 64 << 20
)

// WithoutRequestLog keeps no requests. If many are sent and nobody looks at them, it saves up to 64 MiB. Default: the last
// 10,000 requests to both APIs are kept, with their answers, for [Sandbox.Requests] and the console.
func WithoutRequestLog() Option {
	return func(s *Sandbox) error { s.requests = nil; return nil }
}

// RequestRecord is a request to one of the APIs, and what became of it. Secrets in it are shortened.
type RequestRecord struct {
	ID           uint64            `json:"id"`
	At           time.Time         `json:"at"`        // by the sandbox's clock
	API          string            `json:"api"`       // "partner" or "qapi"
	Operation    string            `json:"operation"` // as in [FaultRule]; empty if there is none
	Method       string            `json:"method"`
	URL          string            `json:"url"`
	Status       int               `json:"status"` // the status that was sent; 0 if none was
	Reason       string            `json:"reason"` // for a refusal
	Key          string            `json:"key"`    // the end of the API key, or of its name
	Microseconds int64             `json:"microseconds"`
	PartnerTxID  qredo.PartnerTxID `json:"partner_tx_id,omitzero"`
	TxID         qredo.TxID        `json:"tx_id,omitzero"`
	Existing     bool              `json:"existing"`       // the PartnerTxID was known: the transaction already existed
	Fault        FaultKind         `json:"fault,omitzero"` // the fault that hit it
	Answer       string            `json:"answer"`         // "sent", "cut", "not_sent" or "replaced"
	ResentFrom   uint64            `json:"resent_from,omitzero"`
}

// RequestFilter selects requests. By default it selects all, and returns the latest 50.
type RequestFilter struct {
	Search  string `json:"search,omitzero"`  // text in path, key, reason, an ID or a body; or a status, even "4xx"
	Status  string `json:"status,omitzero"`  // "401", "4xx", or "0" if none was sent
	Refused bool   `json:"refused,omitzero"` // only those answered with status 400 or higher, or not at all
	Reads   *bool  `json:"reads,omitzero"`   // false leaves out reads (GET)
	After   uint64 `json:"after,omitzero"`   // only those before the one with this ID
	Limit   int    `json:"limit,omitzero"`   // default 50, at most 500
}

// RequestList is one page of the log, newest first.
type RequestList struct {
	Requests []RequestRecord `json:"requests"`
	Total    int             `json:"total"`         // that match
	Next     uint64          `json:"next,omitzero"` // After for the next page; 0 at the end
}

// Requests returns requests to both APIs, newest first, out of the last 10,000 or 64 MiB. Control calls are not included.
func (s *Sandbox) Requests(filter RequestFilter) (RequestList, error) {
	limit, err := listLimit(filter.Limit)
	if err != nil {
		return RequestList{}, err
	}
	found, err := s.matching(filter)
	if err != nil {
		return RequestList{}, err
	}
	out := RequestList{Requests: []RequestRecord{}, Total: len(found)}
	for _, p := range found {
		switch {
		case filter.After > 0 && p.Brief().ID >= filter.After:
		case len(out.Requests) < limit:
			out.Requests = append(out.Requests, describeRequest(p.Record()))
		case out.Next == 0:
			out.Next = out.Requests[limit-1].ID
		}
	}
	return out, nil
}

// matching are all requests that a filter selects, newest first.
func (s *Sandbox) matching(filter RequestFilter) ([]*requestlog.Packed, error) {
	matches, err := filter.matcher()
	if err != nil {
		return nil, err
	}
	items, _ := s.requests.Items()
	slices.Reverse(items)
	return slices.DeleteFunc(items, func(p *requestlog.Packed) bool { return !matches(p) }), nil
}

// RequestsHAR writes the requests that a filter selects as an HTTP archive, version 1.2, which browsers and other tools can
// read: all of them, oldest first, ignoring After and Limit. Secrets in it are shortened, as everywhere.
func (s *Sandbox) RequestsHAR(w io.Writer, filter RequestFilter) error {
	found, err := s.matching(filter)
	if err != nil {
		return err
	}
	slices.Reverse(found)
	return requestlog.WriteHAR(w, "qredo sandbox", qredo.Version, found)
}

// ClearRequests empties the request log.
func (s *Sandbox) ClearRequests() error {
	s.requests.Clear()
	s.refused.Store(0)
	s.live.Tell(liveReset, struct{}{})
	return nil
}

// listLimit is the number of items in a page for a requested limit.
func listLimit(asked int) (int, error) {
	const usual, most = 50, 500
	switch {
	case asked == 0:
		return usual, nil
	case asked < 0 || asked > most:
		return 0, serve.BadRequest("limit must be from 1 to %d", most)
	}
	return asked, nil
}

// matcher returns a function that reports whether a filter selects a record.
func (f RequestFilter) matcher() (func(*requestlog.Packed) bool, error) {
	if f.Status != "" && !isStatus(f.Status) {
		return nil, serve.BadRequest("status must be one such as 401, 4xx, or 0 for those without an answer")
	}
	search := strings.ToLower(strings.TrimSpace(f.Search))
	return func(p *requestlog.Packed) bool {
		r := p.Brief()
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case f.Status != "" && !hasStatus(r.Status, f.Status):
		case f.Refused && !isRefused(r.Status):
		case f.Reads != nil && !*f.Reads && reads:
		case search == "", isStatus(search) && hasStatus(r.Status, search), strconv.FormatUint(r.ID, 10) == search, p.Record().Mentions(search):
			return true
		}
		return false
	}, nil
}

func isStatus(text string) bool {
	return text == "0" || len(text) == 3 && text[0] >= '1' && text[0] <= '5' && (text[1:] == "xx" || isDigits(text[1:]))
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

func hasStatus(status int, wanted string) bool {
	return strconv.Itoa(status) == wanted || strings.HasSuffix(wanted, "xx") && strconv.Itoa(status/100) == wanted[:1]
}

func isRefused(status int) bool { return status == 0 || status >= http.StatusBadRequest }

// describeRequest is a record as lists show it.
func describeRequest(r *requestlog.Record) RequestRecord {
	facts := r.Facts()
	out := RequestRecord{
		ID: r.ID, At: r.At.UTC().Truncate(time.Millisecond), API: "partner", Operation: r.Operation, Method: r.Method, URL: r.RedactURL(),
		Status: r.Status, Reason: facts.Reason, Key: r.Key(), Microseconds: r.Took.Microseconds(),
		PartnerTxID: qredo.PartnerTxID(facts.PartnerTxID), TxID: qredo.TxID(facts.TxID), Existing: facts.Status == string(qredo.SubmissionExisting),
		Fault: FaultKind(r.Fault), Answer: string(r.Answer), ResentFrom: r.ResentFrom,
	}
	if r.QAPI {
		out.API = "qapi"
	}
	return out
}
