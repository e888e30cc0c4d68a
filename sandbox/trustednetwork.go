package sandbox

import (
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

func listTrustedParties(r *request) (any, error) {
	c, err := r.company()
	if err != nil {
		return nil, err
	}
	list := []qredo.TrustedParty{}
	for _, p := range c.parties {
		if p.accepted {
			list = append(list, qredo.TrustedParty{
				ID: qredo.TrustedEntityID(p.PartyID), Name: p.Name, Address: p.Address, Type: p.Type, Created: wireTime(p.created),
			})
		}
	}
	return struct {
		CompanyID  qredo.CompanyID      `json:"company_id"`
		TotalCount int                  `json:"total_count"`
		List       []qredo.TrustedParty `json:"list"`
	}{c.ID, len(list), list}, nil
}

func addTrustedParty(r *request) ([]change, any, error) {
	c, err := r.company()
	if err != nil {
		return nil, nil, err
	}
	var req qredo.TrustedPartyRequest
	if err := r.read(&req); err != nil {
		return nil, nil, err
	}
	changes, added, err := r.findParty(strings.TrimSpace(req.Address))
	if err != nil {
		return nil, nil, err
	}
	if c.party(added.PartyID) != nil {
		return nil, ok, nil // asking again changes nothing
	}
	added.CompanyID = c.ID
	return append(changes, added), ok, nil
}

// findParty tells whose address it is. A person who has no account yet is invited: that makes one.
func (r *request) findParty(address string) ([]change, partyAdded, error) {
	switch {
	case address == "":
		return nil, partyAdded{}, badRequest("address must not be empty")
	case strings.Contains(address, "@"):
		var changes []change
		u := r.st.userByEmail[strings.ToLower(address)]
		if u == nil {
			name, _, _ := strings.Cut(address, "@")
			u = &user{userCreated{ID: r.ids.account(), Email: address, Username: name, Invited: true}}
			changes = append(changes, u.userCreated)
		}
		return changes, partyAdded{PartyID: u.ID, Address: u.Email, Name: u.name(), Type: qredo.TrustedPartyUser}, nil
	}
	if c := r.st.coreClients[qredo.CoreClientID(address)]; c != nil {
		return nil, partyAdded{
			PartyID: address, Address: address, Name: c.Name, Type: qredo.TrustedPartyCoreClient, Accepted: true,
		}, nil
	}
	if c := r.st.companyOf(address); c != nil {
		return nil, partyAdded{
			PartyID: string(c.ID), Address: c.Company.Domain, Name: c.Company.Name,
			Type: qredo.TrustedPartyCompany, Accepted: true,
		}, nil
	}
	return nil, partyAdded{}, notFound("trusted party")
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

func removeTrustedParty(r *request) ([]change, any, error) {
	c, err := r.company()
	if err != nil {
		return nil, nil, err
	}
	p := c.party(r.path["trustedparty_id"])
	if p == nil {
		return nil, nil, notFound("trusted party")
	}
	return []change{partyRemoved{CompanyID: c.ID, PartyID: p.PartyID}}, ok, nil
}

func wireTime(t time.Time) qredo.Time {
	if t.IsZero() {
		return qredo.Time{}
	}
	return qredo.Unix(t.Unix())
}
