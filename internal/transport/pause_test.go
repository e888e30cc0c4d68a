package transport_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func TestBackoffGrowsWithinBounds(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		policy := qredo.RetryPolicy{MaxAttempts: 9, MinBackoff: 100 * time.Millisecond, MaxBackoff: time.Second, Budget: 1e6}
		const calls = 300
		sums, longest, seen := [8]time.Duration{}, [8]time.Duration{}, map[time.Duration]bool{}
		var times []time.Time
		client := clienttest.NewQuickClient(t, clienttest.Noting(&times, clienttest.FailingWith(503)), qredo.WithRetry(policy))
		for range calls {
			times = nil
			_, err := client.Assets.List(t.Context())
			require.Equal(t, 9, clienttest.RequireError(t, err).Attempts)
			for i, pause := range clienttest.Pauses(times) {
				sums[i] += pause
				longest[i] = max(longest[i], pause)
				seen[pause] = true
			}
		}
		for i, milliseconds := range []int{100, 200, 400, 800, 1000, 1000, 1000, 1000} {
			limit := time.Duration(milliseconds) * time.Millisecond
			assert.LessOrEqual(t, longest[i], limit, "pause %d", i)
			assert.InDelta(t, limit/2, sums[i]/calls, float64(limit)/8, "pause %d is drawn evenly from nothing to its limit", i)
		}
		assert.Greater(t, len(seen), calls*8*9/10, "hardly two pauses are the same")
	})
}

func TestRetryAfter(t *testing.T) {
	in := func(d time.Duration) func() string {
		return func() string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	}
	text := func(s string) func() string { return func() string { return s } }
	const second = time.Second
	for name, tc := range map[string]struct {
		status      int
		after, date func() string
		least, most time.Duration // of the pause
	}{
		"429 that does not say":      {429, text(""), text(""), second, second},
		"429 that says nonsense":     {429, text("soon"), text(""), second, second},
		"429, negative":              {429, text("-5"), text(""), second, second},
		"429, with a fraction":       {429, text("1.5"), text(""), second, second},
		"429, seconds":               {429, text("7"), text(""), 7 * second, 7 * second},
		"429, none":                  {429, text("0"), text(""), 0, second / 5},
		"429, a date":                {429, in(9 * second), text(""), 9 * second, 9 * second},
		"429, a date that has been":  {429, in(-time.Hour), text(""), 0, second / 5},
		"429, by a clock behind":     {429, in(-2*time.Hour + 9*second), in(-2 * time.Hour), 9 * second, 9 * second},
		"429, by a clock ahead":      {429, in(2*time.Hour + 9*second), in(2 * time.Hour), 9 * second, 9 * second},
		"429, more than the cap":     {429, text("86400"), text(""), 20 * second, 20 * second},
		"429, more than an int":      {429, text("99999999999999999999999"), text(""), 20 * second, 20 * second},
		"429, negative without end":  {429, text("-99999999999999999999999"), text(""), second, second},
		"429, a date in a far year":  {429, text("Fri, 31 Dec 9999 23:59:59 GMT"), text(""), 20 * second, 20 * second},
		"503, seconds":               {503, text("7"), text(""), 7 * second, 7 * second},
		"503 that does not say":      {503, text(""), text(""), 0, second / 5},
		"503, less than the backoff": {503, text("0"), text(""), 0, second / 5},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				var times []time.Time
				client := clienttest.NewQuickClient(t, clienttest.Noting(&times, func(req *http.Request) (*http.Response, error) {
					return clienttest.FailingWith(tc.status, "Retry-After", tc.after(), "Date", tc.date())(req)
				}), qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 2, MaxRetryAfter: 20 * second}))
				_, err := client.Assets.List(t.Context())
				require.Equal(t, 2, clienttest.RequireError(t, err).Attempts)
				pause := clienttest.Pauses(times)[0]
				require.GreaterOrEqual(t, pause, tc.least)
				require.LessOrEqual(t, pause, tc.most)
			})
		})
	}
}

// An outage costs no more than the calls and the budget. Each success gives half an attempt back, and no
// more than there was.
func TestRetryBudget(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		sent, down := 0, true
		client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			sent++
			if down {
				return clienttest.FailingWith(503)(req)
			}
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		}), qredo.WithRetry(qredo.RetryPolicy{Budget: 50}))
		calls := func(n int) (attempts int) {
			sent = 0
			for range n {
				_, _ = client.Assets.List(t.Context())
			}
			return sent
		}
		assert.Equal(t, 1050, calls(1000), "an outage")
		assert.Equal(t, 10, calls(10), "which goes on")
		down = false
		assert.Equal(t, 10, calls(10), "ten successes")
		down = true
		assert.Equal(t, 15, calls(10), "give five attempts back")
		down = false
		calls(1)
		down = true
		assert.Equal(t, 10, calls(10), "half an attempt is none")
		down = false
		calls(1000)
		down = true
		assert.Equal(t, 150, calls(100), "and never more than there was")
	})
}

