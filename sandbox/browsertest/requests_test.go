package browsertest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo/sandbox"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// Requests come live, can be filtered, paused, looked at, copied and sent again.
func TestRequests(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	p := openConsole(t, srv, "#/requests")
	p.sees("POST /company/{company_id}/fund")

	w.withdraw(1000, "first")
	p.sees("POST /company/{company_id}/withdraw", "new")
	w.withdraw(1000, "first")
	p.sees("existing")
	signWrongly(t, srv)
	p.sees("401 signature")

	p.click("label", "only refused")
	p.seesNot("existing")
	p.sees("1 requests", "signature")
	p.click("label", "only refused")
	p.sees("existing")
	p.fill("[data-search]", "/withdraw")
	p.sees("2 requests")
	p.fill("[data-search]", "4xx")
	p.sees("1 requests")
	p.fill("[data-search]", "nothing is called so")
	p.sees("No request matches.")
	p.click("button", "Show all")
	p.sees("existing")

	p.click("button", "pause")
	w.transfer(1000, "while paused")
	p.sees("↑ 1 new")
	p.seesNot("POST /company/{company_id}/transfer")
	p.click("button", "↑ 1 new")
	p.sees("POST /company/{company_id}/transfer")
	p.click("button", "resume")

	// One that made a transaction leads to it, and is sent again: its PartnerTxID is known by then.
	p.click("a.row", "transfer")
	p.sees("What it is about", "key of while paused", "Answer 200")
	p.click("button", "Sign and send again")
	p.sees("First answer", "Answer to sending it again", `"status": "existing"`, `"status": "new"`)
	state, err := srv.State()
	require.NoError(t, err)
	assert.Equal(t, 3, state.Transactions, "nothing was made twice: a deposit, a withdrawal, a transfer")

	// One that has none asks first.
	p.goTo("#/requests")
	p.click("a.row", "POST /company200")
	p.click("button", "Send again")
	p.sees("whatever it creates is created once more")
	p.click("button", "Not yet")
	p.seesNot("whatever it creates is created once more")
	p.click("button", "Send again")
	p.click("button", "It has no PartnerTxID")
	p.sees("Answer to sending it again")
	state, err = srv.State()
	require.NoError(t, err)
	assert.Len(t, state.Companies, 2)

	har := eval[string](p, `fetch(document.querySelector('a[download]').href).then(r => r.text())`)
	assert.Contains(t, har, `"version":"1.2"`)
}

// Amounts in bodies are shown digit by digit, whatever a number of JavaScript can hold.
func TestBodiesAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	srv := start(t)
	made, err := srv.Send(sandbox.SendRequest{Method: "POST", Path: "/fees", Body: `{"type":"withdraw","asset":"BTC-TESTNET","amount":9007199254740993, "x":1.0e2}`})
	require.NoError(t, err)
	p := openConsole(t, srv, "#/requests/"+itoa(made.ID))
	p.sees(`"amount": 9007199254740993,`, `"x": 1.0e2`)
	p.click("label", "bodies as they came")
	p.sees(`"amount":9007199254740993, "x":1.0e2}`)
}

// A log of ten thousand is smooth: few rows are in the page, wherever it is scrolled to, and what is new does not move them.
func TestManyRequests(t *testing.T) {
	srv := start(t)
	w := furnish(t, srv)
	for range 10_000 {
		srv.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, srv.BaseURL()+"/assets", nil))
	}
	p := openConsole(t, srv, "#/requests")
	p.sees("10,000 requests")
	usual := eval[float64](p, `(async () => {
		const list = document.querySelector('q-list .scroller');
		const took = [];
		const frame = () => new Promise(done => requestAnimationFrame(done));
		await frame();
		for (let i = 0; i < 60; i++) {
			const began = performance.now();
			list.scrollTop += 400;
			list.dispatchEvent(new Event('scroll'));
			took.push(performance.now() - began);
			await frame();
		}
		return took.sort((a, b) => a - b)[30];
	})()`)
	t.Logf("a step of scrolling takes %.1f ms of script, the median of 60", usual)
	assert.Less(t, usual, 16.0, "milliseconds: more than a frame")
	assert.Less(t, eval[int](p, `document.querySelectorAll('.slot').length`), 80)

	top := eval[string](p, `document.elementFromPoint(500, 400).closest('.row').href`)
	w.withdraw(1000, "while scrolled")
	p.sees("↑ 1 new")
	assert.Equal(t, top, eval[string](p, `document.elementFromPoint(500, 400).closest('.row').href`), "nothing jumps under the pointer")

	do(p, chromedp.Evaluate[chromedp.Void](`document.querySelector("q-list .scroller").scrollTop = 1e9`))
	p.waits(`[...document.querySelectorAll('.slot')].some(s => s.ariaPosInSet === s.ariaSetSize)`)
	p.click("button", "↑ 1 new")
	p.sees("POST /company/{company_id}/withdraw")
}
