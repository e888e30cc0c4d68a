package qredo

import (
	"cmp"
	"context"
	"strings"
	"time"
)

// Company is a legal entity that holds funds.
type Company struct {
	ID      CompanyID `json:"company_id"`
	Name    string    `json:"name"`
	City    string    `json:"city,omitzero"`
	Country string    `json:"country,omitzero" alias:"country_code"` // free text, usually ISO 3166 alpha-2
	Domain  string    `json:"domain,omitzero"`
	Ref     string    `json:"ref,omitzero"` // the caller's own reference
}

// CompanyRequest is what a company is created from.
type CompanyRequest struct {
	Name    string `json:"name"` // required
	City    string `json:"city,omitzero"`
	Country string `json:"country,omitzero"` // ISO 3166 alpha-2 is usual, any text is taken
	Domain  string `json:"domain,omitzero"`
	Ref     string `json:"ref,omitzero"` // the caller's own reference; several companies may have the same
}

func (r CompanyRequest) validate(time.Time) error {
	return checkText("name", r.Name)
}

// CompanyUpdate is what is changed about a company: at least one field. Those left empty are not sent.
type CompanyUpdate struct {
	Name    string `json:"name,omitzero"`
	City    string `json:"city,omitzero"`
	Country string `json:"country,omitzero"`
	Domain  string `json:"domain,omitzero"`
	Ref     string `json:"ref,omitzero"`
}

func (u CompanyUpdate) validate(time.Time) error {
	if u == (CompanyUpdate{}) {
		return invalid("company", "must have a field to change: one that is left empty stays as it is")
	}
	return nil
}

// CompanyRef names a company by its ID and by the caller's own reference.
type CompanyRef struct {
	ID  CompanyID `json:"company_id" required:"true"`
	Ref string    `json:"ref"`
}

// CompanyMatch is a company that a search found.
type CompanyMatch struct {
	ID     CompanyID `json:"company_id"`
	Name   string    `json:"name"`
	Domain string    `json:"domain,omitzero"`
}

// companySearchResult is the wire form of what Search returns.
type companySearchResult struct {
	TotalCount int            `json:"total_count"`
	Matches    []CompanyMatch `json:"matches"`
}

// Holding is how much of an asset a company has, over all its funds.
type Holding struct {
	Asset  AssetCode `json:"code" alias:"symbol"`
	Amount Amount    `json:"amount"`
}

// holdings is the wire form of what Holdings returns.
type holdings struct {
	Holdings []Holding `json:"holdings"`
}

// CompaniesService creates and finds companies.
type CompaniesService struct{ client *Client }

// Create makes a company and returns its ID. Another one with the same name, domain and reference is usually
// made too: a call whose outcome is not known may have made one. What [ErrConflict] stands for here is not
// documented. A key that may not create companies is refused with [ErrForbidden].
//
// API: POST /company
func (s *CompaniesService) Create(ctx context.Context, req CompanyRequest, opts ...CallOption) (*CompanyRef, error) {
	return call[CompanyRef](ctx, s.client, api("POST /company").with(req), opts)
}

// Get returns a company. An answer without the company's ID is about the one asked for.
//
// API: GET /company/{company_id}
func (s *CompaniesService) Get(ctx context.Context, companyID CompanyID, opts ...CallOption) (*Company, error) {
	company, err := call[Company](ctx, s.client, api("GET /company/{company_id}", string(companyID)), opts)
	if err != nil {
		return nil, err
	}
	company.ID = cmp.Or(company.ID, companyID)
	return company, nil
}

// Update changes the fields of a company that are given; others stay. A field cannot be emptied.
//
// API: PUT /company/{company_id}
func (s *CompaniesService) Update(ctx context.Context, companyID CompanyID, req CompanyUpdate, opts ...CallOption) (*CompanyRef, error) {
	return call[CompanyRef](ctx, s.client, api("PUT /company/{company_id}", string(companyID)).with(req), opts)
}

// searchOptions is the query of the search operations. Without one, all match.
type searchOptions struct {
	Query string `url:"query,omitempty"`
}

func (searchOptions) validate(time.Time) error { return nil }

func searchFor(text string) searchOptions { return searchOptions{strings.TrimSpace(text)} }

// List returns all companies.
//
// API: GET /company/search
func (s *CompaniesService) List(ctx context.Context, opts ...CallOption) ([]CompanyMatch, error) {
	return s.Search(ctx, "", opts...)
}

// Search returns the companies whose name or domain has text in it; all if that is empty.
//
// API: GET /company/search
func (s *CompaniesService) Search(ctx context.Context, text string, opts ...CallOption) ([]CompanyMatch, error) {
	return list(ctx, s.client, api("GET /company/search").where(searchFor(text)), opts, func(a *companySearchResult) []CompanyMatch { return a.Matches })
}

// ListHoldings returns how much of each asset a company has, in base units.
//
// API: GET /company/{company_id}/holding
func (s *CompaniesService) ListHoldings(ctx context.Context, companyID CompanyID, opts ...CallOption) ([]Holding, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/holding", string(companyID)), opts, func(a *holdings) []Holding { return a.Holdings })
}
