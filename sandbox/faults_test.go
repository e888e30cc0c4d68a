package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

// wired is a world on a socket, so that what happens to connections can be seen.
type wired struct {
	world
	srv    *httptest.Server
	client *http.Client
}

func newWired(t *testing.T) wired {
	t.Helper()
	noLeaks(t)
	w := withFunds(t)
	srv := httptest.NewServer(w.Sandbox)
	t.Cleanup(srv.Close)
	// A connection for each request: one that was used before is tried again by net/http when it is cut.
	return wired{w, srv, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// try sends a request and returns what came of it: the answer with as much of its body as there is.
func (w wired) try(ctx context.Context, method, path, body string) (answer, error) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(ctx, method, w.srv.URL+basePath+path, bytes.NewReader([]byte(body)))
	require.NoError(w.t, err)
	req.Header.Set("X-Api-Key", w.apiKey)
	resp, err := w.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return answer{t: w.t, Status: resp.StatusCode, Header: resp.Header, Body: data}, err
}

func (w wired) payment(partner string) string {
	w.t.Helper()
	return string(mustJSON(w.t, object{
		"wallet_id": w.treasury, "counterparty_wallet_address": w.trading, "expires": w.in(time.Hour), "partner_txID": partner,
		"send": object{"symbol": btc, "amount": 1000},
	}))
}

// setFaults sets faults in Go and over HTTP.
func (w wired) setFaults(t *testing.T) map[string]func(seed uint64, rules ...sandbox.FaultRule) error {
	t.Helper()
	control, err := sandbox.NewControl(w.srv.URL)
	require.NoError(t, err)
	return map[string]func(uint64, ...sandbox.FaultRule) error{
		"in Go": w.SetFaults,
		"over HTTP": func(seed uint64, rules ...sandbox.FaultRule) error {
			return control.SetFaults(t.Context(), seed, rules...)
		},
	}
}

const postTransfer = "POST /company/{company_id}/transfer"

func TestFaultsOnTheWireAndOnTheState(t *testing.T) {
	okBody := `{"code":200,"msg":"OK"}`
	for name, test := range map[string]struct {
		rule    sandbox.FaultRule
		handled bool
		check   func(t *testing.T, got answer, err error)
	}{
		"drop_request": {sandbox.FaultRule{Kind: sandbox.FaultDropRequest}, false, isCut},
		"drop_answer":  {sandbox.FaultRule{Kind: sandbox.FaultDropAnswer}, true, isCut},
		"cut_body": {sandbox.FaultRule{Kind: sandbox.FaultCutBody}, true, func(t *testing.T, got answer, err error) {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, 200, got.Status)
			assert.NotEmpty(t, got.Body, "a part of it came")
			assert.NotContains(t, string(got.Body), "}")
		}},
		"error_500": {sandbox.FaultRule{Kind: sandbox.FaultServerError}, false, func(t *testing.T, got answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, 500, got.Status)
			assert.JSONEq(t, `{"code":500,"msg":"Internal Server Error","detail":{"reason":"as asked for"}}`, string(got.Body))
		}},
		"error_handled": {sandbox.FaultRule{Kind: sandbox.FaultErrorHandled}, true, func(t *testing.T, got answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, 500, got.Status)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.JSONEq(t, `{"code":500,"msg":"Internal Server Error"}`, string(got.Body))
		}},
		"rate_limit": {sandbox.FaultRule{Kind: sandbox.FaultRateLimit, Delay: 2900 * time.Millisecond}, false, func(t *testing.T, got answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, 429, got.Status)
			assert.Equal(t, "2", got.Header.Get("Retry-After"), "whole seconds")
			assert.JSONEq(t, `{"code":429,"msg":"Too Many Requests","detail":{"reason":"as asked for"}}`, string(got.Body))
		}},
		"rate_limit without a pause": {sandbox.FaultRule{Kind: sandbox.FaultRateLimit}, false, func(t *testing.T, got answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, []any{429, "0"}, []any{got.Status, got.Header.Get("Retry-After")})
		}},
		"delay": {sandbox.FaultRule{Kind: sandbox.FaultDelay, Delay: time.Millisecond}, true, isNewTx},
		"html": {sandbox.FaultRule{Kind: sandbox.FaultHTML}, true, func(t *testing.T, got answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, 502, got.Status)
			assert.Equal(t, "text/html", got.Header.Get("Content-Type"))
			assert.Contains(t, string(got.Body), "<html>")
		}},
		"no_tx_id": {sandbox.FaultRule{Kind: sandbox.FaultNoTxID}, true, func(t *testing.T, got answer, err error) {
			require.NoError(t, err)
			assert.Equal(t, 200, got.Status)
			assert.Equal(t, "application/json", got.Header.Get("Content-Type"))
			assert.JSONEq(t, okBody, string(got.Body))
		}},
		"skewed_date": {sandbox.FaultRule{Kind: sandbox.FaultSkewedDate, Skew: 2 * time.Hour}, true, func(t *testing.T, got answer, err error) {
			isNewTx(t, got, err)
			assert.Equal(t, startOfTime.Add(2*time.Hour).Format(http.TimeFormat), got.Header.Get("Date"))
		}},
		"skewed_date, behind": {sandbox.FaultRule{Kind: sandbox.FaultSkewedDate, Skew: -time.Hour}, true, func(t *testing.T, got answer, err error) {
			isNewTx(t, got, err)
			assert.Equal(t, startOfTime.Add(-time.Hour).Format(http.TimeFormat), got.Header.Get("Date"))
		}},
	} {
		for _, form := range []string{"in Go", "over HTTP"} {
			t.Run(name+", "+form, func(t *testing.T) {
				w := newWired(t)
				set := w.setFaults(t)[form]
				test.rule.Operation, test.rule.Rate = postTransfer, 1
				require.NoError(t, set(1, test.rule))
				got, err := w.try(t.Context(), "POST", w.inCompany("/transfer"), w.payment("p"))
				test.check(t, got, err)
				held := map[bool]int64{true: 1001}[test.handled]
				assert.Equal(t, held, w.held(w.treasury), "handled: %t", test.handled)

				other, err := w.try(t.Context(), "GET", "/assets", "")
				require.NoError(t, err, "other operations are left alone")
				assert.Equal(t, 200, other.Status)
				assert.Equal(t, startOfTime.Format(http.TimeFormat), other.Header.Get("Date"))

				require.NoError(t, set(1))
				got, err = w.try(t.Context(), "POST", w.inCompany("/transfer"), w.payment("p"))
				require.NoError(t, err)
				status := map[bool]string{true: `"existing"`, false: `"new"`}[test.handled]
				assert.Contains(t, string(got.Body), status, "without rules nothing goes wrong any more")
				assert.EqualValues(t, 1001, w.held(w.treasury))
			})
		}
	}
}

