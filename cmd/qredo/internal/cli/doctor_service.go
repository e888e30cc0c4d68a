package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/loopback"
)

// Base URLs of the Partner API end with one of these paths; the hosted sandbox had both.
const (
	partnerPath      = "/api/v1/p"
	otherPartnerPath = "/qapi/v1/p"
	qapiPath         = "/qapi/v1" // of Qredo API v1
)

// checkBaseURL checks the base URL without sending anything.
func (d *diagnosis) checkBaseURL(base setting, err error, keys ...*settingKey) {
	if err != nil {
		d.fault("base-url-missing", "give the base URL: "+hint(keys...), "%v", err)
		return
	}
	text := strings.TrimRight(strings.TrimSpace(base.value), "/")
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		d.fault("base-url-syntax", "write it as in https://api.qredo.network"+d.api.path, "%s is not a URL", base.source)
		return
	}
	if !d.rightBaseURL(u) {
		return
	}
	d.ok("base-url", "%s (%s)", u.Redacted(), base.source)
	environments := []qredo.Environment{qredo.EnvironmentProduction, qredo.EnvironmentSandbox, qredo.EnvironmentPlay}
	if slices.ContainsFunc(environments, func(env qredo.Environment) bool {
		return strings.HasPrefix(string(env), "https://"+strings.ToLower(u.Host)+"/")
	}) {
		d.warn("retired", "use a sandbox: qredo sandbox serve", "the hosted service at %s is retired", u.Host)
	}
	d.base = text
}

// rightBaseURL reports whether a base URL can be one of the API, and records what is wrong with it.
func (d *diagnosis) rightBaseURL(u *url.URL) bool {
	shown, path := u.Redacted(), strings.TrimRight(u.Path, "/")
	switch {
	case u.Scheme == "ws" || u.Scheme == "wss":
		d.fault("base-url-scheme", "begin it with https://: feeds derive their own URL", "%s is a feed's URL", shown)
	case u.Scheme == "http" && !loopback.Host(u.Hostname()):
		d.fault("base-url-plain-http", "begin it with https://", "%s is not encrypted: others could read the API key on the way", shown)
	case u.Scheme != "https" && u.Scheme != "http":
		d.fault("base-url-scheme", "begin it with https://", "%s begins with %s://", shown, u.Scheme)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		d.fault("base-url-syntax", "leave out user, query and fragment", "%s has a user, a query or a fragment", shown)
	case d.api == diagnosedPartner && strings.HasSuffix(path, qapiPath):
		d.fault("base-url-other-api", "end it with "+partnerPath, "%s is the base URL of Qredo API v1", shown)
	case d.api == diagnosedPartner && strings.HasSuffix(path, otherPartnerPath):
		return true
	case d.api == diagnosedQAPI && (strings.HasSuffix(path, partnerPath) || strings.HasSuffix(path, otherPartnerPath)):
		d.fault("base-url-other-api", "end it with "+qapiPath, "%s is the base URL of the Partner API", shown)
	case strings.Contains(path, d.api.path+"/"):
		d.fault("base-url-path", "end it with "+d.api.path, "%s has more after %s", shown, d.api.path)
	case !strings.HasSuffix(path, d.api.path):
		d.fault("base-url-path", "end it with "+d.api.path, "%s does not end with %s", shown, d.api.path)
	default:
		return true
	}
	return false
}

// checkProxy reports a proxy on the way.
func (d *diagnosis) checkProxy() (proxied bool) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, d.base, nil)
	if err != nil {
		return false
	}
	proxy, err := http.ProxyFromEnvironment(req)
	switch {
	case err != nil:
		d.fault("proxy", "correct HTTPS_PROXY and HTTP_PROXY, or unset them", "the proxy in the environment is not a URL")
	case proxy != nil:
		d.warn("proxy", "to bypass it, add "+req.URL.Hostname()+" to NO_PROXY", "requests go through the proxy %s", proxy.Redacted())
		return true
	}
	return false
}

// checkService sends one signed request and checks the response.
func (d *diagnosis) checkService(ctx context.Context) {
	proxied := d.checkProxy()
	client, err := d.app.httpClient()
	if err != nil {
		d.fault("ca-file", "name a file that holds the authority's certificate in PEM", "%v", err)
		return
	}
	client.Timeout = 20 * time.Second
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+d.api.look, nil)
	if err != nil {
		d.fault("base-url-syntax", "write it as in https://api.qredo.network"+d.api.path, "%v", err)
		return
	}
	req.Header.Set("Accept", "application/json")
	if d.auth != nil {
		if err := d.auth.Authenticate(req, nil, d.app.now()); err != nil {
			d.fault("signing", "check the private key", "%v", err)
			return
		}
	}
	begun := d.app.now()
	resp, err := client.Do(req)
	if err != nil {
		if !d.needsTLS(ctx, req.URL) {
			d.unreachable(err, proxied)
		}
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if (err != nil || resp.StatusCode == http.StatusBadRequest) && d.needsTLS(ctx, req.URL) {
		return
	}
	if err != nil {
		d.fault("answer-cut", "try again; if it keeps happening, something on the way cuts connections", "the response is cut off: %v", err)
		return
	}
	d.ok("connection", "%s responds", req.URL.Host)
	d.checkClock(resp, begun)
	d.checkAnswer(ctx, req, resp, body)
}

