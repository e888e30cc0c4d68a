package outbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// desk is an outbox that people look at through its handler, below a prefix.
type desk struct {
	*bench
	handler http.Handler
}

const prefix = "/ops/outbox"

// atDesk runs a test with a handler before a store in which there is nothing yet.
func atDesk(t *testing.T, test func(t *testing.T, d *desk)) {
	t.Helper()
	inBubble(t, []reply{works}, approved, false, func(t *testing.T, b *bench) {
		o, err := outbox.Operate(b.store)
		require.NoError(t, err)
		mux := http.NewServeMux()
		mux.Handle(prefix+"/", http.StripPrefix(prefix, outbox.Handler(o)))
		test(t, &desk{b, mux})
	})
}

// put stores an entry as it is after change.
func (b *bench) put(t *testing.T, key string, r outbox.Request, change func(*outbox.Entry)) outbox.Entry {
	t.Helper()
	b.enqueue(t, key, r)
	c, err := b.store.Take(t.Context(), key, time.Now(), time.Now().Add(time.Minute))
	require.NoError(t, err)
	c.Entry.Version++
	change(&c.Entry)
	require.NoError(t, b.store.Release(t.Context(), c))
	e, err := b.store.Get(t.Context(), key)
	require.NoError(t, err)
	return e
}

func isUnknown(e *outbox.Entry) { e.Unknown, e.Attempts, e.Due = true, 1, time.Now().Add(time.Minute) }

func is(state outbox.State) func(*outbox.Entry) {
	return func(e *outbox.Entry) { e.State = state }
}

// ask sends a request; a body is a form.
func (d *desk) ask(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://ops.example"+prefix+path, strings.NewReader(body))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	return w
}

func (d *desk) get(t *testing.T, key string) outbox.Entry {
	t.Helper()
	e, err := d.store.Get(t.Context(), key)
	require.NoError(t, err)
	return e
}

// TestHandlerResolves: the form of an entry's page says what became of it, and leads back to the page.
func TestHandlerResolves(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "pay & go", transfer(5), isUnknown)
		w := d.ask("POST", "/resolve", url.Values{"key": {"pay & go"}, "claim": {"made"}, "tx_id": {" tx-1 "}, "note": {"Bob, app"}}.Encode())
		require.Equal(t, http.StatusSeeOther, w.Code, w.Body)
		e := d.get(t, "pay & go")
		assert.Equal(t, outbox.StateSent, e.State)
		assert.Equal(t, qredo.TxID("tx-1"), e.TxID)
		assert.Equal(t, "Bob, app", e.Steps[1].Note)

		to, err := url.Parse(w.Header().Get("Location"))
		require.NoError(t, err)
		assert.Empty(t, to.Host)
		after := d.ask("GET", "/"+to.String(), "")
		assert.Equal(t, http.StatusOK, after.Code)
		assert.Contains(t, after.Body.String(), "Your decision is stored")
		assert.NotContains(t, d.ask("GET", "/entry?key=pay+%26+go", "").Body.String(), "Your decision is stored")
	})
}

func TestHandlerSaysThatNoneWasMade(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "key", transfer(5), isUnknown)
		const none = "key=key&claim=none&note=Bob"
		w := d.ask("POST", "/resolve", none)
		assert.Equal(t, http.StatusBadRequest, w.Code)
		assert.Contains(t, w.Body.String(), "until the request expires")
		assert.Contains(t, d.ask("GET", "/entry?key=key", "").Body.String(), `value="none" id="none" disabled`)
		assert.True(t, d.get(t, "key").Unknown)

		<-time.After(2 * time.Hour)
		assert.NotContains(t, d.ask("GET", "/entry?key=key", "").Body.String(), "disabled")
		assert.Equal(t, http.StatusSeeOther, d.ask("POST", "/resolve", none).Code)
		assert.Equal(t, outbox.StateFailed, d.get(t, "key").State)
	})
}

