package access

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// escapers are how languages escape what stands in a URL: which characters beside letters and digits they leave, and whether
// a space is +, and whether they leave what is not ASCII.
var escapers = []struct {
	left string
	plus bool
	wide bool
	name string
}{
	{"-_.~", false, false, "RFC 3986 says (as rawurlencode does)"},
	{"-_.!~*'()", false, false, "encodeURIComponent does"},
	{"*-._", true, false, "URLSearchParams and Java's URLEncoder do"},
	{"-_.~", true, false, "quote_plus and Go's QueryEscape do"},
	{"-_.", true, false, "PHP's urlencode does"},
	{"_.-~/", false, false, "Python's quote does"},
	{";,/?:@&=+$#-_.!~*'()[]", false, false, "encodeURI does"},
	{";,/?:@&=+$#-_.!~*'()[]", false, true, "Java's URI does, which leaves letters beyond ASCII as they are"},
}

// escapedOtherwise are the forms of a URL with its path or query escaped by another library, and in other Unicode forms.
func escapedOtherwise(u *url.URL) (forms []form) {
	for _, e := range escapers {
		escape := func(text string) string { return escapeBut(text, e.left, e.plus, e.wide) }
		path := mapPath(u.EscapedPath(), func(text string) string { return escapeBut(text, e.left, false, e.wide) })
		query := mapQuery(u.RawQuery, escape)
		forms = append(forms,
			form{text: withTarget(u, u.EscapedPath(), query), found: "the URL was signed with its query escaped as " + e.name},
			form{text: withTarget(u, path, u.RawQuery), found: "the URL was signed with its path escaped as " + e.name},
			form{text: withTarget(u, path, query), found: "the URL was signed with its characters escaped as " + e.name})
	}
	for _, n := range []struct {
		form norm.Form
		name string
	}{{norm.NFC, "composed (Unicode NFC)"}, {norm.NFD, "decomposed (Unicode NFD)"}} {
		for _, plus := range []bool{strings.Contains(u.RawQuery, "+"), false} {
			again := func(text string) string { return escapeBut(n.form.String(text), "-_.~", plus, false) }
			forms = append(forms, form{text: withTarget(u, mapPath(u.EscapedPath(), again), mapQuery(u.RawQuery, again)), found: "the URL was signed with its letters " + n.name})
		}
	}
	return forms
}

func withTarget(u *url.URL, path, query string) string {
	text := u.Scheme + "://" + u.Host + path
	if query != "" || u.ForceQuery {
		text += "?" + query
	}
	return text
}

// mapPath changes what each part of a path says.
func mapPath(path string, change func(string) string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if text, err := url.PathUnescape(p); err == nil {
			parts[i] = change(text)
		}
	}
	return strings.Join(parts, "/")
}

// mapQuery changes what each name and value of a query says.
func mapQuery(query string, change func(string) string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		parts := strings.SplitN(pair, "=", 2)
		for k, p := range parts {
			if text, err := url.QueryUnescape(p); err == nil {
				parts[k] = change(text)
			}
		}
		pairs[i] = strings.Join(parts, "=")
	}
	return strings.Join(pairs, "&")
}

// escapeBut escapes all bytes of a text but letters and digits of ASCII, or of all scripts, and those that are left.
func escapeBut(text, left string, plus, wide bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(text) {
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte(left, c) >= 0, wide && c >= utf8.RuneSelf:
			b.WriteByte(c)
		case c == ' ' && plus:
			b.WriteByte('+')
		default:
			b.WriteString("%" + string(digits[c>>4]) + string(digits[c&15]))
		}
	}
	return b.String()
}
