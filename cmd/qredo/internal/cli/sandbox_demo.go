package cli

import (
	"context"
	"errors"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// Demo names what [SeedDemo] has made.
type Demo struct {
	Company, Maker         qredo.CompanyID
	Fund, MakerFund        qredo.FundID
	Treasury, Trading, Eth qredo.WalletID
	MakerBTC, MakerETH     qredo.WalletID
	CoreClient             qredo.CoreClientID
	Payout                 string // a whitelisted address
	PendingTransfer        qredo.TxID
	PendingWithdrawal      qredo.TxID
}

// The people of the demo.
const (
	demoAlice = "alice@example.com"
	demoBob   = "bob@example.com"
)

func (d *Demo) exports() []string {
	return []string{
		"export QREDO_COMPANY=" + shellQuote(string(d.Company)),
		"# Demo Exchange: fund " + string(d.Fund) + ", wallets " + string(d.Treasury) + " (Treasury), " + string(d.Trading) +
			" (Trading), " + string(d.Eth) + " (Ether)",
		"# Demo Maker: company " + string(d.Maker) + ", fund " + string(d.MakerFund) + ", wallets " + string(d.MakerBTC) +
			" (Bitcoin), " + string(d.MakerETH) + " (Ether), approver: core client " + string(d.CoreClient),
		"# " + demoAlice + " and " + demoBob + " have approvals pending: qredo sandbox pending " + demoAlice,
	}
}

// SeedDemo fills an empty sandbox: two companies with people, a core client, funds, balances, a whitelist,
// and transactions that are done, rejected and pending. One that has companies is left as it is.
func SeedDemo(ctx context.Context, s *sandbox.Sandbox, client *qredo.Client) (*Demo, error) {
	state, err := s.State()
	if err != nil {
		return nil, err
	}
	if len(state.Companies) > 0 {
		return nil, nil
	}
	d := &demoSeed{sandbox: s, client: client, Demo: Demo{Payout: "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"}}
	for _, step := range []func(context.Context) error{d.exchange, d.maker, d.deposits, d.history, d.pending} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	return &d.Demo, nil
}

// demoSeed is a demo in the making.
type demoSeed struct {
	Demo
	sandbox *sandbox.Sandbox
	client  *qredo.Client
}

// demoCompany is a company of the demo, with a fund.
type demoCompany struct {
	qredo.CompanyRequest
	approvers []string // e-mails of people, or IDs of core clients
	fund      string
	wallets   []qredo.WalletRequest
}

// add makes a company and its fund: all approvers must agree to withdrawals, one to transfers.
func (d *demoSeed) add(ctx context.Context, c demoCompany) (company qredo.CompanyID, fund *qredo.Fund, err error) {
	made, err := d.client.Companies.Create(ctx, c.CompanyRequest)
	if err != nil {
		return "", nil, err
	}
	for _, address := range c.approvers {
		if err := d.client.TrustedNetwork.Add(ctx, made.ID, qredo.TrustedPartyRequest{Address: address}); err != nil {
			return "", nil, err
		}
		if address == string(d.CoreClient) {
			continue // programs need not accept
		}
		if err := d.sandbox.Accept(address, made.ID); err != nil {
			return "", nil, err
		}
	}
	parties, err := d.client.TrustedNetwork.List(ctx, made.ID)
	if err != nil {
		return "", nil, err
	}
	var members []qredo.TrustedEntityID
	for _, p := range parties {
		members = append(members, p.ID)
	}
	created, err := d.client.Funds.Create(ctx, made.ID, qredo.FundRequest{
		Name: c.fund, Wallets: c.wallets,
		CustodyGroupWithdraw: &qredo.CustodyGroup{Threshold: len(members), Members: members},
		CustodyGroupTx:       &qredo.CustodyGroup{Threshold: 1, Members: members},
	})
	if err != nil {
		return "", nil, err
	}
	fund, err = d.client.Funds.Get(ctx, made.ID, created.ID)
	return made.ID, fund, err
}

// exchange makes the first company: people approve.
func (d *demoSeed) exchange(ctx context.Context) error {
	for _, u := range []sandbox.User{{Email: demoAlice, FirstName: "Alice"}, {Email: demoBob, FirstName: "Bob"}} {
		if _, err := d.sandbox.CreateUser(u); err != nil {
			return err
		}
	}
	company, fund, err := d.add(ctx, demoCompany{
		CompanyRequest: qredo.CompanyRequest{Name: "Demo Exchange", City: "Paris", Country: "FR", Domain: "exchange.example", Ref: "demo-exchange"},
		approvers:      []string{demoAlice, demoBob},
		fund:           "Client assets",
		wallets: []qredo.WalletRequest{
			{Name: "Treasury", Asset: "BTC-TESTNET"}, {Name: "Trading", Asset: "BTC-TESTNET"}, {Name: "Ether", Asset: "ETH-TESTNET"},
		},
	})
	if err != nil {
		return err
	}
	d.Company, d.Fund = company, fund.ID
	d.Treasury, d.Trading, d.Eth = fund.Wallets[0].ID, fund.Wallets[1].ID, fund.Wallets[2].ID
	return d.client.Funds.AddToWhitelist(ctx, d.Company, d.Fund, qredo.WhitelistEntry{
		Asset: "BTC-TESTNET", Address: d.Payout, Name: "Cold storage",
	})
}

// maker makes the second company: a core client approves.
func (d *demoSeed) maker(ctx context.Context) error {
	approver, err := d.client.CoreClients.Create(ctx, "Demo approver")
	if err != nil {
		return err
	}
	d.CoreClient = approver.ID
	company, fund, err := d.add(ctx, demoCompany{
		CompanyRequest: qredo.CompanyRequest{Name: "Demo Maker", City: "London", Country: "GB", Domain: "maker.example", Ref: "demo-maker"},
		approvers:      []string{string(approver.ID)},
		fund:           "Inventory",
		wallets:        []qredo.WalletRequest{{Name: "Bitcoin", Asset: "BTC-TESTNET"}, {Name: "Ether", Asset: "ETH-TESTNET"}},
	})
	if err != nil {
		return err
	}
	d.Maker, d.MakerFund, d.MakerBTC, d.MakerETH = company, fund.ID, fund.Wallets[0].ID, fund.Wallets[1].ID
	return nil
}

func (d *demoSeed) deposits(ctx context.Context) error {
	for _, in := range []struct {
		wallet qredo.WalletID
		amount qredo.Amount
	}{
		{d.Treasury, 150_000_000}, {d.Trading, 20_000_000}, {d.Eth, 32_000_000_000}, {d.MakerBTC, 500_000_000}, {d.MakerETH, 100_000_000_000},
	} {
		wallet, err := d.client.Wallets.Get(ctx, in.wallet)
		if err != nil {
			return err
		}
		if _, err := d.sandbox.Deposit(wallet.Address, in.amount); err != nil {
			return err
		}
	}
	return nil
}

// transfer asks for a transfer to the exchange's wallet for trading.
func (d *demoSeed) transfer(ctx context.Context, company qredo.CompanyID, from qredo.WalletID, amount qredo.Amount, reference string) (qredo.TxID, error) {
	sent, err := d.client.Transfers.Create(ctx, company, qredo.TransferRequest{
		WalletID: from, Counterparty: string(d.Trading), Reference: reference, Expires: d.nextWeek(),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: amount},
	})
	if err != nil {
		return "", err
	}
	return sent.TxID, nil
}

