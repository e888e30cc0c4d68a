package signingagent_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/internal/clienttest"
	"github.com/qredo-go/qredo/signingagent"
)

// An agent, or what stands at its address, may repeat the key that it was given, in any form.
func TestAKeyThatIsRepeatedIsInNoError(t *testing.T) {
	key := clienttest.PrivateKey(t)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	encoded := base64.StdEncoding.EncodeToString([]byte(text))
	for name, said := range map[string]string{
		"PEM": text, "PEM, quoted": fmt.Sprintf("%q", text), "PEM, cut": text[:300], "PEM without its first line": text[40:], "lines": text[40:160],
		"base64": encoded, "the start": encoded[:100], "the middle": encoded[600:660],
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintf(w, `{"Code":500,"Detail":%s}`, clienttest.Quoted("parse RSA key: "+said))
		}))
		client, err := signingagent.NewClient(srv.URL, signingagent.WithHTTPClient(srv.Client()))
		require.NoError(t, err)
		_, err = client.Register(t.Context(), "agent", "the-api-key", key)
		srv.Close()
		require.ErrorContains(t, err, "parse RSA key: ", name)
		for how, shown := range clienttest.Printings(t, err) {
			for _, part := range []string{text[100:130], text[170:190], text[270:285], text[len(text)-60 : len(text)-40], encoded[20:50], encoded[610:640]} {
				assert.NotContains(t, shown, part, "%s, %s", name, how)
			}
		}
	}
}
