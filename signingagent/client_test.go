package signingagent_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
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
	"github.com/qredo-go/qredo/signingagent"
)

// through is a client whose requests go to transport.
func through(t testing.TB, transport http.RoundTripper, opts ...signingagent.ClientOption) *signingagent.Client {
	t.Helper()
	client, err := signingagent.NewClient("http://127.0.0.1:8007", append(opts, signingagent.WithHTTPClient(&http.Client{Transport: transport}))...)
	require.NoError(t, err)
	return client
}

// The same calls work with each release of the old program.
func TestClientWithEachRelease(t *testing.T) {
	for _, release := range []string{november, december, august} {
		t.Run(release, func(t *testing.T) {
			old := newOldProgram(t, release)
			old.state = "CONNECTING"
			client := old.serve(t)
			ctx := t.Context()

			_, err := client.Get(ctx)
			require.ErrorIs(t, err, signingagent.ErrNoIdentity)
			for _, vote := range []func(context.Context, qredo.ActionID, ...qredo.CallOption) error{client.Approve, client.Reject} {
				err := vote(ctx, "action-1")
				require.ErrorIs(t, err, signingagent.ErrNoIdentity)
				require.NotErrorIs(t, err, qredo.ErrNotFound, "it is not the action that is not there")
				require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown, "nothing was done")
			}

			info, err := client.Register(ctx, " agent ", clienttest.APIKey, clienttest.PrivateKey(t))
			require.NoError(t, err)
			require.Equal(t, &signingagent.AgentInfo{ID: oldID, FeedURL: localFeed}, info)
			old.set(func() { require.Equal(t, clienttest.APIKey, old.register) })
			_, err = client.Register(ctx, "another", clienttest.APIKey, clienttest.PrivateKey(t))
			require.ErrorIs(t, err, signingagent.ErrIdentityExists)
			require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown, "nothing was done")

			got, err := client.Get(ctx)
			require.NoError(t, err)
			want := map[string]signingagent.AgentInfo{
				november: {ID: oldID}, december: {ID: oldID, FeedURL: localFeed}, august: {ID: oldID, Name: "agent", FeedURL: localFeed},
			}
			require.Equal(t, want[release], *got)
			require.NoError(t, client.Approve(ctx, "action-1"))
			require.NoError(t, client.Reject(ctx, "action-2"))
			old.set(func() { require.Equal(t, "DELETE /client/action/action-2", old.asked[len(old.asked)-1]) })

			health, err := client.Health(ctx)
			require.NoError(t, err)
			remote := "wss://play-api.qredo.network/api/v1/p/coreclient/feed"
			config := signingagent.AgentConfig{
				ServiceURL: "https://play-api.qredo.network/api/v1/p", ServiceFeedURL: remote, Address: "0.0.0.0:8007", LoadBalancing: true, Store: "file",
			}
			if release == november {
				config.ServiceFeedURL = ""
			}
			require.Equal(t, &signingagent.Health{
				Build:      signingagent.AgentBuild{Version: "v1.0.0", Type: "dev", Date: "2022-12-13"},
				Connection: signingagent.AgentConnection{State: signingagent.ConnectionPending, RemoteFeedURL: remote, LocalFeedURL: localFeed, Clients: 1},
				Config:     config,
			}, health)
			for _, secret := range []string{"4711", "hunter2"} {
				require.NotContains(t, fmt.Sprintf("%+v", health), secret)
			}
		})
	}
}

