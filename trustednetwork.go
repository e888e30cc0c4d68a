package qredo

import (
	"context"
	"strings"
	"time"
)

// TrustedPartyType tells what a trusted party is. Other values than these may come.
type TrustedPartyType string

// The kinds of trusted parties.
const (
	TrustedPartyUser       TrustedPartyType = "user"
	TrustedPartyCompany    TrustedPartyType = "company"
	TrustedPartyCoreClient TrustedPartyType = "core-client"
)

// TrustedParty is a member of a company's trusted network: it can be named as a member of a custody
// group.
type TrustedParty struct {
	ID       TrustedEntityID  `json:"trusted_entity_id"`
	Name     string           `json:"name"`
	Address  string           `json:"address"`
	Type     TrustedPartyType `json:"type"`
	Created  Time             `json:"created"`  // when they were added: a user, when they accepted
	Internal bool             `json:"internal"` // no source says what it means
}

// trustedPartyList is the wire form of what List returns.
type trustedPartyList struct {
	CompanyID  CompanyID          `json:"company_id"`
	TotalCount int                `json:"total_count"`
	List       []trustedPartyItem `json:"list"`
}

// trustedPartyItem is one element of a trustedPartyList: a party, or in some answers a list of its own.
type trustedPartyItem struct {
	TrustedParty
	Nested []TrustedParty `json:"list,omitzero"`
}

func (l *trustedPartyList) parties() []TrustedParty {
	parties := make([]TrustedParty, 0, len(l.List))
	for _, item := range l.List {
		parties = append(parties, item.Nested...)
		if item.TrustedParty != (TrustedParty{}) { // as it is beside a nested list, also one that is empty
			parties = append(parties, item.TrustedParty)
		}
	}
	return parties
}

// TrustedPartyRequest names whom to trust.
type TrustedPartyRequest struct {
	Address string `json:"address"` // a user's e-mail, a core client's ID, or a company's domain
}

func (r TrustedPartyRequest) validate(time.Time) error {
	if strings.TrimSpace(r.Address) == "" {
		return invalid("address", "must be an e-mail, a core client's ID or a company's domain, is empty")
	}
	return nil
}

// TrustedNetworkService keeps the list of those whom a company trusts.
type TrustedNetworkService struct{ client *Client }

// Add asks a party to join a company's trusted network. A user must have an account, else it is [ErrNotFound] or
// [ErrBadRequest], and must accept in the app before List shows them; a core client needs not.
//
// API: POST /company/{company_id}/trustedparty
func (s *TrustedNetworkService) Add(ctx context.Context, companyID CompanyID, req TrustedPartyRequest, opts ...CallOption) error {
	return s.client.run(ctx, api("POST /company/{company_id}/trustedparty", string(companyID)).with(req), new(done), opts)
}

// List returns the members of a company's trusted network. Their IDs are what a [CustodyGroup] is made
// of.
//
// API: GET /company/{company_id}/trustedparty
func (s *TrustedNetworkService) List(ctx context.Context, companyID CompanyID, opts ...CallOption) ([]TrustedParty, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/trustedparty", string(companyID)), opts, (*trustedPartyList).parties)
}

// Remove takes a party out of a company's trusted network.
//
// API: DELETE /company/{company_id}/trustedparty/{trustedparty_id}
func (s *TrustedNetworkService) Remove(ctx context.Context, companyID CompanyID, id TrustedEntityID, opts ...CallOption) error {
	return s.client.run(ctx, api("DELETE /company/{company_id}/trustedparty/{trustedparty_id}", string(companyID), string(id)), new(done), opts)
}
