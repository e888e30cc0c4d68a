package sandbox_test

import (
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// These tests have the figures that the service's documents publish, each over raw HTTP and through the client.

// client is a client of the Partner API, which signs what it sends.
func (s service) client() *qredo.Client {
	s.t.Helper()
	srv := httptest.NewServer(s.Sandbox)
	s.t.Cleanup(srv.Close)
	auth, err := qredo.NewRSAAuth(s.apiKey, ownKey())
	require.NoError(s.t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(srv.URL+basePath), qredo.WithClock(s.clock.Now))
	require.NoError(s.t, err)
	return client
}

func TestPublishedFees(t *testing.T) {
	s := newService(t)
	raw := s.post("/fees", object{"type": "transferOut", "asset": btc, "amount": 200_000}).ok()
	assert.Equal(t, []int64{200_000, 200_200, 200}, raw.numbers("netAmount", "amountToSend", "fees"))
	fees, err := s.client().Assets.GetFees(t.Context(), qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: btc, Amount: 200_000})
	require.NoError(t, err)
	assert.Equal(t, &qredo.Fees{NetAmount: 200_000, AmountToSend: 200_200, Fees: 200}, fees)
}

// numbers returns the whole numbers at paths.
func (a answer) numbers(paths ...string) []int64 {
	a.t.Helper()
	var all []int64
	for _, path := range paths {
		all = append(all, a.number(path))
	}
	return all
}

func TestPublishedTransferAndLedger(t *testing.T) {
	w := newWorld(t)
	client, company, fund := w.client(), qredo.CompanyID(w.company), qredo.FundID(w.fund)
	w.credit(w.treasury, 10_000)
	before := [3]int64{10_000, 0, 0} // treasury, trading, fees
	for _, published := range []struct{ net, fee int64 }{{800, 1}, {2800, 3}} {
		for _, way := range []string{"over HTTP", "through the client"} {
			var tx string
			if way == "over HTTP" {
				tx = w.transfer(object{"send": object{"symbol": btc, "amount": published.net}}).ok().at("tx_id")
			} else {
				sent, err := client.Transfers.Create(t.Context(), company, qredo.TransferRequest{
					WalletID: qredo.WalletID(w.treasury), Counterparty: w.trading, Expires: qredo.Unix(w.in(time.Hour)),
					Send: qredo.AssetAmount{Asset: btc, Amount: qredo.Amount(published.net)},
				})
				require.NoError(t, err)
				tx = string(sent.TxID)
			}
			require.NoError(t, w.Approve(alice, tx))

			gross := published.net + published.fee
			raw := w.get(w.inCompany("/transfer/" + tx)).ok()
			assert.Equal(t, []int64{gross, published.fee, published.net},
				raw.numbers("statusDetails.amount", "statusDetails.fees", "statusDetails.netAmount"), way)
			got, err := client.Transfers.Get(t.Context(), company, qredo.TxID(tx))
			require.NoError(t, err)
			assert.Equal(t, []qredo.Amount{qredo.Amount(gross), qredo.Amount(published.fee), qredo.Amount(published.net)},
				[]qredo.Amount{got.Details.Amount, got.Details.Fees, got.Details.NetAmount}, way)

			totals, err := w.State()
			require.NoError(t, err)
			after := [3]int64{w.balance(w.treasury), w.balance(w.trading), int64(totals.Totals[btc].Fees)}
			assert.Equal(t, [3]int64{before[0] - gross, before[1] + published.net, before[2] + published.fee}, after, way)
			before = after

			ledger := w.get(w.inFund("/ledger?direction=out")).ok()
			var lines [][]string
			for i, id := range ledger.column("List", "TxID") {
				if id == tx {
					lines = append(lines, []string{
						ledger.column("List", "amount")[i], ledger.column("List", "fees")[i], ledger.column("List", "netAmount")[i],
					})
				}
			}
			assert.Equal(t, [][]string{{w.text(gross), w.text(published.fee), w.text(published.net)}}, lines, way)
			for entry, err := range client.Funds.LedgerAll(t.Context(), company, fund, qredo.LedgerOptions{Direction: qredo.DirectionOut}) {
				require.NoError(t, err)
				if string(entry.TxID) == tx {
					assert.Equal(t, []int64{gross, published.fee, published.net}, []int64{int64(entry.Amount), int64(entry.Fees), int64(entry.NetAmount)}, way)
				}
			}
		}
	}
}

