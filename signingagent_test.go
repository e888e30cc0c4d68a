package qredo_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/fieldcheck"
)

const testProof = "proof-9c1d2e3f4a5b6c7d"

// serveAgentFixture is serveFixture for calls that a signing agent makes: its one header takes the place
// of the signature.
func serveAgentFixture(t *testing.T, name string) *qredo.SigningAgentService {
	t.Helper()
	f := clienttest.LoadFixture(t, name)
	auth, err := qredo.NewProofAuth(func(method, url string, body []byte, now time.Time) (string, error) {
		assert.Equal(t, []any{f.Method(), f.URL(), f.Body(t), clienttest.Now}, []any{method, url, string(body), now}, "what is proven")
		return testProof, nil
	})
	require.NoError(t, err)
	transport := clienttest.FixtureTransport(t, name, func(t *testing.T, f clienttest.Fixture, req *http.Request, body string) {
		clienttest.CheckSent(t, f, req, body)
		assert.Equal(t, http.Header{
			"Accept": {"application/json"}, "Content-Type": {"application/json"},
			"User-Agent": {"qredo-go/" + qredo.Version}, "X-Api-Zkp": {testProof},
		}, req.Header, "no header is missing and none is there beside these")
	})
	client, err := qredo.NewClient(auth, qredo.WithEnvironment(qredo.EnvironmentSandbox), qredo.WithClock(clienttest.Clock),
		qredo.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	return client.SigningAgent
}

func TestAgentRegister(t *testing.T) {
	got, err := clienttest.ServeFixture(t, "coreclients_register").CoreClients.Register(t.Context(), clienttest.GoodAgent())
	require.NoError(t, err)
	want := &qredo.AgentRegistration{
		ID: clienttest.CoreID, ClientID: "client-5", ClientSecret: "5c1f7de0a94b", AccountCode: clienttest.CoreAccount, IDDocument: clienttest.HexOf(32),
		Created: qredo.Unix(1700000000),
	}
	fieldcheck.RequireAllSet(t, want)
	require.Equal(t, want, got)
	for way, text := range clienttest.Printings(t, got) {
		require.NotContains(t, text, "5c1f7de0a94b", way)
	}
}

// What an agent is given once is kept with its secret by the method that says so, and by nothing else. What was written
// without it is not read as if it were whole.
func TestAgentRegistrationIsKept(t *testing.T) {
	given := qredo.AgentRegistration{
		ID: clienttest.CoreID, ClientID: "client-5", ClientSecret: "5c1f\"7de0a94b", AccountCode: clienttest.CoreAccount, IDDocument: clienttest.HexOf(32),
		Created: qredo.Unix(1700000000),
	}
	fieldcheck.RequireAllSet(t, given)
	kept, err := given.MarshalJSONWithSecret()
	require.NoError(t, err)
	for name, read := range map[string]func([]byte, any) error{"encoding/json": json.Unmarshal, "Unmarshal": qredo.Unmarshal} {
		var back qredo.AgentRegistration
		require.NoError(t, read(kept, &back), name)
		require.Equal(t, given, back, name)

		without, err := json.Marshal(given)
		require.NoError(t, err)
		require.NotContains(t, string(without), "7de0a94b")
		err = read(without, &back)
		require.ErrorContains(t, err, "was written without the secret", name)
		require.NotContains(t, err.Error(), "7de0a94b")
		var none qredo.AgentRegistration
		require.NoError(t, read([]byte(`{"id":"a","clientSecret":null}`), &none), name)
		require.Empty(t, none.ClientSecret)
	}
}

func TestAgentFinish(t *testing.T) {
	feed, err := serveAgentFixture(t, "signingagent_finish").Finish(t.Context(), clienttest.HexOf(48))
	require.NoError(t, err)
	require.Equal(t, "wss://sandbox-api.qredo.network/api/v1/p/coreclient/feed", feed)
}

func TestAgentMessages(t *testing.T) {
	got, err := serveAgentFixture(t, "signingagent_get_messages").GetMessages(t.Context(), clienttest.CoreActionID)
	require.NoError(t, err)
	require.Equal(t, []string{clienttest.HexOf(8), clienttest.HexOf(9)}, got)
}

func TestAgentSubmitSignatures(t *testing.T) {
	agent := serveAgentFixture(t, "signingagent_approve")
	require.NoError(t, agent.Approve(t.Context(), clienttest.CoreActionID, []string{clienttest.HexOf(10), clienttest.HexOf(11)}))
}

func TestAgentRefuseToSign(t *testing.T) {
	require.NoError(t, serveAgentFixture(t, "signingagent_reject").Reject(t.Context(), clienttest.CoreActionID))
}

func TestAgentRequestsRefused(t *testing.T) {
	client, ctx := clienttest.NewClient(t, clienttest.RefuseAll(t)), t.Context()
	agent := client.SigningAgent
	for field, spoil := range map[string]func(*qredo.AgentRequest){
		"name":         func(r *qredo.AgentRequest) { r.Name = "" },
		"blsPublicKey": func(r *qredo.AgentRequest) { r.BLSPublicKey = "0x12" },
		"ecPublicKey":  func(r *qredo.AgentRequest) { r.ECPublicKey = "" },
	} {
		req := clienttest.GoodAgent()
		spoil(&req)
		_, err := client.CoreClients.Register(ctx, req)
		clienttest.RequireInvalid(t, err, field)
	}
	_, err := agent.Finish(ctx, "zz")
	clienttest.RequireInvalid(t, err, "idDocSignatureHex")
	clienttest.RequireInvalid(t, agent.Approve(ctx, clienttest.CoreActionID, nil), "signatures")
	clienttest.RequireInvalid(t, agent.Approve(ctx, clienttest.CoreActionID, []string{"ab", "a"}), "signatures[1]")
	_, err = agent.GetMessages(ctx, "a/b")
	clienttest.RequireInvalid(t, err, "action_id")
}

func TestProofAuthRefuses(t *testing.T) {
	_, err := qredo.NewProofAuth(nil)
	clienttest.RequireInvalid(t, err, "proof")
	failure := errors.New("the device is away")
	for name, tc := range map[string]struct {
		proof string
		err   error
		check func(error)
	}{
		"no proof":       {"", nil, func(err error) { require.ErrorContains(t, err, "not sent: authenticating: the proof must ") }},
		"two lines":      {"a\nb", nil, func(err error) { require.ErrorContains(t, err, "not sent: authenticating: the proof must ") }},
		"no proof today": {"", failure, func(err error) { require.ErrorIs(t, err, failure) }},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			auth, err := qredo.NewProofAuth(func(string, string, []byte, time.Time) (string, error) {
				asked++
				return tc.proof, tc.err
			})
			require.NoError(t, err)
			client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithHTTPClient(&http.Client{Transport: clienttest.RefuseAll(t)}))
			require.NoError(t, err)
			_, err = client.SigningAgent.GetMessages(t.Context(), clienttest.CoreActionID)
			tc.check(err)
			require.Equal(t, 1, asked, "what failed before sending is not sent again")
		})
	}
}

