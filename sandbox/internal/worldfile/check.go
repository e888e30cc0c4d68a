package worldfile

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Read reads a world and checks everything that can be checked without making it: keys, duplicates and references. It
// returns all problems.
func Read(data []byte) (*File, []Problem) {
	r := &reader{}
	n := r.document(data)
	if n == nil {
		return nil, r.sorted()
	}
	c := checker{File: r.file(n), reader: r}
	c.people()
	for _, company := range c.Companies {
		c.company(company)
	}
	c.payments()
	return c.File, r.sorted()
}

// checker resolves references in a file, and finds duplicates.
type checker struct {
	*File
	*reader
}

// names finds duplicate names in one place. Missing names are reported elsewhere.
type names map[string]Place

func (c *checker) unique(taken names, what string, name Text) {
	if name.Value == "" {
		return
	}
	key := strings.ToLower(name.Value)
	if first, twice := taken[key]; twice {
		c.add(name.Place, "%s %s is here twice: the first is in line %d", what, shown(name.Value), first.Line)
		return
	}
	taken[key] = name.Place
}

func (c *checker) people() {
	emails, clients, ids, companies := names{}, names{}, names{}, names{}
	for _, u := range c.Users {
		c.unique(emails, "the user", u.Email)
	}
	for _, client := range c.CoreClients {
		c.unique(clients, "the core client", client.Name)
		c.unique(ids, "the ID", client.ID)
		if strings.Contains(client.Name.Value, "@") {
			c.add(client.Name.Place, "the name of a core client must not look like an e-mail address")
		}
	}
	for _, company := range c.Companies {
		c.unique(companies, "the company", company.Name)
	}
}

// isApprover reports whether the file has such a user or core client.
func (c *checker) isApprover(name string) bool {
	return slices.ContainsFunc(c.Users, func(u User) bool { return strings.EqualFold(u.Email.Value, name) }) ||
		slices.ContainsFunc(c.CoreClients, func(client CoreClient) bool { return strings.EqualFold(client.Name.Value, name) })
}

func (c *checker) approvers(list []Text) {
	seen := names{}
	for _, name := range list {
		if c.unique(seen, "the name", name); !c.isApprover(name.Value) {
			c.add(name.Place, "there is no user and no core client %s", shown(name.Value))
		}
	}
}

func (c *checker) company(company *Company) {
	c.approvers(company.Trusted)
	c.approvers(company.Invited)
	for _, name := range company.Invited {
		if !strings.Contains(name.Value, "@") {
			c.add(name.Place, "a core client joins without an invitation: name it in trusted")
		} else if isNamed(company.Trusted, name.Value) {
			c.add(name.Place, "%s is in trusted too", shown(name.Value))
		}
	}
	groups, funds := names{}, names{}
	for i := range company.Groups {
		g := &company.Groups[i]
		c.unique(groups, "the group", g.Name)
		c.group(company, g)
	}
	for _, f := range company.Funds {
		c.unique(funds, "the fund", f.Name)
		c.fund(f)
	}
}

func isNamed(list []Text, name string) bool {
	return slices.ContainsFunc(list, func(t Text) bool { return strings.EqualFold(t.Value, name) })
}

func (c *checker) group(company *Company, g *Group) {
	seen := names{}
	for _, m := range g.Members {
		c.unique(seen, "the member", m)
		if !isNamed(company.Trusted, m.Value) {
			c.add(m.Place, "the member %s is not in trusted", shown(m.Value))
		}
	}
	if g.Threshold.Value == "" {
		return
	}
	var err error
	g.needed, err = strconv.Atoi(g.Threshold.Value)
	switch {
	case err != nil || g.needed < 1:
		c.add(g.Threshold.Place, "the threshold must be 1 or more, is %s", shown(g.Threshold.Value))
	case g.needed > len(g.Members):
		c.add(g.Threshold.Place, "the threshold is %d, and there are %d members", g.needed, len(g.Members))
	}
}

func (c *checker) fund(f *Fund) {
	c.groupOf(f, f.Withdrawals)
	c.groupOf(f, f.Transfers)
	wallets, entries, addresses := names{}, names{}, map[string]names{}
	for _, w := range f.Wallets {
		c.unique(wallets, "the wallet", w.Name)
		c.groupOf(f, w.Withdrawals)
		c.groupOf(f, w.Transfers)
		c.wallets = append(c.wallets, w)
	}
	for _, e := range f.Whitelist {
		c.unique(entries, "the entry", e.Name)
		if addresses[e.Asset.Value] == nil {
			addresses[e.Asset.Value] = names{}
		}
		c.unique(addresses[e.Asset.Value], "the address", e.Address)
	}
}

func (c *checker) groupOf(f *Fund, name Text) {
	if name.Value != "" && f.company.group(name.Value) == nil {
		c.add(name.Place, "the company has no group %s", shown(name.Value))
	}
}

func (company *Company) group(name string) *Group {
	for i := range company.Groups {
		if strings.EqualFold(company.Groups[i].Name.Value, name) {
			return &company.Groups[i]
		}
	}
	return nil
}

func (c *checker) payments() {
	seen := names{}
	for _, p := range c.Payments {
		c.unique(seen, "the payment", p.Name)
		p.from = c.wallet(p.From)
		switch {
		case p.ToWallet.Value != "" && p.ToAddress.Value != "":
			c.add(p.ToAddress.Place, "a payment has to_wallet or to_address, not both")
		case p.ToWallet.Value != "":
			p.to = c.wallet(p.ToWallet)
		case p.ToAddress.Value != "":
			c.address(p)
		default:
			c.add(p.at, "a payment must have the key to_wallet or to_address")
		}
		if text := p.Expires; text.Value != "" {
			if life, err := time.ParseDuration(text.Value); err != nil || life <= 0 {
				c.add(text.Place, "expires must be how long from now, such as 24h, is %s", shown(text.Value))
			}
		}
		c.approvers(slices.Concat(p.ApprovedBy, p.RejectedBy))
	}
}

// path is a wallet's full name.
func (w *Wallet) path() string {
	return w.fund.company.Name.Value + "/" + w.fund.Name.Value + "/" + w.Name.Value
}

// wallet finds the wallet named WALLET, FUND/WALLET or COMPANY/FUND/WALLET.
func (c *checker) wallet(name Text) *Wallet {
	if name.Value == "" {
		return nil
	}
	var found []*Wallet
	for _, w := range c.wallets {
		if path := "/" + strings.ToLower(w.path()); w.Name.Value != "" && strings.HasSuffix(path, "/"+strings.ToLower(name.Value)) {
			found = append(found, w)
		}
	}
	switch len(found) {
	case 0:
		c.add(name.Place, "there is no wallet %s", shown(name.Value))
		return nil
	case 1:
		return found[0]
	}
	c.add(name.Place, "there are %d wallets %s: say %s", len(found), shown(name.Value), shown(found[0].path()))
	return nil
}

// address finds the entry of the whitelist that a payment goes to.
func (c *checker) address(p *Payment) {
	if p.from == nil {
		return
	}
	for _, e := range p.from.fund.Whitelist {
		if e.Asset.Value == p.from.Asset.Value && (strings.EqualFold(e.Name.Value, p.ToAddress.Value) || e.Address.Value == p.ToAddress.Value) {
			p.address = e.Address.Value
			return
		}
	}
	c.add(p.ToAddress.Place, "the whitelist of the fund %s has no %s for %s", shown(p.from.fund.Name.Value), shown(p.ToAddress.Value), p.from.Asset.Value)
}
