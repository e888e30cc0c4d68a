package sandbox_test

import (
	"bytes"
	"crypto/sha256"
	"math/big"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

var (
	ksuid     = regexp.MustCompile(`^[0-9A-Za-z]{27}$`)
	account   = regexp.MustCompile(`^[1-9A-HJ-NP-Za-km-z]{43,44}$`)
	shortCode = regexp.MustCompile(`^[a-z]+ [a-z]+ [a-z]+$`)
	hash      = regexp.MustCompile(`^[0-9a-f]{64}$`)
	etherHex  = regexp.MustCompile(`^0x[0-9a-f]{40}$`)
)

func TestIdentifiersHaveTheServicesForms(t *testing.T) {
	w := withFunds(t)
	fund := w.get(w.inFund("")).ok()
	tx := w.get(w.inCompany("/transfer/" + w.transfer(nil).ok().at("tx_id"))).ok()
	deposit := w.credit(w.treasury, 1)
	for name, id := range map[string]string{
		"company": w.company, "fund": w.fund, "withdraw policy": fund.at("custodygroup_withdraw"), "tx policy": fund.at("policy_tx.id"),
		"transaction": tx.at("txID"), "action": tx.at("status.0.actionID"), "deposit": string(deposit.TxID),
	} {
		assert.Regexp(t, ksuid, id, name)
		assert.Equal(t, startOfTime.Unix(), ksuidTime(t, id).Unix(), "%s: a KSUID begins with its time", name)
	}
	for name, id := range map[string]string{
		"wallet": w.treasury, "user": tx.at("status.0.userID"), "account code": fund.at("members.0.entity.accountCode"),
	} {
		assert.Regexp(t, account, id, name)
	}
	assert.Regexp(t, shortCode, fund.at("wallets.0.short_code"))
	assert.Regexp(t, hash, deposit.ChainTxID)
}

// ksuidTime reads the time that a KSUID begins with.
func ksuidTime(t *testing.T, id string) time.Time {
	t.Helper()
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	raw := decode(t, id, digits)
	raw = append(make([]byte, 20-len(raw)), raw...)
	seconds := int64(raw[0])<<24 | int64(raw[1])<<16 | int64(raw[2])<<8 | int64(raw[3])
	return time.Unix(1_400_000_000+seconds, 0)
}

func decode(t *testing.T, text, digits string) []byte {
	t.Helper()
	n := new(big.Int)
	for _, c := range text {
		i := strings.IndexRune(digits, c)
		require.GreaterOrEqual(t, i, 0, "%q in %q", c, text)
		n.Add(n.Mul(n, big.NewInt(int64(len(digits)))), big.NewInt(int64(i)))
	}
	return n.Bytes()
}

func TestManyWalletsAreDistinctAndWellFormed(t *testing.T) {
	s := newService(t)
	company := s.newCompany("Acme", "acme.example")
	fund := s.newFund(company, object{"name": "F"})
	const each = 600 // enough for addresses whose hash begins with zeros
	var wanted []any
	for range each {
		wanted = append(wanted, object{"asset": "BTC"}, object{"asset": btc}, object{"asset": "ETH"})
	}
	ids := s.post("/company/"+company+"/fund/"+fund+"/wallet", object{"wallets": wanted}).ok().idList("wallets")
	got := s.get("/company/" + company + "/fund/" + fund).ok()
	assert.Equal(t, ids, got.column("wallets", "wallet_id"), "in the order asked for")
	for _, id := range ids {
		require.Regexp(t, account, id)
	}
	for _, key := range []string{"wallet_id", "address", "short_code"} {
		distinct := map[string]bool{}
		for _, value := range got.column("wallets", key) {
			distinct[value] = true
		}
		assert.Len(t, distinct, 3*each, key)
	}
	addresses := got.column("wallets", "address")
	for i := 0; i < len(addresses); i += 3 {
		checkBase58Address(t, addresses[i], 0x00)
		checkBase58Address(t, addresses[i+1], 0x6f)
		require.Regexp(t, etherHex, addresses[i+2])
	}
}

// checkBase58Address reads an address as a Bitcoin program does: 25 bytes, each leading zero byte written
// as a 1, with a version in front and a checksum at the end.
func checkBase58Address(t *testing.T, address string, version byte) {
	t.Helper()
	const digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	ones := len(address) - len(strings.TrimLeft(address, "1"))
	raw := append(make([]byte, ones), decode(t, address, digits)...)
	require.Len(t, raw, 25, address)
	require.Equal(t, version, raw[0], address)
	once := sha256.Sum256(raw[:21])
	twice := sha256.Sum256(once[:])
	require.True(t, bytes.Equal(twice[:4], raw[21:]), "checksum of %s", address)
}

func TestSeedRepeatsARunExactly(t *testing.T) {
	run := func(t *testing.T, opts ...sandbox.Option) []string {
		w := withFunds(t, opts...)
		tx := w.transfer(nil).ok().at("tx_id")
		require.NoError(t, w.Approve(alice, tx))
		withdrawal := w.withdrawal(nil).ok().at("tx_id")
		require.NoError(t, w.Approve(alice, withdrawal))
		require.NoError(t, w.Approve(carol, withdrawal))
		w.transfer(object{"send": object{"symbol": btc, "amount": -1}}).refused(400, "")
		w.transfer(nil).ok()
		require.NoError(t, w.Advance(2*time.Hour))
		state, err := w.State()
		require.NoError(t, err)
		return []string{
			string(mustJSON(t, state)), string(w.get(w.inFund("")).Body), string(w.get(w.inFund("/ledger")).Body),
			string(w.get(w.inCompany("/transfer/" + tx)).Body), string(w.get(w.inCompany("/withdraw/" + withdrawal)).Body),
			string(w.get("/wallet/" + w.treasury + "/history").Body),
		}
	}
	first := run(t, sandbox.WithSeed(7))
	assert.Equal(t, first, run(t, sandbox.WithSeed(7)))
	for i, body := range run(t, sandbox.WithSeed(8)) {
		assert.NotEqual(t, first[i], body)
	}
	t.Run("without one, runs differ", func(t *testing.T) {
		one, err := sandbox.New()
		require.NoError(t, err)
		two, err := sandbox.New()
		require.NoError(t, err)
		a, err := one.CreateUser(sandbox.User{Email: alice})
		require.NoError(t, err)
		b, err := two.CreateUser(sandbox.User{Email: alice})
		require.NoError(t, err)
		assert.NotEqual(t, a.ID, b.ID)
	})
}
