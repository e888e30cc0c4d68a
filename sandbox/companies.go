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

func (r *request) readCompany() (req qredo.CompanyRequest, err error) {
	if err = r.read(&req); err == nil && strings.TrimSpace(req.Name) == "" {
		err = badRequest("name must not be empty")
	}
	return req, err
}

func createCompany(r *request) ([]change, any, error) {
	req, err := r.readCompany()
	if err != nil {
		return nil, nil, err
	}
	if r.st.companyKeys[newCompanyKey(r.key.account, req)] != nil {
		return nil, nil, conflict("the company exists already")
	}
	made := companyCreated{ID: qredo.CompanyID(r.ids.ksuid(r.now)), Account: r.key.account, Company: req}
	return []change{made}, qredo.CompanyRef{ID: made.ID, Ref: req.Ref}, nil
}

func getCompany(r *request) (any, error) {
	c, err := r.company()
	if err != nil {
		return nil, err
	}
	return qredo.Company{
		ID: c.ID, Name: c.Company.Name, City: c.Company.City, Country: c.Company.Country,
		Domain: c.Company.Domain, Ref: c.Company.Ref,
	}, nil
}

func updateCompany(r *request) ([]change, any, error) {
	c, err := r.company()
	if err != nil {
		return nil, nil, err
	}
	req, err := r.readCompany()
	if err != nil {
		return nil, nil, err
	}
	if other := r.st.companyKeys[newCompanyKey(c.Account, req)]; other != nil && other != c {
		return nil, nil, conflict("another company has this ref, or this name and domain")
	}
	return []change{companyUpdated{ID: c.ID, Company: req}}, qredo.CompanyRef{ID: c.ID, Ref: req.Ref}, nil
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
	return struct {
		TotalCount int                  `json:"total_count"`
		Matches    []qredo.CompanyMatch `json:"matches"`
	}{len(matches), matches}, nil
}

func listHoldings(r *request) (any, error) {
	c, err := r.company()
	if err != nil {
		return nil, err
	}
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
	return struct {
		Holdings []qredo.Holding `json:"holdings"`
	}{holdings}, nil
}
