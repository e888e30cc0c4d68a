package sandbox

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"

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
		if slices.Contains(p.Members, string(m)) {
			if r.choices.strict {
				return nil, badRequest("%s: member %s is named twice", field, m)
			}
			continue // one person has one vote
		}
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

// newPolicies makes the two policies of a fund or wallet, where they are asked for. They are named after whose
// they are.
func (r *request) newPolicies(c *company, whose string, withdraw, tx *qredo.CustodyGroup) (w, t *custody.Policy, err error) {
	if w, err = r.newPolicy(c, whose+" Withdraw policy", "custodygroup_withdraw", withdraw); err != nil {
		return nil, nil, err
	}
	t, err = r.newPolicy(c, whose+" Tx policy", "custodygroup_tx", tx)
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
		if r.choices.strict && req.Name != "" && taken[key] {
			return added, conflict("the fund has a wallet named %q for %s", req.Name, req.Asset)
		}
		taken[key] = true
		w := newWallet{Name: req.Name, Asset: req.Asset, Type: req.Type, ID: qredo.WalletID(r.ids.account())}
		if w.Connect, err = r.counterparties(req); err != nil {
			return added, err
		}
		w.Address, w.AddressType, w.Key = r.ids.address(asset)
		for w.ShortCode == "" || r.st.walletNamed(w.ShortCode) != nil || added.has(w.ShortCode) {
			w.ShortCode = r.ids.shortCode()
		}
		w.PolicyWithdraw, w.PolicyTx, err = r.newPolicies(f.company, strings.TrimSpace("Wallet "+req.Name), req.CustodyGroupWithdraw, req.CustodyGroupTx)
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
		if r.choices.strict && held[asset] {
			return nil, conflict("the fund has %s already", asset)
		}
		held[asset] = true
		reqs = append(reqs, qredo.WalletRequest{Asset: asset})
	}
	return r.addWallets(f, reqs)
}

func searchFunds(r *request, c *company) (any, error) {
	text := r.searchText()
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
		Members: []qredo.FundMember{{Entity: companyEntity(f.company), Permissions: qredo.Permissions{Admin: true}}}, Assets: []qredo.AssetCode{}, Wallets: []qredo.Wallet{},
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

// fundMembers are those named in the fund's custody groups, with what that lets them approve, for Qredo API v1:
// in the Partner API the one member of a fund is its company.
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
			ID: id, Name: c.Name, AccountCode: id, Initials: "C", Type: qredo.TrustedPartyCoreClient,
			CoreClient: &qredo.EntityCoreClient{Name: c.Name},
		}
	}
	u := r.st.users[id]
	if u == nil {
		return qredo.Entity{ID: id}
	}
	return qredo.Entity{
		ID: id, Name: u.name(), AccountCode: accountCode(id), Type: qredo.TrustedPartyUser,
		Initials: cmp.Or(initials(u.FirstName, u.LastName), initials(u.Username)),
		User:     &qredo.EntityUser{FirstName: u.FirstName, LastName: u.LastName, Email: u.Email, Username: u.Username},
	}
}

func companyEntity(c *company) qredo.Entity {
	name := c.Company.Name
	return qredo.Entity{
		ID: string(c.ID), Name: name, AccountCode: accountCode(string(c.ID)), Initials: initials(name),
		Type: qredo.TrustedPartyCompany, Company: &qredo.EntityCompany{Name: name},
	}
}

// accountCode is the code of a user's or company's account, which is not their ID. That of a core client is.
func accountCode(id string) string {
	sum := sha256.Sum256([]byte("account code of " + id))
	return encode(sum[:], base58)
}

// initials are the first letters of the names that somebody has.
func initials(names ...string) string {
	letters := ""
	for _, name := range names {
		for _, first := range strings.TrimSpace(name) {
			letters += string(unicode.ToUpper(first))
			break
		}
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
