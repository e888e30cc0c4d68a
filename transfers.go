package qredo

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"
)

// AssetAmount is a quantity of an asset, in base units. In a request it is what arrives; the fee is charged to the wallet on
// top. [AssetsService.GetFees] returns what then leaves the wallet.
type AssetAmount struct {
	Asset  AssetCode `json:"symbol"`
	Amount Amount    `json:"amount"`
}

// In formats the quantity for people, in whole units of its asset: "0.5 BTC". If asset is a different one, or its scale is not
// a power of ten, it uses base units and says so: "50000000 base units of BTC".
func (a AssetAmount) In(asset Asset) string {
	if _, err := asset.decimals(); err != nil || asset.Code != a.Asset {
		return fmt.Sprintf("%d base units of %s", int64(a.Amount), a.Asset)
	}
	return asset.Format(a.Amount) + " " + string(a.Asset)
}

func (a AssetAmount) validate(field string) error {
	return cmp.Or(checkText(field+".symbol", a.Asset), checkAmount(field+".amount", a.Amount))
}

// TransferRequest moves an asset from a wallet to another wallet of the service.
type TransferRequest struct {
	WalletID WalletID `json:"wallet_id"` // the sending wallet
	// Counterparty is the recipient: a wallet's ID or its short code, not an address on a chain.
	Counterparty string `json:"counterparty_wallet_address"`
	// These three are your own free text, shown in approvals and in the ledger.
	Reference string `json:"reference,omitzero"`
	BenefitOf string `json:"benefit_of,omitzero"`
	AccountNo string `json:"account_no,omitzero"`
	// PartnerTxID makes the request safe to repeat: the service creates only one transaction for it. A request with the same
	// PartnerTxID returns the first transaction, even if amount or recipient differ. A PartnerTxID with leading or trailing
	// white space, or with invisible characters, is refused.
	PartnerTxID PartnerTxID `json:"partner_txID,omitzero"`
	// AuthorizeID names a core client that must authorise the transfer before the custody group is asked. Until then the status
	// is [TxPendingInitiate]; a refusal ends the transfer as [TxInitiateRejected].
	AuthorizeID CoreClientID `json:"authorize_id,omitzero"`
	// Expires is the time until which it can be approved. It is required, and must not be after the year 9999 (the wire format
	// is in milliseconds).
	Expires Time        `json:"expires"`
	Send    AssetAmount `json:"send"` // what arrives; the fee is charged to the wallet on top
}

// Validate returns a [*ValidationError] if the request cannot be valid at the time now. Sending it checks the same.
func (r TransferRequest) Validate(now time.Time) error { return r.validate(now) }

func (r TransferRequest) validate(now time.Time) error {
	if strings.TrimSpace(r.Counterparty) == "" {
		return invalid("counterparty_wallet_address", "must be a wallet's ID or short code, is empty")
	}
	return validateOutgoing(r.WalletID, r.Send, r.PartnerTxID, r.Expires, now)
}

func (r *TransferRequest) partner() *PartnerTxID { return &r.PartnerTxID }

// WithdrawalRequest moves an asset from a wallet to an address outside the service.
type WithdrawalRequest struct {
	WalletID    WalletID    `json:"wallet_id"` // the sending wallet
	Address     string      `json:"address"`   // on the asset's chain; it must be on the fund's whitelist
	Reference   string      `json:"reference,omitzero"`
	BenefitOf   string      `json:"benefit_of,omitzero"`
	AccountNo   string      `json:"account_no,omitzero"`
	PartnerTxID PartnerTxID `json:"partner_txID,omitzero"` // as in a [TransferRequest]
	Expires     Time        `json:"expires"`               // required: the time until which it can be approved
	Send        AssetAmount `json:"send"`                  // what arrives; the fee is charged to the wallet on top
}

// Validate returns a [*ValidationError] if the request cannot be valid at the time now. Sending it checks the same.
func (r WithdrawalRequest) Validate(now time.Time) error { return r.validate(now) }

func (r WithdrawalRequest) validate(now time.Time) error {
	if strings.TrimSpace(r.Address) == "" {
		return invalid("address", "must be an address on the asset's chain, is empty")
	}
	return validateOutgoing(r.WalletID, r.Send, r.PartnerTxID, r.Expires, now)
}

func (r *WithdrawalRequest) partner() *PartnerTxID { return &r.PartnerTxID }

func validateOutgoing(from WalletID, send AssetAmount, partner PartnerTxID, expires Time, now time.Time) error {
	return cmp.Or(checkID("wallet_id", from), send.validate("send"), checkPartnerTxID(partner), checkExpiry(expires, now))
}

// TransfersService moves assets between wallets, and out of the service.
type TransfersService struct{ client *Client }

// Create asks for a transfer. It is carried out once enough members of the wallet's custody group approve it before it expires;
// [TransfersService.Wait] waits for that.
//
// API: POST /company/{company_id}/transfer
func (s *TransfersService) Create(ctx context.Context, companyID CompanyID, req TransferRequest, opts ...CallOption) (*Submission, error) {
	return submit[Submission](ctx, s.client, api("POST /company/{company_id}/transfer", string(companyID)), &req, opts)
}

// Get returns a transfer with its approvals.
//
// API: GET /company/{company_id}/transfer/{tx_id}
func (s *TransfersService) Get(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return s.get(ctx, "/company/{company_id}/transfer/{tx_id}", companyID, txID, opts)
}

// Wait returns a transfer once it is approved. It returns a [*TxError] if the transfer is rejected or expires. Any other error,
// such as the end of ctx or a failed read, leaves the transfer as it is.
//
// API: GET /company/{company_id}/transfer/{tx_id}
func (s *TransfersService) Wait(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return waitForEnd(ctx, opts, func() (*Transaction, error) { return s.Get(ctx, companyID, txID, opts...) })
}

// Withdraw asks for a withdrawal to a whitelisted address. It is carried out once enough members of the wallet's custody group
// approve it before it expires; [TransfersService.WaitWithdrawal] waits for that.
//
// API: POST /company/{company_id}/withdraw
func (s *TransfersService) Withdraw(ctx context.Context, companyID CompanyID, req WithdrawalRequest, opts ...CallOption) (*Submission, error) {
	return submit[Submission](ctx, s.client, api("POST /company/{company_id}/withdraw", string(companyID)), &req, opts)
}

// GetWithdrawal returns a withdrawal with its approvals.
//
// API: GET /company/{company_id}/withdraw/{tx_id}
func (s *TransfersService) GetWithdrawal(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return s.get(ctx, "/company/{company_id}/withdraw/{tx_id}", companyID, txID, opts)
}

// WaitWithdrawal returns a withdrawal once it is approved, as [TransfersService.Wait] does for transfers.
//
// API: GET /company/{company_id}/withdraw/{tx_id}
func (s *TransfersService) WaitWithdrawal(ctx context.Context, companyID CompanyID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return waitForEnd(ctx, opts, func() (*Transaction, error) { return s.GetWithdrawal(ctx, companyID, txID, opts...) })
}

func (s *TransfersService) get(ctx context.Context, path string, companyID CompanyID, txID TxID, opts []CallOption) (*Transaction, error) {
	return call[Transaction](ctx, s.client, api("GET "+path, string(companyID), string(txID)), opts)
}
