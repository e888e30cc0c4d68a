package sandbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// FaultKind is a way in which a request can fail.
type FaultKind string

// The kinds of faults. With those that say "handled", the request has taken effect: its client cannot know that from the
// answer.
const (
	FaultDropRequest  FaultKind = "drop_request"  // the connection is closed before the request is handled
	FaultDropAnswer   FaultKind = "drop_answer"   // handled, and the connection is closed instead of an answer
	FaultCutBody      FaultKind = "cut_body"      // handled, and the connection is closed in the middle of the answer
	FaultServerError  FaultKind = "error_500"     // 500, not handled
	FaultErrorHandled FaultKind = "error_handled" // handled, and then 500
	FaultRateLimit    FaultKind = "rate_limit"    // 429 with Retry-After, not handled
	FaultDelay        FaultKind = "delay"         // handled after a delay
	FaultHTML         FaultKind = "html"          // handled, and then 502 with an HTML page, like a proxy's
	FaultNoTxID       FaultKind = "no_tx_id"      // handled, and then 200 with an empty answer
	FaultSkewedDate   FaultKind = "skewed_date"   // handled, with a wrong Date header
)

// FaultRule makes requests fail. In JSON its durations are delay_ms and skew_s, in whole milliseconds and seconds.
type FaultRule struct {
	Kind FaultKind
	// Operation is the operation that fails, by method and path: "POST /company/{company_id}/transfer"; for Qredo API v1 with
	// its base path: "GET /qapi/v1/balance". If empty, the rule applies to all operations of both APIs.
	Operation string
	// Rate is the proportion of requests that fail: 0.2 is a fifth, 1 all. With 0, which is also the default, none do: the rule
	// is off.
	Rate  float64
	Times int // how often it happens in total; 0: no limit
	// Delay is how long kind delay holds up a request (0: not at all), and what kind rate_limit says in Retry-After, in whole
	// seconds (0: at once). Other kinds ignore it.
	Delay time.Duration
	// Skew is how far ahead the date of kind skewed_date is; negative if it is behind. With 0 the date is right.
	Skew time.Duration
}

func (s *Sandbox) checkFault(r FaultRule) error {
	switch r.Kind {
	case FaultDropRequest, FaultDropAnswer, FaultCutBody, FaultServerError, FaultErrorHandled, FaultRateLimit,
		FaultDelay, FaultHTML, FaultNoTxID, FaultSkewedDate:
	default:
		return serve.BadRequest("unknown kind %q", r.Kind)
	}
	if !(r.Rate >= 0 && r.Rate <= 1) || r.Times < 0 || r.Delay < 0 {
		return serve.BadRequest("%s: rate must be from 0 to 1, times and delay not negative", r.Kind)
	}
	if r.Operation == "" {
		return nil
	}
	for _, api := range s.apis {
		if slices.ContainsFunc(api.Routes, func(known serve.Route) bool { return known.Operation == r.Operation }) {
			return nil
		}
	}
	return serve.BadRequest("unknown operation %q: write it as in POST /company/{company_id}/transfer, or GET /qapi/v1/balance", r.Operation)
}

// faults decides which requests fail.
type faults struct {
	mu     sync.Mutex
	random *rand.Rand
	seed   uint64
	rules  []FaultRule
	used   []int
}

// SetFaults makes requests to both APIs fail from now on, by these rules and no others; without rules, nothing fails any more.
// For each request the rules are tried in their order, and the first one that hits applies. The same seed makes the same
// choices, request by request.
func (s *Sandbox) SetFaults(seed uint64, rules ...FaultRule) error {
	for _, r := range rules {
		if err := s.checkFault(r); err != nil {
			return err
		}
	}
	s.faults.mu.Lock()
	defer s.live.Tell(liveFaults, struct{}{})
	defer s.faults.mu.Unlock()
	s.faults.seed = seed
	s.faults.random = rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // repeatable randomness
	s.faults.rules, s.faults.used = slices.Clone(rules), make([]int, len(rules))
	return nil
}

// pick returns the rule that hits a request, if any.
func (f *faults) pick(operation string) FaultRule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, r := range f.rules {
		if r.Operation != "" && r.Operation != operation || r.Times > 0 && f.used[i] >= r.Times {
			continue
		}
		if f.random.Float64() < r.Rate {
			f.used[i]++
			return r
		}
	}
	return FaultRule{}
}

// before applies a fault before a request is handled. It returns false if the request needs no further handling.
func (r FaultRule) before(ctx context.Context, w http.ResponseWriter, now time.Time) bool {
	switch r.Kind {
	case FaultSkewedDate:
		w.Header().Set("Date", now.Add(r.Skew).UTC().Format(http.TimeFormat))
	case FaultDropRequest:
		panic(http.ErrAbortHandler)
	case FaultServerError:
		serve.WriteFault(w, &serve.Fault{Status: http.StatusInternalServerError, Reason: "as asked for"})
		return false
	case FaultRateLimit:
		w.Header().Set("Retry-After", strconv.Itoa(int(r.Delay/time.Second)))
		serve.WriteFault(w, &serve.Fault{Status: http.StatusTooManyRequests, Reason: "as asked for"})
		return false
	case FaultDelay:
		timer := time.NewTimer(r.Delay)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			panic(http.ErrAbortHandler)
		case <-timer.C:
		}
	case FaultDropAnswer, FaultCutBody, FaultErrorHandled, FaultHTML, FaultNoTxID:
	}
	return true
}

// after applies a fault to the answer of a handled request.
func (r FaultRule) after(w http.ResponseWriter) http.ResponseWriter {
	switch r.Kind {
	case FaultDropAnswer:
		panic(http.ErrAbortHandler)
	case FaultCutBody:
		return &cutWriter{ResponseWriter: w}
	case FaultErrorHandled:
		return replacing(w, http.StatusInternalServerError, "application/json", `{"code":500,"msg":"Internal Server Error"}`)
	case FaultHTML:
		return replacing(w, http.StatusBadGateway, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>")
	case FaultNoTxID:
		return replacing(w, http.StatusOK, "application/json", `{"code":200,"msg":"OK"}`)
	case FaultDropRequest, FaultServerError, FaultRateLimit, FaultDelay, FaultSkewedDate:
	}
	return w
}

// cutWriter promises the whole body and sends half of it.
type cutWriter struct{ http.ResponseWriter }

// Write sends half of the body and cuts the connection.
func (c *cutWriter) Write(data []byte) (int, error) {
	_, _ = c.ResponseWriter.Write(data[:len(data)/2])
	_ = http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

// replacedWriter sends another answer instead of the given one.
type replacedWriter struct {
	http.ResponseWriter
	status int
	body   string
}

func replacing(w http.ResponseWriter, status int, contentType, body string) http.ResponseWriter {
	w.Header().Set("Content-Type", contentType)
	return &replacedWriter{w, status, body}
}

// Header is a header that is not sent.
func (r *replacedWriter) Header() http.Header { return http.Header{} }

// WriteHeader sends the other status.
func (r *replacedWriter) WriteHeader(int) { r.ResponseWriter.WriteHeader(r.status) }

// Write sends the other body.
func (r *replacedWriter) Write(data []byte) (int, error) {
	if _, err := r.ResponseWriter.Write([]byte(r.body)); err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	return len(data), nil
}
