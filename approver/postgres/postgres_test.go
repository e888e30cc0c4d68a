package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/internal/killtest"
	"github.com/qredo-go/qredo/approver/internal/trial"
	"github.com/qredo-go/qredo/approver/postgres"
	"github.com/qredo-go/qredo/internal/pgtest"
)

func TestMain(m *testing.M) {
	killtest.Main(m, func(ctx context.Context, database string, lease time.Duration) (killtest.Store, error) {
		opts := []postgres.Option{postgres.WithLease(lease)}
		database, sealed := strings.CutSuffix(database, killtest.Sealed)
		if sealed {
			opts = append(opts, postgres.WithSealingKey(sealingKey))
		}
		return postgres.Open(ctx, database, opts...)
	})
}

func TestPostgres(t *testing.T) {
	database := pgtest.Database(t)
	t.Run("as a store", func(t *testing.T) {
		trial.TestStore(t, func(t *testing.T, now func() time.Time) approver.Store {
			t.Helper()
			return open(t, pgtest.Schema(t, database), postgres.WithClock(now))
		})
	})
	t.Run("as a store in a pool of the caller's", func(t *testing.T) {
		trial.TestStore(t, func(t *testing.T, now func() time.Time) approver.Store {
			t.Helper()
			pool, err := pgxpool.New(t.Context(), pgtest.Schema(t, database))
			require.NoError(t, err)
			t.Cleanup(pool.Close)
			s, err := postgres.New(t.Context(), pool, postgres.WithClock(now))
			require.NoError(t, err)
			t.Cleanup(func() {
				require.NoError(t, s.Close())
				assert.NoError(t, pool.Ping(context.WithoutCancel(t.Context())), "it is the caller's to close")
			})
			return s
		})
		_, err := postgres.New(t.Context(), nil)
		require.ErrorAs(t, err, new(*qredo.ValidationError))
	})
	for name, test := range map[string]func(t *testing.T, database string){
		"as a store whose transactions are serializable": testSerializable,
		"a pooler between": testPooler,
		"programs that start together make one epoch": testTogether,
		"the clock of the server":                     testClock,
		"claims":                                      testClaims,
		"what is not needed goes":                     testTidy,
		"memory that was lost":                        testLost,
		"a database that may forget is refused":       testForgetful,
		"tables that others can change are refused":   testTables,
		"a later version is refused":                  testLaterVersion,
		"an earlier version gets numbers":             testFirstVersion,
		"the form of the tables":                      testForm,
		"numbers that are gone or set back":           testNumbers,
	} {
		t.Run(name, func(t *testing.T) { test(t, pgtest.Schema(t, database)) })
	}
}

func open(t *testing.T, database string, opts ...postgres.Option) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), database, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// exec runs statements in a connection of the test's own.
func exec(t *testing.T, database, statements string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), statements)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

// count returns a number that a statement returns.
func count(t *testing.T, database, statement string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	require.NoError(t, err)
	require.NoError(t, conn.QueryRow(t.Context(), statement).Scan(&n))
	require.NoError(t, conn.Close(t.Context()))
	return n
}

var spend = approver.Spend{Counter: "c", Amount: 60, Window: time.Hour, MaxAmount: 100}

func reserve(t *testing.T, s *postgres.Store, id string) error {
	t.Helper()
	_, err := s.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(id)}, []approver.Spend{spend})
	return err
}

func testSerializable(t *testing.T, database string) {
	testAtOnce(t, open(t, pgtest.With(database, "default_transaction_isolation", "serializable")))
}

// testPooler gives each transaction another connection, on which nothing that was prepared is there.
func testPooler(t *testing.T, database string) {
	database = pgtest.Pooler(t, database)
	s := open(t, database)
	testAtOnce(t, s)
	_, release, err := s.Claim(t.Context(), "a")
	require.NoError(t, err)
	_, _, err = open(t, database).Claim(t.Context(), "a")
	require.ErrorAs(t, err, new(*approver.ClaimedError))
	release()
}

