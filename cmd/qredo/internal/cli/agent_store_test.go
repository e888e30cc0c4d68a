package cli

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/pgtest"
	"github.com/qredo-go/qredo/internal/redistest"
)

// A server that replicas share loses its memory: no replica opens it, until a person has accepted that for its audit log.
func TestAcceptLossOfAServer(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (flag, url string, lose func()){
		"redis": func(t *testing.T) (flag, url string, lose func()) {
			t.Helper()
			address := redistest.Start(t, redistest.Durable...).Address
			return "--redis", "redis://" + address, func() {
				client := goredis.NewClient(&goredis.Options{Addr: address})
				require.NoError(t, client.FlushAll(t.Context()).Err())
				require.NoError(t, client.Close())
			}
		},
		"postgres": func(t *testing.T) (flag, url string, lose func()) {
			t.Helper()
			database := pgtest.Schema(t, pgtest.Database(t))
			return "--database", database, func() {
				conn, err := pgx.Connect(t.Context(), database)
				require.NoError(t, err)
				_, err = conn.Exec(t.Context(), `TRUNCATE qredo_approver, qredo_approver_decision, qredo_approver_spent`)
				require.NoError(t, err)
				require.NoError(t, conn.Close(t.Context()))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			flag, url, lose := start(t)
			a := newTestApp()
			a.now, a.env = time.Now, func(string) string { return "" }
			place := &agentPlace{prefix: "qredo-agent"}
			if flag == "--redis" {
				place.redis = url
			} else {
				place.database = url
			}
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			log, err := place.openLog(a, path)
			require.NoError(t, err)
			require.NoError(t, log.Close())
			accept := func() int {
				return a.run(t.Context(), []string{"agent", "accept-loss", flag, url, "--audit-log", path, "--reason", "Bob: the disk broke"})
			}
			require.Equal(t, exitDone, accept(), "the log knows no store yet")
			assert.NotEqual(t, exitDone, accept(), "nothing was lost")
			before, err := place.open(t.Context(), a, false)
			require.NoError(t, err)
			require.NotNil(t, before.Coordinator)

			lose()
			_, err = before.Reserve(t.Context(), approver.Record{ActionID: "a"}, nil)
			require.ErrorAs(t, err, new(*approver.LostError))
			require.NoError(t, before.close())
			_, err = place.open(t.Context(), a, false)
			require.ErrorAs(t, err, new(*approver.LostError))

			require.Equal(t, exitDone, accept())
			assert.NotEqual(t, exitDone, accept(), "it is accepted")
			after, err := place.open(t.Context(), a, false)
			require.NoError(t, err)
			assert.NotEqual(t, before.Epoch(), after.Epoch())
			require.NoError(t, after.close())
		})
	}
}

// A server that replicas share is sealed while it is in use, and then with another key.
func TestSealAServer(t *testing.T) {
	for name, place := range map[string]*agentPlace{
		"redis":    {redis: "redis://" + redistest.Start(t, redistest.Durable...).Address},
		"postgres": {database: pgtest.Schema(t, pgtest.Database(t))},
	} {
		t.Run(name, func(t *testing.T) {
			a := newTestApp()
			a.now, a.env, place.prefix = time.Now, func(string) string { return "" }, "qredo-agent"
			keys := map[string]string{}
			for _, key := range []string{"first", "second"} {
				keys[key] = filepath.Join(t.TempDir(), key)
				require.NoError(t, os.WriteFile(keys[key], []byte(key+" key of a store"), 0o600))
			}
			flag, url := "--redis", place.redis
			if place.database != "" {
				flag, url = "--database", place.database
			}
			seal := func(more ...string) int {
				return a.run(t.Context(), append([]string{"agent", "seal", flag, url}, more...))
			}
			before, err := place.open(t.Context(), a, false)
			require.NoError(t, err)
			_, err = before.Reserve(t.Context(), approver.Record{ActionID: "a"}, nil)
			require.NoError(t, err)
			require.NoError(t, before.close())

			require.Equal(t, exitDone, seal("--sealing-key-file", keys["first"]))
			require.Equal(t, exitDone, seal("--sealing-key-file", keys["second"], "--older-sealing-key-file", keys["first"]))
			place.sealing = keys["first"]
			_, err = place.open(t.Context(), a, false)
			require.ErrorIs(t, err, approver.ErrUnsealed)
			place.sealing = keys["second"]
			after, err := place.open(t.Context(), a, false)
			require.NoError(t, err)
			_, found, err := after.Lookup(t.Context(), "a")
			require.NoError(t, err)
			assert.True(t, found)
			require.NoError(t, after.close())
			assert.Equal(t, exitUsage, seal("--older-sealing-key-file", keys["first"]))
		})
	}
}
