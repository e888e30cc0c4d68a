package transport_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// timesOf makes calls from the given number of goroutines at once and returns when each request was sent, after the
// start.
func timesOf(t *testing.T, calls int, opts ...qredo.Option) []time.Duration {
	t.Helper()
	start := time.Now()
	var mu sync.Mutex
	var times []time.Duration
	client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		times = append(times, time.Since(start))
		return clienttest.Answer(req, 200, `{"assets":[]}`), nil
	}), opts...)
	var done sync.WaitGroup
	for range calls {
		done.Go(func() {
			if _, err := client.Assets.List(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	return times
}

func TestRateLimit(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		times := timesOf(t, 13, qredo.WithRateLimit(10, 3))
		require.Len(t, times, 13)
		for i, at := range times {
			want := max(0, time.Duration(i-2)*100*time.Millisecond)
			assert.InDelta(t, want, at, float64(time.Microsecond), "request %d", i)
		}
	})
}

func TestNoRateLimitUnlessSet(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		for _, at := range timesOf(t, 100) {
			require.Zero(t, at)
		}
	})
}

// Attempts count, not calls.
func TestRateLimitOfAttempts(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		var times []time.Time
		client := clienttest.NewQuickClient(t, clienttest.Noting(&times, clienttest.FailingWith(500)), qredo.WithRateLimit(1, 1),
			qredo.WithRetry(qredo.RetryPolicy{MinBackoff: 1, MaxBackoff: 1}))
		_, err := client.Assets.List(t.Context())
		require.ErrorIs(t, err, qredo.ErrServer)
		for _, pause := range clienttest.Pauses(times) {
			assert.InDelta(t, time.Second, pause, float64(time.Microsecond))
		}
		assert.Len(t, times, 4)
	})
}

// A call whose deadline is before its turn returns at once and takes no turn of others.
func TestRateLimitAndDeadline(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		client := clienttest.NewQuickClient(t, clienttest.AnswerWith(200, `{"assets":[]}`), qredo.WithRateLimit(0.1, 1))
		_, err := client.Assets.List(t.Context())
		require.NoError(t, err)
		start := time.Now()
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_, err = client.Assets.List(ctx)
			cancel()
			require.ErrorContains(t, err, "qredo: GET /assets: not sent, by the client's rate limit")
			require.Zero(t, time.Since(start))
		}
		_, err = client.Assets.List(t.Context())
		require.NoError(t, err)
		require.InDelta(t, 10*time.Second, time.Since(start), float64(time.Millisecond))
	})
}

// The connections of feeds keep the limit too, together with calls.
func TestRateLimitOfFeeds(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		var times []time.Time
		client := clienttest.NewQuickClient(t, clienttest.NotingDials(&times, clienttest.Failing(clienttest.ErrRefused)), qredo.WithRateLimit(0.5, 1))
		ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
		defer cancel()
		feed := qredo.Feed[json.RawMessage](ctx, client, "/some/feed", nil, qredo.WithBackoff(time.Millisecond, time.Millisecond))
		require.NoError(t, clienttest.Drain(feed))
		require.Len(t, times, 30)
		for _, pause := range clienttest.Pauses(times) {
			assert.InDelta(t, 2*time.Second, pause, float64(time.Microsecond))
		}
	})
}

// If the service says that there are too many requests, feed connections and calls both wait, whichever of them was told.
func TestTooManyStopsFeedsToo(t *testing.T) {
	for _, told := range []string{"/some/feed", "/assets"} {
		t.Run(told, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				start := time.Now()
				var mu sync.Mutex
				at := map[string][]time.Duration{}
				client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
					mu.Lock()
					defer mu.Unlock()
					path := strings.TrimPrefix(req.URL.Path, "/api/v1/p")
					at[path] = append(at[path], time.Since(start).Round(time.Second))
					if path == told && len(at[path]) == 1 {
						return clienttest.FailingWith(429, "Retry-After", "20")(req)
					}
					return clienttest.FailingWith(500)(req)
				}), qredo.WithRetry(clienttest.Once))
				ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
				defer cancel()
				next := func() {
					_ = clienttest.Drain(qredo.Feed[json.RawMessage](ctx, client, "/some/feed", nil, qredo.WithBackoff(10*time.Second, 10*time.Second)))
				}
				list := func() { _, _ = client.Assets.List(ctx) }
				var done sync.WaitGroup
				if told == "/assets" {
					list()
					done.Go(next)
				} else {
					done.Go(next)
					synctest.Wait()
					list()
				}
				done.Wait()
				other := map[string]string{"/assets": "/some/feed", "/some/feed": "/assets"}[told]
				require.Equal(t, 0*time.Second, at[told][0])
				require.Equal(t, 20*time.Second, at[other][0])
				if told == "/some/feed" {
					require.Equal(t, 20*time.Second, at[told][1])
				}
			})
		})
	}
}

