package outbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/qredo-go/qredo"
)

// Handler serves an outbox to people and programs that are allowed to see all payments and decide about them. It does not
// authenticate anyone: put it behind your own authentication, and let in only those who may call [Outbox.Resolve], which can
// cause a payment to be made twice. Serve it over TLS.
//
// Its pages use no scripts and load nothing from elsewhere. Links are relative: mount it anywhere, at a path that ends in a
// slash, with [http.StripPrefix]:
//
//	mux.Handle("/outbox/", authenticated(http.StripPrefix("/outbox", outbox.Handler(box))))
//
// One page lists the entries, with counts of all; each entry has a page with its steps and forms for [Outbox.Resolve] and
// [Outbox.Retry]. Requests that change something and come from another site's pages are refused: see
// [http.CrossOriginProtection].
//
// Programs get JSON, with "Accept: application/json" or from the paths below. Amounts are whole numbers of base units.
//
//	GET  stats.json    the counts, as Stats
//	GET  list.json     {"entries": […], "next": "?…"}; parameters state (repeatable), unknown=1, since, before, order=change,
//	                   limit, and those in next
//	GET  entry.json    the entry with the key in the parameter key
//	POST resolve.json  form fields key, note, and claim=made with tx_id, or claim=none; returns the changed entry
//	POST retry.json    form fields key, note; returns the changed entry
//
// Errors are {"error": "…", "code": "…"} with status 400 (a parameter or field), 403 (another site), 404 (no such entry), 409
// (that decision is not possible for the entry now) or 503 (the store).
func Handler(o Operator) http.Handler {
	h := &handler{outbox: o, pages: pages(), policy: pagePolicy(), mux: http.NewServeMux(), sites: http.NewCrossOriginProtection()}
	h.mux.HandleFunc("GET /{$}", h.list)
	h.mux.HandleFunc("GET /list.json", h.list)
	h.mux.HandleFunc("GET /stats.json", h.stats)
	for _, form := range []string{"", ".json"} {
		h.mux.HandleFunc("GET /entry"+form, h.entry)
		h.mux.HandleFunc("POST /resolve"+form, h.resolve)
		h.mux.HandleFunc("POST /retry"+form, h.retry)
	}
	return h
}

type handler struct {
	outbox Operator
	pages  *template.Template
	policy string
	mux    *http.ServeMux
	sites  *http.CrossOriginProtection
}

// ServeHTTP answers a request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Cache-Control": "no-store", "Content-Security-Policy": h.policy, "X-Content-Type-Options": "nosniff",
		"Referrer-Policy": "same-origin", // without this header, browsers would not say which site a form comes from
		"Vary":            "Accept",
	} {
		w.Header().Set(name, value)
	}
	if err := h.sites.Check(r); err != nil {
		h.fail(w, r, http.StatusForbidden, errors.New("this came from a page of another site, and was not done"))
		return
	}
	if r.URL.Path == "" { // mounted without the slash that relative links need
		asked, query, _ := strings.Cut(r.RequestURI, "?")
		w.Header().Set("Location", "./"+path.Base(asked)+"/?"+query)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	h.mux.ServeHTTP(w, r)
}

func (h *handler) stats(w http.ResponseWriter, r *http.Request) {
	s, err := h.outbox.Stats(r.Context())
	if err != nil {
		h.failed(w, r, err)
		return
	}
	send(w, http.StatusOK, s)
}

func (h *handler) entry(w http.ResponseWriter, r *http.Request) {
	e, err := h.outbox.Get(r.Context(), r.URL.Query().Get("key"))
	switch {
	case err != nil:
		h.failed(w, r, err)
	case wantsJSON(r):
		send(w, http.StatusOK, e)
	default:
		decided, _ := strconv.ParseInt(r.URL.Query().Get("decided"), 10, 64) // without a step, none is marked
		h.show(w, http.StatusOK, "entry", newEntryPage(e, form{}, decided, time.Now(), nil))
	}
}

// form is what a person has filled in. The key may be in the path, because browsers change line breaks in fields.
type form struct{ Key, Claim, TxID, Note, RetryNote string }

