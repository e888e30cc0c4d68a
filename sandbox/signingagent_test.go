package sandbox_test

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/agentcrypto"
)

func newAgentKey(t testing.TB) *agentcrypto.Key {
	t.Helper()
	seed := make([]byte, agentcrypto.SeedSize)
	_, _ = rand.Read(seed) // never fails
	key, err := agentcrypto.NewKey(seed)
	require.NoError(t, err)
	return key
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	require.NoError(t, err)
	return raw
}

// initAgent sends a registration that is signed with RSA, with fields changed.
func (s service) initAgent(key *agentcrypto.Key, changed object) answer {
	s.t.Helper()
	body := string(mustJSON(s.t, merge(object{
		"name": "Agent", "blsPublicKey": hex.EncodeToString(key.PublicKey().Bytes()), "ecPublicKey": hex.EncodeToString(key.ECPublicKey()),
	}, changed)))
	url := "http://sandbox.example" + basePath + "/coreclient/init"
	req := newSigned(s.t, s.clock.Now(), "POST", url, body)
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, withHeader(httptest.NewRequest("POST", url, strings.NewReader(body)), req))
	return readAnswer(s.t, rec.Result())
}

// agent is a signing agent: it proves itself by a header and nothing else.
type agent struct {
	service
	id     string
	key    *agentcrypto.Key
	given  answer // what it was given when it registered
	mpinID []byte
	pin    int
	token  *agentcrypto.Token // what is left of its client secret without the PIN
}

func (s service) newAgent() agent {
	s.t.Helper()
	const pin = 4321
	key := newAgentKey(s.t)
	got := s.initAgent(key, nil).ok()
	a := agent{service: s, id: got.at("id"), key: key, given: got, mpinID: unhex(s.t, got.at("clientID")), pin: pin}
	secret, err := agentcrypto.ParseClientSecret(unhex(s.t, got.at("clientSecret")))
	require.NoError(s.t, err)
	a.token, err = secret.Token(a.mpinID, pin)
	require.NoError(s.t, err)
	return a
}

// of is the agent with another service: a later one, which has the same store.
func (a agent) of(s service) agent { a.service = s; return a }

func (a agent) proof(at time.Time) string {
	a.t.Helper()
	prover, err := agentcrypto.NewProver(a.mpinID, a.token, a.pin)
	require.NoError(a.t, err)
	return prover.Header(at)
}

// prove sends a request with a fresh proof, and without any other header.
func (a agent) prove(method, path, body string) answer {
	a.t.Helper()
	return a.sendProof(a.proof(a.clock.Now()), method, path, body)
}