func TestDefaultBudget(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		var times []time.Time
		client := clienttest.NewQuickClient(t, clienttest.Noting(&times, clienttest.Failing(clienttest.ErrRefused)), qredo.WithRetry(qredo.RetryPolicy{}))
		for range 1000 {
			_, err := client.Assets.List(t.Context())
			require.ErrorIs(t, err, clienttest.ErrRefused)
		}
		assert.Len(t, times, 1100)
	})
}

// A pause that the deadline would cut short is not begun, and costs nothing of the budget.
func TestDeadlineBeforeThePause(t *testing.T) {
	for _, status := range []int{429, 503} {
		clienttest.Bubble(t, func(t *testing.T) {
			var times []time.Time
			start := time.Now()
			client := clienttest.NewQuickClient(t, clienttest.Noting(&times, clienttest.FailingWith(status, "Retry-After", "10")), qredo.WithRetry(qredo.RetryPolicy{Budget: 2}))
			for range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
				_, err := client.Assets.List(ctx)
				cancel()
				require.Error(t, err)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
			}
			assert.Zero(t, time.Since(start), "returned at once")
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			before := len(times)
			_, err := client.Assets.List(ctx)
			require.Equal(t, status, clienttest.RequireError(t, err).StatusCode)
			assert.Equal(t, 3, len(times)-before, "the budget was kept")
		})
	}
}

func TestMaxAttempts(t *testing.T) {
	for _, most := range []int{1, 2, 3, 7} {
		clienttest.Bubble(t, func(t *testing.T) {
			var times []time.Time
			client := clienttest.NewQuickClient(t, clienttest.Noting(&times, clienttest.FailingWith(500)), qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: most}))
			_, err := client.Assets.List(t.Context())
			assert.Equal(t, most, clienttest.RequireError(t, err).Attempts)
			assert.Len(t, times, most)
		})
	}
}

// A success after failures says how often the request was sent.
func TestSuccessCountsAttempts(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		var times []time.Time
		client := clienttest.NewQuickClient(t, clienttest.Noting(&times, func(req *http.Request) (*http.Response, error) {
			if len(times) < 3 {
				return nil, clienttest.ErrReset
			}
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		}), qredo.WithRetry(qredo.RetryPolicy{}))
		var resp qredo.Response
		_, err := client.Assets.List(t.Context(), qredo.WithResponse(&resp))
		require.NoError(t, err)
		assert.Equal(t, 3, resp.Attempts)
	})
}

func TestBadRetryPolicies(t *testing.T) {
	for name, policy := range map[string]qredo.RetryPolicy{
		"attempts": {MaxAttempts: -1}, "budget": {Budget: -1}, "first pause": {MinBackoff: -1}, "pause": {MaxBackoff: -1}, "cap": {MaxRetryAfter: -1},
	} {
		client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithRetry(policy))
		require.Nil(t, client, name)
		clienttest.RequireInvalid(t, err, "retry")
	}
}

// Failures as the network makes them, not as a test does: a money request without a PartnerTxID is sent
// again where it never arrived, and else a cut answer is asked for again only by what may.
func TestRealFailures(t *testing.T) {
	quick := qredo.WithRetry(qredo.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond})
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	stranger := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(stranger.Close)
	noDNS := &net.Dialer{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("no name server")
	}}}
	for name, tc := range map[string]struct {
		base   string
		client *http.Client
	}{
		"refused":     {"http://" + closed.Addr().String(), &http.Client{}},
		"no name":     {"https://qredo.invalid", &http.Client{Transport: &http.Transport{DialContext: noDNS.DialContext}}},
		"certificate": {stranger.URL, &http.Client{Transport: &http.Transport{}}},
	} {
		t.Run(name, func(t *testing.T) {
			sent := 0
			inner := tc.client.Transport
			if inner == nil {
				inner = &http.Transport{}
			}
			client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(tc.base), qredo.WithClock(clienttest.Clock), quick,
				qredo.WithHTTPClient(&http.Client{Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
					sent++
					return inner.RoundTrip(req)
				})}))
			require.NoError(t, err)
			_, err = client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer(), qredo.WithoutPartnerTxID())
			require.Error(t, err)
			var unknown *qredo.UnknownOutcomeError
			require.NotErrorAs(t, err, &unknown)
			assert.Equal(t, 4, sent, "%v", err)
		})
	}
	for _, version := range []int{1, 2} {
		t.Run(fmt.Sprintf("cut, HTTP/%d", version), func(t *testing.T) {
			requests := 0
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				requests++
				assert.Equal(t, version, req.ProtoMajor)
				w.Header().Set("Content-Length", "100")
				fmt.Fprint(w, `{"assets":`)
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}))
			server.EnableHTTP2 = version == 2
			server.StartTLS()
			t.Cleanup(server.Close)
			client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(server.URL), qredo.WithHTTPClient(server.Client()), quick)
			require.NoError(t, err)
			_, err = client.Assets.List(t.Context())
			require.ErrorIs(t, err, qredo.ErrBadAnswer)
			assert.Equal(t, 4, requests, "%v", err)
		})
	}
}
