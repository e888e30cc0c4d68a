package transport_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// A client whose clock is wrong needs two attempts for its first call and one for each further one.
func TestClockIsLearned(t *testing.T) {
	for name, tc := range map[string]struct {
		by    time.Duration
		first int
	}{
		"two hours behind":     {-2 * time.Hour, 2},
		"two hours ahead":      {2 * time.Hour, 2},
		"six minutes behind":   {-6 * time.Minute, 2},
		"years ahead":          {10 * 365 * 24 * time.Hour, 2},
		"centuries behind":     {-time.Since(time.Time{}), 2},
		"four minutes ahead":   {4 * time.Minute, 1},
		"right":                {0, 1},
		"four minutes too low": {-4 * time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			srv, err := sandbox.Start()
			require.NoError(t, err)
			defer srv.Close()
			client := srv.Client(qredo.WithClock(clienttest.ClockOff(tc.by)))
			for call, want := range []int{tc.first, 1, 1} {
				var resp qredo.Response
				_, err := client.Assets.List(t.Context(), qredo.WithResponse(&resp))
				require.NoError(t, err)
				assert.Equal(t, want, resp.Attempts, "call %d", call)
			}
		})
	}
}

// A clock that jumps later is learned again.
func TestClockThatJumps(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer srv.Close()
	var jump atomic.Int64
	client := srv.Client(qredo.WithClock(func() time.Time { return time.Now().Add(time.Duration(jump.Load())) }))
	for _, by := range []time.Duration{0, 2 * time.Hour, -3 * time.Hour, 0} {
		jump.Store(int64(by))
		for range 2 {
			_, err := client.Assets.List(t.Context())
			require.NoError(t, err, "off by %s", by)
		}
	}
}

// What expires by the service's clock is checked by it.
func TestExpiryIsCheckedByTheServicesClock(t *testing.T) {
	w := clienttest.NewWorld(t)
	client := w.Srv.Client(qredo.WithClock(clienttest.ClockOff(2 * time.Hour)))
	_, err := client.Assets.List(t.Context())
	require.NoError(t, err)
	_, err = client.Transfers.Create(t.Context(), w.Company, w.Transfer(1000)) // expires in an hour
	require.NoError(t, err)
}

func TestClockIsLearnedByManyAtOnce(t *testing.T) {
	srv, err := sandbox.Start()
	require.NoError(t, err)
	defer srv.Close()
	client := srv.Client(qredo.WithClock(clienttest.ClockOff(-2 * time.Hour)))
	var calls sync.WaitGroup
	for range 50 {
		calls.Go(func() {
			var resp qredo.Response
			_, err := client.Assets.List(t.Context(), qredo.WithResponse(&resp))
			if err != nil || resp.Attempts > 2 {
				t.Errorf("%d attempts, %v", resp.Attempts, err)
			}
		})
	}
	calls.Wait()
	var resp qredo.Response
	_, err = client.Assets.List(t.Context(), qredo.WithResponse(&resp))
	require.NoError(t, err)
	assert.Equal(t, 1, resp.Attempts)
}

const refusedSignature = `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"signature"}}`

// The Date of the response distinguishes a wrong signature from a wrong clock. It may be wrong itself: then the call ends
// all the same.
func TestRefusedStampOrSignature(t *testing.T) {
	date := func(by time.Duration) []string {
		return []string{clienttest.Now.Add(by).UTC().Format(http.TimeFormat)}
	}
	for name, tc := range map[string]struct {
		dates    []string // of the answers, the last for all further ones
		opts     []qredo.CallOption
		attempts int
		is       error
		isNot    error
	}{
		"right clock":          {date(time.Second), nil, 1, qredo.ErrBadSignature, qredo.ErrClockSkew},
		"within the tolerance": {date(-299 * time.Second), nil, 1, qredo.ErrBadSignature, qredo.ErrClockSkew},
		"at the tolerance":     {date(-300 * time.Second), nil, 2, qredo.ErrBadSignature, qredo.ErrClockSkew},
		"both wrong":           {date(2 * time.Hour), nil, 2, qredo.ErrBadSignature, qredo.ErrClockSkew},
		"WithoutRetry":         {date(2 * time.Hour), []qredo.CallOption{qredo.WithoutRetry()}, 1, qredo.ErrClockSkew, qredo.ErrBadSignature},
		"no date":              {[]string{""}, nil, 1, qredo.ErrBadSignature, qredo.ErrClockSkew},
		"nonsense":             {[]string{"yesterday"}, nil, 1, qredo.ErrBadSignature, qredo.ErrClockSkew},
		"a date that moves":    {append(date(2*time.Hour), date(-3*time.Hour)...), nil, 2, qredo.ErrClockSkew, qredo.ErrBadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			sent := 0
			client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				resp := clienttest.Answer(req, 401, refusedSignature)
				resp.Header.Set("Date", tc.dates[min(sent, len(tc.dates)-1)])
				sent++
				return resp, nil
			}), qredo.WithRetry(qredo.RetryPolicy{}))
			_, err := client.Assets.List(t.Context(), tc.opts...)
			require.ErrorIs(t, err, tc.is)
			require.NotErrorIs(t, err, tc.isNot)
			require.ErrorIs(t, err, qredo.ErrUnauthorized)
			assert.Equal(t, tc.attempts, clienttest.RequireError(t, err).Attempts)
			assert.Equal(t, tc.attempts, sent)
		})
	}
}

