package qredo_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/clienttest"
)

// badAPIKeys are not valid in a header, or are not keys at all.
var badAPIKeys = map[string]string{
	"empty": "", "blank": " \t\r\n", "line break": "abc\ndef", "carriage return": "abc\rdef", "header after it": "abc\r\nX-Admin: 1",
	"space": "abc def", "tab": "abc\tdef", "null": "abc\x00def", "beyond ASCII": "clé", "delete": "abc\x7f",
}

func TestBadAPIKeys(t *testing.T) {
	for name, bad := range badAPIKeys {
		t.Run(name, func(t *testing.T) {
			auth, err := qredo.NewRSAAuth(bad, clienttest.PrivateKey(t))
			require.Nil(t, auth)
			clienttest.RequireInvalid(t, err, "API key")
			if trimmed := strings.TrimSpace(bad); trimmed != "" {
				require.NotContains(t, err.Error(), trimmed, "the key may be nearly right, so it is a secret")
			}
			hmac, err := qredo.NewHMACAuth(bad, "c2VjcmV0IG9mIGEga2V5")
			require.Nil(t, hmac)
			clienttest.RequireInvalid(t, err, "API key")
		})
	}
}

// White space around an API key comes from copying it, or from a file's last line.
func TestAPIKeysAreTrimmed(t *testing.T) {
	req, err := http.NewRequest(http.MethodGet, clienttest.BaseURL, nil)
	require.NoError(t, err)
	auth, err := qredo.NewRSAAuth(" \t"+clienttest.APIKey+"\r\n", clienttest.PrivateKey(t))
	require.NoError(t, err)
	require.NoError(t, auth.Authenticate(req, nil, clienttest.Now))
	require.Equal(t, clienttest.APIKey, req.Header.Get("X-API-KEY"))
}

func TestNewRSAAuthRefusesKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, key := range map[string]crypto.Signer{
		"nil": nil, "nil pointer": (*rsa.PrivateKey)(nil), "no key in it": &rsa.PrivateKey{},
		"EC": ec, "Ed25519": ed, "1024 bits": clienttest.ShortKey(t),
	} {
		t.Run(name, func(t *testing.T) {
			auth, err := qredo.NewRSAAuth(clienttest.APIKey, key)
			require.Nil(t, auth)
			clienttest.RequireInvalid(t, err, "private key")
		})
	}
}

func TestShortHMACSecretsWithFIPS140Only(t *testing.T) {
	if !clienttest.FIPS140Only(t) {
		return
	}
	for length, refused := range map[int]bool{1: true, 13: true, 14: false, 32: false} {
		auth, err := qredo.NewHMACAuth("key", base64.StdEncoding.EncodeToString(make([]byte, length)))
		if refused {
			clienttest.RequireInvalid(t, err, "secret")
			continue
		}
		require.NoError(t, err)
		_, err = auth.Sign("1", "GET", "https://h/p", nil)
		require.NoError(t, err)
	}
}

// foreignSigner holds its key elsewhere, as a hardware module does.
type foreignSigner struct {
	key *rsa.PrivateKey
	err error
}

func (s foreignSigner) Public() crypto.PublicKey { return &s.key.PublicKey }

func (s foreignSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.key.Sign(random, digest, opts)
}

func TestRSAAuthWithAForeignSigner(t *testing.T) {
	auth, err := qredo.NewRSAAuth(clienttest.APIKey, foreignSigner{key: clienttest.PrivateKey(t)})
	require.NoError(t, err)
	signature, err := auth.Sign("7", "https://h/p", []byte("body"))
	require.NoError(t, err)
	clienttest.VerifySignature(t, signature, "7", "https://h/p", []byte("body"))
}

