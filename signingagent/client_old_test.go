package signingagent_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// The releases of the old program.
const (
	november = "N22" // 2022, a preview
	december = "A22" // 2022
	august   = "A23" // 2023
)

const oldID = "5zPWqLZaPqAaNenjyzWxsHkYcjZcgwBYTkmUAfrN1jK4"

// oldProgram stands in for the old program's local API, with its faults.
type oldProgram struct {
	release string
	done    chan struct{}
	silent  chan struct{} // closed: no more pings

	mu       sync.Mutex
	name     string // "" if it is not registered
	register string // body of the last registration
	state    string // of its connection to the service
	auto     bool
	pending  []string            // frames that are kept (A23)
	feeds    map[int]chan []byte // of subscribers; a nil frame is a close
	upgrades int
	asked    []string // method, path and token of each request
}

func newOldProgram(t *testing.T, release string) *oldProgram {
	t.Helper()
	o := &oldProgram{release: release, state: "OPEN", done: make(chan struct{}), silent: make(chan struct{}), feeds: map[int]chan []byte{}}
	t.Cleanup(func() { close(o.done) })
	return o
}

// serve serves it over the loopback interface, to a client that it returns.
func (o *oldProgram) serve(t *testing.T, opts ...signingagent.ClientOption) *signingagent.Client {
	t.Helper()
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	client, err := signingagent.NewClient(server.URL, opts...)
	require.NoError(t, err)
	return client
}

// spelled is an object with the keys that the release has.
func (o *oldProgram) spelled(w http.ResponseWriter, later, preview string, args ...any) {
	w.Header().Set("Content-Type", "application/json")
	if o.release == november {
		later = preview
	}
	_, _ = fmt.Fprintf(w, later+"\n", args...)
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprint(w, said(status, detail))
}

const (
	localFeed = "ws://0.0.0.0:8007/api/v1/client/feed"
	version   = `{"buildVersion":"v1.0.0","buildType":"dev","buildDate":"2022-12-13"}`
	health    = `{"websocket":{"readyState":%q,"remoteFeedURL":"wss://play-api.qredo.network/api/v1/p/coreclient/feed","localFeedURL":%q,"connectedClients":1}}`
	settings  = `{"base":{"pin":4711,"qredoAPI":"https://play-api.qredo.network/api/v1/p"},"http":{"addr":"0.0.0.0:8007","CORSAllowOrigins":["*"],` +
		`"TLS":{"enabled":false,"certFile":"","keyFile":""}},"logging":{"format":"json","level":"info"},"loadBalancing":{"enable":true,` +
		`"redis":{"host":"redis","port":6379,"password":"hunter2-of-redis","db":0}},"store":{"type":"file","file":"ccstore.db"},` +
		`"autoApproval":{"enabled":%t},"websocket":{"qredoWebsocket":"wss://play-api.qredo.network/api/v1/p/coreclient/feed","pingPeriodSec":5}}`
	oldSettings = `{"base":{"pin":4711,"http_scheme":"https","qredo_api_domain":"play-api.qredo.network","qredo_api_base_path":"/api/v1/p"},` +
		`"http":{"addr":"0.0.0.0:8007"},"load_balancing":{"enable":true,"redis":{"password":"hunter2-of-redis"}},"store":{"type":"file"},` +
		`"auto_approval":{"enabled":%t},"websocket":{"ws_scheme":"wss"}}`
)

