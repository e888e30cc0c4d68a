package qredotest_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/spec"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/qredotest"
	"github.com/qredo-go/qredo/qredotest/internal/fixturetest"
	"github.com/qredo-go/qredo/qredotest/qapitest"
)

// feedsBeside are the feeds that the documents do not have among the operations.
var feedsBeside = []string{"GET /coreclient/{client_id}/feed", "GET /liquidityhub/feed", "GET /wallets/feed"}

func TestEachOperationHasAFixture(t *testing.T) {
	for _, test := range []struct {
		api      *spec.API
		beside   []string
		fixtures []qredotest.Fixture
	}{{spec.Partner, feedsBeside, qredotest.Fixtures()}, {spec.Qredo, nil, qapitest.Fixtures()}} {
		want := slices.Clone(test.beside)
		for _, op := range test.api.Operations() {
			want = append(want, op.String())
		}
		var have []string
		for _, f := range test.fixtures {
			have = append(have, f.Operation)
		}
		require.ElementsMatch(t, want, have)
	}
}

// proven is a client's authentication, if both ways of authenticating are asked for.
type proven struct{ *qredo.RSAAuth }

func (p proven) Authenticate(req *http.Request, body []byte, now time.Time) error {
	req.Header.Set("X-Api-Zkp", "proof")
	return p.RSAAuth.Authenticate(req, body, now)
}

// Each fixture conforms to the service's description and is exactly what the client sends, and its value is what that
// returns. Package qapitest tests its own.
func TestFixturesAreTheClients(t *testing.T) {
	auth := proven{clienttest.NewAuth(t)}
	for _, f := range qredotest.Fixtures() {
		if f.Status == http.StatusSwitchingProtocols {
			continue // TestFixturesOfFeeds
		}
		t.Run(f.Call, func(t *testing.T) {
			fixturetest.Check(t, spec.Partner, "/api/v1/p", f, func(transport http.RoundTripper) (any, error) {
				client, err := qredo.NewClient(auth, qredo.WithBaseURL(fixturetest.Base+"/api/v1/p"),
					qredo.WithHTTPClient(&http.Client{Transport: transport}), qredo.WithClock(qredotest.FixtureTime))
				require.NoError(t, err)
				return qredotest.MakeCall(t.Context(), client, f)
			})
		})
	}
}

// spelledOtherwise are fixtures whose answers encoding/json alone does not read: the service's spellings differ.
var spelledOtherwise = map[string]string{
	"CoreClients.GetSweep": "a sweep has approver_count and tx_id where a transfer has approvedCount and txID",
}

// What a fixture has is all that the client knows, and the other way round: read by encoding/json, without its tolerance, the
// value is the same and no field is left over. Written in the operation's form it is the answer again.
func TestFixturesByEncodingJSON(t *testing.T) {
	all := slices.Concat(qredotest.Fixtures(), qapitest.Fixtures())
	require.Len(t, all, 67)
	for _, f := range all {
		if f.Value == nil {
			assert.JSONEq(t, `{"code":200,"msg":"OK"}`, string(f.Response), f.Call)
			continue
		}
		if f.Call == "Transactions.Feed" {
			assert.IsType(t, qapi.TransactionEvent{}, f.Value) // it is not written as it comes
			continue
		}
		response, err := qredotest.Body(f.With(f.Value))
		require.NoError(t, err)
		read := reflect.New(reflect.TypeOf(f.Value))
		decoder := json.NewDecoder(bytes.NewReader(qredotest.PartOf(f)))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(read.Interface())
		if reason := spelledOtherwise[f.Call]; reason != "" {
			require.Error(t, err, "%s is not spelled otherwise any more: %s", f.Call, reason)
			continue
		}
		require.NoError(t, err, f.Call)
		if f.Call != "Funds.Get" { // permissions that a member does not have are not written
			require.JSONEq(t, string(f.Response), string(response), f.Call)
		}
		switch submitted := f.Value.(type) { // the client adds what the request had
		case *qredo.Submission:
			submitted.PartnerTxID = ""
		case *qredo.SwapSubmission:
			submitted.PartnerTxID = ""
		}
		require.Equal(t, f.Value, read.Elem().Interface(), f.Call)
	}
}

