package cli

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qredo-go/qredo"
)

// traffic knows what this run has sent and what became of it, so that the user can be told how the command ended.
type traffic struct {
	mu   sync.Mutex
	seen sent
}

// sent is what was sent so far.
type sent struct {
	writing  int           // requests that change something and are unanswered
	doubt    bool          // one of them was cut off: it may have been carried out
	failed   bool          // one was answered by a failing gateway, which leaves it open too
	answered int           // how many requests that change something were answered
	status   int           // of the last answer
	header   http.Header   // of the last answer
	last     qredo.Attempt // the client's last completed call

	key qredo.PartnerTxID // of the requested transaction
	tx  qredo.TxID        // of the transaction that was made
}

// open reports whether a request without a clear answer may have been carried out.
func (s sent) open() bool { return s.writing > 0 || s.doubt }

// unclear also reports whether an answer leaves that open.
func (s sent) unclear() bool { return s.open() || s.failed }

func (t *traffic) sent() sent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen
}

func (t *traffic) change(f func(*sent)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.seen)
}

// asks notes the key of a transaction before it is requested.
func (t *traffic) asks(key qredo.PartnerTxID) { t.change(func(s *sent) { s.key = key }) }

// made notes a transaction that was made.
func (t *traffic) made(tx qredo.TxID) { t.change(func(s *sent) { s.tx = tx }) }

// observe notes how calls of a client end.
func (t *traffic) observe(_ context.Context, attempt qredo.Attempt) {
	if attempt.Ended {
		t.change(func(s *sent) { s.last = attempt })
	}
}

// watch makes an HTTP client report what it sends.
func (t *traffic) watch(client *http.Client) *http.Client {
	watched := *client
	watched.Transport = watchedTransport{client.Transport, t}
	return &watched
}

type watchedTransport struct {
	http.RoundTripper
	traffic *traffic
}

func (w watchedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	writes := changes(r)
	if writes {
		w.traffic.change(func(s *sent) { s.writing++ })
	}
	resp, err := w.RoundTripper.RoundTrip(r)
	w.traffic.change(func(s *sent) {
		if err == nil {
			s.status, s.header = resp.StatusCode, resp.Header
		}
		if !writes {
			return
		}
		s.writing--
		switch {
		case err != nil:
			s.doubt = s.doubt || !notSent(err)
		case resp.StatusCode >= 500:
			s.failed = true
		case resp.StatusCode < 300:
			s.answered++
			if s.key != "" { // it is the same transaction, however often it was requested
				s.doubt, s.failed = false, false
			}
		}
	})
	return resp, err
}

// CloseIdleConnections is called by http.Client.
func (w watchedTransport) CloseIdleConnections() {
	if closing, ok := w.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		closing.CloseIdleConnections()
	}
}

// changes reports whether a request changes something, by its method and path. Three POST operations change nothing.
func changes(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return false
	case http.MethodPost:
		path := r.URL.Path
		coreClient := strings.Contains(path, "/coreclient/") && (strings.HasSuffix(path, "/sign") || strings.HasSuffix(path, "/verify"))
		return !coreClient && !strings.HasSuffix(path, "/fees")
	}
	return true
}

// notSent reports whether the connection was never made.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, new(*net.DNSError)) || isTLSError(err)
}

// requestID is a response's ID for its request, in the header that gateways use.
func requestID(h http.Header) string {
	const longest = 200
	id := plain(h.Get("X-Request-Id"))
	return id[:min(len(id), longest)]
}

// retryAfter is how many seconds a response asks to wait.
func retryAfter(h http.Header, now time.Time) (int64, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 {
		return seconds, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date // by the service's clock
	}
	return int64(max(0, at.Sub(now)+time.Second-1) / time.Second), true
}
