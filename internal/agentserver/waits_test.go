package agentserver_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// hanging is a backend whose service does not answer a registration until it is let go.
type hanging struct {
	backend
	asked, letGo chan struct{}
}

func (h *hanging) Register(ctx context.Context, r agentserver.Registration) (agentserver.Agent, error) {
	h.asked <- struct{}{}
	<-h.letGo
	return h.backend.Register(ctx, r)
}

// While a registration takes long, others are answered soon, and are not sent after it.
func TestRegistrationsDoNotQueue(t *testing.T) {
	t.Parallel()
	h := &hanging{asked: make(chan struct{}, 10), letGo: make(chan struct{})}
	h.service = newService(t).FeedServer
	r := start(t, agentserver.Default(), h)
	r.waitFor("/readyz", "no agent is registered")
	body := `{"name":"n","APIKey":"k","base64PrivateKey":"` + base64.StdEncoding.EncodeToString(privatePEM(t)) + `"}`
	first := make(chan answer, 1)
	go func() { first <- r.call("POST", "/api/v1/register", body) }()
	clienttest.Receive(t, h.asked, "the first")
	requireRefused(t, r.call("POST", "/api/v1/register", body), 503, "another registration is in progress")
	requireRefused(t, r.call("POST", "/api/v1/register", "{}"), 400, "name")
	close(h.letGo)
	require.Equal(t, 200, clienttest.Receive(t, first, "its answer").status)
	require.Empty(t, h.asked, "the second was not sent")
}

// silent is what agents share, and does not answer.
type silent struct{ end chan struct{} }

func (s silent) Claim(ctx context.Context, _ qredo.ActionID) (context.Context, func(), error) {
	<-s.end
	return ctx, func() {}, nil
}

// A vote by hand does not wait for long for what agents share.
func TestVotesDoNotWaitForWhatIsShared(t *testing.T) {
	t.Parallel()
	a, _ := newAgent(t)
	s := silent{make(chan struct{})}
	r := start(t, agentserver.Default(), &backend{stored: a}, func(o *agentserver.Options) { o.Coordinator = s })
	r.open()
	began := time.Now()
	require.Equal(t, 200, r.call("PUT", "/api/v1/client/action/a", "").status)
	require.Less(t, time.Since(began), 5*time.Second)
	require.Contains(t, r.logs.String(), "agents do not coordinate their work")
	close(s.end)
}

var _ approver.Coordinator = silent{}

// Of two who register at once, the second has waited for the first, and is not sent after it.
func TestTwoWhoRegisterAreOne(t *testing.T) { // not beside others: it looks at what all goroutines do
	h := &hanging{asked: make(chan struct{}, 10), letGo: make(chan struct{})}
	h.service = newService(t).FeedServer
	r := start(t, agentserver.Default(), h)
	r.waitFor("/readyz", "no agent is registered")
	body := `{"name":"n","APIKey":"k","base64PrivateKey":"` + base64.StdEncoding.EncodeToString(privatePEM(t)) + `"}`
	answers := make(chan answer, 2)
	for range 2 {
		go func() { answers <- r.call("POST", "/api/v1/register", body) }()
	}
	clienttest.Receive(t, h.asked, "the first")
	stacks := make([]byte, 4<<20)
	for len(answers) == 0 && bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("(*Server).register(")) < 2 {
		runtime.Gosched()
	}
	close(h.letGo)
	statuses := []int{clienttest.Receive(t, answers, "an answer").status, clienttest.Receive(t, answers, "the other").status}
	require.Contains(t, statuses, 200)
	require.NotEqual(t, statuses[0], statuses[1])
	require.Empty(t, h.asked, "the second was not sent")
}

// sharing counts what agents that share their work hold.
type sharing struct{ held atomic.Int64 }

func (s *sharing) Claim(ctx context.Context, _ qredo.ActionID) (context.Context, func(), error) {
	s.held.Add(1)
	return ctx, func() { s.held.Add(-1) }, nil
}

// Once a vote by hand is answered, the action is free for others.
func TestVotesGiveBackWhatTheyClaim(t *testing.T) {
	t.Parallel()
	a, _ := newAgent(t)
	s := &sharing{}
	r := start(t, agentserver.Default(), &backend{stored: a}, func(o *agentserver.Options) { o.Coordinator = s })
	r.open()
	require.Equal(t, 200, r.call("PUT", "/api/v1/client/action/a", "").status)
	require.Zero(t, s.held.Load())
}
