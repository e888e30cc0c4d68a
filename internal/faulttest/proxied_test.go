package faulttest

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/internal/faultproxy"
	"github.com/qredo-go/qredo/qapi"
	"github.com/qredo-go/qredo/sandbox"
)

// callHeader names a call in the records of the proxy.
const callHeader = "X-Call"

// proxied is a sandbox, a proxy in front of it, and a client that has to go through the proxy. The world's own client does
// not.
type proxied struct {
	*faultproxy.Proxy
	world  *clienttest.World
	client clients
}

// clients are those of both APIs, over the same connections.
type clients struct {
	*qredo.Client
	qapi *qapi.Client
}

// serviceWords is a refusal in the form of the service.
var serviceWords = faultproxy.Form{Name: "own", Type: "application/json", Body: func(status int) string {
	return fmt.Sprintf(`{"code":%d,"msg":"errGateway","detail":{"reason":"gateway"}}`, status)
}}

// attemptTime is how long an attempt of a proxied client may take.
const attemptTime = 200 * time.Millisecond

// callTime is how long a call may take.
const callTime = 20 * time.Second

// hurried pauses only briefly, whatever it is told.
func hurried() qredo.Option { return qredo.WithRetry(hurry) }

var hurry = qredo.RetryPolicy{MinBackoff: time.Millisecond, MaxBackoff: 3 * time.Millisecond, MaxRetryAfter: 3 * time.Millisecond, Budget: 1_000_000}

func openProxied(t *testing.T, config faultproxy.Config, opts ...sandbox.Option) *proxied {
	t.Helper()
	w := clienttest.NewWorld(t, opts...)
	// What is signed has the scheme that the client uses.
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if config.TLS || config.HTTP2 {
			r.TLS = &tls.ConnectionState{}
		}
		w.Srv.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	config.Backend, config.Tag, config.Bound = server.URL, callHeader, 2<<20
	p, err := faultproxy.Start(config)
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return &proxied{Proxy: p, world: w, client: throughProxy(t, p, w.Srv, w.Srv.Auth(), hurried())}
}

// throughProxy are clients of their own connections.
func throughProxy(t *testing.T, p *faultproxy.Proxy, srv *sandbox.Server, auth qredo.Authenticator, opts ...qredo.Option) clients {
	t.Helper()
	transport := &http.Transport{
		MaxIdleConnsPerHost: 64, ForceAttemptHTTP2: true,
		HTTP2: &http.HTTP2Config{SendPingTimeout: attemptTime / 4, PingTimeout: attemptTime / 4},
	}
	if strings.HasPrefix(p.URL(), "https://") {
		transport.TLSClientConfig = &tls.Config{RootCAs: p.Roots(), MinVersion: tls.VersionTLS12}
	}
	t.Cleanup(transport.CloseIdleConnections)
	opts = append([]qredo.Option{qredo.WithHTTPClient(&http.Client{Transport: transport, Timeout: attemptTime})}, opts...)
	client, err := qredo.NewClient(auth, append(opts, qredo.WithBaseURL(p.URL()+"/api/v1/p"))...)
	require.NoError(t, err)
	other, err := qapi.NewClient(srv.HMACAuth(), append(opts, qredo.WithBaseURL(p.URL()+"/qapi/v1"))...)
	require.NoError(t, err)
	return clients{client, other}
}

// nonceKey is registered with the sandbox of a client that signs with nonces.
const nonceKey = "with-nonces"

// withNonces has the client sign with nonces in place of the time.
func (p *proxied) withNonces(t *testing.T, key *rsa.PrivateKey) {
	t.Helper()
	var last atomic.Int64
	auth, err := qredo.NewRSAAuth(nonceKey, key, qredo.WithNonce(func() string { return strconv.FormatInt(last.Add(1), 10) }))
	require.NoError(t, err)
	p.client = throughProxy(t, p.Proxy, p.world.Srv, auth, hurried())
}

// protocols are the ways to the proxy that every test of this kind goes.
var protocols = map[string]faultproxy.Config{"HTTP1": {}, "HTTP2": {HTTP2: true}}

// honest are all faults of requests and answers that break no promise of their protocol: a client can see through them.
func honest() []faultproxy.Fault {
	return slices.DeleteFunc(everything(), func(f faultproxy.Fault) bool { return f.Lies != "" })
}

