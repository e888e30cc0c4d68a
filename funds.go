package qredo

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Fund groups wallets under common approval rules.
type Fund struct {
	ID                   FundID       `json:"fund_id" alias:"id" required:"true"`
	Name                 string       `json:"name"`
	Description          string       `json:"description,omitzero"`
	CustodyGroupWithdraw PolicyID     `json:"custodygroup_withdraw"`
	CustodyGroupTx       PolicyID     `json:"custodygroup_tx"`
	PolicyWithdraw       *Policy      `json:"policy_withdraw,omitzero"`
	PolicyTx             *Policy      `json:"policy_tx,omitzero"`
	Members              []FundMember `json:"members,omitzero"` // in the service's examples one: the company
	Assets               []AssetCode  `json:"assets"`
	Wallets              []Wallet     `json:"wallets"`
}

// CustodyGroup says who approves: Threshold of the Members, who are IDs from the company's trusted
// network (for a core client, its own ID).
type CustodyGroup struct {
	Threshold int               `json:"threshold"`
	Members   []TrustedEntityID `json:"members"`
}

// validate checks the group that stands in a field of a request, or is the request itself.
func (g *CustodyGroup) validate(field string) error {
	if g == nil {
		return nil
	}
	if field != "" {
		field += "."
	}
	seen := map[TrustedEntityID]bool{}
	for i, m := range g.Members {
		if m == "" {
			return invalid(fmt.Sprintf("%smembers[%d]", field, i), "must not be empty")
		}
		if seen[m] {
			return invalid(fmt.Sprintf("%smembers[%d]", field, i), "repeats %s: a member counts once", m)
		}
		seen[m] = true
	}
	switch {
	case g.Threshold < 1:
		return invalid(field+"threshold", "must be at least 1, is %d", g.Threshold)
	case g.Threshold > len(g.Members):
		return invalid(field+"threshold", "must not be over the number of members, which is %d, is %d", len(g.Members), g.Threshold)
	}
	return nil
}

// FundRequest is what a fund is created from.
type FundRequest struct {
	Name                 string          `json:"name"` // required
	Description          string          `json:"description,omitzero"`
	CustodyGroupWithdraw *CustodyGroup   `json:"custodygroup_withdraw,omitzero"` // approves withdrawals
	CustodyGroupTx       *CustodyGroup   `json:"custodygroup_tx,omitzero"`       // approves transfers and swaps
	Wallets              []WalletRequest `json:"wallets,omitzero"`
}

func (r FundRequest) validate(time.Time) error {
	return cmp.Or(
		checkText("name", r.Name), r.CustodyGroupWithdraw.validate("custodygroup_withdraw"),
		r.CustodyGroupTx.validate("custodygroup_tx"), validateWallets(r.Wallets))
}

// CreatedFund names a new fund and its two custody groups.
type CreatedFund struct {
	ID                   FundID   `json:"fund_id" alias:"id" required:"true"`
	CustodyGroupWithdraw PolicyID `json:"custodygroup_withdraw"`
	CustodyGroupTx       PolicyID `json:"custodygroup_tx"`
}

// FundMatch is a fund that a search found.
type FundMatch struct {
	ID   FundID `json:"id"`
	Name string `json:"name"`
}

type fundSearchResult struct {
	Matches []FundMatch `json:"list"`
}

// newWallets and newAssets are what the wallets to be added to a fund are made from.
type (
	newWallets struct {
		Wallets []WalletRequest `json:"wallets"`
	}
	newAssets struct {
		Assets []AssetCode `json:"assets"`
	}
)

func (n newWallets) validate(time.Time) error {
	if len(n.Wallets) == 0 {
		return invalid("wallets", "must not be empty")
	}
	return validateWallets(n.Wallets)
}

func (n newAssets) validate(time.Time) error {
	if len(n.Assets) == 0 {
		return invalid("assets", "must not be empty")
	}
	for i, asset := range n.Assets {
		if err := checkText(fmt.Sprintf("assets[%d]", i), asset); err != nil {
			return err
		}
	}
	return nil
}

type walletIDs struct {
	Wallets []WalletID `json:"wallets"`
}

func (w *walletIDs) ids() []WalletID { return w.Wallets }

// DepositAddress is where one asset can be deposited from outside, and what is there in base units.
type DepositAddress struct {
	Asset   AssetCode `json:"asset"`
	Address string    `json:"address"`
	Balance Amount    `json:"balance"`
}

type depositAddresses struct {
	List []DepositAddress `json:"list"`
}

