package access

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// The forms in which programs are known to have signed a part while they sent another. The first form of
// a part is the right one: as it was sent.

func stamps(sent string) []form {
	const remedy = "sign exactly the text that is sent as x-timestamp or x-nonce"
	forms := []form{{text: sent}}
	add := func(text, found string) {
		if text != sent {
			forms = append(forms, form{text, found, remedy, 1})
		}
	}
	add(strings.TrimSpace(sent), "the stamp was signed without the white space that was sent")
	add(sent+"000", "milliseconds were signed, and seconds sent")
	add(sent+".0", "the stamp was signed as a number with decimals")
	add(strings.TrimSuffix(sent, "000"), "seconds were signed, and milliseconds sent")
	add("", "the stamp was not signed")
	add(`"`+sent+`"`, "the stamp was signed with quotation marks")
	add(sent+"\r", "a carriage return after the stamp was signed: it was read from a line of Windows")
	return forms
}

func urlForms(urls []string, base string, headers map[string]string) []form {
	const remedy = "sign the full URL exactly as it is requested: scheme, host, port, path and query"
	var forms []form
	seen := map[string]bool{}
	add := func(text, found string) {
		if !seen[text] {
			seen[text] = true
			forms = append(forms, form{text, found, remedy, 1})
		}
	}
	for _, u := range urls { // each of them is right
		seen[u] = true
		forms = append(forms, form{text: u})
	}
	for _, sent := range urls {
		u, err := url.Parse(sent)
		if err != nil || u.Host == "" {
			continue
		}
		change := func(found string, f func(u *url.URL)) {
			c := *u
			f(&c)
			add(c.String(), found)
		}
		for _, scheme := range []string{"http", "https", "ws", "wss"} {
			change("the URL was signed with "+scheme+"://", func(c *url.URL) { c.Scheme = scheme })
		}
		change("the URL was signed without its query", func(c *url.URL) { c.RawQuery, c.ForceQuery = "", false })
		change("the URL was signed without its port", func(c *url.URL) { c.Host = c.Hostname() })
		change("the URL was signed with a slash at the end of its path", func(c *url.URL) { c.Path, c.RawPath = c.Path+"/", "" })
		change("the URL was signed without the slash at the end of its path", func(c *url.URL) { c.Path, c.RawPath = strings.TrimSuffix(c.Path, "/"), "" })
		change("the URL was signed with spaces as %20, and sent with +", func(c *url.URL) { c.RawQuery = strings.ReplaceAll(c.RawQuery, "+", "%20") })
		change("the URL was signed with spaces as +, and sent with %20", func(c *url.URL) { c.RawQuery = strings.ReplaceAll(c.RawQuery, "%20", "+") })
		for _, port := range []string{"443", "80"} {
			change("the URL was signed with the port "+port, func(c *url.URL) { c.Host = net.JoinHostPort(c.Hostname(), port) })
		}
		for _, capitals := range []string{strings.ToUpper(u.Hostname()), "LOCALHOST", "Localhost"} {
			change("the URL was signed with its host in capitals, as "+capitals, func(c *url.URL) { c.Host = strings.Replace(c.Host, c.Hostname(), capitals, 1) })
		}
		change("the URL was signed with its host in small letters, and sent in capitals", func(c *url.URL) { c.Host = strings.ToLower(c.Host) })
		for _, host := range []string{"localhost", "127.0.0.1", "[::1]"} {
			change("the URL was signed for the host "+host, func(c *url.URL) { c.Host = strings.Replace(c.Host, c.Hostname(), host, 1) })
		}
		for _, known := range []string{"api.qredo.network", "sandbox-api.qredo.network", "play-api.qredo.network"} {
			change("the URL was signed for the host "+known, func(c *url.URL) { c.Scheme, c.Host = "https", known })
		}
		if host := headers["Host"]; host != "" {
			change("the URL was signed for the host "+host, func(c *url.URL) { c.Host = host })
		}
		add(smallEscapes(sent), "the URL was signed with the hexadecimal digits of its escapes in small letters")
		add(capitalEscapes(sent), "the URL was signed with the hexadecimal digits of its escapes in capitals")
		add(strings.ReplaceAll(sent, "%", "%25"), "the URL was signed with its characters escaped twice")
		if !strings.Contains(sent, "?") {
			add(sent+"?", "the URL was signed with a ? at the end")
		}
		add(strings.TrimSuffix(sent, "?"), "the URL was signed without the ? at its end")
		if decoded, err := url.PathUnescape(sent); err == nil {
			add(decoded, "the URL was signed before its characters were escaped")
		}
		if decoded, err := url.QueryUnescape(sent); err == nil {
			add(decoded, "the URL was signed before its characters were escaped")
		}
		for _, other := range escapedOtherwise(u) {
			add(other.text, other.found)
			add(smallEscapes(other.text), other.found+", with hexadecimal digits in small letters")
		}
		change("the URL was signed with its query in another order", func(c *url.URL) {
			pairs := strings.Split(c.RawQuery, "&")
			slices.Sort(pairs)
			c.RawQuery = strings.Join(pairs, "&")
		})
		add(strings.ReplaceAll(sent, "&", "&amp;"), "the URL was signed with & as &amp;: it was taken from HTML or XML")
		add(strings.ReplaceAll(sent, "&", `\u0026`), "the URL was signed with & as \\u0026: it was taken from JSON without reading that")
		add(u.Scheme+"://"+u.Host+strings.ReplaceAll(strings.TrimPrefix(sent, u.Scheme+"://"+u.Host), "//", "/"), "the URL was signed with one slash where two were sent: leave out the one at the end of the base URL")
		if rest, below := strings.CutPrefix(strings.TrimPrefix(sent, u.Scheme+"://"+u.Host), base+"/"); below {
			add(u.Scheme+"://"+u.Host+base+"//"+rest, "the URL was signed with two slashes after the base URL")
		}
		target := strings.TrimPrefix(sent, u.Scheme+"://"+u.Host)
		add(target, "the path was signed without scheme and host")
		add(strings.TrimPrefix(target, base), "the path below the base URL was signed, not the whole URL")
		add(u.Path, "the path alone was signed")
		add(u.Host+target, "the URL was signed without its scheme")
		path, query, _ := strings.Cut(target, "?")
		add(u.Scheme+"://"+u.Host+path+query, "the URL was signed without the ? before its query")
	}
	add("", "the URL was not signed")
	return forms
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

func smallEscapes(u string) string   { return escape.ReplaceAllStringFunc(u, strings.ToLower) }
func capitalEscapes(u string) string { return escape.ReplaceAllStringFunc(u, strings.ToUpper) }
