package qapi

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/qredo-go/qredo"
)

// TransactionRequest describes an EVM transaction to create. Give the price of gas either as GasPrice (a legacy transaction),
// or as MaxFeePerGas, MaxPriorityFeePerGas or both (EIP-1559), but never in both ways. The service chooses what you leave out.
//
// Figures are in wei. One page of the service's documents says gwei; but in its published transaction, and in a customer's
// code, the figure appears in the transaction exactly as given, and that is wei.
//
// Addresses begin with 0x; if upper and lower case are mixed, that must be the checksum: see [ChecksumAddress].
type TransactionRequest struct {
	From                 string `json:"from"`              // required: the address of a Web3 wallet
	To                   string `json:"to"`                // required: an address or a contract
	Value                BigInt `json:"value"`             // required: wei, even if 0
	GasLimit             BigInt `json:"gasLimit"`          // required: 21000 for a plain payment, 0 for a call that costs nothing
	GasPrice             BigInt `json:"gasPrice,omitzero"` // wei
	MaxFeePerGas         BigInt `json:"maxFeePerGas,omitzero"`
	MaxPriorityFeePerGas BigInt `json:"maxPriorityFeePerGas,omitzero"`
	Data                 string `json:"data,omitzero"`    // 0x and hexadecimal: the call data for a contract
	ChainID              BigInt `json:"chainID,omitzero"` // default: 1, Ethereum's main network
	Note                 string `json:"note,omitzero"`    // for the approvers
}

// Validate returns a [*qredo.ValidationError] if the request cannot be valid. Sending it checks the same.
func (r TransactionRequest) Validate() error { return r.validate() }

func (r TransactionRequest) validate() error {
	return cmp.Or(
		checkAddress("from", r.From), checkAddress("to", r.To),
		checkGiven("value", r.Value), checkFigure("value", r.Value, 0, evmBits),
		checkGiven("gasLimit", r.GasLimit), checkFigure("gasLimit", r.GasLimit, 0, 64),
		checkFigure("gasPrice", r.GasPrice, 0, evmBits),
		checkFigure("maxFeePerGas", r.MaxFeePerGas, 0, evmBits),
		checkFigure("maxPriorityFeePerGas", r.MaxPriorityFeePerGas, 0, evmBits),
		checkFigure("chainID", r.ChainID, 1, 64),
		r.validateFees(), checkData(r.Data))
}

func checkGiven(field string, figure BigInt) error {
	if figure.IsZero() {
		return invalid(field, "must be given, even if it is 0")
	}
	return nil
}

// checkFigure refuses a figure that is given and too small or too large.
func checkFigure(field string, figure BigInt, least int64, bits int) error {
	switch {
	case figure.IsZero():
		return nil
	case figure.Cmp(big.NewInt(least)) < 0:
		return invalid(field, "must be at least %d, is %s", least, figure)
	case figure.BitLen() > bits:
		return invalid(field, "must fit in %d bits, is %s", bits, figure)
	}
	return nil
}

func checkData(data string) error {
	digits, found := strings.CutPrefix(data, "0x")
	if _, err := hex.DecodeString(digits); data != "" && (!found || err != nil) {
		return invalid("data", "must be 0x and an even number of hexadecimal digits")
	}
	return nil
}

func (r TransactionRequest) validateFees() error {
	price, fee, tip := !r.GasPrice.IsZero(), !r.MaxFeePerGas.IsZero(), !r.MaxPriorityFeePerGas.IsZero()
	switch {
	case price && (fee || tip):
		return invalid("gasPrice", "must not be given together with maxFeePerGas or maxPriorityFeePerGas")
	case fee && tip && r.MaxPriorityFeePerGas.Cmp(r.MaxFeePerGas.Int) > 0:
		return invalid("maxPriorityFeePerGas", "must not be more than maxFeePerGas, which is %s, is %s", r.MaxFeePerGas, r.MaxPriorityFeePerGas)
	}
	return nil
}

// TransactionsService creates Web3 transactions and follows them.
type TransactionsService struct {
	client   *Client
	followed followed // transactions that this client has created or seen
}

// Create asks for a transaction. It is signed once enough of the wallet's approvers have approved it:
// [TransactionsService.Wait] waits for that. The service does not send it to a chain.
//
// The API has no key that makes a repeated request find the first one, as a PartnerTxID does, and no list of transactions. So
// Create is sent only once, and never returns a [qredo.UnknownOutcomeError], which you could resolve by sending it again. If an
// error says that the request may have been carried out, it is open whether there is a transaction. The approvers can tell, if
// Note identifies it, and so can a [TransactionsService.Feed] that was open: ask before you create it again. A transaction made
// twice only does harm if both are approved and sent to the chain.
//
// API: POST /transaction
func (s *TransactionsService) Create(ctx context.Context, req TransactionRequest, opts ...qredo.CallOption) (*Transaction, error) {
	tx, err := call[Transaction](ctx, s.client, api("POST /transaction").with(req), opts)
	if err != nil {
		return nil, err
	}
	s.followed.see(tx)
	return tx, nil
}

// Get returns the complete transaction as it is now, not only its status, which is in [Transaction.Status]. Once it is signed,
// it includes the signed form. It returns [qredo.ErrNotFound] for an unknown transaction.
//
// API: GET /transactions/{tx_id}/status
func (s *TransactionsService) Get(ctx context.Context, id qredo.TxID, opts ...qredo.CallOption) (*Transaction, error) {
	tx, err := call[Transaction](ctx, s.client, api("GET /transactions/{tx_id}/status", string(id)), opts)
	if err != nil {
		return nil, err
	}
	s.followed.see(tx)
	return tx, nil
}

type approvalList struct {
	Total int        `json:"total"` // those who have answered
	List  []Approval `json:"list"`
}

// ListApprovals returns the approvers' answers so far; those with status pending have not answered yet, nor have approvers who
// are not in the list.
//
// API: GET /transactions/{tx_id}/approvals
func (s *TransactionsService) ListApprovals(ctx context.Context, id qredo.TxID, opts ...qredo.CallOption) ([]Approval, error) {
	return part(ctx, s.client, api("GET /transactions/{tx_id}/approvals", string(id)), opts, func(a *approvalList) []Approval { return a.List })
}

// Wait returns a transaction once it is signed. It returns a [*qredo.TxError] if the transaction is rejected or expires first.
// Any other error, such as the end of ctx or a failed read, leaves the transaction as it is. Wait looks at the interval set by
// [qredo.WithPollInterval]. Default: 2 s.
//
// API: GET /transactions/{tx_id}/status
func (s *TransactionsService) Wait(ctx context.Context, id qredo.TxID, opts ...qredo.CallOption) (tx *Transaction, err error) {
	err = qredo.Poll(ctx, func() (still string, err error) {
		tx, err = s.Get(ctx, id, opts...)
		switch {
		case err != nil:
			return "", err
		case tx.Status.Failed():
			return "", &qredo.TxError{TxID: tx.ID, Status: qredo.TxStatus(tx.Status)}
		case tx.Signed() || tx.Status.Ended():
			return "", nil
		}
		return fmt.Sprintf("transaction %s is still %s", tx.ID, tx.Status), nil
	}, opts...)
	if err != nil {
		return nil, err
	}
	return tx, nil
}