func isCut(t *testing.T, _ answer, err error) {
	t.Helper()
	require.ErrorIs(t, err, io.EOF)
}

func isNewTx(t *testing.T, got answer, err error) {
	t.Helper()
	require.NoError(t, err)
	assert.Equal(t, 200, got.Status)
	assert.Contains(t, string(got.Body), `"new"`)
}

func TestFaultsOfRequestsThatAreRefused(t *testing.T) {
	w := newWired(t)
	w.apiKey = "nobody"
	for kind, want := range map[sandbox.FaultKind]int{
		sandbox.FaultErrorHandled: 401, sandbox.FaultNoTxID: 401, sandbox.FaultHTML: 401, sandbox.FaultSkewedDate: 401,
		sandbox.FaultServerError: 500, sandbox.FaultRateLimit: 429,
	} {
		require.NoError(t, w.SetFaults(1, sandbox.FaultRule{Kind: kind, Rate: 1, Skew: time.Hour}))
		got, err := w.try(t.Context(), "POST", w.inCompany("/transfer"), w.payment("p"))
		require.NoError(t, err)
		assert.Equal(t, want, got.Status, kind)
		if kind == sandbox.FaultSkewedDate {
			assert.Equal(t, startOfTime.Add(time.Hour).Format(http.TimeFormat), got.Header.Get("Date"), "a client learns the time from this answer")
		}
	}
	assert.Zero(t, w.held(w.treasury))
}

