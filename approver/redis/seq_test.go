package redis_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/redistest"
)

// A server loads an earlier copy of its append-only file while approvers are at work.
func TestAServerThatIsPutBackIsNoticed(t *testing.T) {
	server := redistest.Start(t, append(redistest.Durable, "--enable-debug-command", "local")...)
	client := connect(t, server.Address)
	s, err := redis.New(t.Context(), client, "test")
	require.NoError(t, err)
	spend := approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}
	first, err := s.Reserve(t.Context(), approver.Record{ActionID: "a"}, nil)
	require.NoError(t, err)
	settings, err := client.ConfigGet(t.Context(), "dir").Result()
	require.NoError(t, err)
	files := filepath.Join(settings["dir"], "appendonlydir")
	before := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(before, "copy"), os.DirFS(files)))

	second, err := s.Reserve(t.Context(), approver.Record{ActionID: "b", Seq: first.Seq}, []approver.Spend{spend})
	require.NoError(t, err)
	entries, err := os.ReadDir(filepath.Join(before, "copy"))
	require.NoError(t, err)
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(before, "copy", entry.Name()))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(files, entry.Name()), data, 0o600))
	}
	require.NoError(t, client.Do(t.Context(), "DEBUG", "LOADAOF").Err())

	_, found, err := s.Lookup(t.Context(), "b")
	require.NoError(t, err)
	require.False(t, found, "it is lost")
	var lost *approver.LostError
	_, err = s.Reserve(t.Context(), approver.Record{ActionID: "c", Seq: second.Seq}, []approver.Spend{spend})
	require.ErrorAs(t, err, &lost)
	assert.Equal(t, approver.LostError{Before: s.Epoch(), Now: s.Epoch(), Known: 2, Last: 1}, *lost)
	again, err := redis.New(t.Context(), client, "test")
	require.NoError(t, err)
	last, err := again.LastSeq(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, last, "which an audit log is held against")
}

// What an earlier version has counted, with entries that do not say how long they are kept, still counts.
func TestEntriesOfAnEarlierVersionCount(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		s := open(t, client, "test")
		now := time.Now()
		for i, member := range []string{"0000000000000001:0.0.60:0.60", "0000000000000002:0.0.90:0.30"} {
			at := float64(now.Add(time.Duration(i-2) * time.Minute).UnixMicro())
			require.NoError(t, client.ZAdd(t.Context(), "test:sums:c", goredis.Z{Score: at, Member: member}).Err())
		}
		spend := approver.Spend{Counter: "c", Amount: 10, Window: time.Hour, MaxAmount: 100}
		_, err := s.Reserve(t.Context(), approver.Record{ActionID: "a"}, []approver.Spend{spend})
		require.NoError(t, err)
		_, err = s.Reserve(t.Context(), approver.Record{ActionID: "b"}, []approver.Spend{spend})
		var over *approver.OverLimitError
		require.ErrorAs(t, err, &over)
		assert.Equal(t, approver.Usage{Amount: 100, Count: 3}, over.Used)
		used, err := s.Usage(t.Context(), []approver.Spend{spend})
		require.NoError(t, err)
		assert.Equal(t, []approver.Usage{over.Used}, used)
	})
}

// Keys that an earlier version has written have no numbers, and get some from then on.
func TestAStoreWithoutNumbersBeginsToNumber(t *testing.T) {
	eachServer(t, func(t *testing.T, address string) {
		client := connect(t, address)
		require.NoError(t, client.Set(t.Context(), "test:epoch", "of before", 0).Err())
		require.NoError(t, client.Set(t.Context(), "test:decision:a", `{"action_id":"a","verdict":"approve"}`, 0).Err())
		s := open(t, client, "test")
		stands, err := s.Reserve(t.Context(), approver.Record{ActionID: "a"}, nil)
		require.NoError(t, err)
		assert.Equal(t, approver.Record{ActionID: "a", Verdict: approver.Approve}, stands)
		stands, err = s.Reserve(t.Context(), approver.Record{ActionID: "b"}, nil)
		require.NoError(t, err)
		assert.EqualValues(t, 1, stands.Seq)
	})
}