// testAtOnce has many replicas decide at once, by a counter of all and by others.
func testAtOnce(t *testing.T, s *postgres.Store) {
	t.Helper()
	var all sync.WaitGroup
	fits := make(chan error, 50)
	for i := range cap(fits) {
		all.Go(func() {
			_, err := s.Reserve(t.Context(), approver.Record{ActionID: qredo.ActionID(fmt.Sprint(i))},
				[]approver.Spend{{Counter: "c", Amount: 7, Window: time.Hour, MaxAmount: 100}, {Counter: fmt.Sprint(i % 2), Amount: 1, Window: time.Hour}})
			fits <- err
		})
	}
	all.Wait()
	close(fits)
	fit := 0
	for err := range fits {
		if err == nil {
			fit++
			continue
		}
		require.ErrorAs(t, err, new(*approver.OverLimitError))
	}
	assert.Equal(t, 14, fit)
}

func testTogether(t *testing.T, database string) {
	epochs := make(chan string, 5)
	var all sync.WaitGroup
	for range cap(epochs) {
		all.Go(func() {
			s, err := postgres.Open(t.Context(), database)
			if assert.NoError(t, err) {
				epochs <- s.Epoch()
				assert.NoError(t, s.Close())
			}
		})
	}
	all.Wait()
	close(epochs)
	first := <-epochs
	require.NotEmpty(t, first)
	for epoch := range epochs {
		require.Equal(t, first, epoch)
	}
}

func testClock(t *testing.T, database string) {
	s := open(t, database)
	require.NoError(t, reserve(t, s, "a"))
	require.ErrorAs(t, reserve(t, s, "b"), new(*approver.OverLimitError))
	used, err := s.Usage(t.Context(), []approver.Spend{spend})
	require.NoError(t, err)
	assert.Equal(t, []approver.Usage{{Amount: 60, Count: 1}}, used)
}

