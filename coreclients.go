package qredo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/qredo-go/qredo/internal/feed"
	"github.com/qredo-go/qredo/internal/wire"
)

// CoreClient is a program that approves. Its ID is used as a trusted party's address and as a member of custody groups.
type CoreClient struct {
	ID      CoreClientID `json:"id" required:"true"`
	Name    string       `json:"name"`
	Feed    string       `json:"feed"` // URL of the WebSocket that delivers its actions
	Created Time         `json:"timestamp"`
}

type coreClientList struct {
	Count   int          `json:"count"`
	Clients []CoreClient `json:"clients"`
}

// ActionType says what is to be approved. The service may return other values.
type ActionType string

// The kinds of actions.
const (
	ActionWithdraw      ActionType = "ApproveWithdraw"
	ActionTransfer      ActionType = "ApproveTransfer"
	ActionSwap          ActionType = "ApproveSwap"
	ActionSwapTake      ActionType = "ApproveSwapTake"
	ActionWalletConnect ActionType = "ApproveNewWalletConnect"
	ActionExternalSign  ActionType = "ApproveExternalSign" // a Web3 transaction; this name and the next are the sandbox's
	ActionPolicyUpdate  ActionType = "ApproveUpdatePolicy"
)

// Action is something that a core client is asked to approve.
type Action struct {
	ID           ActionID       `json:"id" required:"true"`
	CoreClientID CoreClientID   `json:"coreClientID" alias:"clientID"` // who is asked
	Type         ActionType     `json:"type"`                          // may be one that this package has no constant for
	Status       ApprovalStatus `json:"status"`                        // [ApprovalPending] in lists and feeds
	Created      Time           `json:"timestamp"`
	Expires      Time           `json:"expireTime"`       // the time until which it can be decided
	Details      *ActionDetails `json:"details,omitzero"` // nil in lists and feeds
}

// Key identifies the action and its status, for [WithKnown].
func (a Action) Key() string { return statusKey(a.ID, a.Status) }

type actionList struct {
	Actions []Action `json:"actions"`
}

// ActionDetails says what happens if an action is approved. Which fields are set depends on its type. In the service's examples
// CompanyID is empty for withdrawals, and the initiator is always empty: do not approve because one of these fields differs
// from some value.
type ActionDetails struct {
	TxType    string    `json:"txType,omitzero"` // "transferOut" or "withdraw"; unknown for other types
	TxID      TxID      `json:"txID,omitzero"`
	Asset     AssetCode `json:"asset,omitzero"`
	Amount    Amount    `json:"amount,omitzero"` // base units; net amount plus fees
	NetAmount Amount    `json:"netAmount,omitzero"`
	Fees      Amount    `json:"fees,omitzero"`
	Reference string    `json:"reference,omitzero"`
	BenefitOf string    `json:"benefitOf,omitzero"`
	AccountNo string    `json:"accountNo,omitzero"`
	CompanyID CompanyID `json:"companyID,omitzero"` // whose money it is; empty for withdrawals
	FundID    FundID    `json:"fundID,omitzero"`
	WalletID  WalletID  `json:"walletID,omitzero"`
	Initiated Time      `json:"initiatedTime,omitzero"`
	Expires   Time      `json:"expires,omitzero"`

	RecipientAddress     string `json:"recipientAddress,omitzero"`     // for withdrawals
	RecipientAddressName string `json:"recipientAddressName,omitzero"` // its name on the whitelist
	RecipientID          string `json:"recipientID,omitzero"`          // for transfers: the wallet's ID
	RecipientName        string `json:"recipientName,omitzero"`        // the name of the company that holds it

	InitiatedBy   string `json:"initiatedBy,omitzero"` // may be empty, like the two below
	InitiatorName string `json:"initiatorName,omitzero"`
	InitiatorType string `json:"initiatorType,omitzero"`

	// Receive is what this side of a swap gets in return. The service's documents do not show the details of swaps: nil if the
	// service does not say.
	Receive *AssetAmount `json:"receive,omitzero"`

	// ClientData is, for connections, what the counterparty asked for and, for Web3 transactions, what they do: "value" in wei,
	// "chainID", "data". For these, Amount is unknown and 0.
	ClientData map[string]any `json:"clientData,omitzero"`
	Wallet     *ActionWallet  `json:"wallet,omitzero"` // for connections
}

// ActionWallet is a wallet that asks to be connected.
type ActionWallet struct {
	ID       WalletID   `json:"walletID"`
	Name     string     `json:"name"`
	Asset    AssetCode  `json:"asset"`
	Type     WalletType `json:"type"`
	TypeCode string     `json:"typeCode"`
}