func TestBadRateLimits(t *testing.T) {
	for _, limit := range []struct {
		perSecond float64
		burst     int
	}{{0, 1}, {-1, 1}, {math.NaN(), 1}, {math.Inf(1), 1}, {1, 0}, {1, -1}} {
		_, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithRateLimit(limit.perSecond, limit.burst))
		clienttest.RequireInvalid(t, err, "rate limit")
	}
}

// A 429 stops all calls of the client, and only of that one.
func TestTooManyStopsTheClient(t *testing.T) {
	for name, tc := range map[string]struct {
		after  string
		policy qredo.RetryPolicy
		stop   time.Duration
	}{
		"one second unless said": {"", qredo.RetryPolicy{}, time.Second},
		"as long as said":        {"30", qredo.RetryPolicy{}, 30 * time.Second},
		"a minute at most":       {"3600", qredo.RetryPolicy{}, time.Minute},
		"as the policy has it":   {"3600", qredo.RetryPolicy{MaxRetryAfter: 5 * time.Second}, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				busy := true
				transport := clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
					if busy {
						busy = false
						return clienttest.FailingWith(429, "Retry-After", tc.after)(req)
					}
					return clienttest.Answer(req, 200, `{"assets":[],"company_id":"c"}`), nil
				})
				client := clienttest.NewQuickClient(t, transport, qredo.WithRetry(tc.policy))
				start := time.Now()
				var calls sync.WaitGroup
				calls.Go(func() {
					_, err := client.Assets.List(t.Context())
					if err != nil || time.Since(start) != tc.stop {
						t.Errorf("the call is sent again when the stop is over: after %s, %v", time.Since(start), err)
					}
				})
				synctest.Wait()
				for range 3 {
					calls.Go(func() {
						_, err := client.Companies.Get(t.Context(), "c")
						if err != nil || time.Since(start) != tc.stop {
							t.Errorf("other calls wait as well: after %s, %v", time.Since(start), err)
						}
					})
				}
				_, err := clienttest.NewQuickClient(t, transport).Assets.List(t.Context())
				require.NoError(t, err)
				require.Zero(t, time.Since(start), "another client goes on")
				soon, cancel := context.WithTimeout(t.Context(), tc.stop-1)
				defer cancel()
				_, err = client.Companies.Get(soon, "c")
				require.ErrorContains(t, err, "not sent: the service asks to wait")
				require.Zero(t, time.Since(start), "a deadline within the stop is not waited for")
				calls.Wait()
				_, err = client.Companies.Get(t.Context(), "c")
				require.NoError(t, err)
				require.Equal(t, tc.stop, time.Since(start), "the stop has ended")
			})
		})
	}
}

// A stop is not cut short by another answer, which asks for less.
func TestTheLongestStopCounts(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		waits := make(chan string, 2)
		client := clienttest.NewQuickClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			if after, ok := <-waits; ok {
				return clienttest.FailingWith(429, "Retry-After", after)(req)
			}
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		}), qredo.WithRetry(clienttest.Once))
		start := time.Now()
		var calls sync.WaitGroup
		for range 2 { // both are on their way before either is answered
			calls.Go(func() {
				_, err := client.Assets.List(t.Context())
				if !errors.Is(err, qredo.ErrRateLimited) {
					t.Errorf("got %v", err)
				}
			})
		}
		synctest.Wait()
		waits <- "10"
		synctest.Wait()
		waits <- "3"
		calls.Wait()
		close(waits)
		_, err := client.Assets.List(t.Context())
		require.NoError(t, err)
		require.Equal(t, 10*time.Second, time.Since(start))
	})
}
