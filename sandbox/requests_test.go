package sandbox_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// latest is the detail of the latest request.
func latest(t *testing.T, s *sandbox.Sandbox) sandbox.RequestDetail {
	t.Helper()
	list, err := s.Requests(sandbox.RequestFilter{Limit: 1})
	require.NoError(t, err)
	require.NotEmpty(t, list.Requests)
	detail, err := s.Request(list.Requests[0].ID)
	require.NoError(t, err)
	assert.Equal(t, list.Requests[0], detail.RequestRecord)
	return detail
}

func TestRequestsAreLogged(t *testing.T) {
	srv := startServer(t)
	client := srv.Client()
	ctx := t.Context()
	company, err := client.Companies.Create(ctx, qredo.CompanyRequest{Name: "Acme Söhne", City: "Paris", Country: "FR", Domain: "acme.example", Ref: "acme"})
	require.NoError(t, err)
	d := latest(t, srv.Sandbox)
	assert.Equal(t, "POST /company", d.Operation)
	assert.Equal(t, []any{"POST", srv.BaseURL() + "/company", 200, "partner", "sent", ""}, []any{d.Method, d.URL, d.Status, d.API, d.Answer, d.Reason})
	assert.Contains(t, d.RequestBody, "Acme Söhne")
	assert.Contains(t, d.AnswerBody, string(company.ID))
	assert.Equal(t, []sandbox.RequestAbout{{Kind: "company", ID: string(company.ID)}}, d.About)
	assert.Regexp(t, "^…[0-9a-f]{4}$", d.Key)
	assert.WithinDuration(t, srv.Now(), d.At, time.Minute)
	assert.Equal(t, time.UTC, d.At.Location())

	_, err = client.Companies.Get(ctx, "nobody")
	require.ErrorIs(t, err, qredo.ErrNotFound)
	d = latest(t, srv.Sandbox)
	assert.Equal(t, []any{"GET /company/{company_id}", 404, "no such company"}, []any{d.Operation, d.Status, d.Reason})
	assert.Empty(t, d.About, "what there is not is nothing to go to")
	_, err = srv.QAPIClient().Balance.Get(ctx)
	require.NoError(t, err)
	d = latest(t, srv.Sandbox)
	assert.Equal(t, []any{"GET /qapi/v1/balance", "qapi"}, []any{d.Operation, d.API})

	_, err = srv.State()
	require.NoError(t, err)
	_, err = srv.Control().State(ctx)
	require.NoError(t, err)
	list, err := srv.Requests(sandbox.RequestFilter{})
	require.NoError(t, err)
	assert.Equal(t, 3, list.Total, "control calls are none")
	over, err := srv.Control().Requests(ctx, sandbox.RequestFilter{})
	require.NoError(t, err)
	assert.Equal(t, list, over)
	one, err := srv.Control().Request(ctx, list.Requests[2].ID)
	require.NoError(t, err)
	assert.Contains(t, one.RequestBody, "Acme Söhne")
	_, err = srv.Control().Request(ctx, 4711)
	require.ErrorIs(t, err, qredo.ErrNotFound)

	require.NoError(t, srv.Control().ClearRequests(ctx))
	list, err = srv.Requests(sandbox.RequestFilter{})
	require.NoError(t, err)
	assert.Empty(t, list.Requests)
}

