package sandbox_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

func TestCompanyIsKeptAsGiven(t *testing.T) {
	s := newService(t)
	made := s.post("/company", object{
		"name": "Acme", "city": "Paris", "country": "USA", "domain": "acme.example", "ref": "r-1",
	}).ok()
	assert.Equal(t, "r-1", made.at("ref"))
	got := s.get("/company/" + made.at("company_id")).ok()
	for key, want := range map[string]string{
		"company_id": made.at("company_id"), "name": "Acme", "city": "Paris", "country": "USA", "domain": "acme.example", "ref": "r-1",
	} {
		assert.Equal(t, want, got.at(key), key)
	}
}

func TestCompanyConflicts(t *testing.T) {
	base := object{"name": "Acme", "domain": "acme.example", "ref": "r-1"}
	tests := map[string]struct {
		second object
		status int
	}{
		"same reference, all else different": {object{"name": "Other", "domain": "other.example", "ref": "r-1"}, 409},
		"the very same":                      {base, 409},
		"another reference":                  {object{"name": "Acme", "domain": "acme.example", "ref": "r-2"}, 200},
		"no reference":                       {object{"name": "Acme", "domain": "acme.example"}, 200},
		"no name":                            {object{"ref": "r-2"}, 400},
		"a name of spaces":                   {object{"name": "  ", "ref": "r-2"}, 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			s.post("/company", base).ok()
			if got := s.post("/company", test.second); test.status == http.StatusOK {
				got.ok()
			} else {
				got.refused(test.status, "")
			}
		})
	}
	t.Run("without references, name and domain count", func(t *testing.T) {
		s := newService(t)
		s.post("/company", object{"name": "Acme", "domain": "a.example"}).ok()
		s.post("/company", object{"name": "Acme", "domain": "b.example"}).ok()
		s.post("/company", object{"name": "Acme", "domain": "a.example"}).refused(409, "exists")
	})
	t.Run("another account may have the same", func(t *testing.T) {
		s := newService(t)
		s.post("/company", base).ok()
		s.as("second").post("/company", base).refused(409, "exists")
		s.as("strange").post("/company", base).ok()
	})
}

func TestCompanyUpdate(t *testing.T) {
	s := newService(t)
	first := s.post("/company", object{"name": "First", "city": "Paris", "ref": "r-1"}).ok().at("company_id")
	s.post("/company", object{"name": "Second", "ref": "r-2"}).ok()

	assert.Equal(t, first, s.call("PUT", "/company/"+first, object{"name": "Renamed", "ref": "r-1"}).ok().at("company_id"))
	got := s.get("/company/" + first).ok()
	assert.Equal(t, "Renamed", got.at("name"))
	_, hasCity := got.find("city")
	assert.False(t, hasCity, "an update replaces all")

	s.call("PUT", "/company/"+first, object{"name": "First", "ref": "r-2"}).refused(409, "another company")
	s.call("PUT", "/company/"+first, object{"name": ""}).refused(400, "name")
	s.call("PUT", "/company/none", object{"name": "First"}).refused(404, "company")
	s.call("PUT", "/company/"+first, object{"name": "First", "ref": "r-3"}).ok()
	s.post("/company", object{"name": "Third", "ref": "r-1"}).ok() // the reference is free again
	s.post("/company", object{"name": "Fourth", "ref": "r-3"}).refused(409, "exists")
}

