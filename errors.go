package qredo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"unicode"

	"github.com/qredo-go/qredo/internal/transport"
	"github.com/qredo-go/qredo/internal/visible"
	"github.com/qredo-go/qredo/internal/wire"
)

// These errors classify an [*Error]: use [errors.Is].
var (
	ErrBadRequest   = errors.New("bad request")           // 400: a field is wrong
	ErrUnauthorized = errors.New("not authenticated")     // 401: key, signature or stamp
	ErrBadSignature = errors.New("signature refused")     // 401 because of the signature
	ErrClockSkew    = errors.New("clock is wrong")        // 401 while this machine's clock is minutes off the service's
	ErrForbidden    = errors.New("not permitted")         // 403: the API key lacks the permission
	ErrNotFound     = errors.New("not found")             // 404
	ErrConflict     = errors.New("conflict")              // 409: it already exists
	ErrRateLimited  = errors.New("too many requests")     // 429
	ErrServer       = errors.New("fault at the service")  // 5xx
	ErrBadAnswer    = errors.New("answer not understood") // a success that is truncated, too large, or not what was asked for

	// ErrOutcomeUnknown matches the error of a write that may have been carried out: its answer was lost or truncated, was a
	// server error, or came from something between you and the service. Only a refusal in the service's own words proves
	// that this call did nothing; it proves nothing about an earlier call. For a request for a transaction it is an [*UnknownOutcomeError].
	ErrOutcomeUnknown = errors.New("outcome unknown")
)

// byStatus maps a status to the error that stands for it alone.
var byStatus = map[int]error{400: ErrBadRequest, 401: ErrUnauthorized, 403: ErrForbidden, 404: ErrNotFound, 409: ErrConflict, 429: ErrRateLimited}

// Error is an answer of the service other than the success asked for: a status outside 200–299, or a success whose body cannot
// be understood ([errors.Is] then finds [ErrBadAnswer]). A failure on the way to the service is not an Error: it is the
// transport's own error, wrapped.
type Error struct {
	StatusCode int    // HTTP status
	Code       int    // the service's own code, usually the status; 0 if none was given
	Msg        string // the service's message, such as "errPartnerAuth"
	Reason     string // the service's detail, such as "signature"; often empty
	Operation  string // as in the service's documents: "POST /company/{company_id}/transfer"
	Method     string
	Path       string // below the base URL, without query
	Attempts   int    // how often the request was sent
	Body       []byte // the start of the body as received, without anything that authenticated the request

	cause      error
	wrongClock bool
	own        bool
}

// Error names the request, the status, what the service said, and what to do about it.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "qredo: %s %s: ", e.Method, e.Path)
	if e.StatusCode != 0 {
		fmt.Fprintf(&b, "%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	}
	if e.Msg != "" {
		fmt.Fprintf(&b, ": %s", visible.Text(e.Msg)) // from outside: it must not start new lines
	}
	if e.Reason != "" {
		fmt.Fprintf(&b, " (%s)", visible.Text(e.Reason))
	}
	if e.cause != nil {
		fmt.Fprintf(&b, ": %v", e.cause)
	}
	if e.Msg == "" && len(bytes.TrimSpace(e.Body)) > 0 {
		fmt.Fprintf(&b, ": body starts %q", clip(e.Body, 80))
	}
	if remedy := e.remedy(); remedy != "" {
		fmt.Fprintf(&b, "; %s", remedy)
	}
	return b.String()
}

func (e *Error) remedy() string {
	switch {
	case e.wrongClock:
		return "this machine's clock is minutes off the service's: set it right"
	case errors.Is(e, ErrBadSignature):
		return "check that the private key or secret belongs to the API key and that nothing on the way changes URL or body"
	case e.StatusCode == http.StatusUnauthorized && strings.EqualFold(e.Reason, "proof"):
		return "check that the signing agent's identity and PIN are those that were registered with this server, and that the clock is right"
	case e.StatusCode == http.StatusUnauthorized:
		return "check that this server knows the API key, and that the clock is right"
	case e.StatusCode == http.StatusForbidden:
		return "ask for the permission, or use a key that has it"
	case e.StatusCode == http.StatusTooManyRequests:
		return "send fewer requests"
	case e.StatusCode >= 300 && e.StatusCode < 400:
		return "redirects are not followed, since the URL is signed: check the base URL"
	}
	return ""
}

// Is reports whether target is the sentinel of this error's status.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrBadSignature:
		return e.StatusCode == http.StatusUnauthorized && !e.wrongClock && strings.EqualFold(e.Reason, "signature")
	case ErrClockSkew:
		return e.wrongClock
	case ErrServer:
		return e.StatusCode >= 500
	case ErrBadAnswer:
		return e.StatusCode >= 200 && e.StatusCode < 300
	}
	return target != nil && target == byStatus[e.StatusCode]
}

