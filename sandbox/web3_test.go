package sandbox_test

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// web3World is a world whose Ether wallet needs two approvals.
func web3World(t testing.TB, opts ...sandbox.Option) world {
	t.Helper()
	w := newWorld(t, append([]sandbox.Option{withReportsKey()}, opts...)...)
	w.ether = w.newWallet(w.company, w.fund, object{
		"name": "Web3", "asset": eth, "custodygroup_tx": group(2, w.ids[alice], w.ids[bob], w.ids[carol]),
	})
	return w
}

func (w world) address(wallet string) string { return w.get("/wallet/" + wallet).ok().at("address") }

func (w world) report(path string) answer { w.t.Helper(); return w.sign(w.request("GET", path)) }

// propose asks for a transaction.
func (w world) propose(body any) answer {
	w.t.Helper()
	data, err := json.Marshal(body)
	require.NoError(w.t, err)
	r := w.request("POST", "/transaction")
	r.body = string(data)
	return w.sign(r)
}

const beyond64 = "123456789012345678901234567890"

func (w world) payment(more object) object {
	body := object{
		"from": w.address(w.ether), "to": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "value": beyond64, "gasLimit": "21000",
	}
	for key, value := range more {
		body[key] = value
	}
	return body
}

func TestWeb3Transactions(t *testing.T) {
	for name, c := range map[string]struct {
		fields  object
		kind    byte
		chainID int64
		price   string // what the answer has
	}{
		"legacy":              {object{"gasPrice": "30000000000"}, 0, 1, "30000000000"},
		"legacy, numbers":     {object{"gasPrice": int64(30000000000), "gasLimit": 21000, "chainID": 5}, 0, 5, "30000000000"},
		"legacy, no price":    {object{}, 0, 1, "20000000000"},
		"type 2":              {object{"maxFeePerGas": "40000000000", "maxPriorityFeePerGas": "2000000000", "chainID": "11155111"}, 2, 11155111, ""},
		"type 2, with a call": {object{"maxFeePerGas": "1", "maxPriorityFeePerGas": "0", "data": "0xa9059cbb00"}, 2, 1, ""},
		"a fee alone":         {object{"maxFeePerGas": "40000000000"}, 2, 1, ""},
		"a tip alone":         {object{"maxPriorityFeePerGas": "2000000000"}, 2, 1, ""},
		"no gas, no value":    {object{"gasLimit": "0", "value": "0"}, 0, 1, "20000000000"},
	} {
		t.Run(name, func(t *testing.T) {
			w := web3World(t)
			created := w.propose(w.payment(c.fields)).ok()
			id := created.at("txID")
			assert.Equal(t, "created", created.at("status"))
			assert.Equal(t, "0x", created.at("signedTx"))
			for _, field := range []string{"nonce", "rawTX", "txHash", "network"} {
				assert.Empty(t, created.at(field), field)
			}
			assert.Equal(t, orElse(text(c.fields["value"]), beyond64), created.at("value"))
			assert.Len(t, created.at("createdBy"), 14)
			assert.Equal(t, c.price, created.at("gasPrice"))
			assert.Equal(t, created.Body, w.report("/transactions/"+id+"/status").ok().Body, "the answer is the transaction as it then is")

			require.NoError(t, w.Approve(alice, id))
			half := w.report("/transactions/" + id + "/status").ok()
			assert.Equal(t, "created", half.at("status"))
			assert.Equal(t, "0x", half.at("signedTx"))
			assert.Equal(t, half.Body, created.Body, "one approval of two changes nothing")
			approvals := w.report("/transactions/" + id + "/approvals").ok()
			assert.Equal(t, []string{"3", "1", "1"}, approvals.column("list", "status"))
			assert.EqualValues(t, 1, approvals.number("total"), "who has answered")
			for i, code := range approvals.column("list", "accountCode") {
				assert.Regexp(t, account, code)
				assert.NotEqual(t, approvals.column("list", "userID")[i], code, "people have an account code of their own")
			}

			w.clock.forward(time.Minute)
			require.NoError(t, w.Approve(carol, id))
			done := w.report("/transactions/" + id + "/status").ok()
			assert.Equal(t, "approved", done.at("status"))
			assert.Equal(t, []string{"created", "authorized", "approved"}, done.column("events", "status"))
			assert.Equal(t, "custodian approved", done.at("events.1.message"))
			for i, event := range done.column("events", "id") {
				assert.Len(t, event, 27, "an ID of its own, as others are")
				assert.NotContains(t, append(done.column("events", "id")[:i], id), event)
			}
			for _, status := range []string{"authorized", "approved"} {
				assert.EqualValues(t, 60, done.number("timestamps."+status)-done.number("timestamps.created"))
			}
			assert.Equal(t, "0", done.at("nonce"))

			tx, sender := decodeSigned(t, done.at("signedTx"))
			assert.Equal(t, w.address(w.ether), sender)
			assert.Equal(t, done.at("from"), sender)
			assert.Equal(t, c.kind, tx.kind)
			assert.Equal(t, big.NewInt(c.chainID), tx.chainID)
			assert.Equal(t, done.at("nonce"), tx.nonce.String())
			assert.Equal(t, created.at("value"), tx.value.String())
			assert.Equal(t, created.at("gasLimit"), tx.gas.String())
			assert.Equal(t, strings.ToLower(created.at("to")), tx.to)
			assert.Equal(t, done.at("data"), tx.data)
			assert.Equal(t, done.at("txHash"), tx.hash)
			if c.kind == 0 {
				assert.Equal(t, c.price, tx.gasPrice.String())
			} else {
				// What is left out: no more than the fee for the tip, as in a legacy transaction; the usual price above the tip.
				fee, tip := text(c.fields["maxFeePerGas"]), text(c.fields["maxPriorityFeePerGas"])
				assert.Equal(t, orElse(fee, "22000000000"), tx.feeCap.String())
				assert.Equal(t, orElse(tip, fee), tx.feeTip.String())
			}
		})
	}
}

