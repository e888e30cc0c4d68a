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

// inJSON makes an expression for a text match it as well where JSON has its characters escaped.
var inJSON = strings.NewReplacer("/", `\\?/`, "=", `(?:=|\\u003[dD])`, `\+`, `(?:\+|\\u002[bB])`)
