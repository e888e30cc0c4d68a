package qredo_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
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

// relabelled is a key in PKCS #8 form that says that it is for another algorithm than RSA.
func relabelled(t testing.TB, key *rsa.PrivateKey, algorithm ...int) []byte {
	t.Helper()
	var form struct {
		Version   int
		Algorithm struct{ ID asn1.ObjectIdentifier }
		Key       []byte
	}
	form.Algorithm.ID, form.Key = algorithm, x509.MarshalPKCS1PrivateKey(key)
	der, err := asn1.Marshal(form)
	require.NoError(t, err)
	return der
}

// badKey is PEM text that is not a usable private key, and what the error must say about it.
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
	short := clienttest.ShortKey(t)
	shortPKCS8, err := x509.MarshalPKCS8PrivateKey(short)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1<<32, 0)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	var encrypted *pem.Block
	fips140.WithoutEnforcement(func() {
		//nolint:staticcheck // the old encryption of PEM is broken, but keys encrypted so are still about
		encrypted, err = x509.EncryptPEMBlock(rand.Reader, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key), []byte("pw"), x509.PEMCipherAES256)
		require.NoError(t, err)
	})
	half := pkcs8[:len(pkcs8)/2]
	block, _ := pem.Decode(pkcs8)

	return map[string]badKey{
		"empty":                    {nil, "not PEM"},
		"no PEM":                   {[]byte("hunter2"), "not PEM"},
		"path":                     {[]byte("testdata/private.pkcs8.pem"), "not PEM"},
		"DER":                      {block.Bytes, "not PEM"},
		"encrypted PKCS #1":        {pem.EncodeToMemory(encrypted), "encrypted"},
		"encrypted PKCS #8":        {encodePEM("ENCRYPTED PRIVATE KEY", block.Bytes), "encrypted"},
		"public":                   {clienttest.ReadTestdata(t, "public.pem"), "PUBLIC KEY, not a private key"},
		"public PKCS #1":           {encodePEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&key.PublicKey)), "RSA PUBLIC KEY, not a private key"},
		"certificate":              {encodePEM("CERTIFICATE", certificate), "CERTIFICATE, not a private key"},
		"EC":                       {encodePEM("EC PRIVATE KEY", sec1), "must be RSA"},
		"EC with parameters":       {append(encodePEM("EC PARAMETERS", []byte{6, 8}), encodePEM("EC PRIVATE KEY", sec1)...), "must be RSA"},
		"EC in PKCS #8":            {encodePEM("PRIVATE KEY", ecPKCS8), "must be RSA"},
		"OpenSSH":                  {encodePEM("OPENSSH PRIVATE KEY", []byte("openssh-key-v1")), "must be RSA"},
		"1024 bits":                {encodePEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short)), "2048 bits or more, has 1024"},
		"1024 bits, PKCS #8":       {encodePEM("PRIVATE KEY", shortPKCS8), "2048 bits or more, has 1024"},
		"cut in the middle":        {half, "cut or damaged"},
		"without last line":        {good[:bytes.LastIndex(good, []byte("-----END"))], "cut or damaged"},
		"first line alone":         {[]byte("-----BEGIN PRIVATE KEY-----\n"), "cut or damaged"},
		"DER cut within PEM":       {encodePEM("PRIVATE KEY", block.Bytes[:len(block.Bytes)/2]), "cut or damaged"},
		"nothing within PEM":       {encodePEM("RSA PRIVATE KEY", nil), "cut or damaged"},
		"cut on one line":          {bytes.ReplaceAll(half, []byte("\n"), []byte(" ")), "cut or damaged"},
		"a digit changed":          {bytes.Replace(pkcs8, []byte("A"), []byte("!"), 20), "cut or damaged"},
		"a digit missing":          {bytes.Replace(pkcs8, []byte("MII"), []byte("MI"), 1), "cut or damaged"},
		"no digits":                {[]byte("-----BEGIN PRIVATE KEY----- -----END PRIVATE KEY-----"), "cut or damaged"},
		"EC, named PKCS #8":        {encodePEM("PRIVATE KEY", sec1), "must be RSA, is EC"},
		"EC, named PKCS #1":        {encodePEM("RSA PRIVATE KEY", ecPKCS8), "must be RSA"},
		"RSA-PSS":                  {encodePEM("PRIVATE KEY", relabelled(t, key, 1, 2, 840, 113549, 1, 1, 10)), "is RSA-PSS, which the service does not take"},
		"DSA":                      {encodePEM("PRIVATE KEY", relabelled(t, key, 1, 2, 840, 10040, 4, 1)), "must be RSA, is DSA"},
		"something new":            {encodePEM("PRIVATE KEY", relabelled(t, key, 1, 2, 3, 4)), "must be RSA, is of the algorithm 1.2.3.4"},
		"encrypted, indented":      {bytes.ReplaceAll(pem.EncodeToMemory(encrypted), []byte("\n"), []byte("\n    ")), "encrypted"},
		"encrypted, in a variable": {bytes.ReplaceAll(pem.EncodeToMemory(encrypted), []byte("\n"), []byte(`\n`)), "encrypted"},
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
	der := func(text []byte) []byte {
		block, _ := pem.Decode(text)
		return block.Bytes
	}
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

		"escaped":                 join(bytes.ReplaceAll(bytes.TrimRight(pkcs8, "\n"), []byte("\n"), []byte(`\n`))),
		"escaped, a last break":   join(bytes.ReplaceAll(pkcs8, []byte("\n"), []byte(`\n`)), []byte("\n")),
		"escaped twice":           bytes.ReplaceAll(pkcs1, []byte("\n"), []byte(`\\n`)),
		"escaped Windows lines":   bytes.ReplaceAll(pkcs1, []byte("\n"), []byte(`\r\n`)),
		"escaped, in quotes":      join([]byte(`"`), bytes.ReplaceAll(pkcs8, []byte("\n"), []byte(`\n`)), []byte(`"`), []byte("\n")),
		"in quotes":               join([]byte(`"`), pkcs8, []byte(`"`)),
		"in single quotes":        join([]byte(`'`), bytes.TrimRight(pkcs8, "\n"), []byte("'\n")),
		"each line in quotes":     join([]byte(`"`), bytes.ReplaceAll(bytes.TrimRight(pkcs8, "\n"), []byte("\n"), []byte("\",\n  \"")), []byte(`"`)),
		"after an equals sign":    join([]byte(`QREDO_PRIVATE_KEY="`), bytes.ReplaceAll(pkcs1, []byte("\n"), []byte(`\n`)), []byte(`"`)),
		"indented":                join([]byte("    "), bytes.ReplaceAll(pkcs8, []byte("\n"), []byte("\n    "))),
		"indented by tabs":        join([]byte("\t"), bytes.ReplaceAll(pkcs1, []byte("\n"), []byte("\r\n\t"))),
		"carriage returns":        bytes.ReplaceAll(pkcs8, []byte("\n"), []byte("\r")),
		"on one line":             bytes.ReplaceAll(pkcs8, []byte("\n"), []byte(" ")),
		"without any break":       bytes.ReplaceAll(pkcs8, []byte("\n"), nil),
		"no-break spaces":         bytes.ReplaceAll(pkcs8, []byte("\n"), []byte("\u00a0\n")),
		"empty lines between":     bytes.ReplaceAll(pkcs8, []byte("\n"), []byte("\n\n")),
		"UTF-16":                  join([]byte{0xff, 0xfe}, bytes.Join(bytes.Split(pkcs8, nil), []byte{0}), []byte{0}),
		"UTF-16, big":             join([]byte{0xfe, 0xff, 0}, bytes.Join(bytes.Split(pkcs8, nil), []byte{0})),
		"PKCS #8, named #1":       encodePEM("RSA PRIVATE KEY", der(pkcs8)),
		"PKCS #1, named #8":       encodePEM("PRIVATE KEY", der(pkcs1)),
		"another name at its end": bytes.Replace(pkcs1, []byte("END RSA"), []byte("END"), 1),
		"public before, escaped":  bytes.ReplaceAll(join(public, pkcs8), []byte("\n"), []byte(`\n`)),
	} {
		t.Run(name, func(t *testing.T) {
			key, err := qredo.ParsePrivateKey(text)
			require.NoError(t, err)
			require.True(t, key.Equal(clienttest.PrivateKey(t)))
			require.True(t, key.PublicKey.Equal(clienttest.PublicKey(t)))

			file := filepath.Join(t.TempDir(), "private.pem")
			require.NoError(t, os.WriteFile(file, text, 0o600))
			key, err = qredo.LoadPrivateKey(file)
			require.NoError(t, err)
			require.True(t, key.Equal(clienttest.PrivateKey(t)))
			t.Setenv("QREDO_API_KEY", "api-key")
			t.Setenv("QREDO_PRIVATE_KEY_FILE", file)
			_, err = qredo.AuthFromEnv()
			require.NoError(t, err)
			if !bytes.Contains(text, []byte{0}) {
				t.Setenv("QREDO_PRIVATE_KEY_FILE", "")
				t.Setenv("QREDO_PRIVATE_KEY", string(text))
				_, err = qredo.AuthFromEnv()
				require.NoError(t, err)
			}
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
	f.Add([]byte(`"-----BEGIN PRIVATE KEY-----\nMIIE,\n-----END PRIVATE KEY-----"`))
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
