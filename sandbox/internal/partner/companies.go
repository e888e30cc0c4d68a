package partner

import (
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
	"github.com/qredo-go/qredo/sandbox/internal/world"
)

// company finds the company that the path names, if the key's account has it.
func company(r *serve.Request, v *world.View) (*world.Company, error) {
	return v.Company(r.Account(), companyID(r))
}

func companyID(r *serve.Request) qredo.CompanyID { return qredo.CompanyID(r.IDs["company_id"]) }

// profile is what a company is created from, or what is changed about it.
type profile struct {
	Name    string `json:"name"`
	City    string `json:"city"`
	Country string `json:"country" alias:"country_code"`
	Domain  string `json:"domain"`
	Ref     string `json:"ref"`
}

func createCompany(r *serve.Request, u *world.Update, req profile) (any, error) {
	id, err := u.CreateCompany(r.Account(), world.Profile(req))
	return qredo.CompanyRef{ID: id, Ref: req.Ref}, err
}

func getCompany(_ *serve.Request, _ *world.View, c *world.Company) (any, error) {
	p := c.Profile
	return qredo.Company{ID: c.ID, Name: p.Name, City: p.City, Country: p.Country, Domain: p.Domain, Ref: p.Ref}, nil
}

func updateCompany(_ *serve.Request, u *world.Update, c *world.Company, req profile) (any, error) {
	return qredo.CompanyRef{ID: c.ID, Ref: u.UpdateCompany(c, world.Profile(req)).Ref}, nil
}

// searchText is what a search is for, in lower case. Nothing is in every name.
func searchText(r *serve.Request) string {
	return strings.ToLower(strings.TrimSpace(r.Query.Get("query")))
}

func searchCompanies(r *serve.Request, v *world.View) (any, error) {
	matches := []qredo.CompanyMatch{}
	for _, c := range v.FindCompanies(r.Account(), searchText(r)) {
		matches = append(matches, qredo.CompanyMatch{ID: c.ID, Name: c.Profile.Name, Domain: c.Profile.Domain})
	}
	return serve.Counted("total_count", "matches", matches), nil
}

func listHoldings(_ *serve.Request, v *world.View, c *world.Company) (any, error) {
	holdings := []qredo.Holding{}
	place := map[qredo.AssetCode]int{}
	for _, f := range c.Funds {
		for _, w := range f.Wallets {
			i, known := place[w.Asset]
			if !known {
				i = len(holdings)
				place[w.Asset] = i
				holdings = append(holdings, qredo.Holding{Asset: w.Asset})
			}
			holdings[i].Amount += v.Balance(w)
		}
	}
	return serve.Counted("total_count", "holdings", holdings), nil
}
