package qredo_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"strconv"
	"unicode"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// sentinels are all that an error can be told apart by.
var sentinels = map[string]error{
	"bad request": qredo.ErrBadRequest, "unauthorized": qredo.ErrUnauthorized, "bad signature": qredo.ErrBadSignature,
	"forbidden": qredo.ErrForbidden, "not found": qredo.ErrNotFound, "conflict": qredo.ErrConflict,
	"rate limited": qredo.ErrRateLimited, "server": qredo.ErrServer, "bad answer": qredo.ErrBadAnswer,
}

// requireSentinels asserts which sentinels an error matches: those named, and no other.
func requireSentinels(t *testing.T, err error, names ...string) {
	t.Helper()
	var matched []string
	for name, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			matched = append(matched, name)
		}
	}
	require.ElementsMatch(t, names, matched, "%v", err)
}

// All unsuccessful responses, by what the service or a proxy in front of it says.
func TestErrorAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		status      int
		body        string
		code        int
		msg, reason string
		sentinels   []string
		says        string
	}{
		"signature":          {401, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"signature"}}`, 401, "errPartnerAuth", "signature", []string{"unauthorized", "bad signature"}, "401 Unauthorized: errPartnerAuth (signature); check that the private key"},
		"proof":              {401, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"proof"}}`, 401, "errPartnerAuth", "proof", []string{"unauthorized"}, "identity and PIN"},
		"code twice":         {400, `{"code":400,"Code":1,"msg":"no"}`, 1, "no", "", []string{"bad request"}, "400 Bad Request: no"},
		"code as text":       {401, `{"code":"401","msg":"Unauthorized","detail":{"reason":"empty token"}}`, 401, "Unauthorized", "empty token", []string{"unauthorized"}, "knows the API key"},
		"without detail":     {400, `{"code":400,"msg":"bad field"}`, 400, "bad field", "", []string{"bad request"}, "400 Bad Request: bad field"},
		"detail is null":     {400, `{"code":400,"msg":"m","detail":null}`, 400, "m", "", []string{"bad request"}, ": m"},
		"detail is text":     {403, `{"code":403,"msg":"m","detail":"no such permission"}`, 403, "m", "no such permission", []string{"forbidden"}, "(no such permission); ask for the permission"},
		"detail is a list":   {404, `{"code":404,"msg":"m","detail":["a"]}`, 404, "m", "", []string{"not found"}, "404 Not Found: m"},
		"reason is a number": {409, `{"code":409,"msg":"m","detail":{"reason":7}}`, 409, "m", "7", []string{"conflict"}, "(7)"},
		"reason is absent":   {409, `{"code":409,"msg":"m","detail":{}}`, 409, "m", "", []string{"conflict"}, ": m"},
		"capital keys":       {404, `{"Code":404,"Msg":"gone","Detail":{"Reason":"r"}}`, 404, "gone", "r", []string{"not found"}, "gone (r)"},
		"code of its own":    {400, `{"code":10023,"msg":"m"}`, 10023, "m", "", []string{"bad request"}, ": m"},
		"code no number":     {400, `{"code":"E_FIELD","msg":"m"}`, 0, "m", "", []string{"bad request"}, ": m"},
		"code with fraction": {400, `{"code":1.5,"msg":"m"}`, 0, "m", "", []string{"bad request"}, ": m"},
		"only a message":     {404, `{"msg":"gone"}`, 0, "gone", "", []string{"not found"}, "404 Not Found: gone"},
		"other shape":        {422, `{"error":"nope"}`, 0, "", "", nil, `422 Unprocessable Entity: body starts "{\"error\":\"nope\"}"`},
		"list":               {400, `[1]`, 0, "", "", []string{"bad request"}, `body starts "[1]"`},
		"text in JSON":       {400, `"nope"`, 0, "", "", []string{"bad request"}, `body starts`},
		"cut JSON":           {400, `{"code":400,"msg":"m`, 0, "", "", []string{"bad request"}, `body starts`},
		"no JSON":            {401, "Unauthorized\n", 0, "", "", []string{"unauthorized"}, `body starts "Unauthorized\n"`},
		"empty":              {404, "", 0, "", "", []string{"not found"}, "404 Not Found"},
		"blank":              {404, " \n", 0, "", "", []string{"not found"}, "404 Not Found"},
		"too many":           {429, `{"code":429,"msg":"slow down"}`, 429, "slow down", "", []string{"rate limited"}, "send fewer requests"},
		"HTML":               {502, clienttest.HTML502, 0, "", "", []string{"server"}, `502 Bad Gateway: body starts "<html>\r\n<head>`},
		"service fault":      {500, `{"code":500,"msg":"oops"}`, 500, "oops", "", []string{"server"}, ": oops"},
		"last of them":       {599, ``, 0, "", "", []string{"server"}, "599"},
		"redirect":           {302, `<a href="https://elsewhere.example">Found</a>`, 0, "", "", nil, "redirects are not followed"},
		"not modified":       {304, "", 0, "", "", nil, "304"},
		"teapot":             {418, "", 0, "", "", nil, "418 I'm a teapot"},
		"lines in a message": {400, `{"code":400,"msg":"a\r\nlevel=error b\u0000\u001b[31m"}`, 400, "a  level=error b  [31m", "", []string{"bad request"}, ": a  level=error b  [31m"},
	} {
		t.Run(name, func(t *testing.T) {
			client := clienttest.NewClient(t, clienttest.AnswerWith(tc.status, tc.body))
			got, err := client.Companies.Get(t.Context(), clienttest.CompanyID)
			require.Nil(t, got)
			e := clienttest.RequireError(t, err)
			require.Equal(t, tc.status, e.StatusCode)
			require.Equal(t, tc.code, e.Code)
			require.Equal(t, tc.msg, e.Msg)
			require.Equal(t, tc.reason, e.Reason)
			require.Equal(t, tc.body, string(e.Body))
			require.Equal(t, "GET", e.Method)
			require.Equal(t, "/company/"+clienttest.CompanyID, e.Path)
			require.Equal(t, 1, e.Attempts)
			requireSentinels(t, err, tc.sentinels...)
			require.Contains(t, err.Error(), "qredo: GET /company/"+clienttest.CompanyID+": ")
			require.Contains(t, err.Error(), tc.says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

// A success that cannot be understood is an error that keeps the answer.
func TestBadAnswers(t *testing.T) {
	history := func(amount string) string { return `{"history":[{"amount":1},{"amount":` + amount + `}]}` }
	for name, tc := range map[string]struct{ body, says string }{
		"empty":             {"", "the body is empty"},
		"blank":             {" \r\n", "the body is empty"},
		"HTML":              {"<html>Sign in</html>", "not JSON at byte 1"},
		"cut JSON":          {`{"history":[{"amount":1}`, "not JSON"},
		"two documents":     {`{} {}`, "not JSON"},
		"other type":        {`[]`, "is not an object"},
		"text":              {`"OK"`, "is not an object"},
		"over 64 bits":      {history("9223372036854775808"), "history[1].amount: 9223372036854775808 does not fit in 64 bits"},
		"under 64 bits":     {history(`"-9223372036854775809"`), "history[1].amount: -9223372036854775809 does not fit in 64 bits"},
		"fraction":          {history("1.5"), "history[1].amount: 1.5 is not a whole number"},
		"fraction as text":  {history(`"1.5"`), "history[1].amount: 1.5 is not a whole number"},
		"figure of letters": {history(`"1 BTC"`), "history[1].amount: is not a number"},
		"boolean":           {history(`true`), "history[1].amount: is not a number"},
		"object for text":   {`{"history":[{"asset":{"code":"BTC"}}]}`, "history[0].asset: is not text"},
		"text for a list":   {`{"history":"none"}`, "history: is not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			client := clienttest.NewClient(t, clienttest.AnswerWith(200, tc.body))
			got, err := client.Wallets.ListHistory(t.Context(), clienttest.WalletID, qredo.HistoryOptions{})
			require.Nil(t, got)
			e := clienttest.RequireError(t, err)
			require.Equal(t, 200, e.StatusCode)
			require.Equal(t, tc.body, string(e.Body))
			require.Zero(t, e.Code)
			requireSentinels(t, err, "bad answer")
			require.Contains(t, err.Error(), tc.says)
			require.Error(t, errors.Unwrap(err))
		})
	}
}

// Answers that are useless without an ID are refused when it is missing.
func TestAnswersWithoutID(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, `{"code":200,"msg":"OK","id":null}`))
	ctx := t.Context()
	for field, call := range map[string]func() error{
		"company_id (create)": func() error { _, err := client.Companies.Create(ctx, clienttest.Acme); return err },
		"company_id (update)": func() error {
			_, err := client.Companies.Update(ctx, "c", qredo.CompanyUpdate{City: "Lyon"})
			return err
		},
		"fund_id": func() error { _, err := client.Funds.Get(ctx, "c", "f"); return err },
		"fund_id (create)": func() error {
			_, err := client.Funds.Create(ctx, "c", qredo.FundRequest{Name: "F"})
			return err
		},
		"wallet_id":         func() error { _, err := client.Wallets.Get(ctx, "w"); return err },
		"txID":              func() error { _, err := client.Transfers.Get(ctx, "c", "t"); return err },
		"txID (withdrawal)": func() error { _, err := client.Transfers.GetWithdrawal(ctx, "c", "t"); return err },
	} {
		err := call()
		requireSentinels(t, err, "bad answer")
		name, _, _ := strings.Cut(field, " ")
		require.ErrorContains(t, err, name+": is missing")
	}
}

func TestBodyOverTheLimit(t *testing.T) {
	const body = `{"name":"0123456789"}`
	for name, tc := range map[string]struct {
		limit  int64
		status int
		names  []string
	}{
		"success": {10, 200, []string{"bad answer"}},
		"failure": {10, 502, []string{"server"}},
	} {
		t.Run(name, func(t *testing.T) {
			client := clienttest.NewClient(t, clienttest.AnswerWith(tc.status, body), qredo.WithMaxResponse(tc.limit))
			_, err := client.Companies.Get(t.Context(), "c")
			e := clienttest.RequireError(t, err)
			require.Equal(t, tc.status, e.StatusCode)
			require.Equal(t, body[:10], string(e.Body))
			requireSentinels(t, err, tc.names...)
			require.ErrorContains(t, err, "longer than the limit of 10 bytes")
		})
	}
	client := clienttest.NewClient(t, clienttest.AnswerWith(200, body), qredo.WithMaxResponse(int64(len(body))))
	_, err := client.Companies.Get(t.Context(), "c")
	require.NoError(t, err, "a body of exactly the limit is read")
}

// Of a long body the start is kept.
func TestErrorKeepsTheStartOfTheBody(t *testing.T) {
	body := "start" + strings.Repeat("x", 1<<20)
	_, err := clienttest.NewClient(t, clienttest.AnswerWith(502, body)).Companies.Get(t.Context(), "c")
	e := clienttest.RequireError(t, err)
	require.Equal(t, body[:4<<10], string(e.Body))
	require.Less(t, len(err.Error()), 400)
}

// loopbackClient calls a real server on this machine.
func loopbackClient(t *testing.T, url string) *qredo.Client {
	t.Helper()
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(url), qredo.WithRetry(clienttest.Once))
	require.NoError(t, err)
	return client
}