// CoreClientWallet is a wallet connected to a core client, or asking to be.
type CoreClientWallet struct {
	WalletID WalletID       `json:"wallet_id"`
	ActionID ActionID       `json:"action_id"`
	Status   ApprovalStatus `json:"status"`
	Expires  Time           `json:"expires"`
}

type coreClientWallets struct {
	Wallets []CoreClientWallet `json:"wallets"`
}

// SweepRequest moves an asset out of a connected wallet.
type SweepRequest struct {
	WalletID          WalletID    `json:"wallet_id"`           // the wallet to sweep
	RecipientWalletID WalletID    `json:"recipient_wallet_id"` // where the asset goes
	Reference         string      `json:"reference,omitzero"`
	PartnerTxID       PartnerTxID `json:"partner_txID,omitzero"` // makes the request safe to repeat
	Expires           Time        `json:"expires"`               // required: the time until which it can be approved
	Send              AssetAmount `json:"send"`                  // what arrives; the fee is charged to the wallet on top
}

// Validate returns a [*ValidationError] if the request cannot be valid at the time now. Sending it checks the same.
func (r SweepRequest) Validate(now time.Time) error { return r.validate(now) }

func (r SweepRequest) validate(now time.Time) error {
	return cmp.Or(checkID("recipient_wallet_id", r.RecipientWalletID), validateOutgoing(r.WalletID, r.Send, r.PartnerTxID, r.Expires, now))
}

func (r *SweepRequest) partner() *PartnerTxID { return &r.PartnerTxID }

// CoreClientSignature is a core client's signature over a hash.
type CoreClientSignature struct {
	SignatureHex string       `json:"signature_hex" required:"true"`
	SignerID     CoreClientID `json:"signer_id"`
}

// VerifyRequest asks whether a signature over a hash was made by a core client.
type VerifyRequest struct {
	MessageHashHex string       `json:"message_hash_hex"`
	SignatureHex   string       `json:"signature_hex"`
	SignerID       CoreClientID `json:"signer_id"`
}

func (r VerifyRequest) validate(time.Time) error {
	return cmp.Or(
		checkHex("message_hash_hex", r.MessageHashHex), checkHex("signature_hex", r.SignatureHex), checkID("signer_id", r.SignerID))
}

// newCoreClient and signRequest are the wire forms of the requests of Create and Sign.
type (
	newCoreClient struct {
		Name string `json:"name"`
	}
	signRequest struct {
		MessageHashHex string `json:"message_hash_hex"`
	}
)

func (n newCoreClient) validate(time.Time) error { return checkText("name", n.Name) }

func (r signRequest) validate(time.Time) error { return checkHex("message_hash_hex", r.MessageHashHex) }

// CoreClientsService manages core clients and approves on their behalf.
type CoreClientsService struct{ client *Client }

// Create makes a core client.
//
// API: POST /coreclient
func (s *CoreClientsService) Create(ctx context.Context, name string, opts ...CallOption) (*CoreClient, error) {
	return call[CoreClient](ctx, s.client, api("POST /coreclient").with(newCoreClient{name}), opts)
}

// List returns all core clients that belong to the API key.
//
// API: GET /coreclient
func (s *CoreClientsService) List(ctx context.Context, opts ...CallOption) ([]CoreClient, error) {
	return list(ctx, s.client, api("GET /coreclient"), opts, func(a *coreClientList) []CoreClient { return a.Clients })
}

// ListActions returns the pending actions that a core client is asked to approve, without details. Actions that have been
// decided or have ended are not listed: read them by ID with [CoreClientsService.GetAction]. Be prepared for other statuses
// anyway. If the list is longer than an answer may be ([WithMaxResponse]), only pending actions are read from it.
//
// API: GET /coreclient/{client_id}/actions
func (s *CoreClientsService) ListActions(ctx context.Context, id CoreClientID, opts ...CallOption) ([]Action, error) {
	op := api("GET /coreclient/{client_id}/actions", string(id)).keeping(mayBePending)
	return list(ctx, s.client, op, opts, func(a *actionList) []Action { return a.Actions })
}

// keeping reads only some elements of a list that may exceed the response limit.
func (op operation) keeping(keep func(element []byte) bool) operation {
	op.shorten.Do = func(body io.Reader, most int64) ([]byte, error) { return wire.Shorten(body, most, keep) }
	return op
}

// mayBePending reports whether an action in a list is pending. Elements that cannot be parsed are kept, and reported
// later.
func mayBePending(action []byte) bool {
	var a struct {
		Status ApprovalStatus `json:"status"`
	}
	return wire.Unmarshal(action, &a) != nil || a.Status == ApprovalPending
}

