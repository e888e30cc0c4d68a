package scenario_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// A hub with more quotes than an answer may have is followed all the same.
func TestHubFeedOfALongList(t *testing.T) {
	const quotes = 2000
	listed := make([]string, quotes)
	for n := range listed {
		listed[n] = fmt.Sprintf(`{"tx_id":"quote%d","send_asset":"BTC","send_amount":1,"receive_asset":"ETH","receive_amount":2}`, n)
	}
	client := clienttest.ServePipes(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/liquidityhub" {
			fmt.Fprintf(w, `{"items":[%s]}`, strings.Join(listed, ","))
		} else if ws, err := clienttest.AcceptWebSocket(w, req, nil); err == nil {
			<-ws.CloseRead(req.Context()).Done()
		}
	}), qredo.WithMaxResponse(50_000))
	_, err := client.Swaps.ListHubAll(t.Context())
	require.ErrorIs(t, err, qredo.ErrBadAnswer)
	f := clienttest.Follow(t, client.Swaps.Feed, qredo.WithKnown("quote5:taker_pending", "gone:taker_pending"))
	f.Reaches(t, qredo.FeedCaughtUp)
	require.Len(t, f.Events, quotes)
	require.Equal(t, "quote0:taker_pending", f.Next(t).Key())
	for range quotes - 2 {
		require.Equal(t, qredo.TxTakerPending, f.Next(t).Status)
	}
	require.Equal(t, "gone:unlisted", f.Next(t).Key())
	f.RequireQuiet(t)
}

// Of a list of wallets that is longer than an answer may be, those that are connected are read.
func TestALongListOfWallets(t *testing.T) {
	list := func(n int) string {
		status := []string{"expired", "rejected", "pending"}[n%3]
		if n%100 == 0 {
			status = "approved"
		}
		return fmt.Sprintf(`{"wallet_id":"w%d","action_id":"a","status":"%s"}`, n, status)
	}
	elements := make([]string, 3000)
	for n := range elements {
		elements[n] = list(n)
	}
	client := clienttest.NewQuickClient(t, clienttest.AnswerWith(200, `{"wallets":[`+strings.Join(elements, ",")+`]}`), qredo.WithMaxResponse(50_000))
	wallets, err := client.CoreClients.ListWallets(t.Context(), "c")
	require.NoError(t, err)
	require.Len(t, wallets, 30)
	require.Equal(t, qredo.WalletID("w100"), wallets[1].WalletID)
}
