package requestlog_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/requestlog"
)

func TestSecretsAreShortenedInWhateverFormTheyCome(t *testing.T) {
	const secret = "SuPeRsEcReTvAlUe1234567890"
	for _, text := range []string{
		`{"client_secret":"SECRET"}`, `{"client_s\u0065cret":"SECRET"}`, `{"private-key" : "SECRET"}`, `{"Passphrase":"SECRET"}`,
		`{"secret":{"v":"SECRET","w":[["SECRET"]]},"name":"kept"}`, `{"signatures":[{"value":"SECRET"}],"name":"kept"}`,
		`{"secret":SECRET}`, `{"secret":["SECRET`, `{"secret":{"a":1,"b":"SECRET`, `[{"token":"SECRET"}]`, `{"secret":"\"SECRET"}`,
		`{"x":"{\"secret\":\"SECRET\"}"}`, `{"x":"{\"secret\":\"SECRET\",\"n`, `{"x":"{\"secret\":\"SECRET\"\`, `{"x":"{\"secret\":\"SECRET\ud8`,
		`{"x":"{\"y\":\"{\\\"secret\\\":\\\"SECRET\\\"}\"}"}`, "{\"n\":\"\xff\",\"secret\":\"SECRET\"}", "{\"secret\":\"\xffSECRET\xff\"}",
		`client_secret=SECRET&a=b`, `a=b&client_s%65cret=SECRET`, `{"x":"a=b;token=SECRET"}`, `{"x":"Bearer SECRET"}`,
		"-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----", `{"x":"-----BEGIN RSA PRIVATE KEY-----\nSECRET\n`,
	} {
		r := &requestlog.Record{Body: requestlog.KeepBody([]byte(strings.ReplaceAll(text, "SECRET", secret)))}
		shown, encoding := r.RedactBody(r.Body)
		if encoding != "" {
			raw, err := base64.StdEncoding.DecodeString(shown)
			require.NoError(t, err)
			shown = string(raw)
		}
		assert.NotContains(t, shown, secret, text)
		assert.NotContains(t, r.Curl(), secret, text)
		assert.False(t, r.Mentions(strings.ToLower(secret)), text)
		if json.Valid(r.Body.Bytes) {
			assert.True(t, json.Valid([]byte(shown)), shown)
		}
		if strings.Contains(text, "kept") {
			assert.Contains(t, shown, `"name":"kept"`)
		}
	}
	for _, query := range []string{"?secret=", "?s%65cret=", "?a=b;secret=", "?a=b?secret=", "?a=b#secret=", "?passphrase=", "?pwd=", "?sig=", "?x=Bearer "} {
		r := &requestlog.Record{URL: "http://h/x" + query + secret, Header: http.Header{}}
		assert.NotContains(t, r.RedactURL(), secret, query)
		var har bytes.Buffer
		require.NoError(t, requestlog.WriteHAR(&har, "", "", []*requestlog.Packed{r.Pack(1)}))
		assert.NotContains(t, har.String(), secret, query)
		assert.NotContains(t, r.Redact("1795891527GET"+r.URL+`{"secret":"`+secret+`"}`), secret, "what was signed")
	}
	for _, name := range []string{"Authorization", "X-Passphrase", "X-Pwd", "X-Session", "X-Credential", "X-Jwt", "Sig"} {
		assert.Equal(t, "…7890", (&requestlog.Record{Header: http.Header{name: {secret}}}).RedactHeaders()[0].Value, name)
	}
	for _, text := range []string{
		`{ "signed":true, "reference":"a \"b\" \u00e9", "n" : [1.50, -2e3,null], "keys":["AbKeYabcdefgh=="], "s":"", "signature":null}`,
		`{"secret":7,"token":true}`, `"`, `"\`, `{"`, `\"\"`, strings.Repeat("[", 1000), "a=b&c=d", "",
	} {
		shown, _ := (&requestlog.Record{}).RedactBody(requestlog.KeepBody([]byte(text)))
		assert.Equal(t, text, shown)
	}
}