func TestHandlerRetries(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "key", transfer(5), func(e *outbox.Entry) { e.State, e.Unknown, e.Attempts = outbox.StateHeld, true, 1 })
		assert.Equal(t, http.StatusSeeOther, d.ask("POST", "/retry", "key=key&note=Bob").Code)
		e := d.get(t, "key")
		assert.Equal(t, outbox.StatePending, e.State)
		assert.True(t, e.Unknown)
		assert.Equal(t, "enqueued retried", kinds(e))
	})
}

// TestHandlerTellsWhatIsWrong: the error is on the page of the entry with what was filled in, or in JSON, and nothing is
// changed.
func TestHandlerTellsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		path, form string
		status     int
		says       string
	}{
		"no claim":          {"/resolve", "key=key&tx_id=tx-1&note=Bob+says", 400, "claim: must say"},
		"no transaction":    {"/resolve", "key=key&claim=made&note=Bob+says", 400, "tx_id: must be given"},
		"both":              {"/resolve", "key=key&claim=none&tx_id=tx-1&note=Bob+says", 400, "tx_id: must be empty"},
		"no ID":             {"/resolve", "key=key&claim=made&tx_id=a%2Fb&note=Bob+says", 400, "tx_id: must not contain"},
		"no note":           {"/resolve", "key=key&claim=made&tx_id=tx-1&note=+", 400, "note: must say"},
		"the other's":       {"/resolve", "key=key&claim=made&tx_id=tx-taken&note=Bob+says", 409, "belongs to another entry"},
		"not unknown":       {"/resolve", "key=new&claim=made&tx_id=tx-1&note=Bob+says", 409, "key: must be of an entry"},
		"ended":             {"/retry", "key=done&note=Bob+says", 409, "key: must be of an entry that has not ended"},
		"a worker has it":   {"/retry", "key=busy&note=Bob+says", 409, "a worker has the entry at the moment"},
		"retry, no note":    {"/retry", "key=key", 400, "note: must say"},
		"no such entry":     {"/resolve", "key=nope&claim=made&tx_id=tx-1&note=Bob", 404, "no entry has this key"},
		"none, wrong claim": {"/resolve", "key=nope&claim=x&note=Bob", 404, "no entry has this key"},
		"no form":           {"/retry", "", 404, "no entry has this key"},
		"not in the path":   {"/retry?key=key&note=Bob", "", 400, "note: must say"},
	} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, func(t *testing.T, d *desk) {
				d.put(t, "key", transfer(5), isUnknown)
				d.put(t, "done", transfer(6), func(e *outbox.Entry) { e.State, e.TxID = outbox.StateDone, "tx-taken" })
				d.enqueue(t, "new", transfer(7))
				d.enqueue(t, "busy", transfer(8))
				_, err := d.store.Take(t.Context(), "busy", time.Now(), time.Now().Add(time.Minute))
				require.NoError(t, err)
				before := d.get(t, "key")

				w := d.ask("POST", c.path, c.form)
				assert.Equal(t, c.status, w.Code)
				assert.Contains(t, w.Body.String(), c.says)
				if strings.Contains(c.form, "Bob+says") && !strings.HasPrefix(c.says, "key:") { // there is no form for those
					assert.Contains(t, w.Body.String(), "Bob says</textarea>")
				}
				if strings.Contains(c.form, "claim=made") && c.status == 400 {
					assert.Contains(t, w.Body.String(), `id="made" required checked`)
				}
				w = d.ask("POST", c.path, c.form, "Accept", "application/json")
				if !strings.HasPrefix(name, "none") { // a form that is wrong in itself is not looked up
					assert.Equal(t, c.status, w.Code)
					assert.Contains(t, w.Body.String(), `{"error":"`)
				}
				assert.Equal(t, before, d.get(t, "key"))
			})
		})
	}
}

