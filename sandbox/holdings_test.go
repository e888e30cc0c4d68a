package sandbox_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// What the views say is the same in Go and over HTTP.
func TestViewsInGoAndOverHTTP(t *testing.T) {
	w, transfer, _, _, _ := busy(t)
	c, ctx := controlOf(t, w.Sandbox), t.Context()
	same := func(what string, inGo any, err error, overHTTP any, errHTTP error) {
		t.Helper()
		require.NoError(t, err, what)
		require.NoError(t, errHTTP, what)
		assert.Equal(t, inGo, overHTTP, what)
	}
	approvers, err := w.Approvers(sandbox.ApproverFilter{Search: "ali"})
	again, err2 := c.Approvers(ctx, sandbox.ApproverFilter{Search: "ali"})
	same("approvers", approvers, err, again, err2)
	assert.Len(t, approvers.Approvers, 1)
	for _, filter := range []sandbox.ApprovalFilter{{}, {State: "decided", Page: sandbox.Page{Limit: 2}}} {
		approvals, err := w.Approvals(alice, filter)
		again, err2 := c.Approvals(ctx, alice, filter)
		same("approvals", approvals, err, again, err2)
	}
	companies, err := w.Companies(sandbox.ListFilter{Search: "ACME"})
	companies2, err2 := c.Companies(ctx, sandbox.ListFilter{Search: "ACME"})
	same("companies", companies, err, companies2, err2)
	assert.Equal(t, []sandbox.CompanySummary{{ID: qredo.CompanyID(w.company), Name: "Acme Exchange", Account: "default", Funds: 1, Wallets: 3, Waiting: 1}}, companies.Companies)
	company, err := w.Company(qredo.CompanyID(w.company))
	company2, err2 := c.Company(ctx, qredo.CompanyID(w.company))
	same("company", company, err, company2, err2)
	wallet, err := w.Wallet(w.treasury)
	wallet2, err2 := c.Wallet(ctx, w.treasury)
	same("wallet", wallet, err, wallet2, err2)
	movements, err := w.Movements(w.treasury, sandbox.Page{Limit: 2})
	movements2, err2 := c.Movements(ctx, w.treasury, sandbox.Page{Limit: 2})
	same("movements", movements, err, movements2, err2)
	totals, err := w.Totals()
	totals2, err2 := c.Totals(ctx)
	same("totals", totals, err, totals2, err2)
	filter := sandbox.TransactionFilter{State: "approved", Search: "rent"}
	list, err := w.Transactions(filter)
	list2, err2 := c.Transactions(ctx, filter)
	same("transactions", list, err, list2, err2)
	tx, err := w.Transaction(transfer)
	tx2, err2 := c.Transaction(ctx, transfer)
	same("transaction", tx, err, tx2, err2)
	expiries, err := w.Expiries(1)
	expiries2, err2 := c.Expiries(ctx, 1)
	same("expiries", expiries, err, expiries2, err2)

	assert.Equal(t, "Transfer of 0.00001 BTC-TESTNET from Treasury", expiries.Expiries[0].Label)
	require.NoError(t, c.AdvanceToNextExpiry(ctx))
	assert.Equal(t, expiries.Expiries[0].At, w.Now())
	require.ErrorIs(t, c.AdvanceToNextExpiry(ctx), qredo.ErrConflict, "nothing waits")
	require.ErrorIs(t, w.AdvanceToNextExpiry(), qredo.ErrConflict)
}

