package signingagent

import (
	"context"
	"net/http"
	"net/url"

	"github.com/qredo-go/qredo"
)

// Health is what an agent's program reports about itself.
type Health struct {
	Build      AgentBuild
	Connection AgentConnection
	Config     AgentConfig
}

// AgentBuild identifies the build of the program that is running.
type AgentBuild struct {
	Version string `json:"buildVersion"`
	Type    string `json:"buildType"` // "dev" unless built otherwise
	Date    string `json:"buildDate"`
}

// ConnectionState is the state of the agent's own connection to the service. Other values are possible.
type ConnectionState string

// The states of an agent's connection. If the old program is [ConnectionClosed], it stays so until it is restarted.
const (
	ConnectionOpen    ConnectionState = "OPEN"
	ConnectionClosed  ConnectionState = "CLOSED"
	ConnectionPending ConnectionState = "CONNECTING"
)

// AgentConnection is the agent's connection to the service.
type AgentConnection struct {
	State         ConnectionState `json:"readyState" required:"true"`
	RemoteFeedURL string          `json:"remoteFeedURL"`
	LocalFeedURL  string          `json:"localFeedURL"` // the same as [AgentInfo].FeedURL
	Clients       int             `json:"connectedClients"`
}

// AgentConfig is how the agent is configured. The old program reveals its whole configuration to anybody; secret parts are left
// out here: the PIN and passwords are not read.
type AgentConfig struct {
	ServiceURL     string // base URL of the service
	ServiceFeedURL string
	Address        string // the address that the agent listens on
	TLS            bool
	AutoApproval   bool // it approves everything by itself
	LoadBalancing  bool
	Store          string // the kind of store: "file", "aws", …
}

// config is the part of the configuration that is read, in all its spellings.
type config struct {
	Base struct {
		PIN    isTold `json:"pin"`
		API    string `json:"qredoAPI"`
		Scheme string `json:"httpScheme"` // these three used to be one URL
		Domain string `json:"qredoAPIDomain"`
		Path   string `json:"qredoAPIBasePath"`
	} `json:"base"`
	HTTP struct {
		Address string `json:"addr"`
		TLS     struct {
			Enabled bool `json:"enabled"`
		} `json:"TLS"`
	} `json:"http"`
	LoadBalancing struct {
		Enabled bool `json:"enable"`
	} `json:"loadBalancing"`
	Store struct {
		Type string `json:"type"`
	} `json:"store"`
	AutoApproval struct {
		Enabled bool `json:"enabled"`
	} `json:"autoApproval"`
	Websocket struct {
		URL string `json:"qredoWebsocket"`
	} `json:"websocket"`
}

// isTold is a value of which only the presence matters.
type isTold bool

// UnmarshalJSON is called for any value except null.
func (i *isTold) UnmarshalJSON([]byte) error {
	*i = true
	return nil
}

// sendsAgain reports whether the agent, if its release is not older than August 2023, sends pending actions to those who
// connect. The old program does not while it approves by itself; ours always does. Ours is the one that does not reveal
// its PIN.
func (c config) sendsAgain() bool { return !c.AutoApproval.Enabled || !bool(c.Base.PIN) }

// Health asks the agent's program for its version, its connection to the service and its configuration. It returns an error if
// one of them cannot be read.
//
// API: GET /healthcheck/version, GET /healthcheck/status, GET /healthcheck/config
func (c *Client) Health(ctx context.Context, opts ...qredo.CallOption) (*Health, error) {
	var h Health
	err := c.health(ctx, "version", &h.Build, opts)
	if err != nil {
		return nil, err
	}
	if h.Connection, err = c.connection(ctx, opts...); err != nil {
		return nil, err
	}
	configured, err := c.config(ctx, opts...)
	if err != nil {
		return nil, err
	}
	h.Config = configured.told()
	return &h, nil
}

func (c *Client) health(ctx context.Context, what string, out any, opts []qredo.CallOption) error {
	path := "/healthcheck/" + what
	return c.call(ctx, local{method: http.MethodGet, name: path, path: path}, out, opts)
}

func (c *Client) connection(ctx context.Context, opts ...qredo.CallOption) (AgentConnection, error) {
	var status struct {
		Websocket AgentConnection `json:"websocket" required:"true"`
	}
	err := c.health(ctx, "status", &status, opts)
	c.speakTLS(&status.Websocket.LocalFeedURL)
	return status.Websocket, err
}

func (c *Client) config(ctx context.Context, opts ...qredo.CallOption) (f config, err error) {
	err = c.health(ctx, "config", &f, opts)
	return f, err
}

func (c config) told() AgentConfig {
	service := c.Base.API
	if service == "" && c.Base.Domain != "" {
		service = (&url.URL{Scheme: c.Base.Scheme, Host: c.Base.Domain, Path: c.Base.Path}).String()
	}
	return AgentConfig{
		ServiceURL: service, ServiceFeedURL: c.Websocket.URL, Address: c.HTTP.Address, TLS: c.HTTP.TLS.Enabled,
		AutoApproval: c.AutoApproval.Enabled, LoadBalancing: c.LoadBalancing.Enabled, Store: c.Store.Type,
	}
}