func TestClientOptionsThatAreWrong(t *testing.T) {
	for name, tc := range map[string]struct {
		base  string
		opts  []signingagent.ClientOption
		field string
	}{
		"no URL":                     {"", nil, "base URL"},
		"another scheme":             {"ftp://127.0.0.1", nil, "base URL"},
		"http to another machine":    {"http://agent:8007", nil, "base URL"},
		"a password":                 {"https://me:secret@agent:8007", nil, "base URL"},
		"a password, without TLS":    {"http://me:secret@agent:8007", []signingagent.ClientOption{signingagent.WithPlainHTTP()}, "base URL"},
		"no host, without TLS":       {"http://", []signingagent.ClientOption{signingagent.WithPlainHTTP()}, "base URL"},
		"no option":                  {"http://127.0.0.1", []signingagent.ClientOption{nil}, "option"},
		"an empty token":             {"http://127.0.0.1", []signingagent.ClientOption{signingagent.WithBearerToken(" \n")}, "bearer token"},
		"a token of two lines":       {"http://127.0.0.1", []signingagent.ClientOption{signingagent.WithBearerToken("secret\nX-Other: 1")}, "bearer token"},
		"no TLS config":              {"http://127.0.0.1", []signingagent.ClientOption{signingagent.WithTLSConfig(nil)}, "TLS config"},
		"no HTTP client":             {"http://127.0.0.1", []signingagent.ClientOption{signingagent.WithHTTPClient(nil)}, "HTTP client"},
		"no logger":                  {"http://127.0.0.1", []signingagent.ClientOption{signingagent.WithLogger(nil)}, "logger"},
		"no client of the service":   {"http://127.0.0.1", []signingagent.ClientOption{signingagent.WithServiceClient(nil)}, "service client"},
		"HTTP client and TLS config": {"http://127.0.0.1", []signingagent.ClientOption{signingagent.WithHTTPClient(&http.Client{}), signingagent.WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12})}, "TLS config"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := signingagent.NewClient(tc.base, tc.opts...)
			clienttest.RequireInvalid(t, err, tc.field)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestClientRequestsThatAreWrong(t *testing.T) {
	client := through(t, clienttest.RefuseAll(t))
	key := clienttest.PrivateKey(t)
	for name, tc := range map[string]struct {
		call  func() error
		field string
	}{
		"no name":     {func() error { _, err := client.Register(t.Context(), " ", "key", key); return err }, "name"},
		"a long name": {func() error { _, err := client.Register(t.Context(), strings.Repeat("n", 257), "key", key); return err }, "name"},
		"no API key":  {func() error { _, err := client.Register(t.Context(), "agent", "\t", key); return err }, "APIKey"},
		"a long one": {func() error {
			_, err := client.Register(t.Context(), "agent", strings.Repeat("k", 257), key)
			return err
		}, "APIKey"},
		"no key":        {func() error { _, err := client.Register(t.Context(), "agent", "key", nil); return err }, "private key"},
		"no action":     {func() error { return client.Approve(t.Context(), "") }, "action_id"},
		"an upward one": {func() error { return client.Reject(t.Context(), "..") }, "action_id"},
	} {
		t.Run(name, func(t *testing.T) { clienttest.RequireInvalid(t, tc.call(), tc.field) })
	}
}

// A base URL leads to where it should, with the token, by TLS and without.
func TestClientFindsTheAgent(t *testing.T) {
	for base, want := range map[string]string{
		"http://127.0.0.1:8007":             "http://127.0.0.1:8007/api/v1/client",
		"http://localhost:8007/":            "http://localhost:8007/api/v1/client",
		"https://agent.example:8007/api/v1": "https://agent.example:8007/api/v1/client",
		"https://agent.example/behind/v1/":  "https://agent.example/behind/v1/client",
		"http://agent:8007":                 "http://agent:8007/api/v1/client",
	} {
		var asked *http.Request
		client, err := signingagent.NewClient(base, signingagent.WithPlainHTTP(), signingagent.WithBearerToken(" token.of-the_agent~1 "),
			signingagent.WithHTTPClient(&http.Client{Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				asked = req
				return clienttest.Answer(req, 200, `{"agentID":"a","feedURL":"ws://0.0.0.0:8007/api/v1/client/feed"}`), nil
			})}))
		require.NoError(t, err)
		info, err := client.Get(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, asked.URL.String())
		require.Equal(t, "Bearer token.of-the_agent~1", asked.Header.Get("Authorization"))
		scheme, _, _ := strings.Cut(want, ":")
		require.Equal(t, map[string]string{"http": "ws", "https": "wss"}[scheme]+"://0.0.0.0:8007/api/v1/client/feed", info.FeedURL,
			"the old program says ws also where it speaks TLS")
	}
}

