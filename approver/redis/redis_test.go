package redis_test

import (
	"context"
	"crypto/fips140"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/redistest"
)

// server starts a Redis server: miniredis, which is always there, or redis-server, where it is installed.
type server struct {
	name  string
	start func(t *testing.T) (address string)
}

var servers = []server{{"miniredis", startMini}, {"redis-server", startReal}}

// startMini starts miniredis, in which keys expire only as it is told that time passes.
func startMini(t *testing.T) string {
	t.Helper()
	m := miniredis.NewMiniRedis()
	fips140.WithoutEnforcement(func() { // it names scripts by their SHA-1
		require.NoError(t, m.Start())
	})
	done := make(chan struct{})
	var passing sync.WaitGroup
	passing.Go(func() {
		ticker := time.NewTicker(10 * time.Millisecond)
		defer ticker.Stop()
		for {
			before := time.Now()
			select {
			case <-done:
				return
			case now := <-ticker.C:
				m.FastForward(now.Sub(before))
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		passing.Wait()
		m.Close()
	})
	return m.Addr()
}

// startReal starts a server as the package's description demands.
func startReal(t *testing.T) string {
	t.Helper()
	return redistest.Start(t, redistest.Durable...).Address
}

func connect(t *testing.T, address string) *goredis.Client {
	t.Helper()
	client := goredis.NewClient(&goredis.Options{Addr: address})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// open opens a store. miniredis has no settings to be looked at.
func open(t *testing.T, client *goredis.Client, prefix string, opts ...redis.Option) *redis.Store {
	t.Helper()
	s, err := redis.New(t.Context(), client, prefix, append(opts, redis.WithVolatile())...)
	require.NoError(t, err)
	return s
}

// eachServer runs a test with each kind of server.
func eachServer(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, before) })
			test(t, s.start(t))
		})
	}
}

func TestStore(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client, n := connect(t, address), 0
		trial.TestStore(t, func(t *testing.T, now func() time.Time) approver.Store {
			n++
			return open(t, client, fmt.Sprint("test-", n), redis.WithClock(now))
		})
	})
}

func TestStoreWithFIPS140Only(t *testing.T) {
	if !clienttest.FIPS140Only(t) {
		return
	}
	s := open(t, connect(t, startMini(t)), "p")
	rec := approver.Record{ActionID: "a", Verdict: approver.Approve}
	stands, err := s.Reserve(t.Context(), rec, nil)
	require.NoError(t, err)
	rec.Seq = 1
	require.Equal(t, rec, stands)
	require.NoError(t, s.Finish(t.Context(), "a", approver.OutcomeSent))
	_, release, err := s.Claim(t.Context(), "a")
	require.NoError(t, err)
	release()
}

func TestWindowsRollByTheServersClock(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		s := open(t, connect(t, address), "test")
		spend := approver.Spend{Counter: "c", Amount: 7, Window: time.Hour, MaxAmount: 10}
		_, err := s.Reserve(t.Context(), approver.Record{ActionID: "a"}, []approver.Spend{spend})
		require.NoError(t, err)
		_, err = s.Reserve(t.Context(), approver.Record{ActionID: "b"}, []approver.Spend{spend})
		var over *approver.OverLimitError
		require.ErrorAs(t, err, &over)
		used, err := s.Usage(t.Context(), []approver.Spend{spend})
		require.NoError(t, err)
		assert.Equal(t, []approver.Usage{{Amount: 7, Count: 1}}, used)
	})
}

func TestWhatIsKeptEnds(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		s := open(t, client, "test")
		now := time.Now()
		for id, expires := range map[string]time.Time{"soon": now.Add(time.Hour), "never": {}, "late": now.AddDate(900, 0, 0)} {
			spend := approver.Spend{Counter: "c", Window: time.Hour, MaxCount: 9}
			rec := approver.Record{ActionID: qredo.ActionID(id), Decided: now, Expires: expires}
			_, err := s.Reserve(t.Context(), rec, []approver.Spend{spend})
			require.NoError(t, err)
			require.NoError(t, s.Finish(t.Context(), rec.ActionID, approver.OutcomeSent))
		}
		left := func(key string) time.Duration {
			ttl, err := client.PTTL(t.Context(), key).Result()
			require.NoError(t, err)
			return ttl
		}
		assert.InDelta(t, 25*time.Hour, left("test:decision:soon"), float64(time.Minute))
		assert.EqualValues(t, -1, left("test:decision:never"))
		assert.Greater(t, left("test:decision:late"), 99*365*24*time.Hour)
		assert.InDelta(t, 2*time.Hour, left("test:sums:c"), float64(time.Minute))
		_, err := s.Reserve(t.Context(), approver.Record{ActionID: "short"}, []approver.Spend{{Counter: "c", Window: time.Second, MaxCount: 9}})
		require.NoError(t, err)
		assert.InDelta(t, 2*time.Hour, left("test:sums:c"), float64(time.Minute), "another replica counts with a longer window")
	})
}

