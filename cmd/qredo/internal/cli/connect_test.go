package cli

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
)

// A connection over HTTP/2 that has gone silent is left within seconds by every client of the command, with an
// authority in the settings or without.
func TestSilentConnectionsAreLeft(t *testing.T) {
	for name, call := range map[string]func(context.Context, *app) error{
		"Partner API": func(ctx context.Context, a *app) error {
			client, err := a.connect()
			if err != nil {
				return err
			}
			return client.Do(ctx, http.MethodGet, "/x", nil, nil)
		},
		"Qredo API v1": func(ctx context.Context, a *app) error {
			client, err := a.connectQAPI()
			if err != nil {
				return err
			}
			return client.Do(ctx, http.MethodGet, "/x", nil, nil)
		},
		"sandbox": func(ctx context.Context, a *app) error {
			control, err := a.control()
			if err != nil {
				return err
			}
			return control.Reset(ctx)
		},
	} {
		for _, ownAuthority := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", an authority of its own"}[ownAuthority], func(t *testing.T) {
				clienttest.Bubble(t, func(t *testing.T) {
					certificate, authority := clienttest.Certificate(t)
					env := map[string]string{
						"QREDO_BASE_URL": "https://" + clienttest.RelayHost, "QREDO_API_KEY": clienttest.APIKey,
						"QREDO_PRIVATE_KEY": string(clienttest.ReadTestdata(t, "private.pkcs8.pem")),
						"QREDO_QAPI_KEY":    "key", "QREDO_QAPI_SECRET": "c2VjcmV0IG9mIGEga2V5",
						"QREDO_CONFIG": filepath.Join(t.TempDir(), "none"),
					}
					relay := clienttest.NewRelay(t)
					if ownAuthority {
						env["QREDO_CA_FILE"] = filepath.Join(t.TempDir(), "ca.pem")
						require.NoError(t, os.WriteFile(env["QREDO_CA_FILE"], authority, 0o600))
						authority = nil
					}
					relay.BecomeDefault(t, authority)
					relay.ServeTLS(t, certificate, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						assert.Equal(t, 2, r.ProtoMajor)
						_, _ = w.Write([]byte(`{}`))
					}))
					a := newTestApp()
					a.env, a.now = func(name string) string { return env[name] }, time.Now
					require.NoError(t, a.load())
					require.NoError(t, call(t.Context(), a))
					relay.Hush()
					hushed := time.Now()
					assert.Less(t, (<-relay.ClientLeft).Sub(hushed), 10*time.Second)
				})
			})
		}
	}
}
