package agentserver_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/approver/redis"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/redistest"
	"github.com/qredo-go/qredo/sandbox"
	"github.com/qredo-go/qredo/signingagent"
)

// house is a sandbox in which a fund's money is moved by an agent that a server stands in for.
type house struct {
	*clienttest.World
	t        *testing.T
	keys     string
	config   agentserver.Config
	agent    qredo.CoreClientID
	fund     qredo.FundID
	from, to qredo.WalletID
}

func newHouse(t *testing.T) *house {
	h := &house{t: t, keys: t.TempDir(), config: agentserver.Default()}
	h.World = clienttest.NewWorld(t, sandbox.WithKeyDir(h.keys))
	h.config.Base = agentserver.Base{QredoAPI: h.Srv.BaseURL(), PIN: 1234}
	h.config.Websocket.QredoWebsocket = "ws" + strings.TrimPrefix(h.Srv.BaseURL(), "http") + "/coreclient/feed"
	h.config.Store.File = filepath.Join(t.TempDir(), "ccstore.db")
	return h
}

// backend is what a program would have.
func (h *house) backend(change func(*agentserver.Signing)) *agentserver.Signing {
	s := &agentserver.Signing{Config: h.config, Identity: signingagent.OpenOldStore(h.config.Store.File)}
	if change != nil {
		change(s)
	}
	require.NoError(h.t, s.Check())
	return s
}

func (h *house) registration() string {
	key, err := os.ReadFile(filepath.Join(h.keys, "private.pem"))
	require.NoError(h.t, err)
	apiKey, err := os.ReadFile(filepath.Join(h.keys, "apikey"))
	require.NoError(h.t, err)
	return fmt.Sprintf(`{"name":"Desk","APIKey":"%s","base64PrivateKey":"%s"}`, strings.TrimSpace(string(apiKey)), base64.StdEncoding.EncodeToString(key))
}

