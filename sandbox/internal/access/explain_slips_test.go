package access_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox/internal/access"
)

// marked writes runs with what differs in brackets.
func marked(runs []access.Run) string {
	var b strings.Builder
	for _, r := range runs {
		if r.Differs {
			b.WriteString("[" + r.Text + "]")
		} else {
			b.WriteString(r.Text)
		}
	}
	return b.String()
}

// TestExplainNamesSlips has slips of programs in many languages, with the part that must be named, and where the texts
// must be marked as different.
func TestExplainNamesSlips(t *testing.T) {
	k := newKeys(t)
	const service = "http://127.0.0.1:8765/api/v1/p"
	const search = service + "/company/search?query=Z%C3%BCrich%20AG"
	stamp := strconv.FormatInt(now.Unix(), 10)
	for name, c := range map[string]struct {
		url, body       string // that are sent
		signed          string // after the stamp
		part, says      string
		verified, wrote string // with marks, after the stamp
	}{
		"host in capitals": {
			search, "", strings.Replace(search, "127.0.0.1", "LOCALHOST", 1), "url", "host in capitals",
			"http://[127.0.0.1]:8765/api/v1/p/company/search?query=Z%C3%BCrich%20AG", "http://[LOCALHOST]:8765/api/v1/p/company/search?query=Z%C3%BCrich%20AG",
		},
		"escapes in small letters": {
			search, "", strings.Replace(search, "%C3%BC", "%c3%bc", 1), "url", "hexadecimal digits of its escapes in small letters",
			service + "/company/search?query=Z%[C]3%[BC]rich%20AG", service + "/company/search?query=Z%[c]3%[bc]rich%20AG",
		},
		"escaped twice": {
			search, "", strings.ReplaceAll(search, "%", "%25"), "url", "escaped twice",
			service + "/company/search?query=Z%C3%BCrich%20AG", service + "/company/search?query=Z%[25]C3%[25]BCrich%[25]20AG",
		},
		"a question mark": {service + "/assets", "", service + "/assets?", "url", "a ? at the end", service + "/assets", service + "/assets[?]"},
		"escaped body": {
			service + "/company", `{"name":"Zürich & Co"}`, service + "/company" + `{"name":"Z\u00fcrich & Co"}`, "body", `characters as \u escapes`,
			service + `/company{"name":"Z[ü]rich & Co"}`, service + `/company{"name":"Z[\u00fc]rich & Co"}`,
		},
		"escaped and spaced body": {
			service + "/company", `{"name":"Zürich","n":1}`, service + "/company" + `{"name": "Z\u00fcrich", "n": 1}`, "body", `characters as \u escapes`,
			service + `/company{"name":"Z[ü]rich","n":1}`, service + `/company{"name":[ ]"Z[\u00fc]rich",[ ]"n":[ ]1}`,
		},
		"unescaped body": {
			service + "/company", `{"name":"\ud83d\ude00 Z\u00FCrich\n"}`, service + "/company" + `{"name":"😀 Zürich\n"}`, "body", `without the \u escapes`,
			"", "",
		},
		"byte order mark": {
			service + "/company", "\ufeff" + `{"name":"Acme"}`, service + "/company" + `{"name":"Acme"}`, "body", "byte order mark",
			service + "/company[\ufeff]" + `{"name":"Acme"}`, service + `/company{"name":"Acme"}`,
		},
		"line end after the stamp": {service + "/assets", "", "\n" + service + "/assets", "layout", "a line end after the stamp", service + "/assets", "[\n]" + service + "/assets"},
	} {
		t.Run(name, func(t *testing.T) {
			sum := sha256.Sum256([]byte(stamp + c.signed))
			signature, err := rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, sum[:])
			require.NoError(t, err)
			sent := access.Sent{Method: "GET", URL: c.url, Body: []byte(c.body), Headers: map[string]string{
				"X-API-KEY": "own", "x-timestamp": stamp, "x-sign": base64.RawURLEncoding.EncodeToString(signature),
			}}
			e := k.Explain(sent, "/api/v1/p", []string{c.url}, now)
			require.Len(t, e.Found, 1)
			assert.Equal(t, c.part, e.Found[0].Part)
			assert.Contains(t, e.Found[0].Found, c.says)
			assert.Equal(t, []string{stamp + c.url + c.body, stamp + c.signed}, []string{e.Verified, e.Signed})
			verified, signed := access.Compare(e.Verified, e.Signed)
			if c.verified != "" {
				assert.Equal(t, []string{stamp + c.verified, stamp + c.wrote}, []string{marked(verified), marked(signed)})
			}
		})
	}
}

func TestExplainTakesShortForLongTexts(t *testing.T) {
	k := newKeys(t)
	stamp := strconv.FormatInt(now.Unix(), 10)
	body := `{"name":"` + strings.Repeat("x", 60<<10) + `"}`
	sum := sha256.Sum256([]byte("nothing that is tried"))
	signature, err := rsa.SignPKCS1v15(nil, ownKey(), crypto.SHA256, sum[:])
	require.NoError(t, err)
	e := k.Explain(access.Sent{Method: "POST", URL: "http://127.0.0.1/api/v1/p/company", Body: []byte(body), Headers: map[string]string{
		"X-API-KEY": "own", "x-timestamp": stamp, "x-sign": base64.RawURLEncoding.EncodeToString(signature),
	}}, "/api/v1/p", []string{"http://127.0.0.1/api/v1/p/company"}, now)
	assert.False(t, e.Valid)
	assert.Empty(t, e.Signed)
}

