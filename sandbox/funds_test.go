package sandbox_test

import (
	"cmp"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func TestFundIsKeptAsGiven(t *testing.T) {
	w := newWorld(t)
	made := w.post(w.inCompany("/fund"), object{
		"name": "Second fund", "description": "for tests",
		"custodygroup_withdraw": group(2, w.ids[alice], w.ids[bob]),
		"custodygroup_tx":       group(1, w.ids[carol], w.ids[alice]),
		"wallets":               []any{object{"name": "One", "asset": "BTC", "type": 0}, object{"name": "Two", "asset": "ETH"}},
	}).ok()
	got := w.get(w.inCompany("/fund/" + made.at("fund_id"))).ok()
	for key, want := range map[string]string{
		"fund_id": made.at("fund_id"), "name": "Second fund", "description": "for tests",
		"custodygroup_withdraw": made.at("custodygroup_withdraw"), "custodygroup_tx": made.at("custodygroup_tx"),
		"policy_withdraw.id": made.at("custodygroup_withdraw"), "policy_withdraw.threshold": "2",
		"policy_tx.id": made.at("custodygroup_tx"), "policy_tx.threshold": "1",
		"policy_tx.members.0.entity.id":            w.ids[carol],
		"policy_tx.members.0.entity.type":          "user",
		"policy_tx.members.0.entity.user.email":    carol,
		"policy_tx.members.0.entity.user.username": "carol",
		"policy_tx.members.0.dedicated":            "false",
		"wallets.0.name":                           "One", "wallets.0.asset": "BTC", "wallets.0.status": "ready", "wallets.0.balance": "0",
		"wallets.1.name": "Two", "wallets.1.asset": "ETH",
	} {
		assert.Equal(t, want, got.at(key), key)
	}
	assert.NotEqual(t, made.at("custodygroup_withdraw"), made.at("custodygroup_tx"))

	wallet := w.get("/wallet/" + got.at("wallets.0.wallet_id")).ok()
	assert.Equal(t, got.at("wallets.0.address"), wallet.at("address"))
	found := w.get(w.inCompany("/fund/search?query=COND")).ok()
	assert.Equal(t, []string{made.at("fund_id")}, found.column("list", "id"))
	assert.EqualValues(t, 1, found.number("total_count"))
	for _, all := range []string{"", "?query=", "?query=%20"} {
		assert.Equal(t, []string{w.fund, made.at("fund_id")}, w.get(w.inCompany("/fund/search"+all)).ok().column("list", "id"), all)
	}
	assert.Equal(t, []string{"Second fund"}, w.get(w.inCompany("/fund/search?query=co")).ok().column("list", "name"))
	w.get("/company/none/fund/search?query=second").refused(404, "company")
}

// What names a fund's owner and policies, and fields that are there though they say nothing, are as the service's
// examples have them.
func TestFundIsDescribedAsInTheExamples(t *testing.T) {
	w := newWorld(t)
	user, err := w.CreateUser(sandbox.User{Email: "dora@example.com", FirstName: "Dora", LastName: "van Eck"})
	require.NoError(t, err)
	robot := w.newCoreClient("Demo Core Client")
	w.post(w.inCompany("/trustedparty"), object{"address": robot}).ok()
	w.trust(w.company, "dora@example.com")
	fund := w.newFund(w.company, object{
		"name": "Demo", "custodygroup_withdraw": group(1, w.ids[alice], string(user.ID), robot), "custodygroup_tx": group(1, w.ids[alice]),
		"wallets": []any{object{"name": "Ordinary", "asset": btc, "custodygroup_withdraw": group(1, robot), "custodygroup_tx": group(1, robot)}},
	})
	got := w.get(w.inCompany("/fund/" + fund)).ok()
	for key, want := range map[string]string{
		"policy_withdraw.name": "Demo Withdraw policy", "policy_tx.name": "Demo Tx policy",
		"wallets.0.policy_withdraw.name": "Wallet Ordinary Withdraw policy", "wallets.0.policy_tx.name": "Wallet Ordinary Tx policy",
		"policy_withdraw.members.0.entity.initials": "A", "policy_withdraw.members.1.entity.initials": "DV",
		"policy_withdraw.members.2.entity.initials": "C", "policy_withdraw.members.2.entity.accountCode": robot,
		"policy_withdraw.entityID": "", "policy_withdraw.locked": "false", "policy_withdraw.lockedTxID": "", "policy_withdraw.membersCount": "3",
		"policy_withdraw.walletCount": "0", "policy_withdraw.dedicatedWalletCount": "0", "policy_withdraw.fundsCount": "0",
		"members.0.entity.id": w.company, "members.0.entity.type": "company", "members.0.entity.initials": "A",
		"members.0.entity.name": "Acme Exchange", "members.0.entity.company.name": "Acme Exchange",
	} {
		assert.Equal(t, want, got.at(key), key)
	}
	funds, there := got.find("policy_withdraw.funds")
	assert.True(t, there, "the list is there")
	assert.Nil(t, funds, "and null")
	assert.Equal(t, 1, got.count("members"), "the company alone")
	permissions, _ := got.find("members.0.permissions")
	assert.Equal(t, map[string]any{"admin": true}, permissions)
	for key, id := range map[string]string{"members.0.entity": w.company, "policy_withdraw.members.1.entity": string(user.ID)} {
		code := got.at(key + ".accountCode")
		assert.Regexp(t, account, code, key)
		assert.NotEqual(t, id, code, key)
		assert.Equal(t, code, w.get(w.inCompany("/fund/"+fund)).ok().at(key+".accountCode"), "it stays")
	}
}

func TestCustodyGroups(t *testing.T) {
	testCustodyGroups(t, "", nil)
	testCustodyGroups(t, "twice", []sandbox.Option{sandbox.WithStrictChecks()})
}

// testCustodyGroups is given the reason for which a member that is named twice is refused, if it is.
func testCustodyGroups(t *testing.T, twice string, opts []sandbox.Option) {
	t.Helper()
	w := newWorld(t, opts...)
	a, b := w.ids[alice], w.ids[bob]
	tests := map[string]struct {
		group  any
		reason string // empty where it is taken
	}{
		"one of one":                {group(1, a), ""},
		"all of two":                {group(2, a, b), ""},
		"none":                      {nil, ""},
		"threshold as text":         {object{"threshold": "2", "members": []string{a, b}}, ""},
		"a member alone, no list":   {object{"threshold": 1, "members": a}, ""},
		"threshold over members":    {group(3, a, b), "over the number of members"},
		"threshold zero":            {group(0, a), "at least 1"},
		"threshold negative":        {group(-1, a), "at least 1"},
		"threshold not whole":       {object{"threshold": 1.5, "members": []string{a}}, "threshold"},
		"no threshold":              {object{"members": []string{a}}, "at least 1"},
		"no members":                {group(1), "over the number of members"},
		"a member twice":            {group(1, a, a), twice},
		"two of one, named twice":   {group(2, a, a), cmp.Or(twice, "over the number of members, 1")},
		"one not trusted":           {group(1, a, "5rPZ2kmvq7yRNJgXsPtsFF9o5z4gS6X8zBgVw5CHNX3n"), "trusted network"},
		"an e-mail in place of IDs": {group(1, alice), "trusted network"},
	}
	for name, test := range tests {
		for _, field := range []string{"custodygroup_withdraw", "custodygroup_tx"} {
			t.Run(field+" "+name, func(t *testing.T) {
				check := func(got answer) {
					if test.reason == "" {
						got.ok()
					} else {
						assert.Contains(t, got.refused(400, test.reason).at("detail.reason"), field, "the reason names the field")
					}
				}
				check(w.post(w.inCompany("/fund"), object{"name": "Fund", field: test.group}))
				wallet := object{"asset": btc, field: test.group}
				check(w.post(w.inFund("/wallet"), object{"wallets": []any{wallet}}))
			})
		}
	}
	t.Run("of another company's network", func(t *testing.T) {
		other := w.newCompany("Other", "other.example")
		w.post("/company/"+other+"/fund", object{"name": "Fund", "custodygroup_tx": group(1, a)}).refused(400, "trusted network")
	})
	t.Run("refused funds leave nothing behind", func(t *testing.T) {
		s := newWorld(t)
		s.post(s.inCompany("/fund"), object{"name": "Refused", "wallets": []any{object{"asset": btc}, object{"asset": "DOGE"}}}).refused(400, "DOGE")
		assert.Zero(t, s.get(s.inCompany("/fund/search?query=refused")).ok().count("list"))
	})
}

func TestWalletsOwnGroupsReplaceTheFunds(t *testing.T) {
	w := newWorld(t)
	w.whitelist()
	own := w.newWallet(w.company, w.fund, object{
		"name": "Own", "asset": btc, "custodygroup_withdraw": group(1, w.ids[carol]), "custodygroup_tx": group(2, w.ids[bob], w.ids[carol]),
	})
	half := w.newWallet(w.company, w.fund, object{"name": "Half", "asset": btc, "custodygroup_tx": group(1, w.ids[carol]), "custodygroup_withdraw": nil})
	fund := w.get(w.inFund("")).ok()
	got := w.get("/wallet/" + own).ok()
	assert.NotEqual(t, fund.at("custodygroup_tx"), got.at("custodygroup_tx"))
	assert.Equal(t, "2", got.at("policy_tx.threshold"))
	assert.Equal(t, []string{w.ids[carol]}, got.column("policy_withdraw.members", "entity.id"))
	assert.Equal(t, fund.at("custodygroup_withdraw"), w.get("/wallet/"+half).ok().at("custodygroup_withdraw"))
	assert.Equal(t, fund.at("custodygroup_tx"), w.get("/wallet/"+w.treasury).ok().at("custodygroup_tx"))

	for _, wallet := range []string{own, half} {
		w.credit(wallet, 10_000)
	}
	t.Run("for transfers", func(t *testing.T) {
		tx := w.transfer(object{"wallet_id": own}).ok().at("tx_id")
		require.Error(t, w.Approve(alice, tx), "a member of the fund's group is not asked")
		require.NoError(t, w.Approve(bob, tx))
		assert.Equal(t, "pending", w.status(tx))
		require.NoError(t, w.Approve(carol, tx))
		assert.Equal(t, "approved", w.status(tx))
	})
	t.Run("for withdrawals", func(t *testing.T) {
		tx := w.withdrawal(object{"wallet_id": own}).ok().at("tx_id")
		require.Error(t, w.Approve(alice, tx))
		require.NoError(t, w.Approve(carol, tx))
		assert.Equal(t, "approved", w.withdrawalStatus(tx))
	})
	t.Run("each for itself", func(t *testing.T) {
		tx := w.withdrawal(object{"wallet_id": half}).ok().at("tx_id")
		require.NoError(t, w.Approve(alice, tx))
		require.NoError(t, w.Approve(bob, tx))
		assert.Equal(t, "approved", w.withdrawalStatus(tx))
	})
	t.Run("none anywhere", func(t *testing.T) {
		bare := w.newFund(w.company, object{"name": "Bare"})
		wallet := w.newWallet(w.company, bare, object{"asset": btc})
		w.credit(wallet, 1000)
		tx := w.transfer(object{"wallet_id": wallet, "send": object{"symbol": btc, "amount": 400}}).ok().at("tx_id")
		w.post(w.inCompany("/fund/"+bare+"/whitelist"), object{"asset": btc, "address": payout}).ok()
		payment := w.withdrawal(object{"wallet_id": wallet, "send": object{"symbol": btc, "amount": 400}}).ok().at("tx_id")
		got := w.get(w.inCompany("/transfer/" + tx)).ok()
		for key, want := range map[string]string{"txStatus": "pending", "thresholdRequired": "0", "approvedCount": "0"} {
			assert.Equal(t, want, got.at(key), key)
		}
		assert.Zero(t, got.count("status"), "nobody is asked")
		require.Error(t, w.Approve(alice, tx))
		assert.Positive(t, w.held(wallet))
		w.clock.forward(time.Hour - time.Second)
		assert.Equal(t, "pending", w.status(tx))
		w.clock.forward(time.Second)
		assert.Equal(t, "expired", w.status(tx))
		assert.Equal(t, "expired", w.withdrawalStatus(payment))
		assert.Zero(t, w.held(wallet))
		assert.EqualValues(t, 1000, w.balance(wallet))
	})
}

func TestWallets(t *testing.T) {
	testWallets(t, http.StatusOK, nil)
	testWallets(t, http.StatusConflict, []sandbox.Option{sandbox.WithStrictChecks()})
}

// testWallets is given how a name that another wallet has is answered.
func testWallets(t *testing.T, nameTaken int, opts []sandbox.Option) {
	t.Helper()
	w := newWorld(t, opts...)
	path := w.inFund("/wallet")
	tests := map[string]struct {
		body   any
		status int
	}{
		"several at once":             {object{"wallets": []any{object{"asset": "BTC"}, object{"asset": "BTC"}}}, 200},
		"one without a list":          {object{"wallets": object{"asset": "BTC"}}, 200},
		"any type":                    {object{"wallets": []any{object{"asset": "BTC", "type": 3}}}, 200},
		"a name that is taken":        {object{"wallets": []any{object{"name": "Treasury", "asset": btc}}}, nameTaken},
		"that name for another asset": {object{"wallets": []any{object{"name": "Treasury", "asset": eth}}}, 200},
		"one name twice":              {object{"wallets": []any{object{"name": "A", "asset": btc}, object{"name": "A", "asset": btc}}}, nameTaken},
		"unknown asset":               {object{"wallets": []any{object{"asset": "DOGE"}}}, 400},
		"no asset":                    {object{"wallets": []any{object{"name": "A"}}}, 400},
		"empty list":                  {object{"wallets": []any{}}, 400},
		"no list":                     {object{}, 400},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := w.post(path, test.body); test.status == http.StatusOK {
				for _, id := range got.ok().idList("wallets") {
					w.get("/wallet/" + id).ok()
				}
			} else {
				got.refused(test.status, "")
			}
		})
	}
	w.post(w.inCompany("/fund/none/wallet"), object{"wallets": []any{object{"asset": btc}}}).refused(404, "fund")
	w.get("/wallet/none").refused(404, "wallet")
	w.get("/wallet/none/history").refused(404, "wallet")
	w.post(w.inCompany("/fund"), object{"name": " "}).refused(400, "name")
}

