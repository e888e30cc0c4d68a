// Command sweep: an exchange must be able to rely on money that its customer keeps in custody. The customer must not be able to take it away
// while a trade is open, and the exchange must get its part without asking.
//
// So the customer's wallet is dedicated to the exchange: the exchange runs a core client, which approves the connection and from
// then on everything that leaves the wallet; a sweep needs the core client's approval alone.
//
// It starts a sandbox for itself and exits with 0 only if everybody has what the steps imply.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/demofund"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	asset    = qredo.AssetCode("BTC-TESTNET")
	customer = "customer@example.com"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		os.Exit(1) // nothing is left to clean up
	}
}

func run(ctx context.Context, out io.Writer) error {
	srv, err := sandbox.Start()
	if err != nil {
		return err
	}
	defer srv.Close()
	e := example{srv: srv, client: srv.Client(), out: out}
	for _, step := range []func(context.Context) error{e.openExchange, e.connectWallet, e.approveConnection, e.transfer, e.sweep, e.check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nDone: the exchange has what it swept, the customer the rest.")
	return nil
}

// example is the state of the job: what the steps so far have made.
type example struct {
	srv    *sandbox.Server
	client *qredo.Client
	out    io.Writer

	core      *qredo.CoreClient
	company   qredo.CompanyID
	dedicated qredo.Wallet // the customer's, connected to the exchange
	own       qredo.Wallet // the customer's other one
	treasury  qredo.Wallet // the exchange's
	sent      qredo.Amount // the amount that arrives, as swept
	swept     qredo.Amount
	debited   qredo.Amount // the debit of the dedicated wallet, with the fees
}

func (e *example) say(format string, args ...any) { fmt.Fprintf(e.out, format+"\n", args...) }

// openExchange makes a core client, lists it as an exchange, and gives it a company with a wallet for which its core
// client approves.
func (e *example) openExchange(ctx context.Context) error {
	var err error
	if e.core, err = e.client.CoreClients.Create(ctx, "Example Exchange"); err != nil {
		return err
	}
	err = e.srv.ListExchange(qredo.Exchange{
		ID: string(e.core.ID), Name: e.core.Name, URL: "https://exchange.example",
		Client: qredo.ExchangeClient{Fields: []qredo.ExchangeField{{ID: "client_id", Type: "string", Name: "Your account"}}},
	})
	if err != nil {
		return err
	}
	fund, err := demofund.New(ctx, e.srv, "Example Exchange", []string{string(e.core.ID)}, qredo.WalletRequest{Name: "Treasury", Asset: asset})
	if err != nil {
		return err
	}
	e.treasury = fund.Wallets[0]
	e.say("Exchange %s approves by core client %s", e.core.Name, e.core.ID)
	return nil
}

// connectWallet makes the customer's wallets, one of them dedicated to the exchange.
func (e *example) connectWallet(ctx context.Context) error {
	exchanges, err := e.client.Wallets.ListExchanges(ctx)
	if err != nil {
		return err
	}
	if len(exchanges) != 1 {
		return fmt.Errorf("%d exchanges are listed, not 1", len(exchanges))
	}
	fund, err := demofund.New(ctx, e.srv, "Customer", []string{customer},
		qredo.WalletRequest{
			Name: "At the exchange", Asset: asset, Type: qredo.WalletDedicated,
			Connect: []qredo.ConnectRequest{{CounterpartyID: exchanges[0].ID, ClientID: "account-17"}},
		},
		qredo.WalletRequest{Name: "Own", Asset: asset})
	if err != nil {
		return err
	}
	e.company, e.dedicated, e.own = fund.Company, fund.Wallets[0], fund.Wallets[1]
	e.say("The customer's wallet %s is %s: %s must approve the connection", e.dedicated.ID, e.dedicated.Status, exchanges[0].Name)
	return nil
}

// approveConnection is the exchange's side: its core client looks at the request, and approves.
func (e *example) approveConnection(ctx context.Context) error {
	waiting, err := e.client.CoreClients.ListWallets(ctx, e.core.ID)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		action, err := e.client.CoreClients.GetAction(ctx, e.core.ID, w.ActionID)
		if err != nil {
			return err
		}
		e.say("The exchange sees %s of wallet %q by client %v, and approves", action.Type, action.Details.Wallet.Name, action.Details.ClientData["client_id"])
		if err := e.client.CoreClients.Approve(ctx, e.core.ID, action.ID); err != nil {
			return err
		}
	}
	wallet, err := e.client.Wallets.Get(ctx, e.dedicated.ID)
	if err != nil {
		return err
	}
	if wallet.Status != qredo.WalletReady {
		return fmt.Errorf("the wallet is %s after the connection was approved", wallet.Status)
	}
	_, err = e.srv.Deposit(wallet.Address, 100_000_000)
	e.say("The wallet is %s, 100000000 satoshi come in", wallet.Status)
	return err
}

