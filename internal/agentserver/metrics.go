package agentserver

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/qredo-go/qredo"
)

// metrics counts what is not counted elsewhere.
type metrics struct {
	mu       sync.Mutex
	requests map[int]int64 // by status
	votes    map[[2]string]int64
}

func (m *metrics) request(status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.requests == nil {
		m.requests = map[int]int64{}
	}
	m.requests[status]++
}

// voted counts a vote that was cast by hand.
func (m *metrics) voted(vote string, err error) {
	result := "taken"
	if err != nil {
		result = "failed"
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.votes == nil {
		m.votes = map[[2]string]int64{}
	}
	m.votes[[2]string{vote, result}]++
}

// count counts and logs requests. Those that only read are logged if the configuration says so.
func (s *Server) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			s.metrics.request(counted.status)
			if r.Method != http.MethodGet || s.config.HTTP.LogAllRequests {
				s.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", counted.status)
			}
		}()
		next.ServeHTTP(counted, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a feed take over the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// serveMetrics responds in the text format of Prometheus.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	family := func(name, kind, help string, samples ...string) {
		name = "qredo_signing_agent_" + name
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for i := 0; i+1 < len(samples); i += 2 {
			fmt.Fprintf(&b, "%s%s %s\n", name, samples[i], samples[i+1])
		}
	}
	one := func(name, kind, help string, value int64) { family(name, kind, help, "", fmt.Sprint(value)) }
	truth := func(yes bool) int64 {
		if yes {
			return 1
		}
		return 0
	}
	ready, hub := s.readiness(r.Context()), s.hub.figures()
	family("info", "gauge", "The version of the program.", fmt.Sprintf("{version=%q}", qredo.Version), "1")
	one("ready", "gauge", "1 if the agent can do its work.", truth(ready.Ready))
	one("registered", "gauge", "1 if there is an agent.", truth(ready.Identity == partOK))
	one("store_writable", "gauge", "1 if its store can be written.", truth(ready.Store == partOK))
	s.upstream.mu.Lock()
	connected, caughtUp, connects, frames, unread := s.upstream.connected, s.upstream.caughtUp, s.upstream.connects, s.upstream.frames, s.upstream.unread
	s.upstream.mu.Unlock()
	one("feed_connected", "gauge", "1 if the feed of the service is connected.", truth(connected))
	one("feed_caught_up", "gauge", "1 if it has caught up with earlier events.", truth(caughtUp))
	one("feed_connections_total", "counter", "Connections to the feed of the service.", connects)
	one("feed_messages_total", "counter", "Messages of that feed.", frames)
	one("feed_errors_total", "counter", "Messages that could not be read, and refusals.", unread)
	one("subscribers", "gauge", "Local feeds that are open.", int64(hub.subscribers))
	one("subscribers_behind_total", "counter", "How many times a local feed was so slow that it was sent what is pending instead of what it had missed.", hub.behind)
	one("pending_actions", "gauge", "Actions that are kept for later local feeds.", int64(hub.pending))
	one("pending_forgotten_total", "counter", "Actions that were dropped because there were too many.", hub.forgotten)
	s.metrics.mu.Lock()
	votes, requests := maps.Clone(s.metrics.votes), maps.Clone(s.metrics.requests)
	s.metrics.mu.Unlock()
	var samples []string
	for _, vote := range []string{approve.done, reject.done} {
		for _, result := range []string{"taken", "failed"} {
			samples = append(samples, fmt.Sprintf("{vote=%q,result=%q}", vote, result), fmt.Sprint(votes[[2]string{vote, result}]))
		}
	}
	family("manual_votes_total", "counter", "Votes that were asked for by the local API.", samples...)
	samples = nil
	for _, status := range slices.Sorted(maps.Keys(requests)) {
		samples = append(samples, fmt.Sprintf(`{code="%d"}`, status), fmt.Sprint(requests[status]))
	}
	family("http_requests_total", "counter", "Requests to the local API.", samples...)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write([]byte(b.String()))
}
