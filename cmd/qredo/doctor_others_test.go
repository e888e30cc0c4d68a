package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/agentserver"
	"github.com/qredo-go/qredo/outbox"
	"github.com/qredo-go/qredo/sandbox"
)

// withQAPI gives the keys of Qredo API v1 too.
func (p *patient) withQAPI() {
	for _, name := range []string{"qapi-apikey", "qapi-secret"} {
		p.write(name, []byte(read(p.T, filepath.Join(p.keys, name))))
	}
	p.env["QREDO_QAPI_KEY_FILE"], p.env["QREDO_QAPI_SECRET_FILE"] = p.file("qapi-apikey"), p.file("qapi-secret")
}

// readable lets others read a file.
func (p *patient) readable(name string) {
	require.NoError(p, os.Chmod(p.file(name), 0o644))
}

// withOutbox names an outbox that holds one payment since some time ago.
func (p *patient) withOutbox(since time.Duration) {
	p.env["QREDO_OUTBOX_FILE"] = p.file("payments.db")
	store, err := outbox.OpenStore(p.file("payments.db"))
	require.NoError(p, err)
	client, err := qredo.NewClient(&qredo.ProofAuth{}, qredo.WithBaseURL(p.url+"/api/v1/p"))
	require.NoError(p, err)
	box, err := outbox.New(client, store, outbox.WithClock(func() time.Time { return time.Now().Add(-since) }))
	require.NoError(p, err)
	_, err = box.Enqueue(context.Background(), "invoice-17", outbox.Transfer{CompanyID: "c", TransferRequest: qredo.TransferRequest{
		WalletID: "w", Counterparty: "v", Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: "BTC", Amount: 1},
	}})
	require.NoError(p, err)
	require.NoError(p, store.Close())
}

// withAgent names an agent's configuration.
func (p *patient) withAgent(change func(c *agentserver.Config)) {
	c := agentserver.Default()
	c.Store = agentserver.Store{Type: agentserver.StoreFile, File: p.file("ccstore.db")}
	change(&c)
	text, err := c.YAML()
	require.NoError(p, err)
	p.write("cc.yaml", text)
	p.args = append(p.args, "--agent-config", p.file("cc.yaml"))
}

