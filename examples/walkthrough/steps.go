package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// walkthrough is the state of the job: what the steps so far have made.
type walkthrough struct {
	config
	client *qredo.Client
	people people
	out    io.Writer

	asset    qredo.Asset
	company  qredo.CompanyID
	members  []qredo.TrustedEntityID
	fund     qredo.FundID
	treasury *qredo.Wallet
	trading  *qredo.Wallet
	expected []qredo.LedgerEntry // type, amount and fees of the steps' entries
}

func (w *walkthrough) step(format string, args ...any) {
	fmt.Fprintf(w.out, "\n"+format+"\n", args...)
}

func (w *walkthrough) say(format string, args ...any) { fmt.Fprintf(w.out, "  "+format+"\n", args...) }

// money formats an amount in whole and in base units.
func (w *walkthrough) money(amount qredo.Amount) string {
	return fmt.Sprintf("%s %s (%d %s)", w.asset.Format(amount), w.asset.UnitCode, amount, w.baseUnit())
}

// baseUnit is the usual name of the asset's base unit.
func (w *walkthrough) baseUnit() string {
	switch coin, _, _ := strings.Cut(string(w.asset.Code), "-"); coin {
	case "BTC":
		return "satoshi"
	case "ETH":
		return "gwei"
	}
	return "base units"
}

func (w *walkthrough) findAsset(ctx context.Context) error {
	asset, err := w.client.Assets.Find(ctx, w.config.asset)
	if err != nil {
		return err
	}
	w.asset = *asset
	w.step("1. Asset %s: %s, %d %s each", asset.Code, asset.Name, asset.Scale, w.baseUnit())
	return nil
}

func (w *walkthrough) createCompany(ctx context.Context) error {
	ref := fmt.Sprintf("walkthrough-%d", time.Now().UnixNano())
	made, err := w.client.Companies.Create(ctx, qredo.CompanyRequest{
		Name: "Acme Exchange", City: "Paris", Country: "FR", Domain: "acme.example", Ref: ref,
	})
	if err != nil {
		return err
	}
	company, err := w.client.Companies.Get(ctx, made.ID)
	if err != nil {
		return err
	}
	w.company = company.ID
	w.step("2. Company %s", company.Name)
	w.say("id %s, ref %s", company.ID, company.Ref)
	return nil
}

func (w *walkthrough) buildTrustedNetwork(ctx context.Context) error {
	w.step("3. Trusted network")
	emails := w.approverEmails()
	for _, email := range emails {
		if err := w.people.enrol(ctx, email); err != nil {
			return err
		}
		if err := w.client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: email}); err != nil {
			return fmt.Errorf("asking %s: %w", email, err)
		}
		if err := w.people.join(ctx, email, w.company); err != nil {
			return err
		}
	}
	var parties []qredo.TrustedParty
	err := w.until(ctx, "the approvers to join", func() (bool, error) {
		var err error
		parties, err = w.client.TrustedNetwork.List(ctx, w.company)
		return len(parties) >= len(emails), err
	})
	if err != nil {
		return err
	}
	for _, p := range parties {
		w.members = append(w.members, p.ID)
		w.say("%s %s, id %s", p.Type, p.Address, p.ID)
	}
	return nil
}

func (w *walkthrough) createFund(ctx context.Context) error {
	all := &qredo.CustodyGroup{Threshold: len(w.members), Members: w.members}
	made, err := w.client.Funds.Create(ctx, w.company, qredo.FundRequest{
		Name: "Client assets", Description: "Assets held for clients",
		CustodyGroupWithdraw: all,
		CustodyGroupTx:       &qredo.CustodyGroup{Threshold: 1, Members: w.members},
		Wallets: []qredo.WalletRequest{
			{Name: "Treasury", Asset: w.asset.Code},
			{Name: "Trading", Asset: w.asset.Code},
		},
	})
	if err != nil {
		return err
	}
	fund, err := w.client.Funds.Get(ctx, w.company, made.ID)
	if err != nil {
		return err
	}
	if len(fund.Wallets) != 2 {
		return fmt.Errorf("the fund has %d wallets, not 2", len(fund.Wallets))
	}
	w.fund, w.treasury, w.trading = fund.ID, &fund.Wallets[0], &fund.Wallets[1]
	w.step("4. Fund %s", fund.Name)
	w.say("id %s: withdrawals need %d approvals, transfers 1", fund.ID, all.Threshold)
	for _, wallet := range fund.Wallets {
		w.say("wallet %-8s %s, short code %s, %s", wallet.Name, wallet.ID, wallet.ShortCode, wallet.Status)
	}
	return nil
}