func testClaims(t *testing.T, database string) {
	const lease = 1500 * time.Millisecond
	one, other := open(t, database, postgres.WithLease(lease)), open(t, database, postgres.WithLease(lease))
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
	until := func() int { return count(t, database, `SELECT until FROM qredo_approver_claim WHERE action_id = 'a'`) }
	held, release, err := one.Claim(t.Context(), "a")
	require.NoError(t, err)
	first := until()
	require.Eventually(t, func() bool { // it is renewed before its end
		require.True(t, claimed())
		return until() > first
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
	exec(t, database, `UPDATE qredo_approver_claim SET token = 'another''s', until = until + 60000000`)
	<-held.Done()
	require.ErrorContains(t, context.Cause(held), "the lease was lost")
	release()
	require.True(t, claimed(), "another's lease is left alone")

	// One that has ended is free.
	exec(t, database, `UPDATE qredo_approver_claim SET until = 0`)
	require.False(t, claimed())
}

// Recipients come once each, and not again: what was counted of them goes, as decisions do.
func testTidy(t *testing.T, database string) {
	clock := trial.NewClock(trial.Start)
	s := open(t, database, postgres.WithClock(clock.Now))
	round := func(name string) {
		for i := range 100 {
			rec := approver.Record{ActionID: qredo.ActionID(fmt.Sprint(name, i)), Decided: clock.Now(), Expires: clock.Now().Add(time.Hour)}
			_, err := s.Reserve(t.Context(), rec, []approver.Spend{{Counter: fmt.Sprint(name, i), Window: time.Hour, MaxCount: 3}})
			require.NoError(t, err)
		}
	}
	round("first")
	clock.Forward(48 * time.Hour)
	round("second")
	assert.Equal(t, 100, count(t, database, `SELECT count(*) FROM qredo_approver_spent`))
	assert.Equal(t, 100, count(t, database, `SELECT count(*) FROM qredo_approver_decision`))
	_, found, err := s.Lookup(t.Context(), "second0")
	require.NoError(t, err)
	assert.True(t, found)
}

func testLost(t *testing.T, database string) {
	for _, loss := range []string{`DELETE FROM qredo_approver`, `TRUNCATE qredo_approver, qredo_approver_decision, qredo_approver_spent`} {
		s := open(t, database)
		require.NoError(t, reserve(t, s, "a"))
		exec(t, database, loss)
		var lost *approver.LostError
		require.ErrorAs(t, reserve(t, s, "b"), &lost)
		assert.Equal(t, approver.LostError{Before: s.Epoch()}, *lost)
		for range 2 {
			_, err := postgres.Open(t.Context(), database)
			require.ErrorAs(t, err, &lost)
			require.ErrorContains(t, err, "qredo agent accept-loss")
		}
		again := open(t, database, postgres.WithLossAccepted())
		require.NotEqual(t, s.Epoch(), again.Epoch())
		require.Equal(t, again.Epoch(), open(t, database, postgres.WithLossAccepted()).Epoch(), "it was accepted before")
		require.ErrorAs(t, reserve(t, s, "b"), &lost, "who was there before has to start again")
		exec(t, database, `TRUNCATE qredo_approver_decision, qredo_approver_spent`)
	}
	s := open(t, database)
	exec(t, database, `DROP TABLE qredo_approver, qredo_approver_decision, qredo_approver_spent, qredo_approver_claim`)
	again := open(t, database)
	require.NotEqual(t, s.Epoch(), again.Epoch(), "which audit logs notice")
	require.ErrorAs(t, reserve(t, s, "b"), new(*approver.LostError))
}

func testForgetful(t *testing.T, database string) {
	_, err := postgres.Open(t.Context(), pgtest.With(database, "synchronous_commit", "off"))
	require.ErrorContains(t, err, "might be lost")
}

// The checks are those of outbox/postgres, whose tests have each of them: here it is seen that they are made, of each table.
func testTables(t *testing.T, database string) {
	mallory := fmt.Sprintf("test_%d_mallory", os.Getpid())
	exec(t, database, `CREATE ROLE `+mallory)
	t.Cleanup(func() {
		conn, err := pgx.Connect(context.WithoutCancel(t.Context()), database)
		require.NoError(t, err)
		_, err = conn.Exec(context.WithoutCancel(t.Context()), `DROP OWNED BY `+mallory+` CASCADE; DROP ROLE `+mallory)
		require.NoError(t, err)
		require.NoError(t, conn.Close(context.WithoutCancel(t.Context())))
	})
	require.NoError(t, open(t, database).Close())
	for _, table := range []string{"qredo_approver", "qredo_approver_decision", "qredo_approver_spent", "qredo_approver_claim"} {
		exec(t, database, `ALTER TABLE `+table+` OWNER TO `+mallory)
		_, err := postgres.Open(t.Context(), database)
		require.ErrorContains(t, err, table+" in schema ")
		require.ErrorContains(t, err, "belongs to "+mallory)
		exec(t, database, `ALTER TABLE `+table+` OWNER TO current_user`)
	}
	exec(t, database, `DROP TABLE qredo_approver_spent`)
	_, err := postgres.Open(t.Context(), database)
	require.ErrorContains(t, err, "only 3 of the approver's 4 tables")
}

func testLaterVersion(t *testing.T, database string) {
	open(t, database)
	exec(t, database, `UPDATE qredo_approver SET version = 99`)
	_, err := postgres.Open(t.Context(), database)
	require.ErrorContains(t, err, "version 99")
}

func TestOpenRefusesWhatCannotWork(t *testing.T) {
	for field, option := range map[string]postgres.Option{"lease": postgres.WithLease(time.Millisecond), "clock": postgres.WithClock(nil), "option": nil} {
		_, err := postgres.Open(t.Context(), "host=127.0.0.1 port=1", option)
		var invalid *qredo.ValidationError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
	_, err := postgres.Open(t.Context(), "host=127.0.0.1 port=1 user=nobody")
	require.Error(t, err)
	t.Setenv("PGSSLMODE", "")
	_, err = postgres.Open(t.Context(), "host=db.example.com")
	require.ErrorContains(t, err, "sslmode=verify-full")
	_, err = postgres.Open(t.Context(), "host=x password = s3cret port=bad")
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "s3cret")
}

// TestKilledSealedReplicas kills two replicas that have a sealing key.
func TestKilledSealedReplicas(t *testing.T) {
	database := pgtest.Schema(t, pgtest.Database(t))
	killtest.Trial{Replicas: 2, Actions: 80, Kills: 4, Server: database + killtest.Sealed, Seed: *killtest.Seed}.Run(t)
}

// TestKilledServer crashes the server that three replicas share, and kills each of these too.
func TestKilledServer(t *testing.T) {
	server := pgtest.Start(t)
	killtest.Trial{
		Replicas: 3, Actions: 200, Kills: 2, Server: server.Database(), Crashes: 5, Seed: *killtest.Seed,
		Crash: func() {
			server.Crash()
			server.Restart()
		},
	}.Run(t)
}

// TestKilledAgents kills two replicas of a signing agent with kill -9 while they work.
func TestKilledAgents(t *testing.T) { killtest.Agents(pgtest.Schema(t, pgtest.Database(t))).Run(t) }
