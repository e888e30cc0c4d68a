package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// serve answers control calls on a diary below /v1.
func (d *diary) serve(t *testing.T) control.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, err := calls.Serve(d, w, r, strings.TrimPrefix(r.URL.EscapedPath(), "/v1"))
		if refusal := (*control.Refusal)(nil); errors.As(err, &refusal) {
			http.Error(w, refusal.Reason, refusal.Status)
			return
		}
		if answer != nil {
			assert.NoError(t, json.NewEncoder(w).Encode(answer))
		}
	}))
	t.Cleanup(srv.Close)
	return control.Client{Base: srv.URL + "/v1", Refused: refused}
}

// refusal is the error of a call that was refused.
type refusal struct {
	call, answer string
	status       int
}

func (r refusal) Error() string { return fmt.Sprint(r.call, " ", r.status, " ", r.answer) }

func refused(call string, status int, answer []byte) (own bool, err error) {
	return !strings.HasPrefix(string(answer), "<"), refusal{call, string(answer), status}
}

func TestClientAndServerHoldToTheSame(t *testing.T) {
	d := &diary{}
	c := d.serve(t)
	ctx := t.Context()
	// IDs arrive as they are, whatever they say.
	for _, id := range []string{"alice", "a/b", "%2e", "a b", "a?b#c", "é"} {
		require.NoError(t, say.Tell(ctx, c, remark{Text: "hello"}, id, "noon"))
	}
	got, err := read.Ask(ctx, c, control.None{})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"alice at noon: hello", "a/b at noon: hello", "%2e at noon: hello", "a b at noon: hello", "a?b#c at noon: hello", "é at noon: hello",
	}, got)
	same, err := repeat.Ask(ctx, c, remark{"x", 7})
	require.NoError(t, err)
	assert.Equal(t, remark{"x", 7}, same)
	for _, asked := range []listing{{}, {Search: "a&b=c ä"}, {Reads: true, window: window{After: "7", Limit: 500}}} {
		got, err := list.Ask(ctx, c, asked, "x")
		require.NoError(t, err)
		asked.Search = "x" + asked.Search
		assert.Equal(t, asked, got)
	}
	for _, asked := range []listing{{}, {Search: "a&b=c ä"}, {Reads: true, window: window{After: "7", Limit: 500}}} {
		got, err := list.Ask(ctx, c, asked, "x")
		require.NoError(t, err)
		asked.Search = "x" + asked.Search
		assert.Equal(t, asked, got)
	}
	require.NoError(t, wipe.Tell(ctx, c, control.None{}))
	assert.Empty(t, d.said)
}

func TestClientTellsWhatWentWrong(t *testing.T) {
	c := (&diary{}).serve(t)
	_, err := unserved.Ask(t.Context(), c, control.None{})
	assert.Equal(t, refusal{"GET " + c.Base + "/unserved", "no such control call", http.StatusNotFound}, err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, wipe.Tell(ctx, c, control.None{}), context.Canceled)
	require.Error(t, wipe.Tell(t.Context(), control.Client{Base: "http://a b"}, control.None{}))
}

func TestWhatMayHaveBeenCarriedOutIsSaid(t *testing.T) {
	for answer, want := range map[string]struct{ write, read error }{
		"200 <html>": {qredo.ErrOutcomeUnknown, qredo.ErrBadAnswer}, "303 ": {qredo.ErrOutcomeUnknown, nil}, "408 own": {qredo.ErrOutcomeUnknown, nil},
		"403 own": {}, "403 <html>": {qredo.ErrOutcomeUnknown, nil}, "500 own": {qredo.ErrOutcomeUnknown, nil}, "cut": {qredo.ErrOutcomeUnknown, qredo.ErrBadAnswer},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/")
			if answer == "cut" {
				w.Header().Set("Content-Length", "10")
				return
			}
			status, body, _ := strings.Cut(answer, " ")
			code, _ := strconv.Atoi(status)
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}))
		c := control.Client{Base: srv.URL, Refused: refused}
		told, err := read.Ask(t.Context(), c, control.None{})
		assert.Empty(t, told)
		asked := wipe.Asking().Tell(t.Context(), c, control.None{})
		for _, err := range []error{err, asked} {
			require.Error(t, err, answer)
			require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown, answer)
			if want.read != nil {
				require.ErrorIs(t, err, want.read, answer)
			}
		}
		for _, err := range []error{wipe.Tell(t.Context(), c, control.None{}), copyOut.Ask(t.Context(), c, "", nil, new(string), "x")} {
			require.Error(t, err, answer)
			assert.Equal(t, want.write != nil, errors.Is(err, qredo.ErrOutcomeUnknown), answer)
		}
		srv.Close()
		c.HTTP = &http.Client{Transport: &http.Transport{}} // with no connection that was there before
		assert.NotErrorIs(t, wipe.Tell(t.Context(), c, control.None{}), qredo.ErrOutcomeUnknown, "nobody has got it")
	}
}

// clientOf counts the requests that are made through it.
type clientOf struct{ made int }

func (c *clientOf) RoundTrip(r *http.Request) (*http.Response, error) {
	c.made++
	return http.DefaultTransport.RoundTrip(r)
}

func TestClientOfTheCallers(t *testing.T) {
	c, through := (&diary{}).serve(t), &clientOf{}
	c.HTTP = &http.Client{Transport: through}
	require.NoError(t, wipe.Tell(t.Context(), c, control.None{}))
	assert.Equal(t, 1, through.made)
}

func TestSilentConnectionsAreLeft(t *testing.T) {
	clienttest.Bubble(t, func(t *testing.T) {
		relay := clienttest.NewRelay(t)
		certificate, authority := clienttest.Certificate(t)
		relay.BecomeDefault(t, authority)
		relay.ServeTLS(t, certificate, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
		c := control.Client{Base: "https://" + clienttest.RelayHost, HTTP: control.NewDefault()}
		require.NoError(t, wipe.Tell(t.Context(), c, control.None{}))
		relay.Hush()
		hushed := time.Now()
		assert.Less(t, (<-relay.ClientLeft).Sub(hushed), 10*time.Second)
	})
}
