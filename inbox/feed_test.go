package inbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/inbox"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// What the wallets feed reports is handed over soon, however long the pauses are.
func TestTheFeedTellsWhenToLook(t *testing.T) {
	w := clienttest.NewWorld(t)
	for name, source := range map[string]inbox.Option{"ledger": inbox.WithFunds(w.Company, w.Fund), "history": inbox.WithWallets(w.Dedicated)} {
		mine, caughtUp := newBooks(), make(chan struct{}, 1)
		in, _ := open(t, w.Client, file(t), source, inbox.From(w.Srv.Now().Add(time.Minute)), inbox.WithPolling(time.Hour, time.Hour),
			inbox.WithFeed(qredo.WithFeedState(func(s qredo.FeedState) {
				if s.Status == qredo.FeedCaughtUp {
					caughtUp <- struct{}{}
				}
			})))
		stop := run(t, in, mine.take)
		<-caughtUp
		require.NoError(t, w.Srv.Advance(2*time.Minute))
		for n := range 2 {
			w.Deposit(t, w.Dedicated, 7)
			got := mine.wait(t, n+1)
			assert.Equal(t, w.Dedicated, got[n].Wallet, name)
		}
		stop()
	}
}
