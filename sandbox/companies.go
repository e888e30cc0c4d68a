package sandbox

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/qredo-go/qredo"
)

// company returns the company that the path names, if the key's account has it.
func (r *request) company() (*company, error) {
	c := r.st.companies[qredo.CompanyID(r.path["company_id"])]
	if c == nil || c.Account != r.key.account {
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
	if r.st.companyKeys[newCompanyKey(r.key.account, req)] != nil {
		return nil, conflict("the company exists already")
	}
	made := companyCreated{ID: qredo.CompanyID(r.ids.ksuid(r.now)), Account: r.key.account, Company: req}
	r.change(made)
	return qredo.CompanyRef{ID: made.ID, Ref: req.Ref}, nil
}

func getCompany(_ *request, c *company) (any, error) {
	return qredo.Company{
		ID: c.ID, Name: c.Company.Name, City: c.Company.City, Country: c.Company.Country,
		Domain: c.Company.Domain, Ref: c.Company.Ref,
	}, nil
}

func updateCompany(r *request, c *company, req qredo.CompanyRequest) (any, error) {
	if err := named(req.Name); err != nil {
		return nil, err
	}
	if other := r.st.companyKeys[newCompanyKey(c.Account, req)]; other != nil && other != c {
		return nil, conflict("another company has this ref, or this name and domain")
	}
	r.change(companyUpdated{ID: c.ID, Company: req})
	return qredo.CompanyRef{ID: c.ID, Ref: req.Ref}, nil
}

// searchText is what a search is for, in lower case.
func (r *request) searchText() (string, error) {
	const shortest = 3
	text := strings.ToLower(strings.TrimSpace(r.query.Get("query")))
	if utf8.RuneCountInString(text) < shortest {
		return "", badRequest("query must have %d letters or more", shortest)
	}
	return text, nil
}

func searchCompanies(r *request) (any, error) {
	text, err := r.searchText()
	if err != nil {
		return nil, err
	}
	matches := []qredo.CompanyMatch{}
	for _, c := range r.st.companies {
		name, domain := strings.ToLower(c.Company.Name), strings.ToLower(c.Company.Domain)
		if c.Account == r.key.account && (strings.Contains(name, text) || strings.Contains(domain, text)) {
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
	return map[string]any{"holdings": holdings}, nil
}