func (o *oldProgram) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	call := req.Method + " " + strings.TrimPrefix(req.URL.Path, "/api/v1")
	o.asked = append(o.asked, strings.TrimSpace(call+" "+req.Header.Get("Authorization")))
	id, vote := strings.CutPrefix(call, "PUT /client/action/")
	if rejected, ok := strings.CutPrefix(call, "DELETE /client/action/"); ok {
		id, vote = rejected, true
	}
	switch {
	case vote && o.name == "" && req.Method == http.MethodPut:
		refuse(w, 404, "agentID")
	case vote && o.name == "":
		refuse(w, 500, "get zkp token: can not get system agent ID from the store.")
	case vote && id == "closed":
		panic(http.ErrAbortHandler)
	case vote:
		o.spelled(w, `{"actionID":%q,"status":%q}`, `{"actionID":%q,"status":%q}`, id, map[string]string{"PUT": "approved", "DELETE": "rejected"}[req.Method])
	case call == "POST /register":
		o.registration(w, req)
	case call == "GET /client" && o.release == november && o.name == "":
		o.spelled(w, "", "[]")
	case call == "GET /client" && o.release == august:
		o.spelled(w, `{"agentID":%q,"agentName":%q,"feedURL":%q}`, "", o.id(), o.name, localFeed)
	case call == "GET /client":
		if o.release == november {
			_, _ = fmt.Fprintf(w, "[%q]\n", o.id())
			return
		}
		o.spelled(w, `{"agentID":%q,"feedURL":%q}`, "", o.id(), localFeed)
	case call == "GET /healthcheck/version":
		o.spelled(w, version, `{"BuildVersion":"v1.0.0","BuildType":"dev","BuildDate":"2022-12-13"}`)
	case call == "GET /healthcheck/status":
		o.spelled(w, health, `{"WebSocket":{"ReadyState":%q,"RemoteFeedUrl":"wss://play-api.qredo.network/api/v1/p/coreclient/feed","LocalFeedUrl":%q,"ConnectedClients":1}}`,
			o.state, localFeed)
	case call == "GET /healthcheck/config":
		o.spelled(w, settings, oldSettings, o.auto)
	case call == "GET /client/feed" && o.state != "OPEN": // an empty success, and no upgrade
	case call == "GET /client/feed":
		o.subscribe(w, req)
	default:
		http.NotFound(w, req)
	}
}

func (o *oldProgram) id() string {
	if o.name == "" {
		return ""
	}
	return oldID
}

// registration answers POST /register, and closes the connection on a key that is not PEM.
func (o *oldProgram) registration(w http.ResponseWriter, req *http.Request) {
	var body map[string]string
	switch err := json.NewDecoder(req.Body).Decode(&body); {
	case o.name != "":
		refuse(w, 400, "AgentID already exist. You can not set new one.")
		return
	case err != nil:
		refuse(w, 400, "invalid json")
		return
	}
	file, err := base64.StdEncoding.DecodeString(body["base64PrivateKey"])
	if err != nil {
		refuse(w, 500, "decoding base64 RSA key: "+err.Error())
		return
	}
	block, _ := pem.Decode(file)
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err != nil {
		refuse(w, 500, "parse RSA key: "+err.Error())
		return
	}
	o.name, o.register = body["name"], body["APIKey"]
	o.spelled(w, `{"agentID":%q,"feedURL":%q}`, `{"agentId":%q,"feedUrl":%q}`, o.id(), localFeed)
}

// subscribe serves a feed: it pings every five seconds and reads nothing, so that no ping is answered.
func (o *oldProgram) subscribe(w http.ResponseWriter, req *http.Request) {
	ws, err := clienttest.AcceptWebSocket(w, req, nil)
	if err != nil {
		return
	}
	frames := make(chan []byte, 1000)
	if o.release == august && !o.auto {
		for _, frame := range o.pending {
			frames <- []byte(frame)
		}
	}
	o.upgrades++
	number := o.upgrades
	o.feeds[number] = frames
	o.mu.Unlock()
	defer o.mu.Lock()
	defer func() { _ = ws.CloseNow() }()
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.feeds, number)
	}()
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-o.done:
			return
		case frame := <-frames:
			if frame == nil || ws.Write(context.Background(), websocket.MessageText, frame) != nil {
				return
			}
		case <-ticker.C:
			select {
			case <-o.silent:
				continue
			default:
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			_ = ws.Ping(ctx) // nobody reads the answer
			cancel()
		}
	}
}

// tell sends an action to all subscribers.
func (o *oldProgram) tell(id string, more ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	frame := pendingFrame(id, more...)
	o.pending = append(o.pending, frame)
	for _, feed := range o.feeds {
		feed <- []byte(frame)
	}
}

// raw sends a text to all subscribers.
func (o *oldProgram) raw(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, feed := range o.feeds {
		feed <- []byte(text)
	}
}

// drop ends all feeds. The state is that of its connection to the service from then on.
func (o *oldProgram) drop(state string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.state = state
	for _, feed := range o.feeds {
		feed <- nil
	}
}

func (o *oldProgram) set(change func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	change()
}

func pendingFrame(id string, status ...string) string {
	if len(status) == 0 {
		status = []string{"pending"}
	}
	return fmt.Sprintf(`{"id":%q,"coreClientID":%q,"type":"ApproveTransfer","status":%q,"timestamp":1700000000,"expireTime":4000000000}`, id, oldID, status[0])
}