func (w *walkthrough) deposit(ctx context.Context) error {
	amount, err := w.asset.Parse("1.5")
	if err != nil {
		return err
	}
	w.step("5. Deposit of %s", w.money(amount))
	w.say("to %s of %s", w.treasury.Address, w.treasury.Name)
	if err := w.people.send(ctx, w.treasury.Address, w.money(amount), amount); err != nil {
		return err
	}
	w.expected = append(w.expected, qredo.LedgerEntry{Type: qredo.EntryDeposit, Amount: amount})
	return w.until(ctx, "the deposit", func() (bool, error) {
		wallet, err := w.client.Wallets.Get(ctx, w.treasury.ID)
		return err == nil && wallet.Balance >= amount, err
	})
}

func (w *walkthrough) transfer(ctx context.Context) error {
	amount, err := w.asset.Parse("0.4")
	if err != nil {
		return err
	}
	fees, err := w.client.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeTransferOut, Asset: w.asset.Code, Amount: amount})
	if err != nil {
		return err
	}
	w.step("6. Transfer of %s from %s to %s", w.money(amount), w.treasury.Name, w.trading.Name)
	w.quoted(fees)
	req := qredo.TransferRequest{
		WalletID: w.treasury.ID, Counterparty: string(w.trading.ID), Reference: "walkthrough",
		PartnerTxID: qredo.PartnerTxID(fmt.Sprintf("transfer-%d", time.Now().UnixNano())),
		Expires:     qredo.TimeOf(time.Now().Add(time.Hour)),
		Send:        qredo.AssetAmount{Asset: w.asset.Code, Amount: amount},
	}
	sent, err := w.client.Transfers.Create(ctx, w.company, req)
	if err != nil {
		return err
	}
	w.say("transaction %s is %s", sent.TxID, sent.Status)
	again, err := w.client.Transfers.Create(ctx, w.company, req)
	if err != nil {
		return err
	}
	if again.TxID != sent.TxID || again.Status != qredo.SubmissionExisting {
		return fmt.Errorf("the same partner_txID made a second transaction: %s is %s", again.TxID, again.Status)
	}
	w.say("sent again with the same partner_txID: %s is %s", again.TxID, again.Status)
	if err := w.people.approve(ctx, w.approverEmails()[0], sent.TxID); err != nil {
		return err
	}
	tx, err := w.client.Transfers.Wait(ctx, w.company, sent.TxID, qredo.WithPollInterval(w.poll))
	if err != nil {
		return err
	}
	w.say("%d of %d approvals: %s", tx.ApprovedCount, tx.ThresholdRequired, tx.Status)
	w.expected = append(w.expected,
		qredo.LedgerEntry{Type: qredo.EntryTransferOut, Amount: fees.AmountToSend, Fees: fees.Fees},
		qredo.LedgerEntry{Type: qredo.EntryTransferIn, Amount: amount})
	return w.moved(ctx, amount, fees, tx)
}

// quoted prints how much must be sent for an amount to arrive.
func (w *walkthrough) quoted(fees *qredo.Fees) {
	w.say("%s arrives, fees %s on top: %s leaves the wallet", w.money(fees.NetAmount), w.money(fees.Fees), w.money(fees.AmountToSend))
}

// moved checks that the requested amount has arrived, and that it and the fee have left the wallet.
func (w *walkthrough) moved(ctx context.Context, asked qredo.Amount, fees *qredo.Fees, tx *qredo.Transaction) error {
	d := tx.Details
	if fees.NetAmount != asked || d.NetAmount != asked || d.Fees != fees.Fees || d.Amount != fees.AmountToSend {
		return fmt.Errorf("asked for %d, quoted %+v, but %d left and %d arrived, with fees of %d", asked, *fees, d.Amount, d.NetAmount, d.Fees)
	}
	history, err := w.client.Wallets.ListHistory(ctx, w.treasury.ID, qredo.HistoryOptions{})
	if err != nil {
		return err
	}
	for _, h := range history {
		if h.TxID == tx.ID {
			w.say("%s: %s arrived, %s debited", w.treasury.Name, w.money(d.NetAmount), w.money(-h.Amount))
			if -h.Amount != fees.AmountToSend {
				return fmt.Errorf("the wallet was debited %d, not %d", -h.Amount, fees.AmountToSend)
			}
			return nil
		}
	}
	return fmt.Errorf("the history of %s lacks %s", w.treasury.Name, tx.ID)
}

