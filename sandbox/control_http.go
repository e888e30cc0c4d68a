package sandbox

import (
	"encoding/json"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

const controlPath = "/sandbox/v1"

// controlRoute is a control call over HTTP.
type controlRoute struct {
	method, path string
	call         controlCall
}

// controlCall gets what stands at the path's placeholders, and the body.
type controlCall func(s *Sandbox, path map[string]string, body []byte) (any, error)

// reads makes a control call that is given what its body says. A body that is empty says nothing.
func reads[B any](call func(s *Sandbox, path map[string]string, req B) (any, error)) controlCall {
	return func(s *Sandbox, path map[string]string, body []byte) (any, error) {
		var req B
		if len(body) > 0 {
			if err := wire.Unmarshal(body, &req); err != nil {
				return nil, badRequest("%v", err)
			}
		}
		return call(s, path, req)
	}
}

// The bodies of control calls, and answers.
type (
	acceptRequest struct {
		CompanyID qredo.CompanyID `json:"company_id"`
	}
	depositRequest struct {
		Address string       `json:"address"`
		Amount  qredo.Amount `json:"amount"`
	}
	faultsRequest struct {
		Seed  uint64          `json:"seed"`
		Rules []wireFaultRule `json:"rules"`
	}
	delayRequest struct {
		Milliseconds int `json:"milliseconds"`
	}
	duplicateRequest struct {
		On bool `json:"on"`
	}
	advanceRequest struct {
		Seconds int64 `json:"seconds"`
	}
	approvals struct {
		Approvals []PendingApproval `json:"approvals"`
	}
	connections struct {
		Connections int `json:"connections"` // how many feeds a call met
	}
)

// controlRoutes are the control calls. Bodies and answers are JSON.
var controlRoutes = []controlRoute{
	{"POST", "/users", reads(func(s *Sandbox, _ map[string]string, u User) (any, error) { return reply(s.CreateUser(u)) })},
	{"POST", "/users/{user}/accept", reads(func(s *Sandbox, path map[string]string, req acceptRequest) (any, error) {
		return ok, s.Accept(path["user"], req.CompanyID)
	})},
	{"GET", "/users/{user}/approvals", func(s *Sandbox, path map[string]string, _ []byte) (any, error) {
		list, err := s.Pending(path["user"])
		return approvals{list}, err
	}},
	{"POST", "/users/{user}/approvals/{id}/approve", func(s *Sandbox, path map[string]string, _ []byte) (any, error) {
		return ok, s.Approve(path["user"], path["id"])
	}},
	{"POST", "/users/{user}/approvals/{id}/reject", func(s *Sandbox, path map[string]string, _ []byte) (any, error) {
		return ok, s.Reject(path["user"], path["id"])
	}},
	{"POST", "/core-clients", reads(func(s *Sandbox, _ map[string]string, c CoreClient) (any, error) { return reply(s.CreateCoreClient(c)) })},
	{"POST", "/deposits", reads(func(s *Sandbox, _ map[string]string, req depositRequest) (any, error) {
		return reply(s.Deposit(req.Address, req.Amount))
	})},
	{"POST", "/transactions/{id}/reject-on-chain", func(s *Sandbox, path map[string]string, _ []byte) (any, error) {
		return ok, s.RejectOnChain(path["id"])
	}},
	{"POST", "/exchanges", reads(func(s *Sandbox, _ map[string]string, e qredo.Exchange) (any, error) { return ok, s.ListExchange(e) })},
	{"POST", "/faults", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var req faultsRequest
		if err := json.Unmarshal(body, &req); err != nil {
			return nil, badRequest("%v", err)
		}
		rules := make([]FaultRule, len(req.Rules))
		for i, r := range req.Rules {
			rules[i] = r.rule()
		}
		return ok, s.SetFaults(req.Seed, rules...)
	}},
	{"POST", "/feeds/drop", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) { return connections{s.DropFeeds()}, nil }},
	{"POST", "/feeds/freeze", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) { return connections{s.FreezeFeeds()}, nil }},
	{"POST", "/feeds/delay", reads(func(s *Sandbox, _ map[string]string, req delayRequest) (any, error) {
		s.DelayFeeds(time.Duration(req.Milliseconds) * time.Millisecond)
		return ok, nil
	})},
	{"POST", "/feeds/duplicate", reads(func(s *Sandbox, _ map[string]string, req duplicateRequest) (any, error) {
		s.DuplicateFeeds(req.On)
		return ok, nil
	})},
	{"POST", "/clock/advance", reads(func(s *Sandbox, _ map[string]string, req advanceRequest) (any, error) {
		if req.Seconds > int64(math.MaxInt64/time.Second) {
			return nil, badRequest("seconds are too many")
		}
		return ok, s.Advance(time.Duration(req.Seconds) * time.Second)
	})},
	{"POST", "/reset", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) { return ok, s.Reset() }},
	{"POST", "/explain", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var req SignedRequest
		if err := json.Unmarshal(body, &req); err != nil {
			return nil, badRequest("%v", err)
		}
		return reply(s.Explain(req))
	}},
	{"GET", "/state", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) { return reply(s.State()) }},
}

func reply[T any](v T, err error) (any, error) { return v, err }

func (s *Sandbox) serveControl(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	if !fromThisMachine(r) {
		writeFault(w, &fault{http.StatusForbidden, "", "control calls are taken from this machine's programs only"})
		return
	}
	for _, route := range controlRoutes {
		ids, found := matchPath(strings.Split(route.path, "/"), strings.Split(path, "/"))
		if !found || route.method != r.Method {
			continue
		}
		answer, err := route.call(s, ids, body)
		if err != nil {
			writeFault(w, err)
			return
		}
		writeJSON(w, http.StatusOK, answer)
		return
	}
	writeFault(w, notFound("control call"))
}

// fromThisMachine reports whether a request comes over the loopback, and from a program: control calls
// are not signed, and a page in a browser on this machine can send requests here too. Such a request
// names its origin, or the host that the page's author made to resolve to this machine.
func fromThisMachine(r *http.Request) bool {
	return isLoopback(r.RemoteAddr) && isLoopback(r.Host) && r.Header.Get("Origin") == ""
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = (&url.URL{Host: address}).Hostname()
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
