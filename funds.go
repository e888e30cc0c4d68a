package qredo

import (
	"cmp"
	"context"
	"fmt"
	"strings"
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
	Members              []FundMember `json:"members,omitzero"` // in the service's examples there is one: the company
	Assets               []AssetCode  `json:"assets"`
	Wallets              []Wallet     `json:"wallets"`
}

// CustodyGroup says who approves: at least Threshold of the Members, which are IDs from the company's trusted network (for a
// core client, its own ID).
type CustodyGroup struct {
	Threshold int               `json:"threshold"`
	Members   []TrustedEntityID `json:"members"`
}

// validate checks the group, which is a field of a request or the request itself.
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

// FundRequest describes a fund to create.
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
	TotalCount int         `json:"total_count"`
	Matches    []FundMatch `json:"list"`
}

// newWallets and newAssets build the wallets to be added to a fund.
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

// DepositAddress is an address to which one asset can be deposited from outside, and its balance in base units.
type DepositAddress struct {
	Asset   AssetCode `json:"asset"`
	Address string    `json:"address"`
	Balance Amount    `json:"balance"`
}

type depositAddresses struct {
	List []DepositAddress `json:"list"`
}

// WhitelistEntry is an address to which a fund may withdraw an asset.
type WhitelistEntry struct {
	Asset   AssetCode `json:"asset"`
	Address string    `json:"address"`
	Name    string    `json:"name,omitzero"`
}

func (e WhitelistEntry) validate(time.Time) error {
	return cmp.Or(checkText("asset", e.Asset), checkText("address", e.Address))
}

type whitelist struct {
	TotalCount int              `json:"total_count"`
	List       []WhitelistEntry `json:"list"`
}

// WhitelistOptions filters a whitelist. Empty fields do not filter. In the service's document, Asset is only used together with
// Address.
type WhitelistOptions struct {
	Address string    `url:"address,omitempty"`
	Asset   AssetCode `url:"asset,omitempty"`
}

func (WhitelistOptions) validate(time.Time) error { return nil }

// FundsService creates funds and reads them: their wallets, whitelists and ledgers.
type FundsService struct{ client *Client }

// Create makes a fund, with wallets if the request has any, and returns its IDs; [FundsService.Get] returns the wallets' IDs.
// In a fund without custody groups, nobody can approve what leaves a wallet that has no groups of its own: a request is
// accepted, and waits until it expires.
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

// List returns all funds of a company, without their wallets; see [FundsService.Get].
//
// API: GET /company/{company_id}/fund/search
func (s *FundsService) List(ctx context.Context, companyID CompanyID, opts ...CallOption) ([]FundMatch, error) {
	return s.Search(ctx, companyID, "", opts...)
}

// Search returns the funds of a company whose name contains text, or all of them if text is empty.
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

// ListDepositAddresses returns the addresses to which a fund's assets can be deposited, and their balances.
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

// EnsureWhitelisted returns the entry of a fund's whitelist with the given asset and address, and adds it if it is missing;
// added says whether it did. Addresses that begin with 0x are compared without regard to case. If the entry has another name
// than the request, you get a [*DifferenceError]: no operation of the service changes the name. See [CompaniesService.Ensure]
// about lost answers.
//
// API: GET /company/{company_id}/fund/{fund_id}/whitelist
// API: POST /company/{company_id}/fund/{fund_id}/whitelist
func (s *FundsService) EnsureWhitelisted(ctx context.Context, companyID CompanyID, fundID FundID, entry WhitelistEntry, opts ...CallOption) (there *WhitelistEntry, added bool, err error) {
	if err := entry.validate(time.Time{}); err != nil {
		return nil, false, err
	}
	var entries map[string]*WhitelistEntry
	e := ensuring[WhitelistEntry]{
		kind: "whitelist entry", key: fmt.Sprintf("asset %q and address %q", entry.Asset, entry.Address),
		within: "whitelist of " + string(fundID),
		find: func(ctx context.Context) (addresses []string, err error) {
			all, err := s.readWhitelist(ctx, companyID, fundID, opts)
			if err != nil {
				return nil, err
			}
			entries = map[string]*WhitelistEntry{}
			for _, is := range all.List {
				if is.Asset == entry.Asset && sameAddress(is.Address, entry.Address) {
					entries[is.Address] = &is
					addresses = append(addresses, is.Address)
				}
			}
			if len(addresses) == 0 {
				return nil, whole("whitelisted addresses", len(all.List), all.TotalCount)
			}
			return addresses, nil
		},
		create: func(ctx context.Context, opts ...CallOption) (string, error) {
			return "", s.AddToWhitelist(ctx, companyID, fundID, entry, opts...)
		},
		get:     func(_ context.Context, address string) (*WhitelistEntry, error) { return entries[address], nil },
		compare: func(is *WhitelistEntry) (d differences) { d.text("name", is.Name, entry.Name); return d },
		remedy:  "no operation of the service changes it",
	}
	return e.run(ctx, s.client, opts)
}

