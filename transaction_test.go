package qredo_test

import (
	"context"
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

type waiter = func(*qredo.Client, context.Context, ...qredo.CallOption) (*qredo.Transaction, error)

// waiters are the methods that wait, by the path they look at; each test runs all.
var waiters = map[string]waiter{
	"/company/" + clienttest.CompanyID + "/transfer/": func(c *qredo.Client, ctx context.Context, opts ...qredo.CallOption) (*qredo.Transaction, error) {
		return c.Transfers.Wait(ctx, clienttest.CompanyID, "t1", opts...)
	},
	"/company/" + clienttest.CompanyID + "/withdraw/": func(c *qredo.Client, ctx context.Context, opts ...qredo.CallOption) (*qredo.Transaction, error) {
		return c.Transfers.WaitWithdrawal(ctx, clienttest.CompanyID, "t1", opts...)
	},
	"/company/" + clienttest.CompanyID + "/atomicswap/make/": func(c *qredo.Client, ctx context.Context, opts ...qredo.CallOption) (*qredo.Transaction, error) {
		return c.Swaps.WaitMake(ctx, clienttest.CompanyID, "t1", opts...)
	},
	"/company/" + clienttest.CompanyID + "/atomicswap/take/": func(c *qredo.Client, ctx context.Context, opts ...qredo.CallOption) (*qredo.Transaction, error) {
		return c.Swaps.WaitTake(ctx, clienttest.CompanyID, "t1", opts...)
	},
	"/coreclient/" + clienttest.CoreID + "/sweep/": func(c *qredo.Client, ctx context.Context, opts ...qredo.CallOption) (*qredo.Transaction, error) {
		return c.CoreClients.WaitSweep(ctx, clienttest.CoreID, "t1", opts...)
	},
}

// serveStatuses gives one status after the other, and the last one for ever. It notes how long after
// the start each request came.
func serveStatuses(t *testing.T, path string, looks *[]time.Duration, statuses ...string) clienttest.RoundTrip {
	start := time.Now()
	return func(req *http.Request) (*http.Response, error) {
		if want := clienttest.BaseURL + path + "t1"; req.Method != http.MethodGet || req.URL.String() != want {
			t.Errorf("sent %s %s, want GET %s", req.Method, req.URL, want)
		}
		status := statuses[min(len(*looks), len(statuses)-1)]
		*looks = append(*looks, time.Since(start))
		return clienttest.Answer(req, http.StatusOK, `{"txID":"t1","txStatus":"`+status+`"}`), nil
	}
}

// eachWaiter runs a test for all methods that wait, in a bubble where time passes only while all wait.
func eachWaiter(t *testing.T, test func(t *testing.T, path string, wait waiter)) {
	for path, wait := range waiters {
		t.Run(path, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) { test(t, path, wait) })
		})
	}
}

func TestWaitUntilApproved(t *testing.T) {
	eachWaiter(t, func(t *testing.T, path string, wait waiter) {
		var looks []time.Duration
		client := clienttest.NewClient(t, serveStatuses(t, path, &looks, "pending_initiate", "pending", "approved"))
		got, err := wait(client, t.Context())
		require.NoError(t, err)
		require.Equal(t, &qredo.Transaction{ID: "t1", Status: qredo.TxApproved}, got)
		require.Equal(t, []time.Duration{0, 2 * time.Second, 4 * time.Second}, looks, "a look at once, then every two seconds")
	})
}

func TestWaitAtTheGivenInterval(t *testing.T) {
	eachWaiter(t, func(t *testing.T, path string, wait waiter) {
		var looks []time.Duration
		client := clienttest.NewClient(t, serveStatuses(t, path, &looks, "pending", "pending", "pending", "approved"))
		_, err := wait(client, t.Context(), qredo.WithPollInterval(7*time.Minute))
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 7 * time.Minute, 14 * time.Minute, 21 * time.Minute}, looks)
	})
}

// An answer that takes its time does not shorten the pause after it.
func TestWaitPausesAfterASlowAnswer(t *testing.T) {
	eachWaiter(t, func(t *testing.T, path string, wait waiter) {
		var looks []time.Duration
		statuses := serveStatuses(t, path, &looks, "pending", "approved")
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			resp, err := statuses(req)
			<-time.After(time.Minute) // passes at once: the bubble has its own time
			return resp, err
		}))
		_, err := wait(client, t.Context(), qredo.WithPollInterval(time.Second))
		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, 61 * time.Second}, looks)
	})
}

