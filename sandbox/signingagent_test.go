package sandbox_test

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

var (
	blsKey = strings.Repeat("b5", 192)
	ecKey  = strings.Repeat("ec", 65)
)

// initAgent sends a registration that is signed with RSA, with fields changed.
func (s service) initAgent(changed object) answer {
	s.t.Helper()
	body := string(mustJSON(s.t, merge(object{"name": "Agent", "blsPublicKey": blsKey, "ecPublicKey": ecKey}, changed)))
	url := "http://sandbox.example" + basePath + "/coreclient/init"
	req := newSigned(s.t, s.clock.Now(), "POST", url, body)
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, withHeader(httptest.NewRequest("POST", url, strings.NewReader(body)), req))
	return readAnswer(s.t, rec.Result())
}

// agent is a signing agent: it proves itself by a header and nothing else.
type agent struct {
	service
	id, clientID, secret string
}

func (s service) newAgent() agent {
	s.t.Helper()
	got := s.initAgent(nil).ok()
	return agent{s, got.at("id"), got.at("clientID"), got.at("clientSecret")}
}

// proof is what the rules say it is, made by hand.
func (a agent) proof(at time.Time, method, url, body string) (proof string) {
	fips140.WithoutEnforcement(func() { // which takes no short secret
		stamp := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, []byte(a.secret))
		mac.Write([]byte(stamp + method + url + body))
		proof = a.clientID + "." + stamp + "." + hex.EncodeToString(mac.Sum(nil))
	})
	return proof
}

// prove sends a request with a proof, which a test may change.
func (a agent) prove(method, path, body string, change func(string) string) answer {
	a.t.Helper()
	url := "http://sandbox.example" + basePath + path
	req := httptest.NewRequest(method, url, strings.NewReader(body))
	proof := a.proof(a.clock.Now(), method, url, body)
	if change != nil {
		proof = change(proof)
	}
	if proof != "" {
		req.Header.Set("X-Api-Zkp", proof)
	}
	rec := httptest.NewRecorder()
	a.ServeHTTP(rec, req)
	return readAnswer(a.t, rec.Result())
}

func (a agent) finish() answer {
	a.t.Helper()
	return a.prove("POST", "/coreclient/finish", `{"idDocSignatureHex":"abcd"}`, nil)
}

// staffed is a world whose transfers need a signing agent that has finished its registration.
func staffed(t testing.TB) (world, agent) {
	t.Helper()
	w := newWorld(t)
	a := w.newAgent()
	a.finish().ok()
	w.post(w.inCompany("/trustedparty"), object{"address": a.id}).ok()
	w.fund = w.newFund(w.company, object{"name": "Agent's", "custodygroup_tx": group(1, a.id)})
	w.treasury = w.newWallet(w.company, w.fund, object{"asset": btc})
	w.credit(w.treasury, 1_000_000)
	return w, a
}

