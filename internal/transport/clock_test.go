package transport_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// A wrong signature and a wrong clock are told apart by the Date of the answer. That may be wrong itself:
// then the call ends all the same.
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

// A date that lied once is forgotten when the service refuses the stamp made by it.
func TestLyingDate(t *testing.T) {
	lie := true
	client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		date := clienttest.Now
		stamp := req.Header.Get("x-timestamp")
		if lie {
			date = date.Add(2 * time.Hour)
		} else if stamp == "1700000000" {
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		}
		resp := clienttest.Answer(req, 401, refusedSignature)
		resp.Header.Set("Date", date.UTC().Format(http.TimeFormat))
		return resp, nil
	}), qredo.WithRetry(qredo.RetryPolicy{}))
	_, err := client.Assets.List(t.Context())
	require.ErrorIs(t, err, qredo.ErrBadSignature)
	lie = false
	var resp qredo.Response
	_, err = client.Assets.List(t.Context(), qredo.WithResponse(&resp))
	require.NoError(t, err)
	assert.Equal(t, 2, resp.Attempts)
}

// A correction costs no pause, and leaves the attempts that failures may cost.
func TestClockIsLearnedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, sent := time.Now(), 0
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			sent++
			if sent == 1 {
				resp := clienttest.Answer(req, 401, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"timestamp"}}`)
				resp.Header.Set("Date", clienttest.Now.Add(time.Hour).UTC().Format(http.TimeFormat))
				return resp, nil
			}
			return clienttest.Answer(req, 200, `{"assets":[]}`), nil
		})) // one attempt: what is refused for the clock does not count
		_, err := client.Assets.List(t.Context())
		require.NoError(t, err)
		assert.Zero(t, time.Since(start))
	})
}
