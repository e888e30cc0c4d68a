package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/faultproxy"
	"github.com/qredo-go/qredo/qapi"
)

// operation is a write without a key, or a vote. prepare makes what it needs, bypassing the proxy, and returns the call.
type operation struct {
	name    string
	prepare func(t *testing.T, w *clienttest.World, n int) call
}

// call makes a call, with an option that names it.
type call func(ctx context.Context, c clients, named qredo.CallOption) error

// writes are the calls that change something, except for transactions and votes.
var writes = []operation{
	{"Companies.Create", func(_ *testing.T, _ *clienttest.World, n int) call {
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			_, err := c.Companies.Create(ctx, qredo.CompanyRequest{Name: nameOf(n)}, named)
			return err
		}
	}},
	{"CoreClients.Create", func(_ *testing.T, _ *clienttest.World, n int) call {
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			_, err := c.CoreClients.Create(ctx, nameOf(n), named)
			return err
		}
	}},
	{"TrustedNetwork.Add", func(t *testing.T, w *clienttest.World, n int) call {
		company, err := w.Client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "trusts " + nameOf(n)})
		require.NoError(t, err)
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			return c.TrustedNetwork.Add(ctx, company.ID, qredo.TrustedPartyRequest{Address: string(w.Robot.ID)}, named)
		}
	}},
	{"Funds.AddToWhitelist", func(_ *testing.T, w *clienttest.World, n int) call {
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			return c.Funds.AddToWhitelist(ctx, w.Company, w.Fund, qredo.WhitelistEntry{Asset: "BTC", Address: nameOf(n)}, named)
		}
	}},
	{"Funds.AddWallets", func(_ *testing.T, w *clienttest.World, n int) call {
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			_, err := c.Funds.AddWallets(ctx, w.Company, w.Fund, []qredo.WalletRequest{{Name: nameOf(n), Asset: "BTC"}}, named)
			return err
		}
	}},
	{"Transfers.Create without a key", func(_ *testing.T, w *clienttest.World, n int) call {
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			_, err := c.Transfers.Create(ctx, w.Company, w.Transfer(amountOf(n)), named, qredo.WithoutPartnerTxID())
			return err
		}
	}},
	{"qapi Transactions.Create", func(t *testing.T, w *clienttest.World, n int) call {
		fund, err := w.Client.Funds.Get(t.Context(), w.Company, w.Fund)
		require.NoError(t, err)
		ether := fund.Wallets[slices.IndexFunc(fund.Wallets, func(w qredo.Wallet) bool { return w.Asset == "ETH" })]
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			_, err := c.qapi.Transactions.Create(ctx, qapi.TransactionRequest{
				From: ether.Address, To: ether.Address, Value: qapi.NewBigInt(int64(n)), GasLimit: qapi.NewBigInt(21_000), GasPrice: qapi.NewBigInt(1),
			}, named)
			return err
		}
	}},
	{"Swaps.Publish", func(t *testing.T, w *clienttest.World, _ int) call {
		req := w.Swap()
		req.AddToLiquidityHub = false
		quote, err := w.Client.Swaps.Make(t.Context(), w.Company, req)
		require.NoError(t, err)
		tx, err := w.Client.Swaps.GetMake(t.Context(), w.Company, quote.TxID)
		require.NoError(t, err)
		require.NoError(t, w.Client.CoreClients.Approve(t.Context(), w.Robot.ID, tx.Approvals[0].ActionID))
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			return c.Swaps.Publish(ctx, w.Company, quote.TxID, named)
		}
	}},
}

// votes are the decisions of a core client.
var votes = []operation{
	{"CoreClients.Approve", func(t *testing.T, w *clienttest.World, _ int) call {
		action := askedFor(t, w, w.Send(t, 1000))
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			return c.CoreClients.Approve(ctx, w.Robot.ID, action, named)
		}
	}},
	{"CoreClients.Reject", func(t *testing.T, w *clienttest.World, _ int) call {
		action := askedFor(t, w, w.Send(t, 1000))
		return func(ctx context.Context, c clients, named qredo.CallOption) error {
			return c.CoreClients.Reject(ctx, w.Robot.ID, action, named)
		}
	}},
}

// askedFor is the robot's action for a transfer. It is not searched for among all pending ones, because there may be
// many.
func askedFor(t *testing.T, w *clienttest.World, id qredo.TxID) qredo.ActionID {
	t.Helper()
	tx, err := w.Client.Transfers.Get(t.Context(), w.Company, id)
	require.NoError(t, err)
	require.Len(t, tx.Approvals, 1)
	return tx.Approvals[0].ActionID
}

// TestWritesThroughProxy makes calls without a key while a fifth of what passes the proxy goes wrong. A call must not say
// that nothing was done if something was, nor that it was done if it was not, and the client must not send again what may
// have been carried out.
func TestWritesThroughProxy(t *testing.T) { writeAndTally(t, writes, size(20_000, 250)) }

// The same with votes.
func TestVotesThroughProxy(t *testing.T) { writeAndTally(t, votes, size(10_000, 150)) }

func writeAndTally(t *testing.T, operations []operation, count int) {
	t.Helper()
	for name, config := range protocols {
		t.Run(name, func(t *testing.T) {
			config.Seed, config.Plan = *chance, faultproxy.Mix(*chance, 0.2, honest()...)
			p := openProxied(t, config)
			random := rand.New(rand.NewPCG(*chance, *chance))
			chosen := make([]operation, count)
			for i := range chosen {
				chosen[i] = operations[random.IntN(len(operations))]
			}
			verdicts := p.writeThrough(t, chosen)
			tally(t, verdicts)
			for _, v := range verdicts {
				if v.requests > 1 {
					t.Errorf("sent again though it was carried out: %v", v)
				}
			}
		})
	}
}

func (p *proxied) writeThrough(t *testing.T, chosen []operation) []verdict {
	t.Helper()
	errs := make([]error, len(chosen))
	name := func(n int) string { return fmt.Sprintf("%s %d", chosen[n].name, n) }
	each(len(chosen), func(n int) {
		do := chosen[n].prepare(t, p.world, n)
		ctx, cancel := context.WithTimeout(t.Context(), callTime)
		defer cancel()
		errs[n] = do(ctx, p.client, qredo.WithHeader(callHeader, name(n)))
		if n%5 == 0 {
			_, _ = p.client.Wallets.Get(t.Context(), p.world.BTC) // so that stale answers are of many kinds
		}
	})
	p.Settle()
	verdicts := make([]verdict, len(chosen))
	for n := range chosen {
		verdicts[n] = p.judge(name(n), chosen[n].name, errs[n])
	}
	t.Logf("%d calls, %d requests", len(chosen), len(p.Records()))
	return verdicts
}

func nameOf(n int) string { return "call " + strconv.Itoa(n) }