// WhitelistEntry is an address that a fund may withdraw an asset to.
type WhitelistEntry struct {
	Asset   AssetCode `json:"asset"`
	Address string    `json:"address"`
	Name    string    `json:"name,omitzero"`
}

func (e WhitelistEntry) validate(time.Time) error {
	return cmp.Or(checkText("asset", e.Asset), checkText("address", e.Address))
}

type whitelist struct {
	List []WhitelistEntry `json:"list"`
}

// WhitelistOptions narrows a whitelist. Empty fields do not. The service's document has Asset together with
// Address only.
type WhitelistOptions struct {
	Address string    `url:"address,omitempty"`
	Asset   AssetCode `url:"asset,omitempty"`
}

func (WhitelistOptions) validate(time.Time) error { return nil }

// FundsService creates funds and tells what they hold and did.
type FundsService struct{ client *Client }

// Create makes a fund, with wallets if the request has any, and returns its IDs; those of the wallets
// [FundsService.Get] gives. Without a custody group, what leaves a wallet that has none of its own can be asked
// for and not be approved by anybody: it waits until it expires.
//
// API: POST /company/{company_id}/fund
func (s *FundsService) Create(ctx context.Context, companyID CompanyID, req FundRequest, opts ...CallOption) (*CreatedFund, error) {
	return call[CreatedFund](ctx, s.client, api("POST /company/{company_id}/fund", string(companyID)).with(req), opts)
}

// Get returns a fund with its policies, members and wallets.
//
// API: GET /company/{company_id}/fund/{fund_id}
func (s *FundsService) Get(ctx context.Context, companyID CompanyID, fundID FundID, opts ...CallOption) (*Fund, error) {
	return call[Fund](ctx, s.client, api("GET /company/{company_id}/fund/{fund_id}", string(companyID), string(fundID)), opts)
}

// List returns all funds of a company, without their wallets: see [FundsService.Get].
//
// API: GET /company/{company_id}/fund/search
func (s *FundsService) List(ctx context.Context, companyID CompanyID, opts ...CallOption) ([]FundMatch, error) {
	return s.Search(ctx, companyID, "", opts...)
}

// Search returns the funds of a company whose name has text in it; all if that is empty.
//
// API: GET /company/{company_id}/fund/search
func (s *FundsService) Search(ctx context.Context, companyID CompanyID, text string, opts ...CallOption) ([]FundMatch, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/fund/search", string(companyID)).where(searchFor(text)), opts, func(a *fundSearchResult) []FundMatch { return a.Matches })
}

// AddWallets makes wallets in a fund and returns their IDs in the same order.
//
// API: POST /company/{company_id}/fund/{fund_id}/wallet
func (s *FundsService) AddWallets(ctx context.Context, companyID CompanyID, fundID FundID, wallets []WalletRequest, opts ...CallOption) ([]WalletID, error) {
	return list(ctx, s.client, api("POST /company/{company_id}/fund/{fund_id}/wallet", string(companyID), string(fundID)).with(newWallets{wallets}), opts, (*walletIDs).ids)
}

// AddAssets makes a wallet for each asset and returns the wallets' IDs in the same order.
//
// API: POST /company/{company_id}/fund/{fund_id}/asset
func (s *FundsService) AddAssets(ctx context.Context, companyID CompanyID, fundID FundID, assets []AssetCode, opts ...CallOption) ([]WalletID, error) {
	return list(ctx, s.client, api("POST /company/{company_id}/fund/{fund_id}/asset", string(companyID), string(fundID)).with(newAssets{assets}), opts, (*walletIDs).ids)
}

// ListDepositAddresses returns where each asset of a fund can be deposited, and the balances there.
//
// API: GET /company/{company_id}/fund/{fund_id}/deposit
func (s *FundsService) ListDepositAddresses(ctx context.Context, companyID CompanyID, fundID FundID, opts ...CallOption) ([]DepositAddress, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/fund/{fund_id}/deposit", string(companyID), string(fundID)), opts, func(a *depositAddresses) []DepositAddress { return a.List })
}

// ListWhitelist returns the addresses that a fund may withdraw to.
//
// API: GET /company/{company_id}/fund/{fund_id}/whitelist
func (s *FundsService) ListWhitelist(ctx context.Context, companyID CompanyID, fundID FundID, options WhitelistOptions, opts ...CallOption) ([]WhitelistEntry, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/fund/{fund_id}/whitelist", string(companyID), string(fundID)).where(options), opts, func(a *whitelist) []WhitelistEntry { return a.List })
}