func TestViewsOfWhatThereIsNot(t *testing.T) {
	w := newWorld(t)
	c, ctx := controlOf(t, w.Sandbox), t.Context()
	for name, ask := range map[string]func() error{
		"approvals":   func() error { _, err := c.Approvals(ctx, "nobody", sandbox.ApprovalFilter{}); return err },
		"company":     func() error { _, err := c.Company(ctx, "nope"); return err },
		"wallet":      func() error { _, err := c.Wallet(ctx, "nope"); return err },
		"movements":   func() error { _, err := c.Movements(ctx, "nope", sandbox.Page{}); return err },
		"transaction": func() error { _, err := c.Transaction(ctx, "nope"); return err },
	} {
		require.ErrorIs(t, ask(), qredo.ErrNotFound, name)
	}
	for name, ask := range map[string]func() error{
		"limit": func() error {
			_, err := c.Companies(ctx, sandbox.ListFilter{Page: sandbox.Page{Limit: 501}})
			return err
		},
		"less": func() error { _, err := c.Movements(ctx, w.treasury, sandbox.Page{Limit: -1}); return err },
		"approvers": func() error {
			_, err := c.Approvers(ctx, sandbox.ApproverFilter{Page: sandbox.Page{Limit: 1e6}})
			return err
		},
		"expiries": func() error { _, err := c.Expiries(ctx, 501); return err },
		"place": func() error {
			_, err := c.Transactions(ctx, sandbox.TransactionFilter{Page: sandbox.Page{After: "x"}})
			return err
		},
		"behind": func() error { _, err := c.Movements(ctx, w.treasury, sandbox.Page{After: "-1"}); return err },
		"waits": func() error {
			_, err := c.Approvals(ctx, alice, sandbox.ApprovalFilter{Page: sandbox.Page{After: "x"}})
			return err
		},
		"state":       func() error { _, err := c.Transactions(ctx, sandbox.TransactionFilter{State: "done"}); return err },
		"whose state": func() error { _, err := c.Approvals(ctx, alice, sandbox.ApprovalFilter{State: "done"}); return err },
	} {
		require.ErrorIs(t, ask(), qredo.ErrBadRequest, name)
	}
	none, err := c.Transactions(ctx, sandbox.TransactionFilter{Page: sandbox.Page{After: "99"}})
	require.NoError(t, err, "a place behind the end is no slip: the sandbox may have been reset")
	assert.Empty(t, none.Transactions)
	wallet, err := w.Wallet(w.treasury)
	require.NoError(t, err)
	assert.Equal(t, []any{"0", 8, []sandbox.ChartPoint{}}, []any{wallet.Max, *wallet.Decimals, wallet.Chart})
}

// A company's detail is what the Partner API says of its parts.
func TestCompanyDetail(t *testing.T) {
	b := newBourse(t)
	wallet := b.connected(1, object{"name": "Dedicated"})
	b.post("/company/"+b.company+"/trustedparty", object{"address": b.exchange.id}).ok()
	_, err := b.CreateUser(sandbox.User{Email: "dave@example.com"})
	require.NoError(t, err)
	b.post("/company/"+b.company+"/trustedparty", object{"address": "dave@example.com"}).ok()
	got, err := b.Company(qredo.CompanyID(b.company))
	require.NoError(t, err)
	require.Len(t, got.Funds, 1)
	fund := got.Funds[0]
	assert.Equal(t, []sandbox.WhitelistedAddress{{Asset: btc, Address: payout, Name: "Cold storage"}}, fund.Whitelist)
	require.Len(t, fund.Policies, 2)
	assert.Equal(t, []any{qredo.PolicyWithdraw, 2, 3}, []any{fund.Policies[0].Type, fund.Policies[0].Threshold, len(fund.Policies[0].Members)})
	for _, shown := range fund.Wallets {
		api := b.get("/wallet/" + shown.ID).ok()
		assert.Equal(t, []string{api.at("address"), api.at("short_code"), api.at("asset"), api.at("status"), api.at("balance"), api.at("type")}, []string{
			shown.Address, shown.ShortCode, string(shown.Asset), string(shown.Status), shown.Balance.Base, string(mustJSON(t, shown.Type)),
		})
	}
	require.Len(t, got.Trusted, 5)
	assert.Equal(t, sandbox.Trusted{Named: sandbox.Named{ID: b.exchange.id, Name: "Bourse"}, Kind: "core-client", Accepted: true}, got.Trusted[3])
	assert.Equal(t, []any{"dave@example.com", false}, []any{got.Trusted[4].Email, got.Trusted[4].Accepted})

	dedicated, err := b.Wallet(b.get("/wallet/" + wallet).ok().at("short_code"))
	require.NoError(t, err)
	assert.Equal(t, []sandbox.ConnectedClient{{Named: sandbox.Named{ID: b.exchange.id, Name: "Bourse"}, ClientID: "customer-7", Status: "initiated"}}, dedicated.Connections)
	assert.Equal(t, []sandbox.Named{{ID: b.fund, Name: "Client assets"}, {ID: b.company, Name: "Acme Exchange"}}, []sandbox.Named{dedicated.Fund, dedicated.Company})
}