// With TLS, the client trusts what it is told to trust and sends its certificate when asked, and its feed works too.
func TestClientWithTLS(t *testing.T) {
	old := newOldProgram(t, august)
	old.name = "agent"
	server := httptest.NewUnstartedServer(old)
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	own, _ := clienttest.Certificate(t)

	stranger, err := signingagent.NewClient(server.URL)
	require.NoError(t, err)
	err = stranger.Approve(t.Context(), "action-1", qredo.WithoutRetry())
	require.Error(t, err)
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown, "it cannot have reached the agent")

	client, err := signingagent.NewClient(server.URL, signingagent.WithBearerToken("token"),
		signingagent.WithTLSConfig(&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}))
	require.NoError(t, err)
	require.NoError(t, client.Approve(t.Context(), "action-1"))
	f := clienttest.Follow(t, client.Feed)
	f.Reaches(t, qredo.FeedCaughtUp)
	old.tell("a")
	require.EqualValues(t, "a", f.Next(t).ID)
	f.RequireQuiet(t)
	old.set(func() { require.Contains(t, old.asked, "GET /client/feed Bearer token") })
}

// The old program answers a registration when its feed is connected: after five minutes at worst.
func TestRegistrationTakesItsTime(t *testing.T) {
	for name, tc := range map[string]struct {
		takes time.Duration
		ok    bool
	}{"five minutes": {305 * time.Second, true}, "for ever": {1000 * time.Hour, false}} {
		t.Run(name, func(t *testing.T) {
			clienttest.Bubble(t, func(t *testing.T) {
				client := through(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
					clienttest.Elapse(req.Context(), tc.takes)
					if err := req.Context().Err(); err != nil {
						return nil, err
					}
					return clienttest.Answer(req, 200, `{"agentID":"a","feedURL":"ws://x"}`), nil
				}))
				start := time.Now()
				_, err := client.Register(t.Context(), "agent", "api key", clienttest.PrivateKey(t))
				if tc.ok {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, qredo.ErrOutcomeUnknown)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				assert.Equal(t, 7*time.Minute, time.Since(start))
			})
		})
	}
}

// Whatever an agent repeats of what it was sent never appears in errors, logs or printed values.
func TestClientKeepsSecrets(t *testing.T) {
	const token, apiKey = "token-that-is-secret", "api-key-that-is-secret"
	proof := strings.Repeat("7b224944223a22", 40)
	for _, status := range []int{200, 400, 401, 500} {
		for _, form := range []string{
			`{"Code":%d,"Detail":%s}`, `{"Code":%d,"Msg":%s}`, `%[2]s`, "<html>%[2]s</html>",
			`{"Code":%d,"Detail":"POST https://service/api/v1/p/coreclient/init Status 401 (401 Unauthorized) with body: %[3]s"}`,
			`{"agentID":%[2]s,"x":` + strings.Repeat(" ", 9000) + `}`,
		} {
			var log bytes.Buffer
			key := ""
			client := through(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
				sent, err := io.ReadAll(req.Body)
				var body struct {
					Key string `json:"base64PrivateKey"`
				}
				if json.Unmarshal(sent, &body) == nil {
					key = body.Key
				}
				said := strings.Join([]string{req.Header.Get("Authorization"), string(sent), proof}, " ")
				return clienttest.Answer(req, status, fmt.Sprintf(form, status, strconv.Quote(said), strings.ReplaceAll(said, `"`, "'"))), err
			}), signingagent.WithBearerToken(token), signingagent.WithLogger(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			_, err := client.Register(t.Context(), "agent", apiKey, clienttest.PrivateKey(t))
			require.Error(t, err)
			require.Greater(t, len(key), 1000)
			slog.New(slog.NewJSONHandler(&log, nil)).Error("failed", "error", err)
			asJSON, unwritten := json.Marshal(err)
			require.NoError(t, unwritten)
			var service *qredo.Error
			if errors.As(err, &service) {
				log.Write(service.Body)
			}
			for _, printed := range []string{err.Error(), fmt.Sprintf("%+v %#v", err, err), string(asJSON), log.String(), fmt.Sprintf("%+v %#v", client, client)} {
				for _, secret := range []string{token, apiKey, key[:100], key[len(key)-100:], proof[:100]} {
					require.NotContains(t, printed, secret, "%d %s", status, form)
				}
			}
		}
	}
}
