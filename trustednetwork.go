package qredo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// TrustedPartyType says what a trusted party is. The service may return other values.
type TrustedPartyType string

// The kinds of trusted parties.
const (
	TrustedPartyUser       TrustedPartyType = "user"
	TrustedPartyCompany    TrustedPartyType = "company"
	TrustedPartyCoreClient TrustedPartyType = "core-client"
)

// TrustedParty is a member of a company's trusted network, who can be a member of a custody group.
type TrustedParty struct {
	ID       TrustedEntityID  `json:"trusted_entity_id"`
	Name     string           `json:"name"`
	Address  string           `json:"address"`
	Type     TrustedPartyType `json:"type"`
	Created  Time             `json:"created"`  // when they were added; for a user, when they accepted
	Internal bool             `json:"internal"` // undocumented
}

// trustedPartyList is the wire form of the result of List.
type trustedPartyList struct {
	CompanyID  CompanyID          `json:"company_id"`
	TotalCount int                `json:"total_count"`
	List       []trustedPartyItem `json:"list"`
}

// trustedPartyItem is one element of a trustedPartyList: a party or, in some responses, a nested list.
type trustedPartyItem struct {
	TrustedParty
	Nested []TrustedParty `json:"list,omitzero"`
}

func (l *trustedPartyList) parties() []TrustedParty {
	parties := make([]TrustedParty, 0, len(l.List))
	for _, item := range l.List {
		parties = append(parties, item.Nested...)
		if item.TrustedParty != (TrustedParty{}) { // unchanged if there is a nested list, even an empty one
			parties = append(parties, item.TrustedParty)
		}
	}
	return parties
}

// TrustedPartyRequest says whom to trust.
type TrustedPartyRequest struct {
	Address string `json:"address"` // a user's e-mail, a core client's ID, or a company's domain
}

func (r TrustedPartyRequest) validate(time.Time) error {
	if strings.TrimSpace(r.Address) == "" {
		return invalid("address", "must be an e-mail, a core client's ID or a company's domain, is empty")
	}
	return nil
}

// TrustedNetworkService maintains the list of people and programs that a company trusts.
type TrustedNetworkService struct{ client *Client }

// Add asks a party to join a company's trusted network. A user must have an account (otherwise it returns [ErrNotFound] or
// [ErrBadRequest]), and must accept in the app before List shows them. A core client does not have to accept.
//
// API: POST /company/{company_id}/trustedparty
func (s *TrustedNetworkService) Add(ctx context.Context, companyID CompanyID, req TrustedPartyRequest, opts ...CallOption) error {
	return s.client.run(ctx, api("POST /company/{company_id}/trustedparty", string(companyID)).with(req), new(done), opts)
}

// Ensure returns the member of a company's trusted network with the request's address, and asks them to join if there is none;
// made says whether it did. It returns an error that matches [ErrNotAccepted] if the party has been asked but is not listed
// yet, such as a user who has not accepted in the app: call Ensure again later. Until then each call asks again, because the
// service does not show who has been asked; as far as is known that changes nothing. See [CompaniesService.Ensure] about lost
// answers.
//
// API: GET /company/{company_id}/trustedparty
// API: POST /company/{company_id}/trustedparty
func (s *TrustedNetworkService) Ensure(ctx context.Context, companyID CompanyID, req TrustedPartyRequest, opts ...CallOption) (party *TrustedParty, made bool, err error) {
	if err := req.validate(time.Time{}); err != nil {
		return nil, false, err
	}
	var listed []TrustedParty
	e := ensuring[TrustedParty]{
		kind: "trusted party", key: fmt.Sprintf("address %q", req.Address), within: "trusted by " + string(companyID),
		find: func(ctx context.Context) (ids []string, err error) {
			if listed, err = s.List(ctx, companyID, opts...); err != nil {
				return nil, err
			}
			for _, p := range listed {
				if req.means(p) {
					ids = append(ids, string(p.ID))
				}
			}
			return ids, nil
		},
		create: func(ctx context.Context, opts ...CallOption) (string, error) {
			return "", s.Add(ctx, companyID, req, opts...)
		},
		get: func(_ context.Context, id string) (*TrustedParty, error) {
			i := slices.IndexFunc(listed, func(p TrustedParty) bool { return string(p.ID) == id })
			return &listed[i], nil
		},
		compare: func(*TrustedParty) differences { return nil },
		hidden:  fmt.Errorf("qredo: %s was asked to join the trusted network of company %s and %w: a user does so in the app", oneLine(req.Address), companyID, ErrNotAccepted),
	}
	return e.run(ctx, s.client, opts)
}

// means reports whether a party is the one that is asked for. Capitals matter only in core clients' IDs.
func (r TrustedPartyRequest) means(p TrustedParty) bool {
	address := strings.TrimSpace(r.Address)
	return address == p.Address || address == string(p.ID) || strings.ContainsAny(address, "@.") && strings.EqualFold(address, p.Address)
}

// List returns the members of a company's trusted network. A [CustodyGroup] uses their IDs.
//
// API: GET /company/{company_id}/trustedparty
func (s *TrustedNetworkService) List(ctx context.Context, companyID CompanyID, opts ...CallOption) ([]TrustedParty, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/trustedparty", string(companyID)), opts, (*trustedPartyList).parties)
}

// Remove removes a party from a company's trusted network.
//
// API: DELETE /company/{company_id}/trustedparty/{trustedparty_id}
func (s *TrustedNetworkService) Remove(ctx context.Context, companyID CompanyID, id TrustedEntityID, opts ...CallOption) error {
	return s.client.run(ctx, api("DELETE /company/{company_id}/trustedparty/{trustedparty_id}", string(companyID), string(id)), new(done), opts)
}