// transfer shows that transfers from a dedicated wallet need the exchange as well as the owner.
func (e *example) transfer(ctx context.Context) error {
	e.sent = 20_000_000
	sent, err := e.client.Transfers.Create(ctx, e.company, qredo.TransferRequest{
		WalletID: e.dedicated.ID, Counterparty: e.own.ShortCode, PartnerTxID: "home-1",
		Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: e.sent},
	})
	if err != nil {
		return err
	}
	if err := e.srv.Approve(customer, string(sent.TxID)); err != nil {
		return err
	}
	tx, err := e.client.Transfers.Get(ctx, e.company, sent.TxID)
	if err != nil {
		return err
	}
	e.say("\nThe customer sends %d satoshi home and approves: %d of %d approvals, %s", e.sent, tx.ApprovedCount, tx.ThresholdRequired, tx.Status)
	if tx.Status != qredo.TxPending {
		return errors.New("a transfer left the dedicated wallet without the exchange")
	}
	if err := e.approveAsExchange(ctx, sent.TxID); err != nil {
		return err
	}
	tx, err = e.client.Transfers.Wait(ctx, e.company, sent.TxID)
	if err != nil {
		return err
	}
	e.debited += tx.Details.Amount
	e.say("The exchange approves: %s, %d satoshi debited", tx.Status, tx.Details.Amount)
	return nil
}

// approveAsExchange approves the core client's action for one transaction.
func (e *example) approveAsExchange(ctx context.Context, id qredo.TxID) error {
	actions, err := e.client.CoreClients.ListActions(ctx, e.core.ID)
	if err != nil {
		return err
	}
	for _, listed := range actions {
		if listed.Status != qredo.ApprovalPending {
			continue
		}
		action, err := e.client.CoreClients.GetAction(ctx, e.core.ID, listed.ID)
		if err != nil {
			return err
		}
		if action.Details.TxID == id { // never assume that an action's ID is its transaction's
			return e.client.CoreClients.Approve(ctx, e.core.ID, action.ID)
		}
	}
	return fmt.Errorf("the core client is not asked about %s", id)
}

// sweep moves the exchange's share out of the dedicated wallet.
func (e *example) sweep(ctx context.Context) error {
	e.swept = 50_000_000
	sent, err := e.client.CoreClients.Sweep(ctx, e.core.ID, qredo.SweepRequest{
		WalletID: e.dedicated.ID, RecipientWalletID: e.treasury.ID, Reference: "settlement", PartnerTxID: "sweep-1",
		Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: asset, Amount: e.swept},
	})
	if err != nil {
		return err
	}
	if err := e.approveAsExchange(ctx, sent.TxID); err != nil {
		return err
	}
	tx, err := e.client.CoreClients.WaitSweep(ctx, e.core.ID, sent.TxID)
	if err != nil {
		return err
	}
	e.debited += tx.Details.Amount
	e.say("The exchange sweeps %d satoshi and approves alone: %s, %d satoshi debited", e.swept, tx.Status, tx.Details.Amount)
	return nil
}

// check compares the balances with what the steps imply.
func (e *example) check(ctx context.Context) error {
	e.say("")
	for _, expected := range []struct {
		wallet qredo.Wallet
		amount qredo.Amount
	}{
		{e.dedicated, 100_000_000 - e.debited},
		{e.own, e.sent},
		{e.treasury, e.swept},
	} {
		wallet, err := e.client.Wallets.Get(ctx, expected.wallet.ID)
		if err != nil {
			return err
		}
		e.say("%-15s %d satoshi", wallet.Name, wallet.Balance)
		if wallet.Balance != expected.amount {
			return fmt.Errorf("%s has %d satoshi, the steps imply %d", wallet.Name, wallet.Balance, expected.amount)
		}
	}
	return nil
}
