package world

import (
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
)

// Remarks are texts of the caller's, which approvals and the ledger show.
type Remarks struct{ Reference, BenefitOf, AccountNo string }

// NewTransfer is what a transfer to a wallet of the service is made from.
type NewTransfer struct {
	Sending
	To        string             // a wallet's ID or short code
	Authorize qredo.CoreClientID // who must authorise it before the custody group is asked, if anybody
	Remarks
}

// CreateTransfer asks for a transfer.
func (u *Update) CreateTransfer(asked NewTransfer) (Submission, error) {
	return u.submit(asked.By, asked.Partner, func() (*transactionCreated, error) {
		from, tx, err := u.outgoing(KindTransfer, asked.Sending)
		if err != nil {
			return nil, err
		}
		to, err := u.recipient(from, asked.To)
		if err != nil {
			return nil, err
		}
		if tx.Authorize, err = u.authorization(asked.Authorize); err != nil {
			return nil, err
		}
		tx.To, tx.Reference, tx.BenefitOf, tx.AccountNo = to.ID, asked.Reference, asked.BenefitOf, asked.AccountNo
		return tx, nil
	})
}

// recipient finds a wallet of any account by its ID or short code, for what another wallet sends.
func (u *Update) recipient(from *Wallet, address string) (*Wallet, error) {
	to := u.walletNamed(address)
	switch {
	case strings.TrimSpace(address) == "":
		return nil, invalid("the counterparty's wallet must be named")
	case to == nil:
		return nil, notFound("counterparty wallet")
	case to == from && u.Choices.Strict:
		return nil, invalid("the counterparty is the wallet that sends")
	case to.Asset != from.Asset:
		return nil, invalid("the counterparty's wallet holds %s", to.Asset)
	}
	return to, nil
}

// NewWithdrawal is what a withdrawal to an address outside the service is made from.
type NewWithdrawal struct {
	Sending
	Address string // on the fund's whitelist
	Remarks
}

// CreateWithdrawal asks for a withdrawal.
func (u *Update) CreateWithdrawal(asked NewWithdrawal) (Submission, error) {
	return u.submit(asked.By, asked.Partner, func() (*transactionCreated, error) {
		from, tx, err := u.outgoing(KindWithdrawal, asked.Sending)
		if err != nil {
			return nil, err
		}
		if u.Choices.WithdrawalLock && slices.ContainsFunc(from.entries.out, u.isOpenWithdrawal) {
			return nil, invalid("the wallet is locked: a withdrawal from it waits")
		}
		address := strings.TrimSpace(asked.Address)
		if _, allowed := from.Fund.Whitelisted(from.Asset, address); !allowed {
			return nil, invalid("address is not on the fund's whitelist for %s", from.Asset)
		}
		tx.Address, tx.Reference, tx.BenefitOf, tx.AccountNo = address, asked.Reference, asked.BenefitOf, asked.AccountNo
		return tx, nil
	})
}
