package browsertest

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// A card shows what is decided, in both units, and is decided by two clicks. One that others decide, or that expires, while it is
// looked at says so and cannot be clicked.
func TestPhone(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	p := openConsole(t, srv, "#/phone/alice@example.com")
	p.sees("Nothing waits for Alice Adams.")
	first := w.withdraw(25_000_000, "payout 2041")
	p.sees("payout 2041", "0.25 BTC-TESTNET", "25,000,000 base units", "0.25025 BTC-TESTNET leaves with fees of 0.00025", "25,025,000 base units",
		"Cold storage", "Treasury", "→ 1.24975", "0 of 2 have approved", "expires in")
	p.waits(`document.querySelector('[role=alert][aria-live=assertive]').textContent.includes('to approve')`)
	assert.NotContains(t, p.text(), payout, "an address is whole on request")
	p.click("button", "show whole")
	p.sees(payout)

	p.click("button", "Reject")
	p.sees("This cannot be undone")
	p.click("button", "Not yet")
	p.seesNot("This cannot be undone")
	// The second click of a double click is no confirmation, wherever it comes down.
	p.click("button", "Approve")
	at := p.place("button", "Approve 0.25 BTC-TESTNET: sure?")
	do(p, chromedp.MouseClickXY(at.X, at.Y, chromedp.ClickCount(2)))
	pending, err := srv.Pending("alice@example.com")
	require.NoError(t, err)
	assert.Len(t, pending, 1)
	p.sees("Approve 0.25 BTC-TESTNET: sure?")
	p.click("button", "Not yet")

	require.NoError(t, srv.Approve("bob@example.com", string(first)))
	p.sees("1 of 2 has approved: Bob Brown")
	require.NoError(t, srv.Approve("carol@example.com", string(first)))
	p.sees("It was approved meanwhile.")
	assert.False(t, eval[bool](p, `[...document.querySelectorAll('.card button')].some(b => b.textContent === 'Approve')`))
	p.click("button", "Hide")
	p.seesNot("It was approved meanwhile.")

	w.withdraw(1000, "will expire")
	p.sees("will expire")
	p.click("button", "hour")
	p.sees("It has expired meanwhile.")

	w.transfer(1000, "to be rejected")
	p.sees("to be rejected")
	p.click("[data-action] button", "Reject")
	p.click("button", "sure?")
	p.sees("Alice Adams rejected it.", "It is waiting for others.")
}

// place is where an element is that says something.
func (p *tab) place(selector, says string) struct{ X, Y float64 } {
	p.t.Helper()
	p.waits(find(selector, says))
	return eval[struct{ X, Y float64 }](p, `(e => { e.scrollIntoView({block: 'nearest'}); const r = e.getBoundingClientRect(); return {X: r.x + Math.min(r.width / 2, 60), Y: r.y + r.height / 2}; })(`+find(selector, says)+`)`)
}

