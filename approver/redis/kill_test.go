package redis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver/internal/killtest"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/redistest"
)

func TestMain(m *testing.M) {
	killtest.Main(m, func(ctx context.Context, address string, lease time.Duration) (killtest.Store, error) {
		opts := []redis.Option{redis.WithLease(lease), redis.WithVolatile()}
		address, sealed := strings.CutSuffix(address, killtest.Sealed)
		if sealed {
			opts = append(opts, redis.WithSealingKey(sealingKey))
		}
		return redis.New(ctx, goredis.NewClient(&goredis.Options{Addr: address}), "trial", opts...)
	})
}

// TestKilledApproverForgetsNothing kills an approver with an [approver.FileStore] again and again.
func TestKilledApproverForgetsNothing(t *testing.T) {
	killtest.Trial{Replicas: 1, Actions: 100, Kills: 4, Seed: *killtest.Seed}.Run(t)
}

// TestKilledReplicas kills two replicas with kill -9, 4 times each while they deal with 200 actions, or with -full 20 times while they deal with 1,000.
func TestKilledReplicas(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		seeds, actions, kills := uint64(1), 200, 4
		if *killtest.Full {
			seeds, actions, kills = 5, 1000, 20
		}
		for seed := range seeds {
			require.NoError(t, connect(t, address).FlushAll(t.Context()).Err())
			killtest.Trial{Replicas: 2, Actions: actions, Kills: kills, Server: address, Seed: *killtest.Seed + seed}.Run(t)
		}
	})
}

// TestKilledAgents kills two replicas of a signing agent, as TestKilledReplicas does those of an approver.
func TestKilledAgents(t *testing.T) { killtest.Agents(redistest.Start(t).Address).Run(t) }

// TestKilledServer kills the server that three replicas share, and each of these too.
func TestKilledServer(t *testing.T) {
	server := redistest.Start(t, redistest.Durable...)
	killtest.Trial{
		Replicas: 3, Actions: 200, Kills: 2, Server: server.Address, Crash: server.Crash, Crashes: 5, Seed: *killtest.Seed,
	}.Run(t)
}

// TestKilledSealedReplicas is TestKilledReplicas with a sealing key.
func TestKilledSealedReplicas(t *testing.T) {
	killtest.Trial{Replicas: 2, Actions: 80, Kills: 4, Server: redistest.Start(t).Address + killtest.Sealed, Seed: *killtest.Seed}.Run(t)
}
