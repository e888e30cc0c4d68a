package qredotest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/qredotest"
)

func TestServiceAnswersByOperation(t *testing.T) {
	s := qredotest.NewService(t).OnFixtures(qredotest.Fixtures()...)
	client := s.Client()
	fund, err := client.Funds.Get(t.Context(), qredotest.CompanyID, qredotest.FundID)
	require.NoError(t, err)
	assert.Equal(t, qredotest.ValueOf[*qredo.Fund]("Funds.Get"), fund)
	_, err = client.Companies.Search(t.Context(), "a & b") // it is not a company called search
	require.NoError(t, err)
	_, err = client.Transfers.Create(t.Context(), "other", qredotest.RequestOf[qredo.TransferRequest]("Transfers.Create"))
	require.NoError(t, err)

	asked := s.Requests("")
	require.Len(t, asked, 3)
	assert.Equal(t, map[string]string{"company_id": string(qredotest.CompanyID), "fund_id": string(qredotest.FundID)}, asked[0].IDs)
	assert.Equal(t, "GET /company/search", asked[1].Operation)
	assert.Equal(t, "a & b", asked[1].Query.Get("query"))
	assert.Equal(t, "/company/other/transfer", asked[2].Path)
	assert.Equal(t, "other", asked[2].IDs["company_id"])
	assert.Equal(t, string(qredotest.FixtureOf("Transfers.Create").Request), string(asked[2].Body))
	assert.NotEmpty(t, asked[2].Header.Get("User-Agent"))
	assert.Equal(t, asked[2:], s.Requests("POST /company/{company_id}/transfer"))
	assert.Empty(t, s.Requests("GET /assets"))
}

// A request without an answer fails the test, and does not look like a request that may have been carried out.
func TestServiceWithoutAnAnswer(t *testing.T) {
	test := &failing{}
	s := qredotest.NewService(test).On("GET /company/{company_id}", qredotest.OK())
	_, err := s.Client().Transfers.Create(t.Context(), "c", qredotest.RequestOf[qredo.TransferRequest]("Transfers.Create"))
	require.ErrorIs(t, err, qredo.ErrBadRequest)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
	const operation = "POST /company/c/transfer"
	assert.Equal(t, []string{"qredotest: the service was asked for " + operation + ", and has no answer for it: set one by Service.On"}, test.errors)
	assert.Len(t, s.Requests(operation), 1)
	assert.False(t, test.ended)
	s.Client(qredo.WithBaseURL("nothing"))
	assert.True(t, test.ended)
	assert.Contains(t, test.errors[1], "base URL")
}

func TestServiceFromManyGoroutines(t *testing.T) {
	s := qredotest.NewService(t).On("GET /assets", qredotest.Refusal(http.StatusForbidden, "no"), qredotest.FixtureOf("Assets.List").Answer())
	client := s.Client()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { _, _ = client.Assets.List(t.Context()) })
	}
	group.Wait()
	assert.Len(t, s.Requests("GET /assets"), 8)
}

func TestClock(t *testing.T) {
	clock := qredotest.NewClock(qredotest.FixtureTime())
	assert.Equal(t, qredotest.FixtureTime(), clock.Now())
	assert.Equal(t, qredotest.FixtureTime().Add(time.Hour), clock.Advance(time.Hour))
	assert.Equal(t, qredotest.FixtureTime().Add(time.Hour), clock.Now())
	assert.PanicsWithValue(t, "qredotest: a clock does not go back", func() { clock.Advance(-1) })
	s := qredotest.NewService(t)
	client := s.Client(qredo.WithClock(clock.Now))
	assert.False(t, client.Expired(qredo.TimeOf(clock.Now().Add(time.Second))))
	clock.Advance(time.Second)
	assert.True(t, client.Expired(qredo.TimeOf(qredotest.FixtureTime().Add(time.Hour+time.Second))))
}

