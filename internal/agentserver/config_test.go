package agentserver_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/agentserver"
)

// The file that came with the first release, and that of the second, as far as they set something.
const (
	firstTemplate = `
base:
  qredoAPI: https://play-api.qredo.network/api/v1/p
  pin: 0
autoApproval:
  enabled: false
websocket:
  qredoWebsocket: wss://play-api.qredo.network/api/v1/p/coreclient/feed
http:
  addr: 0.0.0.0:8007
  CORSAllowOrigins: ["*"]
  TLS:
    enabled: true
    certFile: tls/domain.crt
    keyFile: tls/domain.key
logging:
  format: text
  level: debug
store:
  type: file
  file: /volume/ccstore.db
  az: ""
  oci: {compartment: ocid1, vault: ocid2, secretEncryptionKey: ocid3, configSecret: name}
  aws: {region: eu-west-3, configSecret: name}
`
	secondTemplate = `
base: {qredoAPI: "https://sandbox-api.qredo.network/api/v1/p", pin: 0}
autoApproval: {enabled: true, retryIntervalMaxSec: 300, retryIntervalSec: 5}
websocket: {qredoWebsocket: "wss://sandbox-api.qredo.network/api/v1/p/coreclient/feed"}
http: {addr: "0.0.0.0:8007", TLS: {enabled: false, certFile: tls/domain.crt, keyFile: tls/domain.key}}
logging: {format: text, level: debug}
store: {type: file, file: /volume/ccstore.db, az: ""}
`
	previewFile = `
base:
  pin: 7
  http_scheme: http
  qredo_api_domain: 127.0.0.1:8765
  qredo_api_base_path: /api/v1/p/
websocket: {ws_scheme: ws, ping_period_sec: 9}
auto_approval: {enabled: true, retry_interval_max_sec: 30, retry_interval_sec: 2}
load_balancing:
  enable: true
  on_lock_error_timeout_ms: 100
  action_id_expiration_sec: 3
  redis: {host: cache, password: hunter2}
http: {addr: "127.0.0.1:1", cors_allow_origins: ["https://ours.example"], log_all_requests: true}
store: {type: file, file: x.db, oci: {secret_encryption_key: k}, aws: {config_secret: s}}
`
)

func TestParse(t *testing.T) {
	c, unknown, err := agentserver.Parse([]byte(firstTemplate))
	require.NoError(t, err)
	require.Equal(t, []string{"store.az"}, unknown)
	want := agentserver.Default()
	want.Base.QredoAPI, want.Websocket.QredoWebsocket = "https://play-api.qredo.network/api/v1/p", "wss://play-api.qredo.network/api/v1/p/coreclient/feed"
	want.HTTP.Addr, want.HTTP.CORSAllowOrigins = "0.0.0.0:8007", []string{"*"}
	want.HTTP.TLS = agentserver.TLS{Enabled: true, CertFile: "tls/domain.crt", KeyFile: "tls/domain.key"}
	want.Logging = agentserver.Logging{Format: "text", Level: "debug"}
	want.Store.File = "/volume/ccstore.db"
	want.Store.OCI = agentserver.OCIStore{Compartment: "ocid1", Vault: "ocid2", SecretEncryptionKey: "ocid3", ConfigSecret: "name"}
	want.Store.AWS = agentserver.AWSStore{Region: "eu-west-3", ConfigSecret: "name"}
	require.Equal(t, want, c)

	c, unknown, err = agentserver.Parse([]byte(secondTemplate))
	require.NoError(t, err)
	require.Equal(t, []string{"store.az"}, unknown)
	want = agentserver.Default()
	want.HTTP.Addr, want.HTTP.TLS.CertFile, want.HTTP.TLS.KeyFile = "0.0.0.0:8007", "tls/domain.crt", "tls/domain.key"
	want.Logging = agentserver.Logging{Format: "text", Level: "debug"}
	want.Store.File, want.AutoApproval.Enabled = "/volume/ccstore.db", true
	require.Equal(t, want, c)

	c, unknown, err = agentserver.Parse([]byte(previewFile))
	require.NoError(t, err)
	require.Empty(t, unknown)
	want = agentserver.Default()
	want.Base = agentserver.Base{QredoAPI: "http://127.0.0.1:8765/api/v1/p", PIN: 7}
	want.Websocket.QredoWebsocket, want.Websocket.PingPeriodSec = "ws://127.0.0.1:8765/api/v1/p/coreclient/feed", 9
	want.AutoApproval = agentserver.AutoApproval{Enabled: true, RetryIntervalMaxSec: 30, RetryIntervalSec: 2}
	want.LoadBalancing = agentserver.LoadBalancing{
		Enable: true, OnLockErrorTimeoutMs: 100, ActionIDExpirationSec: 3, Redis: agentserver.Redis{Host: "cache", Port: 6379, Password: "hunter2"},
	}
	want.HTTP.Addr, want.HTTP.CORSAllowOrigins, want.HTTP.LogAllRequests = "127.0.0.1:1", []string{"https://ours.example"}, true
	want.Store.File, want.Store.OCI.SecretEncryptionKey, want.Store.AWS.ConfigSecret = "x.db", "k", "s"
	require.Equal(t, want, c)
}