func TestADelayEndsWithItsClient(t *testing.T) {
	w := newWired(t)
	require.NoError(t, w.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDelay, Rate: 1, Delay: time.Hour}))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := w.try(ctx, "POST", w.inCompany("/transfer"), w.payment("p"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	w.srv.Close() // waits for the request
	assert.Zero(t, w.held(w.treasury), "it was not handled")
}

// hits tells which of so many requests were answered with 500.
func (s service) hits(n int, paths ...string) []bool {
	s.t.Helper()
	hits := make([]bool, n)
	for i := range hits {
		hits[i] = s.get(paths[i%len(paths)]).Status == http.StatusInternalServerError
	}
	return hits
}

func count(hits []bool) int {
	n := 0
	for _, hit := range hits {
		if hit {
			n++
		}
	}
	return n
}

func TestFaultsComeAtTheirRate(t *testing.T) {
	s := newService(t)
	run := func(seed uint64, rules ...sandbox.FaultRule) []bool {
		t.Helper()
		require.NoError(t, s.SetFaults(seed, rules...))
		return s.hits(1000, "/assets")
	}
	rule := sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 0.2}
	first := run(1, rule)
	assert.InDelta(t, 200, count(first), 60, "a fifth")
	assert.Equal(t, first, run(1, rule), "the same seed makes the same choices")
	assert.NotEqual(t, first, run(2, rule))
	assert.Zero(t, count(run(1, sandbox.FaultRule{Kind: sandbox.FaultServerError})))
	assert.Equal(t, 1000, count(run(1, sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 1})))

	t.Run("requests of other operations change no choice", func(t *testing.T) {
		rule.Operation = "GET /assets"
		first := run(1, rule)
		require.NoError(t, s.SetFaults(1, rule))
		mixed := s.hits(2000, "/assets", "/company/search?query=acme")
		var assets, others []bool
		for i, hit := range mixed {
			if i%2 == 0 {
				assets = append(assets, hit)
			} else {
				others = append(others, hit)
			}
		}
		assert.Equal(t, first, assets)
		assert.Zero(t, count(others))
	})
	t.Run("so often and no more", func(t *testing.T) {
		rule := sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 1, Times: 3}
		got := run(1, rule)
		assert.Equal(t, []bool{true, true, true, false}, got[:4])
		assert.Equal(t, 3, count(got))
		assert.Equal(t, 3, count(run(1, rule)), "setting them counts anew")
	})
	t.Run("the first that hits counts", func(t *testing.T) {
		require.NoError(t, s.SetFaults(1,
			sandbox.FaultRule{Kind: sandbox.FaultRateLimit, Rate: 1, Operation: postTransfer},
			sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 1, Times: 1},
			sandbox.FaultRule{Kind: sandbox.FaultRateLimit, Rate: 1, Times: 1},
			sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 0},
		))
		assert.Equal(t, []int{500, 429, 200}, []int{s.get("/assets").Status, s.get("/assets").Status, s.get("/assets").Status})
	})
	t.Run("control calls are spared", func(t *testing.T) {
		require.NoError(t, s.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropRequest, Rate: 1}))
		_, err := overHTTP(t, s.Sandbox).state()
		require.NoError(t, err)
	})
}

func TestFaultRulesAreChecked(t *testing.T) {
	w := newWired(t)
	good := sandbox.FaultRule{Kind: sandbox.FaultServerError, Rate: 1}
	for name, change := range map[string]func(r *sandbox.FaultRule){
		"no kind":               func(r *sandbox.FaultRule) { r.Kind = "" },
		"unknown kind":          func(r *sandbox.FaultRule) { r.Kind = "explode" },
		"rate below 0":          func(r *sandbox.FaultRule) { r.Rate = -0.01 },
		"rate above 1":          func(r *sandbox.FaultRule) { r.Rate = 1.01 },
		"times below 0":         func(r *sandbox.FaultRule) { r.Times = -1 },
		"delay below 0":         func(r *sandbox.FaultRule) { r.Delay = -time.Second },
		"unknown operation":     func(r *sandbox.FaultRule) { r.Operation = "GET /nothing" },
		"operation, no method":  func(r *sandbox.FaultRule) { r.Operation = "/assets" },
		"operation with an ID":  func(r *sandbox.FaultRule) { r.Operation = "GET /company/1" },
		"another method of one": func(r *sandbox.FaultRule) { r.Operation = "POST /assets" },
	} {
		for form, set := range w.setFaults(t) {
			t.Run(name+", "+form, func(t *testing.T) {
				require.NoError(t, set(1, good))
				bad := good
				change(&bad)
				require.ErrorContains(t, set(1, good, bad), "400")
				assert.Equal(t, 500, w.get("/assets").Status, "the rules are as before")
			})
		}
	}
	bad := good
	bad.Rate = math.NaN()
	require.ErrorContains(t, w.SetFaults(1, bad), "400")
	for _, operation := range []string{"GET /coreclient/feed", "GET /coreclient/{client_id}/feed", "GET /wallets/feed", "GET /liquidityhub/feed"} {
		good.Operation = operation
		require.NoError(t, w.SetFaults(1, good), "feeds are operations too")
	}
	assert.Equal(t, 500, w.get("/liquidityhub/feed").Status)
	w.get("/wallets/feed").refused(426, "WebSocket")
}