func text(v any) string { s, _ := v.(string); return s }

// The two transactions that the service has published: what is asked for comes back, byte for byte.
func TestWeb3RawAsPublished(t *testing.T) {
	for want, fields := range map[string]object{
		"0xdd800115943d6a96164c95b143d1e0eb9fab95710b9c99faff0180808080": {"to": "0x3d6a96164c95b143d1e0eb9fab95710b9c99faff", "gasPrice": 1},
		"pALiBYABggfQFZQAAAAAAAAAAAAAAAAAAAAAAAAAAAGAwICAgA":             {"to": "0x" + strings.Repeat("0", 40), "maxFeePerGas": 2000, "maxPriorityFeePerGas": 1},
	} {
		w := web3World(t)
		id := w.propose(merge(w.payment(fields), object{"value": 1, "gasLimit": 21, "chainID": 5})).ok().at("txID")
		require.NoError(t, w.Approve(alice, id))
		require.NoError(t, w.Approve(bob, id))
		raw := w.report("/transactions/" + id + "/status").ok()
		assert.Equal(t, want, raw.at("rawTX"))
		tx, err := w.reports().Transactions.Get(t.Context(), qredo.TxID(id))
		require.NoError(t, err)
		assert.Equal(t, want, tx.RawTx)
		assert.Equal(t, []string{"0", "1", "21", "5"}, []string{tx.Nonce.String(), tx.Value.String(), tx.GasLimit.String(), tx.ChainID.String()})
		signed, err := tx.SignedBytes()
		require.NoError(t, err)
		assert.Equal(t, raw.at("signedTx"), "0x"+hex.EncodeToString(signed))
		decoded, sender := decodeSigned(t, raw.at("signedTx"))
		assert.Equal(t, big.NewInt(5), decoded.chainID, "signed for its chain, which the raw form of a legacy one does not name")
		assert.Equal(t, w.address(w.ether), sender)
	}
}

