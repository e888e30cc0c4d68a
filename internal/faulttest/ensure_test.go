package faulttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

const soon = time.Millisecond

// group is a custody group of the world's robot.
func group(w *clienttest.World) *qredo.CustodyGroup {
	return &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(w.Robot.ID)}}
}

// ensurers make one thing each, and return its ID.
var ensurers = map[string]func(context.Context, *clienttest.World, *qredo.Client, ...qredo.CallOption) (id string, made bool, err error){
	"POST /company": func(ctx context.Context, _ *clienttest.World, c *qredo.Client, opts ...qredo.CallOption) (string, bool, error) {
		is, made, err := c.Companies.Ensure(ctx, qredo.CompanyRequest{Name: "New", Ref: "new-1", City: "Paris"}, opts...)
		return idIf(is, func() string { return string(is.ID) }), made, err
	},
	"POST /company/{company_id}/fund": func(ctx context.Context, w *clienttest.World, c *qredo.Client, opts ...qredo.CallOption) (string, bool, error) {
		is, made, err := c.Funds.Ensure(ctx, w.Company, qredo.FundRequest{
			Name: "New", CustodyGroupTx: group(w), Wallets: []qredo.WalletRequest{{Asset: "BTC"}, {Asset: "ETH", Name: "Ether"}},
		}, opts...)
		return idIf(is, func() string { return string(is.ID) }), made, err
	},
	"POST /company/{company_id}/fund/{fund_id}/wallet": func(ctx context.Context, w *clienttest.World, c *qredo.Client, opts ...qredo.CallOption) (string, bool, error) {
		is, made, err := c.Wallets.Ensure(ctx, w.Company, w.Fund, qredo.WalletRequest{Name: "New", Asset: "BTC", CustodyGroupWithdraw: group(w)}, opts...)
		return idIf(is, func() string { return string(is.ID) }), made, err
	},
	"POST /coreclient": func(ctx context.Context, _ *clienttest.World, c *qredo.Client, opts ...qredo.CallOption) (string, bool, error) {
		is, made, err := c.CoreClients.Ensure(ctx, "New", opts...)
		return idIf(is, func() string { return string(is.ID) }), made, err
	},
	"POST /company/{company_id}/trustedparty": func(ctx context.Context, w *clienttest.World, c *qredo.Client, opts ...qredo.CallOption) (string, bool, error) {
		other, err := w.Client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Trusted", Domain: "trusted.example"})
		if err != nil {
			return "", false, err
		}
		is, made, err := c.TrustedNetwork.Ensure(ctx, w.Company, qredo.TrustedPartyRequest{Address: "Trusted.example"}, opts...)
		return idIf(is, func() string { return string(other.ID) }), made, err
	},
	"POST /company/{company_id}/fund/{fund_id}/whitelist": func(ctx context.Context, w *clienttest.World, c *qredo.Client, opts ...qredo.CallOption) (string, bool, error) {
		is, added, err := c.Funds.EnsureWhitelisted(ctx, w.Company, w.Fund, qredo.WhitelistEntry{Asset: "ETH", Address: "0x52908400098527886E0F7030069857D2E4169EE7", Name: "bank"}, opts...)
		return idIf(is, func() string { return is.Address }), added, err
	},
}

func idIf[T any](is *T, id func() string) string {
	if is == nil {
		return ""
	}
	return id()
}

// posts counts what would make something.
func posts(next func(*http.Request, http.RoundTripper) (*http.Response, error)) (*atomic.Int32, func(*http.Request, http.RoundTripper) (*http.Response, error)) {
	count := new(atomic.Int32)
	return count, func(req *http.Request, transport http.RoundTripper) (*http.Response, error) {
		if req.Method != http.MethodPost {
			return transport.RoundTrip(req)
		}
		count.Add(1)
		return next(req, transport)
	}
}

func deliver(req *http.Request, next http.RoundTripper) (*http.Response, error) {
	return next.RoundTrip(req)
}

func TestEnsureMakesOnce(t *testing.T) {
	w := clienttest.NewWorld(t)
	for operation, ensure := range ensurers {
		t.Run(operation, func(t *testing.T) {
			count, through := posts(deliver) //nolint:bodyclose // a function: nothing is open yet
			first, made, err := ensure(t.Context(), w, w.Through(through))
			require.NoError(t, err)
			assert.True(t, made)
			require.NotEmpty(t, first)
			second, made, err := ensure(t.Context(), w, w.Through(through))
			require.NoError(t, err)
			assert.False(t, made)
			assert.Equal(t, first == second, operation != "POST /company/{company_id}/trustedparty", "another company with the domain is trusted already")
			assert.Equal(t, int32(1), count.Load())
		})
	}
}

// What is lost on the way is looked for, and not made again.
func TestEnsureWithoutAnswer(t *testing.T) {
	w := clienttest.NewWorld(t)
	for operation, ensure := range ensurers {
		t.Run(operation, func(t *testing.T) {
			count, through := posts(clienttest.LoseRequest) //nolint:bodyclose // a function: nothing is open yet
			id, made, err := ensure(t.Context(), w, w.Through(through), qredo.WithPollInterval(soon))
			require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
			require.ErrorContains(t, err, "looked for 4 times")
			assert.False(t, made)
			assert.Empty(t, id)
			assert.Equal(t, int32(1), count.Load())

			count, through = posts(clienttest.LoseAnswer) //nolint:bodyclose // a function: nothing is open yet
			id, made, err = ensure(t.Context(), w, w.Through(through), qredo.WithPollInterval(soon))
			require.NoError(t, err)
			assert.True(t, made)
			assert.NotEmpty(t, id)
			assert.Equal(t, int32(1), count.Load())
		})
	}
}

