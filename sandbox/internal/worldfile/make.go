package worldfile

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/custody"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// Made has the IDs of what was made. Users are keyed by e-mail, funds and wallets by COMPANY/FUND and COMPANY/FUND/WALLET,
// payments by name, or by reference if they have none.
type Made struct {
	Name, Description string
	Users             map[string]qredo.TrustedEntityID
	CoreClients       map[string]qredo.CoreClientID
	Companies         map[string]qredo.CompanyID
	Funds             map[string]qredo.FundID
	Wallets           map[string]qredo.WalletID
	Payments          map[string]qredo.TxID
}

// defaultLife is how long a payment without expires waits.
const defaultLife = 7 * 24 * time.Hour

// Make makes a world with the commands behind the APIs. It returns the refusals of those commands, and continues with
// whatever does not depend on them. Any other error means that the world is broken.
func Make(f *File, w *world.World, by world.Caller) (Made, []Problem, error) {
	m := maker{
		File: f, world: w, by: by, approvers: map[string]qredo.TrustedEntityID{},
		made: Made{
			Name: f.Name.Value, Description: f.Description.Value,
			Users: map[string]qredo.TrustedEntityID{}, CoreClients: map[string]qredo.CoreClientID{}, Companies: map[string]qredo.CompanyID{},
			Funds: map[string]qredo.FundID{}, Wallets: map[string]qredo.WalletID{}, Payments: map[string]qredo.TxID{},
		},
	}
	m.people()
	for _, c := range f.Companies {
		m.company(c)
	}
	for _, p := range f.Payments {
		m.payment(p)
	}
	return m.made, m.problems.sorted(), m.broken
}

type maker struct {
	*File
	world *world.World
	by    world.Caller
	made  Made

	approvers map[string]qredo.TrustedEntityID // by e-mail or name, in small letters
	problems  problems
	broken    error
}

// do runs a command, after the one before has been carried out. A refusal is a problem at a place in the file.
func (m *maker) do(at Text, command func(u *world.Update) error) bool {
	if m.broken != nil {
		return false
	}
	err := m.world.Update(command)
	var refused *world.Error
	switch {
	case errors.As(err, &refused):
		m.problems.add(at.Place, "%s: %s", shown(at.Value), refused.Reason)
	case err != nil:
		m.broken = err
	}
	return err == nil
}

func (m *maker) people() {
	for _, u := range m.Users {
		m.do(u.Email, func(up *world.Update) error {
			made, err := up.CreateUser(world.Person{
				Email: u.Email.Value, Username: u.Username.Value, FirstName: u.FirstName.Value, LastName: u.LastName.Value,
			})
			m.made.Users[u.Email.Value], m.approvers[strings.ToLower(u.Email.Value)] = made.ID, made.ID
			return err
		})
	}
	for _, c := range m.CoreClients {
		m.do(c.Name, func(up *world.Update) error {
			id := qredo.CoreClientID(c.ID.Value)
			if id == "" {
				made, err := up.CreateCoreClient(m.by.Account, c.Name.Value)
				if err != nil {
					return err
				}
				id = made.ID
			} else if err := up.CreateKnownCoreClient(m.by.Account, c.Name.Value, id); err != nil {
				return err
			}
			m.made.CoreClients[c.Name.Value], m.approvers[strings.ToLower(c.Name.Value)] = id, qredo.TrustedEntityID(id)
			return nil
		})
	}
}

func (m *maker) company(c *Company) {
	var id qredo.CompanyID
	if !m.do(c.Name, func(u *world.Update) (err error) {
		id, err = u.CreateCompany(m.by.Account, world.Profile{
			Name: c.Name.Value, City: c.City.Value, Country: c.Country.Value, Domain: c.Domain.Value, Ref: c.Ref.Value,
		})
		return err
	}) {
		return
	}
	m.made.Companies[c.Name.Value] = id
	for _, list := range [][]Text{c.Trusted, c.Invited} {
		for _, name := range list {
			m.do(name, func(u *world.Update) error {
				company, err := u.Company(m.by.Account, id)
				if err != nil {
					return err
				}
				return u.AddTrustedParties(company, []string{m.address(name)})
			})
		}
	}
	for _, name := range c.Trusted {
		if strings.Contains(name.Value, "@") { // programs need not accept
			m.do(name, func(u *world.Update) error { return u.Accept(name.Value, id) })
		}
	}
	for _, f := range c.Funds {
		m.fund(id, f)
	}
}

// address is the address to invite a trusted party by: an e-mail or a core client's ID.
func (m *maker) address(name Text) string {
	if strings.Contains(name.Value, "@") {
		return strings.TrimSpace(name.Value)
	}
	return string(m.approvers[strings.ToLower(name.Value)])
}

func (m *maker) group(f *Fund, name Text) *world.Group {
	if name.Value == "" {
		return nil
	}
	g := f.company.group(name.Value)
	group := &world.Group{Threshold: g.needed}
	for _, member := range g.Members {
		group.Members = append(group.Members, m.approvers[strings.ToLower(member.Value)])
	}
	return group
}

