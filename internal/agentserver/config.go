package agentserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Config is the configuration of the old program, in the order in which it shows it. Keys that it did not have say so.
type Config struct {
	Base          Base          `yaml:"base" json:"base"`
	HTTP          HTTP          `yaml:"http" json:"http"`
	Logging       Logging       `yaml:"logging" json:"logging"`
	LoadBalancing LoadBalancing `yaml:"loadBalancing" json:"loadBalancing"`
	Store         Store         `yaml:"store" json:"store"`
	AutoApproval  AutoApproval  `yaml:"autoApproval" json:"autoApproval"`
	Websocket     Websocket     `yaml:"websocket" json:"websocket"`
}

// Base says where the service is, and the agent's PIN, which no store keeps.
type Base struct {
	QredoAPI string `yaml:"qredoAPI" json:"qredoAPI"`
	PIN      PIN    `yaml:"pin" json:"pin"`
}

// HTTP is where and how the local API is served.
type HTTP struct {
	Addr             string   `yaml:"addr" json:"addr"`
	CORSAllowOrigins []string `yaml:"CORSAllowOrigins" json:"CORSAllowOrigins"`
	LogAllRequests   bool     `yaml:"logAllRequests" json:"logAllRequests"`
	TLS              TLS      `yaml:"TLS" json:"TLS"`

	TokenFile  string   `yaml:"tokenFile,omitempty" json:"tokenFile,omitempty"`   // new: what callers must send as a bearer token
	AllowHosts []string `yaml:"allowHosts,omitempty" json:"allowHosts,omitempty"` // new: names that requests may have for their Host
}

// TLS is by what certificate the local API is served.
type TLS struct {
	Enabled  bool   `yaml:"enabled" json:"enabled"`
	CertFile string `yaml:"certFile" json:"certFile"`
	KeyFile  string `yaml:"keyFile" json:"keyFile"`

	ClientCAFile string `yaml:"clientCAFile,omitempty" json:"clientCAFile,omitempty"` // new: who signs the certificates of callers
}

// Logging is how the program logs: format json or text, level debug, info, warn or error.
type Logging struct {
	Format string `yaml:"format" json:"format"`
	Level  string `yaml:"level" json:"level"`
}

// LoadBalancing has several programs with one identity share a Redis server.
type LoadBalancing struct {
	Enable                bool  `yaml:"enable" json:"enable"`
	OnLockErrorTimeoutMs  int   `yaml:"onLockErrorTimeoutMs" json:"onLockErrorTimeoutMs"`
	ActionIDExpirationSec int   `yaml:"actionIDExpirationSec" json:"actionIDExpirationSec"`
	Redis                 Redis `yaml:"redis" json:"redis"`
}

// Redis names a server.
type Redis struct {
	Host     string   `yaml:"host" json:"host"`
	Port     int      `yaml:"port" json:"port"`
	Password Password `yaml:"password" json:"password"`
	DB       int      `yaml:"db" json:"db"`
}

// Store is where the identity is kept. What the old program kept in a cloud is read, and shown, and not used.
type Store struct {
	Type string   `yaml:"type" json:"type"`
	File string   `yaml:"file" json:"file"`
	OCI  OCIStore `yaml:"oci" json:"oci"`
	AWS  AWSStore `yaml:"aws" json:"aws"`
	GCP  GCPStore `yaml:"gcp" json:"gcp"`

	Sealed SealedStore `yaml:"sealed,omitempty" json:"sealed,omitzero"` // new: for the type "sealed"
}

// OCIStore is a vault's secret.
type OCIStore struct {
	Compartment         string `yaml:"compartment" json:"compartment"`
	Vault               string `yaml:"vault" json:"vault"`
	SecretEncryptionKey string `yaml:"secretEncryptionKey" json:"secretEncryptionKey"` // its name
	ConfigSecret        string `yaml:"configSecret" json:"configSecret"`
}

// AWSStore is a secret of Secrets Manager.
type AWSStore struct {
	Region       string `yaml:"region" json:"region"`
	ConfigSecret string `yaml:"configSecret" json:"configSecret"`
}

// GCPStore is a secret of Secret Manager.
type GCPStore struct {
	ProjectID    string `yaml:"projectID" json:"projectID"`
	ConfigSecret string `yaml:"configSecret" json:"configSecret"`
}

// SealedStore is an encrypted file, and the file that holds its passphrase.
type SealedStore struct {
	File           string `yaml:"file,omitempty" json:"file,omitempty"`
	PassphraseFile string `yaml:"passphraseFile,omitempty" json:"passphraseFile,omitempty"`
}

// AutoApproval approves whatever is asked.
type AutoApproval struct {
	Enabled             bool `yaml:"enabled" json:"enabled"`
	RetryIntervalMaxSec int  `yaml:"retryIntervalMaxSec" json:"retryIntervalMaxSec"`
	RetryIntervalSec    int  `yaml:"retryIntervalSec" json:"retryIntervalSec"`
}

// Websocket is the service's feed, and how often local feeds are pinged. The URL does not follow that of the service.
type Websocket struct {
	QredoWebsocket       string `yaml:"qredoWebsocket" json:"qredoWebsocket"`
	ReconnectTimeoutSec  int    `yaml:"reconnectTimeoutSec" json:"reconnectTimeoutSec"`
	ReconnectIntervalSec int    `yaml:"reconnectIntervalSec" json:"reconnectIntervalSec"`
	PingPeriodSec        int    `yaml:"pingPeriodSec" json:"pingPeriodSec"`
	PongWaitSec          int    `yaml:"pongWaitSec" json:"pongWaitSec"`
	WriteWaitSec         int    `yaml:"writeWaitSec" json:"writeWaitSec"`
	ReadBufferSize       int    `yaml:"readBufferSize" json:"readBufferSize"`
	WriteBufferSize      int    `yaml:"writeBufferSize" json:"writeBufferSize"`
}

