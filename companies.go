package qredo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Company is a legal entity that holds funds.
type Company struct {
	ID      CompanyID `json:"company_id"`
	Name    string    `json:"name"`
	City    string    `json:"city,omitzero"`
	Country string    `json:"country,omitzero" alias:"country_code"` // free text, usually an ISO 3166 alpha-2 code
	Domain  string    `json:"domain,omitzero"`
	Ref     string    `json:"ref,omitzero"` // your own reference
}

// CompanyRequest describes a company to create.
type CompanyRequest struct {
	Name    string `json:"name"` // required
	City    string `json:"city,omitzero"`
	Country string `json:"country,omitzero"` // usually an ISO 3166 alpha-2 code, but any text is accepted
	Domain  string `json:"domain,omitzero"`
	Ref     string `json:"ref,omitzero"` // your own reference; several companies may have the same one
}

func (r CompanyRequest) validate(time.Time) error {
	return checkText("name", r.Name)
}

// CompanyUpdate says what to change about a company: at least one field. Empty fields are not sent.
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

// CompanyRef identifies a company by its ID and by your own reference.
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

// companySearchResult is the wire form of the result of Search.
type companySearchResult struct {
	TotalCount int            `json:"total_count"`
	Matches    []CompanyMatch `json:"matches"`
}

// Holding is how much of an asset a company has, across all its funds.
type Holding struct {
	Asset  AssetCode `json:"code" alias:"symbol"`
	Amount Amount    `json:"amount"`
}

// holdings is the wire form of the result of Holdings.
type holdings struct {
	Holdings []Holding `json:"holdings"`
}

// CompaniesService creates and finds companies.
type CompaniesService struct{ client *Client }

// Create makes a company and returns its ID. The service usually allows several companies with the same name, domain and
// reference, so a call whose outcome is unknown may have made one. What [ErrConflict] means here is not documented. It returns
// [ErrForbidden] if the API key may not create companies.
//
// API: POST /company
func (s *CompaniesService) Create(ctx context.Context, req CompanyRequest, opts ...CallOption) (*CompanyRef, error) {
	return call[CompanyRef](ctx, s.client, api("POST /company").with(req), opts)
}

// Get returns a company. If the answer does not contain the company's ID, the one you asked for is filled in.
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

// Ensure returns the company that the request describes, and creates it if it does not exist; made says whether it did. Ref is
// your own key: the company is the one with that Ref, whatever its name, or one with that name and no Ref. Companies with that
// name and another Ref are different companies. If the request has no Ref, the company is the one with that name.
//
// Fields left empty in the request are not compared. If the company differs, it is left as it is: Ensure returns it with a
// [*DifferenceError], and you can call Update. If several companies match, you get a [*DuplicateError]. Before it creates a
// company with a Ref, Ensure reads all companies of the account, since the service cannot search for a Ref.
//
// The service has no key that would make creating safe to repeat, so Ensure looks first, and again afterwards. Calls within one
// program take turns. If two programs call it at the same moment, each may create one; then at least one of them gets the
// [*DuplicateError], provided that the service shows new companies at once. Have only one program create things, or hold a lock
// of your own. If the answer is lost, Ensure looks four times, [WithPollInterval] apart. If it does not find the company, the
// error matches [ErrOutcomeUnknown], and nothing was created a second time: call Ensure again later.
//
// API: GET /company/search
// API: GET /company/{company_id}
// API: POST /company
func (s *CompaniesService) Ensure(ctx context.Context, req CompanyRequest, opts ...CallOption) (company *Company, made bool, err error) {
	if err := req.validate(time.Time{}); err != nil {
		return nil, false, err
	}
	e := ensuring[Company]{
		kind: "company", key: fmt.Sprintf("name %q", req.Name), within: "companies",
		find: func(ctx context.Context) ([]string, error) { return s.meant(ctx, req, opts) },
		create: func(ctx context.Context, opts ...CallOption) (string, error) {
			ref, err := s.Create(ctx, req, opts...)
			if err != nil {
				return "", err
			}
			return string(ref.ID), nil
		},
		get: func(ctx context.Context, id string) (*Company, error) { return s.Get(ctx, CompanyID(id), opts...) },
		compare: func(is *Company) (d differences) {
			d.text("name", is.Name, req.Name)
			d.text("city", is.City, req.City)
			d.text("country", is.Country, req.Country)
			d.text("domain", is.Domain, req.Domain)
			d.text("ref", is.Ref, req.Ref)
			return d
		},
		remedy: "Companies.Update changes it",
	}
	if req.Ref != "" {
		e.key = fmt.Sprintf("ref %q", req.Ref)
	}
	return e.run(ctx, s.client, opts)
}

// meant returns the companies that a request may refer to: see Ensure.
func (s *CompaniesService) meant(ctx context.Context, req CompanyRequest, opts []CallOption) ([]string, error) {
	all, err := call[companySearchResult](ctx, s.client, api("GET /company/search"), opts)
	if err != nil {
		return nil, err
	}
	nameOf := func(m CompanyMatch) string { return m.Name }
	found, err := named("companies", req.Name, nameOf, all.Matches, all.TotalCount, func() ([]CompanyMatch, error) { return s.Search(ctx, req.Name, opts...) })
	if err != nil || req.Ref == "" {
		return companyIDs(found), err
	}
	with, without, err := s.byRef(ctx, found, req.Ref, opts)
	if err != nil || len(with) > 0 {
		return with, err
	}
	others := slices.DeleteFunc(all.Matches, func(m CompanyMatch) bool { return slices.Contains(found, m) })
	if with, _, err = s.byRef(ctx, others, req.Ref, opts); err != nil || len(with) > 0 {
		return with, err
	}
	return without, whole("companies", len(all.Matches), all.TotalCount)
}

// byRef splits companies into those with a Ref and those without.
func (s *CompaniesService) byRef(ctx context.Context, companies []CompanyMatch, ref string, opts []CallOption) (with, without []string, err error) {
	for _, c := range companies {
		company, err := s.Get(ctx, c.ID, opts...)
		switch {
		case err != nil:
			return nil, nil, err
		case company.Ref == ref:
			with = append(with, string(c.ID))
		case company.Ref == "":
			without = append(without, string(c.ID))
		}
	}
	return with, without, nil
}

func companyIDs(companies []CompanyMatch) []string {
	ids := make([]string, len(companies))
	for i, c := range companies {
		ids[i] = string(c.ID)
	}
	return ids
}

// Update changes the fields that you set; the others stay as they are. A field cannot be emptied.
//
// API: PUT /company/{company_id}
func (s *CompaniesService) Update(ctx context.Context, companyID CompanyID, req CompanyUpdate, opts ...CallOption) (*CompanyRef, error) {
	return call[CompanyRef](ctx, s.client, api("PUT /company/{company_id}", string(companyID)).with(req), opts)
}

// searchOptions is the query of the search operations. The zero value matches everything.
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

// Search returns the companies whose name or domain contains text, or all of them if text is empty.
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