// Money is exact, whatever its size: as many decimals as the asset has, and none where that is not known.
func TestMoneyIsExact(t *testing.T) {
	m := newMarket(t)
	for range 3 {
		m.offer(object{"receive": object{"symbol": eth, "amount": int64(math.MaxInt64)}}).ok()
	}
	wallet, err := m.Wallet(m.makerIn)
	require.NoError(t, err)
	assert.Equal(t, sandbox.Money{Base: "27670116110564327421", Whole: "27670116110.564327421", Asset: eth}, wallet.Incoming)
	_, err = m.Deposit(m.ether, math.MaxInt64-100_000)
	require.NoError(t, err)
	wallet, err = m.Wallet(m.ether)
	require.NoError(t, err)
	assert.Equal(t, "9223372036.854675807", wallet.Balance.Whole)
	data, err := json.Marshal(wallet)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "e+", "no figure is a float")

	bitcoin, err := m.Wallet(m.treasury)
	require.NoError(t, err)
	assert.Equal(t, sandbox.Money{Base: "1000000", Whole: "0.01", Asset: btc}, bitcoin.Balance)

	dir := t.TempDir()
	kept := newService(t, sandbox.WithStore(dir))
	company := kept.newCompany("Acme", "acme.example")
	id := kept.newWallet(company, kept.newFund(company, object{"name": "F"}), object{"asset": "USDC"})
	kept.credit(id, 7)
	require.NoError(t, kept.Close())
	later := newService(t, sandbox.WithStore(dir), sandbox.WithTestnetOnly())
	unknown, err := later.Wallet(id)
	require.NoError(t, err)
	assert.Equal(t, sandbox.Money{Base: "7", Asset: "USDC"}, unknown.Balance)
	assert.Nil(t, unknown.Decimals)
	require.NoError(t, later.Close())
}

// A transaction is found by any of its texts, in any capitals, by part of them, and by its wallets.
func TestTransactionsAreFound(t *testing.T) {
	w := withFunds(t)
	paid := w.withdrawal(object{"reference": "Grüße <&> 2041", "partner_txID": "Payout-2041"}).ok().at("tx_id")
	require.NoError(t, w.Approve(alice, paid))
	moved := w.transfer(object{"reference": `say "hi"`}).ok().at("tx_id")
	tx, err := w.Transaction(paid)
	require.NoError(t, err)
	treasury := w.get("/wallet/" + w.treasury).ok()
	find := func(text, state string) []string {
		t.Helper()
		list, err := w.Transactions(sandbox.TransactionFilter{Search: text, State: state})
		require.NoError(t, err)
		ids := []string{}
		for _, tx := range list.Transactions {
			ids = append(ids, string(tx.ID))
		}
		return ids
	}
	look := func() {
		t.Helper()
		for _, text := range []string{
			paid, strings.ToLower(paid[3:20]), string(tx.Votes[0].ActionID), "payout-2041", "OUT-20", "grüße", "GRÜ", "<&>", strings.ToUpper(payout), " 2041 ",
		} {
			assert.Equal(t, []string{paid}, find(text, ""), text)
		}
		assert.Equal(t, []string{moved}, find(`SAY "`, ""))
		assert.Empty(t, find("no such", ""))
		assert.Empty(t, find("partner", ""), "what a line names its parts is no text of it")
	}
	look()
	for _, name := range []string{w.treasury, treasury.at("short_code"), treasury.at("address")} {
		assert.Equal(t, []string{moved, paid}, find(name, "waiting"), name)
		assert.Len(t, find(name, ""), 3, "with the deposit")
		assert.Len(t, find(name, "approved"), 1)
	}
	require.NoError(t, w.Approve(bob, paid))
	assert.Empty(t, find(w.trading, ""), "what is on its way to a wallet is not in its ledger")
	require.NoError(t, w.Approve(bob, moved))
	assert.Equal(t, []string{moved}, find(w.trading, ""))
	look()
}