func (m *maker) fund(company qredo.CompanyID, f *Fund) {
	var id qredo.FundID
	find := func(u *world.Update) (*world.Fund, error) { return u.Fund(m.by.Account, company, id) }
	if !m.do(f.Name, func(u *world.Update) error {
		c, err := u.Company(m.by.Account, company)
		if err != nil {
			return err
		}
		made, err := u.CreateFund(c, world.NewFund{
			Name: f.Name.Value, Description: f.Description.Value, Withdraw: m.group(f, f.Withdrawals), Tx: m.group(f, f.Transfers),
		})
		if err == nil {
			id = made.ID
		}
		return err
	}) {
		return
	}
	m.made.Funds[f.company.Name.Value+"/"+f.Name.Value] = id
	for _, e := range f.Whitelist {
		if !m.offered(e.Asset) {
			continue
		}
		m.do(e.Address, func(u *world.Update) error {
			fund, err := find(u)
			if err != nil {
				return err
			}
			return u.AllowAddress(fund, world.WhitelistedAddress{Asset: qredo.AssetCode(e.Asset.Value), Address: e.Address.Value, Name: e.Name.Value})
		})
	}
	for _, w := range f.Wallets {
		m.wallet(w, find)
	}
}

// offered checks that an asset is offered, so that a problem is reported at its name.
func (m *maker) offered(asset Text) bool {
	return m.do(asset, func(u *world.Update) error {
		_, err := u.Asset(qredo.AssetCode(asset.Value))
		return err
	})
}

func (m *maker) wallet(w *Wallet, find func(u *world.Update) (*world.Fund, error)) {
	var id qredo.WalletID
	if !m.offered(w.Asset) || !m.do(w.Name, func(u *world.Update) error {
		fund, err := find(u)
		if err != nil {
			return err
		}
		made, err := u.AddWallets(fund, []world.NewWallet{{
			Name: w.Name.Value, Asset: qredo.AssetCode(w.Asset.Value), Withdraw: m.group(w.fund, w.Withdrawals), Tx: m.group(w.fund, w.Transfers),
		}})
		if err == nil {
			id = made[0]
		}
		return err
	}) {
		return
	}
	m.made.Wallets[w.path()] = id
	if w.Balance.Value == "" || w.Balance.Value == "0" {
		return
	}
	m.do(w.Balance, func(u *world.Update) error {
		amount, err := amountOf(u, w, w.Balance)
		if err != nil {
			return err
		}
		_, err = u.Deposit(string(id), amount.Amount, "")
		return err
	})
}

// amountOf reads a figure in whole units of a wallet's asset, exactly.
func amountOf(u *world.Update, w *Wallet, figure Text) (qredo.AssetAmount, error) {
	asset, err := u.Asset(qredo.AssetCode(w.Asset.Value))
	if err != nil {
		return qredo.AssetAmount{}, err
	}
	amount, err := asset.AssetAmount(figure.Value)
	var wrong *qredo.ValidationError
	if errors.As(err, &wrong) {
		return amount, &world.Error{Kind: world.Invalid, Reason: wrong.Rule}
	}
	return amount, err
}

func (m *maker) payment(p *Payment) {
	from := m.made.Wallets[p.from.path()]
	if from == "" {
		return // already reported
	}
	var id qredo.TxID
	made := m.do(p.Amount, func(u *world.Update) error {
		amount, err := amountOf(u, p.from, p.Amount)
		if err != nil {
			return err
		}
		life := defaultLife
		if p.Expires.Value != "" {
			life, _ = time.ParseDuration(p.Expires.Value) // checked
		}
		sending := world.Sending{
			By: m.by, Company: m.made.Companies[p.from.fund.company.Name.Value], From: from, Send: amount, Expires: qredo.TimeOf(u.Now.Add(life)),
		}
		remarks := world.Remarks{Reference: p.Reference.Value}
		var sent world.Submission
		if p.to != nil {
			sent, err = u.CreateTransfer(world.NewTransfer{Sending: sending, To: string(m.made.Wallets[p.to.path()]), Remarks: remarks})
		} else {
			sent, err = u.CreateWithdrawal(world.NewWithdrawal{Sending: sending, Address: p.address, Remarks: remarks})
		}
		id = sent.ID
		return err
	})
	if !made {
		return
	}
	if name := p.label(); name != "" {
		m.made.Payments[name] = id
	}
	for _, votes := range []struct {
		by     []Text
		choice custody.Choice
	}{{p.ApprovedBy, custody.Approve}, {p.RejectedBy, custody.Reject}} {
		for _, name := range votes.by {
			m.do(name, func(u *world.Update) error {
				err := u.Decide(string(m.approvers[strings.ToLower(name.Value)]), string(id), votes.choice)
				if refused := (*world.Error)(nil); errors.As(err, &refused) { // its ID means nothing to the file's author
					return &world.Error{Kind: refused.Kind, Reason: ksuid.ReplaceAllString(refused.Reason, "the payment")}
				}
				return err
			})
		}
	}
}

// ksuid is the form of the IDs of transactions and actions.
var ksuid = regexp.MustCompile(`\b[0-9A-Za-z]{27}\b`)

// label is a payment's name in problems.
func (p *Payment) label() string {
	if p.Name.Value != "" {
		return p.Name.Value
	}
	return p.Reference.Value
}
