package qapi

import (
	"context"
	"encoding/json"

	"github.com/qredo-go/qredo"
)

// FundSummary is a fund in a list.
type FundSummary struct {
	ID    qredo.FundID `json:"fundID"`
	Name  string       `json:"name"`
	Theme int          `json:"theme"` // a colour in the app
	// Holdings is passed on as received, because its format is undocumented.
	Holdings json.RawMessage `json:"holdings,omitzero"`
}

// Fund is a fund with its wallets and approvers.
type Fund struct {
	ID                   qredo.FundID   `json:"fund_id"`
	Name                 string         `json:"name"`
	Description          string         `json:"description"`
	CustodyGroupWithdraw qredo.PolicyID `json:"custodygroup_withdraw"`
	CustodyGroupTx       qredo.PolicyID `json:"custodygroup_tx"`
	PolicyWithdraw       *qredo.Policy  `json:"policyWithdrawl,omitzero" alias:"policy_withdraw,policyWithdrawal"`
	PolicyTx             *qredo.Policy  `json:"policyTx,omitzero"`
	Members              []FundMember   `json:"members"`
	Wallets              []Wallet       `json:"wallets"`
}

// FundMember is somebody with rights in a fund.
type FundMember struct {
	Entity      qredo.Entity `json:"entity"`
	Permissions Permissions  `json:"permissions"`
}

// Permissions says what a member may do in a fund.
type Permissions struct {
	Custodian   bool `json:"custodian"`   // approve
	FundManager bool `json:"fundManager"` // invite members
	Trader      bool `json:"trader"`      // initiate what leaves a wallet
}

// Wallet holds one asset.
type Wallet struct {
	ID             qredo.WalletID           `json:"wallet_id"`
	Name           string                   `json:"name"`
	Asset          qredo.AssetCode          `json:"asset"`
	Type           qredo.WalletType         `json:"type"`
	Status         qredo.WalletStatus       `json:"status"`
	Address        string                   `json:"address"` // on the asset's chain; Web3 transactions are made from it
	AddressType    string                   `json:"address_type"`
	ShortCode      string                   `json:"short_code"`
	Balance        qredo.Amount             `json:"balance"`
	PolicyWithdraw *qredo.Policy            `json:"policy_withdraw,omitzero" alias:"policyWithdrawl,policyWithdrawal"`
	PolicyTx       *qredo.Policy            `json:"policy_tx,omitzero"`
	Connected      []qredo.ConnectedAccount `json:"connected,omitzero"`
}

// FundsOptions selects funds. The zero value selects those in use.
type FundsOptions struct {
	Archived bool `url:"archived,omitempty"` // archived ones too
}

func (FundsOptions) validate() error { return nil }

// FundsService reads funds and their ledgers.
type FundsService struct{ client *Client }

type fundList struct {
	Total int           `json:"total"` // if it is 0, this may be everything
	Funds []FundSummary `json:"funds"`
}

// List returns the account's funds, without their wallets: see [FundsService.Get].
//
// API: GET /funds
func (s *FundsService) List(ctx context.Context, options FundsOptions, opts ...qredo.CallOption) ([]FundSummary, error) {
	return part(ctx, s.client, api("GET /funds").where(options), opts, func(a *fundList) []FundSummary { return a.Funds })
}

type fundAnswer struct {
	Info Fund `json:"fundInfo"`
}

// Get returns a fund with its wallets. An unknown fund returns [qredo.ErrNotFound].
//
// API: GET /funds/{fund_id}
func (s *FundsService) Get(ctx context.Context, id qredo.FundID, opts ...qredo.CallOption) (*Fund, error) {
	return part(ctx, s.client, api("GET /funds/{fund_id}", string(id)), opts, func(a *fundAnswer) *Fund { return &a.Info })
}

// ListLedger returns all movements of a fund, the most recent of each wallet first. The service does not split them into pages.
// It returns [qredo.ErrNotFound] for an unknown fund.
//
// API: GET /funds/{fund_id}/ledger
func (s *FundsService) ListLedger(ctx context.Context, id qredo.FundID, opts ...qredo.CallOption) (*Ledger, error) {
	return part(ctx, s.client, api("GET /funds/{fund_id}/ledger", string(id)), opts, func(a *Ledger) *Ledger { return a })
}
