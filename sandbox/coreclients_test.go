package sandbox_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func (s service) newCoreClient(name string) string {
	s.t.Helper()
	return s.post("/coreclient", object{"name": name}).ok().at("id")
}

// approver is a core client as the tests drive it.
type approver struct {
	service
	id string
}

func (a approver) path(tail string) string { return "/coreclient/" + a.id + tail }
func (a approver) approve(id string) answer {
	a.t.Helper()
	return a.call("PUT", a.path("/action/"+id), nil)
}
func (a approver) reject(id string) answer {
	a.t.Helper()
	return a.call("DELETE", a.path("/action/"+id), nil)
}
func (a approver) action(id string) answer { a.t.Helper(); return a.get(a.path("/action/" + id)) }
func (a approver) actionIDs() []string {
	a.t.Helper()
	return a.get(a.path("/actions")).ok().column("actions", "id")
}
func (a approver) statusOf(id string) string { a.t.Helper(); return a.action(id).ok().at("status") }

// last is the ID of the pending action that was asked last.
func (a approver) last() string {
	a.t.Helper()
	ids := a.actionIDs()
	require.NotEmpty(a.t, ids)
	return ids[len(ids)-1]
}

// automated is a world whose second fund asks two of alice and two core clients, for transfers and
// withdrawals.
type automated struct {
	world
	one, two approver
}

func newAutomated(t testing.TB, opts ...sandbox.Option) automated {
	t.Helper()
	a := automated{world: newWorld(t, opts...)}
	a.one, a.two = approver{a.service, a.newCoreClient("One")}, approver{a.service, a.newCoreClient("Two")}
	for _, id := range []string{a.one.id, a.two.id} {
		a.post(a.inCompany("/trustedparty"), object{"address": id}).ok()
	}
	members := group(2, a.ids[alice], a.one.id, a.two.id)
	a.fund = a.newFund(a.company, object{"name": "Automated", "custodygroup_tx": members, "custodygroup_withdraw": members})
	a.treasury = a.newWallet(a.company, a.fund, object{"name": "Treasury", "asset": btc})
	a.credit(a.treasury, 1_000_000)
	a.whitelist()
	return a
}

func TestCoreClientsAreKept(t *testing.T) {
	s := newService(t)
	assert.JSONEq(t, `{"count":0,"clients":[]}`, string(s.get("/coreclient").ok().Body))
	made := s.post("/coreclient", object{"name": "One", "extra": 1}).ok()
	assert.Regexp(t, account, made.at("id"))
	assert.Equal(t, "One", made.at("name"))
	assert.Equal(t, startOfTime.Unix(), made.number("timestamp"))
	assert.Equal(t, "ws://sandbox.example"+basePath+"/coreclient/"+made.at("id")+"/feed", made.at("feed"))
	s.clock.forward(time.Second)
	second := s.newCoreClient("One") // names may repeat
	list := s.get("/coreclient").ok()
	assert.Equal(t, []string{made.at("id"), second}, list.column("clients", "id"), "oldest first")
	assert.EqualValues(t, 2, list.number("count"))
	assert.Equal(t, made.at("feed"), list.at("clients.0.feed"))

	foreign := s.as("strange")
	assert.Zero(t, foreign.get("/coreclient").ok().count("clients"))
	for _, call := range [][2]string{
		{"GET", "/actions"}, {"GET", "/action/x"}, {"PUT", "/action/x"}, {"DELETE", "/action/x"}, {"GET", "/wallets"},
		{"GET", "/sweep/x"}, {"GET", "/feed"},
	} {
		foreign.call(call[0], "/coreclient/"+made.at("id")+call[1], nil).refused(hasUpgrade(call[1]), "")
		s.call(call[0], "/coreclient/none"+call[1], nil).refused(hasUpgrade(call[1]), "")
	}
	foreign.post("/coreclient/"+made.at("id")+"/sign", object{"message_hash_hex": "ab"}).refused(404, "core client")
	foreign.post("/coreclient/"+made.at("id")+"/sweep", object{}).refused(404, "core client")
}

// hasUpgrade is what a request without an upgrade is answered for what is not there.
func hasUpgrade(path string) int {
	if path == "/feed" {
		return http.StatusUpgradeRequired
	}
	return http.StatusNotFound
}