func TestParseIsTolerant(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "{}", "base:\nhttp:\n  TLS:\n", "websocket: {pingPeriodSec: 0, reconnectIntervalSec: -1}"} {
		c, unknown, err := agentserver.Parse([]byte(text))
		require.NoError(t, err, text)
		require.Empty(t, unknown)
		require.Equal(t, agentserver.Default(), c, text)
	}
	c, _, err := agentserver.Parse([]byte("base: {pin: 123456}"))
	require.NoError(t, err)
	require.EqualValues(t, 3456, c.Base.PIN)

	// A key in another spelling was not known to the old program. It must not switch anything on.
	c, unknown, err := agentserver.Parse([]byte("autoapproval: {enabled: true}\nauto_Approval: {enabled: true}\nstore: {fille: x}\nnew: {a: {b: 1}}"))
	require.NoError(t, err)
	require.Equal(t, []string{"autoapproval", "auto_Approval", "store.fille", "new"}, unknown)
	require.Equal(t, agentserver.Default(), c)
}

// What is merged into a mapping counts as what stands there, in either spelling, and is not told as unknown.
func TestParseMerges(t *testing.T) {
	c, unknown, err := agentserver.Parse([]byte(`
x: &x {addr: "127.0.0.1:1", log_all_requests: true}
y: &y {addr: "127.0.0.1:2", http_scheme: http, other: 1}
d: &d 127.0.0.1:8765
http: {<<: [*x, *y]}
auto_approval: {<<: {enabled: true}}
base: {<<: *y, http_scheme: https, qredo_api_domain: *d}
`))
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y", "d", "http.http_scheme", "http.other", "base.addr", "base.other"}, unknown)
	want := agentserver.Default()
	want.HTTP.Addr, want.HTTP.LogAllRequests, want.AutoApproval.Enabled = "127.0.0.1:1", true, true
	want.Base.QredoAPI, want.Websocket.QredoWebsocket = "https://127.0.0.1:8765/api/v1/p", "wss://127.0.0.1:8765/api/v1/p/coreclient/feed"
	require.Equal(t, want, c)
	for _, text := range []string{"http: &h {<<: *h}", "http: &h {<<: [*h, *h]}"} {
		_, _, err := agentserver.Parse([]byte(text))
		require.ErrorContains(t, err, "contains itself", text)
	}
}

