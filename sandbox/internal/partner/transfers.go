package partner

import (
	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/forms"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// submitted is the answer to a request for a transaction.
func submitted(made world.Submission, err error) (any, error) {
	answer := qredo.Submission{TxID: made.ID, Status: qredo.SubmissionNew}
	if made.Known {
		answer.Status = qredo.SubmissionExisting
	}
	if made.Kind != world.KindSwapMake {
		return answer, err
	}
	return qredo.SwapSubmission{Submission: answer, URL: swapPage + string(made.ID)}, err
}

// swapPage begins the link to a quote in the web app, for people.
const swapPage = "https://qredo.network/aswp"

// sending is what transfers, withdrawals and swaps ask for alike.
func sending(r *serve.Request, from qredo.WalletID, send qredo.AssetAmount, expires qredo.Time, partner qredo.PartnerTxID) world.Sending {
	return world.Sending{By: r.Caller(), Company: companyID(r), From: from, Send: send, Expires: expires, Partner: partner}
}

// transferRequest is a request for a transfer, also with the recipient under the name that one guide has.
type transferRequest struct {
	WalletID     qredo.WalletID     `json:"wallet_id"`
	Counterparty string             `json:"counterparty_wallet_address" alias:"counterparty_wallet_id"`
	Reference    string             `json:"reference"`
	BenefitOf    string             `json:"benefit_of"`
	AccountNo    string             `json:"account_no"`
	PartnerTxID  qredo.PartnerTxID  `json:"partner_txID"`
	AuthorizeID  qredo.CoreClientID `json:"authorize_id"`
	Expires      qredo.Time         `json:"expires"`
	Send         qredo.AssetAmount  `json:"send"`
}

func createTransfer(r *serve.Request, u *world.Update, req transferRequest) (any, error) {
	return submitted(u.CreateTransfer(world.NewTransfer{
		Sending: sending(r, req.WalletID, req.Send, req.Expires, req.PartnerTxID),
		To:      req.Counterparty, Authorize: req.AuthorizeID,
		Remarks: world.Remarks{Reference: req.Reference, BenefitOf: req.BenefitOf, AccountNo: req.AccountNo},
	}))
}

func createWithdrawal(r *serve.Request, u *world.Update, req qredo.WithdrawalRequest) (any, error) {
	return submitted(u.CreateWithdrawal(world.NewWithdrawal{
		Sending: sending(r, req.WalletID, req.Send, req.Expires, req.PartnerTxID),
		Address: req.Address,
		Remarks: world.Remarks{Reference: req.Reference, BenefitOf: req.BenefitOf, AccountNo: req.AccountNo},
	}))
}

// sent finds the transaction of one of some kinds that the path names, among those of the path's company.
func sent(kinds ...world.Kind) serve.Find[*world.Transaction] {
	return func(r *serve.Request, v *world.View) (*world.Transaction, error) {
		c, err := company(r, v)
		if err != nil {
			return nil, err
		}
		return v.Sent(c, r.IDs["tx_id"], kinds...)
	}
}

func getTransaction(_ *serve.Request, v *world.View, tx *world.Transaction) (any, error) {
	return wireTransaction(v, tx), nil
}

// Transaction is what this API answers who asks for a transaction. A deposit has none but an entry of the ledger; a policy
// update or a connection none but the actions that ask for it. It is nil for a Web3 transaction.
func Transaction(v *world.View, tx *world.Transaction) any {
	switch tx.Kind {
	case world.KindDeposit:
		return wireEntry(world.Entry{Tx: tx, In: true})
	case world.KindSweep:
		return wireSweep(tx)
	case world.KindConnect, world.KindPolicyUpdate:
		if len(tx.Asked) == 0 {
			return nil // a world that was written by hand
		}
		return wireDetailedAction(v, tx.Asked[0], false)
	case world.KindWeb3:
		return nil
	default:
		return wireTransaction(v, tx)
	}
}

func wireTransaction(v *world.View, tx *world.Transaction) qredo.Transaction {
	company := tx.Sender.Fund.Company.Profile.Name
	out := qredo.Transaction{
		ID: tx.ID, Status: tx.Status, ApprovedCount: tx.Round.Approvals(), ThresholdRequired: tx.Round.Threshold,
		Expires: forms.Time(tx.Expires), Initiated: forms.Time(tx.Created), InitiatorAuthorized: tx.IsAuthorized(),
		InitiatorName: company, Reference: tx.Reference,
		Approvals: make([]qredo.Approval, len(tx.Asked)),
		Details: qredo.TransactionDetails{
			Asset: tx.Asset, Amount: qredo.Amount(tx.Amount), Fees: qredo.Amount(tx.Fee), NetAmount: tx.Net(),
			FundID: tx.Sender.Fund.ID, RecipientAddress: tx.Address, Reference: tx.Reference, BenefitOf: tx.BenefitOf,
			AccountNo: tx.AccountNo, RequestedBy: company, // its expires is 0: the transaction's own counts
		},
	}
	switch {
	case tx.Recipient != nil:
		out.Details.RecipientAddress = string(tx.Recipient.ID)
		if u := v.RecipientUser(tx); u != nil {
			out.Details.RecipientEmail, out.Details.RecipientUsername = u.Email, u.Username
			out.Details.RecipientFirstName, out.Details.RecipientLastName = u.FirstName, u.LastName
		}
	case tx.Receive != "":
		out.Details.RecipientAddress = string(tx.Receive)
	}
	for i, id := range tx.Asked {
		vote := tx.AskedVote(i)
		approval := qredo.Approval{ActionID: id, UserID: vote.Member, Status: tx.Approval(vote), Time: forms.Time(vote.At)}
		if u := v.User(vote.Member); u != nil {
			approval.Username, approval.FirstName, approval.LastName = u.Username, u.FirstName, u.LastName
		}
		out.Approvals[i] = approval
	}
	return out
}