func TestRequestsAreFoundByWhatTheyAre(t *testing.T) {
	srv := startServer(t)
	client := srv.Client()
	for _, name := range []string{"Alpha", "Beta", "Gamma"} {
		_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: name, City: "Paris", Country: "FR", Domain: "acme.example", Ref: name})
		require.NoError(t, err)
	}
	_, err := client.Companies.Get(t.Context(), "nobody")
	require.Error(t, err)
	_, err = client.Assets.List(t.Context())
	require.NoError(t, err)
	no := false
	for _, c := range []struct {
		filter sandbox.RequestFilter
		ids    []uint64
	}{
		{sandbox.RequestFilter{}, []uint64{5, 4, 3, 2, 1}},
		{sandbox.RequestFilter{Search: "BETA"}, []uint64{2}},
		{sandbox.RequestFilter{Search: "/assets"}, []uint64{5}},
		{sandbox.RequestFilter{Search: "4xx"}, []uint64{4}},
		{sandbox.RequestFilter{Search: "nobody"}, []uint64{4}},
		{sandbox.RequestFilter{Search: "no such company"}, []uint64{4}},
		{sandbox.RequestFilter{Search: "nothing like it"}, nil},
		{sandbox.RequestFilter{Status: "404"}, []uint64{4}},
		{sandbox.RequestFilter{Status: "2xx"}, []uint64{5, 3, 2, 1}},
		{sandbox.RequestFilter{Refused: true}, []uint64{4}},
		{sandbox.RequestFilter{Reads: &no}, []uint64{3, 2, 1}},
		{sandbox.RequestFilter{Reads: &no, Search: "gamma"}, []uint64{3}},
	} {
		list, err := srv.Requests(c.filter)
		require.NoError(t, err)
		var ids []uint64
		for _, r := range list.Requests {
			ids = append(ids, r.ID)
		}
		assert.Equal(t, c.ids, ids, "%+v", c.filter)
		assert.Equal(t, len(c.ids), list.Total)
		assert.Zero(t, list.Next)
	}
	first, err := srv.Requests(sandbox.RequestFilter{Limit: 2})
	require.NoError(t, err)
	assert.Equal(t, []any{5, uint64(4)}, []any{first.Total, first.Next})
	second, err := srv.Requests(sandbox.RequestFilter{Limit: 3, After: first.Next})
	require.NoError(t, err)
	assert.Equal(t, []any{5, 3, uint64(0)}, []any{second.Total, len(second.Requests), second.Next})
	for _, bad := range []sandbox.RequestFilter{{Limit: 501}, {Limit: -1}, {Status: "6xx"}, {Status: "4x"}, {Status: "many"}} {
		_, err := srv.Requests(bad)
		require.ErrorIs(t, err, qredo.ErrBadRequest)
	}
	b := enter(t, srv)
	for _, query := range []string{"limit=501", "limt=1", "status=1", "after=x", "limit=1;reads=false"} {
		assert.Equal(t, http.StatusBadRequest, b.get("/console/api/requests?"+query).StatusCode, query)
	}
}

func TestRequestsSayWhichFaultHit(t *testing.T) {
	for kind, want := range map[sandbox.FaultKind]struct {
		status, handled int
		answer, body    string
	}{
		sandbox.FaultDropRequest: {0, 0, "not_sent", ""}, sandbox.FaultDropAnswer: {0, 200, "not_sent", "company_id"},
		sandbox.FaultCutBody: {200, 200, "cut", "company_id"}, sandbox.FaultServerError: {500, 500, "sent", "as asked for"},
		sandbox.FaultErrorHandled: {500, 200, "replaced", "company_id"}, sandbox.FaultRateLimit: {429, 429, "sent", "as asked for"},
		sandbox.FaultHTML: {502, 200, "replaced", "company_id"}, sandbox.FaultNoTxID: {200, 200, "replaced", "company_id"},
		sandbox.FaultSkewedDate: {200, 200, "sent", "company_id"}, sandbox.FaultDelay: {200, 200, "sent", "company_id"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			srv := startServer(t)
			require.NoError(t, srv.SetFaults(1, sandbox.FaultRule{Kind: kind, Rate: 1, Times: 1}))
			_, _ = srv.Client().Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme", City: "Paris", Country: "FR", Domain: "acme.example", Ref: "acme"})
			list, err := srv.Requests(sandbox.RequestFilter{Limit: 10})
			require.NoError(t, err)
			require.NotEmpty(t, list.Requests)
			d, err := srv.Request(list.Requests[len(list.Requests)-1].ID) // a client may have tried again
			require.NoError(t, err)
			assert.Equal(t, kind, d.Fault)
			assert.Equal(t, []any{want.status, want.handled, want.answer}, []any{d.Status, d.HandledStatus, d.Answer})
			assert.Contains(t, d.AnswerBody, want.body)
			if kind == sandbox.FaultHTML {
				assert.Contains(t, *d.SentBody, "Bad Gateway")
			}
		})
	}
}