// What is kept to know an API key again does not give it away, and is the same in each program.
func TestAPIKeyDigest(t *testing.T) {
	digest := func(apiKey string) string {
		auth, err := qredo.NewRSAAuth(apiKey, clienttest.PrivateKey(t))
		require.NoError(t, err)
		client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL))
		require.NoError(t, err)
		return client.APIKeyDigest()
	}
	assert.Equal(t, "b293cd3180ab416e", digest("key"))
	assert.Equal(t, digest("key"), digest(" key\n"))
	assert.NotEqual(t, digest("key"), digest("kez"))
	hmacAuth, err := qredo.NewHMACAuth("key", "YSBzZWNyZXQgb2YgdGVzdHM=")
	require.NoError(t, err)
	client, err := qredo.NewClient(hmacAuth, qredo.WithBaseURL(clienttest.BaseURL))
	require.NoError(t, err)
	assert.Empty(t, client.APIKeyDigest())
}

// A signer that fails stops the call, with its error in the chain and nothing sent.
func TestSignerThatFails(t *testing.T) {
	gone := errors.New("the module is gone")
	auth, err := qredo.NewRSAAuth(clienttest.APIKey, foreignSigner{key: clienttest.PrivateKey(t), err: gone})
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithHTTPClient(&http.Client{Transport: clienttest.RefuseAll(t)}))
	require.NoError(t, err)
	_, err = client.Companies.Get(t.Context(), clienttest.CompanyID)
	require.ErrorIs(t, err, gone)
	require.ErrorContains(t, err, "GET /company/"+clienttest.CompanyID)
}

// With nonces, each attempt has its own, there is no timestamp, and nothing that the caller set remains.
func TestNonce(t *testing.T) {
	next := 41
	auth := clienttest.NewAuth(t, qredo.WithNonce(func() string { next++; return strconv.Itoa(next) }))
	var nonces []string
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithHTTPClient(&http.Client{Transport: clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		require.NotContains(t, req.Header, "X-Timestamp")
		require.Len(t, req.Header["X-Nonce"], 1)
		nonces = append(nonces, req.Header.Get("x-nonce"))
		clienttest.VerifySignature(t, req.Header.Get("x-sign"), req.Header.Get("x-nonce"), req.URL.String(), nil)
		return clienttest.Answer(req, 200, `{}`), nil
	})}))
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, client.Do(t.Context(), http.MethodGet, "/assets", nil, nil,
			qredo.WithHeader("x-timestamp", "1"), qredo.WithHeader("x-nonce", "1"), qredo.WithHeader("x-sign", "1")))
	}
	require.Equal(t, []string{"42", "43"}, nonces)
}

func TestBadNonces(t *testing.T) {
	for _, nonce := range []string{"", "1\n2", "1 2", "é"} {
		auth := clienttest.NewAuth(t, qredo.WithNonce(func() string { return nonce }))
		client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithHTTPClient(&http.Client{Transport: clienttest.RefuseAll(t)}))
		require.NoError(t, err)
		_, err = client.Assets.List(t.Context())
		require.ErrorContains(t, err, "not sent: authenticating: the nonce must ")
		require.NotErrorAs(t, err, new(*qredo.ValidationError), "the request is not what is wrong: another attempt may do")
	}
}

// The caller cannot replace what authenticates a request.
func TestAuthenticationHeadersCannotBeSet(t *testing.T) {
	var got http.Header
	client := clienttest.NewClient(t, clienttest.RoundTrip(func(req *http.Request) (*http.Response, error) {
		got = req.Header
		return clienttest.Answer(req, 200, `{"assets":[]}`), nil
	}))
	_, err := client.Assets.List(t.Context(), qredo.WithHeader("X-API-KEY", "mine"), qredo.WithHeader("x-sign", "mine"),
		qredo.WithHeader("x-timestamp", "1"), qredo.WithHeader("x-nonce", "1"), qredo.WithHeader("X-Trace", "t-1"))
	require.NoError(t, err)
	require.Equal(t, []string{clienttest.APIKey}, got["X-Api-Key"])
	require.Equal(t, []string{"1700000000"}, got["X-Timestamp"])
	require.NotContains(t, got, "X-Nonce")
	require.Equal(t, []string{"t-1"}, got["X-Trace"])
	require.Len(t, got["X-Sign"], 1)
	clienttest.VerifySignature(t, got.Get("x-sign"), "1700000000", clienttest.BaseURL+"/assets", nil)
}

