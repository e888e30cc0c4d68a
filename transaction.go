package qredo

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/qredo-go/qredo/internal/backoff"
	"github.com/qredo-go/qredo/internal/wire"
)

// Transaction is a transfer, withdrawal or swap, at any stage.
type Transaction struct {
	ID                  TxID               `json:"txID" required:"true"`
	Status              TxStatus           `json:"txStatus"`
	ApprovedCount       int                `json:"approvedCount" alias:"approver_count"` // approvals so far
	ThresholdRequired   int                `json:"thresholdRequired"`                    // approvals needed
	Expires             Time               `json:"expires"`
	Initiated           Time               `json:"initiatedTimestamp"`
	InitiatorAuthorized bool               `json:"initiatorAuthorized"` // false while it is pending_initiate
	InitiatorName       string             `json:"initiatorName"`       // the name of the company that sends
	Reference           string             `json:"reference"`
	Approvals           []Approval         `json:"status"` // of all who are asked, or only of those who approved
	Details             TransactionDetails `json:"statusDetails"`
}

// TransactionDetails says what a transaction moves, from where and to whom.
type TransactionDetails struct {
	Asset              AssetCode `json:"asset"`
	Amount             Amount    `json:"amount"` // base units; net amount plus fees
	NetAmount          Amount    `json:"netAmount"`
	Fees               Amount    `json:"fees"`
	FundID             FundID    `json:"fundID,omitzero"`
	WalletID           WalletID  `json:"walletID,omitzero"`          // for sweeps: the sending wallet
	RecipientWalletID  WalletID  `json:"recipientWalletID,omitzero"` // for sweeps: the receiving wallet
	RecipientAddress   string    `json:"recipientAddress"`           // an address or a wallet's ID; sometimes empty
	RecipientEmail     string    `json:"recipientEmail"`
	RecipientFirstName string    `json:"recipientFirstName"`
	RecipientLastName  string    `json:"recipientLastName"`
	RecipientUsername  string    `json:"recipientUsername"`
	Reference          string    `json:"reference"`
	BenefitOf          string    `json:"benefitOf"`
	AccountNo          string    `json:"accountNo"`
	RequestedBy        string    `json:"requestedBy"`
	Expires            Time      `json:"expires"` // usually zero: use the transaction's own
}

// Approval is one approver's answer so far. The names are empty for a core client, whose ID is in UserID.
type Approval struct {
	ActionID  ActionID       `json:"actionID"`
	UserID    string         `json:"userID" alias:"entity"`
	Username  string         `json:"username"`
	FirstName string         `json:"firstName"`
	LastName  string         `json:"lastName"`
	Status    ApprovalStatus `json:"status"`
	Time      Time           `json:"timestamp"`
}

// ApprovalStatus is an approver's answer. The service may return other values.
type ApprovalStatus string

// The states of an approval.
const (
	ApprovalPending  ApprovalStatus = "pending"
	ApprovalApproved ApprovalStatus = "approved"
	ApprovalRejected ApprovalStatus = "rejected"
	ApprovalExpired  ApprovalStatus = "expired"
)

// TxStatus is the state of a transaction. The service may return other values.
type TxStatus string

// The states of a transaction.
const (
	TxPendingInitiate  TxStatus = "pending_initiate" // the initiator has not authorised it yet
	TxPending          TxStatus = "pending"
	TxApproved         TxStatus = "approved"
	TxExpired          TxStatus = "expired"
	TxInitiateRejected TxStatus = "initiate_rejected"
	TxCustodyRejected  TxStatus = "custody_rejected"
	TxChainRejected    TxStatus = "chain_rejected" // refused by the service's own chain, after approval: ask support
	TxRejected         TxStatus = "rejected"
	TxTakerPending     TxStatus = "taker_pending"  // a swap approved by the maker's side
	TxTakerApproved    TxStatus = "taker_approved" // a swap that is settled
)

var txStatuses = []TxStatus{
	TxApproved, TxPending, TxExpired, TxPendingInitiate, TxInitiateRejected, TxCustodyRejected, TxChainRejected,
	TxRejected, TxTakerPending, TxTakerApproved, "",
}

