package redis_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/durable/durabletest"
)

// load sets keys as they are in a file: texts, and sorted sets.
func load(t *testing.T, client *goredis.Client, name string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var keys map[string]any
	require.NoError(t, json.Unmarshal(text, &keys))
	for key, value := range keys {
		if text, ok := value.(string); ok {
			require.NoError(t, client.Set(t.Context(), key, text, 0).Err())
			continue
		}
		for _, member := range value.([]any) {
			m := member.(map[string]any)
			require.NoError(t, client.ZAdd(t.Context(), key, goredis.Z{Score: m["Score"].(float64), Member: m["Member"]}).Err())
		}
	}
}

// dump returns all keys as load reads them.
func dump(t *testing.T, client *goredis.Client) string {
	t.Helper()
	keys, err := client.Keys(t.Context(), "*").Result()
	require.NoError(t, err)
	slices.Sort(keys)
	all := map[string]any{}
	for _, key := range keys {
		if client.Type(t.Context(), key).Val() == "zset" {
			all[key], err = client.ZRangeWithScores(t.Context(), key, 0, -1).Result()
		} else {
			all[key], err = client.Get(t.Context(), key).Result()
		}
		require.NoError(t, err)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	require.NoError(t, err)
	return string(text) + "\n"
}

// Version 0.1.0 had no epoch. Its keys are refused, with what to do, and stay as they are.
func TestKeysOfFirstVersion(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		load(t, client, "redis-0.1.0.json")
		before := dump(t, client)
		_, err := redis.New(t.Context(), client, "test", redis.WithVolatile())
		require.ErrorContains(t, err, "but no epoch: version 0.1.0 has written it")
		require.ErrorContains(t, err, "Let what it decided come to its end, then run qredo agent accept-loss: limits begin anew")
		require.Equal(t, before, dump(t, client))
	})
}

// TestForm fails when this version writes another form 2, or cannot read the one that it wrote.
func TestForm(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		clock, client := trial.NewClock(trial.Start), connect(t, address)
		s := open(t, client, "test", redis.WithClock(clock.Now))
		trial.Fill(t, s)
		durabletest.Is(t, strings.ReplaceAll(dump(t, client), s.Epoch(), "THE EPOCH"), "redis-form2.json")

		require.NoError(t, client.FlushAll(t.Context()).Err())
		load(t, client, "redis-form2.json")
		s = open(t, client, "test", redis.WithClock(clock.Now))
		require.Equal(t, "THE EPOCH", s.Epoch())
		trial.CheckFilled(t, s)

		require.NoError(t, client.Set(t.Context(), "test:form", 3, 0).Err())
		before := dump(t, client)
		_, err := redis.New(t.Context(), client, "test", redis.WithVolatile())
		require.ErrorContains(t, err, fmt.Sprintf("the keys test:* have form 3, this program knows form %d: it is too old", 2))
		require.Equal(t, before, dump(t, client))
		require.NoError(t, client.Del(t.Context(), "test:form").Err()) // as the first of this form
		trial.CheckFilled(t, open(t, client, "test", redis.WithClock(clock.Now)))
	})
}
