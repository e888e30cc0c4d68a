package sandbox_test

import (
	"net/http"
	"testing"
	"time"

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

// A company is made anew each time: code for the service makes one with the same name, domain and reference in
// each of its runs.
func TestCompanyIsMadeAnewEachTime(t *testing.T) {
	s := newService(t)
	same := object{"name": "Acme", "domain": "acme.example", "ref": "r-1"}
	first, second := s.post("/company", same).ok().at("company_id"), s.post("/company", same).ok().at("company_id")
	assert.NotEqual(t, first, second)
	assert.ElementsMatch(t, []string{first, second}, s.get("/company/search").ok().column("matches", "company_id"))
	for name, bad := range map[string]object{"no name": {"ref": "r-2"}, "a name of spaces": {"name": "  ", "ref": "r-2"}} {
		t.Run(name, func(t *testing.T) { s.post("/company", bad).refused(400, "name") })
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
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newService(t, sandbox.WithCompanyConflict())
			s.post("/company", base).ok()
			if got := s.post("/company", test.second); test.status == http.StatusOK {
				got.ok()
			} else {
				got.refused(test.status, "")
			}
		})
	}
	t.Run("without references, name and domain count", func(t *testing.T) {
		s := newService(t, sandbox.WithCompanyConflict())
		s.post("/company", object{"name": "Acme", "domain": "a.example"}).ok()
		s.post("/company", object{"name": "Acme", "domain": "b.example"}).ok()
		s.post("/company", object{"name": "Acme", "domain": "a.example"}).refused(409, "exists")
	})
	t.Run("another account may have the same", func(t *testing.T) {
		s := newService(t, sandbox.WithCompanyConflict())
		s.post("/company", base).ok()
		s.as("second").post("/company", base).refused(409, "exists")
		s.as("strange").post("/company", base).ok()
	})
	t.Run("what an update gave up is free again", func(t *testing.T) {
		s := newService(t, sandbox.WithCompanyConflict())
		id := s.post("/company", base).ok().at("company_id")
		s.call("PUT", "/company/"+id, object{"ref": "r-2"}).ok()
		s.post("/company", base).ok()
		s.post("/company", object{"name": "Other", "ref": "r-2"}).refused(409, "exists")
	})
}

func TestCompanyUpdateLeavesAloneWhatItIsNotGiven(t *testing.T) {
	all := object{"company_id": "", "name": "First", "city": "Paris", "country": "FR", "domain": "first.example", "ref": "r-1"}
	for name, test := range map[string]struct{ update, changed object }{
		"one field":         {object{"city": "Oslo"}, object{"city": "Oslo"}},
		"the name alone":    {object{"name": "Renamed"}, object{"name": "Renamed"}},
		"the reference":     {object{"ref": "r-2"}, object{"ref": "r-2"}},
		"several":           {object{"country": "NO", "domain": "n.example"}, object{"country": "NO", "domain": "n.example"}},
		"in an older form":  {object{"countryCode": "NO"}, object{"country": "NO"}},
		"nothing":           {object{}, object{}},
		"an empty name":     {object{"name": "", "city": "Oslo"}, object{"city": "Oslo"}},
		"a name of spaces":  {object{"name": " "}, object{}},
		"empty, everything": {object{"name": "", "city": "", "country": "", "domain": "", "ref": ""}, object{}},
		"null":              {object{"city": nil, "ref": nil}, object{}},
		"another's ref":     {object{"ref": "taken"}, object{"ref": "taken"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			s.post("/company", object{"name": "Second", "ref": "taken"}).ok()
			id := s.post("/company", all).ok().at("company_id")
			want := merge(merge(object{}, all), test.changed)
			want["company_id"] = id
			answer := s.call("PUT", "/company/"+id, test.update).ok()
			assert.Equal(t, id, answer.at("company_id"))
			assert.Equal(t, want["ref"], answer.at("ref"))
			got := s.get("/company/" + id).ok()
			for key := range want {
				assert.Equal(t, want[key], got.at(key), key)
			}
		})
	}
	s := newService(t)
	id := s.newCompany("First", "first.example")
	s.call("PUT", "/company/none", object{"name": "First"}).refused(404, "company")
	s.call("PUT", "/company/"+id, nil).refused(400, "body")
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
		"name and domain, any case": {"?query=BANK", []string{bank, shop}},
		"domain only":               {"?query=side", []string{shop}},
		"part of a name":            {"?query=hop", []string{shop}},
		"letters beyond ASCII":      {"?query=%C3%9Cber", []string{bank}},
		"spaces around":             {"?query=%20shop+", []string{shop}},
		"nothing":                   {"?query=xyz", nil},
		"two letters":               {"?query=ho", []string{shop}},
		"one letter":                {"?query=%C3%9C", []string{bank}},
		"no query":                  {"", []string{bank, shop}},
		"an empty one":              {"?query=", []string{bank, shop}},
		"one of spaces":             {"?query=%20%20", []string{bank, shop}},
		"something else":            {"?other=shop", []string{bank, shop}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := s.get("/company/search" + test.query).ok()
			assert.EqualValues(t, len(test.found), got.number("total_count"))
			assert.ElementsMatch(t, test.found, got.column("matches", "company_id"))
		})
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

	s.clock.forward(time.Hour)
	require.NoError(t, s.Accept(alice, qredo.CompanyID(company)))
	list := s.get(path).ok()
	assert.Equal(t, company, list.at("company_id"))
	assert.EqualValues(t, 1, list.number("total_count"))
	for key, want := range map[string]string{
		"trusted_entity_id": string(user.ID), "name": "Alice Ash", "address": alice, "type": "user",
	} {
		assert.Equal(t, want, list.at("list.0."+key), key)
	}
	assert.Equal(t, startOfTime.Add(time.Hour).Unix(), list.number("list.0.created"), "when they accepted")
	assert.Equal(t, "false", list.at("list.0.internal"))

	s.post(path, object{"address": alice}).ok()
	assert.Equal(t, 1, s.get(path).ok().count("list"), "asking again changes nothing")
	require.Error(t, s.Accept(alice, qredo.CompanyID(company)), "nothing waits any more")
}