func TestAgentRegistration(t *testing.T) {
	s := newService(t)
	t.Run("must be signed, also where other requests need not be", func(t *testing.T) {
		s.get("/coreclient").ok()
		body := object{"name": "Agent", "blsPublicKey": blsKey, "ecPublicKey": ecKey}
		s.post("/coreclient/init", body).refused(401, "must be signed, also with --unsigned")
		s.as("").post("/coreclient/init", body).refused(401, "empty token")
	})
	for name, changed := range map[string]object{
		"no name":                  {"name": nil},
		"a name of white space":    {"name": " "},
		"no BLS key":               {"blsPublicKey": nil},
		"a short BLS key":          {"blsPublicKey": blsKey[2:]},
		"a long BLS key":           {"blsPublicKey": blsKey + "00"},
		"half a byte of it":        {"blsPublicKey": blsKey[1:]},
		"a BLS key that is no hex": {"blsPublicKey": "zz" + blsKey[2:]},
		"no EC key":                {"ecPublicKey": nil},
		"a short EC key":           {"ecPublicKey": ecKey[2:]},
		"a long EC key":            {"ecPublicKey": ecKey + "00"},
		"the keys exchanged":       {"blsPublicKey": ecKey, "ecPublicKey": blsKey},
	} {
		t.Run(name, func(t *testing.T) { s.initAgent(changed).refused(400, "") })
	}
	got := s.initAgent(object{"blsPublicKey": strings.ToUpper(blsKey)}).ok()
	assert.Regexp(t, account, got.at("id"))
	assert.Regexp(t, account, got.at("accountCode"))
	assert.Regexp(t, `^[0-9a-f]{32}$`, got.at("clientID"))
	assert.Regexp(t, `^[0-9a-f]{64}$`, got.at("clientSecret"))
	assert.Regexp(t, `^[0-9a-f]{64}$`, got.at("idDoc"))
	assert.Equal(t, startOfTime.Unix(), got.number("timestamp"))
	again := s.initAgent(nil).ok()
	for _, key := range []string{"id", "clientID", "clientSecret", "idDoc"} {
		assert.NotEqual(t, got.at(key), again.at(key), key)
	}
	list := s.get("/coreclient").ok()
	assert.Contains(t, list.column("clients", "id"), got.at("id"), "an agent is a core client")
	assert.Zero(t, s.as("strange").get("/coreclient").ok().count("clients"))
	for _, answer := range []answer{list, s.get("/coreclient/" + got.at("id") + "/actions").ok()} {
		assert.NotContains(t, string(answer.Body), got.at("clientSecret"), "the secret is shown once")
	}
}

func TestAgentFinishes(t *testing.T) {
	w, busy := staffed(t)
	w.transfer(nil).ok()
	a := w.newAgent()
	for _, body := range []string{"", "{}", `{"idDocSignatureHex":""}`, `{"idDocSignatureHex":"xyz"}`} {
		a.prove("POST", "/coreclient/finish", body, nil).refused(400, "")
	}
	action := approver{w.service, busy.id}.last()
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		a.prove(method, "/coreclient/action/"+action, `{"signatures":["ab"]}`, nil).refused(403, "not finished")
	}
	for range 2 { // again is as good
		got := a.finish().ok()
		assert.Equal(t, "ws://sandbox.example"+basePath+"/coreclient/feed", got.at("feed"))
	}
	a.prove("GET", "/coreclient/action/"+action, "", nil).refused(404, "action")
}

func TestAgentSignsAndRefuses(t *testing.T) {
	w, a := staffed(t)
	seen := approver{w.service, a.id}
	tx := w.transfer(nil).ok().at("tx_id")
	path := "/coreclient/action/" + seen.last()
	got := a.prove("GET", path, "", nil).ok()
	require.Equal(t, 1, got.count("messages"))
	message := got.at("messages.0")
	assert.Regexp(t, `^[0-9a-f]{64}$`, message)
	for _, body := range []string{
		"", "{}", `{"signatures":[]}`, `{"signatures":["ab","cd"]}`, `{"signatures":[""]}`, `{"signatures":["xyz"]}`, `{"signatures":[1.5]}`,
	} {
		a.prove("PUT", path, body, nil).refused(400, "")
	}
	assert.Equal(t, "pending", w.status(tx))
	assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(a.prove("PUT", path, `{"signatures":["abcd"]}`, nil).ok().Body))
	assert.Equal(t, "approved", w.status(tx))
	assert.EqualValues(t, 998_999, w.balance(w.treasury))
	a.prove("PUT", path, `{"signatures":["abcd"]}`, nil).refused(400, "not pending")
	a.prove("DELETE", path, "", nil).refused(400, "not pending")
	a.prove("GET", path, "", nil).ok()

	second := w.transfer(object{"send": object{"symbol": btc, "amount": 1001}}).ok().at("tx_id")
	path = "/coreclient/action/" + seen.last()
	assert.NotEqual(t, message, a.prove("GET", path, "", nil).ok().at("messages.0"), "each action has its own message")
	a.prove("DELETE", path, "", nil).ok()
	assert.Equal(t, "custody_rejected", w.status(second))
	a.prove("PUT", path, `{"signatures":["ab"]}`, nil).refused(400, "not pending")

	w.transfer(object{"expires": w.in(time.Minute)}).ok()
	path = "/coreclient/action/" + seen.last()
	w.clock.forward(time.Minute)
	a.prove("PUT", path, `{"signatures":["ab"]}`, nil).refused(400, "not pending")
	a.prove("GET", "/coreclient/action/none", "", nil).refused(404, "action")

	w.transfer(nil).ok()
	action := seen.last()
	seen.approve(action).ok() // by RSA too, as any core client
	assert.Equal(t, "approved", seen.statusOf(action))
}