// TestPublishedSwap has the figures that arrive, which are published; the fees are the sandbox's own.
func TestPublishedSwap(t *testing.T) {
	const satoshi, satoshiFee, gwei, gweiFee = 755_006, 756, 100_000_000, 100_000
	for _, way := range []string{"over HTTP", "through the client"} {
		t.Run(way, func(t *testing.T) {
			m := newMarket(t)
			m.credit(m.takerEther, 200_000_000-100_000) // it has 100,000
			client := m.client()
			var quote, take string
			if way == "over HTTP" {
				quote = m.quote(object{"send": object{"symbol": btc, "amount": satoshi}, "receive": object{"symbol": eth, "amount": gwei}})
			} else {
				made, err := client.Swaps.Make(t.Context(), qredo.CompanyID(m.company), qredo.SwapRequest{
					SendWalletID: qredo.WalletID(m.treasury), ReceiveWalletID: qredo.WalletID(m.makerIn), Reference: "quote",
					Expires: qredo.Unix(m.in(time.Hour)), Send: qredo.AssetAmount{Asset: btc, Amount: satoshi},
					Receive: qredo.AssetAmount{Asset: eth, Amount: gwei}, AddToLiquidityHub: true,
				})
				require.NoError(t, err)
				quote = string(made.TxID)
				require.NoError(t, m.Approve(alice, quote))
				hub, err := client.Swaps.ListHubAll(t.Context())
				require.NoError(t, err)
				assert.Equal(t, []qredo.Amount{satoshi, gwei}, []qredo.Amount{hub[0].SendAmount, hub[0].ReceiveAmount}, "as quoted")
			}
			if way == "over HTTP" {
				take = m.take(quote, nil).ok().at("tx_id")
			} else {
				taken, err := client.Swaps.Take(t.Context(), qredo.CompanyID(m.taker), qredo.TakeRequest{
					SwapID: qredo.TxID(quote), SendWalletID: qredo.WalletID(m.takerEther), ReceiveWalletID: qredo.WalletID(m.takerBitcoin), Reference: "take",
				})
				require.NoError(t, err)
				take = string(taken.TxID)
			}
			require.NoError(t, m.Approve(alice, take))
			require.NoError(t, m.Approve(bob, take))
			assert.Equal(t, books{
				makerBTC: 1_000_000 - satoshi - satoshiFee, makerETH: gwei,
				takerETH: 200_000_000 - gwei - gweiFee, takerBTC: satoshi,
			}, m.books())
			m.fees(btc, satoshiFee)
			m.fees(eth, gweiFee)
		})
	}
}

func TestMaxAmount(t *testing.T) {
	w := newWorld(t)
	client := w.client()
	has := int64(0)
	for _, want := range []struct{ available, net, fees, toSend int64 }{
		{0, 0, 0, 0},
		{1, 0, 0, 0}, // the smallest amount costs as much again
		{2, 1, 1, 2},
		{1000, 999, 1, 1000},
		{1001, 1000, 1, 1001},
		{1002, 1000, 1, 1001}, // one unit cannot be sent
		{200_200, 200_000, 200, 200_200},
		{1_000_000, 999_000, 999, 999_999},
	} {
		if want.available > has {
			w.credit(w.treasury, want.available-has)
			has = want.available
		}
		for _, query := range []string{"", "?tx_type=transfer", "?tx_type=withdraw", "?tx_type=swap", "?pending=0", "?pending=1", "?pending=true", "?pending=false"} {
			raw := w.get("/wallet/" + w.treasury + "/max" + query).ok()
			assert.Equal(t, []int64{want.net, want.fees, want.toSend}, raw.numbers("netAmount", "fees", "amountToSend"), "%d%s", want.available, query)
		}
		got, err := client.Wallets.GetMaxAmount(t.Context(), qredo.WalletID(w.treasury), qredo.MaxAmountOptions{})
		require.NoError(t, err)
		assert.Equal(t, qredo.Fees{NetAmount: qredo.Amount(want.net), Fees: qredo.Amount(want.fees), AmountToSend: qredo.Amount(want.toSend)}, *got)
	}
	w.transfer(object{"send": object{"symbol": btc, "amount": 999_001}}).refused(400, "balance")
	for _, query := range []string{"?pending=2", "?pending=1000", "?pending=-1", "?pending=yes", "?tx_type=transferOut"} {
		w.get("/wallet/"+w.treasury+"/max"+query).refused(400, "")
	}

	w.transfer(object{"send": object{"symbol": btc, "amount": 500_000}}).ok() // 500,500 are held
	for pending, net := range map[bool]qredo.Amount{false: 999_000, true: 499_000} {
		got, err := client.Wallets.GetMaxAmount(t.Context(), qredo.WalletID(w.treasury), qredo.MaxAmountOptions{Pending: pending})
		require.NoError(t, err)
		assert.Equal(t, net, got.NetAmount, "what waits is counted in: %t", pending)
	}
	w.transfer(object{"send": object{"symbol": btc, "amount": 499_001}}).refused(400, "balance")
	w.transfer(object{"send": object{"symbol": btc, "amount": 499_000}}).ok()
}

