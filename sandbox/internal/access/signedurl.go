package access

import (
	"net/http"
	"net/url"
	"strings"
)

// RequestURL is the URL that a client asked for, as it must have signed it.
func RequestURL(r *http.Request) string {
	scheme := "http"
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		scheme = "ws"
	}
	if r.TLS != nil {
		scheme += "s"
	}
	target := r.RequestURI
	if !strings.HasPrefix(target, "/") { // made in this process, or as a proxy's client writes it
		target = r.URL.RequestURI()
	}
	return scheme + "://" + r.Host + target
}

// SignedURLs are the URLs that a client may have signed for a request: the one asked for, and those that
// correspond to it below the public base URLs. What is served below the API's base path corresponds.
func SignedURLs(asked, base string, public []*url.URL) []string {
	urls := []string{asked}
	scheme, rest, _ := strings.Cut(asked, "://")
	if host, path, _ := strings.Cut(rest, "/"); !strings.Contains(host, ":") {
		// Some clients leave the scheme's own port out of the Host header though the URL has it.
		port := "80"
		if strings.HasSuffix(scheme, "s") {
			port = "443"
		}
		urls = append(urls, scheme+"://"+host+":"+port+"/"+path)
	}
	if _, path, found := strings.Cut(rest, base); found && base != "" {
		for _, u := range public {
			known := *u
			if strings.HasPrefix(scheme, "ws") {
				known.Scheme = "ws" + strings.TrimPrefix(known.Scheme, "http")
			}
			urls = append(urls, known.String()+path)
		}
	}
	return urls
}