// sendProof sends a request with a proof, if there is one.
func (s service) sendProof(proof, method, path, body string) answer {
	s.t.Helper()
	req := httptest.NewRequest(method, "http://sandbox.example"+basePath+path, strings.NewReader(body))
	if proof != "" {
		req.Header.Set("X-Api-Zkp", proof)
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	return readAnswer(s.t, rec.Result())
}

func (a agent) finish() answer {
	a.t.Helper()
	return a.finishWith(hex.EncodeToString(a.key.Sign(unhex(a.t, a.given.at("idDoc")))))
}

func (a agent) finishWith(signature string) answer {
	a.t.Helper()
	return a.prove("POST", "/coreclient/finish", `{"idDocSignatureHex":"`+signature+`"}`)
}

// message is what the agent has to sign to approve an action.
func (a agent) message(action string) []byte {
	a.t.Helper()
	got := a.prove("GET", "/coreclient/action/"+action, "").ok()
	require.Equal(a.t, 1, got.count("messages"))
	message := unhex(a.t, got.at("messages.0"))
	require.NotEmpty(a.t, message)
	return message
}

// sign sends signatures for an action.
func (a agent) sign(action string, signatures ...string) answer {
	a.t.Helper()
	return a.prove("PUT", "/coreclient/action/"+action, string(mustJSON(a.t, object{"signatures": signatures})))
}

// approve signs what an action asks for.
func (a agent) approve(action string) answer {
	a.t.Helper()
	return a.sign(action, hex.EncodeToString(a.key.Sign(a.message(action))))
}

func (a agent) reject(action string) answer {
	a.t.Helper()
	return a.prove("DELETE", "/coreclient/action/"+action, "")
}

// seen is the agent as any core client, by the calls that are not its own.
func (a agent) seen() approver { return approver{a.service, a.id} }

// staffed is a world whose transfers need a signing agent that has finished its registration.
func staffed(t testing.TB) (world, agent) {
	t.Helper()
	w := newWorld(t)
	a := w.newAgent()
	a.finish().ok()
	return w.staff(a), a
}

// staff is the world with a fund whose transfers need an agent.
func (w world) staff(a agent) world {
	w.t.Helper()
	w.post(w.inCompany("/trustedparty"), object{"address": a.id}).ok()
	w.fund = w.newFund(w.company, object{"name": "Agent's", "custodygroup_tx": group(1, a.id)})
	w.treasury = w.newWallet(w.company, w.fund, object{"asset": btc})
	w.credit(w.treasury, 1_000_000)
	return w
}

// publicKeys are those of the vectors that must be refused, by what is wrong with them.
func publicKeys(t testing.TB) map[string]string {
	t.Helper()
	data, err := os.ReadFile("../internal/agentcrypto/testdata/amcl-vectors.json")
	require.NoError(t, err)
	var vectors struct {
		Signatures []struct {
			Name   string `json:"name"`
			Public string `json:"bls_public_key"`
			Why    string `json:"why"`
		} `json:"signatures_refused"`
	}
	require.NoError(t, json.Unmarshal(data, &vectors))
	bad := map[string]string{}
	for _, v := range vectors.Signatures {
		if strings.HasPrefix(v.Why, "public key") {
			bad[v.Name] = v.Public
		}
	}
	require.Greater(t, len(bad), 5)
	return bad
}

func TestAgentRegistration(t *testing.T) {
	s := newService(t)
	key := newAgentKey(t)
	bls, ec := hex.EncodeToString(key.PublicKey().Bytes()), hex.EncodeToString(key.ECPublicKey())
	t.Run("must be signed, also where other requests need not be", func(t *testing.T) {
		s.get("/coreclient").ok()
		body := object{"name": "Agent", "blsPublicKey": bls, "ecPublicKey": ec}
		s.post("/coreclient/init", body).refused(401, "must be signed, also with --unsigned")
		s.as("").post("/coreclient/init", body).refused(401, "empty token")
	})
	for name, changed := range map[string]object{
		"no name":                     {"name": nil},
		"a name of white space":       {"name": " "},
		"no BLS key":                  {"blsPublicKey": nil},
		"a short BLS key":             {"blsPublicKey": bls[2:]},
		"a long BLS key":              {"blsPublicKey": bls + "00"},
		"half a byte of it":           {"blsPublicKey": bls[1:]},
		"a BLS key that is no hex":    {"blsPublicKey": "zz" + bls[2:]},
		"a BLS key of zeros":          {"blsPublicKey": strings.Repeat("0", len(bls))},
		"a BLS key of any bytes":      {"blsPublicKey": strings.Repeat("b5", len(bls)/2)},
		"its halves exchanged":        {"blsPublicKey": bls[96:192] + bls[:96] + bls[288:] + bls[192:288]},
		"no EC key":                   {"ecPublicKey": nil},
		"a short EC key":              {"ecPublicKey": ec[2:]},
		"a long EC key":               {"ecPublicKey": ec + "00"},
		"an EC key that is no hex":    {"ecPublicKey": "zz" + ec[2:]},
		"an EC key off the curve":     {"ecPublicKey": ec[:len(ec)-2] + flip(t, ec[len(ec)-2:])},
		"an EC key of zeros":          {"ecPublicKey": "04" + strings.Repeat("00", 64)},
		"a compressed EC key":         {"ecPublicKey": "02" + ec[2:66]},
		"an EC key with another tag":  {"ecPublicKey": fmt.Sprintf("%02x", 6+key.ECPublicKey()[64]&1) + ec[2:]},
		"an EC key beyond the modulo": {"ecPublicKey": "04" + strings.Repeat("ff", 64)},
		"the keys exchanged":          {"blsPublicKey": ec, "ecPublicKey": bls},
	} {
		t.Run(name, func(t *testing.T) { s.initAgent(key, changed).refused(400, "") })
	}
	for name, public := range publicKeys(t) {
		t.Run(name, func(t *testing.T) { s.initAgent(key, object{"blsPublicKey": public}).refused(400, "blsPublicKey") })
	}
	assert.Zero(t, s.get("/coreclient").ok().count("clients"), "nobody was registered")

	got := s.initAgent(key, object{"blsPublicKey": strings.ToUpper(bls), "ecPublicKey": strings.ToUpper(ec)}).ok()
	assert.Regexp(t, account, got.at("id"))
	assert.Equal(t, got.at("id"), got.at("accountCode"))
	assert.Equal(t, `{"id":"`+got.at("id")+`","curve":"BLS381","created":1772366400}`, string(unhex(t, got.at("clientID"))))
	assert.Regexp(t, `^04[0-9a-f]{192}$`, got.at("clientSecret"))
	assert.Equal(t, startOfTime.Unix(), got.number("timestamp"))
	const role = "11" + "717265646f2d636f72652d636c69656e74" // its length, and the text qredo-core-client
	assert.Regexp(t, `^08021220[0-9a-f]{64}4a`+role+`8a01`+"9902"+`0a`+role+`22c001`+bls+`3241`+ec+`$`, got.at("idDoc"))
	again := s.initAgent(key, nil).ok()
	for _, field := range []string{"id", "clientID", "clientSecret", "idDoc"} {
		assert.NotEqual(t, got.at(field), again.at(field), field)
	}
	list := s.get("/coreclient").ok()
	assert.Contains(t, list.column("clients", "id"), got.at("id"), "an agent is a core client")
	assert.Zero(t, s.as("strange").get("/coreclient").ok().count("clients"))
}

// What an agent is given once comes out of nothing else.
func TestClientSecretIsToldOnce(t *testing.T) {
	w, a := staffed(t)
	tx := w.transfer(nil).ok().at("tx_id")
	action := a.seen().last()
	a.approve(action).ok()
	a.finish().ok()
	told := w.everything()
	for _, path := range []string{"/coreclient", "/coreclient/" + a.id + "/actions", "/coreclient/" + a.id + "/action/" + action, "/company/" + w.company + "/transfer/" + tx} {
		told[path] = string(w.get(path).ok().Body)
	}
	told["messages"] = string(a.prove("GET", "/coreclient/action/"+action, "").ok().Body)
	told["finish"] = string(a.finish().ok().Body)
	for path, body := range told {
		assert.NotContains(t, strings.ToLower(body), a.given.at("clientSecret"), path)
		assert.NotContains(t, body, a.given.at("clientID"), path)
	}
}

func TestAgentFinishes(t *testing.T) {
	w, busy := staffed(t)
	w.transfer(nil).ok()
	a := w.newAgent()
	for _, body := range []string{"", "{}", `{"idDocSignatureHex":""}`, `{"idDocSignatureHex":"xyz"}`, `{"idDocSignatureHex":1}`} {
		a.prove("POST", "/coreclient/finish", body).refused(400, "")
	}
	idDoc := unhex(t, a.given.at("idDoc"))
	for name, signature := range junkSignatures(t, a.key, idDoc, busy.key) {
		t.Run(name, func(t *testing.T) { a.finishWith(signature).refused(400, "idDocSignatureHex") })
	}
	action := busy.seen().last()
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		a.prove(method, "/coreclient/action/"+action, `{"signatures":["ab"]}`).refused(403, "not finished")
	}
	right := hex.EncodeToString(a.key.Sign(idDoc))
	for _, body := range []string{ // again is as good
		`{"idDocSignatureHex":"` + right + `"}`,
		`{"client_id":"` + a.given.at("clientID") + `","idDocSignatureHex":"` + strings.ToUpper(right) + `"}`,
	} {
		got := a.prove("POST", "/coreclient/finish", body).ok()
		assert.Equal(t, "ws://sandbox.example"+basePath+"/coreclient/feed", got.at("feed"))
	}
	a.finishWith(flip(t, right)).refused(400, "idDocSignatureHex")
	a.prove("GET", "/coreclient/action/"+action, "").refused(404, "action")
	busy.approve(action).ok()
}