// A wallet counts its nonces chain by chain, in the order in which transactions are approved; what is not
// approved takes none.
func TestWeb3Nonces(t *testing.T) {
	w := web3World(t)
	propose := func(chainID string) string { return w.propose(w.payment(object{"chainID": chainID})).ok().at("txID") }
	approve := func(id string) string {
		require.NoError(t, w.Approve(alice, id))
		require.NoError(t, w.Approve(bob, id))
		return w.report("/transactions/" + id + "/status").ok().at("nonce")
	}
	first, rejected, second, goerli := propose("1"), propose("1"), propose("1"), propose("5")
	require.NoError(t, w.Reject(alice, rejected))
	require.NoError(t, w.Reject(bob, rejected))
	assert.Equal(t, "0", approve(second))
	assert.Equal(t, "1", approve(first))
	assert.Equal(t, "0", approve(goerli))
	end := w.report("/transactions/" + rejected + "/status").ok()
	assert.Equal(t, "rejected", end.at("status"))
	assert.Equal(t, "0x", end.at("signedTx"))
	assert.Equal(t, []string{"4", "4", "1"}, w.report("/transactions/"+rejected+"/approvals").ok().column("list", "status"))
}

func TestWeb3Expires(t *testing.T) {
	w := web3World(t)
	id := w.propose(w.payment(nil)).ok().at("txID")
	require.NoError(t, w.Approve(alice, id))
	require.NoError(t, w.Advance(24*time.Hour))
	assert.Equal(t, "expired", w.report("/transactions/"+id+"/status").ok().at("status"))
	assert.Equal(t, []string{"3", "2", "2"}, w.report("/transactions/"+id+"/approvals").ok().column("list", "status"))
	require.Error(t, w.Approve(bob, id))
}

