package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/qredo-go/qredo/sandbox"
)

// screen is a place in the console, and what it says once it is read.
type screen struct{ name, route, says string }

// screensOf are all that there are of a world in which all has happened.
func screensOf(w *world) []screen {
	waits := w.srv
	list, _ := waits.Transactions(sandbox.TransactionFilter{State: "waiting"})
	refused, _ := waits.Requests(sandbox.RequestFilter{Refused: true})
	return []screen{
		{"phone", "#/phone/alice@example.com", "payout 2041"},
		{"requests", "#/requests", "signature"},
		{"request", fmt.Sprintf("#/requests/%d", refused.Requests[0].ID), "Why it was refused"},
		{"money", "#/money", "Where all of it is"},
		{"wallet", "#/wallet/" + string(w.wallets[0].ID), "deposit"},
		{"transactions", "#/transactions", "Cold storage"},
		{"transaction", "#/tx/" + string(list.Transactions[0].ID), "Its life"},
		{"make", "#/make/withdrawal", "What arrives"},
		{"make-fund", "#/make/fund", "Who approves withdrawals"},
		{"make-request", "#/make/request", "Path and query"},
		{"feeds", "#/feeds", "messages"},
		{"faults", "#/faults", "Presets"},
		{"clock", "#/clock", "What expires next"},
		{"world", "#/world", "Snapshots"},
	}
}

var widths = []int64{360, 1024, 1600}

// Every screen is kept as a picture at three widths, light and dark; axe-core finds nothing in any; and none is wider
// than the window.
func TestScreens(t *testing.T) {
	t.Parallel()
	needAxe(t)
	w := furnish(t, start(t))
	w.live()
	w.feed()
	p := openConsole(t, w.srv, "#/phone")
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range widths {
			p.look(width, scheme)
			for _, s := range screensOf(w) {
				p.shows(s)
				what := fmt.Sprintf("%s-%d-%s", s.name, width, scheme)
				p.keep(what)
				p.fits(what)
				if width == 360 && scheme == "light" || width == 1600 && scheme == "dark" {
					p.accessible(what)
				}
			}
		}
	}
}

// Empty screens say how to fill them.
func TestEmptyScreens(t *testing.T) {
	t.Parallel()
	needAxe(t)
	srv := start(t)
	p := openConsole(t, srv, "#/phone")
	for _, width := range []int64{360, 1600} {
		p.look(width, "light")
		for _, s := range []screen{
			{"phone", "#/phone", "Make a person"}, {"requests", "#/requests", "Send one from here"}, {"money", "#/money", "Make a company"},
			{"transactions", "#/transactions", "Ask for a withdrawal here"}, {"feeds", "#/feeds", "No program is connected"},
			{"clock", "#/clock", "Nothing is pending that could expire"}, {"world", "#/world", "None yet"}, {"make", "#/make/withdrawal", "Make a company first"},
		} {
			p.shows(s)
			what := fmt.Sprintf("empty-%s-%d", s.name, width)
			p.keep(what)
			p.fits(what)
			p.accessible(what)
		}
	}
}

// shows goes to a screen, and waits until it has been read.
func (p *tab) shows(s screen) {
	p.t.Helper()
	p.goTo(s.route)
	p.waits(`document.querySelector('main').innerText.includes(` + quoted(s.says) + `) && !document.querySelector('main').innerText.includes('Reading…')`)
}

// fits demands that nothing is wider than the window, but for what scrolls in a place of its own.
func (p *tab) fits(what string) {
	p.t.Helper()
	wider := eval[[]string](p, `[...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.closest('.scroll-x, .unseen, .skip, svg, pre') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '.' + e.className)`)
	assert.Empty(p.t, wider, what)
	assert.LessOrEqual(p.t, eval[int](p, `document.documentElement.scrollWidth - innerWidth`), 0, what)
	assert.False(p.t, strings.Contains(p.text(), "undefined") || strings.Contains(p.text(), "[object"), what)
}