// InOwnWords reports whether the service itself has refused, and refused this request: with an object that has its code and its
// message. A proxy, a gateway or a wrong base URL may answer with the same status, and a cache with an old answer. False
// means that nothing is known; it is false of a success too.
func (e *Error) InOwnWords() bool { return e.own }

// Unwrap returns why a success could not be understood, if that is what happened.
func (e *Error) Unwrap() error { return e.cause }

// LogValue gives the fields without the body, for log/slog.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("operation", e.Operation), slog.String("method", e.Method), slog.String("path", e.Path),
		slog.Int("status", e.StatusCode), slog.Int("code", e.Code),
		slog.String("msg", e.Msg), slog.String("reason", e.Reason), slog.Int("attempts", e.Attempts))
}

const (
	keptBody     = 4 << 10 // bytes: how much of a body an Error keeps
	longestError = 1 << 20 // bytes: a longer body is not in the service's error format
)

// failure makes the error of a request that did not succeed. It says less about a response that contains a secret.
func failure(req *transport.Request, res transport.Result, secret bool) (err error) {
	switch {
	case res.Answer != nil:
		err = newError(req, res, secret)
	case strings.HasSuffix(req.HTTP.URL.Hostname(), ".qredo.network"):
		err = fmt.Errorf("qredo: %s %s: %w; the hosted service is retired: give a sandbox's URL, by WithBaseURL", req.HTTP.Method, req.Path, res.Err)
	default:
		err = fmt.Errorf("qredo: %s %s: %w", req.HTTP.Method, req.Path, res.Err)
	}
	if res.Interrupted != nil {
		return fmt.Errorf("%w; the attempt before: %w", res.Interrupted, err)
	}
	return err
}

// newError describes a response. It parses the service's error format if the body has it.
func newError(req *transport.Request, res transport.Result, secret bool) *Error {
	e := &Error{
		StatusCode: res.Answer.StatusCode, Operation: req.Operation, Method: req.HTTP.Method, Path: req.Path, Attempts: res.Attempts,
		cause: res.Err, wrongClock: res.WrongClock,
	}
	success := e.StatusCode >= 200 && e.StatusCode <= 299
	e.own = !success && res.Answer.InOwnWords()
	if success && secret { // the secret may be anywhere in a body that cannot be parsed
		return e
	}
	e.Body = res.RedactStart(res.Answer.Body, keptBody, redacted)
	if body := res.Answer.Body; !success && len(body) <= longestError {
		e.read(res, body)
	}
	return e
}

// read takes what it can from a body in the service's error format. The rest stays in Body: an error about parsing
// would hide the first error.
func (e *Error) read(res transport.Result, body []byte) {
	var shape struct {
		Code   json.RawMessage `json:"code"`
		Msg    string          `json:"msg"`
		Detail json.RawMessage `json:"detail"`
	}
	var detail struct {
		Reason string `json:"reason"`
	}
	if wire.Unmarshal(body, &shape) != nil && json.Unmarshal(body, &shape) != nil {
		return
	}
	if code, err := wire.ParseInt(shape.Code); err == nil {
		e.Code = int(code)
	}
	if shape.Detail != nil && wire.Unmarshal(shape.Detail, &detail) != nil {
		_ = wire.Unmarshal(shape.Detail, &detail.Reason)
	}
	e.Msg = oneLine(string(res.Redact([]byte(shape.Msg), redacted)))
	e.Reason = oneLine(string(res.Redact([]byte(detail.Reason), redacted)))
}

// oneLine makes text from outside safe to print: one line of reasonable length without control characters.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, clip(s, 500))
}

func clip[T ~string | ~[]byte](s T, most int) T {
	if len(s) > most {
		return s[:most]
	}
	return s
}

// ValidationError means that a request was refused before anything was sent.
type ValidationError struct {
	Field string // the wire's name of the field: "threshold", "send.amount"
	Rule  string // what the field must be, and what it is
}

// Error names the field and the rule that it breaks.
func (e *ValidationError) Error() string { return "qredo: " + e.Field + ": " + e.Rule }

