package outbox_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/outbox"
)

// bare is the text of a page: without tags, and with entities decoded.
func bare(page string) string {
	return html.UnescapeString(regexp.MustCompile(`(?s)<style>.*</style>|<[^>]*>`).ReplaceAllString(page, ""))
}

// TestPageShowsTheWholeRequest: each field of each kind of request is on the page of its entry.
func TestPageShowsTheWholeRequest(t *testing.T) {
	for name, request := range map[string]outbox.Request{
		"transfer": outbox.Transfer{}, "withdrawal": outbox.Withdrawal{}, "sweep": outbox.Sweep{},
	} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, func(t *testing.T, d *desk) {
				filled := reflect.New(reflect.TypeOf(request)).Elem()
				want := []string{name, "9007199254740993 base units of BTC", "2000-01-01 01:00:00 UTC"}
				var fill func(v reflect.Value)
				fill = func(v reflect.Value) {
					for i := range v.NumField() {
						switch f := v.Field(i); f.Interface().(type) {
						case qredo.Time:
							f.Set(reflect.ValueOf(qredo.TimeOf(time.Now().Add(time.Hour))))
						case qredo.AssetAmount:
							f.Set(reflect.ValueOf(qredo.AssetAmount{Asset: "BTC", Amount: 1<<53 + 1}))
						default:
							if f.Kind() == reflect.Struct {
								fill(f)
								continue
							}
							text := "the-" + v.Type().Field(i).Name
							f.SetString(text)
							want = append(want, text)
						}
					}
				}
				fill(filled)
				d.enqueue(t, "key", filled.Interface().(outbox.Request))
				page := bare(d.ask("GET", "/entry?key=key", "").Body.String())
				for _, text := range want {
					assert.Contains(t, page, text)
				}
				assert.Greater(t, len(want), 7)
			})
		})
	}
}

// TestPageShowsHowFarAnEntryIs: the page shows what is known about an entry, and its steps.
func TestPageShowsHowFarAnEntryIs(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "key", transfer(5), func(e *outbox.Entry) {
			now := time.Now().UTC()
			e.State, e.Unknown, e.TxID, e.TxStatus, e.Named = outbox.StateHeld, true, "tx-9", "pending", true
			e.Reason, e.Attempts, e.Misses, e.APIKey, e.Sending = "another payment's", 31, 17, "digest-1", true
			e.Carrier = map[string]string{"traceparent": "00-4bf9"}
			e.Steps = append(e.Steps, outbox.Step{At: now, Kind: outbox.StepUnknown, Note: "lost", Times: 12, Last: now.Add(time.Minute)})
		})
		<-time.After(3 * time.Minute)
		page := bare(d.ask("GET", "/entry?key=key", "").Body.String())
		for _, want := range []string{
			"held unknown", "It waits for a person's decision", "another payment's", "tx-9", "named by a person", "31", "17", "digest-1", "is on its way",
			"traceparent", "00-4bf9", "lost", "12 times, last", "2000-01-01 00:01:00 UTC", "(3 min ago)", "enqueued",
		} {
			assert.Contains(t, page, want)
		}
		d.put(t, "sent", transfer(6), func(e *outbox.Entry) {
			e.State, e.TxID, e.Due = outbox.StateSent, "tx-10", time.Now().Add(4*time.Minute)
		})
		assert.Contains(t, bare(d.ask("GET", "/entry?key=sent", "").Body.String()), "next2000-01-01 00:07:00 UTC (in 4 min)")
		d.enqueue(t, "new", transfer(7))
		assert.Contains(t, bare(d.ask("GET", "/entry?key=new", "").Body.String()), "nextas soon as a worker is free")
	})
}

func TestPageCountsTheStates(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		for i, state := range []outbox.State{
			outbox.StateHeld, outbox.StateSent, outbox.StateSent, outbox.StateDone, outbox.StateDone, outbox.StateDone,
		} {
			d.put(t, fmt.Sprint(i), transfer(5), func(e *outbox.Entry) { e.State, e.Unknown = state, state == outbox.StateHeld })
		}
		page := d.ask("GET", "/", "").Body.String()
		for _, want := range []string{
			`<a href="?unknown=1" class="alarm"><b>1</b>unknown`, `<a href="?state=held" class="alarm"><b>1</b>held`, `<a href="?state=pending"><b>0</b>pending`,
			`<a href="?state=sent"><b>2</b>sent`, `<a href="?state=done"><b>3</b>done`, `<a href="?state=failed"><b>0</b>failed`,
		} {
			assert.Contains(t, page, want)
		}
	})
}