func TestWaitForOneThatFails(t *testing.T) {
	for _, status := range []qredo.TxStatus{
		qredo.TxExpired, qredo.TxInitiateRejected, qredo.TxCustodyRejected, qredo.TxChainRejected, qredo.TxRejected,
	} {
		eachWaiter(t, func(t *testing.T, path string, wait waiter) {
			var looks []time.Duration
			client := clienttest.NewClient(t, serveStatuses(t, path, &looks, "pending", string(status)))
			got, err := wait(client, t.Context())
			require.Nil(t, got)
			var failed *qredo.TxError
			require.ErrorAs(t, err, &failed)
			require.Equal(t, &qredo.TxError{TxID: "t1", Status: status}, failed)
			require.ErrorContains(t, err, "t1")
			require.ErrorContains(t, err, string(status))
			require.Len(t, looks, 2)
		})
	}
}

// A status that this package does not know is not an end: it waits on.
func TestWaitThroughUnknownStatus(t *testing.T) {
	eachWaiter(t, func(t *testing.T, path string, wait waiter) {
		var looks []time.Duration
		client := clienttest.NewClient(t, serveStatuses(t, path, &looks, "on_hold", "", "taker_pending", "approved_transfer"))
		got, err := wait(client, t.Context())
		require.NoError(t, err)
		require.Equal(t, qredo.TxApproved, got.Status)
		require.Len(t, looks, 4)
	})
}

func TestWaitUntilContextEnds(t *testing.T) {
	eachWaiter(t, func(t *testing.T, path string, wait waiter) {
		var looks []time.Duration
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		client := clienttest.NewClient(t, serveStatuses(t, path, &looks, "pending"))
		got, err := wait(client, ctx)
		require.Nil(t, got)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "t1 is still pending")
		require.Equal(t, 5*time.Second, time.Since(start), "the end of the context is not waited out")
		require.Len(t, looks, 3)
	})
}

func TestWaitCancelledDuringALook(t *testing.T) {
	eachWaiter(t, func(t *testing.T, _ string, wait waiter) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			cancel()
			<-req.Context().Done()
			return nil, req.Context().Err()
		}))
		_, err := wait(client, ctx)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// A failure to look ends the wait and says nothing about the transaction.
func TestWaitWhenALookFails(t *testing.T) {
	eachWaiter(t, func(t *testing.T, _ string, wait waiter) {
		var looks atomic.Int32
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
			looks.Add(1)
			return clienttest.Answer(req, http.StatusNotFound, `{"code":404,"msg":"no"}`), nil
		}))
		_, err := wait(client, t.Context())
		require.ErrorIs(t, err, qredo.ErrNotFound)
		var failed *qredo.TxError
		require.NotErrorAs(t, err, &failed)
		require.EqualValues(t, 1, looks.Load())
	})
}

func TestWaitRefusesBadIntervals(t *testing.T) {
	eachWaiter(t, func(t *testing.T, _ string, wait waiter) {
		client := clienttest.NewClient(t, clienttest.RefuseAll(t))
		for _, interval := range []time.Duration{0, -time.Second} {
			_, err := wait(client, t.Context(), qredo.WithPollInterval(interval))
			clienttest.RequireInvalid(t, err, "poll interval")
		}
	})
}

// What a request is answered is whole as JSON: a program that keeps it has the key to ask again with.
func TestSubmissionAsJSON(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"tx_id":"t","status":"new","tx_url":"u","partner_txID":"of something else"}`))
	swap := clienttest.GoodSwap()
	swap.PartnerTxID = "order-1"
	made, err := client.Swaps.Make(t.Context(), clienttest.CompanyID, swap)
	require.NoError(t, err)
	want := qredo.SwapSubmission{Submission: qredo.Submission{TxID: "t", Status: qredo.SubmissionNew, PartnerTxID: "order-1"}, URL: "u"}
	require.Equal(t, want, *made)
	data, err := json.Marshal(made)
	require.NoError(t, err)
	require.JSONEq(t, `{"tx_id":"t","status":"new","partner_txID":"order-1","tx_url":"u"}`, string(data))
	for name, read := range map[string]func([]byte, any) error{"encoding/json": json.Unmarshal, "Unmarshal": qredo.Unmarshal} {
		var back qredo.SwapSubmission
		require.NoError(t, read(data, &back), name)
		require.Equal(t, want, back, name)
	}
	unnamed, err := client.Swaps.Make(t.Context(), clienttest.CompanyID, clienttest.GoodSwap(), qredo.WithoutPartnerTxID())
	require.NoError(t, err)
	require.Empty(t, unnamed.PartnerTxID, "it is what was sent, not what the answer says")
}
