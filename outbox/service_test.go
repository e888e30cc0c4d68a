package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/outbox"
)

// reply is how the service behaves once, when it is asked for a transaction.
type reply struct {
	handles bool // it makes the transaction, or finds it
	refuse  error
	status  int
	body    string        // {tx} and {status} are filled in
	ahead   time.Duration // of the service's Date, if it has one
}

// The replies of these tests.
var (
	works      = reply{handles: true, status: 200, body: `{"tx_id":"{tx}","status":"{status}"}`}
	answerLost = reply{handles: true, refuse: io.ErrUnexpectedEOF}
	asksLost   = reply{refuse: io.ErrUnexpectedEOF} // the program cannot tell it from answerLost
	noTxID     = reply{handles: true, status: 200, body: `{}`}
	cut        = reply{handles: true, status: 200, body: `{"tx_id`}
	fault500   = reply{status: 500, body: `{"code":500,"msg":"Internal Server Error"}`}
	handled500 = reply{handles: true, status: 500, body: `{"code":500,"msg":"Internal Server Error"}`}
	page502    = reply{handles: true, status: 502, body: `<html>`}
	handled408 = reply{handles: true, status: 408, body: `{"code":408,"msg":"Request Timeout"}`}
	down       = reply{refuse: &net.OpError{Op: "dial", Err: errors.New("connection refused")}}
	noMoney    = reply{status: 400, body: `{"code":400,"msg":"errBadRequest","detail":{"reason":"no money"}}`}
	blocked    = reply{status: 400, body: `{"code":400,"msg":"errBadRequest","detail":{"reason":"the address is blocked"}}`}
	noPath     = reply{handles: true, status: 200, body: `{"tx_id":"a/b","status":"new"}`}
	longTxID   = reply{handles: true, status: 200, body: `{"tx_id":"` + strings.Repeat("x", 3000) + `","status":"new"}`}
	notFound   = reply{status: 404, body: `{"code":404,"msg":"errNotFound"}`}
	page404    = reply{status: 404, body: `<html>`}
	redirect   = reply{status: 302, body: ``}
	aheadPage  = reply{status: 401, body: `<html>Sign in</html>`, ahead: 24 * time.Hour}
	badKey     = reply{status: 401, body: `{"code":401,"msg":"errPartnerAuth","detail":{"reason":"signature"}}`}
	forbidden  = reply{status: 403, body: `{"code":403,"msg":"errForbidden"}`}
	tooMany    = reply{status: 429, body: `{"code":429,"msg":"errRateLimited"}`}
	conflict   = reply{status: 409, body: `{"code":409,"msg":"errConflict"}`}
)

// details are what an approved transaction says it moves, as JSON.
type details string

// service plays the Qredo service without a network. It makes one transaction for a partner_txID.
type service struct {
	mu       sync.Mutex
	script   []reply // the last one counts for all further requests
	looks    []any   // the same for looking: a qredo.TxStatus, details, the status of a refusal, a reply, or an error
	posts    []post
	made     map[string]int                           // by partner_txID: how often it was handled
	lookTime time.Duration                            // of each look
	context  func(ctx context.Context, method string) // is called with that of each request
	block    chan struct{}                            // holds requests for transactions until it is closed
}

type post struct {
	at         time.Time
	path, body string
	partner    string
}