// TestDoctorLooksAtOthers plants faults in what is not the Partner API's, one at a time.
func TestDoctorLooksAtOthers(t *testing.T) {
	healthy := serve(t, nil)
	for _, c := range []struct {
		code, status string
		plant        func(p *patient)
	}{
		{"api-key-permissions", "fault", func(p *patient) { p.readable("apikey") }},
		{"qapi-request", "ok", (*patient).withQAPI},
		{"qapi-api-key-permissions", "fault", func(p *patient) { p.withQAPI(); p.readable("qapi-apikey") }},
		{"qapi-secret-permissions", "fault", func(p *patient) { p.withQAPI(); p.readable("qapi-secret") }},
		{"qapi-secret-missing", "fault", func(p *patient) { p.withQAPI(); delete(p.env, "QREDO_QAPI_SECRET_FILE") }},
		{"qapi-api-key-missing", "fault", func(p *patient) { p.withQAPI(); delete(p.env, "QREDO_QAPI_KEY_FILE") }},
		{"qapi-secret-empty", "fault", func(p *patient) { p.withQAPI(); p.write("qapi-secret", []byte("\n")) }},
		{"qapi-secret-quotes", "fault", func(p *patient) { p.withQAPI(); p.write("qapi-secret", []byte(`"c2VjcmV0"`)) }},
		{"qapi-secret-encoding", "fault", func(p *patient) { p.withQAPI(); p.write("qapi-secret", []byte("%%%%")) }},
		{"qapi-signature", "fault", func(p *patient) {
			p.withQAPI()
			p.write("qapi-secret", []byte("c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0IQ=="))
		}},
		{"qapi-api-key-unknown", "fault", func(p *patient) { p.withQAPI(); p.write("qapi-apikey", []byte("nobodys")) }},
		{"qapi-base-url-other-api", "fault", func(p *patient) { p.withQAPI(); p.env["QREDO_QAPI_BASE_URL"] = p.url + "/api/v1/p" }},
		{"qapi-base-url-path", "fault", func(p *patient) { p.withQAPI(); p.env["QREDO_QAPI_BASE_URL"] = p.url + "/v1" }},
		{"qapi-unreachable", "fault", func(p *patient) { p.withQAPI(); p.env["QREDO_QAPI_BASE_URL"] = "http://127.0.0.1:1/qapi/v1" }},
		{"qapi-service", "fault", func(p *patient) {
			p.withQAPI()
			p.answering(http.StatusBadGateway, "text/html", "<html>502</html>")
		}},
		{"outbox", "ok", func(p *patient) { p.withOutbox(0) }},
		{"outbox-late", "warning", func(p *patient) { p.withOutbox(time.Hour) }},
		{"outbox-permissions", "fault", func(p *patient) { p.withOutbox(0); p.readable("payments.db") }},
		{"outbox-unreadable", "fault", func(p *patient) { p.env["QREDO_OUTBOX_FILE"] = p.file("nothing.db") }},
		{"outbox-unreadable", "fault", func(p *patient) { p.env["QREDO_OUTBOX_FILE"] = p.file("private.pem") }},
		{"outbox-unreadable", "fault", func(p *patient) { p.env["QREDO_OUTBOX_DATABASE"] = "postgres://127.0.0.1:1/none" }},
		{"agent-config-missing", "fault", func(p *patient) { p.args = []string{"--agent-config", p.file("nothing.yaml")} }},
		{"agent-config", "fault", func(p *patient) {
			p.write("cc.yaml", []byte("http: 7\n"))
			p.args = []string{"--agent-config", p.file("cc.yaml")}
		}},
		{"agent-config-key", "warning", func(p *patient) {
			p.withAgent(func(*agentserver.Config) {})
			p.write("cc.yaml", []byte(read(p.T, p.file("cc.yaml"))+"nonsense: 1\n"))
		}},
		{"agent-identity", "warning", func(p *patient) { p.withAgent(func(*agentserver.Config) {}) }},
		{"agent-identity", "fault", func(p *patient) {
			p.withAgent(func(*agentserver.Config) {})
			p.write("ccstore.db", []byte("no store"))
		}},
		{"agent-store", "fault", func(p *patient) {
			p.withAgent(func(c *agentserver.Config) {
				c.Store = agentserver.Store{Type: "sealed", Sealed: agentserver.SealedStore{File: p.file("sealed"), PassphraseFile: p.file("nothing")}}
			})
		}},
		{"agent-certificate", "fault", func(p *patient) {
			p.withAgent(func(c *agentserver.Config) {
				c.HTTP.TLS = agentserver.TLS{Enabled: true, CertFile: p.file("public.pem"), KeyFile: p.file("private.pem")}
			})
		}},
	} {
		t.Run(c.code, func(t *testing.T) {
			findings := examine(t, healthy, c.plant)
			var codes []string
			for _, f := range findings {
				if f.Code == c.code && f.Status == c.status {
					assert.Equal(t, f.Status == "ok", f.Remedy == "", "a remedy is for what is not right")
					return
				}
				codes = append(codes, f.Code+" "+f.Status+": "+f.Finding)
			}
			t.Errorf("%s is not found, but %q", c.code, codes)
		})
	}
}

// TestDoctorLooksAtQAPIAlone: where nothing of the Partner API is set, nothing is said of it.
func TestDoctorLooksAtQAPIAlone(t *testing.T) {
	healthy := serve(t, nil, sandbox.WithFees(sandbox.NoFees))
	findings := examine(t, healthy, func(p *patient) {
		p.withQAPI()
		delete(p.env, "QREDO_API_KEY_FILE")
		delete(p.env, "QREDO_PRIVATE_KEY_FILE")
	})
	for _, f := range findings {
		assert.Contains(t, f.Code, "qapi-")
		assert.Equal(t, "ok", f.Status, f.Finding)
	}
	assert.NotEmpty(t, findings)
}