func sameAddress(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return a == b || strings.HasPrefix(strings.ToLower(a), "0x") && strings.EqualFold(a, b)
}

// readWhitelist returns a whole whitelist, and its length.
func (s *FundsService) readWhitelist(ctx context.Context, companyID CompanyID, fundID FundID, opts []CallOption) (*whitelist, error) {
	return call[whitelist](ctx, s.client, api("GET /company/{company_id}/fund/{fund_id}/whitelist", string(companyID), string(fundID)), opts)
}

// ListLedger returns one page of a fund's ledger, newest first. The page starts at options.Offset and has at most options.Limit
// entries. [FundsService.LedgerAll] iterates over all pages.
//
// API: GET /company/{company_id}/fund/{fund_id}/ledger
func (s *FundsService) ListLedger(ctx context.Context, companyID CompanyID, fundID FundID, options LedgerOptions, opts ...CallOption) (*LedgerPage, error) {
	return call[LedgerPage](ctx, s.client, api("GET /company/{company_id}/fund/{fund_id}/ledger", string(companyID), string(fundID)).where(options), opts)
}

// Policy says who approves what leaves a fund or wallet: at least Threshold of the Members.
type Policy struct {
	ID        PolicyID       `json:"id"`
	Name      string         `json:"name"`
	Threshold int            `json:"threshold"`
	Members   []PolicyMember `json:"members"`

	EntityID             string   `json:"entityID"`
	Locked               bool     `json:"locked"` // an update of the policy is waiting for approval
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
	Entity    Entity `json:"entity" bare:"true"` // in the service's schema the member is the entity itself
}

// Entity is a user, company or core client.
type Entity struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	AccountCode string            `json:"accountCode"` // equals ID for core clients only
	Initials    string            `json:"initials"`
	Type        TrustedPartyType  `json:"type"`
	Owner       string            `json:"owner,omitzero"`   // the owner of an organization or agent
	Address     string            `json:"address,omitzero"` // e-mail or postal
	User        *EntityUser       `json:"user,omitzero"`
	Company     *EntityCompany    `json:"company,omitzero"`
	CoreClient  *EntityCoreClient `json:"coreClient,omitzero"`
}

// EntityUser is what is known about an entity that is a user.
type EntityUser struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
	Username  string `json:"username"`
	Partner   bool   `json:"partner,omitzero"`
}

// EntityCompany is what is known about an entity that is a company.
type EntityCompany struct {
	Name string `json:"name"`
}

// EntityCoreClient is what is known about an entity that is a core client.
type EntityCoreClient struct {
	Name string `json:"name"`
}

// FundMember is an entity with its rights in a fund. In the service's examples it is the company that owns the fund, as its
// administrator. The policies say who approves.
type FundMember struct {
	Entity      Entity      `json:"entity"`
	Permissions Permissions `json:"permissions"`
}

// Permissions says what a member may do in a fund.
type Permissions struct {
	Admin    bool `json:"admin,omitzero"`
	Withdraw bool `json:"withdraw,omitzero"` // initiate withdrawals
	Transfer bool `json:"transfer,omitzero"` // initiate transfers
	Swap     bool `json:"swap,omitzero"`     // initiate swaps
}

// PolicyType selects one of a wallet's policies.
type PolicyType string

// The policies of a wallet.
const (
	PolicyTx       PolicyType = "policy-tx"
	PolicyWithdraw PolicyType = "policy-withdraw"
)

// PolicyRequest describes a change of a wallet's policy.
type PolicyRequest struct {
	PolicyID  PolicyID          `json:"policy_id"` // the current policy
	Threshold int               `json:"threshold"`
	Members   []TrustedEntityID `json:"members"`
	Type      PolicyType        `json:"type"`
}

func (r PolicyRequest) validate(time.Time) error {
	group := CustodyGroup{Threshold: r.Threshold, Members: r.Members}
	return cmp.Or(checkOneOf("type", r.Type, PolicyTx, PolicyWithdraw), checkText("policy_id", r.PolicyID), group.validate(""))
}
