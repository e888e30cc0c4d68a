package world

import (
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// Fund groups wallets under common approval rules.
type Fund struct {
	fundCreated
	Company   *Company
	Wallets   []*Wallet // oldest first
	Whitelist []WhitelistedAddress
	entries   entryIndex
	byAsset   map[qredo.AssetCode]*entryIndex
}

type fundCreated struct {
	ID             qredo.FundID
	CompanyID      qredo.CompanyID
	Name           string
	Description    string
	PolicyWithdraw *custody.Policy
	PolicyTx       *custody.Policy
}

func (e fundCreated) apply(st *state, _ time.Time) {
	c := st.companies[e.CompanyID]
	f := &Fund{fundCreated: e, Company: c, byAsset: map[qredo.AssetCode]*entryIndex{}}
	st.funds[e.ID] = f
	st.fundList = append(st.fundList, f)
	c.Funds = append(c.Funds, f)
}

// Fund returns a fund of an account's company.
func (st *state) Fund(account string, company qredo.CompanyID, id qredo.FundID) (*Fund, error) {
	c, err := st.Company(account, company)
	if err != nil {
		return nil, err
	}
	f := st.funds[id]
	if f == nil || f.Company != c {
		return nil, notFound("fund")
	}
	return f, nil
}

// AccountFund returns an account's fund, of whichever of its companies.
func (st *state) AccountFund(account string, id qredo.FundID) (*Fund, error) {
	f := st.funds[id]
	if f == nil || f.Company.Account != account {
		return nil, notFound("fund")
	}
	return f, nil
}

// AccountFunds are the funds of an account, oldest first.
func (st *state) AccountFunds(account string) []*Fund {
	var funds []*Fund
	for _, f := range st.fundList {
		if f.Company.Account == account {
			funds = append(funds, f)
		}
	}
	return funds
}

// Group is who is to approve: Threshold of the Members.
type Group struct {
	Threshold int
	Members   []qredo.TrustedEntityID
}

// newPolicy makes a policy of a custody group. Members must be in the company's trusted network.
func (u *Update) newPolicy(c *Company, name, field string, group *Group) (*custody.Policy, error) {
	if group == nil {
		return nil, nil
	}
	p := custody.Policy{ID: u.ids.ksuid(u.Now), Name: name, Threshold: group.Threshold}
	for _, m := range group.Members {
		if slices.Contains(p.Members, string(m)) {
			if u.Choices.Strict {
				return nil, invalid("%s: member %s is named twice", field, m)
			}
			continue // one person has one vote
		}
		known := c.Party(m)
		if known == nil || !known.Accepted {
			return nil, invalid("%s: member %s is not in the company's trusted network", field, m)
		}
		if known.Type == qredo.TrustedPartyCompany {
			return nil, invalid("%s: member %s is a company, which cannot approve", field, m)
		}
		p.Members = append(p.Members, string(m))
	}
	if err := p.Check(); err != nil {
		return nil, invalid("%s: %v", field, err)
	}
	return &p, nil
}

// newPolicies makes the two policies of a fund or wallet, where they are asked for. They are named after whose
// they are.
func (u *Update) newPolicies(c *Company, whose string, withdraw, tx *Group) (w, t *custody.Policy, err error) {
	if w, err = u.newPolicy(c, whose+" Withdraw policy", "custodygroup_withdraw", withdraw); err != nil {
		return nil, nil, err
	}
	t, err = u.newPolicy(c, whose+" Tx policy", "custodygroup_tx", tx)
	return w, t, err
}

// NewFund is what a fund is made from.
type NewFund struct {
	Name, Description string
	Withdraw, Tx      *Group // who approve withdrawals, and all else
	Wallets           []NewWallet
}

// CreateFund makes a fund of a company. Its wallets are there once the update is carried out.
func (u *Update) CreateFund(c *Company, asked NewFund) (*Fund, error) {
	err := named(asked.Name)
	if err != nil {
		return nil, err
	}
	made := fundCreated{ID: qredo.FundID(u.ids.ksuid(u.Now)), CompanyID: c.ID, Name: asked.Name, Description: asked.Description}
	made.PolicyWithdraw, made.PolicyTx, err = u.newPolicies(c, asked.Name, asked.Withdraw, asked.Tx)
	if err != nil {
		return nil, err
	}
	u.change(made)
	f := &Fund{fundCreated: made, Company: c}
	if len(asked.Wallets) > 0 {
		if _, err := u.makeWallets(f, asked.Wallets); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// WhitelistedAddress is an address that a fund may withdraw an asset to.
type WhitelistedAddress struct {
	Asset   qredo.AssetCode `json:"asset"`
	Address string          `json:"address"`
	Name    string          `json:"name,omitzero"`
}

// Is reports whether it is this address.
func (a WhitelistedAddress) Is(address string) bool {
	return addressKey(a.Address) == addressKey(address)
}

type addressWhitelisted struct {
	FundID qredo.FundID
	Entry  WhitelistedAddress
}

func (e addressWhitelisted) apply(st *state, _ time.Time) {
	f := st.funds[e.FundID]
	f.Whitelist = append(f.Whitelist, e.Entry)
}

// Whitelisted returns the entry of an address on the whitelist.
func (f *Fund) Whitelisted(asset qredo.AssetCode, address string) (WhitelistedAddress, bool) {
	for _, entry := range f.Whitelist {
		if entry.Asset == asset && entry.Is(address) {
			return entry, true
		}
	}
	return WhitelistedAddress{}, false
}

// AllowAddress puts an address on a fund's whitelist.
func (u *Update) AllowAddress(f *Fund, entry WhitelistedAddress) error {
	if _, err := u.Asset(entry.Asset); err != nil {
		return err
	}
	entry.Address = strings.TrimSpace(entry.Address)
	if entry.Address == "" {
		return invalid("address must not be empty")
	}
	if _, known := f.Whitelisted(entry.Asset, entry.Address); !known { // asking again changes nothing
		u.change(addressWhitelisted{FundID: f.ID, Entry: entry})
	}
	return nil
}
