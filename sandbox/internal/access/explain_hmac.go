package access

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
	"time"
	"unicode"

	"github.com/qredo-go/qredo"
)

const hmacSize = 32 // bytes

const hmacLayoutRemedy = "sign stamp, method in capitals, URL and body, in this order, with nothing between"

// hmacLayouts are how the parts may have been put together for Qredo API v1.
var hmacLayouts = []layout{
	{func(stamp, method, url, body string) string { return stamp + method + url + body }, "", ""},
	{func(stamp, _, url, body string) string { return stamp + url + body }, "the method was not signed", hmacLayoutRemedy},
	{func(stamp, method, url, body string) string { return stamp + strings.ToLower(method) + url + body }, "the method was signed in small letters", hmacLayoutRemedy},
	{func(stamp, method, url, body string) string { return method + stamp + url + body }, "the method was signed before the stamp", hmacLayoutRemedy},
	{func(stamp, method, url, body string) string { return method + url + stamp + body }, "the stamp was signed after the URL", hmacLayoutRemedy},
	{func(stamp, method, url, body string) string { return stamp + url + method + body }, "the URL was signed before the method", hmacLayoutRemedy},
	{func(stamp, method, url, body string) string { return stamp + "\n" + method + url + body }, "a line end after the stamp was signed", hmacLayoutRemedy},
	{func(stamp, method, url, body string) string {
		return stamp + "\n" + method + "\n" + url + "\n" + body
	}, "the parts were signed with line ends between them", hmacLayoutRemedy},
	{func(stamp, method, url, body string) string { return stamp + " " + method + " " + url + " " + body }, "the parts were signed with spaces between them", hmacLayoutRemedy},
}

// ExplainHMAC is [Keys.Explain] for Qredo API v1.
func (k *Keys) ExplainHMAC(sent Sent, base string, urls []string, now time.Time) (e Explained) {
	const stampHeader, keyHeader, signatureHeader = "qredo-api-ts", "qredo-api-key", "qredo-api-sig"
	header, method := sent.header(), strings.ToUpper(sent.Method)
	stamp := header.Get(stampHeader)
	e.Verified = stamp + method + urls[0] + string(sent.Body)
	if stamp == "" {
		e.Found = []Difference{{"stamp", "the header " + stampHeader + " is not there", "send the stamp that was signed as " + stampHeader}}
	} else {
		e.Found = explainTimestamp(stampHeader, stamp, wholeSeconds(stamp), now)
	}
	key, problem := k.hmac.explain(header, keyHeader)
	if problem != nil {
		if _, err := k.partner.find(header.Get(keyHeader)); err == nil {
			problem.Found, problem.Remedy = "it is a key of the Partner API", "use the key of Qredo API v1"
		}
		e.Found = append(e.Found, *problem)
		return e
	}
	signature, problem := decodeSignature(header, signatureHeader, hmacSize)
	if problem != nil {
		e.Found = append(e.Found, *problem)
	}
	if signature == nil {
		return e
	}
	c := covered{stamps(stamp), urlForms(urls, base, sent.Headers), bodyForms(string(sent.Body), slips(e.Verified)), hmacLayouts, method}
	e.match(c, func(text string) bool { return hmac.Equal(macOf(key.hmac, text), signature) })
	if e.Signed == "" && key.undecoded != nil {
		before := len(e.Found)
		e.match(c, func(text string) bool { return hmac.Equal(macOf(key.undecoded, text), signature) })
		if e.Signed != "" {
			e.Valid = false
			e.Found = append(e.Found[:before:before], append([]Difference{{
				"key", "the secret was used as it stands, in base64", "decode the secret from base64, and use the bytes as the key of the HMAC",
			}}, e.Found[before:]...)...)
		}
	}
	return e
}

// macOf is the HMAC of a text. What computes it takes three parts, of which it writes the middle one in capitals: here
// that is a character that has none.
func macOf(auth *qredo.HMACAuth, text string) []byte {
	for i, r := range text {
		size := len(string(r))
		if i == 0 || i+size == len(text) || unicode.IsLetter(r) || r == unicode.ReplacementChar {
			continue
		}
		signature, err := auth.Sign(text[:i], text[i:i+size], text[i+size:], nil)
		if err != nil {
			return nil
		}
		mac, _ := base64.RawURLEncoding.DecodeString(signature) // it was encoded so
		return mac
	}
	return nil
}
