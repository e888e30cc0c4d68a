package qapi

import (
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/core"
)

// TransactionRequest is what a transaction of the EVM is made from. What is paid for gas is given as
// GasPrice (a legacy transaction), or as MaxFeePerGas and MaxPriorityFeePerGas (EIP-1559), never as both.
type TransactionRequest struct {
	From                 string `json:"from"`              // required: the address of a Web3 wallet
	To                   string `json:"to"`                // required: an address or a contract's
	Value                BigInt `json:"value"`             // required: wei, also if 0
	GasLimit             BigInt `json:"gasLimit"`          // required: 21000 for a plain payment
	GasPrice             BigInt `json:"gasPrice,omitzero"` // wei
	MaxFeePerGas         BigInt `json:"maxFeePerGas,omitzero"`
	MaxPriorityFeePerGas BigInt `json:"maxPriorityFeePerGas,omitzero"`
	Data                 string `json:"data,omitzero"`    // 0x and hexadecimal: what a contract is called with
	ChainID              BigInt `json:"chainID,omitzero"` // 1 for Ethereum's main network, which is the default
	Note                 string `json:"note,omitzero"`    // for those who approve
}

func (r TransactionRequest) validate() error {
	if err := checkAddress("from", r.From); err != nil {
		return err
	}
	if err := checkAddress("to", r.To); err != nil {
		return err
	}
	for _, figure := range []struct {
		field    string
		is       BigInt
		required bool
		least    int64
		bits     int
	}{
		{"value", r.Value, true, 0, evmBits},
		{"gasLimit", r.GasLimit, true, 1, 64},
		{"gasPrice", r.GasPrice, false, 0, evmBits},
		{"maxFeePerGas", r.MaxFeePerGas, false, 0, evmBits},
		{"maxPriorityFeePerGas", r.MaxPriorityFeePerGas, false, 0, evmBits},
		{"chainID", r.ChainID, false, 1, 64},
	} {
		switch {
		case figure.is.IsZero() && figure.required:
			return invalid(figure.field, "must be given, also if it is 0")
		case figure.is.IsZero():
		case figure.is.Cmp(big.NewInt(figure.least)) < 0:
			return invalid(figure.field, "must be at least %d, is %s", figure.least, figure.is)
		case figure.is.BitLen() > figure.bits:
			return invalid(figure.field, "must fit in %d bits, is %s", figure.bits, figure.is)
		}
	}
	if err := r.validateFees(); err != nil {
		return err
	}
	if r.Data == "" {
		return nil
	}
	digits, found := strings.CutPrefix(r.Data, "0x")
	if _, err := hex.DecodeString(digits); !found || err != nil {
		return invalid("data", "must be 0x and an even number of hexadecimal digits")
	}
	return nil
}

func (r TransactionRequest) validateFees() error {
	price, fee, tip := !r.GasPrice.IsZero(), !r.MaxFeePerGas.IsZero(), !r.MaxPriorityFeePerGas.IsZero()
	switch {
	case price && (fee || tip):
		return invalid("gasPrice", "must not be given together with maxFeePerGas or maxPriorityFeePerGas")
	case fee && !tip:
		return invalid("maxPriorityFeePerGas", "must be given together with maxFeePerGas")
	case tip && !fee:
		return invalid("maxFeePerGas", "must be given together with maxPriorityFeePerGas")
	case fee && r.MaxPriorityFeePerGas.Cmp(r.MaxFeePerGas.Int) > 0:
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
// The API has no key that makes a repeated request find the first one, so this one is not sent again when
// its answer is lost: then the transaction may have been made, and those who approve can tell. What is
// made twice does harm only if both are approved and sent.
//
// API: POST /transaction
func (s *TransactionsService) Create(ctx context.Context, req TransactionRequest, opts ...qredo.CallOption) (*Transaction, error) {
	if err := req.validate(); err != nil {
		return nil, err
	}
	tx, err := call[Transaction](ctx, s.client, operation{method: http.MethodPost, path: "/transaction", body: req}, opts)
	if err != nil {
		return nil, err
	}
	s.followed.see(tx)
	return tx, nil
}

// Status returns a transaction as it is now. Once it is signed, it carries that form.
//
// API: GET /transactions/{tx_id}/status
func (s *TransactionsService) Status(ctx context.Context, id qredo.TxID, opts ...qredo.CallOption) (*Transaction, error) {
	tx, err := call[Transaction](ctx, s.client, operation{
		method: http.MethodGet, path: "/transactions/{tx_id}/status", ids: []string{string(id)},
	}, opts)
	if err != nil {
		return nil, err
	}
	if tx.ID != id {
		return nil, fmt.Errorf("qapi: asked for transaction %s, the answer is about %q: %w", id, tx.ID, qredo.ErrBadAnswer)
	}
	s.followed.see(tx)
	return tx, nil
}

type approvalList struct {
	List []Approval `json:"list"`
}

// Approvals returns what each of those who may approve a transaction has said.
//
// API: GET /transactions/{tx_id}/approvals
func (s *TransactionsService) Approvals(ctx context.Context, id qredo.TxID, opts ...qredo.CallOption) ([]Approval, error) {
	got, err := call[approvalList](ctx, s.client, operation{
		method: http.MethodGet, path: "/transactions/{tx_id}/approvals", ids: []string{string(id)},
	}, opts)
	if err != nil {
		return nil, err
	}
	return got.List, nil
}

// Wait returns a transaction once it is signed. One that ends before, rejected or expired, is a
// [*qredo.TxError]; the end of ctx, or a failure to look, is an error that leaves the transaction as it is.
// [qredo.WithPollInterval] sets how often it looks.
//
// API: GET /transactions/{tx_id}/status
func (s *TransactionsService) Wait(ctx context.Context, id qredo.TxID, opts ...qredo.CallOption) (*Transaction, error) {
	interval := core.PollInterval(opts)
	if interval <= 0 {
		return nil, invalid("poll interval", "must be more than zero, is %s", interval)
	}
	timer := time.NewTimer(interval)
	defer timer.Stop()
	for {
		tx, err := s.Status(ctx, id, opts...)
		switch {
		case err != nil:
			return nil, err
		case tx.Status.Failed():
			return nil, &qredo.TxError{TxID: tx.ID, Status: qredo.TxStatus(tx.Status)}
		case tx.Signed() || tx.Status.Ended():
			return tx, nil
		}
		timer.Reset(interval)
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("qapi: transaction %s is still %s: %w", tx.ID, tx.Status, ctx.Err())
		case <-timer.C:
		}
	}
}