// A search that knows of new things late does not make Ensure make a second one.
func TestEnsureFoundLate(t *testing.T) {
	w := clienttest.NewWorld(t)
	var after atomic.Int32
	client := w.Through(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if req.Method == http.MethodPost {
			after.Store(1)
			return clienttest.LoseAnswer(req, next)
		}
		if n := after.Load(); n > 0 && n < 4 && strings.HasSuffix(req.URL.Path, "/search") {
			after.Add(1)
			return clienttest.Answer(req, http.StatusOK, `{"total_count":0,"matches":[]}`), nil
		}
		return next.RoundTrip(req)
	})
	_, made, err := client.Companies.Ensure(t.Context(), qredo.CompanyRequest{Name: "Late"}, qredo.WithPollInterval(soon))
	require.NoError(t, err)
	assert.True(t, made)
	requireCompanies(t, w, "Late", 1)
}

func requireCompanies(t *testing.T, w *clienttest.World, name string, want int) {
	t.Helper()
	found, err := w.Client.Companies.Search(t.Context(), name)
	require.NoError(t, err)
	require.Len(t, found, want)
}

func TestEnsureTakesTurns(t *testing.T) {
	w := clienttest.NewWorld(t)
	for operation, ensure := range ensurers {
		if operation == "POST /company/{company_id}/trustedparty" {
			continue // each call of it makes a company to be trusted
		}
		t.Run(operation, func(t *testing.T) {
			count, through := posts(deliver) //nolint:bodyclose // a function: nothing is open yet
			var makers, failures atomic.Int32
			var all sync.WaitGroup
			for range 8 {
				client := w.Through(through)
				all.Go(func() {
					switch _, made, err := ensure(t.Context(), w, client); {
					case err != nil:
						failures.Add(1)
					case made:
						makers.Add(1)
					}
				})
			}
			all.Wait()
			assert.Equal(t, []int32{0, 1, 1}, []int32{failures.Load(), makers.Load(), count.Load()}, "failed, made, sent")
		})
	}
}

// A caller who gives up while something is being made, and tries again, finds it.
func TestEnsureLeftWhileMaking(t *testing.T) {
	w := clienttest.NewWorld(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	count, through := posts(func(req *http.Request, next http.RoundTripper) (*http.Response, error) { //nolint:bodyclose // a function: nothing is open yet
		close(arrived)
		<-goOn
		return next.RoundTrip(req)
	})
	client := w.Through(through)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	var seen qredo.Response
	_, _, err := client.Companies.Ensure(ctx, qredo.CompanyRequest{Name: "Left"}, qredo.WithResponse(&seen))
	require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
	require.ErrorIs(t, err, context.Canceled)
	seen = qredo.Response{} // it is the caller's again: the race detector looks on

	impatient, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	_, _, err = client.Companies.Ensure(impatient, qredo.CompanyRequest{Name: "Left"})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)

	close(goOn)
	_, made, err := client.Companies.Ensure(t.Context(), qredo.CompanyRequest{Name: "Left"})
	require.NoError(t, err)
	assert.False(t, made)
	assert.Equal(t, int32(1), count.Load())
	assert.Zero(t, seen)
}

// Two programs that look at the same moment both make one: the error says so, and names both.
func TestEnsureMadeElsewhere(t *testing.T) {
	w := clienttest.NewWorld(t)
	req := qredo.CompanyRequest{Name: "Both"}
	client := w.Through(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodPost {
			if _, err := w.Client.Companies.Create(r.Context(), req); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(r)
	})
	_, made, err := client.Companies.Ensure(t.Context(), req)
	var twice *qredo.DuplicateError
	require.ErrorAs(t, err, &twice)
	assert.True(t, made)
	assert.Len(t, twice.IDs, 2)
	assert.Contains(t, twice.IDs, twice.Made)
	for _, id := range twice.IDs {
		require.ErrorContains(t, err, id)
	}

	_, made, err = w.Client.Companies.Ensure(t.Context(), req)
	require.ErrorAs(t, err, &twice)
	assert.False(t, made)
	assert.Empty(t, twice.Made)
	requireCompanies(t, w, "Both", 2)
}

// So does what delivers a request twice.
func TestEnsureDeliveredTwice(t *testing.T) {
	w := clienttest.NewWorld(t)
	client := w.Through(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodPost {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			again := r.Clone(r.Context())
			again.Body, r.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
			if _, err := clienttest.LoseAnswer(again, next); !errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, err
			}
		}
		return next.RoundTrip(r)
	})
	_, _, err := client.CoreClients.Ensure(t.Context(), "Twice")
	var twice *qredo.DuplicateError
	require.ErrorAs(t, err, &twice)
}

// A caller whose 409 says that another was first gets what the other made.
func TestEnsureConflict(t *testing.T) {
	w := clienttest.NewWorld(t, sandbox.WithStrictChecks())
	req := qredo.WalletRequest{Name: "Second", Asset: "BTC"}
	client := w.Through(func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		if r.Method == http.MethodPost {
			if _, err := w.Client.Funds.AddWallets(r.Context(), w.Company, w.Fund, []qredo.WalletRequest{req}); err != nil {
				return nil, err
			}
		}
		return next.RoundTrip(r)
	})
	wallet, made, err := client.Wallets.Ensure(t.Context(), w.Company, w.Fund, req)
	require.NoError(t, err)
	assert.False(t, made)
	assert.Equal(t, "Second", wallet.Name)
}
