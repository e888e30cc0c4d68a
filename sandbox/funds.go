package sandbox

import (
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
		known := c.party(string(m))
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

func createFund(r *request) ([]change, any, error) {
	c, err := r.company()
	if err != nil {
		return nil, nil, err
	}
	var req qredo.FundRequest
	if err := r.read(&req); err != nil {
		return nil, nil, err
	}
	if strings.TrimSpace(req.Name) == "" {
		return nil, nil, badRequest("name must not be empty")
	}
	made := fundCreated{ID: qredo.FundID(r.ids.ksuid(r.now)), CompanyID: c.ID, Name: req.Name, Description: req.Description}
	if made.PolicyWithdraw, err = r.newPolicy(c, req.Name, "custodygroup_withdraw", req.CustodyGroupWithdraw); err != nil {
		return nil, nil, err
	}
	if made.PolicyTx, err = r.newPolicy(c, req.Name, "custodygroup_tx", req.CustodyGroupTx); err != nil {
		return nil, nil, err
	}
	changes := []change{made}
	if len(req.Wallets) > 0 {
		wallets, err := r.newWallets(&fund{fundCreated: made, company: c}, req.Wallets)
		if err != nil {
			return nil, nil, err
		}
		changes = append(append(changes, wallets), r.connectRequests(wallets)...)
	}
	return changes, qredo.CreatedFund{
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
		for w.ShortCode == "" || r.st.byShortCode[w.ShortCode] != nil || added.has(w.ShortCode) {
			w.ShortCode = r.ids.shortCode()
		}
		if w.PolicyWithdraw, err = r.newPolicy(f.company, req.Name, "custodygroup_withdraw", req.CustodyGroupWithdraw); err != nil {
			return added, err
		}
		if w.PolicyTx, err = r.newPolicy(f.company, req.Name, "custodygroup_tx", req.CustodyGroupTx); err != nil {
			return added, err
		}
		added.Wallets = append(added.Wallets, w)
	}
	return added, nil
}

func (a walletsAdded) has(shortCode string) bool {
	for _, w := range a.Wallets {
		if w.ShortCode == shortCode {
			return true
		}
	}
	return false
}

func (a walletsAdded) reply() any {
	ids := make([]qredo.WalletID, len(a.Wallets))
	for i, w := range a.Wallets {
		ids[i] = w.ID
	}
	return struct {
		Wallets []qredo.WalletID `json:"wallets"`
	}{ids}
}

func addWallets(r *request) ([]change, any, error) {
	f, err := r.fund()
	if err != nil {
		return nil, nil, err
	}
	var req struct {
		Wallets []qredo.WalletRequest `json:"wallets"`
	}
	if err := r.read(&req); err != nil {
		return nil, nil, err
	}
	if len(req.Wallets) == 0 {
		return nil, nil, badRequest("wallets must not be empty")
	}
	added, err := r.newWallets(f, req.Wallets)
	if err != nil {
		return nil, nil, err
	}
	return append([]change{added}, r.connectRequests(added)...), added.reply(), nil
}

func addAssets(r *request) ([]change, any, error) {
	f, err := r.fund()
	if err != nil {
		return nil, nil, err
	}
	var req struct {
		Assets []qredo.AssetCode `json:"assets"`
	}
	if err := r.read(&req); err != nil {
		return nil, nil, err
	}
	if len(req.Assets) == 0 {
		return nil, nil, badRequest("assets must not be empty")
	}
	held := map[qredo.AssetCode]bool{}
	for _, w := range f.wallets {
		held[w.Asset] = true
	}
	var reqs []qredo.WalletRequest
	for _, asset := range req.Assets {
		if held[asset] {
			return nil, nil, conflict("the fund has %s already", asset)
		}
		held[asset] = true
		reqs = append(reqs, qredo.WalletRequest{Asset: asset})
	}
	added, err := r.newWallets(f, reqs)
	if err != nil {
		return nil, nil, err
	}
	return []change{added}, added.reply(), nil
}

func searchFunds(r *request) (any, error) {
	c, err := r.company()
	if err != nil {
		return nil, err
	}
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
	return struct {
		TotalCount int               `json:"total_count"`
		List       []qredo.FundMatch `json:"list"`
	}{len(list), list}, nil
}

func getFund(r *request) (any, error) {
	f, err := r.fund()
	if err != nil {
		return nil, err
	}
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

func listDepositAddresses(r *request) (any, error) {
	f, err := r.fund()
	if err != nil {
		return nil, err
	}
	list := make([]qredo.DepositAddress, len(f.wallets))
	for i, w := range f.wallets {
		list[i] = qredo.DepositAddress{Asset: w.Asset, Address: w.Address, Balance: r.st.balance(w)}
	}
	return struct {
		TotalCount int                    `json:"total_count"`
		List       []qredo.DepositAddress `json:"list"`
	}{len(list), list}, nil
}

// allows reports whether a fund may withdraw an asset to an address.
func (f *fund) allows(asset qredo.AssetCode, address string) bool {
	for _, w := range f.whitelist {
		if w.Entry.Asset == asset && w.Entry.Address == address {
			return true
		}
	}
	return false
}

func listWhitelist(r *request) (any, error) {
	f, err := r.fund()
	if err != nil {
		return nil, err
	}
	address, asset := r.query.Get("address"), qredo.AssetCode(r.query.Get("asset"))
	list := []qredo.WhitelistEntry{}
	for _, w := range f.whitelist {
		if (address == "" || w.Entry.Address == address) && (asset == "" || w.Entry.Asset == asset) {
			list = append(list, w.Entry)
		}
	}
	return struct {
		TotalCount int                    `json:"total_count"`
		List       []qredo.WhitelistEntry `json:"list"`
	}{len(list), list}, nil
}

func addToWhitelist(r *request) ([]change, any, error) {
	f, err := r.fund()
	if err != nil {
		return nil, nil, err
	}
	var req qredo.WhitelistEntry
	if err := r.read(&req); err != nil {
		return nil, nil, err
	}
	if _, err := r.asset(req.Asset); err != nil {
		return nil, nil, err
	}
	req.Address = strings.TrimSpace(req.Address)
	if req.Address == "" {
		return nil, nil, badRequest("address must not be empty")
	}
	if f.allows(req.Asset, req.Address) {
		return nil, ok, nil // asking again changes nothing
	}
	return []change{addressWhitelisted{FundID: f.ID, Entry: req}}, ok, nil
}