// idList returns a list of texts.
func (a answer) idList(path string) []string {
	a.t.Helper()
	v, found := a.find(path)
	require.True(a.t, found, "%s in %s", path, a.Body)
	var ids []string
	for _, id := range v.([]any) {
		ids = append(ids, id.(string))
	}
	return ids
}

func TestAddAssets(t *testing.T) {
	for name, strict := range map[string]bool{"": false, "strict": true} {
		t.Run(name, func(t *testing.T) {
			opts := []sandbox.Option{}
			if strict {
				opts = append(opts, sandbox.WithStrictChecks())
			}
			w := newWorld(t, opts...)
			path := w.inFund("/asset")
			ids := w.post(path, object{"assets": []string{"BTC", "USDC"}}).ok().idList("wallets")
			require.Len(t, ids, 2)
			assert.Equal(t, "BTC", w.get("/wallet/"+ids[0]).ok().at("asset"))
			assert.Equal(t, "USDC", w.get("/wallet/"+ids[1]).ok().at("asset"))
			for _, assets := range [][]string{{"DOGE"}, {"USDT", "DOGE"}, {}} {
				w.post(path, object{"assets": assets}).refused(400, "")
			}
			for _, assets := range [][]string{{"BTC"}, {btc}, {"ETH", "ETH"}, {"ETH", "BTC"}} { // there, there by a wallet, twice, both
				if got := w.post(path, object{"assets": assets}); strict {
					got.refused(409, "already")
				} else {
					assert.Len(t, got.ok().idList("wallets"), len(assets), "a wallet for each")
				}
			}
			want := []string{btc, eth, "BTC", "USDC"}
			if !strict {
				want = append(want, "ETH")
			}
			assert.Equal(t, want, w.get(w.inFund("")).ok().idList("assets"), "what was refused has left no wallet")
		})
	}
}

