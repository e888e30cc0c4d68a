package world

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

// Caller is who asks for a transaction: an account, by one of its keys.
type Caller struct {
	Account string
	Key     string // its ID
}

// Submission is a transaction that was asked for: a new one or, for a partner_txID that its caller has used before,
// the one that was made then.
type Submission struct {
	ID    qredo.TxID
	Kind  Kind
	Known bool
}

// submit makes a requested transaction, unless one with its partner_txID exists. That is looked up before anything else,
// except a sweep's core client: a repeat must find its transaction whatever has changed since, so it succeeds even if it
// names a wrong company.
func (u *Update) submit(by Caller, partner qredo.PartnerTxID, build func() (*transactionCreated, error)) (Submission, error) {
	if partner != "" {
		if first := u.txByPartner(by.Key, partner); first != nil {
			return Submission{ID: first.ID, Kind: first.Kind, Known: true}, nil
		}
	}
	tx, err := build()
	if err != nil {
		return Submission{}, err
	}
	from := u.wallets[tx.From]
	if err := u.book.Check(ledger.Move{Debit: from.available(), Credit: from.held(), Amount: tx.Amount}); err != nil {
		return Submission{}, invalid("the wallet's %v", err)
	}
	tx.APIKey, tx.Partner = by.Key, partner
	u.change(*tx)
	return Submission{ID: tx.ID, Kind: tx.Kind}, nil
}

// Sending is what transfers, withdrawals and both sides of swaps have in common: what leaves which wallet.
type Sending struct {
	By      Caller
	Company qredo.CompanyID
	From    qredo.WalletID // or its short code
	Send    qredo.AssetAmount
	Expires qredo.Time
	Partner qredo.PartnerTxID // makes it safe to repeat
}

// outgoing begins a transaction of a company that leaves a wallet and that the wallet's custody group has to
// approve.
func (u *Update) outgoing(kind Kind, s Sending) (*Wallet, *transactionCreated, error) {
	c, err := u.Company(s.By.Account, s.Company)
	if err != nil {
		return nil, nil, err
	}
	if s.From == "" {
		return nil, nil, invalid("the wallet to send from must be named")
	}
	w, err := u.Wallet(s.By.Account, string(s.From))
	if err != nil || w.Fund.Company != c {
		return nil, nil, notFound("wallet")
	}
	policy, err := w.approvers(kind)
	if err != nil {
		return nil, nil, err
	}
	tx, err := u.newTransaction(kind, w, s.Send, s.Expires, policy, w.DedicatedTo()...)
	return w, tx, err
}

// approvers returns the custody group for what leaves a wallet, if anything can leave it. Where neither the
// wallet nor its fund has one, that is nobody, and what is asked for waits until it expires.
func (w *Wallet) approvers(kind Kind) (custody.Policy, error) {
	if w.Status() != qredo.WalletReady {
		return custody.Policy{}, invalid("the wallet is %s", w.Status())
	}
	if policy := w.Policy(kind.policyType()); policy != nil {
		return *policy, nil
	}
	return custody.Policy{}, nil
}

// latestExpiry is the last second that can be stored.
const latestExpiry = 253402300799

// newTransaction checks what all transactions have in common and asks for their approval.
func (u *Update) newTransaction(kind Kind, w *Wallet, send qredo.AssetAmount, expires qredo.Time, policy custody.Policy, required ...string) (*transactionCreated, error) {
	switch {
	case send.Asset != w.Asset:
		return nil, invalid("send.symbol must be %s, which the wallet holds", w.Asset)
	case send.Amount <= 0:
		return nil, invalid("send.amount must be more than zero")
	case !expires.After(u.Now):
		return nil, invalid("expires must be in the future")
	case expires.Unix() > latestExpiry:
		return nil, invalid("expires must be before the year 10000")
	}
	cost, err := u.Choices.Cost(kind.feeType(), w.Asset, send.Amount)
	if err != nil {
		return nil, err
	}
	tx := &transactionCreated{
		ID: qredo.TxID(u.ids.ksuid(u.Now)), Kind: kind, From: w.ID, Asset: w.Asset,
		Amount: int64(cost.Gross), Fee: int64(cost.Fee), Expires: expires.UTC(),
	}
	u.askApproval(tx, policy, required...)
	return tx, nil
}

// askApproval gives each approver of a transaction an action.
func (u *Update) askApproval(tx *transactionCreated, policy custody.Policy, required ...string) {
	tx.Policy, tx.Required = policy, required
	for range custody.NewRound(policy, tx.Expires, required...).Votes {
		tx.Actions = append(tx.Actions, qredo.ActionID(u.ids.ksuid(u.Now)))
	}
}
