package access_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// TestExplainNamesSlipsOfLanguages has the languages themselves write what a program in them signs and sends by mistake, and demands
// that the part is named.
func TestExplainNamesSlipsOfLanguages(t *testing.T) {
	for _, language := range [][]string{
		{"python3", "slips.py"}, {"node", "slips.js"}, {"php", "slips.php"}, {"java", "-Dfile.encoding=UTF-8", "Slips.java"}, {"sh", "slips.sh"}, {"bash", "slips.sh"},
	} {
		t.Run(language[0], func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(language[0]); err != nil {
				t.Skipf("%s is not on this machine", language[0])
			}
			command := exec.CommandContext(t.Context(), language[0], language[1:]...)
			command.Dir = "testdata/slips"
			out, err := command.Output()
			require.NoError(t, err)
			k := newKeys(t)
			slips := 0
			for line := range strings.Lines(string(out)) {
				fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
				require.Len(t, fields, 3, "%q", line)
				sent, signed := decoded(t, fields[1]), decoded(t, fields[2])
				slips++
				explainSlip(t, k, fields[0], sent, signed)
			}
			assert.Positive(t, slips)
			t.Logf("%d slips", slips)
		})
	}
}

func explainSlip(t *testing.T, k *access.Keys, part, sent, signed string) {
	t.Helper()
	stamp := strconv.FormatInt(now.Unix(), 10)
	request := access.Sent{Method: "POST", URL: "http://127.0.0.1:8765/api/v1/p/company"}
	text := stamp + request.URL + signed
	switch part {
	case "body":
		request.Body = []byte(sent)
	default:
		request.URL, text = sent, stamp+signed
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, sum[:])
	require.NoError(t, err)
	request.Headers = map[string]string{"X-API-KEY": "own", "x-timestamp": stamp, "x-sign": base64.RawURLEncoding.EncodeToString(signature)}
	e := k.Explain(request, "/api/v1/p", []string{request.URL}, now)
	if assert.NotEmpty(t, e.Found, "sent   %s\nsigned %s", sent, signed) {
		assert.Equal(t, part, e.Found[0].Part, "%v\nsent   %s\nsigned %s", e.Found, sent, signed)
		t.Log(e.Found[0].Found)
	}
	assert.False(t, e.Valid)
}

func decoded(t *testing.T, text string) string {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return string(data)
}

// FuzzExplain has bodies and URLs that nothing is known of: whatever they are, what is told is that the signature is of something else.
func FuzzExplain(f *testing.F) {
	f.Add("http://127.0.0.1:8765/api/v1/p/company?a=%C3%BC+b&&=%zz", `{"a":[1.0,{"b\u00fc":-0,"c":"\/\ud83d"}],"a":1e400}`)
	f.Add("http://[::1]/", "[[[[],{}],\"\\\"\"]]")
	k := newKeys(f)
	stamp := strconv.FormatInt(now.Unix(), 10)
	sum := sha256.Sum256([]byte("something else"))
	signature, err := rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, sum[:])
	require.NoError(f, err)
	headers := map[string]string{"X-API-KEY": "own", "x-timestamp": stamp, "x-sign": base64.RawURLEncoding.EncodeToString(signature)}
	f.Fuzz(func(t *testing.T, url, body string) {
		e := k.Explain(access.Sent{Method: "POST", URL: url, Body: []byte(body), Headers: headers}, "/api/v1/p", []string{url}, now)
		assert.Empty(t, e.Found)
		assert.False(t, e.Valid)
	})
}
