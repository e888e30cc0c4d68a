package agentserver_test

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentserver"
)

func TestReadyTellsWhatIsNot(t *testing.T) {
	a, service := newAgent(t)
	b := &backend{stored: a}
	now := time.Now()
	r := start(t, agentserver.Default(), b, func(o *agentserver.Options) { o.Now = func() time.Time { return now } })
	r.waitFor("/readyz", `{"ready":true,"identity":"ok","feed":"ok","store":"ok"}`)
	require.Equal(t, 200, r.call("GET", "/readyz", "").status)
	b.mu.Lock()
	b.storeErr = errors.New("/volume/secret: read-only file system")
	b.mu.Unlock()
	require.Equal(t, 200, r.call("GET", "/readyz", "").status, "it is not looked at each time")
	now = now.Add(5 * time.Second)
	got := r.call("GET", "/readyz", "")
	requireAnswer(t, got, 503, jsonType, `{"ready":false,"identity":"ok","feed":"ok","store":"cannot be written, or what is shared cannot be reached"}`+"\n")
	require.Equal(t, 200, r.call("GET", "/livez", "").status)
	service.cut <- struct{}{}
	r.waitFor("/metrics", "\nqredo_signing_agent_feed_connections_total 2\n")
}

var (
	metricHelp   = regexp.MustCompile(`^# HELP ([a-z_]+) [^\\]+$`)
	metricType   = regexp.MustCompile(`^# TYPE ([a-z_]+) (gauge|counter)$`)
	metricSample = regexp.MustCompile(`^([a-z_]+)((?:\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})?) ([0-9.e+-]+)$`)
)

// parseMetrics reads the text format strictly: each family has its help, its type, and then its samples, each once.
func parseMetrics(t *testing.T, text string) map[string]float64 {
	t.Helper()
	require.True(t, strings.HasSuffix(text, "\n"))
	samples, families, family, kind := map[string]float64{}, map[string]bool{}, "", ""
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		switch help, typed, sample := metricHelp.FindStringSubmatch(line), metricType.FindStringSubmatch(line), metricSample.FindStringSubmatch(line); {
		case help != nil:
			require.False(t, families[help[1]], "twice: %s", line)
			family, kind, families[help[1]] = help[1], "", true
		case typed != nil:
			require.Equal(t, family, typed[1], line)
			kind = typed[2]
			require.Equal(t, kind == "counter", strings.HasSuffix(family, "_total"), line)
		case sample != nil:
			require.Equal(t, family, sample[1], line)
			require.NotEmpty(t, kind, line)
			value, err := strconv.ParseFloat(sample[3], 64)
			require.NoError(t, err)
			require.NotContains(t, samples, sample[1]+sample[2])
			samples[sample[1]+sample[2]] = value
		default:
			require.Fail(t, "no line of the format", line)
		}
	}
	return samples
}

func TestMetrics(t *testing.T) {
	r := start(t, agentserver.Default(), &backend{})
	r.waitFor("/readyz", "no agent is registered")
	before := parseMetrics(t, r.call("GET", "/metrics", "").body)
	require.InDelta(t, 0, before["qredo_signing_agent_registered"], 0)
	require.InDelta(t, 0, before["qredo_signing_agent_ready"], 0)
	require.NoError(t, r.stop())

	a, service := newAgent(t, lasting("a"))
	r = start(t, agentserver.Default(), &backend{stored: a})
	r.waitFor("/readyz", `"ready":true`)
	ws := r.subscribe()
	require.Equal(t, lasting("a"), next(t, ws))
	service.frames <- "junk"
	r.waitFor("/metrics", "\nqredo_signing_agent_feed_errors_total 1\n")
	r.call("GET", "/nothing", "")
	got := r.call("GET", "/metrics", "")
	require.Equal(t, "text/plain; version=0.0.4; charset=utf-8", got.header.Get("Content-Type"))
	after := parseMetrics(t, got.body)
	for name, want := range map[string]float64{
		"ready": 1, "registered": 1, "store_writable": 1, "feed_connected": 1, "feed_caught_up": 1, "feed_connections_total": 1, "feed_messages_total": 1,
		"subscribers": 1, "subscribers_behind_total": 0, "pending_actions": 1, "pending_forgotten_total": 0,
		`http_requests_total{code="404"}`: 1, `manual_votes_total{vote="approved",result="taken"}`: 0, `info{version="` + qredo.Version + `"}`: 1,
	} {
		value, found := after["qredo_signing_agent_"+name]
		require.True(t, found, name)
		require.InDelta(t, want, value, 0, name)
	}
}
