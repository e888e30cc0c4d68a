package sandbox

import (
	"bytes"
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
	base string
	http *http.Client
}

// NewControl returns the control of the sandbox that serves at a URL. Whatever path the URL has is
// dropped, so that a base URL of the Partner API will do.
func NewControl(sandboxURL string) (*Control, error) {
	u, err := url.Parse(sandboxURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("sandbox: %q is not a sandbox's URL", sandboxURL)
	}
	return &Control{
		base: u.Scheme + "://" + u.Host + controlPath,
		http: &http.Client{Timeout: 30 * time.Second},
	}, nil
}

// WithHTTPClient makes the control calls through the caller's HTTP client, such as one that trusts the
// sandbox's certificate, and returns c.
func (c *Control) WithHTTPClient(client *http.Client) *Control {
	c.http = client
	return c
}

// CreateUser makes a user: see [Sandbox.CreateUser].
func (c *Control) CreateUser(ctx context.Context, u User) (User, error) {
	var made User
	err := c.do(ctx, http.MethodPost, u, &made, "users")
	return made, err
}

// Accept lets a user join a trusted network: see [Sandbox.Accept].
func (c *Control) Accept(ctx context.Context, user string, companyID qredo.CompanyID) error {
	return c.do(ctx, http.MethodPost, map[string]any{"company_id": companyID}, nil, "users", user, "accept")
}

// Deposit credits a wallet: see [Sandbox.Deposit].
func (c *Control) Deposit(ctx context.Context, address string, amount qredo.Amount) (Deposit, error) {
	var made Deposit
	err := c.do(ctx, http.MethodPost, map[string]any{"address": address, "amount": amount}, &made, "deposits")
	return made, err
}

// Pending lists what waits for a user: see [Sandbox.Pending].
func (c *Control) Pending(ctx context.Context, user string) ([]PendingApproval, error) {
	var answer struct {
		Approvals []PendingApproval `json:"approvals"`
	}
	err := c.do(ctx, http.MethodGet, nil, &answer, "users", user, "approvals")
	return answer.Approvals, err
}

// Approve lets a user approve: see [Sandbox.Approve].
func (c *Control) Approve(ctx context.Context, user, actionOrTxID string) error {
	return c.do(ctx, http.MethodPost, nil, nil, "users", user, "approvals", actionOrTxID, "approve")
}

// Reject lets a user reject: see [Sandbox.Reject].
func (c *Control) Reject(ctx context.Context, user, actionOrTxID string) error {
	return c.do(ctx, http.MethodPost, nil, nil, "users", user, "approvals", actionOrTxID, "reject")
}

// ListExchange puts a core client on the list of exchanges: see [Sandbox.ListExchange].
func (c *Control) ListExchange(ctx context.Context, exchange qredo.Exchange) error {
	return c.do(ctx, http.MethodPost, exchange, nil, "exchanges")
}

// SetFaults makes requests go wrong: see [Sandbox.SetFaults].
func (c *Control) SetFaults(ctx context.Context, seed uint64, rules ...FaultRule) error {
	body := struct {
		Seed  uint64          `json:"seed"`
		Rules []wireFaultRule `json:"rules"`
	}{Seed: seed}
	for _, r := range rules {
		body.Rules = append(body.Rules, r.wire())
	}
	return c.do(ctx, http.MethodPost, body, nil, "faults")
}

// Advance moves the sandbox's clock forward, by whole seconds: see [Sandbox.Advance].
func (c *Control) Advance(ctx context.Context, by time.Duration) error {
	return c.do(ctx, http.MethodPost, map[string]any{"seconds": int64(by / time.Second)}, nil, "clock", "advance")
}

// Reset forgets everything but the keys: see [Sandbox.Reset].
func (c *Control) Reset(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, nil, nil, "reset")
}

// State returns what the sandbox knows: see [Sandbox.State].
func (c *Control) State(ctx context.Context) (State, error) {
	var state State
	err := c.do(ctx, http.MethodGet, nil, &state, "state")
	return state, err
}

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
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("sandbox: %s %s: %s: %s", method, target, resp.Status, bytes.TrimSpace(data))
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}