// All is done by the keyboard alone: the screens, search, rows, a request, an approval, and what keys there are.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	w.withdraw(25_000_000, "payout 2041")
	p := openConsole(t, srv, "#/phone/alice@example.com")
	p.sees("payout 2041")

	p.press("?")
	p.waits(`document.querySelector('dialog').open && document.activeElement.closest('dialog') !== null`)
	p.press(kb.Escape)
	p.waits(`!document.querySelector('dialog').open`)

	p.tabTo(`e => e.matches('.card button') && e.textContent === 'Approve'`)
	p.press(kb.Enter)
	p.waits(`document.activeElement.dataset.sure !== undefined`)
	p.press(kb.Escape)
	p.waits(`document.activeElement.textContent === 'Approve'`)
	p.press(kb.Enter)
	p.waits(`document.activeElement.dataset.sure !== undefined`)
	p.press(kb.Enter)
	p.sees("Alice Adams approved it.")

	p.press("2")
	p.sees("POST /company/{company_id}/fund")
	p.press("j", "j", "k", "j")
	second := eval[string](p, `document.activeElement.dataset.row`)
	assert.Equal(t, eval[string](p, `document.querySelectorAll('.row')[1].dataset.row`), second)
	p.press(kb.Enter)
	p.waits(`location.hash === '#/requests/' + ` + quoted(second) + ` && document.querySelector('q-request h1') !== null`)
	p.press(kb.Escape)
	p.waits(`location.hash === '#/requests' && document.activeElement.dataset.row === ` + quoted(second))

	// The address changes after the key that asked for it: whoever searches in between keeps the field.
	p.press(kb.Enter)
	p.waits(`location.hash === '#/requests/' + ` + quoted(second))
	eval[bool](p, `['Escape', '/'].every(key => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true})) || true)`)
	p.waits(`location.hash === '#/requests' && document.querySelector('q-request') === null`)
	assert.Equal(t, "search", eval[string](p, `document.activeElement.type`))
	p.fill("[data-search]", "/withdraw")
	p.waits(`document.querySelector('.total').textContent.startsWith('1 ')`)
	p.press(kb.Escape)
	p.waits(`document.activeElement.type !== 'search'`)
	p.press(" ")
	p.sees("resume")

	p.press("4")
	p.sees("payout 2041")
	p.press("j", kb.Enter)
	p.sees("Its life")
	p.press(kb.Escape)
	p.waits(`location.hash === '#/transactions' && document.activeElement.matches('a.row')`)

	p.press("8")
	p.sees("What expires next")

	// Where it is narrow, the list is a bar at the bottom, with the rest behind a button.
	p.look(360, "light")
	p.click("button", "Clock")
	p.click("q-app > nav a", "Faults")
	p.sees("Presets")
	p.look(1280, "light")

	// Every control that has the focus shows it.
	for range 20 {
		p.press(kb.Tab)
		assert.NotEqual(t, "none", eval[string](p, `document.activeElement === document.body ? 'auto' : getComputedStyle(document.activeElement).outlineStyle`), eval[string](p, `document.activeElement.outerHTML.slice(0, 80)`))
	}
}

// tabTo goes on by the tabulator until what is focused is as a function of JavaScript says.
func (p *tab) tabTo(is string) {
	p.t.Helper()
	for range 80 {
		if eval[bool](p, `(`+is+`)(document.activeElement)`) {
			return
		}
		p.press(kb.Tab)
	}
	require.Fail(p.t, "the tabulator does not lead there", is)
}

// A wallet shows its balance over time, what moved, and takes deposits in whole units, exactly.
func TestMoney(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	p := openConsole(t, srv, "#/money")
	p.click("a.leaf", "Treasury")
	p.sees("150,000,000 base units", "Deposit, in BTC-TESTNET")
	for text, says := range map[string]string{
		"0.123456789": "This asset has 8 decimals", "1,5": "without commas", "abc": "Enter an amount in digits", "0": "Enter an amount above 0",
		"99999999999999": "more than the service can hold",
	} {
		p.fill("#deposit-amount", text)
		p.sees(says)
	}
	p.fill("#deposit-amount", "90071992.54740993") // more than a number of JavaScript tells apart
	p.sees("= 9,007,199,254,740,993 base units")
	p.click("button", "Deposit")
	p.sees("90071992.54740993 BTC-TESTNET came in.", "9,007,199,404,740,993 base units", "90071994.04740993")
	p.waits(`document.querySelector('svg path.line').getAttribute('d').includes('V0')`)
	p.sees("+90071992.54740993", "+1.5")

	tx := w.transfer(40_000_000, "to trading")
	p.sees("0.4004 BTC-TESTNET", "held")
	require.NoError(t, srv.Approve("alice@example.com", string(tx)))
	p.sees("-0.4004", "fees 0.0004", "Trading")
	p.sees("Where all of it is", "90071994.04740993", "90071994.04700993", "0.0004")
	p.waits(`document.querySelector('.totals td .state.is-good') !== null`)
	p.click("a.row", "-0.4004")
	p.sees("Its life", "Alice Adams", "✓ approved", "to trading")
}

