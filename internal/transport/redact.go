package transport

import (
	"bytes"
	"regexp"
	"strings"
)

// Redact removes from text whatever authenticated the request, in case the other side repeats it.
func (r Result) Redact(text []byte, by string) []byte {
	for _, secret := range r.secrets {
		text = bytes.ReplaceAll(text, []byte(secret), []byte(by))
		if spelled, err := regexp.Compile(inJSON.Replace(regexp.QuoteMeta(secret))); err == nil {
			text = spelled.ReplaceAll(text, []byte(by))
		}
		// A body that is cut, or longer than the limit, may end within a secret.
		for n := len(secret) - 1; n >= shortest; n-- {
			if start, ok := bytes.CutSuffix(text, []byte(secret[:n])); ok {
				text = append(bytes.Clone(start), by...)
				break
			}
		}
	}
	return text
}

// RedactStart returns the start of a text, of so many bytes at most, as Redact would have it. It reads no more of the text
// than that takes.
func (r Result) RedactStart(text []byte, most int, by string) []byte {
	longest := 0 // of a secret, with each of its characters escaped
	for _, secret := range r.secrets {
		longest = max(longest, len(`\u0000`)*len(secret))
	}
	if len(text) <= most+longest {
		text = r.Redact(text, by)
		return text[:min(most, len(text))]
	}
	// A secret that begins before the end of the start is whole here; one that is not begins in what is left off.
	text = r.Redact(text[:most+longest], by)
	return text[:max(0, min(most, len(text)-longest))]
}

// inJSON makes an expression for a text match it as well where JSON has its characters escaped.
var inJSON = strings.NewReplacer("/", `\\?/`, "=", `(?:=|\\u003[dD])`, `\+`, `(?:\+|\\u002[bB])`)
