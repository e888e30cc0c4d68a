package outbox

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"time"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/internal/visible"
)

var (
	//go:embed page.html
	pageSource string
	//go:embed page.css
	pageStyle string
)

// pages parses the templates once, when first used.
func pages() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"parts": visible.Parts}).Parse(pageSource))
}

// pagePolicy lets a browser use the pages' style and send their forms, and nothing else.
func pagePolicy() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// page has the fields that all pages share.
type page struct {
	Title   string
	Now     string
	Problem string // the error, if any
	now     time.Time
}

func newPage(title string, now time.Time, problem error) page {
	p := page{Title: title, now: now, Now: clockTime(now)}
	if problem != nil {
		p.Problem = problem.Error()
	}
	return p
}

// Style is the content of the style element, which must match its hash byte for byte.
func (page) Style() template.CSS { return template.CSS(pageStyle) } //nolint:gosec // it is this package's own file

// listPage shows some entries and the counts of all.
type listPage struct {
	page
	listing
	Tiles   []tile
	Entries []row
	States  []choice
	First   string
	Next    string
}

// tile is a count, with a link to the entries it counts.
type tile struct {
	Name, Count, Query, Class string
	Chosen                    bool
}

type choice struct {
	Name   string
	Chosen bool
}

// row is an entry in the list.
type row struct {
	Entry
	Amount, To string
	Updated    moment
}

// moment is a time for people.
type moment struct{ At, Ago string }

var allStates = []State{StatePending, StateSent, StateHeld, StateDone, StateFailed, StateRejected, StateExpired}

func newListPage(l listing, s Stats, entries []Entry, next string, now time.Time, problem error) listPage {
	p := listPage{page: newPage("Outbox", now, problem), listing: l, Next: next, First: l.first()}
	alarm := func(name string, count int, query string, chosen bool) tile {
		t := tile{Name: name, Count: fmt.Sprint(count), Query: query, Chosen: chosen}
		switch {
		case count > 0:
			t.Class = "alarm"
			if chosen {
				t.Class = "alarm chosen"
			}
		case chosen:
			t.Class = "chosen"
		}
		return t
	}
	p.Tiles = append(p.Tiles, alarm("unknown", s.Unknown, "?unknown=1", l.Unknown && l.State == ""))
	p.Tiles = append(p.Tiles, alarm("held", s.States[StateHeld], "?state=held", l.State == StateHeld && !l.Unknown))
	for _, state := range allStates {
		p.States = append(p.States, choice{string(state), l.State == state})
		if state == StateHeld {
			continue
		}
		t := tile{Name: string(state), Count: fmt.Sprint(s.States[state]), Query: "?state=" + string(state)}
		if l.State == state && !l.Unknown {
			t.Chosen, t.Class = true, "chosen"
		}
		p.Tiles = append(p.Tiles, t)
	}
	if oldest := p.moment(s.OldestDue); oldest.At != "" {
		p.Tiles = append(p.Tiles, tile{Name: "oldest due", Count: oldest.Ago})
	}
	for _, e := range entries {
		r := row{Entry: e, Updated: p.moment(e.Updated)}
		if e.Request != nil {
			moves := e.Request.moves()
			r.Amount, r.To = baseUnits(moves.send), moves.to()
		}
		p.Entries = append(p.Entries, r)
	}
	return p
}

// entryPage shows one entry, and what a person can do about it.
type entryPage struct {
	page
	Entry
	InWords, RetryWords, Enqueued string
	Open                          bool // it waits for a person
	CanResolve, CanRetry, Expired bool
	Decided                       bool // it was just decided
	Form                          form
	Asked, Facts                  []fact
	Steps                         []pageStep
}

type fact struct{ Name, Value, More string }

type pageStep struct {
	Step
	At, Last moment
	New      bool
}

// newEntryPage returns the page of an entry. decided is when a decision was stored that has just been made, if one was.
func newEntryPage(e Entry, f form, decided int64, now time.Time, problem error) entryPage {
	p := entryPage{
		page: newPage("Outbox entry", now, problem), Entry: e, Form: f, InWords: e.InWords(now), Enqueued: clockTime(e.Created),
		Open: e.State == StateHeld || e.Unknown, CanResolve: e.Resolvable(), CanRetry: !e.State.Ended() && e.Request != nil,
	}
	switch {
	case e.TxID != "":
		p.RetryWords = "A worker looks up the transaction right away."
	case e.State == StateHeld:
		p.RetryWords = "Use this if nothing is wrong, or the problem has been fixed. The request is sent again with the same PartnerTxID, for which the service makes at most one transaction."
	default:
		p.RetryWords = "A worker sends the request again right away, with the same PartnerTxID, for which the service makes at most one transaction."
	}
	if e.Request != nil {
		p.Expired = e.late(now)
		p.Asked = p.asked(e)
	}
	p.Facts = p.facts(e)
	for _, s := range e.Steps {
		shown := pageStep{Step: s, At: p.moment(s.At), Last: p.moment(s.Last)}
		shown.New = decided != 0 && (s.At.UnixMicro() == decided || s.Last.UnixMicro() == decided) && (s.Kind == StepResolved || s.Kind == StepRetried)
		p.Decided = p.Decided || shown.New
		p.Steps = append(p.Steps, shown)
	}
	return p
}