// A key that has a value in it, since a blank was forgotten, is named without it.
func TestParseNamesKeysWithoutValues(t *testing.T) {
	for text, name := range map[string]string{
		"loadBalancing: {redis: {password:secret9}}":              "loadBalancing.redis.password… (line 1)",
		"base:\n  pin=secret9: 1":                                 "base.pin… (line 2)",
		"base:\n  ? \"pin\\nsecret9\"":                            "base.pin… (line 2)",
		"loadBalancing:\n  redis: {host: x, password: }\n  'ü9':": "loadBalancing.… (line 3)",
	} {
		_, unknown, err := agentserver.Parse([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, []string{name}, unknown, text)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"base: {pin: *secret9}":                                          "must be in quotation marks",
		"base: {pin: 'a`secret9'}":                                       "line 1: the value cannot be read as PIN",
		"base: {pin: '`secret9`b'}":                                      "line 1: the value cannot be read as PIN",
		"base: {pin: \"a\\n\\nsecret9 into x\"}":                         "line 1: the value cannot be read as PIN",
		"base: {pin: !secret9 x}":                                        "line 1: the value cannot be read as PIN",
		"base: {pin: !!timestamp secret9}":                               "cannot be read as timestamp",
		"base: {pin: &secret9 {a: *secret9}}":                            "line 1",
		"a: {secret9: 1, secret9: 2}\nbase: {secret9: 1, secret9: 2}":    "line 2: a key is already defined at line 2",
		"loadBalancing: {redis: {password: [secret9]}}":                  "line 1: the value cannot be read as Password",
		"loadBalancing: {redis: {password: {secret9: 1}}}":               "line 1: the value cannot be read as Password",
		"loadBalancing: {redis: {password: %secret9}}":                   "cannot start any token",
		"loadBalancing: {redis: {password: \"\\secret9\"}}":              "unknown escape",
		"loadBalancing: {redis: {password: !!binary secret9_}}":          "base64",
		"http: {<<: secret9}":                                            "merge",
		"http: {addr: ''}":                                               "http.addr must be an address and a port",
		"http: {addr: 8112}":                                             "http.addr must be an address and a port",
		"loadBalancing: {enable: true, redis: {host: '127.0.0.1/x'}}":    "loadBalancing.redis.host",
		"loadBalancing: {enable: true, redis: {host: 'u:secret9@host'}}": "loadBalancing.redis.host",
		"base: {pin: -1}":                                                "base.pin must not be negative",
		"base: {pin: secret9}":                                           "line 1",
		"base: {pin: [secret9]}":                                         "line 1",
		"base: secret9":                                                  "line 1",
		"[secret9]":                                                      "line 1",
		"secret9":                                                        "line 1",
		"a: b: secret9":                                                  "mapping",
		"base: {pin: 1}\nbase: {pin: 2}":                                 "already defined",
		"autoApproval: {enabled: secret9}":                               "line 1",
		"autoApproval: {enabled: true}\nauto_approval: {enabled: false}": "already defined",
		"http: {TLS: {clientCAFile: ca.pem}}":                            "needs http.TLS.enabled",
		"store: {type: sealed, sealed: {file: x}}":                       "passphraseFile",
		"store: {type: secret9}":                                         `must be "file" or "sealed"`,
		"store: {type: ''}":                                              `must be "file" or "sealed"`,
		"store: {file: ''}":                                              "must not be empty",
		"store: {type: oci}":                                             "mode 0600",
		"store: {type: aws}":                                             "qredo signing-agent import",
		"store: {type: gcp}":                                             "the cloud's own tool",
	} {
		_, _, err := agentserver.Parse([]byte(text))
		require.ErrorContains(t, err, says, text)
		assert.NotContains(t, err.Error(), "secret9", text)
	}
}

func TestYAML(t *testing.T) {
	c, _, err := agentserver.Parse([]byte(previewFile))
	require.NoError(t, err)
	text, err := c.YAML()
	require.NoError(t, err)
	again, unknown, err := agentserver.Parse(text)
	require.NoError(t, err)
	require.Empty(t, unknown)
	require.Equal(t, c, again)
}

func TestDifferences(t *testing.T) {
	for _, tc := range []struct {
		text            string
		insecure, rules bool
		address         string
		says            []string
	}{
		{"", false, false, "127.0.0.1:8007", nil},
		{"http: {addr: 'localhost:8007'}", false, false, "localhost:8007", nil},
		{"http: {addr: '[::1]:8007'}", false, false, "[::1]:8007", nil},
		{"http: {addr: '0.0.0.0:8007'}", false, false, "127.0.0.1:8007", []string{"listens on 127.0.0.1:8007 instead"}},
		{"http: {addr: ':8007'}", false, false, "127.0.0.1:8007", []string{"instead"}},
		{"http: {addr: 'agent.example:8007'}", false, false, "127.0.0.1:8007", []string{"instead"}},
		{"http: {addr: '0.0.0.0:8007'}", true, false, "0.0.0.0:8007", []string{"whoever can reach 0.0.0.0:8007 can approve"}},
		{"http: {addr: '0.0.0.0:8007', tokenFile: t}", false, false, "0.0.0.0:8007", []string{"can read the token"}},
		{"http: {addr: '0.0.0.0:8007', tokenFile: t, TLS: {enabled: true}}", false, false, "0.0.0.0:8007", nil},
		{"http: {addr: '0.0.0.0:8007', TLS: {enabled: true, clientCAFile: c}}", false, false, "0.0.0.0:8007", nil},
		{"http: {addr: '0.0.0.0:8007', TLS: {enabled: true}}", false, false, "127.0.0.1:8007", []string{"instead"}},
		{"http: {CORSAllowOrigins: ['*']}", false, false, "127.0.0.1:8007", []string{"contains *, which is ignored"}},
		{"autoApproval: {enabled: true}", false, false, "127.0.0.1:8007", []string{"EVERYTHING"}},
		{"autoApproval: {enabled: true}", false, true, "127.0.0.1:8007", []string{"the rules decide"}},
		{"loadBalancing: {enable: true}", false, false, "127.0.0.1:8007", []string{"do not run the old program with the same identity"}},
		{secondTemplate, false, false, "127.0.0.1:8007", []string{"instead", "EVERYTHING"}},
	} {
		c, _, err := agentserver.Parse([]byte(tc.text))
		require.NoError(t, err)
		address, _ := c.Listen(tc.insecure)
		require.Equal(t, tc.address, address, tc.text)
		told := c.Differences(tc.insecure, tc.rules)
		require.Len(t, told, len(tc.says), fmt.Sprint(tc.text, told))
		for i, says := range tc.says {
			assert.Contains(t, told[i], says)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{firstTemplate, secondTemplate, previewFile, "a: &a {b: *a}", "base: {pin: 1e9}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, _, err := agentserver.Parse([]byte(text))
		if err != nil {
			return
		}
		if c.Base.PIN < 0 || c.Base.PIN > 9999 || c.Websocket.PingPeriodSec <= 0 || strings.TrimSpace(c.Store.Type) == "" {
			t.Fatalf("%+v", c)
		}
		_ = c.Differences(false, false)
	})
}
