package bench

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/approver"
)

// approvalService is the part of the service that an approver talks to, with canned answers.
type approvalService struct {
	send     chan string     // IDs of actions to tell of
	approved chan time.Time  // when an approval came
	done     <-chan struct{} // the end of the benchmark
}

const actionFields = `"coreClientID":"core","type":"ApproveTransfer","status":"pending","timestamp":1644500739,"expireTime":4102444800`

func (s *approvalService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.HasSuffix(r.URL.Path, "/feed"):
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ctx := ws.CloseRead(r.Context())
		for {
			select {
			case id := <-s.send:
				if ws.Write(ctx, websocket.MessageText, []byte(`{"id":"`+id+`",`+actionFields+`}`)) != nil {
					return
				}
			case <-s.done:
				return
			case <-ctx.Done():
				return
			}
		}
	case strings.HasSuffix(r.URL.Path, "/actions"):
		_, _ = w.Write([]byte(`{"count":0,"actions":[]}`))
	case r.Method == http.MethodPut:
		s.approved <- time.Now()
		_, _ = w.Write([]byte(`{"code":200,"msg":"OK"}`))
	default:
		id := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		fmt.Fprintf(w, `{"id":%q,%s,"details":{"txID":"tx","asset":"BTC","amount":1000,"netAmount":999,"fees":1,"walletID":"w","recipientID":"r"}}`, id, actionFields)
	}
}

// BenchmarkApproval measures from a feed's message to the approval it leads to, which takes two signatures:
// one for fetching the details, one for approving.
func BenchmarkApproval(b *testing.B) {
	ctx, stop := context.WithCancel(b.Context())
	service := &approvalService{send: make(chan string), approved: make(chan time.Time, 1), done: ctx.Done()}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	server := &http.Server{Handler: service}
	go func() { _ = server.Serve(listener) }() // ends with Close
	client, err := qredo.NewClient(newAuth(b, key), qredo.WithBaseURL("http://"+listener.Addr().String()+"/api/v1/p"))
	check(b, err)
	approve := approver.PolicyFunc(func(context.Context, qredo.Action) (approver.Decision, error) {
		return approver.Decision{Verdict: approver.Approve, Reason: "benchmark", Sweep: true}, nil
	})
	a, err := approver.New(client, "core", approve)
	check(b, err)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	defer func() {
		stop()
		<-ended
		_ = server.Close()
	}()
	n := 0
	for b.Loop() {
		n++
		service.send <- fmt.Sprintf("action-%d", n)
		<-service.approved
	}
}

// BenchmarkSignature is one signature, to compare with.
func BenchmarkSignature(b *testing.B) {
	auth := newAuth(b, key)
	for b.Loop() {
		_, err := auth.Sign("1700000000", "https://example.com/api/v1/p/wallet/w", nil)
		check(b, err)
	}
}