func serve(t *testing.T, handler http.HandlerFunc) *qredo.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return loopbackClient(t, server.URL)
}

// A body shorter than announced is not mistaken for a whole one, even where it is JSON.
func TestCutBody(t *testing.T) {
	for _, status := range []int{200, 502} {
		client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"company_id":"c"}`)
		})
		_, err := client.Companies.Get(t.Context(), "c")
		e := clienttest.RequireError(t, err)
		require.Equal(t, status, e.StatusCode)
		require.Equal(t, `{"company_id":"c"}`, string(e.Body))
		require.ErrorContains(t, err, "the body is cut")
		if status == 200 {
			requireSentinels(t, err, "bad answer")
		} else {
			requireSentinels(t, err, "server")
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		requests := 0
		client := serve(t, func(w http.ResponseWriter, req *http.Request) {
			requests++
			if req.URL.Path == "/company" {
				http.Redirect(w, req, "/elsewhere", status)
			}
		})
		_, err := client.Companies.Create(t.Context(), clienttest.Acme)
		require.Equal(t, status, clienttest.RequireError(t, err).StatusCode)
		requireSentinels(t, err)
		require.Equal(t, 1, requests)
	}
}

// The caller's HTTP client may say otherwise: the URL is signed, so it is not asked, and not changed.
func TestRedirectsAreNotFollowedByTheCallersClient(t *testing.T) {
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		requests++
		if req.URL.Path == "/assets" {
			http.Redirect(w, req, "/elsewhere", http.StatusFound)
		}
	}))
	defer server.Close()
	own := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	client, err := qredo.NewClient(clienttest.NewAuth(t), qredo.WithBaseURL(server.URL), qredo.WithHTTPClient(own))
	require.NoError(t, err)
	_, err = client.Assets.List(t.Context())
	require.Equal(t, http.StatusFound, clienttest.RequireError(t, err).StatusCode)
	require.Equal(t, 1, requests)
	require.NoError(t, own.CheckRedirect(nil, nil))
}

// What goes wrong on the way is not an answer: it is the transport's error, in its own type.
func TestTransportErrors(t *testing.T) {
	requireTransport := func(t *testing.T, err, target error) {
		t.Helper()
		require.ErrorIs(t, err, target)
		var e *qredo.Error
		require.NotErrorAs(t, err, &e)
		require.ErrorContains(t, err, "qredo: GET /assets: ")
		requireSentinels(t, err)
	}
	t.Run("refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, listener.Close())
		_, err = loopbackClient(t, "http://"+listener.Addr().String()).Assets.List(t.Context())
		requireTransport(t, err, syscall.ECONNREFUSED)
		var operation *net.OpError
		require.ErrorAs(t, err, &operation)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		client := serve(t, func(_ http.ResponseWriter, req *http.Request) {
			cancel()
			<-req.Context().Done()
		})
		_, err := client.Assets.List(ctx)
		requireTransport(t, err, context.Canceled)
	})
	t.Run("cancelled before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent") }).Assets.List(ctx)
		requireTransport(t, err, context.Canceled)
	})
	t.Run("own", func(t *testing.T) {
		own := errors.New("no route")
		client := clienttest.NewClient(t, clienttest.RoundTrip(func(*http.Request) (*http.Response, error) { return nil, own }))
		_, err := client.Assets.List(t.Context())
		requireTransport(t, err, own)
	})
}

// Whoever gives no base URL calls a host that is gone, and should hear why.
func TestRetiredServiceIsNamed(t *testing.T) {
	gone := clienttest.NewClient(t, clienttest.RoundTrip(func(*http.Request) (*http.Response, error) { return nil, clienttest.ErrReset }), qredo.WithEnvironment(qredo.EnvironmentProduction))
	_, err := gone.Companies.Get(t.Context(), "c", qredo.WithoutRetry())
	require.ErrorIs(t, err, clienttest.ErrReset)
	require.ErrorContains(t, err, "the hosted service is retired")
	own := clienttest.NewClient(t, clienttest.RoundTrip(func(*http.Request) (*http.Response, error) { return nil, clienttest.ErrReset }), qredo.WithBaseURL("https://example.com"))
	_, err = own.Companies.Get(t.Context(), "c", qredo.WithoutRetry())
	require.NotContains(t, err.Error(), "retired")
}

// Only what may have been carried out, and cannot just be sent again, is to be looked for.
func TestServerErrorOfAWriteSaysWhatToDo(t *testing.T) {
	client := clienttest.NewClient(t, clienttest.AnswerWith(500, `{"code":500,"msg":"oops"}`))
	_, err := client.Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme"})
	require.ErrorContains(t, err, "it may have been carried out")
	_, err = client.Companies.Get(t.Context(), "c")
	require.NotContains(t, err.Error(), "carried out")
}

// Any unsuccessful response gives an *Error with its status and one line of text.
func FuzzErrorBody(f *testing.F) {
	for _, body := range []string{
		"", clienttest.HTML502, `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"signature"}}`, `{"code":"401","msg":"m","detail":"d"}`,
		`{"code":1.5,"msg":null,"detail":[]}`, `{"msg":"a\nb\u0000"}`, `{"code":9223372036854775807}`, "\xff\xfe", `[[[[`, `{"detail":{"reason":{"a":1}}}`,
	} {
		f.Add(401, body)
		f.Add(502, body)
	}
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 300 || status > 999 {
			return // no answer has such a status, or it is a success
		}
		_, err := clienttest.NewClient(t, clienttest.AnswerWith(status, body)).Assets.List(t.Context())
		var e *qredo.Error
		if !errors.As(err, &e) || e.StatusCode != status {
			t.Fatalf("%d %q: %v", status, body, err)
		}
		if !strings.HasPrefix(body, string(e.Body)) || len(e.Body) < min(len(body), 1024) {
			t.Fatalf("%q keeps %q", body, e.Body)
		}
		if !strings.Contains(err.Error(), strconv.Itoa(status)) || strings.IndexFunc(err.Error(), unicode.IsControl) >= 0 {
			t.Fatalf("the error is not a line of text with the status: %q", err)
		}
	})
}
