package faulttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
)

// lossy loses half of what makes something, or its answer, and a fifth of all the rest.
func lossy() (rules []sandbox.FaultRule) {
	for operation := range ensurers {
		for _, kind := range []sandbox.FaultKind{
			sandbox.FaultDropRequest, sandbox.FaultDropAnswer, sandbox.FaultCutBody, sandbox.FaultErrorHandled, sandbox.FaultHTML, sandbox.FaultNoTxID,
		} {
			rules = append(rules, sandbox.FaultRule{Kind: kind, Operation: operation, Rate: 0.11})
		}
	}
	return append(rules, everyFault()...)
}

// Whatever is lost, and whenever a caller gives up, the thing exists exactly once.
func TestEnsureOften(t *testing.T) {
	runs := size(1000, 200)
	w := clienttest.NewWorld(t)
	ctx, random := t.Context(), rand.New(rand.NewPCG(1, 1))
	client := w.Srv.Client(qredo.WithRetry(qredo.RetryPolicy{MinBackoff: soon, MaxBackoff: soon, MaxRetryAfter: soon, Budget: 1 << 30}))
	require.NoError(t, w.Srv.SetFaults(1, lossy()...))
	unknown, left := 0, 0
	for run := range runs {
		name := fmt.Sprintf("thing %d.", run)
		kinds := []func(context.Context) error{
			func(ctx context.Context) error {
				_, _, err := client.Companies.Ensure(ctx, qredo.CompanyRequest{Name: name, Domain: strings.Replace(name, "thing ", "d", 1) + "example"}, qredo.WithPollInterval(soon))
				return err
			},
			func(ctx context.Context) error {
				_, _, err := client.Funds.Ensure(ctx, w.Company, qredo.FundRequest{Name: name, Wallets: []qredo.WalletRequest{{Asset: "BTC"}, {Asset: "ETH", Name: "b"}}}, qredo.WithPollInterval(soon))
				return err
			},
			func(ctx context.Context) error {
				_, _, err := client.Wallets.Ensure(ctx, w.Company, w.Fund, qredo.WalletRequest{Asset: "BTC", Name: name}, qredo.WithPollInterval(soon))
				return err
			},
			func(ctx context.Context) error {
				_, _, err := client.CoreClients.Ensure(ctx, name, qredo.WithPollInterval(soon))
				return err
			},
			func(ctx context.Context) error {
				_, _, err := client.Funds.EnsureWhitelisted(ctx, w.Company, w.Fund, qredo.WhitelistEntry{Asset: "BTC", Address: name}, qredo.WithPollInterval(soon))
				return err
			},
		}
		ensure := kinds[run%len(kinds)]
		for tries := 1; ; tries++ {
			require.Less(t, tries, 100, name)
			ctx, cancel := ctx, context.CancelFunc(func() {})
			if random.IntN(4) == 0 {
				ctx, cancel = context.WithTimeout(ctx, time.Duration(random.IntN(10_000))*time.Microsecond)
			}
			err := ensure(ctx)
			cancel()
			var twice *qredo.DuplicateError
			require.NotErrorAs(t, err, &twice)
			if errors.Is(err, qredo.ErrOutcomeUnknown) {
				unknown++
			}
			if errors.Is(err, context.DeadlineExceeded) {
				left++
			}
			if err == nil {
				break
			}
		}
	}
	require.NoError(t, w.Srv.SetFaults(0))
	t.Logf("%d runs, %d calls ended with an unknown outcome, %d were left", runs, unknown, left)
	assert.Greater(t, unknown, runs/20)
	assert.Greater(t, left, runs/20)

	there := map[string]int{} // by kind and name
	companies, err := w.Client.Companies.List(ctx)
	require.NoError(t, err)
	for _, c := range companies {
		there["company "+c.Name]++
	}
	funds, err := w.Client.Funds.List(ctx, w.Company)
	require.NoError(t, err)
	for _, f := range funds {
		there["fund "+f.Name]++
		fund, err := w.Client.Funds.Get(ctx, w.Company, f.ID)
		require.NoError(t, err)
		for _, wallet := range fund.Wallets {
			there["fund "+f.Name+", wallet "+wallet.Name]++
		}
	}
	clients, err := w.Client.CoreClients.List(ctx)
	require.NoError(t, err)
	for _, c := range clients {
		there["core client "+c.Name]++
	}
	entries, err := w.Client.Funds.ListWhitelist(ctx, w.Company, w.Fund, qredo.WhitelistOptions{})
	require.NoError(t, err)
	for _, e := range entries {
		there["whitelist "+e.Address]++
	}
	things := 0
	for name, n := range there {
		assert.Equal(t, 1, n, name)
		if strings.Contains(name, "thing ") {
			things++
		}
	}
	assert.Equal(t, runs+2*(runs/5), things, "a fund in five has two wallets")
}
