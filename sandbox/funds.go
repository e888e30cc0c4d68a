package sandbox

import (
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
)

// fund returns the fund that the path names.
func (r *request) fund() (*fund, error) {
	c, err := r.company()
	if err != nil {
		return nil, err
	}
	f := r.st.funds[qredo.FundID(r.path["fund_id"])]
	if f == nil || f.company != c {
		return nil, notFound("fund")
	}
	return f, nil
}

// newPolicy makes a policy of a custody group. Members must be in the company's trusted network.
func (r *request) newPolicy(c *company, name, field string, group *qredo.CustodyGroup) (*custody.Policy, error) {
	if group == nil {
		return nil, nil
	}
	p := custody.Policy{ID: r.ids.ksuid(r.now), Name: name, Threshold: group.Threshold}
	for _, m := range group.Members {
		known := c.party(m)
		if known == nil || !known.accepted {
			return nil, badRequest("%s: member %s is not in the company's trusted network", field, m)
		}
		if known.Type == qredo.TrustedPartyCompany {
			return nil, badRequest("%s: member %s is a company, which cannot approve", field, m)
		}
		p.Members = append(p.Members, string(m))
	}
	if err := p.Check(); err != nil {
		return nil, badRequest("%s: %v", field, err)
	}
	return &p, nil
}

// newPolicies makes the two policies of a fund or wallet, where they are asked for.
func (r *request) newPolicies(c *company, name string, withdraw, tx *qredo.CustodyGroup) (w, t *custody.Policy, err error) {
	if w, err = r.newPolicy(c, name, "custodygroup_withdraw", withdraw); err != nil {
		return nil, nil, err
	}
	t, err = r.newPolicy(c, name, "custodygroup_tx", tx)
	return w, t, err
}

func createFund(r *request, c *company, req qredo.FundRequest) (any, error) {
	err := named(req.Name)
	if err != nil {
		return nil, err
	}
	made := fundCreated{ID: qredo.FundID(r.ids.ksuid(r.now)), CompanyID: c.ID, Name: req.Name, Description: req.Description}
	made.PolicyWithdraw, made.PolicyTx, err = r.newPolicies(c, req.Name, req.CustodyGroupWithdraw, req.CustodyGroupTx)
	if err != nil {
		return nil, err
	}
	r.change(made)
	if len(req.Wallets) > 0 {
		if _, err := r.addWallets(&fund{fundCreated: made, company: c}, req.Wallets); err != nil {
			return nil, err
		}
	}
	return qredo.CreatedFund{
		ID: made.ID, CustodyGroupWithdraw: policyID(made.PolicyWithdraw), CustodyGroupTx: policyID(made.PolicyTx),
	}, nil
}

func policyID(p *custody.Policy) qredo.PolicyID {
	if p == nil {
		return ""
	}
	return qredo.PolicyID(p.ID)
}

// newWallets checks what wallets are asked for and gives them identifiers and addresses.
func (r *request) newWallets(f *fund, reqs []qredo.WalletRequest) (walletsAdded, error) {
	type nameInFund struct {
		name  string
		asset qredo.AssetCode
	}
	taken := map[nameInFund]bool{}
	for _, w := range f.wallets {
		taken[nameInFund{w.Name, w.Asset}] = true
	}
	added := walletsAdded{FundID: f.ID}
	for _, req := range reqs {
		asset, err := r.asset(req.Asset)
		if err != nil {
			return added, err
		}
		key := nameInFund{req.Name, req.Asset}
		if req.Name != "" && taken[key] {
			return added, conflict("the fund has a wallet named %q for %s", req.Name, req.Asset)
		}
		taken[key] = true
		if err := r.checkConnect(req); err != nil {
			return added, err
		}
		w := newWallet{
			Name: req.Name, Asset: req.Asset, Type: req.Type, ID: qredo.WalletID(r.ids.account()), Connect: req.Connect,
		}
		w.Address, w.AddressType, w.Key = r.ids.address(asset)
		for w.ShortCode == "" || r.st.walletNamed(w.ShortCode) != nil || added.has(w.ShortCode) {
			w.ShortCode = r.ids.shortCode()
		}
		w.PolicyWithdraw, w.PolicyTx, err = r.newPolicies(f.company, req.Name, req.CustodyGroupWithdraw, req.CustodyGroupTx)
		if err != nil {
			return added, err
		}
		added.Wallets = append(added.Wallets, w)
	}
	return added, nil
}

func (a walletsAdded) has(shortCode string) bool {
	return slices.ContainsFunc(a.Wallets, func(w newWallet) bool { return w.ShortCode == shortCode })
}

// addWallets makes wallets, and asks their counterparties to approve the connections.
func (r *request) addWallets(f *fund, reqs []qredo.WalletRequest) (any, error) {
	added, err := r.newWallets(f, reqs)
	if err != nil {
		return nil, err
	}
	r.change(added)
	r.connect(added)
	ids := make([]qredo.WalletID, len(added.Wallets))
	for i, w := range added.Wallets {
		ids[i] = w.ID
	}
	return map[string]any{"wallets": ids}, nil
}

type walletsRequest struct {
	Wallets []qredo.WalletRequest `json:"wallets"`
}

func addWallets(r *request, f *fund, req walletsRequest) (any, error) {
	if len(req.Wallets) == 0 {
		return nil, badRequest("wallets must not be empty")
	}
	return r.addWallets(f, req.Wallets)
}

type assetsRequest struct {
	Assets []qredo.AssetCode `json:"assets"`
}