func TestFaultsOfQredoAPI(t *testing.T) {
	w := newWorld(t, withReportsKey())
	always := func(operation string) sandbox.FaultRule {
		return sandbox.FaultRule{Kind: sandbox.FaultServerError, Operation: operation, Rate: 1}
	}
	for name, set := range map[string]func(uint64, ...sandbox.FaultRule) error{
		"in Go": w.SetFaults,
		"over HTTP": func(seed uint64, rules ...sandbox.FaultRule) error {
			srv := httptest.NewServer(w.Sandbox)
			defer srv.Close()
			control, err := sandbox.NewControl(srv.URL)
			require.NoError(t, err)
			return control.SetFaults(t.Context(), seed, rules...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, operation := range []string{
				"GET /qapi/v1/account", "GET /qapi/v1/balance", "GET /qapi/v1/funds", "GET /qapi/v1/funds/{fund_id}",
				"GET /qapi/v1/funds/{fund_id}/ledger", "GET /qapi/v1/trustedparties", "GET /qapi/v1/wallet/{wallet_id}/history",
				"POST /qapi/v1/transaction", "GET /qapi/v1/transactions/{tx_id}/approvals",
				"GET /qapi/v1/transactions/{tx_id}/status", "GET /qapi/v1/transactions/feed",
			} {
				require.NoError(t, set(1, always(operation)), operation)
			}
			require.NoError(t, set(1, always("GET /qapi/v1/wallet/{wallet_id}/history")))
			w.report("/wallet/"+w.treasury+"/history").refused(500, "")
			w.report("/balance").ok()
			w.get("/wallet/" + w.treasury + "/history").ok()
			require.NoError(t, set(1, always("GET /wallet/{wallet_id}/history")))
			w.report("/wallet/" + w.treasury + "/history").ok()
			w.get("/wallet/"+w.treasury+"/history").refused(500, "")
			require.NoError(t, set(1, always("")))
			w.report("/balance").refused(500, "")
			for _, unknown := range []string{"GET /balance", "GET /qapi/v1", "POST /qapi/v1/balance", "GET /qapi/v1/company/{company_id}"} {
				require.ErrorContains(t, set(1, always(unknown)), "unknown operation")
			}
			require.NoError(t, set(1))
		})
	}
}

func TestAFaultRuleWithRateZeroIsOff(t *testing.T) {
	s := newService(t)
	require.NoError(t, s.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultServerError}))
	assert.Zero(t, count(s.hits(100, "/assets")))
}

func TestFaultsOverHTTPAreJSON(t *testing.T) {
	w := withFunds(t)
	call := func(body string) answer {
		req := httptest.NewRequest("POST", "http://127.0.0.1:8080/sandbox/v1/faults", bytes.NewReader([]byte(body)))
		req.RemoteAddr = "127.0.0.1:40000"
		return w.send(req)
	}
	call(`{"seed":1,"rules":[{"kind":"rate_limit","operation":"GET /assets","rate":1,"times":1,"delay_ms":7000}]}`).ok()
	got := w.get("/assets")
	assert.Equal(t, []any{429, "7"}, []any{got.Status, got.Header.Get("Retry-After")})
	w.get("/assets").ok()
	call(`{"rules":[{"kind":"skewed_date","rate":1,"skew_s":-60}]}`).ok()
	assert.Equal(t, startOfTime.Add(-time.Minute).Format(http.TimeFormat), w.get("/assets").ok().Header.Get("Date"))
	call(`{}`).ok()
	assert.Equal(t, startOfTime.Format(http.TimeFormat), w.get("/assets").ok().Header.Get("Date"))
	for _, body := range []string{"", "x", "[]", `{"rules":{}}`, `{"seed":-1}`, `{"rules":[{"kind":1}]}`, `{"rules":[{}]}`} {
		call(body).refused(400, "")
	}
}

// aborts runs f and reports whether it cut the connection, as net/http is told to.
func aborts(f func()) (cut bool) {
	defer func() {
		if err, isError := recover().(error); isError && errors.Is(err, http.ErrAbortHandler) {
			cut = true
		}
	}()
	f()
	return false
}

func TestFaultsOfRequestsWithoutAConnection(t *testing.T) {
	w := withFunds(t)
	require.NoError(t, w.SetFaults(1, sandbox.FaultRule{Kind: sandbox.FaultDropAnswer, Rate: 1, Times: 1}))
	assert.True(t, aborts(func() { w.transfer(nil) }))
	assert.EqualValues(t, 1001, w.held(w.treasury))
	assert.False(t, aborts(func() { w.transfer(nil) }))
}