func TestCompanySearch(t *testing.T) {
	s := newService(t)
	bank := s.post("/company", object{"name": "Über Bank", "domain": "bank.example", "ref": "1"}).ok().at("company_id")
	shop := s.post("/company", object{"name": "Shop", "domain": "shop.bankside.example", "ref": "2"}).ok().at("company_id")
	s.as("strange").post("/company", object{"name": "Bank of others"}).ok()
	tests := map[string]struct {
		query string
		found []string
	}{
		"name and domain, any case": {"BANK", []string{bank, shop}},
		"domain only":               {"side", []string{shop}},
		"part of a name":            {"hop", []string{shop}},
		"letters beyond ASCII":      {"%C3%9Cber", []string{bank}},
		"spaces around":             {"%20shop+", []string{shop}},
		"nothing":                   {"xyz", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := s.get("/company/search?query=" + test.query).ok()
			assert.EqualValues(t, len(test.found), got.number("total_count"))
			assert.ElementsMatch(t, test.found, got.column("matches", "company_id"))
		})
	}
	for _, short := range []string{"", "?query=", "?query=ba", "?query=%C3%9Cb", "?query=%20ba%20", "?other=bank"} {
		t.Run("too short: "+short, func(t *testing.T) { s.get("/company/search"+short).refused(400, "3 letters") })
	}
}

func TestUserIsTrustedOnceTheyHaveAccepted(t *testing.T) {
	s := newService(t)
	company := s.newCompany("Acme", "acme.example")
	path := "/company/" + company + "/trustedparty"
	user, err := s.CreateUser(sandbox.User{Email: alice, FirstName: "Alice", LastName: "Ash"})
	require.NoError(t, err)

	added := s.post(path, object{"address": " Alice@Example.com "}).ok()
	assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(added.Body))
	assert.Zero(t, s.get(path).ok().count("list"), "not before they accept")
	s.post("/company/"+company+"/fund", object{"name": "F", "custodygroup_tx": group(1, string(user.ID))}).refused(400, "trusted network")

	require.NoError(t, s.Accept(alice, qredo.CompanyID(company)))
	list := s.get(path).ok()
	assert.Equal(t, company, list.at("company_id"))
	assert.EqualValues(t, 1, list.number("total_count"))
	for key, want := range map[string]string{
		"trusted_entity_id": string(user.ID), "name": "Alice Ash", "address": alice, "type": "user",
	} {
		assert.Equal(t, want, list.at("list.0."+key), key)
	}
	assert.Equal(t, startOfTime.Unix(), list.number("list.0.created"))

	s.post(path, object{"address": alice}).ok()
	assert.Equal(t, 1, s.get(path).ok().count("list"), "asking again changes nothing")
	require.Error(t, s.Accept(alice, qredo.CompanyID(company)), "nothing waits any more")
}

func TestInvitedUserKeepsTheirID(t *testing.T) {
	s := newService(t)
	company := s.newCompany("Acme", "acme.example")
	id := s.trust(company, "new@example.com")["new@example.com"]
	user, err := s.CreateUser(sandbox.User{Email: "New@example.com", FirstName: "N"})
	require.NoError(t, err)
	assert.Equal(t, id, string(user.ID))
	_, err = s.CreateUser(sandbox.User{Email: "new@example.com"})
	require.Error(t, err, "they are a user now")
}

func TestTrustedPartyAddresses(t *testing.T) {
	s := newService(t)
	company := s.newCompany("Acme", "acme.example")
	other := s.newCompany("Other", "other.example")
	path := "/company/" + company + "/trustedparty"

	t.Run("a company by its domain, at once", func(t *testing.T) {
		s.post(path, object{"address": "OTHER.example"}).ok()
		list := s.get(path).ok()
		assert.Equal(t, []string{other}, list.column("list", "trusted_entity_id"))
		assert.Equal(t, "company", list.at("list.0.type"))
		assert.Equal(t, "other.example", list.at("list.0.address"))
		s.post("/company/"+company+"/fund", object{"name": "F", "custodygroup_tx": group(1, other)}).refused(400, "cannot approve")
	})
	for name, test := range map[string]struct {
		body   any
		status int
	}{
		"nobody's domain": {object{"address": "nobody.example"}, 404},
		"nobody's ID":     {object{"address": "5rPZ2kmvq7yRNJgXsPtsFF9o5z4gS6X8zBgVw5CHNX3n"}, 404},
		"empty":           {object{"address": ""}, 400},
		"spaces":          {object{"address": "  "}, 400},
		"missing":         {object{"type": "user", "name": "x"}, 400},
		"no body":         {nil, 400},
	} {
		t.Run(name, func(t *testing.T) { s.post(path, test.body).refused(test.status, "") })
	}
	t.Run("of a company that is not there", func(t *testing.T) {
		s.post("/company/none/trustedparty", object{"address": alice}).refused(404, "company")
		s.get("/company/none/trustedparty").refused(404, "company")
	})
	t.Run("several companies, one acceptance each", func(t *testing.T) {
		s.post(path, object{"address": alice}).ok()
		s.post("/company/"+other+"/trustedparty", object{"address": alice}).ok()
		require.NoError(t, s.Accept(alice, qredo.CompanyID(other)))
		assert.Equal(t, 1, s.get("/company/"+other+"/trustedparty").ok().count("list"))
		assert.Equal(t, 1, s.get(path).ok().count("list"), "the other company's request still waits")
		require.NoError(t, s.Accept(alice, ""), "an empty company stands for all that have asked")
		assert.Equal(t, 2, s.get(path).ok().count("list"))
	})
}

