package sandbox_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

const (
	alice = "alice@example.com"
	bob   = "bob@example.com"
	carol = "carol@example.com"

	btc    = "BTC-TESTNET"
	eth    = "ETH-TESTNET"
	payout = "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"
)

// world is a service with a company whose fund has two wallets for BTC and one for ETH. Transfers need one
// approval of alice and bob, withdrawals two of alice, bob and carol.
type world struct {
	service
	company, fund     string
	treasury, trading string            // wallets for BTC
	ether             string            // a wallet for ETH
	ids               map[string]string // of the people, by e-mail
}

func newWorld(t testing.TB, opts ...sandbox.Option) world {
	t.Helper()
	w := world{service: newService(t, opts...)}
	w.company = w.newCompany("Acme Exchange", "acme.example")
	w.ids = w.trust(w.company, alice, bob, carol)
	w.fund = w.newFund(w.company, object{
		"name":                  "Client assets",
		"custodygroup_withdraw": group(2, w.ids[alice], w.ids[bob], w.ids[carol]),
		"custodygroup_tx":       group(1, w.ids[alice], w.ids[bob]),
	})
	w.treasury = w.newWallet(w.company, w.fund, object{"name": "Treasury", "asset": btc})
	w.trading = w.newWallet(w.company, w.fund, object{"name": "Trading", "asset": btc})
	w.ether = w.newWallet(w.company, w.fund, object{"name": "Ether", "asset": eth})
	return w
}

func group(threshold int, members ...string) object {
	return object{"threshold": threshold, "members": members}
}

func (s service) newCompany(name, domain string) string {
	s.t.Helper()
	return s.post("/company", object{"name": name, "domain": domain, "ref": name}).ok().at("company_id")
}

// trust brings people into a company's trusted network and returns their IDs.
func (s service) trust(company string, emails ...string) map[string]string {
	s.t.Helper()
	for _, email := range emails {
		if _, err := s.CreateUser(sandbox.User{Email: email}); err != nil {
			require.ErrorIs(s.t, err, qredo.ErrConflict, "they have an account")
		}
		s.post("/company/"+company+"/trustedparty", object{"address": email}).ok()
		require.NoError(s.t, s.Accept(email, qredo.CompanyID(company)))
	}
	list := s.get("/company/" + company + "/trustedparty").ok()
	ids := map[string]string{}
	for i, id := range list.column("list", "trusted_entity_id") {
		ids[list.column("list", "address")[i]] = id
	}
	return ids
}

func (s service) newFund(company string, fund object) string {
	s.t.Helper()
	return s.post("/company/"+company+"/fund", fund).ok().at("fund_id")
}

func (s service) newWallet(company, fund string, wallet object) string {
	s.t.Helper()
	path := "/company/" + company + "/fund/" + fund + "/wallet"
	return s.post(path, object{"wallets": []any{wallet}}).ok().at("wallets.0")
}

// credit lets an amount arrive at a wallet's address.
func (s service) credit(wallet string, amount int64) sandbox.Deposit {
	s.t.Helper()
	made, err := s.Deposit(s.get("/wallet/"+wallet).ok().at("address"), qredo.Amount(amount))
	require.NoError(s.t, err)
	return made
}

func (s service) balance(wallet string) int64 {
	s.t.Helper()
	return s.get("/wallet/" + wallet).ok().number("balance")
}

// held returns what of a wallet's balance waits for approval.
func (s service) held(wallet string) int64 {
	s.t.Helper()
	state, err := s.State()
	require.NoError(s.t, err)
	for _, c := range state.Companies {
		for _, f := range c.Funds {
			for _, w := range f.Wallets {
				if string(w.ID) == wallet {
					return int64(w.Held)
				}
			}
		}
	}
	require.Failf(s.t, "no such wallet", "%s", wallet)
	return 0
}

func (w world) inCompany(path string) string { return "/company/" + w.company + path }
func (w world) inFund(path string) string    { return w.inCompany("/fund/" + w.fund + path) }

// in returns the epoch seconds of a moment that is so far ahead.
func (w world) in(d time.Duration) int64 { return w.Now().Add(d).Unix() }

// transfer asks for a transfer of 1000 from treasury to trading, with fields changed; a nil removes one.
func (w world) transfer(changed object) answer {
	w.t.Helper()
	return w.post(w.inCompany("/transfer"), merge(object{
		"wallet_id": w.treasury, "counterparty_wallet_address": w.trading, "expires": w.in(time.Hour),
		"send": object{"symbol": btc, "amount": 1000},
	}, changed))
}

// withdrawal asks for a withdrawal of 1000 from treasury, with fields changed.
func (w world) withdrawal(changed object) answer {
	w.t.Helper()
	return w.post(w.inCompany("/withdraw"), merge(object{
		"wallet_id": w.treasury, "address": payout, "expires": w.in(time.Hour),
		"send": object{"symbol": btc, "amount": 1000},
	}, changed))
}

func merge(base, changed object) object {
	for key, value := range changed {
		if value == nil {
			delete(base, key)
		} else {
			base[key] = value
		}
	}
	return base
}

func (w world) whitelist() {
	w.t.Helper()
	w.post(w.inFund("/whitelist"), object{"asset": btc, "address": payout, "name": "Cold storage"}).ok()
}

// status returns how a transfer stands.
func (w world) status(tx string) string {
	w.t.Helper()
	return w.get(w.inCompany("/transfer/" + tx)).ok().at("txStatus")
}

// withdrawalStatus returns how a withdrawal stands.
func (w world) withdrawalStatus(tx string) string {
	w.t.Helper()
	return w.get(w.inCompany("/withdraw/" + tx)).ok().at("txStatus")
}