// mayBeConnected reports whether a wallet in a list is connected, as mayBePending does.
func mayBeConnected(wallet []byte) bool {
	var w CoreClientWallet
	return wire.Unmarshal(wallet, &w) != nil || w.connected()
}

// connected reports whether a wallet is connected, as opposed to asking to be or having been rejected.
func (w CoreClientWallet) connected() bool {
	return !slices.Contains([]ApprovalStatus{ApprovalPending, ApprovalRejected, ApprovalExpired}, w.Status)
}

// GetAction returns an action with its details, whatever its status.
//
// API: GET /coreclient/{client_id}/action/{action_id}
func (s *CoreClientsService) GetAction(ctx context.Context, id CoreClientID, actionID ActionID, opts ...CallOption) (*Action, error) {
	return call[Action](ctx, s.client, api("GET /coreclient/{client_id}/action/{action_id}", string(id), string(actionID)), opts)
}

// Approve approves an action. This is the core client's vote, which may be one of several that are needed. Only a pending
// action can be decided; otherwise Approve returns [ErrBadRequest], [ErrNotFound] or [ErrConflict], all of which mean that the
// action is no longer pending. That may be due to this same vote, if it arrived twice, so these errors also match
// [ErrOutcomeUnknown]. Read the action with [CoreClientsService.GetAction] to find out.
//
// The service's answer names no action: {"code":200,"msg":"OK"}. If something on the way repeats the answer to an earlier
// request, nobody can tell. To be sure, read the action after a success too, and approve once more if it is still pending, as
// package approver does. A service may show it as pending until others have voted too.
//
// API: PUT /coreclient/{client_id}/action/{action_id}
func (s *CoreClientsService) Approve(ctx context.Context, id CoreClientID, actionID ActionID, opts ...CallOption) error {
	return s.client.run(ctx, api("PUT /coreclient/{client_id}/action/{action_id}", string(id), string(actionID)).deciding(), &done{vote: actionID}, opts)
}

// Reject rejects an action. Errors for an action that is not pending, and how to be sure, are as for
// [CoreClientsService.Approve].
//
// API: DELETE /coreclient/{client_id}/action/{action_id}
func (s *CoreClientsService) Reject(ctx context.Context, id CoreClientID, actionID ActionID, opts ...CallOption) error {
	return s.client.run(ctx, api("DELETE /coreclient/{client_id}/action/{action_id}", string(id), string(actionID)).deciding(), &done{vote: actionID}, opts)
}

// ListWallets returns the wallets that are connected to a core client or ask to be. If the list is longer than an answer may be
// ([WithMaxResponse]), only connected wallets are read from it.
//
// API: GET /coreclient/{client_id}/wallets
func (s *CoreClientsService) ListWallets(ctx context.Context, id CoreClientID, opts ...CallOption) ([]CoreClientWallet, error) {
	op := api("GET /coreclient/{client_id}/wallets", string(id)).keeping(mayBeConnected)
	return list(ctx, s.client, op, opts, func(a *coreClientWallets) []CoreClientWallet { return a.Wallets })
}

// Sweep moves an asset out of a wallet that is connected to the core client. It needs the core client's approval, but not that
// of the wallet's owner.
//
// API: POST /coreclient/{client_id}/sweep
func (s *CoreClientsService) Sweep(ctx context.Context, id CoreClientID, req SweepRequest, opts ...CallOption) (*Submission, error) {
	return submit[Submission](ctx, s.client, api("POST /coreclient/{client_id}/sweep", string(id)), &req, opts)
}

// GetSweep returns a sweep with its approval.
//
// API: GET /coreclient/{client_id}/sweep/{tx_id}
func (s *CoreClientsService) GetSweep(ctx context.Context, id CoreClientID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return call[Transaction](ctx, s.client, api("GET /coreclient/{client_id}/sweep/{tx_id}", string(id), string(txID)), opts)
}

// WaitSweep returns a sweep once it is approved, as [TransfersService.Wait] does for transfers.
//
// API: GET /coreclient/{client_id}/sweep/{tx_id}
func (s *CoreClientsService) WaitSweep(ctx context.Context, id CoreClientID, txID TxID, opts ...CallOption) (*Transaction, error) {
	return waitForEnd(ctx, opts, func() (*Transaction, error) { return s.GetSweep(ctx, id, txID, opts...) })
}

// Sign has the service sign a hash with a core client's key. The hash is hexadecimal and at most 64 bytes long. The result is a
// BLS signature of 49 bytes. The service cannot sign with a signing agent's key.
//
// API: POST /coreclient/{client_id}/sign
func (s *CoreClientsService) Sign(ctx context.Context, id CoreClientID, messageHashHex string, opts ...CallOption) (*CoreClientSignature, error) {
	return call[CoreClientSignature](ctx, s.client, api("POST /coreclient/{client_id}/sign", string(id)).with(signRequest{messageHashHex}).repeated(), opts)
}