// environment sets the four variables for a test; those not named are empty.
func environment(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{"QREDO_API_KEY", "QREDO_API_KEY_FILE", "QREDO_PRIVATE_KEY", "QREDO_PRIVATE_KEY_FILE"} {
		t.Setenv(name, set[name])
	}
}

func TestAuthFromEnv(t *testing.T) {
	pem := string(clienttest.ReadTestdata(t, "private.pkcs8.pem"))
	keyFile := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(clienttest.APIKey+"\n"), 0o600))
	for name, set := range map[string]map[string]string{
		"values":        {"QREDO_API_KEY": clienttest.APIKey, "QREDO_PRIVATE_KEY": pem},
		"escaped lines": {"QREDO_API_KEY": clienttest.APIKey, "QREDO_PRIVATE_KEY": strings.ReplaceAll(pem, "\n", `\n`)},
		"files":         {"QREDO_API_KEY_FILE": keyFile, "QREDO_PRIVATE_KEY_FILE": "testdata/private.pkcs1.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, set)
			auth, err := qredo.AuthFromEnv()
			require.NoError(t, err)
			req, err := http.NewRequest(http.MethodGet, clienttest.BaseURL, nil)
			require.NoError(t, err)
			require.NoError(t, auth.Authenticate(req, nil, time.Unix(9, 0)))
			require.Equal(t, clienttest.APIKey, req.Header.Get("x-api-key"))
			clienttest.VerifySignature(t, req.Header.Get("x-sign"), "9", clienttest.BaseURL, nil)
		})
	}
}

func TestAuthFromEnvRefuses(t *testing.T) {
	pem := string(clienttest.ReadTestdata(t, "private.pkcs8.pem"))
	for name, tc := range map[string]struct {
		set   map[string]string
		field string
	}{
		"nothing":           {nil, "QREDO_API_KEY"},
		"no private key":    {map[string]string{"QREDO_API_KEY": clienttest.APIKey}, "QREDO_PRIVATE_KEY"},
		"key twice":         {map[string]string{"QREDO_API_KEY": clienttest.APIKey, "QREDO_API_KEY_FILE": "f"}, "QREDO_API_KEY"},
		"private key twice": {map[string]string{"QREDO_API_KEY": clienttest.APIKey, "QREDO_PRIVATE_KEY": pem, "QREDO_PRIVATE_KEY_FILE": "f"}, "QREDO_PRIVATE_KEY"},
		"path for a key":    {map[string]string{"QREDO_API_KEY": clienttest.APIKey, "QREDO_PRIVATE_KEY": "testdata/private.pkcs8.pem"}, "private key"},
		"public key":        {map[string]string{"QREDO_API_KEY": clienttest.APIKey, "QREDO_PRIVATE_KEY_FILE": "testdata/public.pem"}, "private key"},
		"bad API key":       {map[string]string{"QREDO_API_KEY": "a b", "QREDO_PRIVATE_KEY": pem}, "API key"},
	} {
		t.Run(name, func(t *testing.T) {
			environment(t, tc.set)
			auth, err := qredo.AuthFromEnv()
			require.Nil(t, auth)
			clienttest.RequireInvalid(t, err, tc.field)
			require.NotContains(t, err.Error(), pem)
		})
	}
	environment(t, map[string]string{"QREDO_API_KEY_FILE": "testdata/none", "QREDO_PRIVATE_KEY": pem})
	_, err := qredo.AuthFromEnv()
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "QREDO_API_KEY_FILE")
}

