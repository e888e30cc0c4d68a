package browsertest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/qredo-go/qredo"
	"github.com/qredo-go/qredo/sandbox"
)

// script is what must be shown as text wherever it stands.
const script = `<img src=x onerror=alert(1)><script>alert(2)</script>"'>`

// Script in every text that comes from requests is shown as text: nothing of it runs, and the page's policy has nothing to refuse.
func TestScriptIsText(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := hostileWorld(t, srv)
	p := openConsole(t, srv, "#/phone")
	for _, s := range []screen{
		{"phone", "#/phone/" + string(w.people[0].ID), "reference " + script},
		{"requests", "#/requests", ""},
		{"money", "#/money", "company " + script},
		{"wallet", "#/wallet/" + string(w.wallets[0].ID), "wallet " + script},
		{"transactions", "#/transactions", "reference " + script},
		{"transaction", "#/tx/" + string(w.withdrawals[0]), "reference " + script},
		{"make", "#/make/withdrawal", "whitelist " + script},
		{"fund", "#/make/fund", "first " + script},
		{"clock", "#/clock", "wallet " + script},
		{"nowhere", "#/" + url.PathEscape(script), ""},
		{"nobody", "#/phone/" + url.PathEscape(script), script},
		{"no transaction", "#/tx/" + url.PathEscape(script), ""},
		{"no wallet", "#/wallet/" + url.PathEscape(script), ""},
		{"no request", "#/requests/" + url.PathEscape(script), ""},
	} {
		p.goTo(s.route)
		if s.says == "" {
			p.waits(`document.querySelector('main').innerText.trim() !== '' && !document.querySelector('main').innerText.includes('Reading…')`)
		} else {
			p.waits(`(document.querySelector('main').innerText + [...document.querySelectorAll('option')].map(o => o.text)).includes(` + quoted(s.says) + `)`)
		}
		p.keep("hostile-" + s.name)
	}
	list, err := srv.Requests(sandbox.RequestFilter{Limit: 500})
	require.NoError(t, err)
	for _, r := range list.Requests {
		p.goTo("#/requests/" + itoa(r.ID))
		p.waits(`document.querySelector('q-request h1') !== null`)
		do(p, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('q-request details').forEach(d => d.open = true)`))
	}
	assert.Zero(t, eval[int](p, `document.querySelectorAll('q-app img, q-app script, q-app iframe, [style*=expression]').length`))
}

// No name can turn what stands beside it round: an amount, or the address that somebody approves.
func TestNamesTurnNothing(t *testing.T) {
	t.Parallel()
	srv := start(t)
	_, err := srv.Client().Companies.Create(t.Context(), qredo.CompanyRequest{Name: "Acme\u202e\u2066x", City: "c", Country: "c", Domain: "d", Ref: "r"})
	require.NoError(t, err)
	p := openConsole(t, srv, "#/money")
	p.waits(`document.querySelector('main').innerText.includes(` + quoted(`Acme\u{202e}\u{2066}x`) + `)`)
	assert.Zero(t, eval[int](p, `[...document.querySelector('main').innerText].filter(c => /[\u202a-\u202e\u2066-\u2069]/.test(c)).length`))
	assert.Equal(t, "isolate", eval[string](p, `getComputedStyle(document.querySelector('main span')).unicodeBidi`))
}

type hostile struct {
	*world
	withdrawals []qredo.TxID
}

// hostileWorld has script in every text that a request can bring.
func hostileWorld(t *testing.T, srv *sandbox.Server) hostile {
	t.Helper()
	ctx := t.Context()
	w := hostile{world: &world{t: t, srv: srv, client: srv.Client()}}
	made, err := w.client.Companies.Create(ctx, qredo.CompanyRequest{
		Name: "company " + script, City: script, Country: script, Domain: "d" + script, Ref: script,
	})
	require.NoError(t, err)
	w.company = made.ID
	person, err := srv.CreateUser(sandbox.User{Email: "x@example.com", FirstName: "first " + script, LastName: script, Username: script})
	require.NoError(t, err)
	w.people = append(w.people, person)
	require.NoError(t, w.client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: person.Email}))
	require.NoError(t, srv.Accept(person.Email, w.company))
	program, err := w.client.CoreClients.Create(ctx, "program "+script)
	require.NoError(t, err)
	require.NoError(t, w.client.TrustedNetwork.Add(ctx, w.company, qredo.TrustedPartyRequest{Address: string(program.ID)}))
	group := &qredo.CustodyGroup{Threshold: 1, Members: []qredo.TrustedEntityID{person.ID, qredo.TrustedEntityID(program.ID)}}
	fund, err := w.client.Funds.Create(ctx, w.company, qredo.FundRequest{
		Name: "fund " + script, Description: script, CustodyGroupWithdraw: group, CustodyGroupTx: group, Wallets: []qredo.WalletRequest{{Name: "wallet " + script, Asset: btc}},
	})
	require.NoError(t, err)
	w.fund = fund.ID
	whole, err := w.client.Funds.Get(ctx, w.company, w.fund)
	require.NoError(t, err)
	w.wallets = whole.Wallets
	require.NoError(t, w.client.Funds.AddToWhitelist(ctx, w.company, w.fund, qredo.WhitelistEntry{Asset: btc, Address: "a" + script, Name: "whitelist " + script}))
	_, err = srv.Deposit(w.wallets[0].Address, 150_000_000)
	require.NoError(t, err)
	tx, err := w.client.Transfers.Withdraw(ctx, w.company, qredo.WithdrawalRequest{
		WalletID: w.wallets[0].ID, Address: "a" + script, Reference: "reference " + script, BenefitOf: script, AccountNo: script,
		PartnerTxID: "partner " + script, Expires: qredo.TimeOf(time.Now().Add(time.Hour)), Send: qredo.AssetAmount{Asset: btc, Amount: 5},
	})
	require.NoError(t, err)
	w.withdrawals = append(w.withdrawals, tx.TxID)

	// What is not even in the API's form.
	for _, path := range []string{"/" + url.PathEscape(script), "/company/search?query=" + url.QueryEscape(script), "/company?" + strings.ReplaceAll(script, " ", "%20")} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, srv.BaseURL()+path, strings.NewReader(script))
		require.NoError(t, err)
		req.Header.Set("X-Api-Key", script)
		req.Header.Set("X-Sign", script)
		req.Header.Set("X-Timestamp", script)
		req.Header.Set("X-Custom", script)
		req.Header.Set("User-Agent", script)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
	return w
}

// elsewhere serves a page of another origin.
func elsewhere(t *testing.T, html string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(html))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// A page of another origin, in the browser of somebody who is in the console, reads nothing, changes nothing, and cannot
// show the console in a frame.
func TestOtherOrigin(t *testing.T) {
	t.Parallel()
	srv := start(t)
	w := furnish(t, srv)
	w.withdraw(1000, "waits")
	p := openConsole(t, srv, "#/phone")
	p.expected = srv.URL() // Chromium logs what it refuses to the other page
	console := srv.URL() + "/console/"
	other := elsewhere(t, `<!doctype html><title>elsewhere</title><body><form id=f method=post enctype=text/plain action="`+console+`api/reset"><input name="{}"></form><iframe id=frame src="`+console+`"></iframe>`)
	for _, at := range []string{other, strings.Replace(other, "127.0.0.1", "elsewhere.example", 1)} {
		do(p, chromedp.Navigate(at))
		p.waits(`document.title === 'elsewhere'`)
		got := eval[[]string](p, `(async () => {
			const tries = [];
			for (const [path, options] of [
				['api/state', {credentials: 'include'}], ['api/state', {credentials: 'include', mode: 'no-cors'}], ['', {credentials: 'include'}],
				['api/reset', {method: 'POST', credentials: 'include'}], ['api/reset', {method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}'}],
				['api/users', {method: 'POST', credentials: 'include', headers: {'Content-Type': 'application/json'}, body: '{"email":"m@example.com"}'}],
			]) {
				try {
					const answer = await fetch(`+quoted(console)+` + path, options);
					tries.push(answer.type === 'opaque' ? 'opaque' : 'read: ' + answer.status);
				} catch { tries.push('refused'); }
			}
			return tries;
		})()`)
		for _, one := range got {
			assert.NotContains(t, one, "read", got)
		}
		assert.True(t, eval[bool](p, `(() => { try { return document.getElementById('frame').contentDocument === null; } catch { return true; } })()`), "the frame has nothing that can be read")
		do(p, chromedp.Evaluate[chromedp.Void](`document.getElementById('f').submit()`))
		p.waits(`document.title !== 'elsewhere'`)
	}
	state, err := srv.State()
	require.NoError(t, err)
	assert.Len(t, state.Companies, 1, "nothing was reset")
	assert.Len(t, state.Users, 3)
}

// In a frame of any page, there is no console.
func TestFrames(t *testing.T) {
	t.Parallel()
	srv := start(t)
	p := openConsole(t, srv, "#/phone")
	p.expected = "frame"
	do(p, chromedp.Navigate(elsewhere(t, `<!doctype html><title>frame</title><iframe id=frame width=800 height=600 src="`+srv.URL()+`/console/"></iframe>`)))
	p.waits(`document.title === 'frame' && document.readyState === 'complete'`)
	assert.Equal(t, "chrome-error://chromewebdata/", frameURL(p))
}

// frameURL is where the page's frame has come to.
func frameURL(p *tab) string {
	p.t.Helper()
	tree := ask(p, page.GetFrameTree, cdp.Empty{})
	require.Len(p.t, tree.FrameTree.ChildFrames, 1)
	return tree.FrameTree.ChildFrames[0].Frame.URL
}

// Who has no token, or a wrong one, is told how to get in and sees nothing else.
func TestWithoutToken(t *testing.T) {
	t.Parallel()
	srv := start(t)
	furnish(t, srv)
	for _, query := range []string{"", "?token=", "?token=wrong", "?token=" + script} {
		p := newTab(t)
		do(p, chromedp.Navigate(srv.URL()+"/console/"+query))
		p.sees("open the URL that the sandbox printed")
		assert.NotContains(t, p.text(), "Acme")
		assert.Equal(t, 401, eval[int](p, `fetch('/console/api/state').then(r => r.status)`))
	}
	p := openConsole(t, srv, "#/money")
	p.sees("Acme Exchange")
	assert.NotContains(t, eval[string](p, `location.href`), "token", "it does not stay in the address, nor in the history")
	assert.Empty(t, eval[string](p, `document.cookie`), "no script can read the cookie")
}
