package qredotest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/qredotest"
)

// once lets a client make one attempt.
var once = qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1})

// Each answer means to the client what it says, through a transport and through a server: for a write, whether it may
// have been carried out.
func TestAnswersToAWrite(t *testing.T) {
	const operation = "POST /company/{company_id}/transfer"
	sent := qredotest.FixtureOf(operation).Answer()
	for name, test := range map[string]struct {
		answer  qredotest.Answer
		status  int
		is      error
		unknown bool
	}{
		"ok":              {sent, 200, nil, false},
		"refusal":         {qredotest.Refusal(404, "no such wallet", "gone"), 404, qredo.ErrNotFound, false},
		"conflict":        {qredotest.Refusal(409, "no"), 409, qredo.ErrConflict, true},
		"limit":           {qredotest.RateLimited(1500 * time.Millisecond), 429, qredo.ErrRateLimited, false},
		"limit, unsaid":   {qredotest.RateLimited(0), 429, qredo.ErrRateLimited, false},
		"failure":         {qredotest.Refusal(500, "broken"), 500, qredo.ErrServer, true},
		"page":            {qredotest.ProxyPage(502), 502, qredo.ErrServer, true},
		"page in success": {qredotest.ProxyPage(200), 200, qredo.ErrBadAnswer, true},
		"lost":            {qredotest.Lost(sent), 0, qredo.ErrOutcomeUnknown, true},
		"cut":             {qredotest.Cut(sent, 10), 200, qredo.ErrBadAnswer, true},
		"cut at nothing":  {qredotest.Cut(sent, 0), 200, qredo.ErrBadAnswer, true},
		"JSON of another": {qredotest.Reply(200, map[string]int{"a": 1}), 200, qredo.ErrBadAnswer, true},
		"unreachable":     {qredotest.Unreachable(), 0, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			service := qredotest.NewService(t).On(operation, test.answer)
			checkWrite(t, service.Client(once), test.is, test.unknown, name == "ok", test.status)
			if name == "unreachable" {
				return // a server that answers is reached
			}
			srv := httptest.NewServer(service)
			defer srv.Close()
			client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(srv.URL+"/api/v1/p"), qredo.WithClock(qredotest.FixtureTime), once)
			require.NoError(t, err)
			checkWrite(t, client, test.is, test.unknown, name == "ok", test.status)
			assert.Len(t, service.Requests(operation), 2)
		})
	}
}

func checkWrite(t *testing.T, client *qredo.Client, is error, unknown, ok bool, status int) {
	t.Helper()
	var resp qredo.Response
	_, err := client.Transfers.Create(t.Context(), qredotest.CompanyID, qredotest.RequestOf[qredo.TransferRequest]("Transfers.Create"), qredo.WithResponse(&resp))
	if ok {
		require.NoError(t, err)
		return
	}
	require.Error(t, err)
	if is != nil {
		require.ErrorIs(t, err, is)
	}
	assert.Equal(t, unknown, errors.Is(err, qredo.ErrOutcomeUnknown), "%v", err)
	assert.Equal(t, status, resp.StatusCode, "%v", err)
}

func TestRefusalSaysWhy(t *testing.T) {
	service := qredotest.NewService(t).On("GET /assets", qredotest.Refusal(403, "Forbidden", "no access", "to assets"))
	_, err := service.Client().Assets.List(t.Context())
	var refused *qredo.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "Forbidden", refused.Msg)
	assert.Equal(t, "no access; to assets", refused.Reason)
	assert.True(t, refused.InOwnWords())
}

// The client waits as long as the limit asks it to, and then has the next answer.
func TestRateLimitedIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := qredotest.NewService(t).On("GET /assets", qredotest.RateLimited(1500*time.Millisecond), qredotest.Reply(200, `{"assets":[]}`))
		began := time.Now()
		_, err := service.Client().Assets.List(t.Context())
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(began), 2*time.Second, "whole seconds, rounded up")
		assert.Less(t, time.Since(began), 4*time.Second)
		assert.Len(t, service.Requests(""), 2)
	})
}

func TestSilentEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := qredotest.NewService(t).On("GET /assets", qredotest.Silent()).Client(once).Assets.List(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// Lost has let the request be answered, and passes a failure of that on.
func TestLostWasAnswered(t *testing.T) {
	service := qredotest.NewService(t)
	answered := 0
	count := qredotest.Answer(func(req *http.Request) (*http.Response, error) {
		answered++
		return qredotest.OK().RoundTrip(req)
	})
	_, err := qredotest.Body(qredotest.Lost(count))
	require.Error(t, err)
	assert.Equal(t, 1, answered)
	for _, a := range []qredotest.Answer{qredotest.Lost(qredotest.Unreachable()), qredotest.Cut(qredotest.Unreachable(), 5)} {
		_, err = qredotest.Body(a)
		require.ErrorContains(t, err, "connection refused")
	}
	assert.Empty(t, service.Requests(""))
}

// An answer is a responder of httpmock.
func TestAnswersInHTTPMock(t *testing.T) {
	transport := httpmock.NewMockTransport()
	f := qredotest.FixtureOf("Companies.Get")
	transport.RegisterResponder(f.Method, "https://custody.example/api/v1/p"+f.Path, f.Answer().RoundTrip)
	transport.RegisterResponder("GET", "https://custody.example/api/v1/p/assets", qredotest.Refusal(403, "no").RoundTrip)
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL("https://custody.example/api/v1/p"), qredo.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	company, err := client.Companies.Get(t.Context(), qredotest.CompanyID)
	require.NoError(t, err)
	assert.Equal(t, f.Value, company)
	_, err = client.Assets.List(t.Context())
	require.ErrorIs(t, err, qredo.ErrForbidden)
	assert.Equal(t, 2, transport.GetTotalCallCount())
}

func TestInTurn(t *testing.T) {
	a := qredotest.InTurn(qredotest.Refusal(500, "a"), qredotest.Refusal(400, "b"), qredotest.OK())
	var got []int
	for range 4 {
		resp, err := a.RoundTrip(httptest.NewRequest(http.MethodPost, "/", http.NoBody))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		got = append(got, resp.StatusCode)
	}
	assert.Equal(t, []int{500, 400, 200, 200}, got)
	assert.PanicsWithValue(t, "qredotest: InTurn needs an answer", func() { qredotest.InTurn() })
	assert.Panics(t, func() { qredotest.Reply(200, func() {}) })
}

// A ledger in both orders, with any page size: all of it is found.
func TestLedger(t *testing.T) {
	var entries []qredo.LedgerEntry
	for i := range 7 {
		e := qredo.LedgerEntry{TxID: qredo.TxID(fmt.Sprint("t", i)), Asset: "BTC", WalletID: "w", Type: qredo.EntryDeposit, Status: qredo.TxApproved, Amount: 1, NetAmount: 1, Time: qredo.Unix(int64(1000 + i))}
		switch i {
		case 2:
			e.Asset = "ETH"
		case 3:
			e.WalletID = "v"
		case 5:
			e.Type = qredo.EntryWithdraw
		}
		entries = append(entries, e)
	}
	swapped := append(append([]qredo.LedgerEntry(nil), entries[4:]...), entries[:4]...)
	for order, first := range map[qredotest.Order]qredo.TxID{qredotest.OldestFirst: "t0", qredotest.NewestFirst: "t6"} {
		client := qredotest.NewService(t).On("GET /company/{company_id}/fund/{fund_id}/ledger", qredotest.Ledger(order, swapped...)).Client()
		for _, limit := range []int{0, 1, 3, 7, 100} {
			assert.Len(t, all(t, client, qredo.LedgerOptions{Limit: limit}), 7)
		}
		page, err := client.Funds.ListLedger(t.Context(), "c", "f", qredo.LedgerOptions{Limit: 2})
		require.NoError(t, err)
		assert.Equal(t, 7, page.Total)
		assert.Equal(t, first, page.Entries[0].TxID)
		page, err = client.Funds.ListLedger(t.Context(), "c", "f", qredo.LedgerOptions{Offset: 50})
		require.NoError(t, err)
		assert.Empty(t, page.Entries)
		assert.ElementsMatch(t, []qredo.TxID{"t2"}, all(t, client, qredo.LedgerOptions{Asset: "ETH"}))
		assert.ElementsMatch(t, []qredo.TxID{"t3"}, all(t, client, qredo.LedgerOptions{WalletID: "v"}))
		assert.ElementsMatch(t, []qredo.TxID{"t5"}, all(t, client, qredo.LedgerOptions{Direction: qredo.DirectionOut}))
		assert.Len(t, all(t, client, qredo.LedgerOptions{Direction: qredo.DirectionIn}), 6)
		assert.Len(t, all(t, client, qredo.LedgerOptions{Direction: qredo.DirectionAll}), 7)
	}
	bad, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://any.example/?limit=x", http.NoBody)
	require.NoError(t, err)
	resp, err := qredotest.Ledger(qredotest.OldestFirst).RoundTrip(bad)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, 400, resp.StatusCode)
}

func all(t *testing.T, client *qredo.Client, options qredo.LedgerOptions) (ids []qredo.TxID) {
	t.Helper()
	for e, err := range client.Funds.LedgerAll(t.Context(), "c", "f", options) {
		require.NoError(t, err)
		ids = append(ids, e.TxID)
	}
	return ids
}
