package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

func listTrustedParties(_ *request, c *company) (any, error) {
	list := []qredo.TrustedParty{}
	for _, p := range c.parties {
		if p.accepted {
			list = append(list, qredo.TrustedParty{
				ID: p.PartyID, Name: p.Name, Address: p.Address, Type: p.Type, Created: wireTime(p.created),
			})
		}
	}
	return map[string]any{"company_id": c.ID, "total_count": len(list), "list": list}, nil
}

// partyAddresses are whom a request names. A guide sends several in one body, each under the key address.
type partyAddresses []string

// UnmarshalJSON reads all of them, each once.
func (a *partyAddresses) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return errors.New("the body is no object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if name, _ := key.(string); !strings.EqualFold(name, "address") || string(value) == "null" {
			continue
		}
		text, err := wire.Text(value)
		if err != nil {
			return fmt.Errorf("address: %w", err)
		}
		address := strings.TrimSpace(text)
		if !slices.ContainsFunc(*a, func(known string) bool { return strings.EqualFold(known, address) }) {
			*a = append(*a, address)
		}
	}
	return nil
}

func addTrustedParties(r *request, c *company, addresses partyAddresses) (any, error) {
	if len(addresses) == 0 {
		return nil, badRequest("address must not be empty")
	}
	for _, address := range addresses {
		added, err := r.findParty(address)
		if err != nil {
			return nil, err
		}
		if c.party(added.PartyID) == nil { // asking again changes nothing
			added.CompanyID = c.ID
			r.change(added)
		}
	}
	return ok, nil
}

// findParty tells whose address it is.
func (r *request) findParty(address string) (partyAdded, error) {
	switch {
	case address == "":
		return partyAdded{}, badRequest("address must not be empty")
	case strings.Contains(address, "@"):
		u := r.st.userByEmail[strings.ToLower(address)]
		if u == nil && !r.choices.invitations {
			return partyAdded{}, notFound("user: a person must have an account before a company can ask them")
		}
		if u == nil { // invited: that makes an account
			name, _, _ := strings.Cut(address, "@")
			u = &user{userCreated{User{ID: qredo.TrustedEntityID(r.ids.account()), Email: address, Username: name}, true}}
			r.change(u.userCreated)
		}
		return partyAdded{PartyID: u.ID, Address: u.Email, Name: u.name(), Type: qredo.TrustedPartyUser}, nil
	}
	if c := r.st.coreClients[qredo.CoreClientID(address)]; c != nil {
		return partyAdded{
			PartyID: qredo.TrustedEntityID(address), Address: address, Name: c.Name, Type: qredo.TrustedPartyCoreClient, Accepted: true,
		}, nil
	}
	if c := r.st.companyOf(address); c != nil {
		return partyAdded{
			PartyID: qredo.TrustedEntityID(c.ID), Address: c.Company.Domain, Name: c.Company.Name,
			Type: qredo.TrustedPartyCompany, Accepted: true,
		}, nil
	}
	return partyAdded{}, notFound("trusted party")
}

// companyOf returns the company with a domain, the oldest if there are several.
func (st *state) companyOf(domain string) *company {
	var oldest *company
	for _, c := range st.companies {
		if strings.EqualFold(c.Company.Domain, domain) && (oldest == nil || c.ID < oldest.ID) {
			oldest = c
		}
	}
	return oldest
}

func (u *user) name() string {
	if name := strings.TrimSpace(u.FirstName + " " + u.LastName); name != "" {
		return name
	}
	return u.Username
}

func removeTrustedParty(r *request, c *company) (any, error) {
	p := c.party(qredo.TrustedEntityID(r.path["trustedparty_id"]))
	if p == nil {
		return nil, notFound("trusted party")
	}
	r.change(partyRemoved{CompanyID: c.ID, PartyID: p.PartyID})
	return ok, nil
}