// AddToWhitelist allows a fund to withdraw an asset to an address.
//
// API: POST /company/{company_id}/fund/{fund_id}/whitelist
func (s *FundsService) AddToWhitelist(ctx context.Context, companyID CompanyID, fundID FundID, entry WhitelistEntry, opts ...CallOption) error {
	return s.client.run(ctx, api("POST /company/{company_id}/fund/{fund_id}/whitelist", string(companyID), string(fundID)).with(entry), new(done), opts)
}

// ListLedger returns one page of a fund's ledger, newest first. The page begins at options.Offset and has at most
// options.Limit entries. [FundsService.LedgerAll] walks all pages.
//
// API: GET /company/{company_id}/fund/{fund_id}/ledger
func (s *FundsService) ListLedger(ctx context.Context, companyID CompanyID, fundID FundID, options LedgerOptions, opts ...CallOption) (*LedgerPage, error) {
	return call[LedgerPage](ctx, s.client, api("GET /company/{company_id}/fund/{fund_id}/ledger", string(companyID), string(fundID)).where(options), opts)
}

// Policy says who approves what leaves a fund or wallet: Threshold of the Members.
type Policy struct {
	ID        PolicyID       `json:"id"`
	Name      string         `json:"name"`
	Threshold int            `json:"threshold"`
	Members   []PolicyMember `json:"members"`

	EntityID             string   `json:"entityID"`
	Locked               bool     `json:"locked"` // an update of the policy waits for approval
	LockedTxID           TxID     `json:"lockedTxID"`
	MembersCount         int      `json:"membersCount"`
	WalletCount          int      `json:"walletCount"`
	DedicatedWalletCount int      `json:"dedicatedWalletCount"`
	FundsCount           int      `json:"fundsCount"`
	Funds                []string `json:"funds"`
}

// PolicyMember is one approver. A dedicated member is the counterparty of a dedicated wallet.
type PolicyMember struct {
	Dedicated bool   `json:"dedicated"`
	Entity    Entity `json:"entity" bare:"true"` // the service's schema has the entity itself as the member
}

// Entity is a user, company or core client.
type Entity struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	AccountCode string            `json:"accountCode"` // equals ID for core clients only
	Initials    string            `json:"initials"`
	Type        TrustedPartyType  `json:"type"`
	Owner       string            `json:"owner,omitzero"`   // of an organization or agent: whose it is
	Address     string            `json:"address,omitzero"` // e-mail or postal
	User        *EntityUser       `json:"user,omitzero"`
	Company     *EntityCompany    `json:"company,omitzero"`
	CoreClient  *EntityCoreClient `json:"coreClient,omitzero"`
}

// EntityUser is what is known of an entity that is a user.
type EntityUser struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
	Username  string `json:"username"`
	Partner   bool   `json:"partner,omitzero"`
}

// EntityCompany is what is known of an entity that is a company.
type EntityCompany struct {
	Name string `json:"name"`
}

// EntityCoreClient is what is known of an entity that is a core client.
type EntityCoreClient struct {
	Name string `json:"name"`
}

// FundMember is an entity with its rights in a fund: in the service's examples the company that owns it, as its
// administrator. Who approves is in the policies.
type FundMember struct {
	Entity      Entity      `json:"entity"`
	Permissions Permissions `json:"permissions"`
}

// Permissions are what a member may do in a fund.
type Permissions struct {
	Admin    bool `json:"admin,omitzero"`
	Withdraw bool `json:"withdraw,omitzero"` // initiate withdrawals
	Transfer bool `json:"transfer,omitzero"` // initiate transfers
	Swap     bool `json:"swap,omitzero"`     // initiate swaps
}

// PolicyType tells which of a wallet's policies is meant.
type PolicyType string

// The policies of a wallet.
const (
	PolicyTx       PolicyType = "policy-tx"
	PolicyWithdraw PolicyType = "policy-withdraw"
)

// PolicyRequest is what a wallet's policy is changed to.
type PolicyRequest struct {
	PolicyID  PolicyID          `json:"policy_id"` // the policy as it is
	Threshold int               `json:"threshold"`
	Members   []TrustedEntityID `json:"members"`
	Type      PolicyType        `json:"type"`
}

func (r PolicyRequest) validate(time.Time) error {
	group := CustodyGroup{Threshold: r.Threshold, Members: r.Members}
	return cmp.Or(checkOneOf("type", r.Type, PolicyTx, PolicyWithdraw), checkText("policy_id", r.PolicyID), group.validate(""))
}
