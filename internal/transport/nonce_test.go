package transport_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

const refusedNonce = `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"nonce"}}`

// counting is an authenticator whose nonces are 1, 2, 3 …
func counting(t *testing.T, with func(func() string) qredo.RSAOption) (auth *qredo.RSAAuth, taken *atomic.Int64) {
	t.Helper()
	taken = &atomic.Int64{}
	auth, err := qredo.NewRSAAuth(clienttest.APIKey, clienttest.PrivateKey(t), with(func() string { return strconv.FormatInt(taken.Add(1), 10) }))
	require.NoError(t, err)
	return auth, taken
}

// A nonce may be refused because a copy of the request, sent by an intermediary, came first. So this is not a refusal: a
// repeatable request is repeated with a new nonce, and the outcome of any other is unknown.
func TestARefusedNonceIsNoRefusal(t *testing.T) {
	for kind, k := range kindsOfCalls {
		t.Run(kind, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				auth, _ := counting(t, qredo.WithNonce)
				var nonces []string
				client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithClock(clienttest.Clock), qredo.WithHTTPClient(&http.Client{
					Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
						nonces = append(nonces, req.Header.Get("x-nonce"))
						if len(nonces) == 1 { // delivered twice: this answers the second
							return clienttest.Answer(req, 401, refusedNonce), nil
						}
						return clienttest.Answer(req, 200, everyKind), nil
					}),
				}))
				require.NoError(t, err)
				err = k.call(t.Context(), client)
				if k.repeatable {
					require.NoError(t, err)
					require.Equal(t, []string{"1", "2"}, nonces)
				} else {
					require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
					require.Equal(t, []string{"1"}, nonces)
				}
			})
		})
	}
	// With a timestamp, the same words are a refusal: there is no nonce that could have arrived before.
	err := kindsOfCalls["POST"].call(t.Context(), clienttest.NewClient(t, clienttest.AnswerWith(401, refusedNonce)))
	require.ErrorIs(t, err, qredo.ErrUnauthorized)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
}

// If the other side has closed a connection in the meantime, net/http does not send a signed request again: the client
// does, with a new timestamp.
func TestAClosedConnectionTakesANewNonce(t *testing.T) {
	auth, taken := counting(t, qredo.WithNonce)
	seen := map[string]bool{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		nonce := req.Header.Get("x-nonce")
		if seen[nonce] {
			w.WriteHeader(401)
			_, _ = io.WriteString(w, refusedNonce)
			return
		}
		seen[nonce] = true
		if nonce == "2" { // it has taken the nonce, and then the connection is gone
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		_, _ = io.WriteString(w, everyKind)
	}))
	server.Start()
	defer server.Close()
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(server.URL), qredo.WithRetry(qredo.RetryPolicy{MinBackoff: 1}))
	require.NoError(t, err)
	for range 2 {
		_, err = client.Assets.List(t.Context())
		require.NoError(t, err)
	}
	require.EqualValues(t, 3, taken.Load(), "one for the first, two for the second")
}

// increasing is a service that takes increasing nonces only.
func increasing(refused *atomic.Int64) http.Handler {
	var mu sync.Mutex
	last := 0
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		nonce, err := strconv.Atoi(req.Header.Get("x-nonce"))
		mu.Lock()
		defer mu.Unlock()
		if err != nil || nonce <= last {
			refused.Add(1)
			w.WriteHeader(401)
			_, _ = io.WriteString(w, refusedNonce)
			return
		}
		last = nonce
		_, _ = io.WriteString(w, everyKind)
	})
}

// Requests with nonces arrive in their order, of all clients that sign with them and of feeds.
func TestNoncesArriveInOrder(t *testing.T) {
	var refused atomic.Int64
	server := httptest.NewServer(increasing(&refused))
	defer server.Close()
	auth, _ := counting(t, qredo.WithNonce)
	var clients [2]*qredo.Client
	for i := range clients {
		var err error
		clients[i], err = qredo.NewClient(auth, qredo.WithBaseURL(server.URL))
		require.NoError(t, err)
	}
	var calls sync.WaitGroup
	for i := range 16 {
		calls.Go(func() {
			for range 25 {
				if _, err := clients[i%2].Assets.List(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	feed, stop := context.WithCancel(t.Context())
	calls.Go(func() {
		for _, err := range clients[0].SigningAgent.Feed(feed, qredo.WithBackoff(1, 1)) {
			if err != nil && strings.Contains(err.Error(), "nonce") {
				t.Error(err)
			}
			stop()
		}
	})
	calls.Wait()
	stop()
	assert.Zero(t, refused.Load(), "of 400")
}

// A call that waits for the one before it ends with its context, without having been sent; where any order will do,
// none waits.
func TestWaitingForTheRequestBefore(t *testing.T) {
	for name, with := range map[string]func(func() string) qredo.RSAOption{"in order": qredo.WithNonce, "in any order": qredo.WithNonceInAnyOrder} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				auth, taken := counting(t, with)
				client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithHTTPClient(&http.Client{
					Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
						clienttest.Elapse(req.Context(), time.Minute)
						return clienttest.Answer(req, 200, everyKind), req.Context().Err()
					}),
				}))
				require.NoError(t, err)
				var first sync.WaitGroup
				first.Go(func() { _, _ = client.Assets.List(t.Context()) })
				synctest.Wait()
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err = client.Companies.Create(ctx, clienttest.Acme)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, time.Second, time.Since(start))
				if name == "in order" {
					require.EqualValues(t, 1, taken.Load())
					require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
				} else {
					require.EqualValues(t, 2, taken.Load())
					require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
				}
				first.Wait()
			})
		})
	}
}
