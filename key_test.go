package qredo_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"errors"
	"unicode"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// badKey is PEM text that is no usable private key, and what the refusal must say of it.
type badKey struct {
	pem  []byte
	says string
}

// badKeys are what people hand in place of a private key.
func badKeys(t testing.TB) map[string]badKey {
	t.Helper()
	good, pkcs8 := clienttest.ReadTestdata(t, "private.pkcs1.pem"), clienttest.ReadTestdata(t, "private.pkcs8.pem")
	key := clienttest.PrivateKey(t)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	require.NoError(t, err)
	ecPKCS8, err := x509.MarshalPKCS8PrivateKey(ec)
	require.NoError(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	shortPKCS8, err := x509.MarshalPKCS8PrivateKey(short)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1<<32, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	//nolint:staticcheck // the old encryption of PEM is broken, but keys encrypted so are still about
	encrypted, err := x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), []byte("pw"), x509.PEMCipherAES256)
	require.NoError(t, err)
	half := pkcs8[:len(pkcs8)/2]
	block, _ := pem.Decode(pkcs8)

	return map[string]badKey{
		"empty":              {nil, "not PEM"},
		"no PEM":             {[]byte("hunter2"), "not PEM"},
		"path":               {[]byte("testdata/private.pkcs8.pem"), "not PEM"},
		"DER":                {block.Bytes, "not PEM"},
		"encrypted PKCS #1":  {pem.EncodeToMemory(encrypted), "encrypted"},
		"encrypted PKCS #8":  {encodePEM("ENCRYPTED PRIVATE KEY", block.Bytes), "encrypted"},
		"public":             {clienttest.ReadTestdata(t, "public.pem"), "PUBLIC KEY, not a private key"},
		"public PKCS #1":     {encodePEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey)), "RSA PUBLIC KEY, not a private key"},
		"certificate":        {encodePEM("CERTIFICATE", certificate), "CERTIFICATE, not a private key"},
		"EC":                 {encodePEM("EC PRIVATE KEY", sec1), "must be RSA"},
		"EC with parameters": {append(encodePEM("EC PARAMETERS", []byte{6, 8}), encodePEM("EC PRIVATE KEY", sec1)...), "must be RSA"},
		"EC in PKCS #8":      {encodePEM("PRIVATE KEY", ecPKCS8), "must be RSA"},
		"OpenSSH":            {encodePEM("OPENSSH PRIVATE KEY", []byte("openssh-key-v1")), "must be RSA"},
		"1024 bits":          {encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short)), "2048 bits or more, has 1024"},
		"1024 bits, PKCS #8": {encodePEM("PRIVATE KEY", shortPKCS8), "2048 bits or more, has 1024"},
		"cut in the middle":  {half, "cut or damaged"},
		"without last line":  {good[:bytes.LastIndex(good, []byte("-----END"))], "cut or damaged"},
		"first line alone":   {[]byte("-----BEGIN PRIVATE KEY-----\n"), "cut or damaged"},
		"DER cut within PEM": {encodePEM("PRIVATE KEY", block.Bytes[:len(block.Bytes)/2]), "cut or damaged"},
		"nothing within PEM": {encodePEM("RSA PRIVATE KEY", nil), "cut or damaged"},
		"on one line":        {bytes.ReplaceAll(pkcs8, []byte("\n"), []byte(" ")), "cut or damaged"},
	}
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	for name, tc := range badKeys(t) {
		t.Run(name, func(t *testing.T) {
			key, err := qredo.ParsePrivateKey(tc.pem)
			require.Nil(t, key)
			rule := clienttest.RequireInvalid(t, err, "private key")
			require.Contains(t, rule, tc.says)
			for line := range strings.Lines(string(tc.pem)) {
				if line = strings.TrimSpace(line); len(line) > 20 && !strings.HasPrefix(line, "-----") {
					require.NotContains(t, err.Error(), line, "the input is never repeated")
				}
			}
		})
	}
}

// A file made by other programs is read although more than the key is in it.
func TestParsePrivateKeyForms(t *testing.T) {
	pkcs1, pkcs8, public := clienttest.ReadTestdata(t, "private.pkcs1.pem"), clienttest.ReadTestdata(t, "private.pkcs8.pem"), clienttest.ReadTestdata(t, "public.pem")
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, text := range map[string][]byte{
		"PKCS #1":        pkcs1,
		"PKCS #8":        pkcs8,
		"leading junk":   join([]byte("Bag Attributes\n    friendlyName: api\nKey Attributes: <No Attributes>\n"), pkcs8),
		"leading lines":  join([]byte("\r\n\r\n"), pkcs8),
		"trailing junk":  join(pkcs8, []byte("\nbye")),
		"Windows lines":  bytes.ReplaceAll(pkcs1, []byte("\n"), []byte("\r\n")),
		"byte order":     join([]byte("\uFEFF"), pkcs8),
		"no last break":  bytes.TrimRight(pkcs8, "\n"),
		"public before":  join(public, pkcs8),
		"both its forms": join(pkcs1, pkcs8),
	} {
		t.Run(name, func(t *testing.T) {
			key, err := qredo.ParsePrivateKey(text)
			require.NoError(t, err)
			require.True(t, key.Equal(clienttest.PrivateKey(t)))
			require.True(t, key.PublicKey.Equal(clienttest.PublicKey(t)))
		})
	}
}

func TestLoadPrivateKey(t *testing.T) {
	_, err := qredo.LoadPrivateKey("testdata/none.pem")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = qredo.LoadPrivateKey("testdata/public.pem")
	clienttest.RequireInvalid(t, err, "private key")
	require.ErrorContains(t, err, "testdata/public.pem")
}

// Any text gives a good key or a refusal that does not repeat it.
func FuzzParsePrivateKey(f *testing.F) {
	for _, bad := range badKeys(f) {
		f.Add(bad.pem)
	}
	f.Add(clienttest.ReadTestdata(f, "private.pkcs1.pem"))
	f.Add(clienttest.ReadTestdata(f, "private.pkcs8.pem"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, err := qredo.ParsePrivateKey(text)
		var refused *qredo.ValidationError
		switch {
		case err == nil && (key.N.BitLen() < 2048 || key.Validate() != nil):
			t.Fatalf("a bad key is accepted: %d bits, %v", key.N.BitLen(), key.Validate())
		case err != nil && (key != nil || !errors.As(err, &refused)):
			t.Fatalf("%v, %v", key, err)
		case err != nil && strings.IndexFunc(err.Error(), unicode.IsControl) >= 0:
			t.Fatalf("the error is not a line of text: %q", err)
		}
	})
}
