package access_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// A secret whose base64 has the characters in which the two alphabets differ, and padding.
var hmacSecret = []byte("\xfb\xef\xbe\xff\xff\xff the secret of a key!\x00")

const balance = "http://sandbox.example/qapi/v1/balance"

// hmacRequest is a request to Qredo API v1 before it is signed: every part can be made wrong. What is empty is right,
// and "-" is a header that is not there.
type hmacRequest struct {
	key, stamp, body, sig               string
	signedMethod, signedURL, signedBody string
	secret                              []byte
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func (r hmacRequest) sign() access.Request {
	stamp, secret := orElse(r.stamp, fmt.Sprint(now.Unix())), r.secret
	if secret == nil {
		secret = hmacSecret
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(stamp + orElse(r.signedMethod, "GET") + orElse(r.signedURL, balance) + orElse(r.signedBody, r.body)))
	headers := map[string]string{}
	for name, value := range map[string]string{
		"qredo-api-key": orElse(r.key, "reports"), "qredo-api-ts": stamp,
		"qredo-api-sig": orElse(r.sig, base64.RawURLEncoding.EncodeToString(mac.Sum(nil))),
	} {
		if value != "-" {
			headers[name] = value
		}
	}
	req := request(headers)
	req.URLs, req.Body = []string{"http://sandbox.example:80/qapi/v1/balance", balance}, []byte(r.body)
	return req
}

func TestHMACSecretForms(t *testing.T) {
	for name, encoding := range map[string]*base64.Encoding{
		"standard": base64.StdEncoding, "standard, bare": base64.RawStdEncoding, "URL": base64.URLEncoding, "URL, bare": base64.RawURLEncoding,
	} {
		k := access.NewKeys()
		_, err := k.RegisterHMAC("reports", "default", encoding.EncodeToString(hmacSecret))
		require.NoError(t, err)
		key, err := k.SignedByHMAC(hmacRequest{}.sign(), now)
		require.NoError(t, err, name)
		assert.Equal(t, "default", key.Account)
	}
}

func TestHMACIsVerified(t *testing.T) {
	k := newKeys(t)
	k.Unsigned = true // which is of the Partner API
	_, err := k.RegisterHMAC(" reports\n", "default", base64.StdEncoding.EncodeToString(hmacSecret))
	require.NoError(t, err)
	at := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	for name, test := range map[string]struct {
		request hmacRequest
		kind    access.Kind
		reason  string
	}{
		"right":                        {hmacRequest{}, 0, ""},
		"method in small letters":      {hmacRequest{signedMethod: "get"}, access.NotProved, "signature"},
		"another method":               {hmacRequest{signedMethod: "POST"}, access.NotProved, "signature"},
		"no method":                    {hmacRequest{signedMethod: balance[:len(balance)-7], signedURL: "balance"}, access.NotProved, "signature"},
		"another secret":               {hmacRequest{secret: []byte("of another key")}, access.NotProved, "signature"},
		"another URL":                  {hmacRequest{signedURL: balance + "s"}, access.NotProved, "signature"},
		"another of the URLs":          {hmacRequest{signedURL: "http://sandbox.example:80/qapi/v1/balance"}, 0, ""},
		"a body":                       {hmacRequest{body: "{}"}, 0, ""},
		"a body not signed":            {hmacRequest{body: "{}", signedBody: "{ }"}, access.NotProved, "signature"},
		"a padded signature":           {hmacRequest{sig: "AAAA===="}, access.NotProved, "signature"},
		"no signature":                 {hmacRequest{sig: "-"}, access.NotProved, "signature"},
		"nothing signed":               {hmacRequest{sig: "-", stamp: "-"}, access.NotProved, "timestamp"},
		"an unknown key":               {hmacRequest{key: "nobody"}, access.NotProved, "api key"},
		"a key of the Partner API":     {hmacRequest{key: "own"}, access.NotProved, "api key"},
		"no key":                       {hmacRequest{key: "-"}, access.NoCredentials, "empty token"},
		"blanks around the key":        {hmacRequest{key: " reports "}, 0, ""},
		"no timestamp":                 {hmacRequest{stamp: "-"}, access.NotProved, "timestamp"},
		"a word for a timestamp":       {hmacRequest{stamp: "now"}, access.NotProved, "timestamp"},
		"5 minutes old":                {hmacRequest{stamp: at(-5 * time.Minute)}, 0, ""},
		"5 minutes ahead":              {hmacRequest{stamp: at(5 * time.Minute)}, 0, ""},
		"a second older":               {hmacRequest{stamp: at(-5*time.Minute - time.Second)}, access.NotProved, "timestamp"},
		"a second further ahead":       {hmacRequest{stamp: at(5*time.Minute + time.Second)}, access.NotProved, "timestamp"},
		"nanoseconds":                  {hmacRequest{stamp: at(0) + "123456789"}, 0, ""},
		"old nanoseconds":              {hmacRequest{stamp: at(-6*time.Minute) + "000000000"}, access.NotProved, "timestamp"},
		"too many digits":              {hmacRequest{stamp: at(0) + "12345678901234567890"}, access.NotProved, "timestamp"},
		"the same twice":               {hmacRequest{}, 0, ""},
		"milliseconds, which none are": {hmacRequest{stamp: at(0) + "123"}, access.NotProved, "timestamp"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := k.SignedByHMAC(test.request.sign(), now)
			refused(t, err, test.kind, test.reason)
		})
	}
	_, err = k.Signed(request(map[string]string{"X-API-KEY": "reports"}), now, false)
	refused(t, err, access.NotProved, "api key")
}