func TestDepositAddressesAndHoldings(t *testing.T) {
	w := newWorld(t)
	w.credit(w.treasury, 1000)
	w.credit(w.trading, 20)
	w.credit(w.ether, 7)
	list := w.get(w.inFund("/deposit")).ok()
	assert.EqualValues(t, 3, list.number("total_count"))
	assert.Equal(t, []string{btc, btc, eth}, list.column("list", "asset"))
	assert.Equal(t, []string{"1000", "20", "7"}, list.column("list", "balance"))
	assert.Equal(t, w.get("/wallet/"+w.treasury).at("address"), list.at("list.0.address"))

	second := w.newFund(w.company, object{"name": "Second"})
	w.credit(w.newWallet(w.company, second, object{"asset": btc}), 300)
	w.newWallet(w.company, second, object{"asset": "USDC"})
	other := w.newCompany("Other", "other.example")
	w.credit(w.newWallet(other, w.newFund(other, object{"name": "F"}), object{"asset": btc}), 5_000_000)
	w.transfer(object{"send": object{"symbol": btc, "amount": 900}}).ok() // what waits for approval is still there

	got := w.get(w.inCompany("/holding")).ok()
	held := map[string]string{}
	for i, asset := range got.column("holdings", "code") {
		held[asset] = got.column("holdings", "amount")[i]
	}
	assert.Equal(t, map[string]string{btc: "1320", eth: "7", "USDC": "0"}, held)
	assert.EqualValues(t, 3, got.number("total_count"), "of assets")
	empty := w.newCompany("Empty", "empty.example")
	nothing := w.get("/company/" + empty + "/holding").ok()
	assert.Zero(t, nothing.count("holdings"))
	assert.Zero(t, nothing.number("total_count"))
}