// Transactions are found by state and by search; one shows its life and leads to the request that made it.
func TestTransactions(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	w.live()
	p := openConsole(t, srv, "#/transactions")
	p.sees("payout 2041", "not wanted", "dust")
	p.choose(".tools select", "rejected")
	p.seesNot("payout 2041")
	p.sees("not wanted")
	p.choose(".tools select", "all")
	p.fill("[data-search]", "payout")
	p.seesNot("not wanted")
	p.click("a.row", "payout 2041")
	p.sees("Its life", "Bob Brown", "Who approves", "Alice Adams", "0.25025", "expires")
	p.click("summary", "As the Partner API gives it")
	p.sees(`"initiatorName": "Acme Exchange"`, `"amount": 25025000`)
	p.click("button", "Make the chain reject it")
	p.click("button", "Sure?")
	p.seesNot("Sure?")
	p.click("main a", "their phone")
	p.click("button", "Approve")
	p.click("button", "sure?")
	p.sees("approved it.")
	p.click("main a", "What became of it")
	p.sees("✕ chain rejected")
}

// Faults are switched on by a preset and by a rule of one's own, counted, and switched off, here and in the frame.
func TestFaults(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	p := openConsole(t, srv, "#/faults")
	p.sees("Faults are off", "Faults: off")
	p.click("article button", "Use")
	p.sees("Requests go wrong on purpose")
	p.click("button", "Turn all off")
	p.sees("Faults are off", "Faults: off")

	p.choose("#fault-kind", "error_handled")
	p.fill("#fault-operation", "GET /wallet/{wallet_id}")
	p.fill("#fault-percent", "100")
	p.click("button", "Add the rule")
	p.sees("Faults: 1 on")
	_, err := w.client.Wallets.Get(t.Context(), w.wallets[0].ID)
	require.Error(t, err)
	p.sees("4 hits")
	p.fill("#fault-operation", "GET /nothing")
	p.click("button", "Add the rule")
	p.sees(": write it as in")
	p.click(".fault button", "off")
	p.sees("Faults are off")
	_, err = w.client.Wallets.Get(t.Context(), w.wallets[0].ID)
	require.NoError(t, err)
}

// The clock goes forward by buttons and to the next expiry.
func TestClock(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	tx := w.withdraw(1000, "expires")
	p := openConsole(t, srv, "#/clock")
	p.sees("What expires next", "Withdrawal")
	p.click("main button", "a minute")
	p.sees("01:00 (60 s)", "+01:00")
	p.fill("#forward", "2.5")
	p.click("main button", "Forward")
	p.sees("Enter a whole number")
	p.click("main button", "to the next expiry")
	p.sees("Nothing is pending that could expire")
	got, err := w.client.Transfers.GetWithdrawal(t.Context(), w.company, tx)
	require.NoError(t, err)
	assert.Equal(t, qredo.TxExpired, got.Status)
}

// Feeds are seen, frozen and dropped.
func TestFeeds(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	p := openConsole(t, srv, "#/feeds")
	p.sees("No program is connected")
	w.feed()
	p.sees("1 connected", "/feed", "● open")
	p.click("li button", "Freeze")
	p.sees("❄ frozen")
	p.choose(".tools select", "2 s")
	p.click("label", "send each message twice")
	p.waits(`document.querySelector('.tools input[type=checkbox]').checked`)
	p.click("li button", "Drop")
	p.click("button", "Cut this connection?")
	p.seesNot("❄ frozen")
}

// When the sandbox goes, a bar says so and since when; when it is back, all is read anew.
func TestLostConnection(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := start(t, sandbox.WithStore(dir))
	w := furnish(t, srv)
	w.withdraw(1000, "waits")
	p := openConsole(t, srv, "#/phone/alice@example.com")
	p.sees("waits")
	address := strings.TrimPrefix(srv.URL(), "http://")
	require.NoError(t, srv.Close())
	p.sees("the connection was lost at " + time.Now().In(time.FixedZone("", 5*3600+1800)).Format("15:04"))
	p.click("button", "Approve")
	p.click("button", "sure?")
	p.sees("The sandbox does not answer. Is it still running?")

	again := start(t, sandbox.WithStore(dir), sandbox.WithListen(address))
	p.sees("This session has ended")
	do(p, chromedp.Navigate(again.ConsoleURL()))
	p.sees("live")
	p.seesNot("lost at")
}
