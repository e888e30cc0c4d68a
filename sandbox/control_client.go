package sandbox

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// Control makes control calls to a sandbox that runs in another process, which must be on this machine unless you set a token.
// Its methods are those of [Sandbox] with the same names. A refused call returns a [*ControlError].
type Control struct {
	// HTTPClient makes the calls; set it, for example, to one that trusts the sandbox's certificate. Default: a client that
	// trusts what the system trusts, and gives up on a call after 30 s.
	HTTPClient *http.Client

	// Token is the sandbox's control token, for a sandbox on another machine: see [WithControlToken]. Default: none.
	Token string

	base string
}

// NewControl returns the control of the sandbox at the given URL. Any path is dropped, so you can pass a base URL of the
// Partner API. It returns a [*qredo.ValidationError] if it is not a URL.
func NewControl(sandboxURL string) (*Control, error) {
	u, err := url.Parse(sandboxURL)
	if err != nil || u.Host == "" {
		return nil, invalid("URL", "must be a sandbox's URL, such as http://127.0.0.1:8765") // which is not repeated: it may hold a password
	}
	return &Control{base: u.Scheme + "://" + u.Host + controlPath}, nil
}

func (c *Control) client() control.Client {
	return control.Client{Base: c.base, HTTP: c.HTTPClient, Token: c.Token, Refused: refusedCall}
}

// CreateUser creates a user: see [Sandbox.CreateUser].
func (c *Control) CreateUser(ctx context.Context, u User) (User, error) {
	return callCreateUser.Ask(ctx, c.client(), u)
}

// Accept has a user join a trusted network: see [Sandbox.Accept].
func (c *Control) Accept(ctx context.Context, user string, companyID qredo.CompanyID) error {
	return callAccept.Tell(ctx, c.client(), acceptRequest{companyID}, user)
}

// CreateCoreClient creates a core client with a given ID: see [Sandbox.CreateCoreClient].
func (c *Control) CreateCoreClient(ctx context.Context, client CoreClient) (CoreClient, error) {
	return callCreateCoreClient.Ask(ctx, c.client(), client)
}

// Deposit credits a wallet: see [Sandbox.Deposit].
func (c *Control) Deposit(ctx context.Context, address string, amount qredo.Amount) (Deposit, error) {
	return c.DepositBy(ctx, "", address, amount)
}

// DepositBy credits a wallet in a transaction that contains other deposits: see [Sandbox.DepositBy].
func (c *Control) DepositBy(ctx context.Context, chainTxID, address string, amount qredo.Amount) (Deposit, error) {
	return callDeposit.Ask(ctx, c.client(), depositRequest{address, amount, chainTxID})
}

// Pending lists what is waiting for a user: see [Sandbox.Pending].
func (c *Control) Pending(ctx context.Context, user string) ([]PendingApproval, error) {
	waiting, err := c.Approvals(ctx, user, ApprovalFilter{})
	list := []PendingApproval{}
	for _, a := range waiting.Approvals {
		list = append(list, a.PendingApproval)
	}
	return list, err
}

// Approve has a user approve: see [Sandbox.Approve].
func (c *Control) Approve(ctx context.Context, user, actionOrTxID string) error {
	return callApprove.Tell(ctx, c.client(), control.None{}, user, actionOrTxID)
}

// Reject has a user reject: see [Sandbox.Reject].
func (c *Control) Reject(ctx context.Context, user, actionOrTxID string) error {
	return callReject.Tell(ctx, c.client(), control.None{}, user, actionOrTxID)
}

// RejectOnChain makes the service's chain refuse a pending transaction: see [Sandbox.RejectOnChain].
func (c *Control) RejectOnChain(ctx context.Context, actionOrTxID string) error {
	return callRejectOnChain.Tell(ctx, c.client(), control.None{}, actionOrTxID)
}

// ListExchange adds a core client to the list of exchanges: see [Sandbox.ListExchange].
func (c *Control) ListExchange(ctx context.Context, exchange qredo.Exchange) error {
	return callListExchange.Tell(ctx, c.client(), exchange)
}

// SetFaults makes requests fail: see [Sandbox.SetFaults].
func (c *Control) SetFaults(ctx context.Context, seed uint64, rules ...FaultRule) error {
	return callSetFaults.Tell(ctx, c.client(), faultsRequest{seed, rules})
}

// Advance moves the sandbox's clock forward, by whole seconds: see [Sandbox.Advance].
func (c *Control) Advance(ctx context.Context, by time.Duration) error {
	return callAdvance.Tell(ctx, c.client(), advanceRequest{Seconds: int64(by / time.Second)})
}

// DropFeeds closes all feed connections: see [Sandbox.DropFeeds].
func (c *Control) DropFeeds(ctx context.Context) (int, error) {
	met, err := callDropFeeds.Ask(ctx, c.client(), feedRequest{})
	return met.Connections, err
}

// FreezeFeeds stops all data on the existing feed connections: see [Sandbox.FreezeFeeds].
func (c *Control) FreezeFeeds(ctx context.Context) (int, error) {
	met, err := callFreezeFeeds.Ask(ctx, c.client(), feedRequest{})
	return met.Connections, err
}

// DelayFeeds delays each feed message, in whole milliseconds: see [Sandbox.DelayFeeds].
func (c *Control) DelayFeeds(ctx context.Context, by time.Duration) error {
	return callDelayFeeds.Tell(ctx, c.client(), delayRequest{by.Milliseconds()})
}

// DuplicateFeeds makes feeds send each message twice, or stops that: see [Sandbox.DuplicateFeeds].
func (c *Control) DuplicateFeeds(ctx context.Context, on bool) error {
	return callDuplicateFeeds.Tell(ctx, c.client(), duplicateRequest{on})
}

// Explain says what is wrong with a signed request: see [Sandbox.Explain].
func (c *Control) Explain(ctx context.Context, req SignedRequest) (Explanation, error) {
	return callExplain.Ask(ctx, c.client(), req)
}

// Reset deletes everything except the keys: see [Sandbox.Reset].
func (c *Control) Reset(ctx context.Context) error {
	return callReset.Tell(ctx, c.client(), control.None{})
}

// State returns what the sandbox knows: see [Sandbox.State].
func (c *Control) State(ctx context.Context) (State, error) {
	return callState.Ask(ctx, c.client(), control.None{})
}

// Assets returns the assets that the sandbox offers: see [Sandbox.Assets].
func (c *Control) Assets(ctx context.Context) ([]qredo.Asset, error) {
	list, err := callAssets.Ask(ctx, c.client(), control.None{})
	return list.Assets, err
}