func TestWhitelist(t *testing.T) {
	w := newWorld(t)
	path := w.inFund("/whitelist")
	added := w.post(path, object{"asset": btc, "address": " " + payout + " ", "name": "Cold"}).ok()
	assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(added.Body))
	w.post(path, object{"asset": btc, "address": payout, "name": "Again"}).ok()
	w.post(path, object{"asset": eth, "address": "0xabc"}).ok()

	all := w.get(path).ok()
	assert.EqualValues(t, 2, all.number("total_count"))
	assert.Equal(t, []string{payout, "0xabc"}, all.column("list", "address"))
	assert.Equal(t, "Cold", all.at("list.0.name"))
	for query, count := range map[string]int{
		"?asset=" + btc: 1, "?address=0xabc": 1, "?asset=" + btc + "&address=0xabc": 0, "?asset=BTC": 0, "?address=": 2,
	} {
		assert.Equal(t, count, w.get(path+query).ok().count("list"), query)
	}
	w.post(path, object{"asset": "DOGE", "address": payout}).refused(400, "DOGE")
	w.post(path, object{"asset": btc, "address": "  "}).refused(400, "address")
	w.post(path, object{"asset": btc}).refused(400, "address")
	w.post(w.inCompany("/fund/none/whitelist"), object{"asset": btc, "address": payout}).refused(404, "fund")
}

