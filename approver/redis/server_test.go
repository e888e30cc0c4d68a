package redis_test

import (
	"net"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/redistest"
)

// A server as it comes forgets everything when it ends: 4e8818f took it, and approved 1,175 of a limit of 400 by it.
func TestAServerThatMayForgetIsRefused(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server.Address)
	_, err := redis.New(t.Context(), client, "test")
	require.ErrorContains(t, err, `appendonly "no"`)
	require.ErrorContains(t, err, "--appendonly yes")
	for setting, wrong := range map[string]string{
		"appendonly": "no", "appendfsync": "everysec", "no-appendfsync-on-rewrite": "yes", "maxmemory-policy": "allkeys-lru",
	} {
		for name, right := range map[string]string{
			"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no", "maxmemory-policy": "noeviction",
		} {
			require.NoError(t, client.ConfigSet(t.Context(), name, right).Err())
		}
		_, err := redis.New(t.Context(), client, "test")
		require.NoError(t, err)
		require.NoError(t, client.ConfigSet(t.Context(), setting, wrong).Err())
		_, err = redis.New(t.Context(), client, "test")
		require.ErrorContains(t, err, setting)
		_, err = redis.New(t.Context(), client, "test", redis.WithVolatile())
		require.NoError(t, err)
	}
}

func TestAReplicaIsRefused(t *testing.T) {
	primary, replica := redistest.Start(t, redistest.Durable...), redistest.Start(t, redistest.Durable...)
	host, port, err := net.SplitHostPort(primary.Address)
	require.NoError(t, err)
	client := connect(t, replica.Address)
	require.NoError(t, client.ReplicaOf(t.Context(), host, port).Err())
	_, err = redis.New(t.Context(), client, "test")
	require.ErrorContains(t, err, "is a replica")
	_, err = redis.New(t.Context(), goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{primary.Address}}), "test")
	require.ErrorContains(t, err, "use one server")
}

func TestAServerThatDoesNotTellItsSettingsIsRefused(t *testing.T) {
	server := redistest.Start(t, redistest.Durable...)
	client := connect(t, server.Address)
	require.NoError(t, client.Do(t.Context(), "ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all", "-config").Err())
	app := goredis.NewClient(&goredis.Options{Addr: server.Address, Username: "app", Password: "any"})
	defer func() { assert.NoError(t, app.Close()) }()
	_, err := redis.New(t.Context(), app, "test")
	require.ErrorContains(t, err, "allow CONFIG GET and INFO")
}

// What was lost is noticed by whoever is there, and nobody who comes later takes the server for one that nobody has used.
func TestLostMemory(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		spend := approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}
		reserve := func(s *redis.Store, id string) error {
			_, err := s.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(id)}, []approver.Spend{spend})
			return err
		}
		s := open(t, client, "test")
		require.NotEmpty(t, s.Epoch())
		require.Equal(t, s.Epoch(), open(t, client, "test").Epoch(), "it stays the same")
		require.NotEqual(t, s.Epoch(), open(t, client, "other").Epoch())
		require.NoError(t, reserve(s, "a"))

		require.NoError(t, client.FlushAll(t.Context()).Err())
		for range 3 { // and it does not get better
			var lost *approver.LostError
			require.ErrorAs(t, reserve(s, "b"), &lost)
			assert.Equal(t, s.Epoch(), lost.Before)
			_, err := redis.New(t.Context(), client, "test", redis.WithVolatile())
			require.ErrorAs(t, err, &lost)
			assert.Equal(t, s.Epoch(), lost.Before)
			require.ErrorContains(t, err, "qredo agent accept-loss")
		}
		again := open(t, client, "test", redis.WithLossAccepted())
		require.NotEqual(t, s.Epoch(), again.Epoch())
		require.Equal(t, again.Epoch(), open(t, client, "test", redis.WithLossAccepted()).Epoch(), "it was accepted before")
		require.NoError(t, reserve(open(t, client, "test"), "b"))
		require.ErrorAs(t, reserve(s, "c"), new(*approver.LostError), "who was there before has to start again")
	})
}

// The epoch alone is gone, or an earlier version, which had none, has counted here.
func TestAStoreWithoutAnEpochIsRefused(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		require.NoError(t, client.Set(t.Context(), "te*t:lock:a", "of somebody", 0).Err())
		require.NoError(t, client.Set(t.Context(), "test:decision:b", "another's", 0).Err())
		s := open(t, client, "te*t")
		_, err := s.Reserve(t.Context(), approver.Record{ActionID: "a"}, nil)
		require.NoError(t, err)
		require.NoError(t, client.Del(t.Context(), "te*t:epoch").Err())
		_, err = redis.New(t.Context(), client, "te*t", redis.WithVolatile())
		require.Regexp(t, `te\*t:(decision:a|seq) is there, but no epoch`, err)
		require.ErrorContains(t, err, "qredo agent accept-loss")
		open(t, client, "te*t", redis.WithLossAccepted())
		open(t, client, "te*t")
	})
}

func TestAnEpochSurvivesACrash(t *testing.T) {
	server := redistest.Start(t, redistest.Durable...)
	s, err := redis.New(t.Context(), connect(t, server.Address), "test")
	require.NoError(t, err)
	spend := approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}
	_, err = s.Reserve(t.Context(), approver.Record{ActionID: "a"}, []approver.Spend{spend})
	require.NoError(t, err)
	server.Crash()
	again, err := redis.New(t.Context(), connect(t, server.Address), "test")
	require.NoError(t, err)
	assert.Equal(t, s.Epoch(), again.Epoch())
	var over *approver.OverLimitError
	_, err = again.Reserve(t.Context(), approver.Record{ActionID: "b"}, []approver.Spend{spend})
	require.ErrorAs(t, err, &over)
	_, err = s.Reserve(t.Context(), approver.Record{ActionID: "b"}, []approver.Spend{spend})
	require.ErrorAs(t, err, &over)
}
