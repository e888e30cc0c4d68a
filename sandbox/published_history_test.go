package sandbox_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// The published figures of ledgers, histories and feeds, through the client and as they are on the wire: 2800 sent
// cost 3, and 100000000 at half a basis point 5000; what arrives costs nothing.
func TestPublishedFiguresOfLedgersAndHistories(t *testing.T) {
	for name, test := range map[string]struct {
		millionths      uint32
		net, fee, gross qredo.Amount
	}{
		"history": {50, 100_000_000, 5000, 100_005_000},
		"ledger":  {1000, 2800, 3, 2803},
		"small":   {1000, 800, 1, 801},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.WithFees(sandbox.FeeRate(test.millionths)))
			srv := httptest.NewServer(w.Sandbox)
			defer srv.Close()
			client, err := qredo.NewClient(w.Auth(), qredo.WithBaseURL(srv.URL+basePath), qredo.WithClock(w.clock.Now))
			require.NoError(t, err)
			w.credit(w.treasury, 1_000_000_000)
			w.clock.forward(time.Minute)
			tx := w.transfer(object{"send": object{"symbol": btc, "amount": int64(test.net)}}).ok().at("tx_id")
			require.NoError(t, w.Approve(alice, tx))

			out := w.get("/wallet/" + w.treasury + "/history").ok()
			in := w.get("/wallet/" + w.trading + "/history").ok()
			figures := func(a answer, at string) []qredo.Amount {
				return []qredo.Amount{qredo.Amount(a.number(at + "amount")), qredo.Amount(a.number(at + "net_amount")), qredo.Amount(a.number(at + "fee"))}
			}
			assert.Equal(t, []qredo.Amount{-test.gross, -test.net, -test.fee}, figures(out, "history.1."))
			assert.Equal(t, []qredo.Amount{test.net, test.net, 0}, figures(in, "history.0."))
			ledger := w.get(w.inFund("/ledger?direction=out")).ok()
			assert.Equal(t, []int64{int64(test.gross), int64(test.net), int64(test.fee)},
				[]int64{ledger.number("List.0.amount"), ledger.number("List.0.netAmount"), ledger.number("List.0.fees")})

			histories := func(wallet string) []qredo.HistoryEntry {
				entries, err := client.Wallets.ListHistory(t.Context(), qredo.WalletID(wallet), qredo.HistoryOptions{})
				require.NoError(t, err)
				return entries
			}
			sent, came := histories(w.treasury)[1], histories(w.trading)[0]
			assert.Equal(t, []qredo.Amount{-test.gross, -test.net, -test.fee}, []qredo.Amount{sent.Amount, sent.NetAmount, sent.Fees})
			assert.Equal(t, []qredo.Amount{test.net, test.net, 0}, []qredo.Amount{came.Amount, came.NetAmount, came.Fees})
			page, err := client.Funds.ListLedger(t.Context(), qredo.CompanyID(w.company), qredo.FundID(w.fund), qredo.LedgerOptions{})
			require.NoError(t, err)
			require.Equal(t, []qredo.EntryType{qredo.EntryTransferIn, qredo.EntryTransferOut, qredo.EntryDeposit},
				[]qredo.EntryType{page.Entries[0].Type, page.Entries[1].Type, page.Entries[2].Type})
			for i, want := range [][]qredo.Amount{{test.net, test.net, 0}, {test.gross, test.net, test.fee}, {1_000_000_000, 1_000_000_000, 0}} {
				e := page.Entries[i]
				assert.Equal(t, want, []qredo.Amount{e.Amount, e.NetAmount, e.Fees}, e.Type)
			}
		})
	}
}
