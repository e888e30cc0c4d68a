package sandbox

import (
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/ledger"
)

func createTransfer(r *request) ([]change, any, error) {
	var req qredo.TransferRequest
	if err := r.read(&req); err != nil {
		return nil, nil, err
	}
	return r.submit(req.PartnerTxID, req.WalletID, req.Send, req.Expires, kindTransfer,
		func(from *wallet, tx *transactionCreated) error {
			to := r.counterparty(req.Counterparty)
			switch {
			case to == nil:
				return notFound("counterparty wallet")
			case to == from:
				return badRequest("counterparty_wallet_address is the wallet that sends")
			case to.Asset != from.Asset:
				return badRequest("the counterparty's wallet holds %s", to.Asset)
			}
			tx.To, tx.Reference, tx.BenefitOf, tx.AccountNo = to.ID, req.Reference, req.BenefitOf, req.AccountNo
			return nil
		})
}

// counterparty finds a wallet of any account by its ID or short code.
func (r *request) counterparty(address string) *wallet {
	address = strings.TrimSpace(address)
	if w := r.st.wallets[qredo.WalletID(address)]; w != nil {
		return w
	}
	return r.st.byShortCode[strings.Join(strings.Fields(strings.ToLower(address)), "-")]
}

func createWithdrawal(r *request) ([]change, any, error) {
	var req qredo.WithdrawalRequest
	if err := r.read(&req); err != nil {
		return nil, nil, err
	}
	return r.submit(req.PartnerTxID, req.WalletID, req.Send, req.Expires, kindWithdrawal,
		func(from *wallet, tx *transactionCreated) error {
			address := strings.TrimSpace(req.Address)
			if !from.fund.allows(from.Asset, address) {
				return badRequest("address is not on the fund's whitelist for %s", from.Asset)
			}
			tx.Address, tx.Reference, tx.BenefitOf, tx.AccountNo = address, req.Reference, req.BenefitOf, req.AccountNo
			return nil
		})
}

// submit makes a transaction that waits for the approval of its wallet's custody group. complete checks
// and adds what is particular to its kind.
func (r *request) submit(partner qredo.PartnerTxID, from qredo.WalletID, send qredo.AssetAmount, expires qredo.Time, kind txKind,
	complete func(from *wallet, tx *transactionCreated) error,
) ([]change, any, error) {
	c, err := r.company()
	if err != nil {
		return nil, nil, err
	}
	if partner != "" {
		// Before anything else is checked: a repeat must find its transaction, whatever has changed since.
		if first := r.st.byPartner[partnerKey{r.key.id, partner}]; first != nil {
			return nil, qredo.Submission{TxID: first.ID, Status: qredo.SubmissionExisting}, nil
		}
	}
	w, err := r.walletOf(from)
	if err != nil || w.fund.company != c {
		return nil, nil, notFound("wallet")
	}
	policy := w.policy(kind)
	switch {
	case policy == nil:
		return nil, nil, badRequest("neither the wallet nor its fund has a custody group for this")
	case send.Asset != w.Asset:
		return nil, nil, badRequest("send.symbol must be %s, which the wallet holds", w.Asset)
	case send.Amount <= 0:
		return nil, nil, badRequest("send.amount must be more than zero")
	case !expires.After(r.now):
		return nil, nil, badRequest("expires must be in the future")
	}
	tx := transactionCreated{
		ID: qredo.TxID(r.ids.ksuid(r.now)), Kind: kind, APIKey: r.key.id, Partner: partner, From: w.ID,
		Asset: w.Asset, Amount: int64(send.Amount), Fee: fee(int64(send.Amount)), Expires: expires.Time, Policy: *policy,
	}
	if err := complete(w, &tx); err != nil {
		return nil, nil, err
	}
	if err := r.st.book.Check(ledger.Move{Debit: w.available(), Credit: w.held(), Amount: tx.Amount}); err != nil {
		return nil, nil, badRequest("the wallet's %v", err)
	}
	for range policy.Members {
		tx.Actions = append(tx.Actions, qredo.ActionID(r.ids.ksuid(r.now)))
	}
	return []change{tx}, qredo.Submission{TxID: tx.ID, Status: qredo.SubmissionNew}, nil
}

func getTransfer(r *request) (any, error)   { return r.transaction(kindTransfer) }
func getWithdrawal(r *request) (any, error) { return r.transaction(kindWithdrawal) }

func (r *request) transaction(kind txKind) (any, error) {
	c, err := r.company()
	if err != nil {
		return nil, err
	}
	tx := r.st.txs[qredo.TxID(r.path["tx_id"])]
	if tx == nil || tx.Kind != kind || tx.from.fund.company != c {
		return nil, notFound("transaction")
	}
	return r.wireTransaction(tx), nil
}

func (r *request) wireTransaction(tx *transaction) qredo.Transaction {
	out := qredo.Transaction{
		ID: tx.ID, Status: tx.status, ApprovedCount: tx.round.Approvals(), ThresholdRequired: tx.round.Threshold,
		Expires: wireTime(tx.Expires), Initiated: wireTime(tx.created), InitiatorAuthorized: true,
		InitiatorName: initiator, Reference: tx.Reference,
		Approvals: make([]qredo.Approval, len(tx.round.Votes)),
		Details: qredo.TransactionDetails{
			Asset: tx.Asset, Amount: qredo.Amount(tx.Amount), Fees: qredo.Amount(tx.Fee), NetAmount: qredo.Amount(tx.Amount - tx.Fee),
			FundID: tx.from.fund.ID, RecipientAddress: tx.Address, Reference: tx.Reference, BenefitOf: tx.BenefitOf,
			AccountNo: tx.AccountNo, RequestedBy: initiator, Expires: wireTime(tx.Expires),
		},
	}
	if tx.to != nil {
		out.Details.RecipientAddress = string(tx.to.ID)
	}
	for i, v := range tx.round.Votes {
		approval := qredo.Approval{ActionID: tx.Actions[i], UserID: v.Member, Status: approvalStatus(v, tx), Time: wireTime(v.At)}
		if u := r.st.users[v.Member]; u != nil {
			approval.Username, approval.FirstName, approval.LastName = u.Username, u.FirstName, u.LastName
		}
		out.Approvals[i] = approval
	}
	return out
}

// initiator is who asked for a transaction: requests come from programs, not people.
const initiator = "Partner API"

func approvalStatus(v custody.Vote, tx *transaction) qredo.ApprovalStatus {
	switch v.Choice {
	case custody.Approve:
		return qredo.ApprovalApproved
	case custody.Reject:
		return qredo.ApprovalRejected
	case custody.Waiting:
		if tx.round.Outcome == custody.Expired {
			return qredo.ApprovalExpired
		}
	}
	return qredo.ApprovalPending
}