// What happened to a transaction stands in its steps, in order, with who did it; the last says how it ended.
func TestTransactionSteps(t *testing.T) {
	told := func(w world, tx string) []string {
		t.Helper()
		detail, err := w.Transaction(tx)
		require.NoError(t, err)
		var steps []string
		for _, s := range detail.Steps {
			who := ""
			if s.Actor != nil {
				who = s.Actor.Name + " "
			}
			at := "-"
			if !s.At.IsZero() {
				at = s.At.Sub(startOfTime).String()
			}
			steps = append(steps, at+" "+s.Kind+": "+who+s.Text)
		}
		return steps
	}
	w := withFunds(t)
	tx := w.withdrawal(object{"partner_txID": "p1"}).ok().at("tx_id")
	asked := "0s asked: Acme Exchange requested that 0.00001 BTC-TESTNET arrive, which costs 0.00000001 BTC-TESTNET (PartnerTxID p1)"
	assert.Equal(t, []string{asked, "- waiting: waits for approval"}, told(w, tx))
	w.clock.forward(time.Minute)
	require.NoError(t, w.Approve(bob, tx))
	w.clock.forward(time.Minute)
	require.NoError(t, w.Approve(alice, tx))
	assert.Equal(t, []string{
		asked, "1m0s approved: bob approved", "2m0s approved: alice approved", "2m0s settled: 0.00001001 BTC-TESTNET left, 0.00001 BTC-TESTNET arrived",
	}, told(w, tx))

	a := newAuthorized(t)
	tx = a.ask(nil)
	assert.Equal(t, "- waiting: waits for Gatekeeper to authorize it", told(a.world, tx)[1])
	require.NoError(t, a.Approve(a.robot.id, tx))
	require.NoError(t, a.Reject(alice, tx))
	require.NoError(t, a.Reject(bob, tx))
	assert.Equal(t, []string{
		"0s authorized: Gatekeeper authorized it: the custody group was asked", "0s rejected: alice rejected", "0s rejected: bob rejected",
		"0s rejected: rejected: 0.00001001 BTC-TESTNET is available again",
	}, told(a.world, tx)[1:])

	m := newMarket(t)
	quote := m.quote(object{"add_to_liquidity_hub": true})
	assert.Equal(t, []string{"0s approved: alice approved", "0s waiting: put on the liquidity hub", "- waiting: waits for somebody to take it"}, told(m.world, quote)[1:])
	m.clock.forward(time.Minute)
	take := m.take(quote, nil).ok().at("tx_id")
	require.NoError(t, m.Approve(alice, take))
	require.NoError(t, m.Approve(bob, take))
	assert.Equal(t, []string{
		"1m0s waiting: Taker takes it", "1m0s settled: 0.002002 BTC-TESTNET left, 0.002 BTC-TESTNET arrived, 0.00003 ETH-TESTNET came in return",
	}, told(m.world, quote)[3:])
	deposit := m.credit(m.treasury, 5)
	assert.Equal(t, []string{"1m0s settled: 0.00000005 BTC-TESTNET arrived over the chain"}, told(m.world, string(deposit.TxID)))
}