func TestTrustedPartyRemoval(t *testing.T) {
	w := newWorld(t)
	path := w.inCompany("/trustedparty")
	removed := w.call("DELETE", path+"/"+w.ids[bob], nil)
	assert.Equal(t, http.StatusAccepted, removed.Status)
	assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(removed.Body))
	assert.ElementsMatch(t, []string{alice, carol}, w.get(path).ok().column("list", "address"))
	w.call("DELETE", path+"/"+w.ids[bob], nil).refused(404, "trusted party")
	w.post(w.inCompany("/fund"), object{"name": "New", "custodygroup_tx": group(1, w.ids[bob])}).refused(400, "trusted network")

	t.Run("a fund's policy is fixed, and keeps its member", func(t *testing.T) {
		w.credit(w.treasury, 5000)
		tx := w.transfer(nil).ok().at("tx_id")
		require.NoError(t, w.Approve(bob, tx))
		assert.Equal(t, "approved", w.status(tx))
	})
	t.Run("they may be asked again, and must accept again", func(t *testing.T) {
		w.post(path, object{"address": bob}).ok()
		assert.Equal(t, 2, w.get(path).ok().count("list"))
		assert.Equal(t, w.ids[bob], w.trust(w.company, bob)[bob])
	})
}

func TestAnotherAccountsThingsAreNotFound(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 5000)
	tx := w.transfer(nil).ok().at("tx_id")
	stranger := w.as("strange")
	for _, path := range []string{
		w.inCompany(""), w.inCompany("/holding"), w.inCompany("/trustedparty"), w.inCompany("/fund/search?query=client"),
		w.inFund(""), w.inFund("/deposit"), w.inFund("/whitelist"), w.inFund("/ledger"),
		"/wallet/" + w.treasury, "/wallet/" + w.treasury + "/history", w.inCompany("/transfer/" + tx),
	} {
		t.Run("GET "+path, func(t *testing.T) {
			w.get(path).ok()
			w.as("second").get(path).ok()
			stranger.get(path).refused(404, "no such")
		})
	}
	w.service = stranger
	w.transfer(nil).refused(404, "company")
	w.withdrawal(nil).refused(404, "company")
	stranger.post(w.inFund("/wallet"), object{"wallets": []any{object{"asset": btc}}}).refused(404, "company")

	t.Run("nor do they pass for one's own below one's own company", func(t *testing.T) {
		own := stranger.newCompany("Strange", "strange.example")
		stranger.get("/company/"+own+"/fund/"+w.fund).refused(404, "fund")
		stranger.get("/company/"+own+"/transfer/"+tx).refused(404, "transaction")
		stranger.post("/company/"+own+"/transfer", object{
			"wallet_id": w.treasury, "counterparty_wallet_address": w.trading, "expires": w.in(1e12),
			"send": object{"symbol": btc, "amount": 1},
		}).refused(404, "wallet")
	})
}
