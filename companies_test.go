package qredo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

var acme = qredo.CompanyRequest{Name: "ACME Corp", City: "Paris", Country: "FR", Domain: "acme.example", Ref: companyRef}

func TestCompaniesCreate(t *testing.T) {
	client := serveFixture(t, "companies_create")
	got, err := client.Companies.Create(t.Context(), acme)
	require.NoError(t, err)
	want := &qredo.CompanyRef{ID: companyID, Ref: companyRef}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCompaniesGet(t *testing.T) {
	client := serveFixture(t, "companies_get")
	got, err := client.Companies.Get(t.Context(), companyID)
	require.NoError(t, err)
	want := &qredo.Company{
		ID: companyID, Name: "ACME Corp", City: "Paris", Country: "FR", Domain: "acme.example", Ref: companyRef,
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCompaniesUpdate(t *testing.T) {
	client := serveFixture(t, "companies_update")
	got, err := client.Companies.Update(t.Context(), companyID, qredo.CompanyUpdate{City: "Lyon"})
	require.NoError(t, err)
	require.Equal(t, &qredo.CompanyRef{ID: companyID, Ref: companyRef}, got)
}

// Whoever means to empty a field must not be told that it is done.
func TestCompaniesUpdateOfNothing(t *testing.T) {
	_, err := newClient(t, refuseAll(t)).Companies.Update(t.Context(), companyID, qredo.CompanyUpdate{})
	requireInvalid(t, err, "company")
}

func TestCompaniesSearch(t *testing.T) {
	client := serveFixture(t, "companies_search")
	got, err := client.Companies.Search(t.Context(), "acme & co")
	require.NoError(t, err)
	want := []qredo.CompanyMatch{
		{ID: companyID, Name: "ACME Corp", Domain: "acme.example"},
		{ID: otherCompanyID, Name: "Acme & Co", Domain: "acme-co.example"},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

// What is not to be changed is not sent, and nothing is sent in place of an empty search.
func TestCompaniesSendOnlyWhatIsGiven(t *testing.T) {
	const company = "/company/" + companyID
	for name, check := range map[string]func(*testing.T, *world){
		"a city": sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Update(ctx, companyID, qredo.CompanyUpdate{City: "Oslo"})
			return err
		}, `PUT `+company+` {"city":"Oslo"}`),
		"all": sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Update(ctx, companyID, qredo.CompanyUpdate{Name: "N", City: "C", Country: "NO", Domain: "d", Ref: "r"})
			return err
		}, `PUT `+company+` {"name":"N","city":"C","country":"NO","domain":"d","ref":"r"}`),
		"list": sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.List(ctx)
			return err
		}, `GET /company/search`),
		"search for nothing": sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Search(ctx, " ")
			return err
		}, `GET /company/search`),
		"search for two letters": sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Search(ctx, " ac ")
			return err
		}, `GET /company/search?query=ac`),
		"list of funds": sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Funds.List(ctx, companyID)
			return err
		}, `GET `+company+`/fund/search`),
		"search of funds for one letter": sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Funds.Search(ctx, companyID, "é")
			return err
		}, `GET `+company+`/fund/search?query=%C3%A9`),
	} {
		t.Run(name, func(t *testing.T) { check(t, nil) })
	}
}

// The same against the sandbox.
func TestCompaniesInTheSandbox(t *testing.T) {
	w := newWorld(t)
	ctx, companies := t.Context(), w.client.Companies
	made, err := companies.Create(ctx, acme)
	require.NoError(t, err)
	again, err := companies.Create(ctx, acme)
	require.NoError(t, err)
	require.NotEqual(t, made.ID, again.ID, "a company is made anew each time")
	updated, err := companies.Update(ctx, made.ID, qredo.CompanyUpdate{City: "Oslo"})
	require.NoError(t, err)
	require.Equal(t, companyRef, updated.Ref)
	got, err := companies.Get(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, &qredo.Company{ID: made.ID, Name: acme.Name, City: "Oslo", Country: acme.Country, Domain: acme.Domain, Ref: acme.Ref}, got)

	all, err := companies.List(ctx)
	require.NoError(t, err)
	require.Len(t, all, 3, "the world's, and two more")
	found, err := companies.Search(ctx, "p.")
	require.NoError(t, err)
	require.Empty(t, found)
	funds, err := w.client.Funds.List(ctx, w.company)
	require.NoError(t, err)
	require.Equal(t, []qredo.FundMatch{{ID: w.fund, Name: "Treasury"}}, funds)
}

func TestCompaniesHoldings(t *testing.T) {
	client := serveFixture(t, "companies_list_holdings")
	got, err := client.Companies.ListHoldings(t.Context(), companyID)
	require.NoError(t, err)
	want := []qredo.Holding{
		{Asset: "BTC-TESTNET", Amount: 2_100_000_000_000_000},
		{Asset: "ETH-TESTNET", Amount: 1_500_000_000},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

// Other forms that the service and its documents have for the same answers.
func TestCompaniesOtherForms(t *testing.T) {
	t.Run("older company", func(t *testing.T) {
		client := newClient(t, answerWith(200, `{"companyID":"c1","name":"A","countryCode":"FR","tc_only":true}`))
		got, err := client.Companies.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, &qredo.Company{ID: "c1", Name: "A", Country: "FR"}, got)
	})
	t.Run("a company without its ID", func(t *testing.T) {
		client := newClient(t, answerWith(200, `{"name":"A","city":"Oslo","country":"NO","domain":"a.example","ref":"r"}`))
		got, err := client.Companies.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, &qredo.Company{ID: "c1", Name: "A", City: "Oslo", Country: "NO", Domain: "a.example", Ref: "r"}, got)
	})
	for _, body := range []string{`{}`, `{"code":200,"msg":"OK"}`, `[]`, `null`, ``} {
		t.Run("no company: "+body, func(t *testing.T) {
			_, err := newQuickClient(t, answerWith(200, body)).Companies.Get(t.Context(), "c1")
			require.ErrorIs(t, err, qredo.ErrBadAnswer)
		})
	}
	t.Run("holdings with symbol, text and one object", func(t *testing.T) {
		client := newClient(t, answerWith(200, `{"holdings":{"symbol":"BTC","amount":"7"}}`))
		got, err := client.Companies.ListHoldings(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, []qredo.Holding{{Asset: "BTC", Amount: 7}}, got)
	})
}

func TestCompaniesBadRequests(t *testing.T) {
	client := newClient(t, refuseAll(t))
	for _, name := range []string{"", " ", "\t\n"} {
		_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: name, City: "Paris"})
		requireInvalid(t, err, "name")
	}
}
