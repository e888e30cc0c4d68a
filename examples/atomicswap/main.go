// Command atomicswap: two who exchange bitcoin for ether do not want to pay first. Whoever does has nothing in hand if the other
// one does not pay.
//
// So the maker offers a quote, which is listed on the liquidity hub as soon as the maker's side has approved it; the taker finds it there
// and takes it; when the taker's side has approved, both sides are settled in one step. Maker and taker are companies of one API account.
//
// It starts a sandbox for itself and exits with 0 only if everybody has what the swap implies.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	btc = qredo.AssetCode("BTC-TESTNET")
	eth = qredo.AssetCode("ETH-TESTNET")
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "atomicswap:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

func run(ctx context.Context, out io.Writer) error {
	srv, err := sandbox.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	market := market{srv: srv, client: srv.Client(), out: out, assets: map[qredo.AssetCode]qredo.Asset{}}
	list, err := market.client.Assets.List(ctx)
	if err != nil {
		return err
	}
	for _, asset := range list {
		market.assets[asset.Code] = asset
	}
	return market.swap(ctx)
}

// market is the sandbox, with what the example needs to know about it.
type market struct {
	srv    *sandbox.Server
	client *qredo.Client
	out    io.Writer
	assets map[qredo.AssetCode]qredo.Asset
}

// trader is a company with a wallet for each asset and one person who approves for it.
type trader struct {
	name    string
	email   string
	company qredo.CompanyID
	wallets map[qredo.AssetCode]qredo.Wallet
}

func (m market) say(format string, args ...any) { fmt.Fprintf(m.out, format+"\n", args...) }

// money formats an amount in whole and in base units.
func (m market) money(amount qredo.AssetAmount) string {
	return fmt.Sprintf("%s %s (%d base units)", m.assets[amount.Asset].Format(amount.Amount), amount.Asset, amount.Amount)
}

func (m market) swap(ctx context.Context) error {
	send := qredo.AssetAmount{Asset: btc, Amount: 50_000_000}       // satoshi
	receive := qredo.AssetAmount{Asset: eth, Amount: 8_000_000_000} // gwei
	maker, err := m.newTrader(ctx, "Maker", "maker@example.com", qredo.AssetAmount{Asset: btc, Amount: 100_000_000})
	if err != nil {
		return err
	}
	taker, err := m.newTrader(ctx, "Taker", "taker@example.com", qredo.AssetAmount{Asset: eth, Amount: 10_000_000_000})
	if err != nil {
		return err
	}

	offer, err := m.client.Swaps.Make(ctx, maker.company, qredo.SwapRequest{
		SendWalletID: maker.wallets[btc].ID, ReceiveWalletID: maker.wallets[eth].ID, Reference: "quote 1",
		PartnerTxID: "quote-1", Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send: send, Receive: receive, AddToLiquidityHub: true,
	})
	if err != nil {
		return err
	}
	m.say("\n%s offers %s for %s: %s", maker.name, m.money(send), m.money(receive), offer.TxID)
	if err := m.srv.Approve(maker.email, string(offer.TxID)); err != nil {
		return err
	}
	quote, err := m.findQuote(ctx, taker.company, offer.TxID)
	if err != nil {
		return err
	}
	m.say("%s finds it on the hub, valid until %s", taker.name, quote.Expires.UTC().Format(time.RFC3339))

	take, err := m.client.Swaps.Take(ctx, taker.company, qredo.TakeRequest{
		SwapID: quote.TxID, SendWalletID: taker.wallets[eth].ID, ReceiveWalletID: taker.wallets[btc].ID,
		Reference: "quote 1", PartnerTxID: "take-1",
	})
	if err != nil {
		return err
	}
	if err := m.srv.Approve(taker.email, string(take.TxID)); err != nil {
		return err
	}
	for _, side := range []func() (*qredo.Transaction, error){
		func() (*qredo.Transaction, error) { return m.client.Swaps.WaitMake(ctx, maker.company, offer.TxID) },
		func() (*qredo.Transaction, error) { return m.client.Swaps.WaitTake(ctx, taker.company, take.TxID) },
	} {
		tx, err := side()
		if err != nil {
			return err
		}
		m.say("%s is %s: %s left, %d fees", tx.ID, tx.Status, m.money(qredo.AssetAmount{Asset: tx.Details.Asset, Amount: tx.Details.Amount}), tx.Details.Fees)
	}
	return m.check(ctx, maker, taker, send, receive)
}

// findQuote looks for a quote on the hub as a company sees it.
func (m market) findQuote(ctx context.Context, company qredo.CompanyID, id qredo.TxID) (qredo.HubQuote, error) {
	quotes, err := m.client.Swaps.ListHub(ctx, company)
	if err != nil {
		return qredo.HubQuote{}, err
	}
	for _, quote := range quotes {
		if quote.TxID == id && !quote.Owner {
			return quote, nil
		}
	}
	return qredo.HubQuote{}, fmt.Errorf("quote %s is not on the hub", id)
}

// newTrader makes a company that has an amount of one asset.
func (m market) newTrader(ctx context.Context, name, email string, has qredo.AssetAmount) (*trader, error) {
	fund, err := demofund.New(ctx, m.srv, name, []string{email}, qredo.WalletRequest{Asset: btc}, qredo.WalletRequest{Asset: eth})
	if err != nil {
		return nil, err
	}
	t := &trader{name: name, email: email, company: fund.Company, wallets: map[qredo.AssetCode]qredo.Wallet{}}
	for _, wallet := range fund.Wallets {
		t.wallets[wallet.Asset] = wallet
	}
	if _, err := m.srv.Deposit(t.wallets[has.Asset].Address, has.Amount); err != nil {
		return nil, err
	}
	m.say("%s, company %s, has %s", name, t.company, m.money(has))
	return t, nil
}

// check compares the balances with what the swap implies.
func (m market) check(ctx context.Context, maker, taker *trader, send, receive qredo.AssetAmount) error {
	debit := map[qredo.AssetCode]qredo.Amount{} // what arrives, and the fee
	for _, amount := range []qredo.AssetAmount{send, receive} {
		fees, err := m.client.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeSwap, Asset: amount.Asset, Amount: amount.Amount})
		if err != nil {
			return err
		}
		debit[amount.Asset] = fees.AmountToSend
	}
	m.say("")
	for _, expected := range []struct {
		trader *trader
		asset  qredo.AssetCode
		amount qredo.Amount
	}{
		{maker, btc, 100_000_000 - debit[btc]},
		{maker, eth, receive.Amount},
		{taker, eth, 10_000_000_000 - debit[eth]},
		{taker, btc, send.Amount},
	} {
		wallet, err := m.client.Wallets.Get(ctx, expected.trader.wallets[expected.asset].ID)
		if err != nil {
			return err
		}
		m.say("%s has %s", expected.trader.name, m.money(qredo.AssetAmount{Asset: wallet.Asset, Amount: wallet.Balance}))
		if wallet.Balance != expected.amount {
			return fmt.Errorf("%s has %d of %s, the swap implies %d", expected.trader.name, wallet.Balance, wallet.Asset, expected.amount)
		}
	}
	m.say("\nDone: both sides have what the swap implies.")
	return nil
}