func (h *handler) resolve(w http.ResponseWriter, r *http.Request) {
	f := form{Key: r.FormValue("key"), Claim: r.PostFormValue("claim"), TxID: strings.TrimSpace(r.PostFormValue("tx_id")), Note: strings.TrimSpace(r.PostFormValue("note"))}
	err := errors.Join(
		check(f.Claim == "made" || f.Claim == "none", "claim", "must say that a transaction was made, or that none was"),
		check(f.Claim != "made" || f.TxID != "", "tx_id", "must be given: the ID of the transaction that was made"),
		check(f.Claim != "none" || f.TxID == "", "tx_id", "must be empty if no transaction was made"),
	)
	h.decide(w, r, f, err, func() (Entry, error) { return h.outbox.Resolve(r.Context(), f.Key, qredo.TxID(f.TxID), f.Note) })
}

func (h *handler) retry(w http.ResponseWriter, r *http.Request) {
	f := form{Key: r.FormValue("key"), RetryNote: strings.TrimSpace(r.PostFormValue("note"))}
	h.decide(w, r, f, nil, func() (Entry, error) { return h.outbox.Retry(r.Context(), f.Key, f.RetryNote) })
}

// decide does what a form asks for, unless the form is wrong, and redirects to the entry's page.
func (h *handler) decide(w http.ResponseWriter, r *http.Request, f form, wrong error, do func() (Entry, error)) {
	var e Entry
	err := wrong
	if err == nil {
		e, err = do()
	}
	var invalid *qredo.ValidationError
	switch {
	case err == nil && wantsJSON(r):
		send(w, http.StatusOK, e)
	case err == nil:
		q := url.Values{"key": {e.Key}, "decided": {strconv.FormatInt(e.Updated.UnixMicro(), 10)}}
		w.Header().Set("Location", "entry?"+q.Encode())
		w.WriteHeader(http.StatusSeeOther)
	case wantsJSON(r) || !errors.As(err, &invalid) && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrTxIDTaken) && !errors.Is(err, ErrClaimLost):
		h.failed(w, r, err)
	default:
		stored, missing := h.outbox.Get(r.Context(), f.Key)
		if missing != nil {
			h.failed(w, r, missing)
			return
		}
		h.show(w, statusOf(err), "entry", newEntryPage(stored, f, 0, time.Now(), plain(err)))
	}
}

// plain is an error message for people.
func plain(err error) error {
	if errors.Is(err, ErrBusy) {
		return errors.New("a worker has the entry at the moment: nothing was changed, try again in some seconds")
	}
	return errors.New(strings.ReplaceAll(strings.ReplaceAll(err.Error(), "qredo: ", ""), "outbox: ", ""))
}

// statusOf is the HTTP status for an error.
func statusOf(err error) int {
	var invalid *qredo.ValidationError
	switch {
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound
	case errors.As(err, &invalid) && invalid.Field == "key", errors.Is(err, ErrBusy), errors.Is(err, ErrTxIDTaken), errors.Is(err, ErrClaimLost):
		return http.StatusConflict
	case invalid != nil:
		return http.StatusBadRequest
	}
	return http.StatusServiceUnavailable
}

// refusal is an error as JSON.
type refusal struct {
	Error string `json:"error"`
	Code  string `json:"code"` // of refusals, or "invalid"
	Field string `json:"field,omitempty"`
	Rule  string `json:"rule,omitempty"`
}

// refusals are the errors that have a code of their own.
var refusals = map[string]error{
	"not_found": ErrNotFound, "busy": ErrBusy, "tx_id_taken": ErrTxIDTaken, "claim_lost": ErrClaimLost, "closed": ErrClosed,
}

func refusalOf(err error) refusal {
	r := refusal{Error: plain(err).Error(), Code: "failed"}
	var invalid *qredo.ValidationError
	if errors.As(err, &invalid) {
		r.Code, r.Field, r.Rule = "invalid", invalid.Field, invalid.Rule
		return r
	}
	for code, known := range refusals {
		if errors.Is(err, known) {
			r.Code = code
		}
	}
	return r
}

func (h *handler) failed(w http.ResponseWriter, r *http.Request, err error) {
	h.fail(w, r, statusOf(err), err)
}

func (h *handler) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	if wantsJSON(r) {
		send(w, status, refusalOf(err))
		return
	}
	h.show(w, status, "problem", newPage(http.StatusText(status), time.Now(), plain(err)))
}

// show sends a page.
func (h *handler) show(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := h.pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}

// send sends JSON.
func send(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n'))
}

// wantsJSON reports whether the client is a program. Browsers accept pages.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.HasSuffix(r.URL.Path, ".json") || strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}
