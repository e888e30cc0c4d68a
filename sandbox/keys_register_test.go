package sandbox_test

import (
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
)

// A program that shares no files with the sandbox has its key registered, while others use theirs.
func TestRegisterKey(t *testing.T) {
	l := listen(t)
	der, err := x509.MarshalPKIXPublicKey(&ownKey().PublicKey)
	require.NoError(t, err)
	public := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	c := controlOf(t, l.sandbox)
	asked := make(chan struct{})
	request := newSigned(t, startOfTime, "GET", l.url("/assets"), "").request(t)
	go func() {
		defer close(asked)
		for range 20 {
			_, err := c.State(t.Context())
			assert.NoError(t, err)
			resp, err := l.Client().Do(request.Clone(t.Context()))
			if assert.NoError(t, err) {
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				assert.NoError(t, resp.Body.Close())
			}
		}
	}()
	first, err := c.RegisterKey(t.Context(), public)
	require.NoError(t, err)
	second, err := c.RegisterKey(t.Context(), public)
	require.NoError(t, err)
	assert.NotEqual(t, first, second)
	<-asked
	for _, apiKey := range []string{first, second} {
		req := newSigned(t, startOfTime, "GET", l.url("/assets"), "")
		req.header["X-API-KEY"] = apiKey
		req.send(t, l.Client()).ok()
	}
	for name, wrong := range map[string]string{"none": "", "no key": "nonsense", "cut": public[:len(public)/2]} {
		_, err = c.RegisterKey(t.Context(), wrong)
		require.ErrorIs(t, err, qredo.ErrBadRequest, name)
	}
}