// needsTLS finds out whether a server behind an http base URL speaks TLS.
func (d *diagnosis) needsTLS(ctx context.Context, u *url.URL) bool {
	if u.Scheme != "http" {
		return false
	}
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is sent: this only finds out whether it speaks TLS
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return false
	}
	_ = conn.Close()
	d.fault("tls-needed", "begin the base URL with https://", "the server speaks TLS, but the base URL says http")
	return true
}

// unreachable says why there was no response.
func (d *diagnosis) unreachable(err error, proxied bool) {
	var (
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
	)
	text := err.Error()
	switch {
	case errors.As(err, &dns):
		d.fault("dns", "check the host's name, and this machine's network", "the host %s has no address", dns.Name)
	case errors.As(err, &hostname):
		d.fault("tls-name", "use the name that the certificate is for, or another certificate", "the certificate is for another host: %v", hostname)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		d.fault("tls-expired", "renew the server's certificate, or set this machine's clock right", "the server's certificate has expired, or is not valid yet: %v", invalid)
	case errors.As(err, &authority):
		d.fault("tls-authority", "name the authority's certificate with --ca-file; a sandbox writes it to ca.pem in its keys folder", "the server's certificate is signed by an authority that is not trusted here")
	case errors.As(err, new(tls.RecordHeaderError)), strings.Contains(text, "HTTP response to HTTPS client"):
		d.fault("tls-not-spoken", "begin the base URL with http://, or let the server speak TLS", "the base URL says https, but the server does not speak TLS")
	case isTLSError(err), strings.Contains(text, "tls:"):
		d.fault("tls", "check the server's certificate and TLS version: 1.2 is needed", "TLS failed: %v", err)
	case proxied:
		d.fault("proxy-unreachable", "correct the proxy in the environment, or leave it out with NO_PROXY", "no response through the proxy: %v", err)
	case errors.Is(err, context.DeadlineExceeded) || strings.Contains(text, "Timeout"):
		d.fault("timeout", "check the network, firewall and base URL", "no response in time: %v", err)
	default:
		d.fault("unreachable", "check host and port; a sandbox is started with qredo sandbox serve", "no connection: %v", err)
	}
}

// checkClock compares this machine's clock with the date of a response.
func (d *diagnosis) checkClock(resp *http.Response, begun time.Time) {
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		d.warn("clock", "compare this machine's clock with another one yourself", "the response has no date")
		return
	}
	off := begun.Sub(date).Round(time.Second)
	const refused, noticeable = 5 * time.Minute, 30 * time.Second
	word := "ahead of"
	if off < 0 {
		word = "behind"
	}
	switch {
	case off.Abs() >= refused:
		d.fault("clock", "set this machine's clock right (NTP)", "this machine's clock is %s %s the service's: timestamps are refused", off.Abs(), word)
	case off.Abs() >= noticeable:
		d.warn("clock", "set this machine's clock right (NTP)", "this machine's clock is %s %s the service's: from five minutes on, timestamps are refused", off.Abs(), word)
	default:
		d.ok("clock", "agrees with the service's within %s", max(off.Abs(), time.Second))
	}
}

// checkAnswer says what the response to the signed request means.
func (d *diagnosis) checkAnswer(ctx context.Context, req *http.Request, resp *http.Response, body []byte) {
	var failure struct {
		Msg    string `json:"msg"`
		Detail struct {
			Reason string `json:"reason"`
		} `json:"detail"`
	}
	isJSON := json.Unmarshal(body, &failure) == nil
	reason := strings.ToLower(failure.Detail.Reason)
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		d.fault("redirect", "use the URL that it redirects to: "+resp.Header.Get("Location"), "the server redirects, which breaks signatures: %s", resp.Status)
	case status == http.StatusForbidden:
		d.fault("permission", "ask for the permission, or use a key that has it", "the API key may not do this: 403 %s", failure.Detail.Reason)
	case status == http.StatusUnauthorized && strings.Contains(reason, "api key"):
		d.fault("api-key-unknown", "use a key of this environment; if a sandbox was restarted with new keys, its new key", "the service does not know the API key")
	case status == http.StatusUnauthorized && strings.Contains(reason, "timestamp"):
		if !slices.ContainsFunc(d.findings, func(f finding) bool { return f.Code == "clock" && f.Status == findingFault }) {
			d.fault("clock", "set this machine's clock right (NTP)", "the service refuses the timestamp, although the clocks seem to agree")
		}
	case status == http.StatusUnauthorized && strings.Contains(reason, "signature"):
		d.fault("signature", "check that the "+d.secretName()+" belongs to the API key, and that nothing on the way changes the URL", "the signature is refused")
		d.explainProbe(ctx, req)
	case status == http.StatusUnauthorized:
		d.fault("not-authenticated", "check API key, "+d.secretName()+" and clock", "401 %s %s", failure.Msg, failure.Detail.Reason)
	case status >= 500:
		d.fault("service", "try again later", "the service has a fault: %s", resp.Status)
	case !isJSON:
		d.fault("not-the-api", "check host, port and path of the base URL", "something other than the API responded: %s, %s", resp.Status, resp.Header.Get("Content-Type"))
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		d.fault("base-url-path", "end the base URL with "+d.api.path, "the server has no such path: %s", resp.Status)
	case status < 200 || status > 299:
		d.fault("refused", "see what the service says", "%s %s %s", resp.Status, failure.Msg, failure.Detail.Reason)
	default:
		d.ok("request", "a signed request is accepted")
		if d.api == diagnosedPartner {
			d.checkAmounts(ctx)
		}
	}
}