// TestHandlerRefusesOtherSites: a page of another site cannot have a browser decide, whatever the form says.
func TestHandlerRefusesOtherSites(t *testing.T) {
	for name, header := range map[string][]string{
		"cross-site":   {"Sec-Fetch-Site", "cross-site"},
		"same-site":    {"Sec-Fetch-Site", "same-site"},
		"another host": {"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		"no origin":    {"Sec-Fetch-Site", "", "Origin", "null"},
	} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, func(t *testing.T, d *desk) {
				d.put(t, "key", transfer(5), isUnknown)
				for _, path := range []string{"/resolve", "/resolve.json", "/retry", "/retry.json"} {
					w := d.ask("POST", path, "key=key&claim=made&tx_id=tx-1&note=Bob", header...)
					assert.Equal(t, http.StatusForbidden, w.Code, path)
				}
				assert.Equal(t, "enqueued", kinds(d.get(t, "key")))
				w := d.ask("POST", "/retry", "key=key&note=Bob", "Sec-Fetch-Site", "", "Origin", "https://ops.example")
				assert.Equal(t, http.StatusSeeOther, w.Code)
			})
		})
	}
}

// entries is a list as JSON.
type entries struct {
	Entries []outbox.Entry `json:"entries"`
	Next    string         `json:"next"`
}

func TestHandlerGivesJSON(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "a", transfer(9_223_372_036_854_775_807), isUnknown)
		d.put(t, "b", transfer(5), is(outbox.StateDone))
		var stats outbox.Stats
		require.NoError(t, json.Unmarshal(d.ask("GET", "/stats.json", "").Body.Bytes(), &stats))
		assert.Equal(t, 1, stats.Unknown)
		assert.Equal(t, 1, stats.States[outbox.StateDone])

		for _, how := range [][]string{{"/list.json"}, {"/", "Accept", "application/json"}} {
			w := d.ask("GET", how[0], "", how[1:]...)
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			var list entries
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &list))
			assert.Equal(t, []outbox.Entry{d.get(t, "a"), d.get(t, "b")}, list.Entries)
		}
		assert.Equal(t, `{"entries":[]}`, strings.TrimSpace(d.ask("GET", "/list.json?state=held", "").Body.String()))

		var e outbox.Entry
		require.NoError(t, json.Unmarshal(d.ask("GET", "/entry.json?key=a", "").Body.Bytes(), &e))
		assert.Equal(t, d.get(t, "a"), e)
		assert.Contains(t, d.ask("GET", "/entry.json?key=a", "").Body.String(), `"amount":9223372036854775807`)

		w := d.ask("POST", "/resolve.json", "key=a&claim=made&tx_id=tx-1&note=Bob")
		require.Equal(t, http.StatusOK, w.Code)
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &e))
		assert.Equal(t, d.get(t, "a"), e)
		assert.Equal(t, outbox.StateSent, e.State)
		assert.Equal(t, http.StatusNotFound, d.ask("GET", "/entry.json?key=z", "").Code)
		assert.Contains(t, d.ask("GET", "/", "", "Accept", "text/html,application/json;q=0.9").Body.String(), "<!DOCTYPE html>")
	})
}

