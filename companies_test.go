package qredo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

func TestCompaniesCreate(t *testing.T) {
	client := clienttest.ServeFixture(t, "companies_create")
	got, err := client.Companies.Create(t.Context(), clienttest.Acme)
	require.NoError(t, err)
	want := &qredo.CompanyRef{ID: clienttest.CompanyID, Ref: clienttest.CompanyRef}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCompaniesGet(t *testing.T) {
	client := clienttest.ServeFixture(t, "companies_get")
	got, err := client.Companies.Get(t.Context(), clienttest.CompanyID)
	require.NoError(t, err)
	want := &qredo.Company{
		ID: clienttest.CompanyID, Name: "ACME Corp", City: "Paris", Country: "FR", Domain: "acme.example", Ref: clienttest.CompanyRef,
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

func TestCompaniesUpdate(t *testing.T) {
	client := clienttest.ServeFixture(t, "companies_update")
	got, err := client.Companies.Update(t.Context(), clienttest.CompanyID, qredo.CompanyUpdate{City: "Lyon"})
	require.NoError(t, err)
	require.Equal(t, &qredo.CompanyRef{ID: clienttest.CompanyID, Ref: clienttest.CompanyRef}, got)
}

// Whoever means to empty a field must not be told that it is done.
func TestCompaniesUpdateOfNothing(t *testing.T) {
	_, err := clienttest.NewClient(t, clienttest.RefuseAll(t)).Companies.Update(t.Context(), clienttest.CompanyID, qredo.CompanyUpdate{})
	clienttest.RequireInvalid(t, err, "company")
}

func TestCompaniesSearch(t *testing.T) {
	client := clienttest.ServeFixture(t, "companies_search")
	got, err := client.Companies.Search(t.Context(), "acme & co")
	require.NoError(t, err)
	want := []qredo.CompanyMatch{
		{ID: clienttest.CompanyID, Name: "ACME Corp", Domain: "acme.example"},
		{ID: clienttest.OtherCompanyID, Name: "Acme & Co", Domain: "acme-co.example"},
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
}

// What is not to be changed is not sent, and nothing is sent in place of an empty search.
func TestCompaniesSendOnlyWhatIsGiven(t *testing.T) {
	const company = "/company/" + clienttest.CompanyID
	for name, check := range map[string]func(*testing.T, *clienttest.World){
		"a city": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Update(ctx, clienttest.CompanyID, qredo.CompanyUpdate{City: "Oslo"})
			return err
		}, `PUT `+company+` {"city":"Oslo"}`),
		"all": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Update(ctx, clienttest.CompanyID, qredo.CompanyUpdate{Name: "N", City: "C", Country: "NO", Domain: "d", Ref: "r"})
			return err
		}, `PUT `+company+` {"name":"N","city":"C","country":"NO","domain":"d","ref":"r"}`),
		"list": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.List(ctx)
			return err
		}, `GET /company/search`),
		"search for nothing": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Search(ctx, " ")
			return err
		}, `GET /company/search`),
		"search for two letters": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Companies.Search(ctx, " ac ")
			return err
		}, `GET /company/search?query=ac`),
		"list of funds": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Funds.List(ctx, clienttest.CompanyID)
			return err
		}, `GET `+company+`/fund/search`),
		"search of funds for one letter": clienttest.Sends(func(ctx context.Context, c *qredo.Client) error {
			_, err := c.Funds.Search(ctx, clienttest.CompanyID, "é")
			return err
		}, `GET `+company+`/fund/search?query=%C3%A9`),
	} {
		t.Run(name, func(t *testing.T) { check(t, nil) })
	}
}

// The same against the sandbox.
func TestCompaniesInTheSandbox(t *testing.T) {
	w := clienttest.NewWorld(t)
	ctx, companies := t.Context(), w.Client.Companies
	made, err := companies.Create(ctx, clienttest.Acme)
	require.NoError(t, err)
	again, err := companies.Create(ctx, clienttest.Acme)
	require.NoError(t, err)
	require.NotEqual(t, made.ID, again.ID, "a company is made anew each time")
	updated, err := companies.Update(ctx, made.ID, qredo.CompanyUpdate{City: "Oslo"})
	require.NoError(t, err)
	require.Equal(t, clienttest.CompanyRef, updated.Ref)
	got, err := companies.Get(ctx, made.ID)
	require.NoError(t, err)
	require.Equal(t, &qredo.Company{ID: made.ID, Name: clienttest.Acme.Name, City: "Oslo", Country: clienttest.Acme.Country, Domain: clienttest.Acme.Domain, Ref: clienttest.Acme.Ref}, got)

	all, err := companies.List(ctx)
	require.NoError(t, err)
	require.Len(t, all, 3, "the world's, and two more")
	found, err := companies.Search(ctx, "p.")
	require.NoError(t, err)
	require.Empty(t, found)
	funds, err := w.Client.Funds.List(ctx, w.Company)
	require.NoError(t, err)
	require.Equal(t, []qredo.FundMatch{{ID: w.Fund, Name: "Treasury"}}, funds)
}

func TestCompaniesHoldings(t *testing.T) {
	client := clienttest.ServeFixture(t, "companies_list_holdings")
	got, err := client.Companies.ListHoldings(t.Context(), clienttest.CompanyID)
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
		client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"companyID":"c1","name":"A","countryCode":"FR","tc_only":true}`))
		got, err := client.Companies.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, &qredo.Company{ID: "c1", Name: "A", Country: "FR"}, got)
	})
	t.Run("a company without its ID", func(t *testing.T) {
		client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"name":"A","city":"Oslo","country":"NO","domain":"a.example","ref":"r"}`))
		got, err := client.Companies.Get(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, &qredo.Company{ID: "c1", Name: "A", City: "Oslo", Country: "NO", Domain: "a.example", Ref: "r"}, got)
	})
	for _, body := range []string{`{}`, `{"code":200,"msg":"OK"}`, `[]`, `null`, ``} {
		t.Run("no company: "+body, func(t *testing.T) {
			_, err := clienttest.NewQuickClient(t, clienttest.AnswerWith(200, body)).Companies.Get(t.Context(), "c1")
			require.ErrorIs(t, err, qredo.ErrBadAnswer)
		})
	}
	t.Run("holdings with symbol, text and one object", func(t *testing.T) {
		client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"holdings":{"symbol":"BTC","amount":"7"}}`))
		got, err := client.Companies.ListHoldings(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, []qredo.Holding{{Asset: "BTC", Amount: 7}}, got)
	})
}

func TestCompaniesBadRequests(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.RefuseAll(t))
	for _, name := range []string{"", " ", "\t\n"} {
		_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: name, City: "Paris"})
		clienttest.RequireInvalid(t, err, "name")
	}
}
