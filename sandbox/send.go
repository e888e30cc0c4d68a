package sandbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/partner"
	"github.com/qredo-go/qredo/sandbox/internal/qredoapi"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

// sendPatience is how long a request that is sent from here may take, since a fault can delay it.
const sendPatience = 30 * time.Second

// SendRequest is a request for the sandbox to sign with its own key and send to itself.
type SendRequest struct {
	API    string `json:"api,omitzero"` // "partner" or "qapi". Default: "partner"
	Method string `json:"method"`
	Path   string `json:"path"`          // below the API's base path, with its query: "/company/search?query=acme"
	Body   string `json:"body,omitzero"` // sent as it is
}

var callSend = control.Post("/requests/send", func(s *Sandbox, _ ids, in SendRequest) (RequestDetail, error) { return s.Send(in) }).Exactly()

// Send signs a request with the sandbox's own key and carries it out as if a program had sent it: faults apply to it, and it is
// in the log with its answer. It is not an error if it was refused. Feeds cannot be opened this way.
func (s *Sandbox) Send(r SendRequest) (RequestDetail, error) {
	base, auth := partner.BasePath, qredo.Authenticator(s.auth)
	switch r.API {
	case "", "partner":
	case "qapi":
		base, auth = qredoapi.BasePath, s.hmacAuth
	default:
		return RequestDetail{}, serve.BadRequest("api must be partner or qapi")
	}
	if !strings.HasPrefix(r.Path, "/") || strings.Contains(r.Path, "#") {
		return RequestDetail{}, serve.BadRequest("path must begin with / and must not contain #")
	}
	id, err := s.send(auth, r.Method, base+r.Path, []byte(r.Body), 0)
	if err != nil {
		return RequestDetail{}, err
	}
	return s.Request(id)
}

// send signs a request to the sandbox itself, and carries it out. It returns its ID in the log.
func (s *Sandbox) send(auth qredo.Authenticator, method, target string, body []byte, resentFrom uint64) (uint64, error) {
	if s.requests == nil {
		return 0, &serve.Fault{Status: http.StatusConflict, Reason: "no requests are kept here, so this one could not be shown: see WithoutRequestLog"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), sendPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.servedAt()+target, bytes.NewReader(body))
	if err != nil {
		return 0, serve.BadRequest("the request: %v", err)
	}
	api, _, rest := s.apiOf(req.URL.EscapedPath())
	if route, _, _ := api.Match(method, rest); route.Feed != nil {
		return 0, serve.BadRequest("feeds cannot be opened from here: connect with a program")
	}
	if req.URL.Scheme == "https" {
		req.TLS = &tls.ConnectionState{}
	}
	if err := auth.Authenticate(req, body, s.clock()); err != nil {
		return 0, serve.BadRequest("the request: %v", err)
	}
	answer := &sentHere{header: http.Header{"Date": {s.clock().UTC().Format(http.TimeFormat)}}}
	s.carryOut(answer, req, resentFrom)
	return answer.id, nil
}

// carryOut answers one of the sandbox's own requests, which has no connection that a fault could cut.
func (s *Sandbox) carryOut(answer *sentHere, req *http.Request, resentFrom uint64) {
	defer func() {
		if cut := recover(); cut != nil && cut != http.ErrAbortHandler { //nolint:errorlint // what is recovered is no error that wraps another
			panic(cut)
		}
	}()
	s.serveAPI(answer, req, resentFrom)
}

// servedAt is where the sandbox is served, without a path.
func (s *Sandbox) servedAt() string {
	if s.url == "" {
		return "http://127.0.0.1"
	}
	return s.url
}

// sentHere discards the answer to one of the sandbox's own requests: the log has it.
type sentHere struct {
	header http.Header
	id     uint64 // of the request in the log
}

func (h *sentHere) Header() http.Header            { return h.header }
func (h *sentHere) Write(data []byte) (int, error) { return len(data), nil }
func (h *sentHere) WriteHeader(int)                {}
