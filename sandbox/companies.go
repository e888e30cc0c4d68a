package sandbox

import (
	"slices"
	"strings"

	"github.com/qredo-go/qredo"
)

// company returns the company that the path names, if the key's account has it.
func (r *request) company() (*company, error) {
	c := r.st.companies[qredo.CompanyID(r.path["company_id"])]
	if c == nil || c.Account != r.key.Account {
		return nil, notFound("company")
	}
	return c, nil
}

// named checks the name of what is to be made.
func named(name string) error {
	if strings.TrimSpace(name) == "" {
		return badRequest("name must not be empty")
	}
	return nil
}

func createCompany(r *request, req qredo.CompanyRequest) (any, error) {
	if err := named(req.Name); err != nil {
		return nil, err
	}
	if r.choices.companyConflict && r.st.hasCompanyLike(r.key.Account, req) {
		return nil, conflict("the company exists already")
	}
	made := companyCreated{ID: qredo.CompanyID(r.ids.ksuid(r.now)), Account: r.key.Account, Company: req}
	r.change(made)
	return qredo.CompanyRef{ID: made.ID, Ref: req.Ref}, nil
}

// hasCompanyLike tells whether an account has a company with a reference or, where there is none, with a name
// and domain.
func (st *state) hasCompanyLike(account string, req qredo.CompanyRequest) bool {
	for _, c := range st.companies {
		switch known := c.Company; {
		case c.Account != account || known.Ref != req.Ref:
		case req.Ref != "", known.Name == req.Name && known.Domain == req.Domain:
			return true
		}
	}
	return false
}

func getCompany(_ *request, c *company) (any, error) {
	return qredo.Company{
		ID: c.ID, Name: c.Company.Name, City: c.Company.City, Country: c.Company.Country,
		Domain: c.Company.Domain, Ref: c.Company.Ref,
	}, nil
}

// updateCompany changes what the request gives. What it leaves out, or leaves empty, stays.
func updateCompany(r *request, c *company, req qredo.CompanyUpdate) (any, error) {
	updated := c.Company
	for field, given := range map[*string]string{
		&updated.Name: req.Name, &updated.City: req.City, &updated.Country: req.Country, &updated.Domain: req.Domain, &updated.Ref: req.Ref,
	} {
		if strings.TrimSpace(given) != "" {
			*field = given
		}
	}
	r.change(companyUpdated{ID: c.ID, Company: updated})
	return qredo.CompanyRef{ID: c.ID, Ref: updated.Ref}, nil
}

// searchText is what a search is for, in lower case. Nothing is in every name.
func (r *request) searchText() string {
	return strings.ToLower(strings.TrimSpace(r.query.Get("query")))
}

func searchCompanies(r *request) (any, error) {
	text := r.searchText()
	matches := []qredo.CompanyMatch{}
	for _, c := range r.st.companies {
		name, domain := strings.ToLower(c.Company.Name), strings.ToLower(c.Company.Domain)
		if c.Account == r.key.Account && (strings.Contains(name, text) || strings.Contains(domain, text)) {
			matches = append(matches, qredo.CompanyMatch{ID: c.ID, Name: c.Company.Name, Domain: c.Company.Domain})
		}
	}
	slices.SortFunc(matches, func(a, b qredo.CompanyMatch) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return counted("total_count", "matches", matches), nil
}

func listHoldings(r *request, c *company) (any, error) {
	holdings := []qredo.Holding{}
	place := map[qredo.AssetCode]int{}
	for _, f := range c.funds {
		for _, w := range f.wallets {
			i, known := place[w.Asset]
			if !known {
				i = len(holdings)
				place[w.Asset] = i
				holdings = append(holdings, qredo.Holding{Asset: w.Asset})
			}
			holdings[i].Amount += r.st.balance(w)
		}
	}
	return counted("total_count", "holdings", holdings), nil
}