func TestAgentSignsAndRefuses(t *testing.T) {
	w, a := staffed(t)
	tx := w.transfer(nil).ok().at("tx_id")
	action := a.seen().last()
	message := a.message(action)
	signature := hex.EncodeToString(a.key.Sign(message))
	assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(a.prove("PUT", "/coreclient/action/"+action,
		`{"client_id":"`+a.id+`","action_id":"`+action+`","signatures":["`+strings.ToUpper(signature)+`"]}`).ok().Body))
	assert.Equal(t, "approved", w.status(tx))
	assert.Equal(t, "approved", w.status(action), "the action's ID names the transfer")
	assert.EqualValues(t, 998_999, w.balance(w.treasury))
	a.approve(action).ok()
	a.sign(action, flip(t, signature)).refused(400, "signatures[0]")
	a.reject(action).refused(409, "")
	assert.EqualValues(t, 998_999, w.balance(w.treasury), "it counts once")

	second := w.transfer(object{"send": object{"symbol": btc, "amount": 1001}}).ok().at("tx_id")
	action = a.seen().last()
	assert.NotEqual(t, message, a.message(action), "each action has its own message")
	a.reject(action).ok()
	assert.Equal(t, "custody_rejected", w.status(second))
	a.reject(action).ok()
	a.approve(action).refused(409, "")
	assert.Equal(t, "custody_rejected", w.status(second))

	w.transfer(object{"expires": w.in(time.Minute)}).ok()
	action = a.seen().last()
	w.clock.forward(time.Minute)
	a.approve(action).refused(409, "")
	a.reject(action).refused(409, "")
	a.prove("GET", "/coreclient/action/none", "").refused(404, "action")

	w.transfer(nil).ok()
	action = a.seen().last()
	a.seen().approve(action).ok() // by RSA too, as any core client
	assert.Equal(t, "approved", a.seen().statusOf(action))
	a.seen().approve(action).refused(400, "not pending")
	a.approve(action).ok()
}