func everything() []faultproxy.Fault {
	return slices.Concat(faultproxy.OfConnections(), faultproxy.OfAnswers(serviceWords), faultproxy.OfHTTP1(serviceWords), faultproxy.OfHTTP2())
}

// said is what a client reports about a call.
type said string

const (
	saidDone    said = "done"
	saidUnknown said = "unknown"
	saidNot     said = "not made"
)

func whatIsSaid(err error) said {
	switch {
	case err == nil:
		return saidDone
	case errors.Is(err, qredo.ErrOutcomeUnknown):
		return saidUnknown
	default:
		return saidNot
	}
}

// verdict is what was reported about a write, and what really happened.
type verdict struct {
	call     string
	kind     string
	said     said
	err      error
	faults   []string
	made     bool // the service carried it out
	requests int  // of the client that the service carried out, each perhaps more than once
	deceived bool // by a response in the service's own format, which nobody can recognise as false
}

// wrong says what is wrong with the report, if anything.
func (v verdict) wrong() string {
	switch {
	case v.said == saidNot && v.made:
		return "said not to be made, and was"
	case v.said == saidDone && !v.made && !v.deceived:
		return "said to be made, and was not"
	default:
		return ""
	}
}

func (v verdict) String() string {
	return fmt.Sprintf("%s (%s) %s; faults: %s; %v", v.call, v.said, v.wrong(), strings.Join(v.faults, ", "), v.err)
}

// judge determines what really happened to a call, once the proxy has settled.
func (p *proxied) judge(call, kind string, err error) verdict {
	v := verdict{call: call, kind: kind, said: whatIsSaid(err), err: err}
	for _, r := range p.RecordsOf(call) {
		if r.Fault != "" {
			v.faults = append(v.faults, fmt.Sprintf("%s (%d of %d deliveries succeeded)", r.Fault, r.Succeeded(), len(r.Deliveries)))
		}
		if r.Succeeded() > 0 {
			v.made = true
			v.requests++
		}
		v.deceived = v.deceived || r.Succeeded() == 0 && r.Answered == http.StatusOK && ownSuccess(kind, string(r.Body))
	}
	return v
}

// ownSuccess reports whether a response, to a call that returns nothing, has the format of the service's own success.
// Such a response does not say what it answers, so an earlier one that is replayed looks the same. All calls except votes
// may get an empty response.
func ownSuccess(call, body string) bool {
	if !slices.Contains([]string{"TrustedNetwork.Add", "Funds.AddToWhitelist", "Swaps.Publish", "CoreClients.Approve", "CoreClients.Reject"}, call) {
		return false
	}
	return body == "" && !strings.HasPrefix(call, "CoreClients.") || strings.HasPrefix(body, `{"code":200,"msg":"`)
}

// tally counts what was reported and how often it was true, and fails the test for wrong reports.
func tally(t *testing.T, verdicts []verdict) {
	t.Helper()
	type count struct{ said, made, wrong, deceived int }
	counts := map[string]*count{}
	wrong := 0
	for _, v := range verdicts {
		for _, key := range []string{v.kind, "all"} {
			key += ", " + string(v.said)
			c := counts[key]
			if c == nil {
				c = &count{}
				counts[key] = c
			}
			c.said++
			if v.made {
				c.made++
			} else if v.said == saidDone && v.deceived {
				c.deceived++
			}
			if v.wrong() != "" {
				c.wrong++
			}
		}
		if v.wrong() != "" {
			if wrong++; wrong <= 20 {
				t.Log(v)
			}
		}
	}
	keys := make([]string, 0, len(counts))
	for key := range counts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		c := counts[key]
		line := fmt.Sprintf("%-40s %7d times, of which %7d were made; wrong: %d", key, c.said, c.made, c.wrong)
		if c.deceived > 0 {
			line += fmt.Sprintf("; by an answer that could not be told from the service's own: %d", c.deceived)
		}
		t.Log(line)
	}
	assert.Zero(t, wrong, "calls of which the wrong was said")
}

// amountOf is an amount that no other payment has.
func amountOf(n int) qredo.Amount { return qredo.Amount(1000 + n) }
