package scenario

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/agentcrypto"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

// object is a JSON object.
type object = map[string]any

var plain = &http.Client{Timeout: 10 * time.Second}

// exchange sends a request with nothing in its header but what authenticate sets, and returns the body of the answer.
// Whatever the status is, it is not looked at.
func exchange(t testing.TB, method, url string, body any, authenticate func(*http.Request, []byte) error) object {
	t.Helper()
	var data []byte
	if body != nil {
		var err error
		data, err = json.Marshal(body)
		require.NoError(t, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(data))
	require.NoError(t, err)
	require.NoError(t, authenticate(req, data))
	resp, err := plain.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer := object{}
	require.NoError(t, json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer))
	return answer
}

// at returns what stands in an object at a path of keys; numbers in it are indexes.
func at(t testing.TB, value any, path string) any {
	t.Helper()
	for key := range strings.SplitSeq(path, ".") {
		if list, isList := value.([]any); isList {
			var i int
			_, err := fmt.Sscan(key, &i)
			require.NoError(t, err)
			require.Greater(t, len(list), i, path)
			value = list[i]
			continue
		}
		require.IsType(t, object{}, value, path)
		value = value.(object)[key]
	}
	return value
}

// autoApprover is a program next to the service that approves everything, like signing agents without supervision: it
// knows the wire format, the cryptography, and nothing else of this module.
type autoApprover struct {
	t        testing.TB
	srv      *sandbox.Server
	id       string
	key      *agentcrypto.Key
	prover   *agentcrypto.Prover
	approved chan string
}

func registerAutoApprover(t testing.TB, srv *sandbox.Server, pin int) *autoApprover {
	t.Helper()
	a := &autoApprover{t: t, srv: srv, key: clienttest.NewAgentKey(t), approved: make(chan string, 10)}
	given := exchange(t, "POST", srv.BaseURL()+"/coreclient/init", struct {
		Name string `json:"name"`
		BLS  string `json:"blsPublicKey"`
		EC   string `json:"ecPublicKey"`
	}{"agent", hex.EncodeToString(a.key.PublicKey().Bytes()), hex.EncodeToString(a.key.ECPublicKey())}, signed(srv))
	require.Equal(t, given["id"], given["accountCode"])
	a.id = given["id"].(string)
	id := fromHex(t, given["clientID"])
	secret, err := agentcrypto.ParseClientSecret(fromHex(t, given["clientSecret"]))
	require.NoError(t, err)
	token, err := secret.Token(id, pin)
	require.NoError(t, err)
	a.prover, err = agentcrypto.NewProver(id, token, pin)
	require.NoError(t, err)
	finished := exchange(t, "POST", srv.BaseURL()+"/coreclient/finish",
		object{"idDocSignatureHex": hex.EncodeToString(a.key.Sign(fromHex(t, given["idDoc"])))}, a.prove)
	feed := finished["feed"].(string)
	header := http.Header{"X-Api-Zkp": {a.prover.Header(time.Now())}}
	ws, _, err := clienttest.DialWebSocket(t.Context(), feed, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // it is the socket
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.run(ctx, ws) }()
	t.Cleanup(func() {
		cancel()
		assert.ErrorIs(t, <-done, context.Canceled)
		_ = ws.CloseNow()
	})
	return a
}

func fromHex(t testing.TB, text any) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text.(string))
	require.NoError(t, err)
	return raw
}

func (a *autoApprover) prove(req *http.Request, _ []byte) error {
	req.Header.Set("X-Api-Zkp", a.prover.Header(time.Now()))
	return nil
}

func (a *autoApprover) run(ctx context.Context, ws *websocket.Conn) error {
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return errors.Join(err, ctx.Err())
		}
		var asked struct {
			ID         string `json:"id"`
			ExpireTime int64  `json:"expireTime"`
		}
		if err := json.Unmarshal(data, &asked); err != nil {
			return err
		}
		if asked.ExpireTime <= time.Now().Unix() {
			continue
		}
		if err := a.approve(ctx, asked.ID); err != nil {
			return err
		}
		a.approved <- asked.ID
	}
}

// next returns what the agent has approved since the last call.
func (a *autoApprover) next() string {
	a.t.Helper()
	select {
	case id := <-a.approved:
		return id
	case <-time.After(10 * time.Second):
		require.Fail(a.t, "the agent was not asked, or could not approve")
		return ""
	}
}

func (a *autoApprover) approve(ctx context.Context, id string) error {
	var asked struct {
		Messages []string `json:"messages"`
	}
	if err := a.call(ctx, "GET", id, nil, &asked); err != nil {
		return err
	}
	var signatures []string
	for _, text := range asked.Messages {
		message, err := hex.DecodeString(text)
		if err != nil || len(message) == 0 {
			return fmt.Errorf("message %q: %w", text, err)
		}
		signatures = append(signatures, hex.EncodeToString(a.key.Sign(message)))
	}
	body, err := json.Marshal(object{"client_id": a.id, "action_id": id, "signatures": signatures})
	if err != nil {
		return err
	}
	return a.call(ctx, "PUT", id, body, &object{})
}

func (a *autoApprover) call(ctx context.Context, method, id string, body []byte, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, a.srv.BaseURL()+"/coreclient/action/"+id, bytes.NewReader(body))
	if err != nil {
		return err
	}
	_ = a.prove(req, body)
	resp, err := plain.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s of %s: %s", method, id, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

// signed authenticates requests as programs other than agents do.
func signed(srv *sandbox.Server) func(*http.Request, []byte) error {
	return func(req *http.Request, body []byte) error {
		req.Header.Set("Content-Type", "application/json")
		return srv.Auth().Authenticate(req, body, time.Now())
	}
}

