package worldfile

import "go.yaml.in/yaml/v3"

// File is a world as it is written. Things refer to each other by name.
type File struct {
	Name, Description Text
	Users             []User
	CoreClients       []CoreClient
	Companies         []*Company
	Payments          []*Payment

	wallets []*Wallet // of all companies
}

// User is a person with the app.
type User struct{ Email, Username, FirstName, LastName Text }

// CoreClient is a program that approves.
type CoreClient struct{ Name, ID Text }

// Company owns funds.
type Company struct {
	Name, City, Country, Domain, Ref Text
	Trusted, Invited                 []Text // e-mails of users, names of core clients
	Groups                           []Group
	Funds                            []*Fund
}

// Group is a group of approvers with a threshold.
type Group struct {
	Name, Threshold Text
	Members         []Text
	needed          int
}

// Fund groups wallets.
type Fund struct {
	Name, Description      Text
	Withdrawals, Transfers Text // names of groups
	Wallets                []*Wallet
	Whitelist              []Whitelisted

	company *Company
}

// Wallet holds an asset.
type Wallet struct {
	Name, Asset, Balance   Text
	Withdrawals, Transfers Text // its own groups, instead of the fund's

	fund *Fund
}

// Whitelisted is an address that a fund may withdraw to.
type Whitelisted struct{ Name, Asset, Address Text }

// Payment is a transfer or a withdrawal, with the decisions made already.
type Payment struct {
	Name, From, ToWallet, ToAddress, Amount, Reference, Expires Text
	ApprovedBy, RejectedBy                                      []Text

	at       Place
	from, to *Wallet
	address  string
}

func (r *reader) file(n *yaml.Node) *File {
	f := &File{}
	r.object(n, "a world", map[string]field{
		"name": r.text("name", &f.Name), "description": r.text("description", &f.Description),
		"users": r.list("users", func(n *yaml.Node) { f.Users = append(f.Users, r.user(n)) }),
		"core_clients": r.list("core_clients", func(n *yaml.Node) {
			var c CoreClient
			r.object(n, "a core client", map[string]field{"name": r.text("name", &c.Name), "id": r.text("id", &c.ID)}, "name")
			f.CoreClients = append(f.CoreClients, c)
		}),
		"companies": r.list("companies", func(n *yaml.Node) { f.Companies = append(f.Companies, r.company(n)) }),
		"payments":  r.list("payments", func(n *yaml.Node) { f.Payments = append(f.Payments, r.payment(n)) }),
	})
	return f
}

func (r *reader) user(n *yaml.Node) (u User) {
	r.object(n, "a user", map[string]field{
		"email": r.text("email", &u.Email), "username": r.text("username", &u.Username),
		"first_name": r.text("first_name", &u.FirstName), "last_name": r.text("last_name", &u.LastName),
	}, "email")
	return u
}

func (r *reader) company(n *yaml.Node) *Company {
	c := &Company{}
	r.object(n, "a company", map[string]field{
		"name": r.text("name", &c.Name), "city": r.text("city", &c.City), "country": r.text("country", &c.Country),
		"domain": r.text("domain", &c.Domain), "ref": r.text("ref", &c.Ref),
		"trusted": r.texts("trusted", &c.Trusted), "invited": r.texts("invited", &c.Invited),
		"groups": r.list("groups", func(n *yaml.Node) {
			var g Group
			r.object(n, "a group", map[string]field{
				"name": r.text("name", &g.Name), "threshold": r.text("threshold", &g.Threshold), "members": r.texts("members", &g.Members),
			}, "name", "threshold", "members")
			c.Groups = append(c.Groups, g)
		}),
		"funds": r.list("funds", func(n *yaml.Node) { c.Funds = append(c.Funds, r.fund(n, c)) }),
	}, "name")
	return c
}

func (r *reader) fund(n *yaml.Node, c *Company) *Fund {
	f := &Fund{company: c}
	r.object(n, "a fund", map[string]field{
		"name": r.text("name", &f.Name), "description": r.text("description", &f.Description),
		"withdrawals": r.text("withdrawals", &f.Withdrawals), "transfers": r.text("transfers", &f.Transfers),
		"wallets": r.list("wallets", func(n *yaml.Node) {
			w := &Wallet{fund: f}
			r.object(n, "a wallet", map[string]field{
				"name": r.text("name", &w.Name), "asset": r.text("asset", &w.Asset), "balance": r.text("balance", &w.Balance),
				"withdrawals": r.text("withdrawals", &w.Withdrawals), "transfers": r.text("transfers", &w.Transfers),
			}, "name", "asset")
			f.Wallets = append(f.Wallets, w)
		}),
		"whitelist": r.list("whitelist", func(n *yaml.Node) {
			var w Whitelisted
			r.object(n, "an entry of the whitelist", map[string]field{
				"name": r.text("name", &w.Name), "asset": r.text("asset", &w.Asset), "address": r.text("address", &w.Address),
			}, "name", "asset", "address")
			f.Whitelist = append(f.Whitelist, w)
		}),
	}, "name")
	return f
}

func (r *reader) payment(n *yaml.Node) *Payment {
	p := &Payment{at: at(n)}
	r.object(n, "a payment", map[string]field{
		"name": r.text("name", &p.Name), "from": r.text("from", &p.From), "to_wallet": r.text("to_wallet", &p.ToWallet),
		"to_address": r.text("to_address", &p.ToAddress), "amount": r.text("amount", &p.Amount),
		"reference": r.text("reference", &p.Reference), "expires": r.text("expires", &p.Expires),
		"approved_by": r.texts("approved_by", &p.ApprovedBy), "rejected_by": r.texts("rejected_by", &p.RejectedBy),
	}, "from", "amount")
	return p
}
