package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

func refused(call string, status int, answer []byte) error {
	return refusal{call, string(answer), status}
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

	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	defer page.Close()
	require.ErrorContains(t, wipe.Tell(t.Context(), control.Client{Base: page.URL}, control.None{}), "the answer", "another server")
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
