package signingagent

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/wire"
)

// Errors of a [Client]'s feed that delivers nothing, or not everything.
var (
	// ErrNotConnected means that a [Client]'s feed delivers nothing because the agent runs but is not connected to the service.
	// The old program gives up after five minutes without a connection and never tries again: restart it.
	ErrNotConnected = errors.New("the agent is not connected to the service")
	// ErrFeedGap means that a [Client]'s feed has not caught up, because this agent does not repeat, or cannot be relied on to
	// repeat, what came before the feed connected. [WithServiceClient] closes the gap.
	ErrFeedGap = errors.New("actions that arrived while the feed was not connected may be missing")
)

// AgentError is an answer of an agent's local API other than the success asked for. [errors.Is] finds what the service told the
// agent, if the agent passes that on, and otherwise the error for the agent's own status, such as [qredo.ErrNotFound]. It also
// finds [ErrNoIdentity] if the agent is not registered, [ErrIdentityExists] if it already is, and [qredo.ErrOutcomeUnknown]
// unless it is certain that a vote was not cast or an agent not registered.
type AgentError struct {
	Operation  string // such as "PUT /client/action/{action_id}"
	StatusCode int    // the agent's; it is 500 also if the service refused something
	Detail     string // the agent's message, in one line, without secrets from the request
	// Service is the service's answer to the agent; nil if the agent does not pass it on. Its Method, Path, StatusCode, Code,
	// Msg, Reason and Body are set. errors.As finds it in an AgentError.
	Service *qredo.Error

	unknown bool
	cause   error // why a success could not be parsed
}

// Error gives the call, the status, and what agent and service said.
func (e *AgentError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "signingagent: %s: %d %s", e.Operation, e.StatusCode, http.StatusText(e.StatusCode))
	switch {
	case e.Service != nil:
		fmt.Fprintf(&b, ": the service answered the agent: %v", e.Service)
	case e.Detail != "":
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	if e.StatusCode == http.StatusUnauthorized {
		b.WriteString("; check the bearer token")
	}
	if e.unknown {
		b.WriteString("; it may have been carried out all the same: look before sending it again")
	}
	return b.String()
}

// Is reports whether target stands for this answer.
func (e *AgentError) Is(target error) bool {
	switch target {
	case qredo.ErrOutcomeUnknown:
		return e.unknown
	case ErrNoIdentity:
		return e.unregistered()
	case ErrIdentityExists:
		return e.registered()
	case qredo.ErrNotFound:
		if e.unregistered() { // it is not the action that is missing
			return false
		}
	}
	return e.Service == nil && (&qredo.Error{StatusCode: e.StatusCode}).Is(target)
}

// Unwrap returns the service's answer to the agent, and why a success could not be understood, if there are any.
func (e *AgentError) Unwrap() (errs []error) {
	if e.Service != nil {
		errs = append(errs, e.Service)
	}
	if e.cause != nil {
		errs = append(errs, e.cause)
	}
	return errs
}

// LogValue returns the fields, for log/slog.
func (e *AgentError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("operation", e.Operation), slog.Int("status", e.StatusCode), slog.Bool("unknown", e.unknown)}
	if e.Service != nil {
		return slog.GroupValue(append(attrs, slog.Any("service", e.Service))...)
	}
	return slog.GroupValue(append(attrs, slog.String("detail", e.Detail))...)
}

// The old program's texts for: no agent, an agent exists already, and nothing to sign. A rejecting vote is refused with a
// different text than an approving one.
const (
	sayNoAgent       = "agentID"
	sayNoAgentReject = "can not get system agent ID from the store"
	sayAgentExists   = "AgentID already exist"
	sayNoMessages    = "messages" // to sign
)

func (e *AgentError) unregistered() bool {
	return e.Service == nil && (e.StatusCode == http.StatusNotFound && e.Detail == sayNoAgent ||
		e.StatusCode == http.StatusInternalServerError && strings.Contains(e.Detail, sayNoAgentReject))
}

func (e *AgentError) registered() bool {
	return e.Service == nil && e.StatusCode == http.StatusBadRequest && strings.HasPrefix(e.Detail, sayAgentExists)
}

// problem makes the error of a failed call. Errors that are not responses are left as the engine returned them.
func (c *Client) problem(l local, err error) error {
	var answer *qredo.Error
	if !errors.As(err, &answer) {
		return err
	}
	e := &AgentError{Operation: l.method + " " + l.name, StatusCode: answer.StatusCode, cause: errors.Unwrap(answer), unknown: l.writes()}
	if answer.StatusCode > 299 {
		text := c.redact(detailOf(answer), l.secrets)
		e.Service, e.Detail = ofService(text), oneLine(text)
	}
	own := answer.Code == answer.StatusCode && answer.Reason != "" // the agent's words, and not those of an intermediary
	e.unknown = e.unknown && (!own || !e.certain(l))
	return e
}

