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

// TransactionRequest is what a transaction of the EVM is made from. What is paid for gas is given as
// GasPrice (a legacy transaction), or as MaxFeePerGas and MaxPriorityFeePerGas or one of these (EIP-1559), never as
// both. What is left out, the service chooses.
//
// Figures are in wei. One page of the service's documents says gwei; in its published transaction, and in the code
// of a customer, the figure stands in the transaction as it was given, and that is wei.
//
// Addresses begin with 0x; capitals among small letters must be their checksum: see [ChecksumAddress].
type TransactionRequest struct {
	From                 string `json:"from"`              // required: the address of a Web3 wallet
	To                   string `json:"to"`                // required: an address or a contract's
	Value                BigInt `json:"value"`             // required: wei, also if 0
	GasLimit             BigInt `json:"gasLimit"`          // required: 21000 for a plain payment, 0 for a call that costs nothing
	GasPrice             BigInt `json:"gasPrice,omitzero"` // wei
	MaxFeePerGas         BigInt `json:"maxFeePerGas,omitzero"`
	MaxPriorityFeePerGas BigInt `json:"maxPriorityFeePerGas,omitzero"`
	Data                 string `json:"data,omitzero"`    // 0x and hexadecimal: what a contract is called with
	ChainID              BigInt `json:"chainID,omitzero"` // 1 for Ethereum's main network, which is the default
	Note                 string `json:"note,omitzero"`    // for those who approve
}

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
		return invalid(field, "must be given, also if it is 0")
	}
	return nil
}

// checkFigure refuses a figure, if it is given, that is too small or too large.
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

// TransactionsService makes Web3 transactions and follows them.
type TransactionsService struct {
	client   *Client
	followed followed // what this client has created or seen
}

// Create asks for a transaction. It is signed when enough of those who approve for the wallet have approved
// it: [TransactionsService.Wait] waits for that. The service does not send it to a chain.
//
// The API has neither a key that makes a repeated request find the first one, as a PartnerTxID does, nor a
// list of transactions. So Create is sent once, and what it returns is never a
// [qredo.UnknownOutcomeError], which could be resolved by sending it again. An error that says that the
// request may have been carried out leaves open whether there is a transaction. Those who approve can tell,
// if Note tells it apart, and so can a [TransactionsService.Feed] that was open: ask before creating it
// again. One that is made twice does harm only if both are approved and sent to the chain.
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

// Get returns the whole transaction as it is now, not its status alone, which is [Transaction.Status].
// Once it is signed, it carries that form. One that there is not is [qredo.ErrNotFound].
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
	Total int        `json:"total"` // of those who have answered
	List  []Approval `json:"list"`
}

// ListApprovals returns what those who may approve a transaction have said; the pending have not yet. Who is not in the
// list has not answered either.
//
// API: GET /transactions/{tx_id}/approvals
func (s *TransactionsService) ListApprovals(ctx context.Context, id qredo.TxID, opts ...qredo.CallOption) ([]Approval, error) {
	return part(ctx, s.client, api("GET /transactions/{tx_id}/approvals", string(id)), opts, func(a *approvalList) []Approval { return a.List })
}

// Wait returns a transaction once it is signed. One that ends before, rejected or expired, is a
// [*qredo.TxError]; the end of ctx, or a failure to look, is an error that leaves the transaction as it is.
// It looks every two seconds unless [qredo.WithPollInterval] says otherwise.
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
