package qredo_test

import (
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
	moved := acme
	moved.City = "Lyon"
	got, err := client.Companies.Update(t.Context(), companyID, moved)
	require.NoError(t, err)
	require.Equal(t, &qredo.CompanyRef{ID: companyID, Ref: companyRef}, got)
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

func TestCompaniesHoldings(t *testing.T) {
	client := serveFixture(t, "companies_holdings")
	got, err := client.Companies.Holdings(t.Context(), companyID)
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
	t.Run("holdings with symbol, text and one object", func(t *testing.T) {
		client := newClient(t, answerWith(200, `{"holdings":{"symbol":"BTC","amount":"7"}}`))
		got, err := client.Companies.Holdings(t.Context(), "c1")
		require.NoError(t, err)
		require.Equal(t, []qredo.Holding{{Asset: "BTC", Amount: 7}}, got)
	})
}

func TestCompaniesBadRequests(t *testing.T) {
	client := newClient(t, refuseAll(t))
	for _, name := range []string{"", " ", "\t\n"} {
		_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: name, City: "Paris"})
		requireInvalid(t, err, "name")
		_, err = client.Companies.Update(t.Context(), companyID, qredo.CompanyRequest{Name: name, City: "Paris"})
		requireInvalid(t, err, "name")
	}
	// Letters are counted, not bytes, and spaces around them do not count.
	for _, text := range []string{"", "ac", "  ac  ", "éé", "₿"} {
		_, err := client.Companies.Search(t.Context(), text)
		requireInvalid(t, err, "query")
		_, err = client.Funds.Search(t.Context(), companyID, text)
		requireInvalid(t, err, "query")
	}
}