// detailOf is what an agent says in a response. The engine keeps only the start of a long one.
func detailOf(answer *qredo.Error) string {
	var words struct {
		Detail string `json:"detail"`
	}
	switch {
	case wire.Unmarshal(answer.Body, &words) == nil && words.Detail != "":
		return words.Detail
	case answer.Reason != "":
		return answer.Reason
	}
	return string(answer.Body)
}

// certain reports whether a response of the agent itself says that nothing was done. Nothing on the way repeats a
// registration, and a repeated vote is accepted twice: so if the agent exists, the action is missing, or it was decided
// otherwise, that was so before.
func (e *AgentError) certain(l local) bool {
	if e.Service == nil {
		switch e.StatusCode {
		case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
			return true
		}
		return e.unregistered() || e.StatusCode == http.StatusNotFound && e.Detail == sayNoMessages
	}
	if e.Service.Code == 0 || e.Service.Msg == "" { // not the service's own words
		return false
	}
	if l.method == http.MethodPost && !strings.HasSuffix(e.Service.Path, "/coreclient/init") {
		return false // it is half registered
	}
	switch e.Service.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	case http.StatusNotFound, http.StatusConflict:
		return l.method != http.MethodPost
	}
	return false
}

// passedOn is the format in which agents pass on the service's response.
var passedOn = regexp.MustCompile(`(?s)^(GET|PUT|POST|DELETE|HEAD|PATCH) (\S+) Status ([1-9][0-9]{2}) \([^)]*\) with body: ?(.*)$`)

// ofService extracts the service's response from an agent's text. It returns nil if the text has another format.
func ofService(text string) *qredo.Error {
	found := passedOn.FindStringSubmatch(strings.TrimSpace(text))
	if found == nil {
		return nil
	}
	path := ""
	if target, err := url.Parse(found[2]); err == nil { // otherwise it cannot be identified
		path = oneLine(target.Path)
	}
	status, _ := strconv.Atoi(found[3]) // it is three digits
	e := &qredo.Error{StatusCode: status, Method: found[1], Path: path, Operation: found[1] + " " + path, Attempts: 1, Body: []byte(found[4])}
	var shape struct {
		Code   json.RawMessage `json:"code"`
		Msg    string          `json:"msg"`
		Detail json.RawMessage `json:"detail"`
	}
	if wire.Unmarshal(e.Body, &shape) != nil {
		return e
	}
	if code, err := wire.ParseInt(shape.Code); err == nil {
		e.Code = int(code)
	}
	var detail struct {
		Reason string `json:"reason"`
	}
	if shape.Detail != nil && wire.Unmarshal(shape.Detail, &detail) != nil {
		_ = wire.Unmarshal(shape.Detail, &detail.Reason) // then there is none
	}
	e.Msg, e.Reason = oneLine(shape.Msg), oneLine(detail.Reason)
	return e
}

// secretive matches text that is too long for an ID or a path: a proof, a key, or what is left of one in a long response.
var secretive = regexp.MustCompile(`[0-9A-Za-z+/=_-]{120,}`)

// A request with a key may come back decoded, and truncated: in lines of PEM, or as much of its base64 as fits in a text.
var (
	pemBlock  = regexp.MustCompile(`(?s)-----BEGIN.*?(?:-----END[^-]*-----|$)`)
	partOfKey = regexp.MustCompile(`[0-9A-Za-z+/=]{40,}`)
)

const hidden = "[redacted]"

// redact removes from an agent's text the secrets of the request, and whatever could be a proof or a token.
func (c *Client) redact(text string, secrets []string) string {
	for _, secret := range append([]string{c.token()}, secrets...) {
		if len(secret) >= 4 { // replacing shorter text would spoil the rest, and it is not secret
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	if len(secrets) > 0 {
		text = partOfKey.ReplaceAllString(pemBlock.ReplaceAllString(text, hidden), hidden)
	}
	return secretive.ReplaceAllString(text, hidden)
}

// oneLine makes text from outside safe to print: one line of reasonable length without control characters.
func oneLine(s string) string {
	const most = 500 // bytes
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}

func isUnknown(err error) bool { return errors.Is(err, qredo.ErrOutcomeUnknown) }