// A correction that does not help is taken back, and a response that is not the service's corrects nothing.
func TestLyingDate(t *testing.T) {
	day := clienttest.Now.Add(24 * time.Hour).UTC().Format(http.TimeFormat)
	for name, tc := range map[string]struct {
		body     string
		headers  map[string]string
		attempts int
	}{
		"in the service's words":  {refusedSignature, nil, 2},
		"a page":                  {"<html>Sign in</html>", nil, 1},
		"an answer that was kept": {refusedSignature, map[string]string{"Age": "3"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			lie := true
			client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				if !lie {
					require.Equal(t, "1700000000", req.Header.Get("x-timestamp"))
					return clienttest.Answer(req, 200, `{"tx_id":"t","assets":[]}`), nil
				}
				resp := clienttest.Answer(req, 401, tc.body)
				resp.Header.Set("Date", day)
				for key, value := range tc.headers {
					resp.Header.Set(key, value)
				}
				return resp, nil
			}), qredo.WithRetry(qredo.RetryPolicy{}))
			for range 2 {
				var resp qredo.Response
				_, err := client.Assets.List(t.Context(), qredo.WithResponse(&resp))
				require.ErrorIs(t, err, qredo.ErrUnauthorized)
				require.Equal(t, tc.attempts, resp.Attempts)
			}
			lie = false
			_, err := client.Transfers.Create(t.Context(), clienttest.CompanyID, clienttest.GoodTransfer()) // expires within the day
			require.NoError(t, err)
		})
	}
}

// What is refused before it is sent for its expiry is late by both clocks.
func TestLateByBothClocks(t *testing.T) {
	ahead, behind := 3*time.Hour, -3*time.Hour // of this machine's clock
	for name, off := range map[string]time.Duration{"ahead": ahead, "behind": behind} {
		t.Run(name, func(t *testing.T) {
			w := clienttest.NewWorld(t)
			client := w.Srv.Client(qredo.WithClock(clienttest.ClockOff(off)))
			_, err := client.Assets.List(t.Context())
			require.NoError(t, err, "the clock has been learned")
			req := w.Transfer(1000)
			_, err = client.Transfers.Create(t.Context(), w.Company, req)
			require.NoError(t, err)
			req.PartnerTxID, req.Expires = "late", qredo.TimeOf(time.Now().Add(-time.Hour))
			assert.Equal(t, off > 0, client.Expired(req.Expires))
			assert.False(t, client.Expired(qredo.TimeOf(time.Now().Add(time.Hour))))
			_, err = client.Transfers.Create(t.Context(), w.Company, req)
			if off > 0 {
				clienttest.RequireInvalid(t, err, "expires")
			} else {
				require.ErrorIs(t, err, qredo.ErrBadRequest, "only the service knows that it is late")
			}
		})
	}
}

// A correction costs no pause, and leaves the attempts that failures may cost.
func TestClockIsLearnedAtOnce(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		start, sent := time.Now(), 0
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			sent++
			if sent == 1 {
				resp := clienttest.Answer(req, 401, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"timestamp"}}`)
				resp.Header.Set("Date", clienttest.Now.Add(time.Hour).UTC().Format(http.TimeFormat))
				return resp, nil
			}
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		})) // one attempt: one that was refused for the clock does not count
		_, err := client.Assets.List(t.Context())
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
	})
}