func TestCoreClientIsATrustedPartyByItsID(t *testing.T) {
	w := newWorld(t)
	id := w.newCoreClient("Robot")
	foreign := w.as("strange").newCoreClient("Foreign robot")
	for _, address := range []string{id, foreign, id} {
		w.post(w.inCompany("/trustedparty"), object{"address": address}).ok()
	}
	list := w.get(w.inCompany("/trustedparty")).ok()
	assert.EqualValues(t, 5, list.number("total_count"), "at once, without acceptance, and once")
	for key, want := range map[string]string{"trusted_entity_id": id, "address": id, "name": "Robot", "type": "core-client"} {
		assert.Equal(t, want, list.at("list.3."+key), key)
	}
	fund := w.newFund(w.company, object{"name": "F", "custodygroup_tx": group(2, id, foreign)})
	policy := w.get("/company/" + w.company + "/fund/" + fund).ok()
	for key, want := range map[string]string{"id": id, "name": "Robot", "type": "core-client", "coreClient.name": "Robot"} {
		assert.Equal(t, want, policy.at("policy_tx.members.0.entity."+key), key)
	}
	w.newFund(w.company, object{"name": "F", "custodygroup_tx": group(1, id)})
	other := w.newCompany("Other", "other.example")
	w.post("/company/"+other+"/fund", object{"name": "F", "custodygroup_tx": group(1, id)}).refused(400, "trusted network")
}

func TestCoreClientsDecideAsUsersDo(t *testing.T) {
	// Two of alice, one and two: what is done in turn, and how the transfer stands at the end.
	for name, test := range map[string]struct {
		votes  []string
		status string
	}{
		"one core client":                 {[]string{"+one"}, "pending"},
		"both core clients":               {[]string{"+one", "+two"}, "approved"},
		"a core client and a user":        {[]string{"+two", "+alice"}, "approved"},
		"a user and a core client":        {[]string{"+alice", "+one"}, "approved"},
		"one rejects, the rest approve":   {[]string{"-one", "+alice", "+two"}, "approved"},
		"both core clients reject":        {[]string{"-one", "-two"}, "custody_rejected"},
		"a user and a core client reject": {[]string{"-alice", "+one", "-two"}, "custody_rejected"},
	} {
		for _, kind := range []string{"transfer", "withdraw"} {
			t.Run(name+", "+kind, func(t *testing.T) {
				a := newAutomated(t)
				send := a.transfer
				if kind == "withdraw" {
					send = a.withdrawal
				}
				tx := send(nil).ok().at("tx_id")
				for _, vote := range test.votes {
					who := map[string]approver{"one": a.one, "two": a.two}[vote[1:]]
					switch {
					case vote == "+alice":
						require.NoError(t, a.Approve(alice, tx))
					case vote == "-alice":
						require.NoError(t, a.Reject(alice, tx))
					case vote[0] == '+':
						assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(who.approve(who.last()).ok().Body))
					default:
						assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(who.reject(who.last()).ok().Body))
					}
				}
				got := a.get(a.inCompany("/" + kind + "/" + tx)).ok()
				assert.Equal(t, test.status, got.at("txStatus"))
				assert.Equal(t, []string{a.ids[alice], a.one.id, a.two.id}, got.column("status", "userID"))
				assert.Empty(t, got.at("status.1.username"), "a core client has no names")
				held := map[string]int64{"pending": 1001}[test.status]
				assert.Equal(t, held, a.held(a.treasury))
				left := int64(1_000_000)
				if test.status == "approved" {
					left -= 1001
				}
				assert.Equal(t, left, a.balance(a.treasury))
			})
		}
	}
}

func TestWhatIsNotPendingCannotBeDecided(t *testing.T) {
	for name, repeated := range map[string]bool{"": false, "with repeated votes": true} {
		t.Run(name, func(t *testing.T) {
			var opts []sandbox.Option
			if repeated {
				opts = append(opts, sandbox.WithRepeatedVotes())
			}
			a := newAutomated(t, opts...)
			again := func(got answer, reason string) {
				t.Helper()
				if repeated {
					got.ok()
				} else {
					got.refused(400, reason)
				}
			}
			before := a.balance(a.treasury)
			a.transfer(nil).ok()
			one, two := a.one.last(), a.two.last()
			a.one.approve(one).ok()
			again(a.one.approve(one), "decided already")
			a.one.reject(one).refused(400, "decided already")
			assert.Equal(t, before, a.balance(a.treasury), "one vote counts once")
			a.two.approve(two).ok()
			after := a.balance(a.treasury)
			assert.Less(t, after, before)
			again(a.one.approve(one), "not pending")
			again(a.two.approve(two), "not pending")
			a.two.reject(two).refused(400, "not pending")
			assert.Equal(t, after, a.balance(a.treasury), "it has moved once")

			tx := a.transfer(nil).ok().at("tx_id")
			one = a.one.last()
			a.one.reject(one).ok()
			again(a.one.reject(one), "decided already")
			a.one.approve(one).refused(400, "decided already")
			assert.Equal(t, "pending", a.status(tx), "one rejection counts once")

			a.transfer(object{"expires": a.in(time.Minute)}).ok()
			one = a.one.last()
			a.clock.forward(time.Minute)
			a.one.approve(one).refused(400, "not pending")
			a.one.reject(one).refused(400, "not pending")
		})
	}
}