func TestLiveTellsOfRequests(t *testing.T) {
	srv := startServer(t)
	b := enter(t, srv)
	resp := b.get("/console/api/live")
	assert.Equal(t, "text/event-stream", resp.Header.Get("Content-Type"))
	lines := bufio.NewScanner(resp.Body)
	next := func() string {
		require.True(t, lines.Scan(), "%v", lines.Err())
		return lines.Text()
	}
	assert.Equal(t, ": live", next())
	assert.Empty(t, next())
	_, err := srv.Client().Companies.Get(t.Context(), "nobody")
	require.Error(t, err)
	assert.Equal(t, "event: request", next())
	data, found := strings.CutPrefix(next(), "data: ")
	require.True(t, found)
	var told sandbox.RequestRecord
	require.NoError(t, json.Unmarshal([]byte(data), &told))
	assert.Equal(t, latest(t, srv.Sandbox).RequestRecord, told)
	assert.Empty(t, next())
	require.NoError(t, srv.Reset())
	assert.Equal(t, "event: reset", next())
	require.NoError(t, srv.Close())
	for lines.Scan() {
	}
	t.Run("lists", func(t *testing.T) {
		srv := startServer(t)
		b := enter(t, srv)
		for path, want := range map[string]string{"requests": "event: request", "events": "event: change"} {
			lines := bufio.NewScanner(b.send("GET", "/console/api/"+path, "", []string{"Accept", "text/event-stream"}).Body)
			require.True(t, lines.Scan())
			_, err := srv.Client().Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme"})
			require.NoError(t, err)
			require.True(t, lines.Scan())
			require.True(t, lines.Scan())
			assert.Equal(t, want, lines.Text(), "and nothing else")
		}
	})
	assert.Equal(t, http.StatusForbidden, func() int {
		other := startServer(t)
		return enter(t, other).send("GET", "/console/api/live", "", []string{"Origin", "https://evil.example"}).StatusCode
	}())
}

func TestRefusedSignaturesAreExplained(t *testing.T) {
	srv := startServer(t)
	b := newBrowser(t, srv)
	sign := func(target, body string) []string {
		req, err := http.NewRequest(http.MethodPost, target, nil)
		require.NoError(t, err)
		require.NoError(t, srv.Auth().Authenticate(req, []byte(body), time.Now()))
		var headers []string
		for name := range req.Header {
			headers = append(headers, name, req.Header.Get(name))
		}
		return headers
	}
	target := srv.BaseURL() + "/company"
	const body = `{"name":"Acme"}`
	assert.Equal(t, http.StatusUnauthorized, b.send("POST", target, body, sign(target+"/", body)).StatusCode)
	d := latest(t, srv.Sandbox)
	require.NotNil(t, d.Explanation)
	require.Len(t, d.Explanation.Differences, 1)
	assert.Equal(t, "url", d.Explanation.Differences[0].Part)
	assert.Equal(t, []sandbox.TextRun{{Text: "/", Differs: true}}, d.Explanation.Signed[1:2])
	require.NoError(t, srv.Advance(24*time.Hour))
	assert.Equal(t, d.Explanation, latest(t, srv.Sandbox).Explanation, "as it was then")

	nonced := func() []string {
		auth := *srv.Auth()
		headers := sign(target, body)
		signature, err := auth.Sign("once", target, []byte(body))
		require.NoError(t, err)
		return []string{"X-Api-Key", headers[slices.Index(headers, "X-Api-Key")+1], "x-nonce", "once", "x-sign", signature}
	}
	assert.Equal(t, http.StatusOK, b.send("POST", target, body, nonced()).StatusCode)
	assert.Nil(t, latest(t, srv.Sandbox).Explanation)
	assert.Equal(t, http.StatusUnauthorized, b.send("POST", target, body, nonced()).StatusCode)
	d = latest(t, srv.Sandbox)
	require.Len(t, d.Explanation.Differences, 1)
	assert.Contains(t, d.Explanation.Differences[0].Found, "used before")

	b.send("GET", srv.QAPIBaseURL()+"/balance", "", []string{"qredo-api-key", "nobody"})
	assert.Equal(t, "key", latest(t, srv.Sandbox).Explanation.Differences[1].Part)
	b.send("POST", srv.BaseURL()+"/coreclient/finish", "{}", []string{"x-api-zkp", "00"})
	assert.Equal(t, "proof", latest(t, srv.Sandbox).Explanation.Differences[0].Part)
	b.send("GET", srv.URL()+"/nowhere", "", nil)
	assert.Equal(t, "key", latest(t, srv.Sandbox).Explanation.Differences[1].Part)
}

func TestExplanationsOfLoggedRequestsHaveNoSecrets(t *testing.T) {
	srv := startServer(t)
	const secret = "c2VjcmV0c2VjcmV0c2VjcmV0"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.BaseURL()+"/company?token="+secret, strings.NewReader(`{"client_secret":"`+secret+`"}`))
	require.NoError(t, err)
	require.NoError(t, srv.Auth().Authenticate(req, []byte(`{"client_secret": "`+secret+`"}`), srv.Now()))
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	d := latest(t, srv.Sandbox)
	require.NotNil(t, d.Explanation)
	require.NotEmpty(t, d.Explanation.Signed)
	text, err := json.Marshal(d)
	require.NoError(t, err)
	assert.NotContains(t, string(text), secret)
}
