package outbox

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// listing says which entries are asked for.
type listing struct {
	State    State // the only one, if there is one
	Unknown  bool
	ByChange bool
	Since    string
	Later    bool // not the first page

	filter Filter
	after  Entry
	limit  int
}

// The default and the maximum size of a page.
const (
	usual      = 50
	mostListed = 500
)

// readListing parses the parameters of a list. With an error, it returns the list of everything.
func readListing(q url.Values) (l listing, err error) {
	l = listing{Unknown: q.Get("unknown") == "1", Later: q.Has("after"), limit: usual}
	l.after.Key, l.filter.Unknown = q.Get("after"), l.Unknown
	states := slices.DeleteFunc(q["state"], func(state string) bool { return state == "" })
	if q.Get("held") == "1" {
		states = append(states, string(StateHeld))
	}
	for _, state := range states {
		if !slices.Contains(allStates, State(state)) {
			err = fmt.Errorf("there is no state %q", state)
		}
		l.filter.States = append(l.filter.States, State(state))
	}
	if len(states) == 1 {
		l.State = l.filter.States[0]
	}
	for name, at := range map[string]*time.Time{"since": &l.filter.UpdatedSince, "before": &l.filter.UpdatedBefore, "after_change": &l.after.Updated} {
		var wrong error
		if text := q.Get(name); text != "" {
			if *at, wrong = parseTime(text); wrong != nil {
				err = fmt.Errorf("%s must be a time such as 2026-01-31T15:04:05Z, is %q", name, text)
			}
		}
	}
	if q.Get("order") == "change" && !l.filter.ByChange() {
		l.filter.UpdatedSince = time.Unix(0, 0).UTC()
	}
	if l.ByChange = l.filter.ByChange(); l.filter.UpdatedSince.Unix() > 0 {
		l.Since = l.filter.UpdatedSince.Format("2006-01-02T15:04:05") // in the format of a browser's field
	}
	if text := q.Get("limit"); text != "" {
		var wrong error
		if l.limit, wrong = strconv.Atoi(text); wrong != nil || l.limit < 1 || l.limit > mostListed {
			err = fmt.Errorf("limit must be a number from 1 to %d, is %q", mostListed, text)
		}
	}
	if err != nil {
		return listing{limit: usual}, err
	}
	return l, nil
}

// parseTime parses a time, in UTC unless it has a zone.
func parseTime(text string) (at time.Time, err error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if at, err = time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, err
}

// query is the parameters of the page after an entry.
func (l listing) query(last *Entry) string {
	q := url.Values{}
	for _, state := range l.filter.States {
		q.Add("state", string(state))
	}
	if l.Unknown {
		q.Set("unknown", "1")
	}
	for name, at := range map[string]time.Time{"since": l.filter.UpdatedSince, "before": l.filter.UpdatedBefore} {
		if !at.IsZero() {
			q.Set(name, at.Format(time.RFC3339Nano))
		}
	}
	if l.limit != usual {
		q.Set("limit", strconv.Itoa(l.limit))
	}
	if last != nil {
		q.Set("after", last.Key)
		if l.ByChange {
			q.Set("after_change", last.Updated.Format(time.RFC3339Nano))
		}
	}
	return "?" + q.Encode()
}

func (l listing) first() string { return l.query(nil) }

func (h *handler) list(w http.ResponseWriter, r *http.Request) {
	l, problem := readListing(r.URL.Query())
	asJSON := wantsJSON(r)
	if problem != nil && asJSON {
		h.fail(w, r, http.StatusBadRequest, problem)
		return
	}
	var entries []Entry
	var s Stats
	next := ""
	if problem == nil {
		var err error
		entries, err = h.outbox.Page(r.Context(), l.filter, l.after, l.limit+1)
		if err != nil {
			h.failed(w, r, err)
			return
		}
		if len(entries) > l.limit {
			entries = entries[:l.limit]
			next = l.query(&entries[l.limit-1])
		}
	}
	if asJSON {
		send(w, http.StatusOK, struct {
			Entries []Entry `json:"entries"`
			Next    string  `json:"next,omitempty"` // of a link to the next page
		}{append([]Entry{}, entries...), next})
		return
	}
	s, err := h.outbox.Stats(r.Context())
	if err != nil {
		h.failed(w, r, err)
		return
	}
	status := http.StatusOK
	if problem != nil {
		status = http.StatusBadRequest
	}
	h.show(w, status, "list", newListPage(l, s, entries, next, time.Now(), problem))
}
