package faulttest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/faultproxy"
)

// reading is a read of one of two things, which returns the ID of what it got.
type reading struct {
	name string
	of   func(ctx context.Context, w *clienttest.World, client *qredo.Client, things [2]string, which int, call qredo.CallOption) (id string, err error)
}

// TestReadsThroughProxy reads one of two things each time, while a half of what passes the proxy goes wrong: also by answers to
// earlier requests of the same kind, which only what stands in them tells from the right ones.
func TestReadsThroughProxy(t *testing.T) {
	for name, config := range protocols {
		t.Run(name, func(t *testing.T) {
			config.Seed, config.Plan = *chance, faultproxy.Mix(*chance, 0.5, append(honest(), faultproxy.Stale(true, faultproxy.Never), faultproxy.Stale(true, faultproxy.Before), faultproxy.UnaskedStale)...)
			p := openProxied(t, config)
			readings, things := readingsOf(t, p.world)
			var mu sync.Mutex
			counts := map[string]int{}
			each(size(20_000, 250), func(n int) {
				kind, which := n%len(readings), n/len(readings)%2
				call := fmt.Sprintf("%s %d", readings[kind].name, n)
				ctx, cancel := context.WithTimeout(t.Context(), callTime)
				defer cancel()
				id, err := readings[kind].of(ctx, p.world, p.client.Client, things[kind], which, qredo.WithHeader(callHeader, call))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					counts["error"]++
				case id == things[kind][which]:
					counts["right"]++
				default:
					counts["wrong"]++
					p.Settle()
					t.Errorf("%s gave %q, not %q: %v", call, id, things[kind][which], p.judge(call, "", nil))
				}
			})
			t.Log(counts)
		})
	}
}

// readingsOf makes two things of each kind.
func readingsOf(t *testing.T, w *clienttest.World) (list []reading, things [][2]string) {
	t.Helper()
	ctx := t.Context()
	other, err := w.Client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Other"})
	require.NoError(t, err)
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(w.Robot.ID)}}
	fund, err := w.Client.Funds.Create(ctx, w.Company, qredo.FundRequest{
		Name: "Other", CustodyGroupTx: group, CustodyGroupWithdraw: group, Wallets: []qredo.WalletRequest{{Name: "only", Asset: "BTC"}},
	})
	require.NoError(t, err)
	one, two := w.Send(t, 1000), w.Send(t, 2000)
	list = []reading{
		{"Wallets.Get", func(ctx context.Context, _ *clienttest.World, c *qredo.Client, things [2]string, which int, call qredo.CallOption) (string, error) {
			got, err := c.Wallets.Get(ctx, qredo.WalletID(things[which]), call)
			return idOf(err, func() string { return string(got.ID) }), err
		}},
		{"Companies.Get", func(ctx context.Context, _ *clienttest.World, c *qredo.Client, things [2]string, which int, call qredo.CallOption) (string, error) {
			got, err := c.Companies.Get(ctx, qredo.CompanyID(things[which]), call)
			return idOf(err, func() string { return string(got.ID) }), err
		}},
		{"Funds.Get", func(ctx context.Context, w *clienttest.World, c *qredo.Client, things [2]string, which int, call qredo.CallOption) (string, error) {
			got, err := c.Funds.Get(ctx, w.Company, qredo.FundID(things[which]), call)
			return idOf(err, func() string { return string(got.ID) }), err
		}},
		{"Transfers.Get", func(ctx context.Context, w *clienttest.World, c *qredo.Client, things [2]string, which int, call qredo.CallOption) (string, error) {
			got, err := c.Transfers.Get(ctx, w.Company, qredo.TxID(things[which]), call)
			return idOf(err, func() string { return string(got.ID) }), err
		}},
		{"CoreClients.GetAction", func(ctx context.Context, w *clienttest.World, c *qredo.Client, things [2]string, which int, call qredo.CallOption) (string, error) {
			got, err := c.CoreClients.GetAction(ctx, w.Robot.ID, qredo.ActionID(things[which]), call)
			return idOf(err, func() string { return string(got.ID) }), err
		}},
	}
	things = [][2]string{
		{string(w.BTC), string(w.OtherBTC)}, {string(w.Company), string(other.ID)}, {string(w.Fund), string(fund.ID)}, {string(one), string(two)},
		{string(w.ActionOf(t, one)), string(w.ActionOf(t, two))},
	}
	assert.Len(t, things, len(list))
	return list, things
}

func idOf(err error, id func() string) string {
	if err != nil {
		return ""
	}
	return id()
}
