package access_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
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
	pkix, pkcs1 := publicPEM(t, "PUBLIC KEY"), publicPEM(t, "RSA PUBLIC KEY")
	for _, text := range []string{
		pkix, pkcs1, "\uFEFF" + pkix, strings.ReplaceAll(pkix, "\n", `\n`), strings.ReplaceAll(pkix, "\n", `\n`) + "\n", `"` + pkix + `"`,
		strings.ReplaceAll(pkcs1, "\n", "\n  "), strings.ReplaceAll(pkix, "\n", "\r"), strings.ReplaceAll(pkix, "\n", " "),
		strings.ReplaceAll(pkix, " PUBLIC", " RSA PUBLIC"), strings.ReplaceAll(pkcs1, " RSA PUBLIC", " PUBLIC"),
	} {
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
		"one for RSA-PSS":     {pssPublicKey, "is RSA-PSS"},
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
	pssPublicKey = `-----BEGIN PUBLIC KEY-----
MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAN/Bw7V9S04JO0sMFrjCLt1Q
Xln6ncVnLp2HpGn8U510Aoq8iLSQnSlTU5O/9Pb3h4UGIAxL57uM39SaUqRSdMUv
J6S+6tDwy9faMRjhtcEIDBHm6LtmAS9EMtTyjw/v+u+PA/bS+okGAJJKO8vFEd13
jhC61TcTMpyCkaxi7zcjMxcVvh/6oQcikF7R5QzuyW+ne/xJ92eX3wX5epECEcgL
MtBzFFR1IqUwQXQgmMGCa+1qEzrXMoArpRUXNDupIy8KX3+UhwPvdcquS/L6NhJV
iPKl+Wya/mw8ZRacAKp1qJ4AgDWqaRaW6/oBve/gxxF1UnwJ4m3E/vchRIJ83zUC
AwEAAQ==
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
