package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// inside is a sandbox without a network, which counts requests.
type inside struct {
	*sandbox.Sandbox
	requests atomic.Int64
}

func (s *inside) RoundTrip(req *http.Request) (*http.Response, error) {
	s.requests.Add(1)
	got := httptest.NewRequestWithContext(req.Context(), req.Method, req.URL.String(), req.Body)
	got.Header = req.Header
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, got)
	return answer.Result(), nil
}

// TestInboxAtRest counts the requests that 1,000 wallets in 10 funds need with the default pauses while nothing moves, and measures how
// long movements take to the handler. Time is that of a bubble: it does not depend on the machine.
func TestInboxAtRest(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		service, client, company, wallets := custodian(t, 10, 100)
		store, err := inbox.OpenStore(filepath.Join(t.TempDir(), "inbox.db"))
		require.NoError(t, err)
		in, err := inbox.New(client, store, inbox.FromStart(), inbox.WithCompany(company))
		require.NoError(t, err)
		handed := make(chan inbox.Movement, len(wallets))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- in.Run(ctx, func(_ context.Context, _ inbox.NoTx, m inbox.Movement) error { handed <- m; return nil })
		}()
		for range wallets {
			<-handed
		}

		<-time.After(10 * time.Minute)
		most, all := int64(0), service.requests.Load()
		const minutes = 60
		for range minutes {
			before := service.requests.Load()
			<-time.After(time.Minute)
			most = max(most, service.requests.Load()-before)
		}
		average := float64(service.requests.Load()-all) / minutes
		t.Logf("1,000 wallets in 10 funds at rest: %.1f requests a minute, at most %d", average, most)
		assert.LessOrEqual(t, average, 30.0)

		random := rand.New(rand.NewPCG(1, 1))
		measure := func(name string, pause func() time.Duration) {
			var delays []time.Duration
			for range 50 {
				<-time.After(pause())
				began := time.Now()
				_, err := service.Deposit(string(wallets[0]), 1)
				require.NoError(t, err)
				<-handed
				delays = append(delays, time.Since(began))
			}
			slices.Sort(delays)
			t.Logf("from a deposit to the handler, %s: half within %s, nearly all within %s, all within %s", name,
				delays[len(delays)/2].Round(100*time.Millisecond), delays[len(delays)*95/100].Round(100*time.Millisecond), delays[len(delays)-1].Round(100*time.Millisecond))
		}
		measure("after minutes of rest", func() time.Duration { return 2*time.Minute + time.Duration(random.Int64N(int64(time.Minute))) })
		measure("while movements come one after the other", func() time.Duration { return time.Duration(random.Int64N(int64(2 * time.Second))) })
		stop()
		require.NoError(t, <-ended)
		require.NoError(t, store.Close())
	})
}

// custodian is a company with funds of wallets that have got something.
func custodian(t *testing.T, funds, each int) (*inside, *qredo.Client, qredo.CompanyID, []qredo.WalletID) {
	t.Helper()
	ctx := t.Context()
	const apiKey = "custodian"
	box, err := sandbox.New(sandbox.WithKey(apiKey, &key.PublicKey))
	require.NoError(t, err)
	service := &inside{Sandbox: box}
	auth, err := qredo.NewRSAAuth(apiKey, key)
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL("http://127.0.0.1/api/v1/p"), qredo.WithHTTPClient(&http.Client{Transport: service}))
	require.NoError(t, err)
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Custodian"})
	require.NoError(t, err)
	robot, err := client.CoreClients.Create(ctx, "robot")
	require.NoError(t, err)
	require.NoError(t, client.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: string(robot.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(robot.ID)}}
	var wallets []qredo.WalletID
	for n := range funds {
		requests := make([]qredo.WalletRequest, each)
		for i := range requests {
			requests[i] = qredo.WalletRequest{Name: fmt.Sprint(i), Asset: asset}
		}
		made, err := client.Funds.Create(ctx, company.ID, qredo.FundRequest{Name: fmt.Sprint("Fund ", n), CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: requests})
		require.NoError(t, err)
		fund, err := client.Funds.Get(ctx, company.ID, made.ID)
		require.NoError(t, err)
		for _, w := range fund.Wallets {
			_, err := service.Deposit(w.Address, 1_000_000)
			require.NoError(t, err)
			wallets = append(wallets, w.ID)
		}
	}
	return service, client, company.ID, wallets
}
