package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/inbox/internal/storetest"
	"github.com/qredo-go/qredo/inbox/postgres"
)

// traced notes the statements that a pool sends.
type traced struct {
	mu   sync.Mutex
	sent []pgx.TraceQueryStartData
}

func (q *traced) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sent = append(q.sent, data)
	return ctx
}

func (q *traced) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take returns what was sent since the last call.
func (q *traced) take() []pgx.TraceQueryStartData {
	q.mu.Lock()
	defer q.mu.Unlock()
	sent := q.sent
	q.sent = nil
	return sent
}

func newTraced(t *testing.T, database string) (*postgres.Store[pgx.Tx], *traced) {
	t.Helper()
	config, err := pgxpool.ParseConfig(database)
	require.NoError(t, err)
	seen := &traced{}
	config.ConnConfig.Tracer = seen
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	s, err := postgres.New(t.Context(), pool)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s, seen
}

// testAtRest has a look find nothing new: it costs one statement, and the tables are not touched, not even by a lock.
func testAtRest(t *testing.T, database string) {
	ctx := t.Context()
	s, sent := newTraced(t, database)
	var seen []inbox.Sighting
	for i := range 1000 {
		seen = append(seen, storetest.Seen(fmt.Sprint(i), func(s *inbox.Sighting) { s.Alias = fmt.Sprint("alias-", i) }))
	}
	_, err := s.Begin(ctx, storetest.Now)
	require.NoError(t, err)
	source := record(t, s, storetest.Seen("first"))
	sent.take()
	counts, err := s.Record(ctx, source, storetest.Now, seen)
	require.NoError(t, err)
	assert.Equal(t, inbox.Recorded{New: 1000, Ready: 1000}, counts)
	assert.LessOrEqual(t, len(sent.take()), 6, "a thousand new ones")
	source.Whole = true
	require.NoError(t, s.Progress(ctx, source))

	conn := connect(t, database)
	rows := func() (all string) {
		t.Helper()
		require.NoError(t, conn.QueryRow(ctx, `
			SELECT (SELECT string_agg(ctid::text || xmin || ' ' || xmax, ',' ORDER BY id) FROM qredo_inbox) || ';' ||
				(SELECT string_agg(ctid::text || xmin || ' ' || xmax, ',' ORDER BY id) FROM qredo_inbox_source) || ';' ||
				(SELECT string_agg(ctid::text || xmin || ' ' || xmax, ',') FROM qredo_inbox_begin)`).Scan(&all))
		return all
	}
	before := rows()
	sent.take()
	for name, call := range map[string]func() error{
		"Record":   func() error { _, err := s.Record(ctx, source, storetest.Now, seen); return err },
		"Progress": func() error { return s.Progress(ctx, source) },
		"Begin":    func() error { _, err := s.Begin(ctx, storetest.Now); return err },
		"Next":     func() error { _, err := s.Next(ctx, source.ID, "", 64, 16); return err },
	} {
		require.NoError(t, call(), name)
		assert.Len(t, sent.take(), 1, name)
		assert.Equal(t, before, rows(), name)
	}
}