// TestHandlerFilters: each filter of the list, alone and together.
func TestHandlerFilters(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "unknown", transfer(1), isUnknown)
		d.put(t, "held", transfer(2), func(e *outbox.Entry) { e.State, e.Unknown = outbox.StateHeld, true })
		d.put(t, "done", transfer(3), is(outbox.StateDone))
		d.enqueue(t, "new", transfer(4))
		<-time.After(time.Minute)
		since := time.Now().UTC()
		d.put(t, "later", transfer(5), func(e *outbox.Entry) { e.State, e.Updated = outbox.StateFailed, time.Now().UTC() })
		d.put(t, "earlier", transfer(6), func(e *outbox.Entry) { e.Updated = since.Add(-time.Hour) })
		for query, want := range map[string]string{
			"":                           "done earlier held later new unknown",
			"?unknown=1":                 "held unknown",
			"?held=1":                    "held",
			"?state=held":                "held",
			"?state=done":                "done",
			"?state=pending&unknown=1":   "unknown",
			"?state=":                    "done earlier held later new unknown",
			"?order=change":              "earlier done held new unknown later",
			"?order=key":                 "done earlier held later new unknown",
			"?since=2000-01-01T00:01":    "later",
			"?since=2000-01-01T00:01:01": "",
			"?since=" + url.QueryEscape(since.Add(-time.Minute).In(time.FixedZone("", 3600)).Format(time.RFC3339)): "done held new unknown later",
		} {
			var list entries
			require.NoError(t, json.Unmarshal(d.ask("GET", "/list.json"+query, "").Body.Bytes(), &list))
			var keys []string
			for _, e := range list.Entries {
				keys = append(keys, e.Key)
			}
			assert.Equal(t, want, strings.Join(keys, " "), query)
		}
		for _, query := range []string{"state=lost", "since=yesterday", "limit=0", "limit=501", "limit=x", "after=a&after_change=x"} {
			assert.Equal(t, http.StatusBadRequest, d.ask("GET", "/list.json?"+query, "").Code, query)
			w := d.ask("GET", "/?"+query, "")
			assert.Equal(t, http.StatusBadRequest, w.Code, query)
			assert.Contains(t, w.Body.String(), `role="alert"`, query)
			assert.NotContains(t, w.Body.String(), "There are no such entries", query)
		}
	})
}

// TestHandlerTurnsPages: following next shows each entry once, in both orders.
func TestHandlerTurnsPages(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		var keys []string
		for i := range 7 {
			key := fmt.Sprintf("key&%d ü", i)
			keys = append(keys, key)
			d.enqueue(t, key, transfer(qredo.Amount(i+1))) // all in the same instant
		}
		for _, first := range []string{"?limit=3", "?limit=3&order=change", "?limit=7", "?limit=3&since=2000-01-01"} {
			var seen []string
			pages := 0
			for query := first; query != ""; pages++ {
				var list entries
				require.NoError(t, json.Unmarshal(d.ask("GET", "/list.json"+query, "").Body.Bytes(), &list))
				html := d.ask("GET", "/"+query, "").Body.String()
				for _, e := range list.Entries {
					seen = append(seen, e.Key)
					assert.Contains(t, html, url.QueryEscape(e.Key)[:7])
				}
				assert.Equal(t, list.Next != "", strings.Contains(html, `rel="next"`))
				query = list.Next
			}
			assert.Equal(t, keys, seen, first)
			assert.LessOrEqual(t, pages, 3)
		}
	})
}

func TestHandlerOfAStoreThatIsClosed(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "key", transfer(5), isUnknown)
		require.NoError(t, d.store.Close())
		for _, path := range []string{"/", "/list.json", "/stats.json", "/entry?key=key"} {
			w := d.ask("GET", path, "")
			assert.Equal(t, http.StatusServiceUnavailable, w.Code, path)
			assert.Contains(t, w.Body.String(), "the store is closed", path)
		}
		w := d.ask("POST", "/resolve", "key=key&claim=made&tx_id=tx-1&note=Bob")
		assert.Equal(t, http.StatusServiceUnavailable, w.Code)
	})
}

func TestHandlerWithoutItsSlash(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		o, err := outbox.Operate(d.store)
		require.NoError(t, err)
		for path, want := range map[string]string{"/ops/outbox": "./outbox/", "/ops/outbox?state=held": "./outbox/?state=held"} {
			w := httptest.NewRecorder()
			http.StripPrefix("/ops/outbox", outbox.Handler(o)).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			assert.Equal(t, http.StatusSeeOther, w.Code)
			assert.Equal(t, want, strings.TrimSuffix(w.Header().Get("Location"), "?"))
		}
	})
}