// The known answer that the service itself published is accepted.
func TestHMACVector(t *testing.T) {
	data, err := os.ReadFile("../../../testdata/vectors.json")
	require.NoError(t, err)
	var file struct {
		Secret  string `json:"hmac_secret"`
		Vectors []struct {
			Method    string `json:"method"`
			URL       string `json:"url"`
			Stamp     string `json:"stamp"`
			Signature string `json:"qredo_api_sig"`
		} `json:"hmac"`
	}
	require.NoError(t, json.Unmarshal(data, &file))
	k, known := access.NewKeys(), file.Vectors[0]
	_, err = k.RegisterHMAC("key", "default", file.Secret)
	require.NoError(t, err)
	req := request(map[string]string{"qredo-api-key": "key", "qredo-api-ts": known.Stamp, "qredo-api-sig": known.Signature})
	req.Method, req.URLs = known.Method, []string{known.URL}
	_, err = k.SignedByHMAC(req, time.Unix(1644848012, 0))
	require.NoError(t, err)
}

func TestRegisterHMAC(t *testing.T) {
	k := access.NewKeys()
	for name, test := range map[string]struct {
		key, secret string
		permissions []string
	}{
		"no key":             {"", "c2VjcmV0", nil},
		"no secret":          {"k", "", nil},
		"not base64":         {"k", "?", nil},
		"no such permission": {"k", "c2VjcmV0", []string{access.PermissionRead, "admin"}},
	} {
		_, err := k.RegisterHMAC(test.key, "default", test.secret, test.permissions...)
		var problem *qredo.ValidationError
		require.ErrorAs(t, err, &problem, name)
	}
}

// The folder of keys has that of this API too, and a later sandbox the same.
func TestProvisionHMAC(t *testing.T) {
	dir := t.TempDir()
	ask := func(auth *qredo.HMACAuth, k *access.Keys) error {
		req := hmacRequest{}.sign()
		text, err := auth.Sign(req.Header.Get("qredo-api-ts"), "GET", balance, nil)
		require.NoError(t, err)
		key, err := os.ReadFile(filepath.Join(dir, "qapi-apikey"))
		require.NoError(t, err)
		req.Header.Set("qredo-api-key", string(key))
		req.Header.Set("qredo-api-sig", text)
		_, err = k.SignedByHMAC(req, now)
		return err
	}
	first, second, other := access.NewKeys(), access.NewKeys(), access.NewKeys()
	auth, err := first.ProvisionHMAC(dir, "default")
	require.NoError(t, err)
	_, err = second.ProvisionHMAC(dir, "default")
	require.NoError(t, err)
	require.NoError(t, ask(auth, first))
	require.NoError(t, ask(auth, second))
	_, err = other.ProvisionHMAC("", "default")
	require.NoError(t, err)
	refused(t, ask(auth, other), access.NotProved, "api key")

	for _, name := range []string{"qapi-apikey", "qapi-secret"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	secret, err := os.ReadFile(filepath.Join(dir, "qapi-secret"))
	require.NoError(t, err)
	read, err := qredo.NewHMACAuth("any", strings.TrimSpace(string(secret)))
	require.NoError(t, err)
	require.NoError(t, ask(read, second), "the file has the secret")
}

func TestHMACFoldersThatCannotBeUsed(t *testing.T) {
	for file, names := range map[string]string{"qapi-secret": "has qapi-secret and no qapi-apikey", "qapi-apikey": "qapi-secret"} {
		dir := t.TempDir()
		path := filepath.Join(dir, file)
		require.NoError(t, os.WriteFile(path, []byte("c2VjcmV0\n"), 0o600))
		_, err := access.NewKeys().ProvisionHMAC(dir, "default")
		require.ErrorContains(t, err, names)
		assert.NotContains(t, err.Error(), "c2VjcmV0")
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "c2VjcmV0\n", string(data), "it is left as it is")
	}
}

// What a shell makes of the sandbox's secret is right, whichever alphabet of base64 it decodes by.
func TestHMACByShell(t *testing.T) {
	for _, program := range []string{"sh", "openssl", "basenc", "od"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no %s here", program)
		}
	}
	dir := t.TempDir()
	k := access.NewKeys()
	_, err := k.ProvisionHMAC(dir, "default")
	require.NoError(t, err)
	for _, decode := range []string{"basenc --base64 -d", "basenc --base64url -d", "openssl base64 -d -A"} {
		script := `key=$(tr -d '\n' < "$1/qapi-secret" | ` + decode + ` | od -An -v -tx1 | tr -d ' \n')
			printf '%sGET%s' "$2" "$3" | openssl dgst -sha256 -mac HMAC -macopt hexkey:$key -binary | basenc --base64url | tr -d '='`
		signature, err := exec.CommandContext(t.Context(), "sh", "-c", script, "sh", dir, fmt.Sprint(now.Unix()), balance).Output()
		require.NoError(t, err, decode)
		key, err := os.ReadFile(filepath.Join(dir, "qapi-apikey"))
		require.NoError(t, err)
		_, err = k.SignedByHMAC(hmacRequest{key: strings.TrimSpace(string(key)), sig: strings.TrimSpace(string(signature))}.sign(), now)
		require.NoError(t, err, decode)
	}
}