// testBacklog has many entries ready: to find the first of each wallet takes few pages of the tables.
func testBacklog(t *testing.T, database string) {
	s, sent := newTraced(t, database)
	source := record(t, s, storetest.Seen("first"))
	const entries, wallets = 100_000, 50
	exec(t, database, fmt.Sprintf(`
		INSERT INTO qredo_inbox (id, source, wallet, asset, amount, moved, time, state, attempts, error, updated, version, movement)
		SELECT 'id-' || i, source, 'wallet-' || i %% %d, asset, amount, moved, time + i * interval '1 second', state, 0, '', updated, 1, movement
		FROM qredo_inbox, generate_series(1, %d) i`, wallets, entries))
	sent.take()
	list, err := s.Next(t.Context(), source.ID, "wallet-1", 10, 10)
	require.NoError(t, err)
	assert.Len(t, list, 100)
	next := sent.take()
	require.Len(t, next, 1)
	conn := connect(t, database)
	pages := func(statement string, args ...any) int {
		t.Helper()
		var said []byte
		require.NoError(t, conn.QueryRow(t.Context(), "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+statement, args...).Scan(&said))
		var plan []struct {
			Plan struct {
				Hit  int `json:"Shared Hit Blocks"`
				Read int `json:"Shared Read Blocks"`
			} `json:"Plan"`
		}
		require.NoError(t, json.Unmarshal(said, &plan))
		return plan[0].Plan.Hit + plan[0].Plan.Read
	}
	assert.Less(t, pages(next[0].SQL, next[0].Args...), 400, "before the server knows what is in the table")
	exec(t, database, `ANALYZE qredo_inbox`)
	assert.Less(t, pages(next[0].SQL, next[0].Args...), 400)
	for name, call := range map[string]func() error{
		"Page": func() error { _, err := s.Page(t.Context(), inbox.Filter{}, "id-5", 100); return err },
		"Page, of a state": func() error {
			_, err := s.Page(t.Context(), inbox.Filter{States: []inbox.State{inbox.StateAside, inbox.StateReady}}, "id-5", 100)
			return err
		},
		"Waiting": func() error { _, _, err := s.Waiting(t.Context(), source.ID); return err },
		"Record": func() error {
			_, err := s.Record(t.Context(), source, storetest.Now, []inbox.Sighting{storetest.Seen("id-5", func(s *inbox.Sighting) { s.Alias = "id-6" })})
			return err
		},
	} {
		require.NoError(t, call(), name)
		asked := sent.take()
		require.Len(t, asked, 1, name)
		assert.Less(t, pages(asked[0].SQL, asked[0].Args...), 200, name)
	}
	// The control: a whole look must be dear, or there is nothing to see here.
	assert.Greater(t, pages(`SELECT count(movement::text) FROM qredo_inbox`), 3000)
}

// testRecordBesideUpdates has movements refused while they are handed over. Each is handed over and taken back, or neither.
func testRecordBesideUpdates(t *testing.T, database string) {
	ctx, s := t.Context(), openStore(t, database)
	const entries = 60
	var seen []inbox.Sighting
	for i := range entries {
		seen = append(seen, storetest.Seen(fmt.Sprintf("%02d", i)))
	}
	source := record(t, s, seen...)
	for i := range seen {
		seen[i].Movement.Status, seen[i].Movement.Moved = qredo.TxChainRejected, false
	}
	var (
		wg     sync.WaitGroup
		handed [entries]atomic.Int64
		first  = make(chan struct{}) // closed once one was handed over, so that there is something to take back
		once   sync.Once
	)
	for range 2 {
		wg.Go(func() {
			for i := range seen {
				err := s.Hand(ctx, seen[i].ID, storetest.Now, func(context.Context, pgx.Tx, inbox.Movement) error { handed[i].Add(1); return nil })
				once.Do(func() { close(first) })
				if err != nil {
					assert.ErrorIs(t, err, inbox.ErrNotReady)
				}
			}
		})
	}
	wg.Go(func() {
		<-first
		for i := entries; i > 0; i -= 5 {
			_, err := s.Record(ctx, source, storetest.Now, seen[i-5:i])
			assert.NoError(t, err)
		}
	})
	wg.Wait()
	taken := 0
	for i := range seen {
		e, err := s.Get(ctx, seen[i].ID)
		require.NoError(t, err)
		back, err := s.Get(ctx, seen[i].ID+"!")
		if handed[i].Load() == 0 {
			require.ErrorIs(t, err, inbox.ErrNotFound)
			assert.Equal(t, inbox.StateVoid, e.State)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, int64(1), handed[i].Load())
		assert.Equal(t, inbox.StateDone, e.State)
		assert.Equal(t, inbox.StateReady, back.State)
		taken++
	}
	assert.Positive(t, taken)
}

// testAliasTogether has two sources report one movement at the same time, under two names.
func testAliasTogether(t *testing.T, database string) {
	ctx, s := t.Context(), openStore(t, database)
	one, err := s.Lease(ctx, "one", "a", time.Hour)
	require.NoError(t, err)
	two, err := s.Lease(ctx, "two", "a", time.Hour)
	require.NoError(t, err)
	for i := range 30 {
		var (
			wg    sync.WaitGroup
			fresh atomic.Int64
		)
		tell := func(source inbox.Source, id, alias string) {
			counts, err := s.Record(ctx, source, storetest.Now, []inbox.Sighting{storetest.Seen(id, func(s *inbox.Sighting) { s.Alias = alias })})
			assert.NoError(t, err) //nolint:testifylint // require ends only the test's own goroutine
			fresh.Add(int64(counts.New))
		}
		x, y := fmt.Sprint("x", i), fmt.Sprint("y", i)
		wg.Go(func() { tell(one, x, y) })
		wg.Go(func() { tell(two, y, "") })
		wg.Wait()
		require.Equal(t, int64(1), fresh.Load())
	}
}

// testPrograms has two programs follow the same funds, through leases that are lost: each movement is booked once.
func testPrograms(t *testing.T, database string) {
	ctx := t.Context()
	exec(t, database, `CREATE TABLE bookings (key TEXT)`)
	const entries = 40
	var (
		wg     sync.WaitGroup
		booked atomic.Int64
	)
	for program := range 2 {
		s := openStore(t, database)
		for worker := range 2 {
			wg.Go(func() {
				for n := 0; booked.Load() < entries; n++ {
					source, err := s.Lease(ctx, "fund:c:f", fmt.Sprint(program, worker), 20*time.Millisecond)
					if err == nil {
						seen := []inbox.Sighting{storetest.Seen(fmt.Sprint(n%entries), func(s *inbox.Sighting) {
							s.Movement.Wallet = qredo.WalletID(fmt.Sprint(n % 4))
						})}
						if _, err := s.Record(ctx, source, storetest.Now, seen); err != nil {
							assert.ErrorIs(t, err, inbox.ErrLeaseLost)
						}
					} else {
						assert.ErrorAs(t, err, new(*inbox.LeasedError)) //nolint:testifylint // as above
					}
					list, err := s.Next(ctx, "fund:c:f", "", 4, 2)
					assert.NoError(t, err) //nolint:testifylint // as above
					for _, e := range list {
						err := s.Hand(ctx, e.ID, storetest.Now, func(ctx context.Context, tx pgx.Tx, m inbox.Movement) error {
							_, err := tx.Exec(ctx, `INSERT INTO bookings (key) VALUES ($1)`, m.Key)
							return err
						})
						if err == nil {
							booked.Add(1)
							continue
						}
						assert.ErrorIs(t, err, inbox.ErrNotReady) //nolint:testifylint // as above
					}
					if t.Failed() {
						return
					}
				}
			})
		}
	}
	wg.Wait()
	var all, distinct int
	require.NoError(t, connect(t, database).QueryRow(ctx, `SELECT count(*), count(DISTINCT key) FROM bookings`).Scan(&all, &distinct))
	assert.Equal(t, entries, all)
	assert.Equal(t, entries, distinct)
}
