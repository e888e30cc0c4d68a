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

// traffic knows what this run has sent, and what came of it: for who must be told how a command has ended.
type traffic struct {
	mu   sync.Mutex
	seen sent
}

// sent is what was sent so far.
type sent struct {
	writing  int           // requests that change something and have no answer yet
	doubt    bool          // one of them was cut: it may have been carried out
	failed   bool          // one was answered with a failure of what is on the way, which does not tell either
	answered int           // how many that change something have one
	status   int           // of the last answer
	header   http.Header   // of the last answer
	last     qredo.Attempt // the last call of the client's that has ended

	key qredo.PartnerTxID // of the transaction that is asked for
	tx  qredo.TxID        // of the transaction that was made
}

// open reports whether something may be carried out that has no clear answer.
func (s sent) open() bool { return s.writing > 0 || s.doubt }

// unclear reports besides whether what was answered leaves that open.
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

// asks notes the key of a transaction, before it is asked for.
func (t *traffic) asks(key qredo.PartnerTxID) { t.change(func(s *sent) { s.key = key }) }

// made notes a transaction that was made.
func (t *traffic) made(tx qredo.TxID) { t.change(func(s *sent) { s.tx = tx }) }

// observe notes how calls of a client end.
func (t *traffic) observe(_ context.Context, attempt qredo.Attempt) {
	if attempt.Ended {
		t.change(func(s *sent) { s.last = attempt })
	}
}

// watch makes a client of net/http tell what it sends.
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
			if s.key != "" { // it is the same transaction, however often it was asked for
				s.doubt, s.failed = false, false
			}
		}
	})
	return resp, err
}

// CloseIdleConnections is what http.Client looks for.
func (w watchedTransport) CloseIdleConnections() {
	if closing, ok := w.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		closing.CloseIdleConnections()
	}
}

// changes reports whether a request changes something, as far as its line tells. Three operations only ask, by POST.
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

// notSent reports whether no connection came to be.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, new(*net.DNSError)) || isTLSError(err)
}

// requestID is what an answer calls its request, by the name that gateways have for it.
func requestID(h http.Header) string {
	const longest = 200
	id := plain(h.Get("X-Request-Id"))
	return id[:min(len(id), longest)]
}

// retryAfter is how many seconds an answer asks to wait.
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
		now = date // by the clock that the service reckons with
	}
	return int64(max(0, at.Sub(now)+time.Second-1) / time.Second), true
}