// RoundTrip answers a request.
func (s *service) RoundTrip(req *http.Request) (*http.Response, error) {
	if s.context != nil {
		s.context(req.Context(), req.Method)
	}
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	if req.Method == http.MethodGet {
		return s.look(req)
	}
	if s.block != nil {
		select {
		case <-s.block:
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent struct {
		Partner string `json:"partner_txID"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	s.posts = append(s.posts, post{time.Now(), req.URL.Path, string(body), sent.Partner})
	r := next(&s.script)
	status := "new"
	if r.handles {
		if s.made[sent.Partner] > 0 {
			status = "existing"
		}
		s.made[sent.Partner]++
	}
	if r.refuse != nil {
		return nil, r.refuse
	}
	got := answer(req, r.status, strings.NewReplacer("{tx}", "tx-"+sent.Partner, "{status}", status).Replace(r.body))
	if r.ahead != 0 {
		got.Header.Set("Date", time.Now().Add(r.ahead).UTC().Format(http.TimeFormat))
	}
	return got, nil
}

// sent returns the requests for transactions so far.
func (s *service) sent() []post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts)
}

// transactions returns how many were made.
func (s *service) transactions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.made)
}

func (s *service) look(req *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.lookTime):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := req.URL.Path[strings.LastIndex(req.URL.Path, "/")+1:]
	switch r := next(&s.looks).(type) {
	case error:
		return nil, r
	case int:
		return answer(req, r, `{"code":404,"msg":"errNotFound"}`), nil
	case reply:
		return answer(req, r.status, r.body), nil
	case details:
		return answer(req, 200, fmt.Sprintf(`{"txID":%q,"txStatus":"approved","reference":"","statusDetails":%s}`, id, r)), nil
	default:
		return answer(req, 200, fmt.Sprintf(`{"txID":%q,"txStatus":%q}`, id, r)), nil
	}
}

func next[T any](script *[]T) T {
	r := (*script)[0]
	if len(*script) > 1 {
		*script = (*script)[1:]
	}
	return r
}

func answer(req *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}
}

type anyone struct{}

// Authenticate lets everybody in.
func (anyone) Authenticate(*http.Request, []byte, time.Time) error { return nil }

// bench is an outbox and what it works with, in a bubble where time passes when all wait.
type bench struct {
	*service
	box   *outbox.Outbox
	store outbox.Store
	path  string
}

// inBubble runs a test with an outbox that sends each request once, so that its service's script is gone
// through attempt by attempt. A worker runs if wanted.
func inBubble(t *testing.T, script []reply, looks []any, worker bool, test func(t *testing.T, b *bench)) {
	t.Helper()
	clienttest.Bubble(t, func(t *testing.T) {
		b := &bench{service: &service{script: script, looks: looks, made: map[string]int{}}}
		b.path = filepath.Join(t.TempDir(), "outbox.db")
		b.open(t)
		stop := func() {}
		if worker {
			stop = b.run(t)
		}
		test(t, b)
		stop()
		require.NoError(t, b.store.Close())
	})
}

// open opens the file and makes an outbox of it.
func (b *bench) open(t *testing.T) {
	t.Helper()
	var err error
	b.store, err = outbox.OpenStore(b.path)
	require.NoError(t, err)
	b.box = b.newBox(t)
}

func (b *bench) newBox(t *testing.T, opts ...outbox.Option) *outbox.Outbox {
	t.Helper()
	client, err := qredo.NewClient(anyone{}, qredo.WithBaseURL("http://127.0.0.1/p"),
		qredo.WithHTTPClient(b.client()), qredo.WithRetry(qredo.RetryPolicy{MaxAttempts: 1}))
	require.NoError(t, err)
	box, err := outbox.New(client, b.store, opts...)
	require.NoError(t, err)
	return box
}

func (b *bench) client() *http.Client { return &http.Client{Transport: b.service} }

// run starts a worker and returns what stops it.
func (b *bench) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.box.Run(ctx) }()
	return func() {
		cancel()
		assert.NoError(t, <-done)
	}
}

// transfer is a request for a transfer that can be approved for an hour.
func transfer(amount qredo.Amount) outbox.Transfer {
	return outbox.Transfer{CompanyID: "acme", TransferRequest: qredo.TransferRequest{
		WalletID: "from", Counterparty: "to", Expires: qredo.TimeOf(time.Now().Add(time.Hour)),
		Send: qredo.AssetAmount{Asset: "BTC", Amount: amount},
	}}
}

func (b *bench) enqueue(t *testing.T, key string, r outbox.Request) outbox.Entry {
	t.Helper()
	e, err := b.box.Enqueue(t.Context(), key, r)
	require.NoError(t, err)
	return e
}

// until waits until an entry is as wanted.
func (b *bench) until(t *testing.T, key string, wanted func(outbox.Entry) bool) outbox.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*24*time.Hour)
	defer cancel()
	for e, err := range b.box.Watch(ctx, key) {
		require.NoError(t, err)
		if wanted(e) {
			return e
		}
	}
	require.Fail(t, "the entry ended before it was as wanted")
	return outbox.Entry{}
}

func ended(e outbox.Entry) bool   { return e.State.Ended() }
func unknown(e outbox.Entry) bool { return e.Unknown }

// kinds lists what has happened to an entry.
func kinds(e outbox.Entry) string {
	var list []string
	for _, s := range e.Steps {
		text := string(s.Kind)
		if s.Times > 1 {
			text += fmt.Sprint("*", s.Times)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}