func TestExplainHMAC(t *testing.T) {
	const asked, base = "http://sandbox.example/qapi/v1/balance?a=%C3%BC", "/qapi/v1"
	secret := base64.StdEncoding.EncodeToString(hmacSecret)
	k := access.NewKeys()
	_, err := k.RegisterHMAC("reports", "default", secret)
	require.NoError(t, err)
	require.NoError(t, k.Register("own", "default", &ownKey().PublicKey))
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	encode := base64.RawURLEncoding.EncodeToString
	right := stamp + "GET" + asked
	for name, c := range map[string]struct {
		key, stamp, signature string
		parts                 []string
		says                  string
	}{
		"right":                   {"reports", stamp, encode(mac(hmacSecret, right)), nil, ""},
		"no method":               {"reports", stamp, encode(mac(hmacSecret, stamp+asked)), []string{"layout"}, "method was not signed"},
		"small method":            {"reports", stamp, encode(mac(hmacSecret, stamp+"get"+asked)), []string{"layout"}, "small letters"},
		"line ends":               {"reports", stamp, encode(mac(hmacSecret, stamp+"\nGET\n"+asked+"\n")), []string{"layout"}, "line ends"},
		"small escapes":           {"reports", stamp, encode(mac(hmacSecret, strings.ReplaceAll(right, "%C3%BC", "%c3%bc"))), []string{"url"}, "small letters"},
		"path alone":              {"reports", stamp, encode(mac(hmacSecret, stamp+"GET/qapi/v1/balance?a=%C3%BC")), []string{"url"}, "without scheme"},
		"undecoded secret":        {"reports", stamp, encode(mac([]byte(secret), right)), []string{"key"}, "decode"},
		"undecoded and no method": {"reports", stamp, encode(mac([]byte(secret), stamp+asked)), []string{"key", "layout"}, "decode"},
		"hexadecimal":             {"reports", stamp, hex.EncodeToString(mac(hmacSecret, right)), []string{"signature"}, "hexadecimal"},
		"padded":                  {"reports", stamp, base64.URLEncoding.EncodeToString(mac(hmacSecret, right)), []string{"signature"}, "padding"},
		"another secret":          {"reports", stamp, encode(mac([]byte("another"), right)), nil, ""},
		"no signature":            {"reports", stamp, "", []string{"signature"}, "not there"},
		"no stamp":                {"reports", "", encode(mac(hmacSecret, right)), []string{"stamp"}, "not there"},
		"old":                     {"reports", "1600000000", encode(mac(hmacSecret, "1600000000GET"+asked)), []string{"stamp"}, "seconds behind"},
		"unknown key":             {"nobody", stamp, "x", []string{"key"}, "not registered"},
		"other API's key":         {"own", stamp, "x", []string{"key"}, "Partner API"},
		"no key":                  {"", stamp, "x", []string{"key"}, "not there"},
	} {
		t.Run(name, func(t *testing.T) {
			sent := access.Sent{Method: "get", URL: asked, Headers: map[string]string{}}
			for header, value := range map[string]string{"qredo-api-key": c.key, "qredo-api-ts": c.stamp, "qredo-api-sig": c.signature} {
				if value != "" {
					sent.Headers[header] = value
				}
			}
			e := k.ExplainHMAC(sent, base, []string{asked}, now)
			var parts []string
			said := ""
			for _, d := range e.Found {
				parts = append(parts, d.Part)
				said += d.Found + " " + d.Remedy + "\n"
			}
			if name == "no stamp" { // which was signed is not found out
				parts = parts[:1]
			}
			assert.Equal(t, c.parts, parts)
			assert.Contains(t, said, c.says)
			assert.Equal(t, name == "right", e.Valid)
			assert.Equal(t, c.stamp+"GET"+asked, e.Verified)
			req := request(sent.Headers)
			req.Method, req.URLs = "GET", []string{asked}
			_, err := k.SignedByHMAC(req, now)
			assert.Equal(t, e.Valid, err == nil, "what checks signatures must agree: %v", err)
		})
	}
}

func TestCompareMarksWhatDiffers(t *testing.T) {
	for _, c := range [][4]string{
		{"", "", "", ""},
		{"same", "same", "same", "same"},
		{"", "all", "", "[all]"},
		{"abc", "", "[abc]", ""},
		{"1795891527http://x", "1795891527000http://x", "1795891527http://x", "1795891527[000]http://x"},
		{"aXbcdef", "aYbcdef", "a[X]bcdef", "a[Y]bcdef"},
		{"abc", "abX", "ab[c]", "ab[X]"},
		{"one two three", "one three", "one[ two] three", "one three"},
		{"äöü", "äöu", "äö[ü]", "äö[u]"},
		{"aaaa", "aa", "[aa]aa", "aa"},
		{strings.Repeat("x", 300) + "end", strings.Repeat("y", 300) + "end", "[" + strings.Repeat("x", 300) + "]end", "[" + strings.Repeat("y", 300) + "]end"},
	} {
		a, b := access.Compare(c[0], c[1])
		assert.Equal(t, []string{c[2], c[3]}, []string{marked(a), marked(b)})
	}
}

func FuzzCompare(f *testing.F) {
	f.Add("1795891527http://x", "1795891527000http://x")
	f.Add("aaaa", "aa")
	f.Fuzz(func(t *testing.T, first, second string) {
		first, second = strings.ToValidUTF8(first, "?"), strings.ToValidUTF8(second, "?")
		a, b := access.Compare(first, second)
		for _, side := range []struct {
			runs []access.Run
			text string
		}{{a, first}, {b, second}} {
			whole := ""
			for _, r := range side.runs {
				whole += r.Text
			}
			assert.Equal(t, side.text, whole)
		}
		same := func(runs []access.Run) (text string) {
			for _, r := range runs {
				if !r.Differs {
					text += r.Text
				}
			}
			return text
		}
		assert.Equal(t, same(a), same(b), "what is not marked is the same")
	})
}
