package signingagent_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// onFinish has requests to finish go through a function.
func (d *desk) onFinish(do func(req *http.Request, next http.RoundTripper) (*http.Response, error)) {
	d.way.set(func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/finish") {
			return do(req, next)
		}
		return next.RoundTrip(req)
	})
}

// unfinished has a registration whose last request, or the answer to it, is lost.
func unfinished(t *testing.T, lose func(req *http.Request, next http.RoundTripper) (*http.Response, error)) *desk {
	t.Helper()
	d := newWorld(t)
	d.onFinish(lose)
	_, err := signingagent.Register(t.Context(), d.rsa, d.store, "agent")
	require.Error(t, err)
	return d
}

// A service may respond in its own way to a repeated finish, and an intermediary may respond in the same way. Only the
// service can say whether the registration is finished.
func TestWhateverIsAnsweredToFinishingTwiceTheServiceIsAsked(t *testing.T) {
	type answer struct {
		status int
		body   string
	}
	for _, c := range []answer{
		{400, `{"code":400,"msg":"no"}`}, {403, `{"code":403,"msg":"no"}`}, {404, `{"code":404,"msg":"no"}`}, {409, `{"code":409,"msg":"no"}`},
		{404, "default backend - 404"}, {409, "conflict"}, {200, "{}"}, {200, "OK"}, {200, ""}, {204, ""}, {201, `{"code":200,"msg":"OK"}`}, {200, `"wss://"`},
		{500, `{"code":500,"msg":"no"}`}, {401, `{"code":401,"msg":"no"}`}, {302, ""},
	} {
		for _, before := range []bool{true, false} {
			lose := clienttest.LoseRequest
			if before {
				lose = clienttest.LoseAnswer
			}
			d := unfinished(t, lose)
			d.onFinish(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
				return clienttest.Answer(req, c.status, c.body), nil
			})
			a, err := signingagent.Open(t.Context(), d.store, signingagent.WithClient(d.rsa))
			if !before || c.status == 500 || c.status == 401 || c.status == 302 {
				require.Error(t, err, "%v", c)
				require.Contains(t, string(d.store.kept), `"finished":false`, "%v", c)
				if c.status > 299 {
					require.ErrorAs(t, err, new(*qredo.Error), "%v", c)
				} else {
					require.ErrorIs(t, err, qredo.ErrBadAnswer, "%v", c)
				}
				continue
			}
			require.NoError(t, err, "%v", c)
			requireWorks(t, a)
			require.Contains(t, string(d.store.kept), `"finished":true,"inferred":true`, "%v", c)
		}
	}
}

// Something that answers everything alike says nothing about a registration.
func TestWhatStandsInTheWayFinishesNothing(t *testing.T) {
	for _, everything := range []func(req *http.Request) *http.Response{
		func(req *http.Request) *http.Response { return clienttest.Answer(req, 404, "default backend - 404") },
		func(req *http.Request) *http.Response {
			return clienttest.Answer(req, 404, `{"message":"no Route matched"}`)
		},
		func(req *http.Request) *http.Response { return clienttest.Answer(req, 200, "<html>log in</html>") },
		func(req *http.Request) *http.Response {
			old := clienttest.Answer(req, 404, `{"code":404,"msg":"no such action"}`)
			old.Header.Set("Age", "100")
			return old
		},
	} {
		d := newWorld(t)
		inTheWay := func(req *http.Request, next http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/init") {
				return next.RoundTrip(req)
			}
			return everything(req), nil
		}
		d.way.set(inTheWay)
		_, err := signingagent.Register(t.Context(), d.rsa, d.store, "agent")
		require.Error(t, err)
		_, err = signingagent.Open(t.Context(), d.store, signingagent.WithClient(d.rsa))
		require.Error(t, err)
		assert.Contains(t, string(d.store.kept), `"finished":false`)
		d.way.set(nil)
		a, err := signingagent.Open(t.Context(), d.store, signingagent.WithClient(d.rsa))
		require.NoError(t, err)
		requireWorks(t, a)
		assert.NotContains(t, string(d.store.kept), "inferred")
	}
}

// What was inferred and is wrong is found out at the next start, and mended.
func TestWhatWasTakenForFinishedAndIsNotIsFinished(t *testing.T) {
	for name, open := range stores() {
		d := unfinished(t, clienttest.LoseRequest)
		d.way.set(func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
			return clienttest.Answer(req, 404, `{"code":404,"msg":"another service, which talks like this one"}`), nil
		})
		a, err := signingagent.Open(t.Context(), d.store, signingagent.WithClient(d.rsa))
		require.NoError(t, err)
		store := open(t.TempDir() + "/agent")
		_, err = signingagent.Import(t.Context(), d.store, store)
		require.NoError(t, err)
		for _, away := range []func(*http.Request, http.RoundTripper) (*http.Response, error){
			clienttest.LoseRequest,
			func(req *http.Request, _ http.RoundTripper) (*http.Response, error) {
				return clienttest.Answer(req, 403, "no"), nil
			},
		} {
			d.way.set(away)
			_, err = signingagent.Open(t.Context(), store, signingagent.WithClient(d.rsa))
			require.NoError(t, err, "%s: while the service is away there is no telling", name)
		}
		d.way.set(nil)
		_, err = a.Client().SigningAgent.GetMessages(t.Context(), "0123456789012345678901234567")
		require.ErrorIs(t, err, qredo.ErrForbidden)
		a, err = signingagent.Open(t.Context(), store, signingagent.WithClient(d.rsa))
		require.NoError(t, err)
		requireWorks(t, a)
		asked := d.way.count("GET", "/none")
		_, err = signingagent.Open(t.Context(), store, signingagent.WithClient(d.rsa))
		require.NoError(t, err)
		assert.Equal(t, asked, d.way.count("GET", "/none"), "%s: once the service has said so, it is not asked again", name)
	}
}