// UnmarshalJSON reads a status. In the service's schema the kind of transaction is added to it, which is dropped.
func (s *TxStatus) UnmarshalJSON(data []byte) error {
	for _, known := range txStatuses {
		if len(data) == len(known)+2 && string(data[1:len(data)-1]) == string(known) {
			*s = known // without a copy, since ledgers have one in each entry
			return nil
		}
	}
	text, err := wire.Text(data)
	if err != nil {
		return err
	}
	text = strings.TrimSuffix(strings.TrimSuffix(text, "_transfer"), "_withdrawal")
	*s = TxStatus(text)
	return nil
}

// Failed reports whether the transaction has ended without being completed.
func (s TxStatus) Failed() bool {
	switch s {
	case TxExpired, TxInitiateRejected, TxCustodyRejected, TxChainRejected, TxRejected:
		return true
	default:
		return false
	}
}

// Done reports whether the transaction is approved and recorded on the service's own chain. A withdrawal's transaction on the
// asset's chain may follow later.
func (s TxStatus) Done() bool { return s == TxApproved || s == TxTakerApproved }

// waitForEnd returns a transaction once it has ended.
func waitForEnd(ctx context.Context, opts []CallOption, get func() (*Transaction, error)) (tx *Transaction, err error) {
	err = Poll(ctx, func() (still string, err error) {
		tx, err = get()
		switch {
		case err != nil || tx.Status.Done():
			return "", err
		case tx.Status.Failed():
			return "", &TxError{TxID: tx.ID, Status: tx.Status}
		}
		return fmt.Sprintf("transaction %s is still %s", tx.ID, tx.Status), nil
	}, opts...)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// Submission is the answer to a request for a transaction. Its JSON is complete, so you can store it and read it back.
type Submission struct {
	TxID   TxID             `json:"tx_id" required:"true"`
	Status SubmissionStatus `json:"status,omitzero"` // may be empty with older services
	// PartnerTxID is the one that was sent: either yours, or the one generated for the request.
	PartnerTxID PartnerTxID `json:"partner_txID,omitzero"`
}

// SubmissionStatus says whether a request made a transaction, or found an earlier one with the same PartnerTxID.
type SubmissionStatus string

// The possible results of a submission.
const (
	SubmissionNew      SubmissionStatus = "new"
	SubmissionExisting SubmissionStatus = "existing"
)

// submitted is the response to a request for a transaction.
type submitted interface {
	carry(id PartnerTxID, ours bool)
}

// carry sets the PartnerTxID that was sent. Nobody else knows a generated one, so if the service already has it,
// another copy of the same request made the transaction.
func (s *Submission) carry(id PartnerTxID, ours bool) {
	s.PartnerTxID = id
	if ours && s.Status == SubmissionExisting {
		s.Status = SubmissionNew
	}
}

// transactionRequest is a request for a transaction.
type transactionRequest interface {
	request
	partner() *PartnerTxID // by which the service recognises a repeated request
}

// submit sends a request for a transaction. It generates a missing PartnerTxID, so that the request can be repeated.
func submit[T any, P interface {
	*T
	submitted
}](ctx context.Context, c *Client, op operation, req transactionRequest, opts []CallOption) (*T, error) {
	options := newCallOptions(opts)
	partner := req.partner()
	ours := *partner == "" && !options.noPartnerTxID
	if ours {
		*partner = PartnerTxID(rand.Text())
	}
	if *req.partner() != *partner { // otherwise a copy of the request would be sent without it, again and again
		return nil, invalid("partner_txID", "cannot be set in a %T", req)
	}
	op.body, op.repeatable, op.decides = req, *partner != "", *partner == ""
	out := new(T)
	maybeDone, err := c.perform(ctx, op, out, options)
	switch {
	case maybeDone:
		return nil, &UnknownOutcomeError{PartnerTxID: *partner, Err: err}
	case err != nil:
		return nil, err
	}
	P(out).carry(*partner, ours)
	return out, nil
}

// Poll calls look repeatedly, at the interval set by [WithPollInterval], until it returns an empty string or an error. The
// string says what is still being waited for; if ctx ends, the error contains it.
func Poll(ctx context.Context, look func() (still string, err error), opts ...CallOption) error {
	interval := newCallOptions(opts).pollInterval
	if interval <= 0 {
		return invalid("poll interval", "must be more than zero, is %s", interval)
	}
	for {
		still, err := look()
		if err != nil || still == "" {
			return err
		}
		if err := backoff.Wait(ctx, interval); err != nil {
			return fmt.Errorf("qredo: %s: %w", still, err)
		}
	}
}
