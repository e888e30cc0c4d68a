package access_test

import (
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// publicPEM is a caller's own public key in PEM.
func publicPEM(t *testing.T, kind string) string {
	t.Helper()
	der := x509.MarshalPKCS1PublicKey(&ownKey().PublicKey)
	if kind == "PUBLIC KEY" {
		var err error
		der, err = x509.MarshalPKIXPublicKey(&ownKey().PublicKey)
		require.NoError(t, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func privatePEM(t *testing.T, kind string) string {
	t.Helper()
	der := x509.MarshalPKCS1PrivateKey(ownKey())
	if kind == "PRIVATE KEY" {
		var err error
		der, err = x509.MarshalPKCS8PrivateKey(ownKey())
		require.NoError(t, err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestParsePublicKey(t *testing.T) {
	for _, text := range []string{publicPEM(t, "PUBLIC KEY"), publicPEM(t, "RSA PUBLIC KEY"), "\uFEFF" + publicPEM(t, "PUBLIC KEY")} {
		key, err := access.ParsePublicKey([]byte(text))
		require.NoError(t, err)
		assert.True(t, key.Equal(&ownKey().PublicKey))
	}
	for name, test := range map[string]struct{ text, why string }{
		"nothing":             {"", "is not PEM"},
		"no PEM":              {"ssh-rsa AAAA", "is not PEM"},
		"a private key":       {privatePEM(t, "PRIVATE KEY"), "must not be given away"},
		"a private RSA key":   {privatePEM(t, "RSA PRIVATE KEY"), "must not be given away"},
		"a certificate":       {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds CERTIFICATE"},
		"a damaged PEM":       {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "damaged"},
		"an elliptic curve's": {ecPublicKey, "must be RSA"},
		"a short one":         {weakPublicKey, "2048 bits"},
	} {
		_, err := access.ParsePublicKey([]byte(test.text))
		var problem *qredo.ValidationError
		require.ErrorAs(t, err, &problem, name)
		assert.Equal(t, "public key", problem.Field, name)
		require.ErrorContains(t, err, test.why, name)
		assert.NotContains(t, err.Error(), "AAAA", "it does not repeat what it read")
	}
}

// Public keys that cannot be registered, made with openssl.
const (
	ecPublicKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZNK+VTh4H9rwN/Tyfijvsr0nB5El
+/Sq46TBoEJ4bVQXPeXNdKzV7BHQs/+4lyUWIKETbggWU1KVygpoPRp2oQ==
-----END PUBLIC KEY-----
`
	weakPublicKey = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCiId7ksuEo4nxVtQt9B64dhfBy
uHwh6/001UOPuSzR8hvniswYxbTTkUN1oEYWKXrplpZ6gd44rgsmFAE2TmsTrl4s
Xu7cp+PRAT5fb3kX1OHbod0Qos1mAvyRfh+cDSGLbzHmesybcKZT1kR28MjXo7FD
Pexb5aqFu11rzwnIrwIDAQAB
-----END PUBLIC KEY-----
`
)