func TestEventually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		look := func(context.Context) error {
			if looks++; looks < 5 {
				return fmt.Errorf("look %d", looks)
			}
			return nil
		}
		began := time.Now()
		qredotest.Eventually(t.Context(), t, look)
		assert.Equal(t, 40*time.Millisecond, time.Since(began))
		looks = -1000
		test := &failing{}
		qredotest.Eventually(t.Context(), test, look, qredotest.Within(time.Minute), qredotest.Every(25*time.Second))
		assert.Equal(t, []string{"not so after 1m0s, 4 looks: look -996"}, test.errors)
		assert.True(t, test.ended)

		test = &failing{}
		qredotest.Eventually(t.Context(), test, func(context.Context) error { return errors.New("no") }, qredotest.Within(0))
		assert.Equal(t, []string{"not so after 0s, 1 look: no"}, test.errors)

		test = &failing{}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errors.New("the test is over"))
		defer cancel()
		looks = -1000
		qredotest.Eventually(ctx, test, look, qredotest.Every(2*time.Second))
		assert.Equal(t, []string{"not so after 3s, 3 looks: the context ended (the test is over): look -997"}, test.errors)

		test = &failing{}
		qredotest.Eventually(t.Context(), test, look, qredotest.Every(0))
		assert.Equal(t, []string{"qredotest: the interval of Eventually must be more than zero, is 0s"}, test.errors)
	})
}

// Of a clock no real time is waited.
func TestEventuallyAdvancing(t *testing.T) {
	clock := qredotest.NewClock(qredotest.FixtureTime())
	client := qredotest.NewService(t).Client(qredo.WithClock(clock.Now))
	expires := qredo.TimeOf(clock.Now().Add(30 * time.Minute))
	expired := func(context.Context) error {
		if !client.Expired(expires) {
			return fmt.Errorf("there are %s left", client.Until(expires))
		}
		return nil
	}
	qredotest.Eventually(t.Context(), t, expired, qredotest.Advancing(clock))
	assert.Equal(t, expires.Time, clock.Now())
	expires = qredo.TimeOf(clock.Now().Add(2 * time.Hour))
	test := &failing{}
	qredotest.Eventually(t.Context(), test, expired, qredotest.Advancing(clock), qredotest.Every(30*time.Minute))
	assert.Equal(t, []string{"not so after 1h0m0s, 3 looks: there are 1h0m0s left"}, test.errors)
}

func TestEach(t *testing.T) {
	read := func(seq func(func(int, error) bool), most int) (got []int, failed error) {
		seq(func(n int, err error) bool {
			if err != nil {
				failed = err
			} else {
				got = append(got, n)
			}
			return len(got) < most
		})
		return got, failed
	}
	got, err := read(qredotest.Each(1, 2, 3), 9)
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 3}, got)
	got, err = read(qredotest.EachThen(qredo.ErrLedgerMoved, 1, 2), 9)
	require.ErrorIs(t, err, qredo.ErrLedgerMoved)
	assert.Equal(t, []int{1, 2}, got)
	got, err = read(qredotest.EachThen(qredo.ErrLedgerMoved, 1, 2), 1)
	require.NoError(t, err)
	assert.Equal(t, []int{1}, got)
}

func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		more := make(chan int)
		var got []int
		var failed error
		var group sync.WaitGroup
		group.Go(func() {
			for n, err := range qredotest.Feed(ctx, more, 1, 2) {
				failed = errors.Join(failed, err)
				got = append(got, n)
			}
		})
		more <- 3
		synctest.Wait()
		cancel()
		group.Wait()
		require.NoError(t, failed)
		assert.Equal(t, []int{1, 2, 3}, got)
		for n, err := range qredotest.Feed(ctx, more, 1) {
			assert.Fail(t, "it has ended", "%d %v", n, err)
		}
		closed := make(chan int)
		close(closed)
		for n, err := range qredotest.Feed(t.Context(), closed, 7) {
			require.NoError(t, err)
			assert.Equal(t, 7, n)
		}
	})
}