func TestEachAgentOfAGroupSignsAMessageOfItsOwn(t *testing.T) {
	w := newWorld(t)
	one, two := w.newAgent(), w.newAgent()
	for _, a := range []agent{one, two} {
		a.finish().ok()
		w.post(w.inCompany("/trustedparty"), object{"address": a.id}).ok()
	}
	w.fund = w.newFund(w.company, object{"name": "Agents'", "custodygroup_tx": group(2, one.id, two.id)})
	w.treasury = w.newWallet(w.company, w.fund, object{"asset": btc})
	w.credit(w.treasury, 1_000_000)
	tx := w.transfer(nil).ok().at("tx_id")
	first, second := one.seen().last(), two.seen().last()
	assert.NotEqual(t, one.message(first), two.message(second))
	one.approve(first).ok()
	two.sign(second, hex.EncodeToString(one.key.Sign(two.message(second)))).refused(400, "signatures[0]")
	two.sign(second, hex.EncodeToString(two.key.Sign(one.message(first)))).refused(400, "signatures[0]")
	assert.Equal(t, "pending", w.status(tx))
	two.approve(second).ok()
	assert.Equal(t, "approved", w.status(tx))
}

// A proof says who and when, so that it can be used again, for anything, until it is too old.
func TestProofsAreNotUsedUp(t *testing.T) {
	w, a := staffed(t)
	w.transfer(nil).ok()
	action := a.seen().last()
	signature := hex.EncodeToString(a.key.Sign(a.message(action)))
	proof := a.proof(w.clock.Now())
	path := "/coreclient/action/" + action
	w.clock.forward(5 * time.Minute)
	for range 2 {
		w.sendProof(proof, "GET", path, "").ok()
	}
	w.sendProof(proof, "PUT", path, `{"signatures":["`+signature+`"]}`).ok()
	w.clock.forward(time.Second)
	w.sendProof(proof, "GET", path, "").refused(401, "proof")
	require.NoError(t, w.Advance(time.Hour))
	a.prove("GET", path, "").ok() // time that a test lets pass locks nobody out

	t.Run("RSA is not taken in its place", func(t *testing.T) {
		url := "http://sandbox.example" + basePath + path
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, withHeader(httptest.NewRequest("GET", url, nil), newSigned(t, w.clock.Now(), "GET", url, "")))
		got := readAnswer(t, rec.Result()).refused(401, "empty token")
		assert.Equal(t, "Unauthorized", got.at("msg"))
	})
	t.Run("nor a proof in place of RSA", func(t *testing.T) {
		got := a.prove("GET", "/coreclient", "").refused(401, "empty token")
		assert.Equal(t, "Unauthorized", got.at("msg"))
	})
	require.Equal(t, http.StatusOK, a.prove("GET", path, "").Status)
}