// PIN prints as [redacted], and is null in JSON: programs read it into a number.
type PIN int

// Format implements fmt.Formatter.
func (PIN) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// MarshalJSON writes null.
func (PIN) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// Password prints as [redacted], in JSON too, unless there is none.
type Password string

// Format implements fmt.Formatter.
func (Password) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("[redacted]")) }

// MarshalJSON writes "[redacted]", or nothing where there is no password.
func (p Password) MarshalJSON() ([]byte, error) {
	if p == "" {
		return json.Marshal("")
	}
	return json.Marshal("[redacted]")
}

// The types of stores.
const (
	StoreFile   = "file"
	StoreSealed = "sealed"
)

// Default is the configuration that the old program had built in, but that no page of another origin may use it.
func Default() Config {
	return Config{
		Base:          Base{QredoAPI: "https://sandbox-api.qredo.network/api/v1/p"},
		HTTP:          HTTP{Addr: "127.0.0.1:8007", CORSAllowOrigins: []string{}},
		Logging:       Logging{Format: "json", Level: "info"},
		LoadBalancing: LoadBalancing{OnLockErrorTimeoutMs: 300, ActionIDExpirationSec: 6, Redis: Redis{Host: "redis", Port: 6379}},
		Store:         Store{Type: StoreFile, File: "ccstore.db"},
		AutoApproval:  AutoApproval{RetryIntervalMaxSec: 300, RetryIntervalSec: 5},
		Websocket: Websocket{
			QredoWebsocket: "wss://sandbox-api.qredo.network/api/v1/p/coreclient/feed", ReconnectTimeoutSec: 300, ReconnectIntervalSec: 5,
			PingPeriodSec: 5, PongWaitSec: 10, WriteWaitSec: 10, ReadBufferSize: 512, WriteBufferSize: 1024,
		},
	}
}

// Parse reads a configuration file: of the old program, also of its preview, whose keys were in snake case. What it does not give
// has its default. Unknown are the keys that nothing reads. An error names the line, and repeats no value, which may be secret.
func Parse(data []byte) (c Config, unknown []string, err error) {
	c = Default()
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return c, nil, withoutValues(err)
	}
	if len(document.Content) == 0 { // an empty file
		return c, nil, nil
	}
	root := document.Content[0]
	keys := keys{seen: map[place]bool{}}
	keys.rename(root, fieldsOf(c), "")
	if err := root.Decode(&c); err != nil {
		return c, keys.unknown, withoutValues(err)
	}
	keys.preview.apply(&c)
	return c, keys.unknown, c.check()
}

// check refuses settings that cannot work.
func (c *Config) check() error {
	switch {
	case c.Base.PIN < 0:
		return errors.New("base.pin must not be negative: the old program turned such a value into an invalid PIN")
	case c.Store.Type == StoreSealed && (c.Store.Sealed.File == "" || c.Store.Sealed.PassphraseFile == ""):
		return errors.New(`store.type "sealed" needs store.sealed.file and store.sealed.passphraseFile`)
	case c.Store.Type == StoreFile && c.Store.File == "":
		return errors.New("store.file must not be empty")
	case c.Store.Type == "oci" || c.Store.Type == "aws" || c.Store.Type == "gcp":
		return fmt.Errorf("store.type %s: secrets of a cloud are not read. Stop the old agent, fetch the secret with the cloud's own tool, and write "+
			"what it keeps, a JSON object with the key AgentID, to a file of mode 0600 (that of oci is base64, and encrypted with its key). Then set store.type: file and "+
			"store.file, or take it over into an encrypted file: qredo signing-agent import", c.Store.Type)
	case c.Store.Type != StoreFile && c.Store.Type != StoreSealed:
		return errors.New(`store.type must be "file" or "sealed"`)
	case c.HTTP.TLS.ClientCAFile != "" && !c.HTTP.TLS.Enabled:
		return errors.New("http.TLS.clientCAFile needs http.TLS.enabled: only by TLS can callers show certificates")
	case c.LoadBalancing.Enable && (c.LoadBalancing.Redis.Host == "" || strings.ContainsAny(c.LoadBalancing.Redis.Host, "/?#@%\\ ")):
		return errors.New("loadBalancing.redis.host must be a name or an address")
	}
	if _, _, err := net.SplitHostPort(c.HTTP.Addr); err != nil {
		return errAddr
	}
	c.Base.PIN %= 10000 // as the old program did: 123456 is 3456
	for _, seconds := range []struct {
		value    *int
		fallback int
	}{{&c.Websocket.PingPeriodSec, 5}, {&c.Websocket.ReconnectIntervalSec, 5}, {&c.LoadBalancing.Redis.Port, 6379}} {
		if *seconds.value <= 0 {
			*seconds.value = seconds.fallback
		}
	}
	return nil
}

// YAML writes a configuration as a file of the old program's, with the PIN and the password, which [Parse] reads.
func (c *Config) YAML() ([]byte, error) {
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := errors.Join(encoder.Encode(c), encoder.Close())
	return text.Bytes(), err
}