func invalid(field, rule string, args ...any) error {
	return &ValidationError{Field: field, Rule: fmt.Sprintf(rule, args...)}
}

// TxError is a transaction that ended without being completed: rejected or expired. Nothing moved.
type TxError struct {
	TxID   TxID
	Status TxStatus
}

// Error names the transaction and how it ended.
func (e *TxError) Error() string {
	return fmt.Sprintf("qredo: transaction %s ended as %s: nothing was moved", e.TxID, e.Status)
}

// UnknownOutcomeError means that a request for a transaction may or may not have been carried out: its answer was lost or
// truncated, was a server error, or contained no transaction. To find out, send the same request with PartnerTxID again while
// it can still be approved: if the transaction was made, the service returns it, and if not, it makes it now. Once Expires has
// passed, send the request again [WithoutExpiryCheck]: a success then shows the first transaction. Whenever a repeat is refused, even
// by an error that is not an UnknownOutcomeError, that says nothing about the first request: repeat until a call succeeds, or
// look in the fund's ledger. Package outbox does all this for you. Never send the request again with
// another PartnerTxID. If PartnerTxID is empty, because you asked for none, only the fund's ledger can tell.
type UnknownOutcomeError struct {
	PartnerTxID PartnerTxID
	Err         error // how the last attempt ended
}

// Error says how the last attempt ended, and how to find out what became of it.
func (e *UnknownOutcomeError) Error() string {
	if e.PartnerTxID == "" {
		return fmt.Sprintf("%v; the transaction may have been made: look for it in the fund's ledger", e.Err)
	}
	return fmt.Sprintf("%v; the transaction may have been made: send the same request with PartnerTxID %s again to find out, or after its expiry look for it in the fund's ledger", e.Err, e.PartnerTxID)
}

// Unwrap returns how the last attempt ended.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// Is reports whether target is [ErrOutcomeUnknown].
func (e *UnknownOutcomeError) Is(target error) bool { return target == ErrOutcomeUnknown }

// maybeDoneError is a write, other than a transaction, that may have been carried out.
type maybeDoneError struct{ error }

func (e *maybeDoneError) Error() string {
	return e.error.Error() + "; it may have been carried out all the same: look before sending it again"
}

func (e *maybeDoneError) Unwrap() error { return e.error }

func (e *maybeDoneError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Difference is a field whose actual value differs from the one requested.
type Difference struct {
	Field  string // the wire's name: "city", "custodygroup_tx.threshold", "wallets[1].type"
	Is     string
	Wanted string
}

// DifferenceError is returned by an Ensure method if the thing exists but differs from the request. The thing is left as it is
// and returned along with the error, so that you can change it or carry on.
type DifferenceError struct {
	Kind        string // "company", "fund", "wallet", "core client", "whitelist entry"
	ID          string // the existing thing's ID; for a whitelist entry, its address
	Differences []Difference
	remedy      string
}

// Error names what differs, and what can be done about it.
func (e *DifferenceError) Error() string {
	text := make([]string, len(e.Differences))
	for i, d := range e.Differences {
		text[i] = fmt.Sprintf("%s is %q, not %q", d.Field, oneLine(d.Is), oneLine(d.Wanted))
	}
	return fmt.Sprintf("qredo: %s %s differs from what was asked for: %s; %s", e.Kind, oneLine(e.ID), strings.Join(text, ", "), e.remedy)
}

// DuplicateError is returned by an Ensure method if something that should exist once exists several times. Nothing is made
// then, and a person has to say which one is meant. Continue with an ID that you store, not with Ensure.
type DuplicateError struct {
	Kind string   // as in [DifferenceError]
	Key  string   // what they have in common: `name "Acme"`
	IDs  []string // in alphabetical order
	Made string   // the one that this call made while another program made one too; otherwise empty
}

// Error names all of them.
func (e *DuplicateError) Error() string {
	text := fmt.Sprintf("qredo: more than one %s has %s: %s", e.Kind, oneLine(e.Key), oneLine(strings.Join(e.IDs, ", ")))
	if e.Made != "" {
		text += fmt.Sprintf("; %s was made now, while another program made one too", oneLine(e.Made))
	}
	return text + "; say by its ID which one is meant"
}

// ErrNotAccepted is returned by [TrustedNetworkService.Ensure] for a party that has been asked but is not in the trusted
// network yet: a user has to accept in the app. Call it again later.
var ErrNotAccepted = errors.New("has not accepted yet")
