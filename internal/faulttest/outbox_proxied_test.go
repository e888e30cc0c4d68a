package faulttest

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/faultproxy"
	"github.com/qredo-go/qredo/outbox"
)

// TestOutboxThroughProxy has an outbox make payments while a fifth of what passes the proxy fails, each attempt without
// retries, so that all the work is the outbox's. Every payment is made once, except for those that the service itself
// refused, which are not made.
func TestOutboxThroughProxy(t *testing.T) {
	for name, config := range protocols {
		t.Run(name, func(t *testing.T) {
			config.Seed, config.Plan = *chance, faultproxy.Mix(*chance, 0.2, honest()...)
			p := openProxied(t, config)
			total := fundWorld(t, p.world)
			once := hurry
			once.MaxAttempts = 1
			client := throughProxy(t, p.Proxy, p.world.Srv, p.world.Srv.Auth(), qredo.WithRetry(once))
			store, err := outbox.OpenStore(filepath.Join(t.TempDir(), "outbox.db"))
			require.NoError(t, err)
			defer func() { require.NoError(t, store.Close()) }()
			box, err := outbox.New(client.Client, store, outbox.WithPollInterval(5*time.Millisecond),
				outbox.WithBackoff(time.Millisecond, 10*time.Millisecond), outbox.WithConcurrency(8))
			require.NoError(t, err)
			ctx, stop := context.WithCancel(t.Context())
			var worker sync.WaitGroup
			worker.Go(func() { assert.NoError(t, box.Run(ctx)) })

			list := make([]proxiedPayment, size(5_000, 40))
			for i := range list {
				list[i] = proxiedPayment{name: "outbox", n: i, kind: kindsOfPayment[i%2]}
			}
			each(len(list), func(n int) {
				key := string(list[n].key())
				var req outbox.Request = outbox.Transfer{CompanyID: p.world.Company, TransferRequest: p.world.Transfer(amountOf(n))}
				if list[n].kind == "withdrawal" {
					req = outbox.Withdrawal{CompanyID: p.world.Company, WithdrawalRequest: p.world.Withdrawal(amountOf(n))}
				}
				if _, err := box.Enqueue(ctx, key, req); !assert.NoError(t, err) {
					return
				}
				await(ctx, t, box, key, func(e outbox.Entry) bool {
					list[n].tx = e.TxID
					if e.State.Ended() && e.TxID == "" && (e.State != outbox.StateFailed || !strings.Contains(e.Reason, "errGateway")) {
						t.Errorf("%s ended as %s: %s", key, e.State, e.Reason)
					}
					return e.TxID != "" || e.State.Ended()
				})
			})
			stop()
			worker.Wait()
			p.Settle()
			made := slices.DeleteFunc(list, func(p proxiedPayment) bool { return p.tx == "" })
			t.Logf("%d payments were made, %d refused, with %d requests", len(made), len(list)-len(made), len(p.Records()))
			checkPaid(t, p.world, made, total)
		})
	}
}