func TestClaims(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		const lease = 1500 * time.Millisecond
		client := connect(t, address)
		one, other := open(t, client, "test", redis.WithLease(lease)), open(t, connect(t, address), "test", redis.WithLease(lease))
		claimed := func() bool {
			_, release, err := other.Claim(t.Context(), "a")
			if err == nil {
				release()
				return false
			}
			var busy *approver.ClaimedError
			require.ErrorAs(t, err, &busy)
			require.Equal(t, lease/2, busy.RetryAfter)
			return true
		}
		held, release, err := one.Claim(t.Context(), "a")
		require.NoError(t, err)
		last := lease
		require.Eventually(t, func() bool { // it is renewed before its end
			left, err := client.PTTL(t.Context(), "test:lock:a").Result()
			require.NoError(t, err)
			require.True(t, claimed())
			renewed := left > last
			last = left
			return renewed
		}, time.Minute, 10*time.Millisecond)
		require.NoError(t, held.Err())
		_, free, err := other.Claim(t.Context(), "b")
		require.NoError(t, err)
		free()
		release()
		require.ErrorIs(t, held.Err(), context.Canceled)
		require.False(t, claimed())

		// Who was away for longer than the lease has lost it, and notices.
		held, release, err = one.Claim(t.Context(), "a")
		require.NoError(t, err)
		require.NoError(t, client.Set(t.Context(), "test:lock:a", "another's", 0).Err())
		<-held.Done()
		require.ErrorContains(t, context.Cause(held), "the lease was lost")
		release()
		kept, err := client.Get(t.Context(), "test:lock:a").Result()
		require.NoError(t, err)
		assert.Equal(t, "another's", kept, "another's lease is left alone")
	})
}

// TestAReplicaThatWakesUpDecidesNothing lets a replica stop between looking at an action and deciding,
// longer than its lease, while another decides.
func TestAReplicaThatWakesUpDecidesNothing(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		world := trial.NewWorld(t, 1, 1)
		asked, awake := make(chan struct{}), make(chan struct{})
		sleeper := approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
			close(asked)
			<-awake
			return approver.Decision{Verdict: approver.Reject, Reason: "decided in sleep"}, nil
		})
		other := approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
			return approver.Decision{Verdict: approver.Approve, Reason: "decided"}, nil
		})
		entries := make(chan approver.Entry, 10)
		start := func(policy approver.Policy) {
			store := open(t, connect(t, address), "test", redis.WithLease(time.Minute), redis.WithSealingKey(sealingKey)) // else the sleeper's policy would have to approve too
			a, err := approver.New(world.Client, world.Core, policy, approver.WithStore(store),
				approver.WithObserver(func(e approver.Entry) { entries <- e })) // without a coordinator: nobody holds it back
			require.NoError(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- a.Run(ctx) }()
			t.Cleanup(func() {
				cancel()
				assert.NoError(t, <-done)
			})
		}
		_, err := world.Transfer(t.Context(), 0, 0, 1, "")
		require.NoError(t, err)
		start(sleeper)
		<-asked
		start(other)
		decision, result := <-entries, <-entries
		assert.Equal(t, approver.EntryDecision, decision.Kind)
		assert.Equal(t, approver.OutcomeSent, result.Outcome)
		close(awake)
		repeat := <-entries
		assert.Equal(t, approver.EntryRepeat, repeat.Kind)
		assert.Equal(t, approver.Approve, repeat.Verdict)
		assert.Equal(t, "decided", repeat.Reason)
		result = <-entries
		assert.Equal(t, approver.OutcomeSent, result.Outcome, "the vote is there already")
		assert.Contains(t, result.Reason, "another replica")
		for _, a := range world.Actions(t) {
			assert.Equal(t, qredo.ApprovalApproved, a.Status)
		}
	})
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	client := connect(t, "127.0.0.1:1")
	_, err := redis.New(t.Context(), nil, "p")
	require.ErrorContains(t, err, "a client")
	_, err = redis.New(t.Context(), client, "")
	require.ErrorContains(t, err, "a prefix")
	for field, option := range map[string]redis.Option{"lease": redis.WithLease(time.Millisecond), "clock": redis.WithClock(nil), "option": nil} {
		_, err = redis.New(t.Context(), client, "p", option)
		var invalid *qredo.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
}

func TestAServerThatIsAway(t *testing.T) {
	_, err := redis.New(t.Context(), goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1}), "p")
	require.Error(t, err)

	mini := miniredis.NewMiniRedis()
	fips140.WithoutEnforcement(func() { require.NoError(t, mini.Start()) })
	s := open(t, goredis.NewClient(&goredis.Options{Addr: mini.Addr(), MaxRetries: -1, DialerRetries: 1}), "p")
	mini.Close()
	_, _, err = s.Claim(t.Context(), "a")
	require.ErrorContains(t, err, "claiming a")
	var busy *approver.ClaimedError
	require.NotErrorAs(t, err, &busy)
	_, _, err = s.Lookup(t.Context(), "a")
	require.Error(t, err)
	_, err = s.Reserve(t.Context(), approver.Record{ActionID: "a"}, nil)
	require.Error(t, err)
	require.Error(t, s.Finish(t.Context(), "a", "sent"))
	_, err = s.Usage(t.Context(), nil)
	require.Error(t, err)
}
