package transport

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
)

// stamp is what authenticated an attempt: its headers, and those of earlier attempts. Secrets are extracted from it only
// when an error needs them: most calls do not.
type stamp struct{ before, after http.Header }

// follow keeps what authenticated the earlier attempts.
func (r *Result) follow(before Result) {
	r.earlier = append(append(before.earlier, before.stamp), r.earlier...)
}

// secrets are the header values that authenticated the attempts, in all their forms.
func (r Result) secrets() (all []string) {
	for _, s := range append(r.earlier, r.stamp) {
		for key, values := range s.after {
			for i, value := range values {
				before := s.before[key]
				public := len(value) < 16 && strings.Trim(value, "0123456789") == "" // a time or a number
				if !public && len(value) >= shortest && (i >= len(before) || before[i] != value) {
					all = append(all, formsOf(value)...)
				}
			}
		}
	}
	return all
}

// Redact removes from text whatever authenticated the request, in case the other side repeats it.
func (r Result) Redact(text []byte, by string) []byte {
	for _, secret := range r.secrets() {
		text = bytes.ReplaceAll(text, []byte(secret), []byte(by))
		if spelled, err := regexp.Compile(inJSON.Replace(regexp.QuoteMeta(secret))); err == nil {
			text = spelled.ReplaceAll(text, []byte(by))
		}
		// A truncated body, or one longer than the limit, may end within a secret.
		for n := len(secret) - 1; n >= shortest; n-- {
			if start, ok := bytes.CutSuffix(text, []byte(secret[:n])); ok {
				text = append(bytes.Clone(start), by...)
				break
			}
		}
	}
	return text
}

// shortest is the minimum length of a header value that can be hidden without spoiling the rest.
const shortest = 8

// formsOf returns a header's value, and the other forms in which the peer may repeat it: a signing agent's proof is a
// hexadecimal object, whose long texts prove as much as the whole.
func formsOf(value string) []string {
	forms := []string{value}
	inside, err := hex.DecodeString(value)
	if err != nil {
		return forms
	}
	return append(append(forms, strings.ToUpper(value), strings.ToLower(value)), longTexts.FindAllString(string(inside), -1)...)
}

// longTexts matches base64 as long as a point of a proof.
var longTexts = regexp.MustCompile(`[A-Za-z0-9+/]{100,}={0,2}`)

// RedactStart returns the start of a text, up to a number of bytes, as Redact would return it. It reads no more of the
// text than necessary.
func (r Result) RedactStart(text []byte, most int, by string) []byte {
	longest := 0 // of a secret, with each of its characters escaped
	for _, secret := range r.secrets() {
		longest = max(longest, len(`\u0000`)*len(secret))
	}
	if len(text) <= most+longest {
		text = r.Redact(text, by)
		return text[:min(most, len(text))]
	}
	// A secret that begins before the end of the start is whole here; a later one is in the part that is left out.
	text = r.Redact(text[:most+longest], by)
	return text[:max(0, min(most, len(text)-longest))]
}

// inJSON extends an expression for a text to match it with JSON escapes as well.
var inJSON = strings.NewReplacer("/", `\\?/`, "=", `(?:=|\\u003[dD])`, `\+`, `(?:\+|\\u002[bB])`)
