package sandbox_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shortCode returns the short code of a wallet.
func (s service) shortCode(wallet string) string {
	s.t.Helper()
	return s.get("/wallet/" + wallet).ok().at("short_code")
}

// spellings are ways to write a short code.
var spellings = map[string]func(string) string{
	"as it is":     func(code string) string { return code },
	"with hyphens": func(code string) string { return strings.ReplaceAll(code, " ", "-") },
	"in capitals":  strings.ToUpper,
	"more spaces":  func(code string) string { return " " + strings.ReplaceAll(code, " ", "  ") + " " },
	"both":         func(code string) string { return strings.ToUpper(strings.ReplaceAll(code, " ", "-")) },
}

func TestShortCodesNameWallets(t *testing.T) {
	m := newMarket(t)
	m.whitelist()
	m.credit(m.takerEther, 1_000_000)
	m.credit(m.treasury, 10_000_000)
	for name, spell := range spellings {
		code := func(wallet string) string { return spell(m.shortCode(wallet)) }
		t.Run(name, func(t *testing.T) {
			t.Run("both sides of a transfer", func(t *testing.T) {
				tx := m.transfer(object{"wallet_id": code(m.treasury), "counterparty_wallet_address": code(m.trading)}).ok().at("tx_id")
				before := m.balance(m.trading)
				require.NoError(t, m.Approve(alice, tx))
				assert.Greater(t, m.balance(m.trading), before)
			})
			t.Run("a withdrawal", func(t *testing.T) {
				tx := m.withdrawal(object{"wallet_id": code(m.treasury)}).ok().at("tx_id")
				assert.Equal(t, payout, m.get(m.inCompany("/withdraw/"+tx)).ok().at("statusDetails.recipientAddress"))
			})
			t.Run("all four wallets of a swap", func(t *testing.T) {
				quote := m.quote(object{"send_wallet_id": code(m.treasury), "receive_wallet_id": code(m.makerIn)})
				before := m.balance(m.takerBitcoin)
				take := m.take(quote, object{"send_wallet_id": code(m.takerEther), "receive_wallet_id": code(m.takerBitcoin)}).ok().at("tx_id")
				require.NoError(t, m.Approve(alice, take))
				require.NoError(t, m.Approve(bob, take))
				assert.Greater(t, m.balance(m.takerBitcoin), before)
			})
			t.Run("the filter of a ledger", func(t *testing.T) {
				all := m.get(m.inFund("/ledger?wallet_id=" + m.treasury)).ok()
				require.NotZero(t, all.number("Total"))
				assert.Equal(t, string(all.Body), string(m.get(m.inFund("/ledger?wallet_id="+url.QueryEscape(code(m.treasury)))).ok().Body))
				assert.Zero(t, m.get(m.inFund("/ledger?wallet_id="+url.QueryEscape(code(m.takerEther)))).ok().number("Total"), "it is in another fund")
			})
			t.Run("a path", func(t *testing.T) {
				path := "/wallet/" + url.PathEscape(code(m.treasury))
				assert.Equal(t, m.treasury, m.get(path).ok().at("wallet_id"))
				m.get(path + "/history").ok()
				m.get(path + "/max").ok()
				m.as("strange").get(path).refused(404, "wallet")
			})
			t.Run("where to deposit", func(t *testing.T) {
				for _, to := range []string{code(m.trading), m.trading} {
					made, err := m.Deposit(to, 5)
					require.NoError(t, err)
					assert.EqualValues(t, m.trading, made.WalletID)
				}
			})
		})
	}
}

func TestShortCodesNameBothSidesOfASweep(t *testing.T) {
	b := newBourse(t)
	wallet, vault := b.ready(2, nil), b.vault()
	code := b.exchange.shortCode(vault)
	tx := b.sweep(b.shortCode(wallet), code, nil).ok().at("tx_id")
	got := b.exchange.get(b.exchange.path("/sweep/" + tx)).ok()
	assert.Equal(t, []string{wallet, vault}, []string{got.at("status_details.wallet_id"), got.at("status_details.recipient_wallet_id")})
	assert.Equal(t, b.in(time.Hour), got.number("expires"))
}