// The example of EIP-55.
const checksummed = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"

func TestWhitelistOfEVMAddresses(t *testing.T) {
	w := newWorld(t)
	path := w.inFund("/whitelist")
	w.post(path, object{"asset": eth, "address": checksummed, "name": "Cold"}).ok()
	small, large := strings.ToLower(checksummed), "0x"+strings.ToUpper(checksummed[2:])
	w.credit(w.ether, 100_000)
	for _, spelling := range []string{checksummed, small, large} {
		w.post(path, object{"asset": eth, "address": spelling}).ok()
		list := w.get(path + "?address=" + spelling).ok()
		assert.Equal(t, []string{checksummed}, list.column("list", "address"), "once, as it was given first")
		tx := w.withdrawal(object{"wallet_id": w.ether, "address": spelling, "send": object{"symbol": eth, "amount": 1000}}).ok().at("tx_id")
		sent := w.get(w.inCompany("/withdraw/" + tx)).ok()
		assert.Equal(t, spelling, sent.at("statusDetails.recipientAddress"), "as it was asked for")
	}
	other := []string{checksummed[:41] + "e", checksummed[2:], "0X" + checksummed[2:]}
	for _, address := range other {
		w.withdrawal(object{"wallet_id": w.ether, "address": address, "send": object{"symbol": eth, "amount": 1000}}).refused(400, "whitelist")
	}
	w.whitelist()
	w.withdrawal(object{"address": strings.ToUpper(payout)}).refused(400, "whitelist")
}
