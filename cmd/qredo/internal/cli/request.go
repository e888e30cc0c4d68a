package cli

import (
	"cmp"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/qredo-go/qredo"
)

// The APIs that requests can be signed for.
const (
	apiPartner = "partner"
	apiQAPI    = "qapi"
)

// requestFlags describe one request.
type requestFlags struct {
	api, url, method, body string
	timestamp, nonce       string
	signedAt               time.Time // the time in timestamp
}

func (r *requestFlags) add(f *flagSet) {
	f.StringVar(&r.url, "url", "", "full URL with its query, or a path below the base URL")
	f.StringVar(&r.method, "method", "", "HTTP method (default GET, or POST with a body)")
	f.StringVar(&r.body, "body", "", "file that holds the exact bytes of the body, or - for standard input")
	f.StringVar(&r.timestamp, "timestamp", "", "Unix seconds (default now)")
	f.StringVar(&r.nonce, "nonce", "", "send this nonce instead of a timestamp (Partner API only)")
	f.StringVar(&r.api, "api", apiPartner, "partner (RSA) or qapi (HMAC)")
	required(f, "url")
}

// check refuses flags that cannot be right or do not go together.
func (r *requestFlags) check() error {
	switch {
	case r.timestamp != "" && r.nonce != "":
		return usagef("give either --timestamp or --nonce, not both")
	case r.nonce != "" && r.api == apiQAPI:
		return usagef("Qredo API v1 has no nonces: use --timestamp")
	}
	if strings.ContainsFunc(r.method, func(c rune) bool { return !unicode.IsLetter(c) || c > unicode.MaxASCII }) {
		return usagef("--method must be an HTTP method, not %q", r.method)
	}
	if plain(r.nonce) != r.nonce {
		return usagef("--nonce contains characters that a header cannot have: %q", r.nonce)
	}
	if r.timestamp != "" {
		seconds, err := strconv.ParseInt(r.timestamp, 10, 64)
		if err != nil {
			return usagef("--timestamp must be Unix seconds, not %q", r.timestamp)
		}
		r.signedAt = time.Unix(seconds, 0)
	}
	return oneOf("api", r.api, apiPartner, apiQAPI)
}

// read completes the request and returns its body.
func (r *requestFlags) read(a *app) ([]byte, error) {
	if strings.HasPrefix(r.url, "/") {
		base, err := r.base(a)
		if err != nil {
			return nil, err
		}
		r.url = strings.TrimRight(base.value, "/") + r.url
	}
	if u, err := url.Parse(r.url); err != nil || u.Host == "" || u.Fragment != "" {
		return nil, usagef("--url must be a full URL, or a path that begins with /")
	}
	if i := strings.IndexFunc(r.url, func(c rune) bool { return c <= ' ' || c >= 0x7f }); i >= 0 {
		c, _ := utf8.DecodeRuneInString(r.url[i:])
		return nil, usagef("--url contains %+q, which a request line cannot have: write it as %s", c, url.PathEscape(string(c)))
	}
	if r.body == "" {
		r.method = strings.ToUpper(cmp.Or(r.method, http.MethodGet))
		return nil, nil
	}
	r.method = strings.ToUpper(cmp.Or(r.method, http.MethodPost))
	if r.body == "-" {
		return io.ReadAll(a.in)
	}
	body, err := os.ReadFile(r.body)
	if err != nil {
		return nil, usagef("--body: %v", err)
	}
	return body, nil
}

func (r *requestFlags) base(a *app) (setting, error) {
	if r.api == apiQAPI {
		return a.qapiBase()
	}
	return a.settings.baseURL()
}

// authenticator authenticates the API's requests.
func (r *requestFlags) authenticator(a *app) (qredo.Authenticator, error) {
	if r.api == apiQAPI {
		return a.hmacAuth()
	}
	if r.nonce != "" {
		return a.rsaAuth(qredo.WithNonce(func() string { return r.nonce }))
	}
	return a.rsaAuth()
}

// clock sets the signing time to the given one.
func (r *requestFlags) clock() []qredo.Option {
	if r.timestamp == "" {
		return nil
	}
	return []qredo.Option{qredo.WithClock(func() time.Time { return r.signedAt })}
}
