package signingagent

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// AgentInfo describes the agent that a program runs. Each program runs one.
type AgentInfo struct {
	ID   qredo.CoreClientID `json:"agentID"`
	Name string             `json:"agentName"` // empty with releases before August 2023
	// FeedURL is the local feed as the agent names it, but with wss if the client uses TLS, because the old program always says
	// ws. Its host is the one that the agent listens on, which may be 0.0.0.0. [Client.Feed] does not need it.
	FeedURL string `json:"feedURL"`
}

// UnmarshalJSON also reads the list of IDs that the preview of November 2022 returns.
func (a *AgentInfo) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte{'['}) {
		var ids []qredo.CoreClientID
		if err := wire.Unmarshal(data, &ids); err != nil {
			return err
		}
		*a = AgentInfo{}
		if len(ids) > 0 {
			a.ID = ids[0]
		}
		return nil
	}
	type plain AgentInfo
	return wire.UnmarshalAnswer(data, (*plain)(a))
}

// The maximum lengths that agents accept, in bytes.
const (
	longestName = 256
	longestKey  = 16384
)

// Register has the agent generate its keys and register with the service. The agent signs with an API key and its RSA key,
// which are sent to it. If it is already registered, the error matches [ErrIdentityExists].
//
// The old program answers once its feed is connected, or after trying for five minutes; Register waits for seven. If the answer
// is lost, the error matches [qredo.ErrOutcomeUnknown]: call [Client.Get] to see whether there is an agent now, before you
// register again. A failed registration may have left a core client at the service that no agent uses.
//
// API: POST /register
func (c *Client) Register(ctx context.Context, name, apiKey string, key *rsa.PrivateKey, opts ...qredo.CallOption) (*AgentInfo, error) {
	name, apiKey = strings.TrimSpace(name), strings.TrimSpace(apiKey)
	switch {
	case name == "" || len(name) > longestName:
		return nil, invalid("name", "must have 1 to %d bytes, has %d", longestName, len(name))
	case apiKey == "" || len(apiKey) > longestName:
		return nil, invalid("APIKey", "must have 1 to %d bytes, has %d", longestName, len(apiKey))
	case key == nil:
		return nil, invalid("private key", "must not be nil")
	}
	encoded := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	if len(encoded) > longestKey {
		return nil, invalid("private key", "is too long: as base64 of PEM it must have %d bytes at most, has %d", longestKey, len(encoded))
	}
	body, err := json.Marshal(map[string]string{"name": name, "APIKey": apiKey, "base64PrivateKey": encoded})
	if err != nil {
		return nil, fmt.Errorf("signingagent: %w", err)
	}
	var info AgentInfo
	err = c.call(ctx, local{
		method: http.MethodPost, name: "/register", path: "/register", body: body, secrets: []string{apiKey, encoded}, time: registerTime,
		check: func() error {
			if info.ID == "" {
				return &wire.FieldError{Field: "agentID", Problem: "is missing"}
			}
			return nil
		},
	}, &info, opts)
	if err != nil {
		return nil, err
	}
	c.speakTLS(&info.FeedURL)
	return &info, nil
}

// Get returns the agent that the program runs. If there is none, the error matches [ErrNoIdentity].
//
// API: GET /client
func (c *Client) Get(ctx context.Context, opts ...qredo.CallOption) (*AgentInfo, error) {
	var info AgentInfo
	if err := c.call(ctx, local{method: http.MethodGet, name: "/client", path: "/client"}, &info, opts); err != nil {
		return nil, err
	}
	if info.ID == "" {
		return nil, fmt.Errorf("signingagent: GET /client: the program runs no agent: %w", ErrNoIdentity)
	}
	c.speakTLS(&info.FeedURL)
	return &info, nil
}

// speakTLS replaces ws by wss in a feed's URL if the client uses TLS with the agent.
func (c *Client) speakTLS(feed *string) {
	if rest, ok := strings.CutPrefix(*feed, "ws://"); ok && c.tls {
		*feed = "wss://" + rest
	}
}