func addAssets(r *request, f *fund, req assetsRequest) (any, error) {
	if len(req.Assets) == 0 {
		return nil, badRequest("assets must not be empty")
	}
	held := map[qredo.AssetCode]bool{}
	for _, w := range f.wallets {
		held[w.Asset] = true
	}
	var reqs []qredo.WalletRequest
	for _, asset := range req.Assets {
		if held[asset] {
			return nil, conflict("the fund has %s already", asset)
		}
		held[asset] = true
		reqs = append(reqs, qredo.WalletRequest{Asset: asset})
	}
	return r.addWallets(f, reqs)
}

func searchFunds(r *request, c *company) (any, error) {
	text, err := r.searchText()
	if err != nil {
		return nil, err
	}
	list := []qredo.FundMatch{}
	for _, f := range c.funds {
		if strings.Contains(strings.ToLower(f.Name), text) {
			list = append(list, qredo.FundMatch{ID: f.ID, Name: f.Name})
		}
	}
	return counted("total_count", "list", list), nil
}

func getFund(r *request, f *fund) (any, error) {
	detail := qredo.Fund{
		ID: f.ID, Name: f.Name, Description: f.Description,
		CustodyGroupWithdraw: policyID(f.PolicyWithdraw), CustodyGroupTx: policyID(f.PolicyTx),
		PolicyWithdraw: r.wirePolicy(f.PolicyWithdraw), PolicyTx: r.wirePolicy(f.PolicyTx),
		Members: r.fundMembers(f), Assets: []qredo.AssetCode{}, Wallets: []qredo.Wallet{},
	}
	seen := map[qredo.AssetCode]bool{}
	for _, w := range f.wallets {
		if !seen[w.Asset] {
			seen[w.Asset] = true
			detail.Assets = append(detail.Assets, w.Asset)
		}
		detail.Wallets = append(detail.Wallets, r.wireWallet(w))
	}
	return detail, nil
}

// fundMembers are those named in the fund's custody groups, with what that lets them approve.
func (r *request) fundMembers(f *fund) []qredo.FundMember {
	members := []qredo.FundMember{}
	place := map[string]int{}
	add := func(p *custody.Policy, withdraw bool) {
		if p == nil {
			return
		}
		for _, id := range p.Members {
			i, known := place[id]
			if !known {
				i = len(members)
				place[id] = i
				members = append(members, qredo.FundMember{Entity: r.entity(id)})
			}
			if withdraw {
				members[i].Permissions.Withdraw = true
			} else {
				members[i].Permissions.Transfer, members[i].Permissions.Swap = true, true
			}
		}
	}
	add(f.PolicyWithdraw, true)
	add(f.PolicyTx, false)
	return members
}

func (r *request) wirePolicy(p *custody.Policy) *qredo.Policy {
	if p == nil {
		return nil
	}
	policy := &qredo.Policy{
		ID: qredo.PolicyID(p.ID), Name: p.Name, Threshold: p.Threshold, MembersCount: len(p.Members),
		Members: make([]qredo.PolicyMember, len(p.Members)),
	}
	for i, id := range p.Members {
		policy.Members[i].Entity = r.entity(id)
	}
	return policy
}

// entity describes a user or core client by their ID.
func (r *request) entity(id string) qredo.Entity {
	if c := r.st.coreClients[qredo.CoreClientID(id)]; c != nil {
		return qredo.Entity{
			ID: id, Name: c.Name, AccountCode: id, Initials: initials(c.Name), Type: qredo.TrustedPartyCoreClient,
			CoreClient: &qredo.EntityCoreClient{Name: c.Name},
		}
	}
	u := r.st.users[id]
	if u == nil {
		return qredo.Entity{ID: id}
	}
	return qredo.Entity{
		ID: id, Name: u.name(), AccountCode: id, Initials: initials(u.name()), Type: qredo.TrustedPartyUser,
		User: &qredo.EntityUser{FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Username: u.Username},
	}
}

func initials(name string) string {
	letters := ""
	for part := range strings.FieldsSeq(name) {
		letters += strings.ToUpper(string([]rune(part)[:1]))
	}
	return letters
}

func listDepositAddresses(r *request, f *fund) (any, error) {
	list := make([]qredo.DepositAddress, len(f.wallets))
	for i, w := range f.wallets {
		list[i] = qredo.DepositAddress{Asset: w.Asset, Address: w.Address, Balance: r.st.balance(w)}
	}
	return counted("total_count", "list", list), nil
}

// whitelisted returns the entry of an address on the whitelist.
func (f *fund) whitelisted(asset qredo.AssetCode, address string) (qredo.WhitelistEntry, bool) {
	for _, w := range f.whitelist {
		if w.Entry.Asset == asset && addressKey(w.Entry.Address) == addressKey(address) {
			return w.Entry, true
		}
	}
	return qredo.WhitelistEntry{}, false
}

func listWhitelist(r *request, f *fund) (any, error) {
	address, asset := r.query.Get("address"), qredo.AssetCode(r.query.Get("asset"))
	list := []qredo.WhitelistEntry{}
	for _, w := range f.whitelist {
		if (address == "" || addressKey(w.Entry.Address) == addressKey(address)) && (asset == "" || w.Entry.Asset == asset) {
			list = append(list, w.Entry)
		}
	}
	return counted("total_count", "list", list), nil
}

func addToWhitelist(r *request, f *fund, req qredo.WhitelistEntry) (any, error) {
	if _, err := r.asset(req.Asset); err != nil {
		return nil, err
	}
	req.Address = strings.TrimSpace(req.Address)
	if req.Address == "" {
		return nil, badRequest("address must not be empty")
	}
	if _, known := f.whitelisted(req.Asset, req.Address); known {
		return ok, nil // asking again changes nothing
	}
	r.change(addressWhitelisted{FundID: f.ID, Entry: req})
	return ok, nil
}
