package sandbox

import (
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
	"github.com/qredo-go/qredo/sandbox/internal/serve"
)

const controlPath = "/sandbox/v1"

// The control calls: their HTTP form, below controlPath, and what carries them out. [Sandbox.ServeHTTP] and [Control]
// share this table.
var (
	callCreateUser = control.Post("/users", func(s *Sandbox, _ ids, u User) (User, error) { return s.CreateUser(u) })
	callAccept     = control.Post("/users/{user}/accept", func(s *Sandbox, at ids, in acceptRequest) (control.OK, error) {
		return control.Done(s.Accept(at["user"], in.CompanyID))
	})
	callApprove = control.Post("/users/{user}/approvals/{id}/approve", func(s *Sandbox, at ids, _ control.None) (control.OK, error) {
		return control.Done(s.Approve(at["user"], at["id"]))
	})
	callReject = control.Post("/users/{user}/approvals/{id}/reject", func(s *Sandbox, at ids, _ control.None) (control.OK, error) {
		return control.Done(s.Reject(at["user"], at["id"]))
	})
	callCreateCoreClient = control.Post("/core-clients", func(s *Sandbox, _ ids, c CoreClient) (CoreClient, error) { return s.CreateCoreClient(c) })
	callDeposit          = control.Post("/deposits", func(s *Sandbox, _ ids, in depositRequest) (Deposit, error) {
		return s.DepositBy(in.ChainTxID, in.Address, in.Amount)
	})
	callRejectOnChain = control.Post("/transactions/{id}/reject-on-chain", func(s *Sandbox, at ids, _ control.None) (control.OK, error) {
		return control.Done(s.RejectOnChain(at["id"]))
	})
	callListExchange = control.Post("/exchanges", func(s *Sandbox, _ ids, e qredo.Exchange) (control.OK, error) { return control.Done(s.ListExchange(e)) })
	callSetFaults    = control.Post("/faults", func(s *Sandbox, _ ids, in faultsRequest) (control.OK, error) {
		return control.Done(s.SetFaults(in.Seed, in.Rules...))
	}).Exactly()
	callDropFeeds = control.Post("/feeds/drop", func(s *Sandbox, _ ids, in feedRequest) (connections, error) {
		return in.of(s.DropFeeds, s.DropFeed)
	})
	callFreezeFeeds = control.Post("/feeds/freeze", func(s *Sandbox, _ ids, in feedRequest) (connections, error) {
		return in.of(s.FreezeFeeds, s.FreezeFeed)
	})
	callDelayFeeds = control.Post("/feeds/delay", func(s *Sandbox, _ ids, in delayRequest) (control.OK, error) {
		s.DelayFeeds(time.Duration(in.Milliseconds) * time.Millisecond)
		return control.Done(nil)
	})
	callDuplicateFeeds = control.Post("/feeds/duplicate", func(s *Sandbox, _ ids, in duplicateRequest) (control.OK, error) {
		s.DuplicateFeeds(in.On)
		return control.Done(nil)
	})
	callAdvance = control.Post("/clock/advance", func(s *Sandbox, _ ids, in advanceRequest) (advanced, error) { return s.advance(in) })
	callReset   = control.Post("/reset", func(s *Sandbox, _ ids, _ control.None) (control.OK, error) { return control.Done(s.Reset()) })
	callExplain = control.Post("/explain", func(s *Sandbox, _ ids, in SignedRequest) (Explanation, error) { return s.Explain(in) }).Exactly().Asking()
	callState   = control.Get("/state", func(s *Sandbox, _ ids, _ control.None) (State, error) { return s.State() })
	callAssets  = control.Get("/assets", func(s *Sandbox, _ ids, _ control.None) (assets, error) { return assets{s.Assets()}, nil })
)

// controlCalls are the served calls.
var controlCalls = slices.Concat(playCalls, inspectCalls, viewCalls, worldCalls)

// playCalls play the people, the chain and faults.
var playCalls = control.Calls[*Sandbox]{
	callCreateUser, callAccept, callApprove, callReject, callCreateCoreClient, callDeposit, callRejectOnChain, callListExchange,
	callSetFaults, callDropFeeds, callFreezeFeeds, callDelayFeeds, callDuplicateFeeds, callAdvance, callReset, callExplain, callState,
	callExport, callImport, callSnapshots, callTakeSnapshot, callRestoreSnapshot, callDeleteSnapshot,
	callHealth, callRegisterKey, callAssets, callConsole,
}

// viewCalls show the state as people look at it.
var viewCalls = control.Calls[*Sandbox]{
	callApprovers, callApprovals, callCompanies, callCompany, callWallet, callMovements, callTotals, callTransactions, callTransaction, callExpiries,
}

// ids are the values of a path's placeholders.
type ids = map[string]string

// The bodies of control calls, and answers.
type (
	acceptRequest struct {
		CompanyID qredo.CompanyID `json:"company_id"`
	}
	depositRequest struct {
		Address string       `json:"address"`
		Amount  qredo.Amount `json:"amount"`

		ChainTxID string `json:"chain_tx_id,omitzero"`
	}
	faultsRequest struct {
		Seed  uint64      `json:"seed"`
		Rules []FaultRule `json:"rules"`
	}
	delayRequest struct {
		Milliseconds int64 `json:"milliseconds"`
	}
	duplicateRequest struct {
		On bool `json:"on"`
	}
	advanceRequest struct {
		Seconds      int64 `json:"seconds,omitzero"`
		ToNextExpiry bool  `json:"to_next_expiry,omitzero"`
	}
	assets struct {
		Assets []qredo.Asset `json:"assets"`
	}
	advanced struct {
		control.OK
		Now     time.Time `json:"now"`
		Seconds float64   `json:"advanced_seconds"` // in all
	}
	connections struct {
		Connections int `json:"connections"` // how many feeds a call met
	}
)

// serveControl answers a permitted control call.
func (s *Sandbox) advance(in advanceRequest) (advanced, error) {
	var err error
	switch {
	case in.ToNextExpiry && in.Seconds != 0:
		err = serve.BadRequest("seconds and to_next_expiry exclude each other")
	case in.ToNextExpiry:
		err = s.AdvanceToNextExpiry()
	case in.Seconds > int64(math.MaxInt64/time.Second):
		err = serve.BadRequest("seconds are too many")
	default:
		err = s.Advance(time.Duration(in.Seconds) * time.Second)
	}
	if err != nil {
		return advanced{}, err
	}
	done, _ := control.Done(nil)
	return advanced{done, instant(s.Now()), s.world.Advanced().Seconds()}, nil
}

func (s *Sandbox) serveControl(w http.ResponseWriter, r *http.Request, path string) {
	if s.serveStream(w, r, path) {
		return
	}
	answer, err := controlCalls.Serve(s, w, r, path)
	switch {
	case err != nil:
		writeRefused(w, err)
	case answer != nil:
		serve.WriteJSON(w, http.StatusOK, answer)
	}
}

func writeRefused(w http.ResponseWriter, err error) {
	var refused *control.Refusal
	if errors.As(err, &refused) {
		err = &serve.Fault{Status: refused.Status, Reason: refused.Reason}
		if refused.Status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", "Bearer")
		}
	}
	serve.WriteFault(w, err)
}