// asked lists the whole request.
func (p page) asked(e Entry) []fact {
	var facts []fact
	add := func(name, value, more string) {
		if value != "" {
			facts = append(facts, fact{name, value, more})
		}
	}
	var benefit, account, authorize string
	kind, recipient := "transfer", "to wallet"
	owner := "company"
	switch r := e.Request.(type) {
	case Transfer:
		benefit, account, authorize = r.BenefitOf, r.AccountNo, string(r.AuthorizeID)
	case Withdrawal:
		kind, recipient = "withdrawal", "to address"
		benefit, account = r.BenefitOf, r.AccountNo
	case Sweep:
		kind, owner = "sweep", "core client"
	}
	moves := e.Request.moves()
	_, id := e.Request.owner()
	add("kind", kind, "")
	add(owner, id, "")
	add("amount", baseUnits(moves.send), "what arrives")
	add("from wallet", string(moves.from), "")
	add(recipient, moves.to(), "")
	add("reference", moves.reference, "")
	add("benefit of", benefit, "")
	add("account no", account, "")
	add("authorised by core client", authorize, "")
	id, more := string(e.PartnerTxID), "made by the outbox"
	if e.Brought {
		more = "brought by the caller"
	}
	add("PartnerTxID", id, more)
	facts = append(facts, p.time("expires", e.Request.expires().Time))
	return facts
}

// facts lists how far an entry has come.
func (p page) facts(e Entry) []fact {
	facts := []fact{{"state", string(e.State), ""}}
	if e.TxID != "" {
		f := fact{"TxID", string(e.TxID), ""}
		if e.Named {
			f.More = "named by a person: not compared with the request"
		}
		facts = append(facts, f)
	}
	if e.TxStatus != "" {
		facts = append(facts, fact{"its status", string(e.TxStatus), "when it was last looked at"})
	}
	facts = append(facts, fact{"attempts", fmt.Sprint(e.Attempts), ""})
	if e.Sending {
		facts = append(facts, fact{"an attempt", "is on its way, or its program has ended", ""})
	}
	if e.Misses > 0 {
		facts = append(facts, fact{"calls without result", fmt.Sprint(e.Misses), "since the last with one"})
	}
	if e.APIKey != "" {
		facts = append(facts, fact{"API key", e.APIKey, "a digest of the one that it was sent with"})
	}
	switch {
	case e.State == StatePending && e.Attempts == 0:
		facts = append(facts, fact{"next", "as soon as a worker is free", ""})
	case e.State == StatePending, e.State == StateSent:
		facts = append(facts, p.time("next", e.Due))
	}
	for _, at := range []fact{p.time("enqueued", e.Created), p.time("transaction named", e.Sent), p.time("last change", e.Updated)} {
		if at.Value != "" {
			facts = append(facts, at)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Carrier)) {
		facts = append(facts, fact{"context: " + visible.Text(name), e.Carrier[name], ""})
	}
	return facts
}

// to is the recipient of a payment, as in the request.
func (m movement) to() string { return m.wallet + m.address }

// baseUnits formats an amount in base units.
func baseUnits(a qredo.AssetAmount) string {
	return fmt.Sprintf("%d base units of %s", int64(a.Amount), a.Asset)
}

func clockTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

func (p page) moment(at time.Time) moment {
	if at.IsZero() {
		return moment{}
	}
	return moment{clockTime(at), distance(at.Sub(p.now))}
}

func (p page) time(name string, at time.Time) fact {
	m := p.moment(at)
	f := fact{Name: name, Value: m.At}
	if m.Ago != "" {
		f.More = "(" + m.Ago + ")"
	}
	return f
}

// distance says roughly how far away a time is.
func distance(d time.Duration) string {
	past := d < 0
	if past {
		d = -d
	}
	const day = 24 * time.Hour
	text := ""
	switch {
	case d < time.Second:
		return "now"
	case d < 2*time.Minute:
		text = fmt.Sprintf("%d s", d.Round(time.Second)/time.Second)
	case d < 2*time.Hour:
		text = fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
	case d < 2*day:
		text = fmt.Sprintf("%d h", d.Round(time.Hour)/time.Hour)
	default:
		text = fmt.Sprintf("%d days", d.Round(day)/day)
	}
	if past {
		return text + " ago"
	}
	return "in " + text
}