// TestPageShowsWhatOthersWrote: markup is shown as text, and invisible characters are escaped, wherever they come from.
func TestPageShowsWhatOthersWrote(t *testing.T) {
	const evil = "<script>x</script>\" onclick=x '\u202e\n\x1b\u200b"
	const shown = `<script>x</script>" onclick=x '\u202e\n\u001b\u200b`
	atDesk(t, func(t *testing.T, d *desk) {
		r := transfer(5)
		r.Reference, r.BenefitOf = evil, evil
		d.put(t, evil, r, func(e *outbox.Entry) {
			e.State, e.Unknown, e.Reason, e.TxID, e.TxStatus = outbox.StateHeld, true, evil, evil, evil
			e.Carrier = map[string]string{evil: evil}
			e.Steps = append(e.Steps, outbox.Step{Kind: outbox.StepHeld, Note: evil, Times: 1})
		})
		form := url.Values{"key": {evil}, "claim": {"made"}, "tx_id": {evil}, "note": {evil}}.Encode()
		for _, w := range []string{
			d.ask("GET", "/", "").Body.String(), d.ask("GET", "/entry?"+url.Values{"key": {evil}}.Encode(), "").Body.String(),
			d.ask("GET", "/?"+url.Values{"state": {evil}}.Encode(), "").Body.String(), d.ask("GET", "/?"+url.Values{"since": {evil}}.Encode(), "").Body.String(),
			d.ask("POST", "/resolve", form).Body.String(),
		} {
			w = regexp.MustCompile(`(?s)<textarea.*?</textarea>`).ReplaceAllString(w, "") // what this person has filled in
			assert.NotContains(t, w, "<script")
			assert.NotRegexp(t, `<[^>]* onclick`, regexp.MustCompile(`"[^"]*"`).ReplaceAllString(w, ""))
			assert.NotContains(t, bare(w), "\x1b")
		}
		page := bare(d.ask("GET", "/entry?"+url.Values{"key": {evil}}.Encode(), "").Body.String())
		assert.Equal(t, 9, strings.Count(page, shown))
		assert.NotContains(t, page, "\u202e")
		assert.NotContains(t, page, "\u200b")
		require.Equal(t, http.StatusSeeOther, d.ask("POST", "/retry?"+url.Values{"key": {evil}}.Encode(), "note=Bob").Code)
	})
}

// TestPagesAreShutIn: no response lets a browser load, run, keep or frame anything, and the style is the permitted one.
func TestPagesAreShutIn(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "key", transfer(5), isUnknown)
		for _, ask := range [][]string{
			{"GET", "/"}, {"GET", "/entry?key=key"}, {"GET", "/entry?key=none"}, {"GET", "/nowhere"}, {"GET", "/?state=x"}, {"DELETE", "/entry"}, {"POST", "/resolve"}, {"GET", "/list.json"},
		} {
			w := d.ask(ask[0], ask[1], "")
			assert.Equal(t, "no-store", w.Header().Get("Cache-Control"), ask)
			assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"), ask)
			assert.Equal(t, "same-origin", w.Header().Get("Referrer-Policy"), ask)
			policy := w.Header().Get("Content-Security-Policy")
			assert.Contains(t, policy, "default-src 'none';", ask)
			assert.Contains(t, policy, "frame-ancestors 'none'", ask)
			assert.NotContains(t, policy, "unsafe", ask)
			page := w.Body.String()
			if !strings.Contains(page, "<html") {
				continue
			}
			assert.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
			_, style, _ := strings.Cut(page, "<style>")
			style, _, found := strings.Cut(style, "</style>")
			require.True(t, found)
			sum := sha256.Sum256([]byte(style))
			assert.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
			assert.NotRegexp(t, `(?i)<script|<img|<link|<iframe| on\w+=| style=|javascript:|https?:|url\(`, page)
		}
	})
}

// TestPagesLinkRelatively: each link and form of the pages leads to a page, whatever the handler is mounted at.
func TestPagesLinkRelatively(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		d.put(t, "a/b?c#d", transfer(5), isUnknown)
		seen := map[string]bool{}
		base, err := url.Parse("https://ops.example" + prefix + "/")
		require.NoError(t, err)
		open := []string{base.String()}
		for len(open) > 0 {
			at := open[0]
			open = open[1:]
			if seen[at] {
				continue
			}
			seen[at] = true
			w := d.ask("GET", strings.TrimPrefix(at, "https://ops.example"+prefix), "")
			require.Equal(t, http.StatusOK, w.Code, at)
			here, err := url.Parse(at)
			require.NoError(t, err)
			for _, link := range regexp.MustCompile(`(?:href|action)="([^"]*)"`).FindAllStringSubmatch(w.Body.String(), -1) {
				to, err := here.Parse(html.UnescapeString(link[1]))
				require.NoError(t, err)
				require.True(t, strings.HasPrefix(to.String(), base.String()), to)
				if to.Fragment == "" && !strings.Contains(to.Path, "re") { // resolve, retry
					open = append(open, to.String())
				}
			}
		}
		assert.True(t, seen[base.String()+"entry?key=a%2fb%3fc%23d"], seen)
		assert.Greater(t, len(seen), 8)
	})
}

// TestPageOffersWhatCanBeDone: there are forms only for decisions that the outbox would accept.
func TestPageOffersWhatCanBeDone(t *testing.T) {
	atDesk(t, func(t *testing.T, d *desk) {
		offers := func(key string) string {
			page := d.ask("GET", "/entry?key="+key, "").Body.String()
			var forms []string
			for _, form := range regexp.MustCompile(`action="(\w+)\?key=`).FindAllStringSubmatch(page, -1) {
				forms = append(forms, form[1])
			}
			return strings.Join(forms, " ")
		}
		d.enqueue(t, "new", transfer(1))
		d.put(t, "sending", transfer(2), func(e *outbox.Entry) { e.Sending = true })
		d.put(t, "unknown", transfer(3), isUnknown)
		d.put(t, "held", transfer(4), is(outbox.StateHeld))
		d.put(t, "sent", transfer(5), is(outbox.StateSent))
		d.put(t, "done", transfer(6), is(outbox.StateDone))
		d.put(t, "failed", transfer(7), is(outbox.StateFailed))
		for key, want := range map[string]string{
			"new": "retry", "sending": "resolve retry", "unknown": "resolve retry", "held": "resolve retry", "sent": "retry", "done": "", "failed": "",
		} {
			assert.Equal(t, want, offers(key), key)
		}
	})
}