// Verify returns nil if a core client made the signature over the hash, and an [*Error] otherwise.
//
// API: POST /coreclient/verify
func (s *CoreClientsService) Verify(ctx context.Context, req VerifyRequest, opts ...CallOption) error {
	return s.client.run(ctx, api("POST /coreclient/verify").with(req).repeated(), new(done), opts)
}

// Feed returns the actions that a core client is asked to approve, each once, until ctx ends: first those that are pending,
// then new ones as they arrive. Feed events have no details; read them with [CoreClientsService.GetAction], and decide nothing
// without them. After a lost connection the feed reconnects and fills the gap. It yields an error for a message that was not
// understood ([ErrBadAnswer]), or if the service refuses the feed; it continues afterwards, for as long as you range over it.
// If an element of the list of pending actions cannot be read, or belongs to another core client, you get one such error, and
// the other elements are delivered.
//
// API: GET /coreclient/{client_id}/feed
func (s *CoreClientsService) Feed(ctx context.Context, id CoreClientID, opts ...FeedOption) iter.Seq2[Action, error] {
	return events(ctx, s.client, "/coreclient/{client_id}/feed", []string{string(id)}, opts, feedUses{known: isStatusKey}, func(f *feed.Feed[Action], options feedOptions) {
		known := feed.Open[ActionID, ApprovalStatus]{Now: s.client.clock.Now}
		var untold feed.Untold
		f.Fresh = freshAction(&known, options.known...)
		f.Fill = func(ctx context.Context, _ bool, take feed.Take[Action]) error {
			pending, unread, failure := s.pending(ctx, id)
			if failure != nil && len(unread) == 0 {
				return failure
			}
			open := make([]ActionID, 0, len(pending)+len(unread))
			for _, a := range pending {
				open = append(open, a.ID)
			}
			for _, one := range unread {
				open = append(open, idOf(one.Element))
			}
			take(func() feed.Batch[Action] {
				if failure == nil {
					known.Keep(open)
				}
				fresh := slices.DeleteFunc(pending, func(a Action) bool { return !f.Fresh(a) })
				return feed.Batch[Action]{Events: fresh, Due: true, Unread: untold.Of(unread)}
			})
			return failure
		}
	})
}

// actionElements are the undecoded elements of a list of actions.
type actionElements struct {
	Actions []json.RawMessage `json:"actions"`
}

// pending returns the pending actions that can be decoded, and the elements that cannot. If the whole list belongs to
// another core client, it also returns an error, since the client's own list has not been read.
func (s *CoreClientsService) pending(ctx context.Context, id CoreClientID) (pending []Action, unread []feed.Unread, err error) {
	op := api("GET /coreclient/{client_id}/actions", string(id)).keeping(mayBePending)
	all, err := list(ctx, s.client, op, nil, func(l *actionElements) []json.RawMessage { return l.Actions })
	if err != nil {
		return nil, nil, err
	}
	var other error
	others := 0
	pending, unread, err = feed.ReadEach(ctx, "actions", all, func(a Action) error {
		err := a.isAbout(op)
		if err != nil {
			other, others = err, others+1
		}
		return err
	})
	if err == nil && others > 0 && others == len(all) {
		err = fmt.Errorf("qredo: %s: %w: %w", op.path, ErrBadAnswer, other)
	}
	pending = slices.DeleteFunc(pending, func(a Action) bool { return a.Status != ApprovalPending })
	unread = slices.DeleteFunc(unread, func(one feed.Unread) bool { return !mayBePending(one.Element) })
	for i, one := range unread {
		if id := idOf(one.Element); id != "" {
			unread[i].Err = fmt.Errorf("action %s: %w", oneLine(string(id)), one.Err)
		}
	}
	return pending, unread, err
}

// idOf returns the ID of an element, if it can be read.
func idOf(element []byte) ActionID {
	var a struct {
		ID ActionID `json:"id"`
	}
	_ = wire.Unmarshal(element, &a) // then there is none
	return a.ID
}

// freshAction reports whether the consumer of a feed has not seen an action yet, in this feed or an earlier one.
func freshAction(known *feed.Open[ActionID, ApprovalStatus], keys ...string) func(Action) bool {
	fresh := func(a Action) bool {
		if a.Status == ApprovalPending {
			return known.Opened(a.ID, a.Expires.Time)
		}
		return known.Ended(a.ID, a.Status)
	}
	for _, key := range keys {
		id, status, _ := ofStatusKey[ActionID, ApprovalStatus](key)
		fresh(Action{ID: id, Status: status})
	}
	return fresh
}
