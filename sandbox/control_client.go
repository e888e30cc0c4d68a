package sandbox

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/control"
)

// Control makes the control calls of a sandbox that runs in another process, on this machine unless it has a token. Its methods
// are those of [Sandbox] with the same names. A call that is refused is a [*ControlError].
type Control struct {
	// HTTPClient makes the calls: one that trusts the sandbox's certificate, say. If it is nil, a client does
	// that trusts what the system trusts, and gives up on a call after 30 seconds.
	HTTPClient *http.Client

	// Token is the sandbox's control token, where it is not on this machine: see [WithControlToken]. Default: none.
	Token string

	base string
}

// NewControl returns the control of the sandbox that serves at a URL. Whatever path the URL has is
// dropped, so that a base URL of the Partner API will do. What is no URL is a [*qredo.ValidationError].
func NewControl(sandboxURL string) (*Control, error) {
	u, err := url.Parse(sandboxURL)
	if err != nil || u.Host == "" {
		return nil, invalid("URL", "%q is not a sandbox's URL", sandboxURL)
	}
	return &Control{base: u.Scheme + "://" + u.Host + controlPath}, nil
}

func (c *Control) client() control.Client {
	return control.Client{Base: c.base, HTTP: c.HTTPClient, Token: c.Token, Refused: refusedCall}
}

// CreateUser makes a user: see [Sandbox.CreateUser].
func (c *Control) CreateUser(ctx context.Context, u User) (User, error) {
	return callCreateUser.Ask(ctx, c.client(), u)
}

// Accept lets a user join a trusted network: see [Sandbox.Accept].
func (c *Control) Accept(ctx context.Context, user string, companyID qredo.CompanyID) error {
	return callAccept.Tell(ctx, c.client(), acceptRequest{companyID}, user)
}

// CreateCoreClient makes a core client with a known ID: see [Sandbox.CreateCoreClient].
func (c *Control) CreateCoreClient(ctx context.Context, client CoreClient) (CoreClient, error) {
	return callCreateCoreClient.Ask(ctx, c.client(), client)
}

// Deposit credits a wallet: see [Sandbox.Deposit].
func (c *Control) Deposit(ctx context.Context, address string, amount qredo.Amount) (Deposit, error) {
	return c.DepositBy(ctx, "", address, amount)
}

// DepositBy credits a wallet by a transaction that pays others too: see [Sandbox.DepositBy].
func (c *Control) DepositBy(ctx context.Context, chainTxID, address string, amount qredo.Amount) (Deposit, error) {
	return callDeposit.Ask(ctx, c.client(), depositRequest{address, amount, chainTxID})
}

// Pending lists what waits for a user: see [Sandbox.Pending].
func (c *Control) Pending(ctx context.Context, user string) ([]PendingApproval, error) {
	waiting, err := c.Approvals(ctx, user, ApprovalFilter{})
	list := []PendingApproval{}
	for _, a := range waiting.Approvals {
		list = append(list, a.PendingApproval)
	}
	return list, err
}

// Approve lets a user approve: see [Sandbox.Approve].
func (c *Control) Approve(ctx context.Context, user, actionOrTxID string) error {
	return callApprove.Tell(ctx, c.client(), control.None{}, user, actionOrTxID)
}

// Reject lets a user reject: see [Sandbox.Reject].
func (c *Control) Reject(ctx context.Context, user, actionOrTxID string) error {
	return callReject.Tell(ctx, c.client(), control.None{}, user, actionOrTxID)
}

// RejectOnChain lets the service's chain refuse a transaction that waits: see [Sandbox.RejectOnChain].
func (c *Control) RejectOnChain(ctx context.Context, actionOrTxID string) error {
	return callRejectOnChain.Tell(ctx, c.client(), control.None{}, actionOrTxID)
}

// ListExchange puts a core client on the list of exchanges: see [Sandbox.ListExchange].
func (c *Control) ListExchange(ctx context.Context, exchange qredo.Exchange) error {
	return callListExchange.Tell(ctx, c.client(), exchange)
}

// SetFaults makes requests go wrong: see [Sandbox.SetFaults].
func (c *Control) SetFaults(ctx context.Context, seed uint64, rules ...FaultRule) error {
	return callSetFaults.Tell(ctx, c.client(), faultsRequest{seed, rules})
}

// Advance moves the sandbox's clock forward, by whole seconds: see [Sandbox.Advance].
func (c *Control) Advance(ctx context.Context, by time.Duration) error {
	return callAdvance.Tell(ctx, c.client(), advanceRequest{Seconds: int64(by / time.Second)})
}

// DropFeeds cuts all feed connections: see [Sandbox.DropFeeds].
func (c *Control) DropFeeds(ctx context.Context) (int, error) {
	met, err := callDropFeeds.Ask(ctx, c.client(), feedRequest{})
	return met.Connections, err
}

// FreezeFeeds lets no more bytes through the feed connections that there are: see [Sandbox.FreezeFeeds].
func (c *Control) FreezeFeeds(ctx context.Context) (int, error) {
	met, err := callFreezeFeeds.Ask(ctx, c.client(), feedRequest{})
	return met.Connections, err
}

// DelayFeeds lets each feed message wait, by whole milliseconds: see [Sandbox.DelayFeeds].
func (c *Control) DelayFeeds(ctx context.Context, by time.Duration) error {
	return callDelayFeeds.Tell(ctx, c.client(), delayRequest{by.Milliseconds()})
}

// DuplicateFeeds sends each feed message twice, or no longer: see [Sandbox.DuplicateFeeds].
func (c *Control) DuplicateFeeds(ctx context.Context, on bool) error {
	return callDuplicateFeeds.Tell(ctx, c.client(), duplicateRequest{on})
}

// Explain tells what is wrong with a signed request: see [Sandbox.Explain].
func (c *Control) Explain(ctx context.Context, req SignedRequest) (Explanation, error) {
	return callExplain.Ask(ctx, c.client(), req)
}

// Reset forgets everything but the keys: see [Sandbox.Reset].
func (c *Control) Reset(ctx context.Context) error {
	return callReset.Tell(ctx, c.client(), control.None{})
}

// State returns what the sandbox knows: see [Sandbox.State].
func (c *Control) State(ctx context.Context) (State, error) {
	return callState.Ask(ctx, c.client(), control.None{})
}

// Assets are those that can be kept in the sandbox: see [Sandbox.Assets].
func (c *Control) Assets(ctx context.Context) ([]qredo.Asset, error) {
	list, err := callAssets.Ask(ctx, c.client(), control.None{})
	return list.Assets, err
}
