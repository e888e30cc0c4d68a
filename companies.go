package qredo

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"
)

// Company is a legal entity that holds funds.
type Company struct {
	ID      CompanyID `json:"company_id" required:"true"`
	Name    string    `json:"name"`
	City    string    `json:"city,omitzero"`
	Country string    `json:"country,omitzero" alias:"country_code"` // free text, usually ISO 3166 alpha-2
	Domain  string    `json:"domain,omitzero"`
	Ref     string    `json:"ref,omitzero"` // the caller's own reference
}

// CompanyRequest is what a company is created from or changed to.
type CompanyRequest struct {
	Name    string `json:"name"` // required
	City    string `json:"city,omitzero"`
	Country string `json:"country,omitzero" alias:"country_code"` // ISO 3166 alpha-2 is usual, any text is taken
	Domain  string `json:"domain,omitzero"`
	Ref     string `json:"ref,omitzero"` // the caller's own reference, unique among their companies
}

func (r CompanyRequest) validate(time.Time) error {
	return checkText("name", r.Name)
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

// Create makes a company and returns its ID. A company that exists already is [ErrConflict].
//
// API: POST /company
func (s *CompaniesService) Create(ctx context.Context, req CompanyRequest, opts ...CallOption) (*CompanyRef, error) {
	return call[CompanyRef](ctx, s.client, api("POST /company").with(req), opts)
}

// Get returns a company.
//
// API: GET /company/{company_id}
func (s *CompaniesService) Get(ctx context.Context, companyID CompanyID, opts ...CallOption) (*Company, error) {
	return call[Company](ctx, s.client, api("GET /company/{company_id}", string(companyID)), opts)
}

// Update replaces what is known about a company with req: a field left empty is emptied.
//
// API: PUT /company/{company_id}
func (s *CompaniesService) Update(ctx context.Context, companyID CompanyID, req CompanyRequest, opts ...CallOption) (*CompanyRef, error) {
	return call[CompanyRef](ctx, s.client, api("PUT /company/{company_id}", string(companyID)).with(req), opts)
}

// searchOptions is the query of the search operations.
type searchOptions struct {
	Query string `url:"query"`
}

func (o searchOptions) validate(time.Time) error {
	const shortest = 3
	if utf8.RuneCountInString(strings.TrimSpace(o.Query)) < shortest {
		return invalid("query", "must have %d letters or more, is %q", shortest, o.Query)
	}
	return nil
}

// Search returns the companies that match text of three letters or more.
//
// API: GET /company/search
func (s *CompaniesService) Search(ctx context.Context, text string, opts ...CallOption) ([]CompanyMatch, error) {
	return list(ctx, s.client, api("GET /company/search").where(searchOptions{text}), opts, func(a *companySearchResult) []CompanyMatch { return a.Matches })
}

// Holdings returns how much of each asset a company has, in base units.
//
// API: GET /company/{company_id}/holding
func (s *CompaniesService) Holdings(ctx context.Context, companyID CompanyID, opts ...CallOption) ([]Holding, error) {
	return list(ctx, s.client, api("GET /company/{company_id}/holding", string(companyID)), opts, func(a *holdings) []Holding { return a.Holdings })
}