// Any success is a vote that was taken, as agents have always had it: with nothing said, too. An answer that says otherwise, or that is none
// of a service, is not.
func TestAgentVotesAnswers(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		taken  bool
	}{
		{200, "", true},
		{201, "{}", true},
		{202, " \n", true},
		{204, "", true},
		{200, `{"messages":["aa"]}`, true},
		{200, `{"status":"approved"}`, true},
		{200, `{"code":200,"msg":"OK"}`, true},
		{200, `{"id":"` + string(clienttest.CoreActionID) + `"}`, true},
		{200, `{"code":409,"msg":"Conflict"}`, false},
		{200, `{"code":"x"}`, false},
		{200, `{"id":"another"}`, false},
		{200, "<html>sign in</html>", false},
		{302, "", false},
		{409, "", false},
	} {
		agent := clienttest.NewClient(t, clienttest.AnswerWith(tc.status, tc.body)).SigningAgent
		for _, err := range []error{
			agent.Approve(t.Context(), clienttest.CoreActionID, []string{clienttest.HexOf(10)}, qredo.WithoutRetry()),
			agent.Reject(t.Context(), clienttest.CoreActionID, qredo.WithoutRetry()),
		} {
			switch tc.taken {
			case true:
				require.NoError(t, err, tc)
			default:
				require.ErrorIs(t, err, qredo.ErrOutcomeUnknown, tc)
			}
		}
	}
}
