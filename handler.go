package qredo

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// handler is one link of the chain that every call runs through:
//
//	retry → error → log → rate → auth → http
//
// Each link is a value that holds the next one.
type handler interface {
	// handle makes the exchange. It may return an answer and an error together.
	handle(x *exchange) (*Response, error)
}

// exchange is a request on its way down the chain.
type exchange struct {
	req  *http.Request // without its body
	path string        // below the base URL, for messages
	body []byte        // the exact bytes to send

	repeatable bool // sending it twice does what sending it once does
	secret     bool // the success asked for has a secret
	noRetry    bool // the caller wants one attempt

	attempts int
	stamped  time.Time // by the clock of the last attempt
	unknown  bool      // an attempt may have been carried out without its answer telling so
	secrets  []string  // header values that authenticated the attempts so far
}

// mayBeDone reports whether the request of an exchange that ended in an error may have been carried out.
func (x *exchange) mayBeDone(err error) bool { return x.unknown || errors.Is(err, ErrBadAnswer) }

// redact removes from a body whatever authenticated the request, in case the other side repeats it.
func (x *exchange) redact(body []byte) []byte {
	for _, secret := range x.secrets {
		body = bytes.ReplaceAll(body, []byte(secret), []byte(redacted))
		if spelled, err := regexp.Compile(inJSON.Replace(regexp.QuoteMeta(secret))); err == nil {
			body = spelled.ReplaceAll(body, []byte(redacted))
		}
		// A body that is cut, or longer than the limit, may end within a secret.
		for n := len(secret) - 1; n >= 8; n-- {
			if start, ok := bytes.CutSuffix(body, []byte(secret[:n])); ok {
				body = append(bytes.Clone(start), redacted...)
				break
			}
		}
	}
	return body
}

// inJSON makes an expression for a text match it as well where JSON has its characters escaped.
var inJSON = strings.NewReplacer("/", `\\?/`, "=", `(?:=|\\u003[dD])`, `\+`, `(?:\+|\\u002[bB])`)