// A person must have an account before a company can ask them.
func TestWhoHasNoAccountCannotBeAsked(t *testing.T) {
	s := newService(t)
	path := "/company/" + s.newCompany("Acme", "acme.example") + "/trustedparty"
	for _, address := range []string{"new@example.com", "@", "rosa@parks"} {
		s.post(path, object{"address": address}).refused(404, "must have an account")
	}
	state, err := s.State()
	require.NoError(t, err)
	assert.Empty(t, state.Users, "nobody was invited")
	_, err = s.CreateUser(sandbox.User{Email: "rosa@parks"}) // without a dot, as in an example
	require.NoError(t, err)
	s.post(path, object{"address": "Rosa@Parks"}).ok()
}

func TestInvitedUserKeepsTheirID(t *testing.T) {
	s := newService(t, sandbox.WithInvitations())
	company := s.newCompany("Acme", "acme.example")
	path := "/company/" + company + "/trustedparty"
	s.post(path, object{"address": "new@example.com"}).ok()
	require.NoError(t, s.Accept("new@example.com", qredo.CompanyID(company)))
	id := s.get(path).ok().at("list.0.trusted_entity_id")
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
		assert.Equal(t, startOfTime.Unix(), list.number("list.0.created"))
		s.post("/company/"+company+"/fund", object{"name": "F", "custodygroup_tx": group(1, other)}).refused(400, "cannot approve")
	})
	_, err := s.CreateUser(sandbox.User{Email: alice})
	require.NoError(t, err)
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

// A guide asks several at once, each under the same key.
func TestSeveralAreAskedAtOnce(t *testing.T) {
	s := newService(t)
	company := s.newCompany("Acme", "acme.example")
	other := s.newCompany("Other", "other.example")
	path := "/company/" + company + "/trustedparty"
	robot := s.newCoreClient("Robot")
	for _, email := range []string{alice, bob} {
		_, err := s.CreateUser(sandbox.User{Email: email})
		require.NoError(t, err)
	}
	s.post(path, `{"type":"user","address":"`+alice+`","name":"Al","address":"nobody@example.com","Address":"`+bob+`"}`).refused(404, "account")
	require.ErrorContains(t, s.Accept(alice, ""), "404", "if one cannot be asked, none is")

	s.post(path, `{"address":"`+alice+`","address":"`+robot+`","ADDRESS":" ALICE@example.com ","address":null,"address":"other.example"}`).ok()
	require.NoError(t, s.Accept(alice, ""))
	assert.ElementsMatch(t, []string{alice, robot, "other.example"}, s.get(path).ok().column("list", "address"), "each once")
	require.ErrorContains(t, s.Accept(bob, ""), "404")
	assert.Contains(t, s.get(path).ok().column("list", "trusted_entity_id"), other)

	for name, body := range map[string]string{
		"a list": `["` + alice + `"]`, "a text": `"` + alice + `"`, "a list of addresses": `{"address":["` + alice + `"]}`,
		"an object": `{"address":{"a":1}}`, "one is empty": `{"address":"` + alice + `","address":""}`, "null": `{"address":null}`, "not JSON": `{"address"`,
	} {
		t.Run(name, func(t *testing.T) { s.post(path, body).refused(400, "") })
	}
	t.Run("elsewhere, a duplicate key is refused", func(t *testing.T) {
		s.post("/company", `{"name":"A","name":"B"}`).refused(400, "duplicate")
	})
	t.Run("invitations make one account for one e-mail", func(t *testing.T) {
		s := newService(t, sandbox.WithInvitations())
		path := "/company/" + s.newCompany("Acme", "acme.example") + "/trustedparty"
		s.post(path, `{"address":"new@example.com","address":"NEW@example.com"}`).ok()
		state, err := s.State()
		require.NoError(t, err)
		assert.Len(t, state.Users, 1)
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