// A wallet can hold all that 64 bits can say.
func TestMaxAmountOfAllThereCanBe(t *testing.T) {
	for fees, test := range map[string]struct {
		schedule sandbox.FeeSchedule
		most     int64
	}{
		"none": {sandbox.NoFees, math.MaxInt64},
		"half": {sandbox.FeeRate(500_000), 6_148_914_691_236_517_204},
	} {
		t.Run(fees, func(t *testing.T) {
			w := newWorld(t, sandbox.WithFees(test.schedule))
			w.credit(w.treasury, math.MaxInt64)
			assert.Equal(t, test.most, w.get("/wallet/"+w.treasury+"/max").ok().number("netAmount"))
		})
	}
}

func TestFeeSchedules(t *testing.T) {
	for name, test := range map[string]struct {
		schedule sandbox.FeeSchedule
		fees     map[int64]int64 // by net amount
		most     int64           // that can arrive of 1,000,000
	}{
		"none":                   {sandbox.NoFees, map[int64]int64{1: 0, 200_000: 0, math.MaxInt64: 0}, 1_000_000},
		"a basis point":          {sandbox.FeeRate(100), map[int64]int64{1: 1, 10_000: 1, 10_001: 2, 200_000: 20}, 999_900},
		"half a basis point":     {sandbox.FeeRate(50), map[int64]int64{100_000_000: 5000}, 999_950},
		"all of it again":        {sandbox.FeeRate(1_000_000), map[int64]int64{1: 1, 7: 7, math.MaxInt64 / 2: math.MaxInt64 / 2}, 500_000},
		"a miner's":              {sandbox.FixedFee(2500), map[int64]int64{1: 2500, 200_000: 2500}, 997_500},
		"more than the wallet's": {sandbox.FixedFee(1_000_001), map[int64]int64{1: 1_000_001}, 0},
		"by kind": {func(kind qredo.FeeType, _ qredo.AssetCode, _ qredo.Amount) qredo.Amount {
			return map[qredo.FeeType]qredo.Amount{qredo.FeeTransferOut: 7}[kind]
		}, map[int64]int64{1: 7}, 999_993},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.WithFees(test.schedule))
			for net, fee := range test.fees {
				got := w.post("/fees", object{"type": "transferOut", "asset": btc, "amount": net}).ok()
				assert.Equal(t, []int64{net, fee, net + fee}, got.numbers("netAmount", "fees", "amountToSend"))
			}
			w.credit(w.treasury, 1_000_000)
			most := w.get("/wallet/" + w.treasury + "/max").ok().number("netAmount")
			assert.Equal(t, test.most, most)
			w.transfer(object{"send": object{"symbol": btc, "amount": most + 1}}).refused(400, "balance")
			if most == 0 {
				return
			}
			tx := w.transfer(object{"send": object{"symbol": btc, "amount": most}}).ok().at("tx_id")
			require.NoError(t, w.Approve(alice, tx))
			assert.Equal(t, most, w.balance(w.trading))
			assert.Zero(t, w.balance(w.treasury))
		})
	}
	newService(t, sandbox.WithFees(sandbox.FixedFee(-1))).
		post("/fees", object{"type": "swap", "asset": btc, "amount": 5}).refused(500, "negative fee, -1")
	for name, opt := range map[string]sandbox.Option{"no schedule": sandbox.WithFees(nil), "no order": sandbox.WithLedgerOrder(7)} {
		_, err := sandbox.New(opt)
		var invalid *qredo.ValidationError
		require.ErrorAs(t, err, &invalid, name)
	}
}
