package world

import (
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Profile is what a company says of itself.
type Profile struct {
	Name    string `json:"name"`
	City    string `json:"city,omitzero"`
	Country string `json:"country,omitzero"`
	Domain  string `json:"domain,omitzero"`
	Ref     string `json:"ref,omitzero"`
}

// Company is an owner of funds.
type Company struct {
	companyCreated
	Parties []*Party
	Funds   []*Fund // oldest first
	number  int     // how many companies came before it
	waiting int     // transactions of its wallets' that wait
}

// Waiting is how many transactions of the company's wallets wait.
func (c *Company) Waiting() int { return c.waiting }

type companyCreated struct {
	ID      qredo.CompanyID
	Account string
	Profile Profile `json:"Company"`
}

func (e companyCreated) apply(st *state, _ time.Time) {
	c := &Company{companyCreated: e, number: len(st.companyList)}
	st.companies[e.ID] = c
	st.companyList = append(st.companyList, c)
	st.companyNames.set(c.number, e.Profile.Name, e.Profile.Domain)
}

// companyUpdated has all fields as they are then, also those that stay.
type companyUpdated struct {
	ID      qredo.CompanyID
	Profile Profile `json:"Company"`
}

func (e companyUpdated) apply(st *state, _ time.Time) {
	c := st.companies[e.ID]
	c.Profile = e.Profile
	st.companyNames.set(c.number, e.Profile.Name, e.Profile.Domain)
}

// Companies are the companies of all accounts, oldest first.
func (st *state) Companies() []*Company { return st.companyList }

// AccountCompanies are the companies of an account, oldest first.
func (st *state) AccountCompanies(account string) []*Company {
	var list []*Company
	for _, c := range st.companyList {
		if c.Account == account {
			list = append(list, c)
		}
	}
	return list
}

// FindCompanies are the companies of an account that have a text in their name or domain, oldest first.
func (st *state) FindCompanies(account, text string) []*Company {
	if text == "" {
		return st.AccountCompanies(account)
	}
	var list []*Company
	for _, n := range st.companyNames.find(text) {
		if c := st.companyList[n]; c.Account == account {
			list = append(list, c)
		}
	}
	return list
}

// CompaniesPage is a part of the companies of all accounts, oldest first: of those that have a text in their name or
// domain, or for their ID.
func (v *View) CompaniesPage(text, after string, limit int) (Listed[*Company], error) {
	if c := v.companies[qredo.CompanyID(text)]; c != nil {
		return PageOf([]*Company{c}, after, limit)
	}
	if text == "" {
		return PageOf(v.companyList, after, limit)
	}
	found, err := PageOf(v.companyNames.find(text), after, limit)
	page := Listed[*Company]{Next: found.Next, Total: found.Total}
	for _, n := range found.List {
		page.List = append(page.List, v.companyList[n])
	}
	return page, err
}

// AnyCompany returns the company with an ID, of whatever account, nil if there is none.
func (st *state) AnyCompany(id qredo.CompanyID) *Company { return st.companies[id] }

// Company returns an account's company.
func (st *state) Company(account string, id qredo.CompanyID) (*Company, error) {
	c := st.companies[id]
	if c == nil || c.Account != account {
		return nil, notFound("company")
	}
	return c, nil
}

// named checks the name of what is to be made.
func named(name string) error {
	if strings.TrimSpace(name) == "" {
		return invalid("name must not be empty")
	}
	return nil
}

// CreateCompany makes a company for an account.
func (u *Update) CreateCompany(account string, p Profile) (qredo.CompanyID, error) {
	if err := named(p.Name); err != nil {
		return "", err
	}
	if u.Choices.CompanyConflict && u.hasCompanyLike(account, p) {
		return "", conflict("the company exists already")
	}
	made := companyCreated{ID: qredo.CompanyID(u.ids.ksuid(u.Now)), Account: account, Profile: p}
	u.change(made)
	return made.ID, nil
}

// hasCompanyLike tells whether an account has a company with a reference or, where there is none, with a name
// and domain.
func (st *state) hasCompanyLike(account string, p Profile) bool {
	for _, c := range st.companies {
		switch known := c.Profile; {
		case c.Account != account || known.Ref != p.Ref:
		case p.Ref != "", known.Name == p.Name && known.Domain == p.Domain:
			return true
		}
	}
	return false
}

// UpdateCompany changes what is given of a company's profile, and returns it as it is then. What is left empty
// stays.
func (u *Update) UpdateCompany(c *Company, given Profile) Profile {
	updated := c.Profile
	for field, text := range map[*string]string{
		&updated.Name: given.Name, &updated.City: given.City, &updated.Country: given.Country,
		&updated.Domain: given.Domain, &updated.Ref: given.Ref,
	} {
		if strings.TrimSpace(text) != "" {
			*field = text
		}
	}
	u.change(companyUpdated{ID: c.ID, Profile: updated})
	return updated
}
