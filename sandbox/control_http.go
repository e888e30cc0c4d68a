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

// controlRoute is a control call over HTTP. Its function gets what stands at the path's placeholders.
type controlRoute struct {
	method, path string
	call         func(s *Sandbox, path map[string]string, body []byte) (any, error)
}

// controlRoutes are the control calls. Bodies and answers are JSON.
var controlRoutes = []controlRoute{
	{"POST", "/users", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var u User
		if err := readControl(body, &u); err != nil {
			return nil, err
		}
		return reply(s.CreateUser(u))
	}},
	{"POST", "/users/{user}/accept", func(s *Sandbox, path map[string]string, body []byte) (any, error) {
		var req struct {
			CompanyID qredo.CompanyID `json:"company_id"`
		}
		if err := readControl(body, &req); err != nil {
			return nil, err
		}
		return ok, s.Accept(path["user"], req.CompanyID)
	}},
	{"GET", "/users/{user}/approvals", func(s *Sandbox, path map[string]string, _ []byte) (any, error) {
		list, err := s.Pending(path["user"])
		return struct {
			Approvals []PendingApproval `json:"approvals"`
		}{list}, err
	}},
	{"POST", "/users/{user}/approvals/{id}/approve", func(s *Sandbox, path map[string]string, _ []byte) (any, error) {
		return ok, s.Approve(path["user"], path["id"])
	}},
	{"POST", "/users/{user}/approvals/{id}/reject", func(s *Sandbox, path map[string]string, _ []byte) (any, error) {
		return ok, s.Reject(path["user"], path["id"])
	}},
	{"POST", "/deposits", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var req struct {
			Address string       `json:"address"`
			Amount  qredo.Amount `json:"amount"`
		}
		if err := readControl(body, &req); err != nil {
			return nil, err
		}
		return reply(s.Deposit(req.Address, req.Amount))
	}},
	{"POST", "/exchanges", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var e qredo.Exchange
		if err := readControl(body, &e); err != nil {
			return nil, err
		}
		return ok, s.ListExchange(e)
	}},
	{"POST", "/faults", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var req struct {
			Seed  uint64          `json:"seed"`
			Rules []wireFaultRule `json:"rules"`
		}
		if err := json.Unmarshal(body, &req); err != nil {
			return nil, badRequest("%v", err)
		}
		rules := make([]FaultRule, len(req.Rules))
		for i, r := range req.Rules {
			rules[i] = r.rule()
		}
		return ok, s.SetFaults(req.Seed, rules...)
	}},
	{"POST", "/feeds/drop", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) {
		return connections{s.DropFeeds()}, nil
	}},
	{"POST", "/feeds/freeze", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) {
		return connections{s.FreezeFeeds()}, nil
	}},
	{"POST", "/feeds/delay", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var req struct {
			Milliseconds int `json:"milliseconds"`
		}
		if err := readControl(body, &req); err != nil {
			return nil, err
		}
		s.DelayFeeds(time.Duration(req.Milliseconds) * time.Millisecond)
		return ok, nil
	}},
	{"POST", "/feeds/duplicate", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var req struct {
			On bool `json:"on"`
		}
		if err := readControl(body, &req); err != nil {
			return nil, err
		}
		s.DuplicateFeeds(req.On)
		return ok, nil
	}},
	{"POST", "/clock/advance", func(s *Sandbox, _ map[string]string, body []byte) (any, error) {
		var req struct {
			Seconds int64 `json:"seconds"`
		}
		if err := readControl(body, &req); err != nil {
			return nil, err
		}
		if req.Seconds > int64(math.MaxInt64/time.Second) {
			return nil, badRequest("seconds are too many")
		}
		return ok, s.Advance(time.Duration(req.Seconds) * time.Second)
	}},
	{"POST", "/reset", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) { return ok, s.Reset() }},
	{"POST", "/explain", explainRequest},
	{"GET", "/state", func(s *Sandbox, _ map[string]string, _ []byte) (any, error) { return reply(s.State()) }},
}

// connections is how many feeds a call met.
type connections struct {
	Connections int `json:"connections"`
}

func reply[T any](v T, err error) (any, error) { return v, err }

func readControl(body []byte, v any) error {
	if len(body) == 0 {
		return nil
	}
	if err := wire.Unmarshal(body, v); err != nil {
		return badRequest("%v", err)
	}
	return nil
}

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
