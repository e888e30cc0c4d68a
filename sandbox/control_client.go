package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/qredo-go/qredo"
)

// Control makes the control calls of a sandbox that runs in another process, on this machine. Its methods
// are those of [Sandbox] with the same names.
type Control struct {
	// HTTPClient makes the calls: one that trusts the sandbox's certificate, say. If it is nil, a client does
	// that trusts what the system trusts, and gives up on a call after 30 seconds.
	HTTPClient *http.Client

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

// CreateUser makes a user: see [Sandbox.CreateUser].
func (c *Control) CreateUser(ctx context.Context, u User) (User, error) {
	return call[User](ctx, c, http.MethodPost, u, "users")
}

// Accept lets a user join a trusted network: see [Sandbox.Accept].
func (c *Control) Accept(ctx context.Context, user string, companyID qredo.CompanyID) error {
	return c.do(ctx, http.MethodPost, map[string]any{"company_id": companyID}, nil, "users", user, "accept")
}

// CreateCoreClient makes a core client with a known ID: see [Sandbox.CreateCoreClient].
func (c *Control) CreateCoreClient(ctx context.Context, client CoreClient) (CoreClient, error) {
	return call[CoreClient](ctx, c, http.MethodPost, client, "core-clients")
}

// Deposit credits a wallet: see [Sandbox.Deposit].
func (c *Control) Deposit(ctx context.Context, address string, amount qredo.Amount) (Deposit, error) {
	return call[Deposit](ctx, c, http.MethodPost, map[string]any{"address": address, "amount": amount}, "deposits")
}

// Pending lists what waits for a user: see [Sandbox.Pending].
func (c *Control) Pending(ctx context.Context, user string) ([]PendingApproval, error) {
	waiting, err := call[approvals](ctx, c, http.MethodGet, nil, "users", user, "approvals")
	return waiting.Approvals, err
}

// Approve lets a user approve: see [Sandbox.Approve].
func (c *Control) Approve(ctx context.Context, user, actionOrTxID string) error {
	return c.do(ctx, http.MethodPost, nil, nil, "users", user, "approvals", actionOrTxID, "approve")
}

// Reject lets a user reject: see [Sandbox.Reject].
func (c *Control) Reject(ctx context.Context, user, actionOrTxID string) error {
	return c.do(ctx, http.MethodPost, nil, nil, "users", user, "approvals", actionOrTxID, "reject")
}

// RejectOnChain lets the service's chain refuse a transaction that waits: see [Sandbox.RejectOnChain].
func (c *Control) RejectOnChain(ctx context.Context, actionOrTxID string) error {
	return c.do(ctx, http.MethodPost, nil, nil, "transactions", actionOrTxID, "reject-on-chain")
}

// ListExchange puts a core client on the list of exchanges: see [Sandbox.ListExchange].
func (c *Control) ListExchange(ctx context.Context, exchange qredo.Exchange) error {
	return c.do(ctx, http.MethodPost, exchange, nil, "exchanges")
}

// SetFaults makes requests go wrong: see [Sandbox.SetFaults].
func (c *Control) SetFaults(ctx context.Context, seed uint64, rules ...FaultRule) error {
	body := faultsRequest{Seed: seed}
	for _, r := range rules {
		body.Rules = append(body.Rules, r.wire())
	}
	return c.do(ctx, http.MethodPost, body, nil, "faults")
}

// Advance moves the sandbox's clock forward, by whole seconds: see [Sandbox.Advance].
func (c *Control) Advance(ctx context.Context, by time.Duration) error {
	return c.do(ctx, http.MethodPost, map[string]any{"seconds": int64(by / time.Second)}, nil, "clock", "advance")
}

// DropFeeds cuts all feed connections: see [Sandbox.DropFeeds].
func (c *Control) DropFeeds(ctx context.Context) (int, error) { return c.feeds(ctx, "drop") }

// FreezeFeeds lets no more bytes through the feed connections that there are: see [Sandbox.FreezeFeeds].
func (c *Control) FreezeFeeds(ctx context.Context) (int, error) { return c.feeds(ctx, "freeze") }

func (c *Control) feeds(ctx context.Context, verb string) (int, error) {
	met, err := call[connections](ctx, c, http.MethodPost, nil, "feeds", verb)
	return met.Connections, err
}

// DelayFeeds lets each feed message wait, by whole milliseconds: see [Sandbox.DelayFeeds].
func (c *Control) DelayFeeds(ctx context.Context, by time.Duration) error {
	return c.do(ctx, http.MethodPost, map[string]any{"milliseconds": by.Milliseconds()}, nil, "feeds", "delay")
}

// DuplicateFeeds sends each feed message twice, or no longer: see [Sandbox.DuplicateFeeds].
func (c *Control) DuplicateFeeds(ctx context.Context, on bool) error {
	return c.do(ctx, http.MethodPost, map[string]any{"on": on}, nil, "feeds", "duplicate")
}

// Explain tells what is wrong with a signed request: see [Sandbox.Explain].
func (c *Control) Explain(ctx context.Context, req SignedRequest) (Explanation, error) {
	return call[Explanation](ctx, c, http.MethodPost, req, "explain")
}

// Reset forgets everything but the keys: see [Sandbox.Reset].
func (c *Control) Reset(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, nil, nil, "reset")
}

// State returns what the sandbox knows: see [Sandbox.State].
func (c *Control) State(ctx context.Context) (State, error) {
	return call[State](ctx, c, http.MethodGet, nil, "state")
}

// call makes a control call that has a T for an answer.
func call[T any](ctx context.Context, c *Control, method string, body any, path ...string) (answer T, err error) {
	err = c.do(ctx, method, body, &answer, path...)
	return answer, err
}

// refusal is the error of a control call that was not carried out. errors.Is tells its kind, as it does for calls
// of the sandbox's own methods.
type refusal struct {
	error
	status int
}

func (r *refusal) Is(target error) bool { return (&qredo.Error{StatusCode: r.status}).Is(target) }

var defaultControlClient = &http.Client{Timeout: 30 * time.Second}

func (c *Control) do(ctx context.Context, method string, body, out any, path ...string) error {
	target := c.base
	for _, p := range path {
		target += "/" + url.PathEscape(p)
	}
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("sandbox: %w", err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	resp, err := cmp.Or(c.HTTPClient, defaultControlClient).Do(req)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return &refusal{fmt.Errorf("sandbox: %s %s: %s: %s", method, target, resp.Status, bytes.TrimSpace(data)), resp.StatusCode}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