func (d *demoSeed) nextWeek() qredo.Time {
	return qredo.TimeOf(d.sandbox.Now().Add(7 * 24 * time.Hour))
}

// history makes transactions that have ended.
func (d *demoSeed) history(ctx context.Context) error {
	done, err := d.transfer(ctx, d.Company, d.Treasury, 10_000_000, "demo: done")
	if err != nil {
		return err
	}
	refused, err := d.transfer(ctx, d.Company, d.Treasury, 5_000_000, "demo: rejected")
	if err != nil {
		return err
	}
	return errors.Join(
		d.sandbox.Approve(demoAlice, string(done)),
		d.sandbox.Reject(demoAlice, string(refused)), d.sandbox.Reject(demoBob, string(refused)))
}

// pending makes transactions that wait for people and for the core client.
func (d *demoSeed) pending(ctx context.Context) (err error) {
	if d.PendingTransfer, err = d.transfer(ctx, d.Company, d.Treasury, 2_500_000, "demo: waits for Alice or Bob"); err != nil {
		return err
	}
	out, err := d.client.Transfers.Withdraw(ctx, d.Company, qredo.WithdrawalRequest{
		WalletID: d.Treasury, Address: d.Payout, Reference: "demo: waits for Alice and Bob", Expires: d.nextWeek(),
		Send: qredo.AssetAmount{Asset: "BTC-TESTNET", Amount: 25_000_000},
	})
	if err != nil {
		return err
	}
	d.PendingWithdrawal = out.TxID
	_, err = d.transfer(ctx, d.Maker, d.MakerBTC, 50_000_000, "demo: waits for the core client")
	return err
}
