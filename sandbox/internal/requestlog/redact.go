package requestlog

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Credentials are shortened wherever they appear, in headers, in the URL, in bodies: enough is left to distinguish them.

const ellipsis = "…"

// credentials are the headers that authenticate a request.
var credentials = []string{"X-Api-Key", "Qredo-Api-Key", "X-Sign", "Qredo-Api-Sig", "X-Api-Zkp"}

// ShortKey is the end of an API key. Where keys name themselves, it is the end of their name: all of them end alike.
func ShortKey(key string) string {
	key = strings.TrimSpace(key)
	var named struct {
		ID string `json:"key_id"`
	}
	if raw, err := base64.RawURLEncoding.DecodeString(key); err == nil && json.Unmarshal(raw, &named) == nil && named.ID != "" {
		key = named.ID
	}
	return shorten(key, 0)
}

// shorten leaves begin characters at the start of what is long enough to be a secret, and four at its end.
func shorten(text string, begin int) string {
	const end, least = 4, 12
	if text == "" {
		return ""
	}
	runes := []rune(text)
	if len(runes) < max(least, 2*(begin+end)) {
		return ellipsis
	}
	return string(runes[:begin]) + ellipsis + string(runes[len(runes)-end:])
}

const signatureBegin = 8

// secretName is what headers, and parts of queries, are called that hold such things.
var secretName = regexp.MustCompile(`(?i)key|secret|token|sign|auth|cookie|zkp|proof|pass|pwd|credential|bearer|jwt|session|(^|[-_])sig$`)

// RedactHeaders are the headers of a request, in the order of their names.
func (r *Record) RedactHeaders() []Header {
	list := []Header{}
	for name, values := range r.Header {
		for _, value := range values {
			list = append(list, Header{name, r.redactHeader(name, value)})
		}
	}
	return sorted(list)
}

// RedactAnswerHeaders are the headers of the answer, in the order of their names.
func (r *Record) RedactAnswerHeaders() []Header {
	return sorted(append([]Header{}, r.AnswerHeader...))
}

func sorted(list []Header) []Header {
	slices.SortStableFunc(list, func(a, b Header) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

func (r *Record) redactHeader(name, value string) string {
	switch {
	case name == "X-Api-Key" || name == "Qredo-Api-Key":
		return ShortKey(value)
	case strings.HasPrefix(name, "Sec-Websocket-"):
		return value
	case slices.Contains(credentials, name):
		return shorten(value, signatureBegin)
	case secretName.MatchString(name):
		return shorten(value, 0)
	}
	return r.withoutCredentials(value)
}

// withoutCredentials leaves out of a text what authenticates the request, which a program may have put there too, and what is known as
// a secret by its form.
func (r *Record) withoutCredentials(text string) string {
	if strings.Contains(text, " ") { // a URL has none
		text = privateKey.ReplaceAllString(text, "${1}"+ellipsis+"${2}")
		text = bearer.ReplaceAllString(text, "${1}"+ellipsis)
	}
	for _, name := range credentials {
		const least = 12 // shorter texts are found anywhere
		for _, value := range r.Header[name] {
			if value = strings.TrimSpace(value); len(value) >= least {
				text = strings.ReplaceAll(text, value, shorten(value, 0))
			}
		}
	}
	return text
}

// RedactURL is the URL.
func (r *Record) RedactURL() string { return r.Redact(r.URL) }

// RedactBody is a body as it can be shown: as text, or in base64 where it is none.
func (r *Record) RedactBody(b Body) (text, encoding string) {
	whole := trimHalfRune(b.Bytes, b.Cut())
	text = r.Redact(string(whole))
	if !utf8.Valid(whole) {
		return base64.StdEncoding.EncodeToString([]byte(text)), "base64"
	}
	return text, ""
}

// trimHalfRune leaves the character out that a body was cut within.
func trimHalfRune(b []byte, cut bool) []byte {
	if !cut {
		return b
	}
	for i := 1; i < utf8.UTFMax && i <= len(b); i++ {
		if utf8.RuneStart(b[len(b)-i]) {
			if !utf8.FullRune(b[len(b)-i:]) {
				return b[:len(b)-i]
			}
			break
		}
	}
	return b
}

// Key is the end of the API key that the request names, or of its proof.
func (r *Record) Key() string {
	for _, name := range []string{"X-Api-Key", "Qredo-Api-Key"} {
		if value := r.Header.Get(name); value != "" {
			return ShortKey(value)
		}
	}
	return shorten(r.Header.Get("X-Api-Zkp"), 0)
}
