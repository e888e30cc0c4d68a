package outbox

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/path"
)

// Request is something that an outbox can send: a [Transfer], a [Withdrawal] or a [Sweep]. Unless you set its PartnerTxID, the
// outbox does.
type Request interface {
	// Validate returns a [*qredo.ValidationError] if the request cannot be valid at the time now.
	Validate(now time.Time) error

	kind() string
	// owner is the ID in the path that the request is sent to, and its name.
	owner() (field, id string)
	expires() qredo.Time
	partner() qredo.PartnerTxID
	// with returns the request with another PartnerTxID and expiry.
	with(id qredo.PartnerTxID, expires qredo.Time) Request
	moves() movement
	submit(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) (*qredo.Submission, error)
	look(ctx context.Context, c *qredo.Client, id qredo.TxID) (*qredo.Transaction, error)
}

// Transfer asks for a transfer from a company's wallet to another wallet.
type Transfer struct {
	CompanyID qredo.CompanyID `json:"company_id"`
	qredo.TransferRequest
}

func (r Transfer) kind() string               { return "transfer" }
func (r Transfer) owner() (field, id string)  { return "company_id", string(r.CompanyID) }
func (r Transfer) expires() qredo.Time        { return r.Expires }
func (r Transfer) partner() qredo.PartnerTxID { return r.PartnerTxID }

func (r Transfer) with(id qredo.PartnerTxID, expires qredo.Time) Request {
	r.PartnerTxID, r.Expires = id, expires
	return r
}

func (r Transfer) submit(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) (*qredo.Submission, error) {
	return c.Transfers.Create(ctx, r.CompanyID, r.TransferRequest, opts...)
}

func (r Transfer) look(ctx context.Context, c *qredo.Client, id qredo.TxID) (*qredo.Transaction, error) {
	return c.Transfers.Get(ctx, r.CompanyID, id)
}

// Withdrawal asks for a withdrawal from a company's wallet to a whitelisted address.
type Withdrawal struct {
	CompanyID qredo.CompanyID `json:"company_id"`
	qredo.WithdrawalRequest
}

func (r Withdrawal) kind() string               { return "withdrawal" }
func (r Withdrawal) owner() (field, id string)  { return "company_id", string(r.CompanyID) }
func (r Withdrawal) expires() qredo.Time        { return r.Expires }
func (r Withdrawal) partner() qredo.PartnerTxID { return r.PartnerTxID }

func (r Withdrawal) with(id qredo.PartnerTxID, expires qredo.Time) Request {
	r.PartnerTxID, r.Expires = id, expires
	return r
}

func (r Withdrawal) submit(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) (*qredo.Submission, error) {
	return c.Transfers.Withdraw(ctx, r.CompanyID, r.WithdrawalRequest, opts...)
}

func (r Withdrawal) look(ctx context.Context, c *qredo.Client, id qredo.TxID) (*qredo.Transaction, error) {
	return c.Transfers.GetWithdrawal(ctx, r.CompanyID, id)
}

// Sweep asks for a sweep out of a wallet that is connected to a core client.
type Sweep struct {
	CoreClientID qredo.CoreClientID `json:"core_client_id"`
	qredo.SweepRequest
}

func (r Sweep) kind() string               { return "sweep" }
func (r Sweep) owner() (field, id string)  { return "core_client_id", string(r.CoreClientID) }
func (r Sweep) expires() qredo.Time        { return r.Expires }
func (r Sweep) partner() qredo.PartnerTxID { return r.PartnerTxID }

func (r Sweep) with(id qredo.PartnerTxID, expires qredo.Time) Request {
	r.PartnerTxID, r.Expires = id, expires
	return r
}

func (r Sweep) submit(ctx context.Context, c *qredo.Client, opts ...qredo.CallOption) (*qredo.Submission, error) {
	return c.CoreClients.Sweep(ctx, r.CoreClientID, r.SweepRequest, opts...)
}

func (r Sweep) look(ctx context.Context, c *qredo.Client, id qredo.TxID) (*qredo.Transaction, error) {
	return c.CoreClients.GetSweep(ctx, r.CoreClientID, id)
}

// movement is what a request would move.
type movement struct {
	send      qredo.AssetAmount
	from      qredo.WalletID
	wallet    string // recipient, of sweeps
	address   string // recipient address, or a wallet's ID or short code
	reference string
}

func (r Transfer) moves() movement {
	return movement{send: r.Send, from: r.WalletID, address: r.Counterparty, reference: r.Reference}
}

func (r Withdrawal) moves() movement {
	return movement{send: r.Send, from: r.WalletID, address: r.Address, reference: r.Reference}
}

func (r Sweep) moves() movement {
	return movement{send: r.Send, from: r.WalletID, wallet: string(r.RecipientWalletID), reference: r.Reference}
}

// checkRequest refuses a request that is invalid at a given time.
func checkRequest(r Request, now time.Time) error {
	field, id := r.owner()
	if problem := path.Check(field, id); problem != nil {
		return &qredo.ValidationError{Field: field, Rule: problem.Rule}
	}
	return r.Validate(now)
}

// essence is what makes two requests the same: everything except the expiry and the PartnerTxID.
func essence(r Request) (string, error) {
	data, err := json.Marshal(r.with("", qredo.Time{}))
	return r.kind() + string(data), err
}

// derivePartnerTxID derives the ID by which the service recognises a repeated request. It depends only on the key and the
// request, so a program that loses its store and enqueues the payment again does not pay twice. It must be the same in
// every version: it is quoted to ASCII, since the result of %q alone depends on the Unicode tables of the Go version.
func derivePartnerTxID(key, essence string) qredo.PartnerTxID {
	sum := sha256.Sum256(fmt.Appendf(nil, "qredo outbox 1 %+q %+q", key, essence))
	return qredo.PartnerTxID(base32.StdEncoding.EncodeToString(sum[:20]))
}