// It moves no money, and who approves sees what it is.
func TestWeb3MovesNothing(t *testing.T) {
	w := web3World(t)
	_, err := w.Deposit(w.address(w.ether), 1000)
	require.NoError(t, err)
	before, err := w.State()
	require.NoError(t, err)
	id := w.propose(w.payment(object{"note": "rent"})).ok().at("txID")
	pending, err := w.Pending(alice)
	require.NoError(t, err)
	require.Len(t, pending, 1)
	assert.Equal(t, "external sign", pending[0].Type)
	assert.Equal(t, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", pending[0].Recipient)
	assert.Equal(t, "rent", pending[0].Reference)
	require.NoError(t, w.Approve(alice, id))
	require.NoError(t, w.Approve(bob, id))
	after, err := w.State()
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.Equal(t, 1, w.report("/funds/"+w.fund+"/ledger").ok().count("list"), "the deposit")
	w.get("/company/"+w.company+"/transfer/"+id).refused(http.StatusNotFound, "transaction")
	w.credit(w.treasury, 10_000)
	transfer := w.transfer(nil).ok().at("tx_id")
	w.report("/transactions/"+transfer+"/status").refused(http.StatusNotFound, "transaction")
	w.report("/transactions/"+transfer+"/approvals").refused(http.StatusNotFound, "transaction")
}

// People are told what they sign, and no amount, which would read 0.
func TestWeb3IsShownToWhoApproves(t *testing.T) {
	w := web3World(t)
	w.propose(w.payment(object{"note": "rent", "data": "0xa9059cbb"})).ok()
	list, err := w.Pending(alice)
	require.NoError(t, err)
	require.Len(t, list, 1)
	p := list[0]
	assert.Equal(t, []string{"external sign", beyond64, "1", "0xa9059cbb", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}, []string{p.Type, p.Value, p.ChainID, p.Data, p.Recipient})
	written, err := json.Marshal(p)
	require.NoError(t, err)
	for _, name := range []string{"amount", "net_amount", "fees"} {
		assert.NotContains(t, string(written), `"`+name+`"`)
	}
}

func TestWeb3Refuses(t *testing.T) {
	w := web3World(t)
	stranger := w.as("strange")
	company := stranger.newCompany("Strange", "strange.example")
	ids := stranger.trust(company, alice)
	fund := stranger.newFund(company, object{"name": "f", "custodygroup_tx": group(1, ids[alice])})
	theirs := stranger.get("/wallet/" + stranger.newWallet(company, fund, object{"asset": eth})).ok().at("address")
	for name, c := range map[string]struct {
		fields object
		reason string
	}{
		"no from":             {object{"from": ""}, "from is no address"},
		"an unknown from":     {object{"from": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}, "no Web3 wallet of this account"},
		"another account's":   {object{"from": theirs}, "no Web3 wallet of this account"},
		"a short address":     {object{"to": "0x94"}, "to is no address"},
		"no value":            {object{"value": nil}, "value"},
		"a negative value":    {object{"value": "-1"}, "value"},
		"a fraction":          {object{"value": 1.5}, "value"},
		"a value beyond":      {object{"value": new(big.Int).Lsh(big.NewInt(1), 256).String()}, "value"},
		"no gas limit":        {object{"gasLimit": nil}, "gasLimit"},
		"gas beyond 64 bits":  {object{"gasLimit": beyond64}, "gasLimit"},
		"price and fees":      {object{"gasPrice": "1", "maxFeePerGas": "1", "maxPriorityFeePerGas": "1"}, "gasPrice excludes"},
		"price and tip":       {object{"gasPrice": "1", "maxPriorityFeePerGas": "0"}, "gasPrice excludes"},
		"a tip above the fee": {object{"maxFeePerGas": "1", "maxPriorityFeePerGas": "2"}, "more than maxFeePerGas"},
		"chain 0":             {object{"chainID": "0"}, "chainID"},
		"data":                {object{"data": "0x123"}, "data"},
	} {
		t.Run(name, func(t *testing.T) {
			w := w
			w.t = t
			w.propose(w.payment(c.fields)).refused(http.StatusBadRequest, c.reason)
		})
	}
	for _, path := range []string{"/transactions/x/status", "/transactions/x/approvals", "/funds/" + fund, "/funds/" + fund + "/ledger", "/wallet/x/history"} {
		w.report(path).refused(http.StatusNotFound, "no such")
	}
}

// No source says that the service looked at checksums. Who wants to be sure asks for it.
func TestWeb3ChecksumsAreOptional(t *testing.T) {
	mistaken := object{"to": "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"}
	w := web3World(t)
	w.propose(w.payment(mistaken)).ok()
	strict := web3World(t, sandbox.WithStrictChecks())
	strict.propose(strict.payment(mistaken)).refused(http.StatusBadRequest, "to has a wrong checksum")
	strict.propose(strict.payment(nil)).ok()
}

// Letters of an address have no meaning but the checksum.
func TestWeb3FromWithChecksum(t *testing.T) {
	w := web3World(t)
	capitals := "0x" + strings.ToUpper(w.address(w.ether)[2:])
	id := w.propose(w.payment(object{"from": capitals})).ok().at("txID")
	require.NoError(t, w.Approve(alice, id))
	require.NoError(t, w.Approve(bob, id))
	_, sender := decodeSigned(t, w.report("/transactions/"+id+"/status").ok().at("signedTx"))
	assert.Equal(t, w.address(w.ether), sender)
}

// A sandbox that goes on from its store has the keys, the nonces and what was signed.
func TestWeb3IsStored(t *testing.T) {
	dir := t.TempDir()
	w := web3World(t, sandbox.WithStore(dir))
	body := w.payment(nil)
	id, open := w.propose(body).ok().at("txID"), w.propose(body).ok().at("txID")
	require.NoError(t, w.Approve(alice, id))
	require.NoError(t, w.Approve(bob, id))
	require.NoError(t, w.Approve(alice, open))
	signed := w.report("/transactions/" + id + "/status").ok()
	require.NoError(t, w.Close())

	again := world{service: newService(t, withReportsKey(), sandbox.WithStore(dir))}
	defer func() { require.NoError(t, again.Close()) }()
	assert.Equal(t, signed.Body, again.report("/transactions/"+id+"/status").ok().Body)
	require.NoError(t, again.Approve(carol, open))
	done := again.report("/transactions/" + open + "/status").ok()
	assert.Equal(t, "1", done.at("nonce"))
	_, sender := decodeSigned(t, done.at("signedTx"))
	assert.Equal(t, body["from"], sender)
}
