package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/outbox/internal/storetest"
	"github.com/qredo-go/qredo/outbox/postgres"
)

// claimsSeen notes the last claim's statement and arguments.
type claimsSeen struct {
	mu        sync.Mutex
	statement string
	args      []any
}

func (c *claimsSeen) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, "SKIP LOCKED") {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.statement, c.args = data.SQL, data.Args
	}
	return ctx
}

func (c *claimsSeen) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// testBesideReader has a long-running reader of an old snapshot, so that the index keeps ended entries before those that
// are due. A claim does not read through them each time: the test counts pages, since time depends on what else runs.
func testBesideReader(t *testing.T, database string) {
	const entries = 3000
	config, err := pgxpool.ParseConfig(database)
	require.NoError(t, err)
	seen := &claimsSeen{}
	config.ConnConfig.Tracer = seen
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	s, err := postgres.New(t.Context(), pool)
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	fill(t, database, entries+100, func(int, *outbox.Entry) {})
	reader(t, database)

	conn := connect(t, database)
	pages := func() int {
		t.Helper()
		var plan []struct {
			Plan struct {
				Hit  int `json:"Shared Hit Blocks"`
				Read int `json:"Shared Read Blocks"`
			}
		}
		tx, err := conn.Begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, tx.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+seen.statement, seen.args...).Scan(&plan))
		require.NoError(t, tx.Rollback(t.Context()))
		return plan[0].Plan.Hit + plan[0].Plan.Read
	}
	most, least := 0, entries
	claim := func(limit int) []outbox.Claim {
		t.Helper()
		now := time.Now()
		claims, err := s.Claim(t.Context(), outbox.Want{Now: now, Until: now.Add(time.Minute), Beyond: now.Add(time.Hour), Limit: limit})
		require.NoError(t, err)
		require.Len(t, claims, limit)
		return claims
	}
	for done := 0; done < entries; {
		send(t, s, claim(100))
		if done += 100; done >= entries/2 {
			// Whole looks have a tenth of the time, which is each of them where a program is slow. So two, one right after the other.
			send(t, s, append(claim(1), claim(1)...))
			n := pages()
			most, least = max(most, n), min(least, n)
		}
	}
	assert.Less(t, least, 100, "the cheapest claim, in pages; a whole look has %d", most)

	// The control: such a look must be dear, or there is nothing to see here.
	seen.args[4] = time.Time{}
	assert.Greater(t, pages(), entries/10)
}

// testReleaseTogether releases many at once, in pairs that name the same transaction: one of each pair is stored, and all others
// that went in the same statement.
func testReleaseTogether(t *testing.T, database string) {
	s := openStore(t, database)
	const pairs = 20
	for i := range 2 * pairs {
		_, _, err := s.Add(t.Context(), storetest.Entry(fmt.Sprint(i)))
		require.NoError(t, err)
	}
	now := time.Now()
	claims, err := s.Claim(t.Context(), outbox.Want{Now: now, Until: now.Add(time.Minute), Limit: 2 * pairs})
	require.NoError(t, err)
	require.Len(t, claims, 2*pairs)
	errs := make(chan error)
	for i, c := range claims {
		c.Entry.State, c.Entry.TxID = outbox.StateSent, qredo.TxID(fmt.Sprint("tx-", i/2))
		go func() { errs <- s.Release(t.Context(), c) }()
	}
	taken := 0
	for range claims {
		if err := <-errs; err != nil {
			require.ErrorIs(t, err, outbox.ErrTxIDTaken)
			taken++
		}
	}
	assert.Equal(t, pairs, taken)
	stats, err := s.Stats(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[outbox.State]int{outbox.StateSent: pairs, outbox.StatePending: pairs}, stats.States)
}
