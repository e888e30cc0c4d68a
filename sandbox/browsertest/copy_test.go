package browsertest

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// IDs are copied whole by one click and lead to the thing; times are the reader's, with UTC on hover and in copies.
func TestCopiesAndTimes(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	tx := w.withdraw(25_000_000, "payout 2041")
	p := openConsole(t, srv, "#/tx/"+string(tx))
	p.sees("Its life", "GMT+5:30")
	do(p, chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); }`))
	p.click(".open-part .heading .copy", "")
	p.waits(`document.querySelector(".copy.is-done") !== null`)
	assert.Equal(t, string(tx), eval[string](p, `copied`))

	p.click(".open-part dd .copy.as-text", "GMT+5:30")
	copied := eval[string](p, `copied`)
	made, err := time.Parse("2006-01-02 15:04:05.000 UTC", copied)
	require.NoError(t, err, "a time is copied as UTC")
	assert.WithinDuration(t, time.Now(), made, time.Minute)
	assert.Contains(t, p.text(), made.In(time.FixedZone("", 19_800)).Format("2006-01-02 15:04:05")+" GMT+5:30")
	assert.Contains(t, eval[string](p, `document.querySelector('.steps time').title`), " UTC")

	p.click("dd a", "Treasury")
	p.waits(`location.hash === '#/wallet/` + string(w.wallets[0].ID) + `'`)
	p.click("dd a", "Client assets")
	p.waits(`document.querySelector('.branch.is-here').innerText.includes('Client assets')`)
	do(p, chromedp.NavigateBack())
	p.waits(`location.hash === '#/wallet/` + string(w.wallets[0].ID) + `'`)
}

// Who wants no motion gets none; and nothing is told by colour alone.
func TestStatesHaveShapesAndWords(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	w.live()
	p := openConsole(t, srv, "#/transactions")
	p.sees("payout 2041")
	for _, state := range eval[[]string](p, `[...document.querySelectorAll('.row .state')].map(s => s.innerText.trim())`) {
		assert.Regexp(t, `^[✓✕◐◷⊘•]\s*\w+`, state)
	}
	p.goTo("#/requests")
	p.click("a.row", "401")
	p.waits(`document.querySelector('mark') !== null`)
	assert.Contains(t, eval[string](p, `getComputedStyle(document.querySelector('mark')).textDecorationLine`), "underline")
	assert.Contains(t, eval[string](p, `document.querySelector('mark').textContent`), "differs here")
}