func (w *walkthrough) withdraw(ctx context.Context) error {
	amount, err := w.asset.Parse("0.25")
	if err != nil {
		return err
	}
	fees, err := w.client.Assets.GetFees(ctx, qredo.FeesRequest{Type: qredo.FeeWithdraw, Asset: w.asset.Code, Amount: amount})
	if err != nil {
		return err
	}
	w.step("7. Withdrawal of %s from %s", w.money(amount), w.treasury.Name)
	w.quoted(fees)
	entry := qredo.WhitelistEntry{Asset: w.asset.Code, Address: w.payout, Name: "Cold storage"}
	if err := w.client.Funds.AddToWhitelist(ctx, w.company, w.fund, entry); err != nil {
		return err
	}
	w.say("to %s, now whitelisted as %s", entry.Address, entry.Name)
	sent, err := w.client.Transfers.Withdraw(ctx, w.company, qredo.WithdrawalRequest{
		WalletID: w.treasury.ID, Address: entry.Address, Reference: "walkthrough",
		PartnerTxID: qredo.PartnerTxID(fmt.Sprintf("withdraw-%d", time.Now().UnixNano())),
		Expires:     qredo.TimeOf(time.Now().Add(time.Hour)),
		Send:        qredo.AssetAmount{Asset: w.asset.Code, Amount: amount},
	})
	if err != nil {
		return err
	}
	w.say("transaction %s is %s", sent.TxID, sent.Status)
	for _, email := range w.approverEmails() {
		if err := w.people.approve(ctx, email, sent.TxID); err != nil {
			return err
		}
	}
	tx, err := w.client.Transfers.WaitWithdrawal(ctx, w.company, sent.TxID, qredo.WithPollInterval(w.poll))
	if err != nil {
		return err
	}
	w.say("%d of %d approvals: %s", tx.ApprovedCount, tx.ThresholdRequired, tx.Status)
	w.expected = append(w.expected, qredo.LedgerEntry{Type: qredo.EntryWithdraw, Amount: fees.AmountToSend, Fees: fees.Fees})
	return w.moved(ctx, amount, fees, tx)
}

// check compares balances, history and ledger with what the steps imply.
func (w *walkthrough) check(ctx context.Context) error {
	w.step("8. Balances and ledger")
	expected := map[qredo.WalletID]qredo.Amount{}
	for _, e := range w.expected {
		switch e.Type {
		case qredo.EntryDeposit:
			expected[w.treasury.ID] += e.Amount
		case qredo.EntryTransferIn:
			expected[w.trading.ID] += e.Amount
		default:
			expected[w.treasury.ID] -= e.Amount
		}
	}
	var wrong []error
	for _, wallet := range []*qredo.Wallet{w.treasury, w.trading} {
		now, err := w.client.Wallets.Get(ctx, wallet.ID)
		if err != nil {
			return err
		}
		history, err := w.client.Wallets.ListHistory(ctx, wallet.ID, qredo.HistoryOptions{})
		if err != nil {
			return err
		}
		var moved qredo.Amount
		for _, h := range history {
			moved += h.Amount
		}
		w.say("wallet %-8s %s, movements: %d", wallet.Name, w.money(now.Balance), len(history))
		if now.Balance != expected[wallet.ID] || moved != expected[wallet.ID] {
			wrong = append(wrong, fmt.Errorf("wallet %s has %d and moved %d, the steps imply %d",
				wallet.Name, now.Balance, moved, expected[wallet.ID]))
		}
	}
	open := append([]qredo.LedgerEntry(nil), w.expected...)
	for entry, err := range w.client.Funds.LedgerAll(ctx, w.company, w.fund, qredo.LedgerOptions{}) {
		if err != nil {
			return err
		}
		w.say("ledger %-11s %s, fees %d %s", entry.Type, w.money(entry.Amount), entry.Fees, entry.Status)
		open, err = strike(open, entry)
		wrong = append(wrong, err)
	}
	if len(open) > 0 {
		wrong = append(wrong, fmt.Errorf("the ledger lacks %d entries", len(open)))
	}
	return errors.Join(wrong...)
}

// strike removes the ledger's entry from the expected entries.
func strike(expected []qredo.LedgerEntry, entry qredo.LedgerEntry) ([]qredo.LedgerEntry, error) {
	for i, e := range expected {
		if e.Type == entry.Type && e.Amount == entry.Amount && e.Fees == entry.Fees {
			return append(expected[:i:i], expected[i+1:]...), nil
		}
	}
	return expected, fmt.Errorf("the ledger has an entry that no step made: %s of %d, fees %d", entry.Type, entry.Amount, entry.Fees)
}