// The client reads a value that With has written as it was.
func TestFixtureWith(t *testing.T) {
	for _, f := range qredotest.Fixtures() {
		if f.Status == http.StatusSwitchingProtocols {
			continue
		}
		s := qredotest.NewService(t).On(f.Operation, f.With(f.Value))
		got, err := qredotest.MakeCall(t.Context(), s.Client(), f)
		require.NoError(t, err, f.Call)
		require.Equal(t, f.Value, got, f.Call)
	}
	f := qredotest.FixtureOf("Companies.ListHoldings")
	body, err := qredotest.Body(f.With([]qredo.Holding{{Asset: "BTC", Amount: 5}}))
	require.NoError(t, err)
	require.JSONEq(t, `{"total_count":1,"holdings":[{"code":"BTC","amount":5}]}`, string(body))
	body, err = qredotest.Body(f.With([]qredo.Holding{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"total_count":0,"holdings":[]}`, string(body))
}

// The client's feeds give the fixtures' events for their messages.
func TestFixturesOfFeeds(t *testing.T) {
	serve := func(f qredotest.Fixture) *httptest.Server {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, f.Path) { // a list that a feed reads besides
				qredotest.Reply(http.StatusOK, `{"count":0,"actions":[],"items":[],"clients":[]}`).ServeHTTP(w, r)
				return
			}
			ws, err := clienttest.AcceptWebSocket(w, r, nil)
			if err != nil {
				return
			}
			_ = ws.Write(r.Context(), websocket.MessageText, f.Response)
			_, _, _ = ws.Read(r.Context()) // until the client goes
		}))
		t.Cleanup(srv.Close)
		return srv
	}
	client := func(f qredotest.Fixture) *qredo.Client {
		client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(serve(f).URL+"/api/v1/p"), qredo.WithClock(qredotest.FixtureTime))
		require.NoError(t, err)
		return client
	}
	check := func(f qredotest.Fixture, got any, err error) {
		require.NoError(t, err, f.Call)
		require.Equal(t, f.Value, got, f.Call)
	}
	ctx := t.Context()
	f := qredotest.FixtureOf("CoreClients.Feed")
	for e, err := range told(client(f).CoreClients.Feed(ctx, qredotest.CoreClientID)) {
		check(f, e, err)
	}
	f = qredotest.FixtureOf("GET /coreclient/feed")
	for e, err := range told(client(f).SigningAgent.Feed(ctx)) {
		check(f, e, err)
	}
	f = qredotest.FixtureOf("Swaps.Feed")
	for e, err := range told(client(f).Swaps.Feed(ctx)) {
		check(f, e, err)
	}
	f = qredotest.FixtureOf("Wallets.Feed")
	for e, err := range told(client(f).Wallets.Feed(ctx)) {
		check(f, e, err)
	}
	f = qapitest.FixtureOf("Transactions.Feed")
	auth, err := qredo.NewHMACAuth("key", "c2VjcmV0IG9mIGEgdGVzdA==")
	require.NoError(t, err)
	c, err := qapi.NewClient(auth, qredo.WithBaseURL(serve(f).URL+"/qapi/v1"))
	require.NoError(t, err)
	for e, err := range told(c.Transactions.Feed(ctx)) {
		check(f, e, err)
	}
}

// told gives the first event of a feed.
func told[E any](feed func(func(E, error) bool)) func(func(E, error) bool) {
	return func(yield func(E, error) bool) {
		feed(func(e E, err error) bool { yield(e, err); return false })
	}
}

func TestFixtureOf(t *testing.T) {
	f := qredotest.FixtureOf("GET /company/{company_id}")
	assert.Equal(t, qredotest.FixtureOf("Companies.Get"), f)
	assert.Equal(t, "ACME Corp", qredotest.ValueOf[*qredo.Company]("Companies.Get").Name)
	qredotest.ValueOf[*qredo.Company]("Companies.Get").Name = "changed"
	f.Response[0] = 'x'
	assert.Equal(t, "ACME Corp", qredotest.ValueOf[*qredo.Company]("Companies.Get").Name, "it was handed out twice")
	assert.Equal(t, qredo.Amount(100000), qredotest.RequestOf[qredo.TransferRequest]("Transfers.Create").Send.Amount)
	assert.Equal(t, qredotest.WalletID, qapitestWallet(t))
	for want, wrong := range map[string]func(){
		"qredotest: there is no fixture of GET /none: Fixtures lists all":                                                               func() { qredotest.FixtureOf("GET /none") },
		"qredotest: there is no fixture of PATCH /assets: there is GET /assets":                                                         func() { qredotest.FixtureOf("PATCH /assets") },
		"qredotest: there is no fixture of TrustedNetwork.Get: there is TrustedNetwork.Add, TrustedNetwork.List, TrustedNetwork.Remove": func() { qredotest.FixtureOf("TrustedNetwork.Get") },
		"qredotest: Companies.Get returns *qredo.Company, not qredo.Company":                                                            func() { qredotest.ValueOf[qredo.Company]("Companies.Get") },
		"qredotest: Companies.Get sends no body":                                                                                        func() { qredotest.RequestOf[qredo.Company]("Companies.Get") },
		"qredotest: Companies.Get returns *qredo.Company, not string":                                                                   func() { qredotest.FixtureOf("Companies.Get").With("text") },
		"qapitest: there is no fixture of GET /assets: Fixtures lists all":                                                              func() { qapitest.FixtureOf("GET /assets") },
		"qapitest: Account.Get returns *qapi.Account, not int":                                                                          func() { qapitest.ValueOf[int]("Account.Get") },
	} {
		assert.PanicsWithValue(t, want, wrong)
	}
}

// qapitestWallet is the subject of a feed's fixture.
func qapitestWallet(t *testing.T) qredo.WalletID {
	t.Helper()
	assert.Equal(t, qapitest.TransactionID, qapitest.ValueOf[*qapi.Transaction]("GET /transactions/{tx_id}/status").ID)
	return qredotest.ValueOf[qredo.WalletEvent]("Wallets.Feed").WalletID
}

// Those who import fixtures and fakes build the client, and no sandbox.
func TestImportsNoMoreThanTheClient(t *testing.T) {
	deps := func(pkg string) map[string]bool {
		found := map[string]bool{}
		for name := range strings.FieldsSeq(goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", pkg)) {
			found[name] = true
		}
		return found
	}
	const module = "github.com/qredo-go/qredo"
	for pkg, client := range map[string]string{module + "/qredotest": module, module + "/qredotest/qapitest": module + "/qapi"} {
		have, want := deps(pkg), deps(client)
		maps.DeleteFunc(have, func(name string, _ bool) bool { return want[name] || strings.HasPrefix(name, module+"/qredotest") })
		assert.Empty(t, have, pkg)
	}
}
