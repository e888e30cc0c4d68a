package world

import (
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Party is one whom a company trusts, or has asked to join its trusted network.
type Party struct {
	partyAdded
	Created  time.Time // when they were added: one who must accept, when they did
	Accepted bool
}

type partyAdded struct {
	CompanyID qredo.CompanyID
	PartyID   qredo.TrustedEntityID
	Address   string
	Name      string
	Type      qredo.TrustedPartyType
	Accepted  bool // needs no acceptance in the app
}

func (e partyAdded) apply(st *state, at time.Time) {
	c := st.companies[e.CompanyID]
	c.Parties = append(c.Parties, &Party{partyAdded: e, Created: at, Accepted: e.Accepted})
}

type partyAccepted struct {
	CompanyID qredo.CompanyID
	PartyID   qredo.TrustedEntityID
}

func (e partyAccepted) apply(st *state, at time.Time) {
	p := st.companies[e.CompanyID].Party(e.PartyID)
	p.Accepted, p.Created = true, at
}

type partyRemoved struct {
	CompanyID qredo.CompanyID
	PartyID   qredo.TrustedEntityID
}

func (e partyRemoved) apply(st *state, _ time.Time) {
	c := st.companies[e.CompanyID]
	c.Parties = slices.DeleteFunc(c.Parties, func(p *Party) bool { return p.PartyID == e.PartyID })
}

// Party returns a company's trusted party by its ID, nil if there is none.
func (c *Company) Party(id qredo.TrustedEntityID) *Party {
	for _, p := range c.Parties {
		if p.PartyID == id {
			return p
		}
	}
	return nil
}

// AddTrustedParties asks those with these addresses into a company's trusted network.
func (u *Update) AddTrustedParties(c *Company, addresses []string) error {
	if len(addresses) == 0 {
		return invalid("address must not be empty")
	}
	for _, address := range addresses {
		added, err := u.findParty(address)
		if err != nil {
			return err
		}
		if c.Party(added.PartyID) == nil { // asking again changes nothing
			added.CompanyID = c.ID
			u.change(added)
		}
	}
	return nil
}

// findParty tells whose address it is.
func (u *Update) findParty(address string) (partyAdded, error) {
	switch {
	case address == "":
		return partyAdded{}, invalid("address must not be empty")
	case strings.Contains(address, "@"):
		known := u.userByEmail[strings.ToLower(address)]
		if known == nil && !u.Choices.Invitations {
			return partyAdded{}, notFound("user: a person must have an account before a company can ask them")
		}
		if known == nil { // invited: that makes an account
			name, _, _ := strings.Cut(address, "@")
			known = &User{userCreated{Person{ID: qredo.TrustedEntityID(u.ids.account()), Email: address, Username: name}, true}}
			u.change(known.userCreated)
		}
		return partyAdded{PartyID: known.ID, Address: known.Email, Name: known.FullName(), Type: qredo.TrustedPartyUser}, nil
	}
	if c := u.coreClients[qredo.CoreClientID(address)]; c != nil {
		return partyAdded{
			PartyID: qredo.TrustedEntityID(address), Address: address, Name: c.Name, Type: qredo.TrustedPartyCoreClient, Accepted: true,
		}, nil
	}
	if c := u.companyOf(address); c != nil {
		return partyAdded{
			PartyID: qredo.TrustedEntityID(c.ID), Address: c.Profile.Domain, Name: c.Profile.Name,
			Type: qredo.TrustedPartyCompany, Accepted: true,
		}, nil
	}
	return partyAdded{}, notFound("trusted party")
}

// companyOf returns the company with a domain, the oldest if there are several.
func (st *state) companyOf(domain string) *Company {
	var oldest *Company
	for _, c := range st.companies {
		if strings.EqualFold(c.Profile.Domain, domain) && (oldest == nil || c.ID < oldest.ID) {
			oldest = c
		}
	}
	return oldest
}

// RemoveTrustedParty takes a party out of a company's trusted network.
func (u *Update) RemoveTrustedParty(c *Company, id qredo.TrustedEntityID) error {
	p := c.Party(id)
	if p == nil {
		return notFound("trusted party")
	}
	u.change(partyRemoved{CompanyID: c.ID, PartyID: p.PartyID})
	return nil
}

// Accept lets a user accept a company's request to join its trusted network. An empty company stands for all that
// have asked.
func (u *Update) Accept(name string, companyID qredo.CompanyID) error {
	user, err := u.user(name)
	if err != nil {
		return err
	}
	accepted := false
	for id, c := range u.companies {
		if p := c.Party(user.ID); p != nil && !p.Accepted && (companyID == "" || companyID == id) {
			u.change(partyAccepted{CompanyID: id, PartyID: user.ID})
			accepted = true
		}
	}
	if !accepted {
		return notFound("request to join a trusted network")
	}
	return nil
}