// register registers the agent by a server's API, and founds a fund whose groups are the agent.
func (h *house) register(r *running) {
	r.waitFor("/readyz", "no agent is registered")
	got := r.call("POST", "/api/v1/register", h.registration())
	require.Equal(h.t, 200, got.status, got.body)
	var body struct {
		AgentID qredo.CoreClientID `json:"agentID"`
	}
	require.NoError(h.t, json.Unmarshal([]byte(got.body), &body))
	h.agent = body.AgentID
	ctx := h.t.Context()
	require.NoError(h.t, h.Client.TrustedNetwork.Add(ctx, h.Company, qredo.TrustedPartyRequest{Address: string(h.agent)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{qredo.TrustedEntityID(h.agent)}}
	fund, err := h.Client.Funds.Create(ctx, h.Company, qredo.FundRequest{
		Name: "Agent's", CustodyGroupTx: group, CustodyGroupWithdraw: group,
		Wallets: []qredo.WalletRequest{{Name: "from", Asset: "BTC"}, {Name: "to", Asset: "BTC"}},
	})
	require.NoError(h.t, err)
	h.fund = fund.ID
	detail, err := h.Client.Funds.Get(ctx, h.Company, fund.ID)
	require.NoError(h.t, err)
	for _, wallet := range detail.Wallets {
		if wallet.Name == "to" {
			h.to = wallet.ID
			continue
		}
		h.from = wallet.ID
		_, err := h.Srv.Deposit(wallet.Address, 10*clienttest.Coin)
		require.NoError(h.t, err)
	}
	r.open()
}

// transfer asks for a transfer, and returns the action that it asks the agent for.
func (h *house) transfer(amount qredo.Amount) (qredo.TxID, qredo.ActionID) {
	tx, err := h.Client.Transfers.Create(h.t.Context(), h.Company, qredo.TransferRequest{
		WalletID: h.from, Counterparty: string(h.to), Expires: h.Expires(), Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	})
	require.NoError(h.t, err)
	actions, err := h.Client.CoreClients.ListActions(h.t.Context(), h.agent)
	require.NoError(h.t, err)
	if len(actions) == 0 {
		return tx.TxID, "" // it was approved already
	}
	return tx.TxID, actions[len(actions)-1].ID
}

// arrived is what the transfers have moved.
func (h *house) arrived() qredo.Amount {
	detail, err := h.Client.Funds.Get(h.t.Context(), h.Company, h.fund)
	require.NoError(h.t, err)
	for _, wallet := range detail.Wallets {
		if wallet.ID == h.to {
			return wallet.Balance
		}
	}
	return -1
}

func (h *house) start(s *agentserver.Signing, change ...func(*agentserver.Options)) *running {
	return start(h.t, h.config, s, append(change, func(o *agentserver.Options) { o.Now = h.Srv.Now })...)
}

// An agent registers, hears of transfers and votes by hand, as programs did with the old one; another run goes on with its identity.
func TestByHand(t *testing.T) {
	h := newHouse(t)
	r := h.start(h.backend(nil))
	h.register(r)
	feed := r.subscribe()
	_, action := h.transfer(clienttest.Coin)
	frame := next(t, feed)
	require.Contains(t, frame, `"id":"`+string(action)+`"`)
	require.Zero(t, h.arrived())
	path := "/api/v1/client/action/" + string(action)
	for range 2 { // also when it is approved already
		requireAnswer(t, r.call("PUT", path, ""), 200, jsonType, `{"actionID":"`+string(action)+`","status":"approved"}`+"\n")
	}
	require.Equal(t, clienttest.Coin, h.arrived())
	requireRefused(t, r.call("DELETE", path, ""), 500, "DELETE "+h.config.Base.QredoAPI+"/coreclient/action/"+string(action)+" Status 409 (409 Conflict) with body: {")

	_, other := h.transfer(clienttest.Coin)
	require.Contains(t, next(t, feed), string(other))
	require.NoError(t, feed.CloseNow()) // or the server waits for its farewell
	require.NoError(t, r.stop())
	r = h.start(h.backend(nil))
	r.open()
	require.Contains(t, r.call("GET", "/api/v1/client", "").body, `{"agentID":"`+string(h.agent)+`","agentName":"Desk"`)
	feed = r.subscribe()
	require.Contains(t, next(t, feed), string(other), "what is pending is told again")
	require.NoError(t, feed.CloseNow())
	requireAnswer(t, r.call("DELETE", "/api/v1/client/action/"+string(other), ""), 200, jsonType, `{"actionID":"`+string(other)+`","status":"rejected"}`+"\n")
	require.Equal(t, 500, r.call("PUT", "/api/v1/client/action/"+string(other), "").status)
	require.Equal(t, clienttest.Coin, h.arrived())
	requireRefused(t, r.call("PUT", "/api/v1/client/action/unknown", ""), 500, "GET ")
	r.waitFor("/readyz", `"ready":true`)
}

// A wrong PIN is reported, and the right one fixes it.
func TestWrongPIN(t *testing.T) {
	h := newHouse(t)
	r := h.start(h.backend(nil))
	h.register(r)
	require.NoError(t, r.stop())
	h.config.Base.PIN = 4321
	r = h.start(h.backend(nil))
	r.waitFor("/api/v1/healthcheck/status", `"CONNECTING"`)
	_, action := h.transfer(clienttest.Coin)
	requireRefused(t, r.call("PUT", "/api/v1/client/action/"+string(action), ""), 500, "GET "+h.config.Base.QredoAPI+"/coreclient/action/"+string(action)+" Status 401 (401 Unauthorized) with body: {")
	require.Eventually(t, func() bool { return strings.Contains(r.logs.String(), "401") }, 20*time.Second, time.Millisecond)
	require.NotContains(t, r.logs.String(), "4321")
	require.NoError(t, r.stop())
	h.config.Base.PIN = 1234
	r = h.start(h.backend(nil))
	r.open()
	require.Equal(t, 200, r.call("PUT", "/api/v1/client/action/"+string(action), "").status)
}

// A configuration with autoApproval.enabled approves everything.
func TestAutoApproval(t *testing.T) {
	h := newHouse(t)
	r := h.start(h.backend(func(s *agentserver.Signing) { s.Policy = signingagent.ApproveAll }))
	h.register(r)
	for range 3 {
		h.transfer(clienttest.Coin)
	}
	require.Eventually(t, func() bool { return h.arrived() == 3*clienttest.Coin }, 20*time.Second, 5*time.Millisecond)
	r.waitFor("/metrics", "\nqredo_signing_agent_pending_actions 0\n")
}

// Rules decide where there are some, and leave the rest to people.
func TestRules(t *testing.T) {
	h := newHouse(t)
	rules, err := approver.ParseRules("rules.yaml", []byte("rules:\n  - name: small\n    when: type == \"ApproveTransfer\" && amount <= \"1.5 BTC\"\n    then: approve\n"), approver.WithClock(h.Srv.Now))
	require.NoError(t, err)
	r := h.start(h.backend(func(s *agentserver.Signing) {
		s.Policy, s.RSA, s.Approver = rules, h.Client, []approver.Option{approver.WithClock(h.Srv.Now), approver.WithLogger(slog.New(slog.DiscardHandler))}
	}))
	h.register(r)
	large, _ := h.transfer(2 * clienttest.Coin)
	h.transfer(clienttest.Coin)
	require.Eventually(t, func() bool { return h.arrived() == clienttest.Coin }, 20*time.Second, 5*time.Millisecond)
	tx, err := h.Client.Transfers.Get(t.Context(), h.Company, large)
	require.NoError(t, err)
	require.Equal(t, qredo.TxPending, tx.Status)
	_, action := h.transfer(3 * clienttest.Coin)
	require.Equal(t, 200, r.call("PUT", "/api/v1/client/action/"+string(action), "").status, "a person")
}

// Two servers with one identity share a Redis server: each action is decided once, and an answer of either is the truth.
func TestTwoServers(t *testing.T) {
	server := redistest.Start(t)
	h := newHouse(t)
	shared := func(policy approver.Policy) (*agentserver.Signing, func(*agentserver.Options)) {
		client := goredis.NewClient(&goredis.Options{Addr: server.Address})
		t.Cleanup(func() { assert.NoError(t, client.Close()) })
		store, err := redis.New(t.Context(), client, "agents", redis.WithVolatile())
		require.NoError(t, err)
		backend := h.backend(func(s *agentserver.Signing) {
			s.Policy, s.Approver = policy, []approver.Option{approver.WithStore(store), approver.WithCoordinator(store), approver.WithLogger(slog.New(slog.DiscardHandler))}
		})
		return backend, func(o *agentserver.Options) { o.Coordinator = store }
	}
	first, second := h.start2(shared(nil)), h.start2(shared(nil))
	second.waitFor("/readyz", "no agent is registered")
	h.register(first)
	requireRefused(t, second.call("POST", "/api/v1/register", h.registration()), 400, "AgentID already exist. You can not set new one.")
	second.open() // it has found the identity
	_, action := h.transfer(clienttest.Coin)
	path := "/api/v1/client/action/" + string(action)
	require.Equal(t, 200, first.call("PUT", path, "").status)
	require.Equal(t, 500, second.call("DELETE", path, "").status, "it is approved")
	require.Equal(t, 200, second.call("PUT", path, "").status, "it is")
	_, action = h.transfer(clienttest.Coin)
	path = "/api/v1/client/action/" + string(action)
	require.Equal(t, 200, second.call("DELETE", path, "").status)
	require.Equal(t, 500, first.call("PUT", path, "").status, "it is rejected")
	for range 2 {
		require.Equal(t, 500, first.call("PUT", "/api/v1/client/action/unknown", "").status)
		require.Equal(t, 500, second.call("PUT", "/api/v1/client/action/unknown", "").status)
	}
	require.NoError(t, first.stop())
	require.NoError(t, second.stop())

	first, second = h.start2(shared(signingagent.ApproveAll)), h.start2(shared(signingagent.ApproveAll))
	first.open()
	second.open()
	before := h.arrived()
	const transfers = 20
	for range transfers {
		h.transfer(1000)
	}
	require.Eventually(t, func() bool { return h.arrived() == before+transfers*1000 }, 30*time.Second, 10*time.Millisecond)
}

func (h *house) start2(s *agentserver.Signing, change func(*agentserver.Options)) *running {
	return h.start(s, change)
}

// meddling is a transport that has somebody else reject an action right before it is approved.
type meddling struct {
	puts   atomic.Int32
	before func(id qredo.ActionID)
}

func (m *meddling) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut {
		m.puts.Add(1)
		m.before(qredo.ActionID(path.Base(r.URL.Path)))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// A refusal that cannot change is not asked for again.
func TestAutoApprovalIsRefused(t *testing.T) {
	h := newHouse(t)
	r := h.start(h.backend(nil))
	h.register(r)
	require.NoError(t, r.stop())
	other, err := signingagent.Open(t.Context(), signingagent.OpenOldStore(h.config.Store.File), signingagent.WithPIN(1234), signingagent.WithClientOptions(qredo.WithBaseURL(h.Srv.BaseURL())))
	require.NoError(t, err)
	m := &meddling{before: func(id qredo.ActionID) { _ = other.Reject(t.Context(), id) }}
	r = h.start(h.backend(func(s *agentserver.Signing) {
		s.Policy, s.Approver = signingagent.ApproveAll, []approver.Option{approver.WithBackoff(time.Millisecond, time.Millisecond)}
		s.ClientOptions = []qredo.Option{qredo.WithHTTPClient(&http.Client{Transport: m})}
	}))
	r.open()
	_, action := h.transfer(clienttest.Coin)
	require.NotEmpty(t, action)
	r.waitFor("/metrics", "qredo_signing_agent_feed_messages_total 1\n")
	r.waitFor("/metrics", "qredo_signing_agent_pending_actions 0\n")
	require.EqualValues(t, 1, m.puts.Load())
	require.Zero(t, h.arrived())
}
