package access_test

import (
	"bytes"
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// TestExplain explains requests as programs send them that get one thing wrong, and demands that it names the part.
// Each is refused as well.
func TestExplain(t *testing.T) {
	key, other := ownKey(), otherKey()
	k := newKeys(t)
	const base, service = "/api/v1/p", "http://127.0.0.1:8080/api/v1/p"
	const url = service + "/company"
	const body = `{"name":"Acme & Co","city":"Paris","n":[1,2]}`
	stamp := strconv.FormatInt(now.Unix(), 10)
	sign := func(k *rsa.PrivateKey, text string) []byte {
		sum := sha256.Sum256([]byte(text))
		signature, err := rsa.SignPKCS1v15(nil, k, crypto.SHA256, sum[:])
		require.NoError(t, err)
		return signature
	}
	encode := base64.RawURLEncoding.EncodeToString
	type sent struct {
		apiKey, stamp, nonce, url, body, sign string
	}
	right := func(text string) sent {
		return sent{apiKey: "own", stamp: stamp, url: url, body: body, sign: encode(sign(key, text))}
	}
	with := func(s sent, change func(*sent)) sent {
		change(&s)
		return s
	}
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, []byte(body), "", "  "))
	hashed := sha256.Sum256([]byte(stamp + url + body))
	signed := stamp + url + body
	sha512Sum := sha512.Sum512([]byte(signed))
	withSHA512, err := rsa.SignPKCS1v15(nil, key, crypto.SHA512, sha512Sum[:])
	require.NoError(t, err)
	var withSHA1, bare []byte
	fips140.WithoutEnforcement(func() {
		sha1Sum := sha1.Sum([]byte(signed))
		withSHA1, err = rsa.SignPKCS1v15(nil, key, crypto.SHA1, sha1Sum[:])
		require.NoError(t, err)
		bare, err = rsa.SignPKCS1v15(nil, key, 0, hashed[:])
		require.NoError(t, err)
	})
	pss, err := rsa.SignPSS(rand.Reader, key, crypto.SHA256, hashed[:], nil)
	require.NoError(t, err)
	query := service + "/company/search?query=caf%C3%A9+b"
	old := strconv.FormatInt(now.Add(-time.Hour).Unix(), 10)

	for _, c := range []struct {
		name  string
		sent  sent
		parts []string
		says  string
	}{
		{"right", right(signed), nil, ""},
		{"milliseconds signed", right(stamp + "000" + url + body), []string{"stamp"}, "milliseconds"},
		{"stamp not signed", right(url + body), []string{"stamp"}, "was not signed"},
		{"old stamp", with(right(old+url+body), func(s *sent) { s.stamp = old }), []string{"stamp"}, "seconds behind"},
		{"stamp in milliseconds", with(right(stamp+"000"+url+body), func(s *sent) { s.stamp = stamp + "000" }), []string{"stamp"}, "seconds behind"},
		{"stamp no number", with(right("soon"+url+body), func(s *sent) { s.stamp = "soon" }), []string{"stamp"}, "whole number"},
		{"stamp missing", with(right(signed), func(s *sent) { s.stamp = "" }), []string{"stamp"}, "neither"},
		{"both stamps", with(right(signed), func(s *sent) { s.nonce = "7" }), []string{"stamp"}, "both there"},
		{"https signed", right(stamp + strings.Replace(url, "http:", "https:", 1) + body), []string{"url"}, "https://"},
		{"localhost signed", right(stamp + strings.Replace(url, "127.0.0.1", "localhost", 1) + body), []string{"url"}, "localhost"},
		{"production signed", right(stamp + "https://api.qredo.network/api/v1/p/company" + body), []string{"url"}, "api.qredo.network"},
		{"path signed", right(stamp + "/api/v1/p/company" + body), []string{"url"}, "without scheme and host"},
		{"short path signed", right(stamp + "/company" + body), []string{"url"}, "below the base URL"},
		{"slash signed", right(stamp + url + "/" + body), []string{"url"}, "slash"},
		{"no port signed", right(stamp + "http://127.0.0.1/api/v1/p/company" + body), []string{"url"}, "port"},
		{"URL not signed", right(stamp + body), []string{"url"}, "was not signed"},
		{"query not signed", with(right(stamp+strings.Split(query, "?")[0]), func(s *sent) { s.url, s.body = query, "" }), []string{"url"}, "without its query"},
		{"query as %20", with(right(stamp+strings.ReplaceAll(query, "+", "%20")), func(s *sent) { s.url, s.body = query, "" }), []string{"url"}, "%20"},
		{"query decoded", with(right(stamp+strings.ReplaceAll(query, "%C3%A9", "é")), func(s *sent) { s.url, s.body = query, "" }), []string{"url"}, "escaped"},
		{"body indented after", with(right(signed), func(s *sent) { s.body = indented.String() }), []string{"body"}, "without white space"},
		{"body indented before", right(stamp + url + indented.String()), []string{"body"}, "indented by two spaces"},
		{"body with spaces", right(stamp + url + `{"name": "Acme & Co", "city": "Paris", "n": [1, 2]}`), []string{"body"}, "as Python writes it"},
		{"body escaped", right(stamp + url + strings.ReplaceAll(body, "&", `\u0026`)), []string{"body"}, "as Go writes them"},
		{"body sorted", right(stamp + url + `{"city":"Paris","n":[1,2],"name":"Acme & Co"}`), []string{"body"}, "another order"},
		{"body with line end", right(signed + "\n"), []string{"body"}, "line end"},
		{"line end sent", with(right(signed), func(s *sent) { s.body += "\n" }), []string{"body"}, "without"},
		{"body not signed", right(stamp + url), []string{"body"}, "was not signed"},
		{"empty object signed", with(right(stamp+url+"{}"), func(s *sent) { s.body = "" }), []string{"body"}, "{}"},
		{"two parts", right(stamp + "000" + url), []string{"stamp", "body"}, "milliseconds"},
		{"method signed", right(stamp + "POST" + url + body), []string{"layout"}, "method"},
		{"line ends between", right(stamp + "\n" + url + "\n" + body), []string{"layout"}, "line ends"},
		{"another order", right(url + stamp + body), []string{"layout"}, "before the stamp"},
		{"hashed twice", right(string(hashed[:])), []string{"layout"}, "twice"},
		{"hashed to hexadecimal", right(hex.EncodeToString(hashed[:])), []string{"layout"}, "hexadecimal"},
		{"standard base64", with(right(signed), func(s *sent) { s.sign = base64.StdEncoding.EncodeToString(sign(key, signed)) }), []string{"signature"}, "base64"},
		{"padded", with(right(signed), func(s *sent) { s.sign = base64.URLEncoding.EncodeToString(sign(key, signed)) }), []string{"signature"}, "padding"},
		{"hexadecimal", with(right(signed), func(s *sent) { s.sign = hex.EncodeToString(sign(key, signed)) }), []string{"signature"}, "hexadecimal"},
		{"no signature", with(right(signed), func(s *sent) { s.sign = "" }), []string{"signature"}, "not there"},
		{"garbage", with(right(signed), func(s *sent) { s.sign = "!!!" }), []string{"signature"}, "encoding is unknown"},
		{"SHA-1", with(right(signed), func(s *sent) { s.sign = encode(withSHA1) }), []string{"signature"}, "SHA-1"},
		{"SHA-512", with(right(signed), func(s *sent) { s.sign = encode(withSHA512) }), []string{"signature"}, "SHA-512"},
		{"no DigestInfo", with(right(signed), func(s *sent) { s.sign = encode(bare) }), []string{"signature"}, "DigestInfo"},
		{"PSS", with(right(signed), func(s *sent) { s.sign = encode(pss) }), []string{"key"}, "PKCS1-v1_5"},
		{"another key", with(right(signed), func(s *sent) { s.sign = encode(sign(other, signed)) }), []string{"key"}, "another API key"},
		{"unknown API key", with(right(signed), func(s *sent) { s.apiKey = "nobody" }), []string{"key"}, "not registered"},
		{"no API key", with(right(signed), func(s *sent) { s.apiKey = "" }), []string{"key"}, "not there"},
		{"something else", right("something else"), []string{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			headers := map[string]string{}
			for name, value := range map[string]string{
				"X-API-KEY": c.sent.apiKey, "x-timestamp": c.sent.stamp, "x-nonce": c.sent.nonce, "x-sign": c.sent.sign,
			} {
				if value != "" {
					headers[name] = value
				}
			}
			sent := access.Sent{Method: "POST", URL: c.sent.url, Headers: headers, Body: []byte(c.sent.body)}
			e := k.Explain(sent, base, []string{sent.URL}, now)
			found, valid := e.Found, e.Valid
			var parts []string
			for _, d := range found {
				parts = append(parts, d.Part)
				assert.NotEmpty(t, d.Found)
				assert.NotEmpty(t, d.Remedy)
			}
			assert.Equal(t, c.parts == nil, valid)
			assert.ElementsMatch(t, c.parts, parts)
			assert.Contains(t, fmt.Sprint(found), c.says)

			req := request(headers)
			req.URLs, req.Body = []string{sent.URL}, sent.Body
			_, err := k.Signed(req, now, false)
			assert.Equal(t, valid, err == nil, "what checks signatures must agree: %v", err)
		})
	}
}

func TestExplainUsesUpNoNonce(t *testing.T) {
	k, req := newKeys(t), nonced(t, "1")
	headers := map[string]string{}
	for name := range req.Header {
		headers[name] = req.Header.Get(name)
	}
	for range 2 {
		e := k.Explain(access.Sent{Method: "GET", URL: asked, Headers: headers}, "/api/v1/p", req.URLs, now)
		assert.True(t, e.Valid, "%v", e.Found)
	}
	_, err := k.Signed(req, now, false)
	require.NoError(t, err)
}