// Which proofs are right is tested beside what tells.
func TestProofs(t *testing.T) {
	w, a := staffed(t)
	w.transfer(nil).ok()
	path := "/coreclient/action/" + approver{w.service, a.id}.last()
	url := "http://sandbox.example" + basePath + path
	now := startOfTime
	other := w.newAgent()
	other.finish().ok()
	for name, test := range map[string]struct {
		proof  string
		status int
		reason string
	}{
		"right":                          {a.proof(now, "GET", url, ""), 200, ""},
		"missing":                        {"", 401, "empty token"},
		"too old":                        {a.proof(now.Add(-time.Hour), "GET", url, ""), 401, "proof"},
		"for another host":               {a.proof(now, "GET", strings.Replace(url, "sandbox.example", "other.example", 1), ""), 401, "proof"},
		"for another method":             {a.proof(now, "DELETE", url, ""), 401, "proof"},
		"of another agent's secret":      {a.clientID + strings.TrimPrefix(other.proof(now, "GET", url, ""), other.clientID), 401, "proof"},
		"of an agent that is not":        {agent{a.service, "", "nobody", ""}.proof(now, "GET", url, ""), 401, "proof"},
		"another's, for what is not its": {other.proof(now, "GET", url, ""), 404, "action"},
	} {
		t.Run(name, func(t *testing.T) {
			got := a.prove("GET", path, "", func(string) string { return test.proof })
			if test.status == http.StatusOK {
				got.ok()
				return
			}
			got.refused(test.status, test.reason)
		})
	}
	t.Run("RSA is not taken in its place", func(t *testing.T) {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, withHeader(httptest.NewRequest("GET", url, nil), newSigned(t, now, "GET", url, "")))
		readAnswer(t, rec.Result()).refused(401, "empty token")
	})
	t.Run("nor a proof in place of RSA", func(t *testing.T) {
		got := a.prove("GET", "/coreclient", "", nil)
		got.refused(401, "empty token")
		assert.Equal(t, "Unauthorized", got.at("msg"))
	})
}

// TestAgentAuthIsTheProof lets the module's own authenticator prove what the tests above prove by hand.
func TestAgentAuthIsTheProof(t *testing.T) {
	w, a := staffed(t)
	w.transfer(nil).ok()
	auth, err := sandbox.NewAgentAuth(&qredo.AgentRegistration{ClientID: a.clientID, ClientSecret: qredo.Secret(a.secret)})
	require.NoError(t, err)
	const body = `{"signatures":["abcd"]}`
	url := "http://sandbox.example" + basePath + "/coreclient/action/" + approver{w.service, a.id}.last()
	req := httptest.NewRequest("PUT", url, strings.NewReader(body))
	require.NoError(t, auth.Authenticate(req, []byte(body), startOfTime))
	assert.Equal(t, a.proof(startOfTime, "PUT", url, body), req.Header.Get("X-Api-Zkp"))
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, req)
	readAnswer(t, rec.Result()).ok()

	for name, registration := range map[string]*qredo.AgentRegistration{
		"none": nil, "no ID": {ClientSecret: "x"}, "no secret": {ClientID: "x"},
	} {
		_, err := sandbox.NewAgentAuth(registration)
		require.Error(t, err, name)
	}
}