func TestHMACSecretForms(t *testing.T) {
	mac := hmac.New(sha256.New, clienttest.HMACSecret)
	mac.Write([]byte("7POSThttps://h/p?q=1body"))
	want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil))

	forms := map[string]string{
		"standard":       base64.StdEncoding.EncodeToString(clienttest.HMACSecret),
		"standard, bare": base64.RawStdEncoding.EncodeToString(clienttest.HMACSecret),
		"URL":            base64.URLEncoding.EncodeToString(clienttest.HMACSecret),
		"URL, bare":      base64.RawURLEncoding.EncodeToString(clienttest.HMACSecret),
	}
	distinct := map[string]bool{}
	for name, form := range forms {
		distinct[form] = true
		for _, text := range []string{form, " \t" + form + "\r\n"} {
			auth, err := qredo.NewHMACAuth(clienttest.APIKey, text)
			require.NoError(t, err, name)
			got, err := auth.Sign("7", "post", "https://h/p?q=1", []byte("body"))
			require.NoError(t, err)
			require.Equal(t, want, got, name)
		}
	}
	require.Len(t, distinct, 4, "the secret must tell the forms apart")
}

func TestHMACBadSecrets(t *testing.T) {
	for name, secret := range map[string]string{
		"empty": "", "blank": " \n", "padding only": "==", "not base64": "sécret!", "one character": "A",
		"cut": "c2VjcmV0c", "line break within": "c2Vj\ncmV0", "space within": "c2Vj cmV0", "bits left over": "c2VjcmV0cx",
	} {
		t.Run(name, func(t *testing.T) {
			auth, err := qredo.NewHMACAuth(clienttest.APIKey, secret)
			require.Nil(t, auth)
			clienttest.RequireInvalid(t, err, "secret")
			if len(secret) > 3 {
				require.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestHMACSignNeedsItsParts(t *testing.T) {
	auth, err := qredo.NewHMACAuth(clienttest.APIKey, "c2VjcmV0IG9mIGEga2V5")
	require.NoError(t, err)
	for _, parts := range [][3]string{{"", "GET", "https://h"}, {"7", "", "https://h"}, {"7", "GET", ""}} {
		got, err := auth.Sign(parts[0], parts[1], parts[2], nil)
		require.Empty(t, got)
		clienttest.RequireInvalid(t, err, "signature")
	}
}

// Any API key is either refused, or becomes the header's value without the white space around it.
func FuzzAPIKey(f *testing.F) {
	for _, text := range []string{"", "key", " key\n", "a\r\nX-Evil: 1", "a b", "ключ", "eyJrZXkiOiIifQ", "\x00", "a\tb"} {
		f.Add(text)
	}
	key := clienttest.PrivateKey(f)
	f.Fuzz(func(t *testing.T, text string) {
		auth, err := qredo.NewRSAAuth(text, key)
		if err != nil {
			if trimmed := strings.TrimSpace(text); len(trimmed) > 12 && strings.Contains(err.Error(), trimmed) {
				t.Fatalf("the error repeats the key: %v", err)
			}
			return
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.Authenticate(req, nil, time.Unix(1, 0)); err != nil {
			t.Fatal(err)
		}
		got := req.Header.Get("X-API-KEY")
		if got != strings.TrimSpace(text) || strings.Trim(got, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") != "" {
			t.Fatalf("%q became the header %q", text, got)
		}
	})
}

// remoteSigner is a key that somebody else holds, who does not answer.
type remoteSigner struct {
	crypto.Signer
	asked chan struct{}
}

func (s remoteSigner) SignContext(ctx context.Context, _ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	close(s.asked)
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// A key that takes a context is asked with the call's, so that a slow one ends with the call. Nothing has been sent then.
func TestSignersWithAContext(t *testing.T) {
	key := remoteSigner{clienttest.PrivateKey(t), make(chan struct{})}
	auth, err := qredo.NewRSAAuth(clienttest.APIKey, key)
	require.NoError(t, err)
	client, err := qredo.NewClient(auth, qredo.WithBaseURL(clienttest.BaseURL), qredo.WithHTTPClient(&http.Client{Transport: clienttest.RefuseAll(t)}))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-key.asked; cancel() }()
	_, err = client.Companies.Create(ctx, clienttest.Acme)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "not sent")
	require.NotErrorIs(t, err, qredo.ErrOutcomeUnknown)
}