func TestStrictCoreClientsHaveNames(t *testing.T) {
	strict := newService(t, sandbox.WithStrictChecks())
	for _, name := range []any{"", "  ", nil} {
		strict.post("/coreclient", object{"name": name}).refused(400, "name")
		newService(t).post("/coreclient", object{"name": name}).ok()
	}
}

func TestSignAndVerify(t *testing.T) {
	s := newService(t)
	one, other := s.newCoreClient("One"), s.newCoreClient("Other")
	hash := strings.Repeat("5a", 32)
	sign := func(id string, hash any) answer {
		return s.post("/coreclient/"+id+"/sign", object{"message_hash_hex": hash})
	}
	signed := sign(one, hash).ok()
	assert.Equal(t, one, signed.at("signer_id"))
	signature := signed.at("signature_hex")
	assert.Len(t, signature, 2*49)
	assert.Equal(t, signature, sign(one, strings.ToUpper(hash)).ok().at("signature_hex"), "the bytes are signed")
	assert.NotEqual(t, signature, sign(other, hash).ok().at("signature_hex"))
	flipped := flip(t, signature)
	for name, test := range map[string]struct {
		changed object
		status  int
		reason  string
	}{
		"right":                {nil, 200, ""},
		"in capitals":          {object{"signature_hex": strings.ToUpper(signature), "message_hash_hex": strings.ToUpper(hash)}, 200, ""},
		"another hash":         {object{"message_hash_hex": strings.Repeat("5b", 32)}, 403, "signature"},
		"a longer hash":        {object{"message_hash_hex": hash + "00"}, 403, "signature"},
		"64 bytes":             {object{"message_hash_hex": hash + hash}, 403, "signature"},
		"65 bytes":             {object{"message_hash_hex": hash + hash + "00"}, 400, "at most 64 bytes"},
		"another signer":       {object{"signer_id": other}, 403, "signature"},
		"a bit of it changed":  {object{"signature_hex": flipped}, 403, "signature"},
		"half of it":           {object{"signature_hex": signature[:64]}, 403, "signature"},
		"more than it":         {object{"signature_hex": signature + "00"}, 403, "signature"},
		"one byte":             {object{"signature_hex": "00"}, 403, "signature"},
		"unknown signer":       {object{"signer_id": "none"}, 404, "core client"},
		"no signer":            {object{"signer_id": nil}, 404, "core client"},
		"garbage as signature": {object{"signature_hex": "xyz"}, 400, "signature_hex"},
		"no signature":         {object{"signature_hex": nil}, 400, "signature_hex"},
		"garbage as hash":      {object{"message_hash_hex": "0x12"}, 400, "message_hash_hex"},
		"an odd digit":         {object{"message_hash_hex": hash + "0"}, 400, "message_hash_hex"},
		"no hash":              {object{"message_hash_hex": nil}, 400, "message_hash_hex"},
	} {
		t.Run(name, func(t *testing.T) {
			body := merge(object{"message_hash_hex": hash, "signature_hex": signature, "signer_id": one}, test.changed)
			for _, key := range []string{"own", "strange"} { // whoever asks
				if got := s.as(key).post("/coreclient/verify", body); test.status == http.StatusOK {
					assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(got.ok().Body))
				} else {
					got.refused(test.status, test.reason)
				}
			}
		})
	}
	for _, bad := range []any{"", nil, "zz", "abc"} {
		sign(one, bad).refused(400, "message_hash_hex")
	}
	sign(one, strings.Repeat("5a", 64)).ok()
	got := sign(one, strings.Repeat("5a", 65)).refused(400, "at most 64 bytes")
	assert.Equal(t, "invalid_message_hex_size", got.at("msg"))
	sign("none", hash).refused(404, "core client")
}

// flip changes one bit of what is written in hexadecimal.
func flip(t testing.TB, text string) string {
	t.Helper()
	raw, err := hex.DecodeString(text)
	require.NoError(t, err)
	raw[len(raw)/2] ^= 1
	return hex.EncodeToString(raw)
}
