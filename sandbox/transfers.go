package sandbox

import (
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
)

func createTransfer(r *request, req qredo.TransferRequest) (any, error) {
	return r.submit(req.PartnerTxID, func() (*transactionCreated, error) {
		from, tx, err := r.outgoing(kindTransfer, req.WalletID, req.Send, req.Expires)
		if err != nil {
			return nil, err
		}
		to, err := r.recipient(from, req.Counterparty)
		if err != nil {
			return nil, err
		}
		if tx.Authorize, err = r.authorization(req.AuthorizeID); err != nil {
			return nil, err
		}
		tx.To, tx.Reference, tx.BenefitOf, tx.AccountNo = to.ID, req.Reference, req.BenefitOf, req.AccountNo
		return tx, nil
	})
}

// recipient finds a wallet of any account by its ID or short code, for what another wallet sends.
func (r *request) recipient(from *wallet, address string) (*wallet, error) {
	to := r.st.walletNamed(address)
	switch {
	case strings.TrimSpace(address) == "":
		return nil, badRequest("the counterparty's wallet must be named")
	case to == nil:
		return nil, notFound("counterparty wallet")
	case to == from && r.choices.strict:
		return nil, badRequest("the counterparty is the wallet that sends")
	case to.Asset != from.Asset:
		return nil, badRequest("the counterparty's wallet holds %s", to.Asset)
	}
	return to, nil
}

func createWithdrawal(r *request, req qredo.WithdrawalRequest) (any, error) {
	return r.submit(req.PartnerTxID, func() (*transactionCreated, error) {
		from, tx, err := r.outgoing(kindWithdrawal, req.WalletID, req.Send, req.Expires)
		if err != nil {
			return nil, err
		}
		if r.choices.withdrawalLock && slices.ContainsFunc(from.entries.out, entry.isOpenWithdrawal) {
			return nil, badRequest("the wallet is locked: a withdrawal from it waits")
		}
		address := strings.TrimSpace(req.Address)
		if _, allowed := from.fund.whitelisted(from.Asset, address); !allowed {
			return nil, badRequest("address is not on the fund's whitelist for %s", from.Asset)
		}
		tx.Address, tx.Reference, tx.BenefitOf, tx.AccountNo = address, req.Reference, req.BenefitOf, req.AccountNo
		return tx, nil
	})
}