// What the vendor of the signing agent tested it by, end to end, as often as it is wanted against one service: it looks at
// bodies, never at statuses.
func TestAgentVendorsSteps(t *testing.T) {
	for name, register := range map[string]func(testing.TB, *sandbox.Server) suiteAgent{
		"an agent that knows the wire": func(t testing.TB, srv *sandbox.Server) suiteAgent {
			t.Helper()
			a := registerAutoApprover(t, srv, 123)
			return suiteAgent{a.id, a.next}
		},
		"package signingagent": registerPackaged,
	} {
		t.Run(name, func(t *testing.T) { vendorsSteps(t, register) })
	}
}

// suiteAgent is an agent that approves everything. next waits for what it has approved since.
type suiteAgent struct {
	id   string
	next func() string
}

// registerPackaged is an agent of package signingagent, which is opened again before it is asked anything.
func registerPackaged(t testing.TB, srv *sandbox.Server) suiteAgent {
	t.Helper()
	store := signingagent.OpenOldStore(filepath.Join(t.TempDir(), "ccstore.db"))
	_, err := signingagent.Register(t.Context(), srv.Client(), store, "agent", signingagent.WithPIN(123))
	require.NoError(t, err)
	agent, err := signingagent.Open(t.Context(), store, signingagent.WithPIN(123), signingagent.WithClientOptions(qredo.WithBaseURL(srv.BaseURL())))
	require.NoError(t, err)
	results := make(chan approver.Entry, 10)
	votes, err := agent.NewApprover(signingagent.ApproveAll, approver.WithObserver(func(e approver.Entry) {
		if e.Kind == approver.EntryResult {
			results <- e
		}
	}))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- votes.Run(ctx) }()
	t.Cleanup(func() { cancel(); assert.NoError(t, <-done) })
	return suiteAgent{string(agent.ID()), func() string {
		t.Helper()
		select {
		case e := <-results:
			assert.Equal(t, approver.OutcomeSent, e.Outcome, e.Reason)
			return string(e.ActionID)
		case <-time.After(10 * time.Second):
			require.Fail(t, "the agent was not asked, or could not approve")
			return ""
		}
	}}
}

func vendorsSteps(t *testing.T, register func(testing.TB, *sandbox.Server) suiteAgent) {
	t.Helper()
	srv, err := sandbox.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	const elsewhere = "43CQtjpeSH1DeMSWQTPc3de2GWLsTAMcvGePYS6wKibn"
	_, err = srv.CreateCoreClient(sandbox.CoreClient{ID: elsewhere})
	require.NoError(t, err)
	call := func(method, path string, body any) object {
		t.Helper()
		return exchange(t, method, srv.BaseURL()+path, body, signed(srv))
	}
	companies := map[any]bool{}
	for range 3 {
		agent := register(t, srv)
		companyID := call("POST", "/company", object{"name": "Agent Test", "city": "New York", "country": "USA", "domain": "agent.example", "ref": "1"})["company_id"]
		require.NotEmpty(t, companyID)
		companies[companyID] = true
		company := fmt.Sprint("/company/", companyID)
		trust := func(address string) {
			assert.EqualValues(t, 200, call("POST", company+"/trustedparty", object{"address": address})["code"])
		}
		trust(agent.id)
		group := object{"threshold": 1, "members": []string{agent.id}}
		fundID := call("POST", company+"/fund", object{
			"name": "Fund", "description": "of the test", "custodygroup_withdraw": group, "custodygroup_tx": group,
			"wallets": []object{{"name": "Wallet", "asset": "BTC-TESTNET", "custodygroup_withdraw": group, "custodygroup_tx": group}},
		})["fund_id"]
		require.NotEmpty(t, fundID)
		fund := fmt.Sprint(company, "/fund/", fundID)
		wallet := func() object {
			wallets := call("GET", fund, nil)["wallets"]
			require.Len(t, wallets, 1)
			return wallets.([]any)[0].(object)
		}
		before := wallet()
		assert.IsType(t, float64(0), before["balance"])
		require.Len(t, at(t, before, "policy_tx.members"), 1)
		assert.Equal(t, agent.id, at(t, before, "policy_tx.members.0.entity.id"))
		trust(elsewhere)
		changed := call("PUT", fmt.Sprint(fund, "/wallet/", before["wallet_id"], "/policy"), object{
			"policy_id": at(t, before, "policy_tx.id"), "threshold": 1, "members": []string{agent.id, elsewhere}, "type": "policy-tx",
		})
		assert.EqualValues(t, 200, changed["code"])
		agent.next()
		require.Len(t, at(t, wallet(), "policy_tx.members"), 2)

		// A payment, which is looked up by the ID of the action that the agent approved.
		after := wallet()
		_, err := srv.Deposit(after["address"].(string), clienttest.Coin)
		require.NoError(t, err)
		_ = call("POST", fund+"/whitelist", object{"name": "out", "asset": "BTC-TESTNET", "address": clienttest.PayoutAddress})
		expires := time.Now().Add(time.Hour).Unix()
		paid := call("POST", company+"/withdraw", object{
			"wallet_id": after["wallet_id"], "address": clienttest.PayoutAddress, "expires": expires, "send": object{"symbol": "BTC-TESTNET", "amount": 1000},
		})["tx_id"]
		require.NotEmpty(t, paid)
		action := agent.next()
		got := call("GET", company+"/withdraw/"+action, nil)
		assert.Equal(t, []any{paid, string(qredo.TxApproved)}, []any{got["txID"], got["txStatus"]})
	}
	assert.Len(t, companies, 3, "the same body makes another company each time")
}
