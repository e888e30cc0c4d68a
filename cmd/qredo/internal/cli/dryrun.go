package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/transport"
)

// writing lists the commands that change something elsewhere: at a service, in a sandbox, in the store of an outbox or
// inbox. Each has --dry-run.
var writing = []string{
	"company create", "company update", "party add", "party remove",
	"fund create", "fund add-wallet", "fund add-asset", "fund whitelist add", "wallet policy",
	"transfer create", "withdraw create", "swap make", "swap take", "swap cancel", "hub publish",
	"agent create", "agent approve", "agent reject", "agent sign", "agent sweep create",
	"qapi tx create", "send",
	"signing-agent register", "signing-agent approve", "signing-agent reject",
	"outbox resolve", "outbox retry", "outbox prune", "inbox retry", "inbox skip",
	"sandbox accept", "sandbox advance", "sandbox approve", "sandbox core-client", "sandbox deposit", "sandbox exchange",
	"sandbox fault", "sandbox feeds delay", "sandbox feeds drop", "sandbox feeds duplicate", "sandbox feeds freeze",
	"sandbox import", "sandbox register", "sandbox reject", "sandbox reject-on-chain", "sandbox reset", "sandbox users add", "sandbox world",
}

// dryRun holds back changes for --dry-run, and reports them.
type dryRun struct {
	on bool

	mu      sync.Mutex
	reads   []string
	request *dryRequest // what would have been sent
	change  string      // what would have been stored
	plan    []planned
	warned  []string
	fees    *qredo.Fees
}

// dryRequest is a request that was held back, without what authenticates it.
type dryRequest struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Path   string            `json:"path"` // with its query, as it is sent
	Header map[string]string `json:"header"`
	Body   json.RawMessage   `json:"body,omitempty"`
	Size   int               `json:"body_bytes"`
}

// dryReport is a dry run's output for programs.
type dryReport struct {
	DryRun   bool        `json:"dry_run"`
	Request  *dryRequest `json:"request,omitempty"`
	Change   string      `json:"change,omitempty"`
	Plan     []planned   `json:"plan,omitempty"`
	Warnings []string    `json:"warnings,omitempty"`
	Fees     *qredo.Fees `json:"fees,omitempty"`
	Reads    []string    `json:"reads"`
}

// errHeldBack ends what a dry run does not do. It marks a request as not sent, so that the client does not retry it.
var errHeldBack = fmt.Errorf("%w: this is a dry run", transport.ErrNotSent)

// add adds --dry-run to the commands that write.
func (d *dryRun) add(root *cobra.Command) {
	for _, path := range writing {
		c, _, err := root.Find(strings.Fields(path))
		if err != nil || c.CommandPath() != root.Name()+" "+path {
			panic("no command " + path) // tests would catch it
		}
		c.Flags().BoolVar(&d.on, "dry-run", false, "print what would be sent, but send nothing that changes anything")
	}
}

// guard lets an HTTP client send only requests that change nothing, if this is a dry run, and holds back the rest.
func (d *dryRun) guard(client *http.Client, base string) *http.Client {
	if !d.on {
		return client
	}
	guarded := *client
	guarded.Transport = dryTransport{d, strings.TrimRight(base, "/"), client.Transport}
	return &guarded
}

type dryTransport struct {
	run  *dryRun
	base string
	next http.RoundTripper
}

// asks reports whether a request changes nothing: two of the Partner API's POSTs do not.
func (t dryTransport) asks(req *http.Request) bool {
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		return true
	case http.MethodPost:
		url := req.URL.String()
		return url == t.base+"/fees" || url == t.base+"/coreclient/verify"
	}
	return false
}

func (t dryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.asks(req) {
		t.run.mu.Lock()
		t.run.reads = append(t.run.reads, req.Method+" "+req.URL.RequestURI())
		t.run.mu.Unlock()
		if t.next == nil {
			return http.DefaultTransport.RoundTrip(req)
		}
		return t.next.RoundTrip(req)
	}
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(req.Body)
		if err = errors.Join(err, req.Body.Close()); err != nil {
			return nil, errors.Join(errHeldBack, err)
		}
	}
	t.run.mu.Lock()
	defer t.run.mu.Unlock()
	if t.run.request == nil { // later requests depend on its answer
		t.run.request = &dryRequest{
			Method: req.Method, URL: req.URL.String(), Path: req.URL.RequestURI(), Header: shownHeader(req.Header), Body: shownBody(body), Size: len(body),
		}
	}
	return nil, errHeldBack
}

// shownHeader is a header with only the values that are known not to be secret.
func shownHeader(h http.Header) map[string]string {
	shown := map[string]string{}
	for name, values := range h {
		switch name {
		case "Accept", "Content-Type", "User-Agent":
			shown[name] = strings.Join(values, ", ")
		default:
			shown[name] = "(redacted)"
		}
	}
	return shown
}

// secretKeys are the names of fields that are not shown: registering a signing agent sends keys.
var secretKeys = regexp.MustCompile(`(?i)private|secret|password|passphrase|api[_-]?key|token`)

// shownBody is a JSON body as it would be sent, without its secrets. It is nil for any other kind of body, in which secrets
// could not be found.
func shownBody(body []byte) json.RawMessage {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var v any
	if !json.Valid(body) || decoder.Decode(&v) != nil {
		return nil
	}
	if !redact(v) {
		return body
	}
	redacted, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return redacted
}

// redact removes secrets from a JSON value, and reports whether there were any.
func redact(v any) (found bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if secretKeys.MatchString(key) {
				v[key], found = "(redacted)", true
			} else if redact(inner) {
				found = true
			}
		}
	case []any:
		for _, inner := range v {
			found = redact(inner) || found
		}
	}
	return found
}

// holdsBack is for changes that are not requests: in a dry run it notes what would be stored, and returns the error to end
// with instead of storing it.
func (d *dryRun) holdsBack(change string) error {
	if !d.on {
		return nil
	}
	d.change = change
	return errHeldBack
}

// end reports what was held back. An error with another cause is the command's own.
func (d *dryRun) end(a *app, err error) error {
	if !d.on || d.request == nil && d.change == "" && err != nil {
		return err
	}
	if a.json() {
		reads := append([]string{}, d.reads...)
		return a.jsonLine(dryReport{true, d.request, d.change, d.plan, d.warned, d.fees, reads})
	}
	say := func(format string, args ...any) { fmt.Fprintln(a.out, plain(fmt.Sprintf(format, args...))) }
	switch r := d.request; {
	case d.change != "":
		say("Dry run: nothing was stored. %s", d.change)
	case r == nil:
		say("Dry run: nothing would be sent that changes anything.")
	default:
		say("Dry run: this was not sent.")
		fmt.Fprintln(a.out)
		say("%s %s", r.Method, r.URL)
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			say("%s: %s", name, r.Header[name])
		}
		if r.Size > 0 {
			fmt.Fprintln(a.out)
		}
		switch {
		case r.Body != nil:
			say("%s", r.Body)
		case r.Size > 0:
			say("(a body of %d bytes that is not JSON)", r.Size)
		}
	}
	if len(d.reads) > 0 {
		fmt.Fprintln(a.out)
		say("Looked up for it:")
		for _, read := range d.reads {
			say("  %s", read)
		}
	}
	return nil
}
